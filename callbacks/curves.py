"""Curves: pure functions from progress, 0 at the first step and 1 behind the last one, to a value.

They are written in `keras.ops`, so that `Schedule` can evaluate them inside the training graph.
"""

import inspect
import math

from keras import ops


def constant(value):
    """The same value throughout.

    Example:
        >>> float(constant(0.1)(0.5))
        0.10000000149011612
    """
    return lambda progress: ops.zeros_like(progress) + value


def linear(start, end):
    """From `start` to `end` in a straight line.

    Args:
        start: value at progress 0.
        end: value at progress 1.

    Returns:
        A curve.

    Example:
        >>> float(linear(1.0, 0.0)(0.25))
        0.75
    """
    return lambda progress: start + (end - start) * progress


def cosine(start, end=0.0):
    """Half a cosine from `start` to `end` (Loshchilov and Hutter 2017, SGDR, without restarts).

    `end + (start - end) / 2 * (1 + cos(pi * progress))`

    Args:
        start: value at progress 0.
        end: value at progress 1.

    Returns:
        A curve.

    Example:
        >>> round(float(cosine(1.0)(0.5)), 6)
        0.5
    """
    return lambda progress: end + (start - end) / 2 * (1 + ops.cos(math.pi * progress))


def warmup(share, curve):
    """Rises in a straight line from 0 to where `curve` starts, then runs `curve` over what is left.

    Args:
        share: share of the training that the rise takes, above 0 and below 1.
        curve: the curve that follows.

    Returns:
        A curve.

    Raises:
        ValueError: a share outside its range.

    Example:
        >>> round(float(warmup(0.1, linear(1.0, 0.0))(0.05)), 6)
        0.5
    """
    if not 0 < share < 1:
        raise ValueError(f"a warm-up takes a share of the training above 0 and below 1. Received: share={share!r}")

    def warmed(progress):
        rise = curve(ops.zeros_like(progress)) * progress / share
        rest = curve(ops.maximum(progress - share, 0) / (1 - share))
        return ops.where(progress < share, rise, rest)

    return warmed


def value(curve, progress, steps=None):
    """Calls a curve of either kind: of progress, or of progress and steps.

    Args:
        curve: a function `curve(progress)` or `curve(progress, steps)`.
        progress: tensor of values in [0, 1].
        steps: number of steps that progress 1 stands for.

    Returns:
        A tensor of the shape of `progress`.
    """
    if "steps" in inspect.signature(curve).parameters:
        return curve(progress, steps)
    return curve(progress)
