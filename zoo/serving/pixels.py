"""Raw pixels: what networks that make images answer with."""

import numpy as np

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
    return np.clip(np.round(values), 0, 255).astype("uint8"), 1 if exact else 13
