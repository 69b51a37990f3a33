"""Raw pixels: what networks that make images answer with."""

import numpy as np

from zoo.pixel_affine import rounded as as_pixels
from zoo.serving.checks import check_finite


def random_pixels(count, shape):
    """Images, always the same ones.

    Args:
        count: how many.
        shape: of each; a side that is None is 48 high, or 40 wide.

    Returns:
        uint8 array.
    """
    sides = [side or free for side, free in zip(shape, (48, 40, 1), strict=True)]
    return np.random.default_rng(0).integers(0, 256, (count, *sides), dtype=np.uint8)


def odd_size(images):
    """The same images, smaller by an odd number of pixels: a size that the network was not trained on."""
    height, width = images.shape[1:3]
    return images[:, : max(1, height - 3), : max(1, width - 5)]


def rounded(values):
    """Values 0..255 as uint8, in a graph."""
    import tensorflow as tf

    return tf.cast(tf.clip_by_value(tf.round(tf.cast(values, tf.float32)), 0, 255), tf.uint8)


def expected_pixels(values, exact):
    """An array of values 0..255 as an exported file answers with them, and by how many grey levels that may differ.

    Args:
        values: array.
        exact: whether the model computes in float32.

    Raises:
        ZooError: NaN or infinity.
    """
    check_finite(values)
    # Half a step of rounding may fall either way.
    return as_pixels(values), 1 if exact else 13
