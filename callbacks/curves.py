"""Curves: pure functions from progress, 0 at the first step and 1 behind the last one, to a value.

They are written in `keras.ops`, so that `Schedule` can evaluate them inside the training graph. A formula in steps t
takes a second parameter named `steps`, the number of steps that progress 1 stands for: t = progress * steps. `warmup`
and `chain` put curves of both kinds behind one another.
"""

import inspect
import math

from keras import ops


def constant(value):
    """The same value throughout.

    Args:
        value: a number.

    Returns:
        A curve.

    Example:
        >>> float(constant(0.5)(0.1))
        0.5
    """
    return lambda progress: ops.add(ops.zeros_like(progress), value)


def piecewise(boundaries, values):
    """Constant in pieces: the step curve.

    Args:
        boundaries: shares of the training at which the next value begins, rising, above 0 and below 1.
        values: numbers, one more than boundaries.

    Returns:
        A curve.

    Raises:
        ValueError: boundaries that do not rise from 0 to 1, or another number of values.

    Example:
        >>> curve = piecewise([0.5, 0.75], [1.0, 0.5, 0.25])
        >>> [float(curve(progress)) for progress in (0.4, 0.5, 0.8)]
        [1.0, 0.5, 0.25]
    """
    edges = [0.0, *boundaries, 1.0]
    if any(right <= left for left, right in zip(edges, edges[1:], strict=False)):
        raise ValueError(f"boundaries rise, above 0 and below 1. Received: boundaries={boundaries!r}")
    if len(values) != len(edges) - 1:
        raise ValueError(f"{len(edges) - 2} boundaries have {len(edges) - 1} values. Received: values={values!r}")
    return chain(*((edges[i + 1] - edges[i], constant(value)) for i, value in enumerate(values)))


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


def polynomial(start, end=0.0, power=2.0):
    """A power of what is left: `end + (start - end) * (1 - progress) ** power`.

    Args:
        start: value at progress 0.
        end: value at progress 1.
        power: above 0; 1 is a straight line, more falls early, less falls late.

    Returns:
        A curve.

    Raises:
        ValueError: a power of 0 or less.

    Example:
        >>> float(polynomial(1.0)(0.5))
        0.25
    """
    if power <= 0:
        raise ValueError(f"a polynomial curve has a power above 0. Received: power={power!r}")
    return lambda progress: end + (start - end) * (1 - progress) ** power


def inverse_time(start, decay):
    """`start / (1 + decay * t)`, t in steps.

    Args:
        start: value at step 0.
        decay: at least 0; after 1 / decay steps the value is half of `start`.

    Returns:
        A curve in steps.

    Raises:
        ValueError: a decay below 0.

    Example:
        >>> float(inverse_time(1.0, 0.01)(0.5, steps=200))
        0.5
    """
    if decay < 0:
        raise ValueError(f"an inverse time curve has a decay of at least 0. Received: decay={decay!r}")
    return lambda progress, steps: start / (1 + decay * steps * progress)


def exponential(start, base):
    """`start * base ** t`, t in steps.

    Args:
        start: value at step 0.
        base: what each step multiplies the value by, above 0; below 1 it falls.

    Returns:
        A curve in steps.

    Raises:
        ValueError: a base of 0 or less.

    Example:
        >>> round(float(exponential(1.0, 0.5)(0.3, steps=10)), 6)
        0.125
    """
    if base <= 0:
        raise ValueError(f"an exponential curve has a base above 0. Received: base={base!r}")
    return natural_exponential(start, -math.log(base))


def natural_exponential(start, decay):
    """`start * exp(-decay * t)`, t in steps.

    Args:
        start: value at step 0.
        decay: a number; after 1 / decay steps the value is `start` / e.

    Returns:
        A curve in steps.

    Example:
        >>> round(float(natural_exponential(1.0, 0.01)(0.5, steps=200)), 6)
        0.367879
    """
    return lambda progress, steps: start * ops.exp(-decay * steps * progress)


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

    The gradual warm-up of Goyal et al. 2017 (Accurate, large minibatch SGD, section 2.2): `a0 * t / T'`.

    Args:
        share: share of the training that the rise takes, above 0 and below 1.
        curve: the curve that follows, of either kind; its steps are those that are left.

    Returns:
        A curve.

    Raises:
        ValueError: a share outside its range.

    Example:
        >>> round(float(warmup(0.1, linear(1.0, 0.0))(0.05)), 6)
        0.5
    """
    if not 0 < share < 1:
        what = "a warm-up longer than the training" if share >= 1 else "a warm-up of no length"
        raise ValueError(f"{what}: the share of the training must be above 0 and below 1. Received: share={share!r}")

    def rise(progress, steps=None):
        rest = None if steps is None else steps / share * (1 - share)
        return value(curve, ops.zeros_like(progress), rest) * progress

    return chain((share, rise), (1 - share, curve))


def chain(*parts):
    """Curves one behind the other.

    Args:
        *parts: pairs of a share of the training, above 0, and the curve that runs over it; the shares add up to 1. A
            curve in steps is given its share of the steps.

    Returns:
        A curve; in steps, if one of the parts is.

    Raises:
        ValueError: shares that are not above 0, or do not add up to 1.

    Example:
        >>> curve = chain((0.2, linear(0.0, 1.0)), (0.8, cosine(1.0)))
        >>> [round(float(curve(progress)), 6) for progress in (0.1, 0.2, 0.6)]
        [0.5, 1.0, 0.5]
    """
    shares = [share for share, _ in parts]
    if not parts or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"the shares of a chain are above 0 and add up to 1. Received: {shares}")

    def chained(progress, steps=None):
        progress = ops.add(progress, 0.0)  # a tensor, and of floats
        # Rounding must not put the first step of a part behind the last one of the part before.
        slack = 1e-6 if steps is None else 0.1 / steps
        begin, result = 0.0, None
        for share, curve in parts:
            inside = ops.clip((progress - begin) / share, 0, 1)
            piece = value(curve, inside, None if steps is None else steps * share)
            result = piece if result is None else ops.where(progress < begin - slack, result, piece)
            begin += share
        return result

    return chained


def value(curve, progress, steps=None):
    """Calls a curve of either kind: of progress, or of progress and steps.

    Args:
        curve: a function `curve(progress)` or `curve(progress, steps)`.
        progress: tensor of values in [0, 1].
        steps: number of steps that progress 1 stands for.

    Returns:
        A tensor of the shape of `progress`.

    Raises:
        ValueError: a curve in steps, without steps.

    Example:
        >>> float(value(inverse_time(1.0, 0.01), 0.5, steps=200)), float(value(linear(1.0, 0.0), 0.5, steps=200))
        (0.5, 0.5)
    """
    parameter = inspect.signature(curve).parameters.get("steps")
    if parameter is None:
        return curve(progress)
    if steps is None and parameter.default is parameter.empty:
        raise ValueError("the curve is in steps: it needs the number of steps that progress 1 stands for. Pass steps")
    return curve(progress, steps=steps)
