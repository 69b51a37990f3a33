"""Curves that come back: cosine with restarts, triangles, one cycle."""

from keras import ops

from callbacks.curves import chain, constant, cosine, exponential, linear


def cosine_restarts(start, end=0.0, cycles=4, growth=1.0, shrink=1.0):
    """Cosine with warm restarts (Loshchilov and Hutter 2017, SGDR, section 3).

    The cycles fill the training: it ends where the last one does, where the paper takes its results.

    Args:
        start: value at the beginning of the first cycle.
        end: value at the end of every cycle.
        cycles: number of cycles, at least 1.
        growth: how many times as long as the one before a cycle is, above 0; `T_mult` of the paper.
        shrink: what each restart multiplies the peak by, above 0; the paper has 1.

    Returns:
        A curve.

    Raises:
        ValueError: an argument outside its range.

    Example:
        >>> curve = cosine_restarts(1.0, cycles=2, growth=3, shrink=0.5)
        >>> [round(float(curve(progress)), 6) for progress in (0.0, 0.125, 0.25, 0.625)]
        [1.0, 0.5, 0.5, 0.25]
    """
    if not isinstance(cycles, int) or cycles < 1 or growth <= 0 or shrink <= 0:
        raise ValueError(
            "a cosine with restarts has a whole number of cycles of at least 1, growth and shrink above 0. "
            f"Received: cycles={cycles!r}, growth={growth!r}, shrink={shrink!r}"
        )
    lengths = [growth**cycle for cycle in range(cycles)]
    total = sum(lengths)
    return chain(*((length / total, cosine(start * shrink**i, end)) for i, length in enumerate(lengths)))


def triangular(low, high, half):
    """Straight up and down again between fixed bounds (Smith 2017, section 3.1, `triangular`).

    With t in steps, T' = `half` in steps, and the cycle m = floor(1 + t / 2T'): the value is
    `low + (high - low) * max(0, 1 - b)`, where `b = |t / T' - 2m + 1|`.

    Args:
        low: lower bound, where each cycle begins and ends.
        high: upper bound, in the middle of a cycle.
        half: half a cycle, as a share of the training, above 0 and at most 1; 1 / 2n makes n cycles.

    Returns:
        A curve.

    Raises:
        ValueError: a half outside its range, or bounds the wrong way round.

    Example:
        >>> curve = triangular(0.0, 1.0, half=0.25)
        >>> [float(curve(progress)) for progress in (0.0, 0.125, 0.25, 0.5, 0.75)]
        [0.0, 0.5, 1.0, 0.0, 1.0]
    """
    return _triangles(low, high, half, lambda cycle: 1.0)


def triangular2(low, high, half):
    """`triangular`, the height of whose cycles halves: `(high - low) / 2 ** (m - 1)` (Smith 2017, `triangular2`).

    Args:
        low, high, half: as in `triangular`.

    Returns:
        A curve.

    Raises:
        ValueError: as in `triangular`.

    Example:
        >>> curve = triangular2(0.0, 1.0, half=0.25)
        >>> [float(curve(progress)) for progress in (0.25, 0.5, 0.75)]
        [1.0, 0.0, 0.5]
    """
    return _triangles(low, high, half, lambda cycle: 2.0 ** (1 - cycle))


def exp_range(low, high, half, base):
    """`triangular`, whose height shrinks with every step: `(high - low) * base ** t` (Smith 2017, `exp_range`).

    Args:
        low, high, half: as in `triangular`.
        base: what each step multiplies the height by, above 0 and at most 1.

    Returns:
        A curve in steps.

    Raises:
        ValueError: as in `triangular`, or a base outside its range.

    Example:
        >>> curve = exp_range(0.0, 1.0, half=0.25, base=0.5)
        >>> [round(float(curve(progress, steps=4)), 6) for progress in (0.25, 0.5, 0.75)]
        [0.5, 0.0, 0.125]
    """
    if not 0 < base <= 1:
        raise ValueError(f"exp_range has a base above 0 and at most 1. Received: base={base!r}")
    triangles, height = triangular(0.0, 1.0, half), exponential(high - low, base)
    _check_bounds(low, high)
    return lambda progress, steps: low + triangles(progress) * height(progress, steps)


def one_cycle(high, low=None, momentum=(0.95, 0.85), cycle=0.9):
    """One large cycle: learning rate up while momentum goes down, then both back (Smith and Topin 2017).

    In straight lines, as in Smith 2018 (A disciplined approach to neural network hyper-parameters, section 4.3): the
    rate rises from `low` to `high` and returns in equal times; over what is left of the training it falls to 0 (the
    papers: several orders of magnitude below `low`), and momentum stays where it was at first.

    Args:
        high: highest learning rate, above 0.
        low: where the rate begins; by default a tenth of `high`.
        momentum: the highest and the lowest momentum.
        cycle: share of the training that the cycle takes, above 0 and below 1.

    Returns:
        A pair of curves: of the learning rate, and of the momentum. The momentum, or Adam's beta_1, belongs to an
        optimizer that `schedulable` has made.

    Raises:
        ValueError: an argument outside its range.

    Example:
        >>> rate, momentum = one_cycle(1.0, cycle=0.8)
        >>> [(round(float(rate(progress)), 3), round(float(momentum(progress)), 3)) for progress in (0, 0.4, 0.8, 1)]
        [(0.1, 0.95), (1.0, 0.85), (0.1, 0.95), (0.0, 0.95)]
    """
    low = high / 10 if low is None else low
    most, least = momentum
    if high <= 0:
        raise ValueError(f"a one-cycle curve has a highest rate above 0. Received: high={high!r}")
    _check_bounds(low, high)
    _check_bounds(least, most, "the pair momentum is (highest, lowest)")
    if not 0 < cycle < 1:
        raise ValueError(f"a cycle takes a share of the training above 0 and below 1. Received: cycle={cycle!r}")
    half = cycle / 2
    return (
        chain((half, linear(low, high)), (half, linear(high, low)), (1 - cycle, linear(low, 0.0))),
        chain((half, linear(most, least)), (half, linear(least, most)), (1 - cycle, constant(most))),
    )


def _triangles(low, high, half, height):
    """Triangles from 0 to `height` of the cycle, which counts from 1, stretched between the bounds."""
    _check_bounds(low, high)
    if not 0 < half <= 1:
        raise ValueError(f"half a cycle is a share of the training above 0 and at most 1. Received: half={half!r}")

    def triangles(progress):
        cycle = ops.floor(1 + progress / (2 * half))
        b = ops.abs(progress / half - 2 * cycle + 1)
        return low + (high - low) * ops.maximum(0.0, 1 - b) * height(cycle)

    return triangles


def _check_bounds(low, high, what="a curve between two bounds has the lower one first"):
    if low > high:
        raise ValueError(f"{what}. Received: {low!r} above {high!r}")
