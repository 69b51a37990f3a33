"""The operations of `zoo.data.ops` in numpy."""

import numpy as np
from numpy import arange, cumsum, floor, matmul, maximum, pad, reshape, shape, transpose, where
from numpy import flatnonzero as nonzero
from numpy import flip as reverse
from numpy import max as reduce_max
from numpy import min as reduce_min

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


def reduce_sum(values, axis):
    return np.sum(values, axis, dtype=values.dtype)


def bincount(values, size):
    return np.bincount(values, minlength=size).astype("int32")


def put(values, indices, rows):
    changed = values.copy()
    changed[indices] = rows
    return changed


def searchsorted(edges, values):
    return np.searchsorted(edges, values, side="right").astype("int32")
