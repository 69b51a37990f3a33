"""The picture of a study: every setting's learning curves, mean and deviation over seeds."""

import math

import numpy as np

from zoo import report

# More settings than this have their legend outside, in columns of so many lines. A loss that spans more than this
# factor has a logarithmic axis.
FEW = 5
COLUMN = 24
DECADES = 100


def bands(histories, title):
    """Training loss and validation metrics against the step: the mean over seeds, one deviation either side.

    Args:
        histories: a dict from a setting's words to a list of histories, one a seed; their rows have `step`, the
            training steps done when the row was written.
        title: the figure's title.

    Returns:
        A matplotlib figure.
    """
    rows = [row for group in histories.values() for history in group for row in history]
    keys = list(dict.fromkeys(key for row in rows for key in row if key == "loss" or is_metric(key)))
    many = len(histories) > FEW
    # The legend of many settings stands beside the panels.
    figure, axes = report.panels(min(3, len(keys)), -(-len(keys) // 3), 4.6, 3.4 if not many else 4.2)
    lengths = {row["step"] / row["epoch"] for row in rows}
    step = f"step ({lengths.pop():.0f} an epoch)" if len(lengths) == 1 else "step"
    for axis, key in zip(axes, keys, strict=False):
        values = [row[key] for row in rows if key in row and math.isfinite(row[key])]
        if values and key.endswith("loss") and min(values) > 0 and max(values) > DECADES * min(values):
            axis.set_yscale("log")
        for number, (words, group) in enumerate(histories.items()):
            _band(axis, key, words, group, number)
        axis.set_xlabel(step)
        axis.set_ylabel(key.replace("val_", "validation ").replace("_", " "))
        axis.grid(alpha=0.3)
    handles, labels = axes[0].get_legend_handles_labels()
    if many:
        columns = math.ceil(len(labels) / COLUMN)
        figure.legend(handles, labels, loc="outside right center", fontsize=8, ncols=columns)
        # As wide as the longest words, at the width of this size's letters.
        width = columns * (0.065 * max(map(len, labels)) + 0.6)
        figure.set_size_inches(figure.get_figwidth() + width, figure.get_figheight())
    else:
        axes[0].legend(fontsize=8)
    figure.suptitle(f"{title}: mean and standard deviation over seeds")
    return figure


def _band(axis, key, words, group, number):
    """One setting's mean and deviation; where seeds stopped at different steps, over those that went on."""
    longest = max(group, key=len)
    values = np.full((len(group), len(longest)), np.nan)
    for index, history in enumerate(group):
        values[index, : len(history)] = [row.get(key, np.nan) for row in history]
    values = np.ma.masked_invalid(values)
    mean, spread = (each.filled(np.nan) for each in (values.mean(0), values.std(0)))
    steps = [row["step"] for row in longest]
    style = ("-", "--", ":")[number // 10 % 3]
    (line,) = axis.plot(steps, mean, style, color=f"C{number % 10}", label=f"{words} (n={len(group)})")
    # A deviation larger than the mean has no place on a logarithmic axis.
    low = np.maximum(mean - spread, mean / 10) if axis.get_yscale() == "log" else mean - spread
    axis.fill_between(steps, low, mean + spread, alpha=0.15, color=line.get_color(), linewidth=0)


def is_metric(key):
    """Whether a key of metrics or history is one to show: of several outputs' losses only the sum is."""
    part, _, metric = key.partition("_")
    return part in ("train", "val", "test") and (metric == "loss" or not metric.endswith("_loss"))
