"""The few array operations that numpy and TensorFlow spell differently, so that one text serves both.

All of them are exact: integers, gathers, or single float32 operations that IEEE 754 rounds in one way only. That is
why `Stream.batch` gives the bytes of `Stream.open`.
"""

import functools
import importlib.util

from zoo.data import ops_numpy


def is_tensor(value):
    """Whether `value` is a tensor of TensorFlow, asked without importing it."""
    return type(value).__module__.startswith("tensorflow")


@functools.cache
def has_tensorflow():
    """Whether TensorFlow is installed, asked without importing it. Keras on JAX trains without it."""
    return importlib.util.find_spec("tensorflow") is not None


def of(*values):
    """The operations for some arrays: TensorFlow's when one of them is a tensor, numpy's otherwise."""
    if any(map(is_tensor, values)):
        from zoo.data import ops_tensorflow

        return ops_tensorflow
    return ops_numpy
