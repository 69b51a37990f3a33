"""Walks of optimizers on a surface: their points, heights and ends."""

from dataclasses import dataclass

import keras
import numpy as np

from zoo.models.surface import FUNCTIONS


@dataclass(frozen=True)
class Walk:
    """The path of an optimizer.

    Args:
        label: what tells it from the others.
        learning_rate: its rate.
        points: array (steps + 1, coordinates), the start first; NaN and infinity where it diverged.
    """

    label: str
    learning_rate: float
    points: np.ndarray


def height(function, points):
    """The function's values, with NaN and infinity where the walk diverged.

    Args:
        function: a name of `zoo.models.surface.FUNCTIONS`.
        points: array (..., coordinates).

    Returns:
        An array (...).

    Example:
        >>> height("bowl", np.array([[1.0, 1.0], [2.0, 0.0]])).tolist()
        [3.0, 4.0]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        values = FUNCTIONS[function].value(*np.moveaxis(np.asarray(points, np.float64), -1, 0))
        return np.asarray(keras.ops.convert_to_numpy(values), np.float64)


def endpoints(function, walks):
    """The end of each walk as a Markdown table, the lowest first.

    Args:
        function: a name of `zoo.models.surface.FUNCTIONS`.
        walks: a list of `Walk`.

    Returns:
        A string.

    Example:
        >>> print(endpoints("square", [Walk("sgd", 0.25, np.array([[10.0], [5.0]]))]))
        | walk | rate | steps | x1 | f |
        | --- | --- | --- | --- | --- |
        | sgd | 0.25 | 1 | 5.000000 | 25 |
    """
    names = FUNCTIONS[function].names
    lines = [["walk", "rate", "steps", *names, "f"], ["---"] * (4 + len(names))]
    ends = [(float(height(function, walk.points[-1])), walk) for walk in walks]
    for value, walk in sorted(ends, key=lambda end: end[0] if np.isfinite(end[0]) else np.inf):
        place = [f"{x:.6f}" if abs(x) < 1e6 else f"{x:.3g}" for x in walk.points[-1]]
        lines.append([walk.label, f"{walk.learning_rate:g}", str(len(walk.points) - 1), *place, f"{value:.6g}"])
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
