"""The operations of `zoo.data.ops` in numpy."""

import numpy as np
from numpy import arange, floor, matmul, pad, reshape, shape, transpose, where
from numpy import flip as reverse

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


def cast(values, dtype):
    return np.asarray(values).astype(dtype)


def shift_right(values, by):
    return values >> np.asarray(by, values.dtype)


def clip(values, low, high):
    return np.clip(values, low, high)


def take(values, indices):
    return values[indices]


def argsort(values):
    return np.argsort(values, kind="stable")
