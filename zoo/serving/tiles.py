"""Tiling inside a TensorFlow graph: a SavedModel that segments images of any size."""

from zoo._tile_geometry import geometry, up
from zoo.errors import require


def tiled(network, tile=256):
    """What `zoo.tiling.segment` computes, as operations of TensorFlow.

    One window at a time goes through the network, so that memory does not grow with the image. Small images make
    small windows.

    Args:
        network: a Functional `keras.Model` for any size (`zoo.tiling.any_size`), with one map of logits.
        tile: integer >= 1, as in `segment`.

    Returns:
        A function of raw pixels (n, height, width, channels), a tensor of any type and of unknown n, height and width,
        that gives float32 probabilities (n, height, width, classes). It can be saved inside a `tf.function`.

    Raises:
        ZooError: a network of fixed size, or one that cannot be tiled.
    """
    import tensorflow as tf

    sees = geometry(network)
    sides = network.input_shape[1:3]
    require(sides == (None, None), "network.input_shape", network.input_shape, "free: see zoo.tiling.any_size")
    classes, tile = network.output_shape[-1], up(tile, sees.multiple)

    def mirrored(start, count, size):
        period = tf.maximum(1, 2 * (size - 1))
        position = (start + tf.range(count)) % period  # TensorFlow's remainder has the sign of the divisor
        return tf.minimum(position, period - position)

    def probabilities(images):
        shape = tf.shape(images)
        height, width = shape[1], shape[2]
        tall, wide = (tf.minimum(tile, up(size, sees.multiple)) for size in (height, width))
        down, across = -(-height // tall), -(-width // wide)

        def one(place):
            index, row, column = place // (down * across), place // across % down, place % across
            rows = mirrored(row * tall - sees.margin, tall + sees.span, height)
            columns = mirrored(column * wide - sees.margin, wide + sees.span, width)
            window = tf.gather(tf.gather(images[index], rows), columns, axis=1)
            logits = network(tf.cast(window, network.inputs[0].dtype)[None], training=False)[0]
            logits = tf.cast(logits[sees.offset : sees.offset + tall, sees.offset : sees.offset + wide], tf.float32)
            return tf.sigmoid(logits) if classes == 1 else tf.nn.softmax(logits)

        found = tf.map_fn(
            one,
            tf.range(shape[0] * down * across),
            fn_output_signature=tf.TensorSpec((None, None, classes), tf.float32),
            parallel_iterations=1,  # several windows at once would cost several windows' memory
        )
        found = tf.reshape(found, (shape[0], down, across, tall, wide, classes))
        found = tf.reshape(tf.transpose(found, (0, 1, 3, 2, 4, 5)), (shape[0], down * tall, across * wide, classes))
        return found[:, :height, :width]

    return probabilities
