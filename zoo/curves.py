"""Curves of the learning rate by name, behind a warm-up, for recipes: what is wrong with them is a `ZooError`."""

from callbacks import curves, presets
from zoo.errors import choose, require


def curve(schedule, learning_rate, warmup=0.0):
    """A curve that `callbacks.Schedule` drives a learning rate along.

    Args:
        schedule: a name of `callbacks.presets.PRESETS`, such as "cosine", "linear" or "step".
        learning_rate: the highest rate, above 0.
        warmup: share of the training over which the rate rises to there from 0, in a straight line, before the curve
            begins: 0 <= warmup < 1; 0 is without.

    Returns:
        A curve.

    Raises:
        ZooError: an unknown name, or a number out of range.

    Example:
        >>> round(float(curve("cosine", 0.4, warmup=0.1)(0.55)), 6)
        0.2
    """
    choose("schedule", schedule, presets.PRESETS)
    require(learning_rate > 0, "learning_rate", learning_rate, "a number above 0")
    require(0 <= warmup < 1, "warmup", warmup, "a share of the training, 0 <= warmup < 1")
    made = presets.curve(schedule, learning_rate)
    return curves.warmup(warmup, made) if warmup else made
