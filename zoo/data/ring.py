"""Gaussians on a ring: the toy on which a generator's lost modes can be counted."""

import numpy as np

from zoo.data.assemble import from_arrays
from zoo.errors import require

DEVIATIONS = 3


def ring(batch_size=256, *, modes=8, radius=2.0, deviation=0.05, examples=8192, seed=None):
    """Points of two numbers from Gaussians whose centres stand on a circle, equally many from each.

    The toy of Metz et al. 2017, Unrolled generative adversarial networks, arXiv:1611.02163, section 3.1 (eight modes on
    a circle of radius 2, deviation 0.02 there).

    Args:
        batch_size: examples a batch, >= 1.
        modes: integer >= 2, how many Gaussians.
        radius: of the circle, a number > 0.
        deviation: of each Gaussian in each direction, a number > 0.
        examples: training points; a quarter as many are validation and test points each.
        seed: of the training order; the points are always the same. None takes the current seed.

    Returns:
        A `zoo.Data` with elements (x float32 `(batch, 2)`, y int32 `(batch,)`, the mode); `statistics` has `centres`
        `(modes, 2)` and `deviation`.

    Raises:
        ZooError: a value out of range.

    Example:
        >>> data = ring(4, modes=3, examples=30, seed=0)
        >>> data.train.size, data.test.size, data.statistics["centres"].shape
        (30, 7, (3, 2))
    """
    for name, value, least in (("modes", modes, 2), ("examples", examples, 4 * modes if isinstance(modes, int) else 8)):
        whole = isinstance(value, int) and not isinstance(value, bool)
        require(whole and value >= least, name, value, f"an integer >= {least}")
    for name, value in (("radius", radius), ("deviation", deviation)):
        require(isinstance(value, int | float) and 0 < value < float("inf"), name, value, "a number > 0")
    angles = 2 * np.pi * np.arange(modes) / modes
    centres = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    random = np.random.default_rng(0)

    def drawn(count):
        mode = np.arange(count, dtype="int32") % modes
        return (centres[mode] + deviation * random.standard_normal((count, 2))).astype("float32"), mode

    train, validation, test = (drawn(count) for count in (examples, examples // 4, examples // 4))
    statistics = {"centres": centres, "deviation": deviation}
    labels = tuple(f"mode {k}" for k in range(modes))
    return from_arrays(
        train,
        batch_size,
        validation=validation,
        test=test,
        labels=labels,
        seed=seed,
        statistics=lambda x, y: statistics,
    )


def modes_found(points, centres, deviation):
    """How many modes some points have found, and what share of the points belongs to any.

    Args:
        points: array (n, 2).
        centres, deviation: of the Gaussians, as `ring` has them in `statistics`.

    Returns:
        A pair: the number of modes with a fifth of their fair share of the points, or more, within three deviations of
        the centre; and the share of all points that are so near to some centre (of true ones: 98.9 %).

    Example:
        >>> centres = np.array([[2.0, 0], [-2, 0]])
        >>> modes_found(np.array([[2.0, 0.1], [2, 0], [1.9, 0], [0, 0]]), centres, 0.05)
        (1, 0.75)
    """
    distances = np.linalg.norm(np.asarray(points)[:, None] - centres[None], axis=2)
    near = distances <= DEVIATIONS * deviation
    shares = near.mean(0)
    return int((shares >= 0.2 / len(centres)).sum()), float(near.any(1).mean())
