"""The operations of `zoo.data.ops` in TensorFlow."""

import tensorflow as tf
from tensorflow import cast, floor, matmul, pad, reshape, reverse, shape, transpose, where
from tensorflow import clip_by_value as clip
from tensorflow import gather as take
from tensorflow import range as arange

__all__ = [
    "arange",
    "argsort",
    "cast",
    "clip",
    "floor",
    "matmul",
    "pad",
    "reshape",
    "reverse",
    "shape",
    "shift_right",
    "take",
]
__all__ += ["transpose", "where"]


def shift_right(values, by):
    return tf.bitwise.right_shift(values, tf.constant(by, values.dtype))


def argsort(values):
    return tf.argsort(values, stable=True)
