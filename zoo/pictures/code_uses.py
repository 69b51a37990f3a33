"""Pictures of what codes are good for: classes from few labels, and anomalies from reconstruction errors."""

import numpy as np

from zoo.report import panels

COLOURS = {"network": "C0", "PCA": "C1", "pixels": "0.6"}


def few_labels(found, count):
    """The accuracy of a linear classifier that saw few labels, on codes and on pixels.

    Args:
        found: dict from a representation's name to accuracies 0..1, one a draw of the labels.
        count: of labels.

    Returns:
        A matplotlib figure.
    """
    figure, (axis,) = panels(1, 1, 5.2, 3.8)
    for place, (name, accuracies) in enumerate(found.items()):
        mean, spread = 100 * np.mean(accuracies), 100 * np.std(accuracies, ddof=1)
        axis.bar(place, mean, 0.6, yerr=spread, capsize=4, color=COLOURS[name])
        axis.text(place, mean / 2, f"{mean:.1f} ± {spread:.1f}", ha="center", va="center", fontsize=10)
    axis.set_xticks(range(len(found)), ["codes of the network", "principal components", "pixels"], fontsize=9)
    axis.set_xlabel("what logistic regression is given")
    axis.set_ylabel("images classified right, %")
    axis.set_ylim(0, 100)
    draws = len(next(iter(found.values())))
    axis.set_title(f"{count} labels: mean and standard deviation of {draws} draws", fontsize=10)
    axis.grid(alpha=0.3, axis="y")
    axis.set_axisbelow(True)
    return figure


def anomaly(curves, left_out):
    """ROC curves of the squared error as the sign of a class that the training did not have.

    Args:
        curves: dict from "network" and "PCA" to a `zoo.codes.Roc`.
        left_out: the class's name.

    Returns:
        A matplotlib figure.
    """
    figure, (axis,) = panels(1, 1, 4.8, 4.6)
    for name, roc in curves.items():
        label = f"{name}: area {roc.auc:.3f}"
        axis.plot(roc.false_positives, roc.true_positives, color=COLOURS[name], label=label)
    axis.plot([0, 1], [0, 1], color="gray", linewidth=1, linestyle=":", label="chance: area 0.5")
    axis.set_xlabel("share of the other images that are called odd")
    axis.set_ylabel(f"share of {left_out!r} that is called odd")
    axis.set_title(f"{left_out!r} was not in training:\nis it found by its squared error?", fontsize=10)
    axis.set_aspect("equal")
    axis.grid(alpha=0.3)
    axis.legend(loc="lower right")
    return figure
