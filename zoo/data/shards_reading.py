"""Bytes out of shards, and pixels out of bytes as TensorFlow decodes them."""

import functools

from zoo.errors import ZooError


def contents(path, offsets, lengths):
    """Some stretches of a file.

    Args:
        path: the file.
        offsets, lengths: lists of integers.

    Returns:
        A list of bytes.

    Raises:
        OSError: the file is gone.
    """
    found = []
    with open(path, "rb", buffering=0) as file:
        for offset, length in zip(offsets, lengths, strict=True):
            file.seek(offset)
            found.append(file.read(length))
    return found


@functools.cache
def decoder(channels):
    """A function from a list of files' bytes, images of one size, to a tensor: as TensorFlow Datasets decodes them."""
    import tensorflow as tf

    def one(content):
        return tf.io.decode_image(content, channels, expand_animations=False)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
    def decode(contents):
        return tf.map_fn(one, contents, fn_output_signature=tf.TensorSpec((None, None, channels), tf.uint8))

    return decode


def decoded(content, channels, name):
    """The pixels of one file's bytes.

    Raises:
        ZooError: bytes that cannot be read as an image.
    """
    import tensorflow as tf

    try:
        return decoder(channels)([content])[0].numpy()
    except tf.errors.InvalidArgumentError as error:
        reason = error.message.splitlines()[0]
        raise ZooError(f"{name} cannot be read as an image ({reason})") from None
