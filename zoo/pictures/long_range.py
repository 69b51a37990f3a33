"""The picture of a study of memory: what is learned at which length, by which network."""

import numpy as np

from zoo.report import panels

MARKS = "osD^vPX"


def lengths(found, constant, learned):
    """Draws errors against the length of sequences: where each network stops learning.

    Args:
        found: a dict from a network's name to a list of pairs: a length in steps, and the errors at that length, one
            for each seed, all above 0.
        constant: the error of the best answer without memory.
        learned: the error at which training was stopped, for it had learned.

    Returns:
        A matplotlib figure: a mark for each seed, and a line through their geometric means.

    Example:
        >>> figure = lengths({"lstm": [(10, [0.001]), (100, [0.16, 0.17])]}, 1 / 6, 0.001)
        >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()][0]
        'lstm (n=2)'
    """
    figure, (axis,) = panels(1, 1, 6.0, 4.0)
    for number, (name, points) in enumerate(found.items()):
        style = {"color": f"C{number % 10}", "marker": MARKS[number % len(MARKS)]}
        steps = [length for length, _ in points]
        means = [np.exp(np.mean(np.log(errors))) for _, errors in points]
        most = max(len(errors) for _, errors in points)
        axis.plot(steps, means, linewidth=1.4, markersize=6, label=f"{name} (n={most})", **style)
        for length, errors in points:
            axis.plot([length] * len(errors), errors, linestyle="", markersize=4, alpha=0.4, **style)
    axis.axhline(constant, color="gray", linestyle="--", linewidth=1, label=f"without memory: {constant:.3g}")
    axis.axhline(learned, color="gray", linestyle=":", linewidth=1, label=f"enough: {learned:.3g}")
    axis.set_xscale("log")
    axis.set_yscale("log")
    shown = sorted({length for points in found.values() for length, _ in points})
    axis.set_xticks(shown, [str(length) for length in shown])
    axis.set_xticks([], minor=True)
    axis.set_xlabel("length of the sequences, steps")
    axis.set_ylabel("mean squared error of validation sequences")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    return figure
