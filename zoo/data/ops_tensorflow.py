"""The operations of `zoo.data.ops` in TensorFlow."""

import tensorflow as tf
from tensorflow import (
    cast,
    cumsum,
    floor,
    matmul,
    maximum,
    pad,
    reduce_max,
    reduce_min,
    reduce_sum,
    reshape,
    reverse,
    shape,
    transpose,
    where,
)
from tensorflow import clip_by_value as clip
from tensorflow import gather as take
from tensorflow import range as arange

__all__ = [
    "arange",
    "argsort",
    "bincount",
    "cast",
    "clip",
    "cumsum",
    "floor",
    "matmul",
    "maximum",
    "nonzero",
    "pad",
    "put",
    "reduce_max",
    "reduce_min",
    "reduce_sum",
    "reshape",
    "reverse",
    "searchsorted",
    "shape",
    "shift_right",
    "take",
    "transpose",
    "where",
]


def shift_right(values, by):
    return tf.bitwise.right_shift(values, tf.constant(by, values.dtype))


def argsort(values):
    return tf.argsort(values, stable=True)


def nonzero(values):
    return tf.where(values)[:, 0]


def bincount(values, size):
    return tf.math.bincount(values, minlength=size, maxlength=size)


def put(values, indices, rows):
    return tf.tensor_scatter_nd_update(values, indices[:, None], rows)


def searchsorted(edges, values):
    return tf.searchsorted(edges, values, side="right")
