"""The returns of a study of agents: every seed, their median and quartiles, and how many collapsed."""

import numpy as np

from zoo.report import panels

# Settings side by side; more stand in rows below.
ACROSS = 3


def returns(histories, title, quantity="val_return"):
    """A panel for each setting: the quantity against the step, each seed thin, the median with its quartiles.

    Agents of one setting fall into those that learned and those that did not: mean and deviation, which
    `zoo.pictures.bands` draws, describe neither (Henderson et al. 2018, Deep reinforcement learning that matters).
    Where seeds stopped at different steps, the rest of the picture is of those that went on.

    Args:
        histories: a dict from a setting's words to a list of histories, one a seed; their rows have `step`, the
            training steps done when the row was written. Where they have `collapses`
            (`zoo.policy_watch.PolicyWatch`), it is said how many seeds collapsed.
        title: the figure's.
        quantity: a column of the histories.

    Returns:
        A matplotlib figure; all panels have one scale.
    """
    across = min(ACROSS, len(histories))
    figure, axes = panels(across, -(-len(histories) // across), 4.6 if across > 1 else 6.4, 3.5)
    for axis in axes[len(histories) :]:
        axis.axis("off")
    for axis, (words, group) in zip(axes, histories.items(), strict=False):
        longest = max(group, key=len)
        steps = np.array([row["step"] for row in longest])
        values = np.full((len(group), len(longest)), np.nan)
        for seed, history in enumerate(group):
            values[seed, : len(history)] = [row.get(quantity, np.nan) for row in history]
            axis.plot(steps, values[seed], color="C0", linewidth=0.6, alpha=0.5, label=None if seed else "a seed")
        seen = np.isfinite(values).any(0)
        low, median, high = np.nanquantile(values[:, seen], (0.25, 0.5, 0.75), axis=0)
        axis.fill_between(steps[seen], low, high, color="C0", alpha=0.2, linewidth=0, label="quartiles")
        axis.plot(steps[seen], median, color="C0", linewidth=1.8, label="median")
        said = f"{words}\nn = {len(group)}" + _collapsed(group)
        axis.set_title(said, fontsize=10)
        axis.set_xlabel("step")
        axis.set_ylabel(quantity.replace("val_", "validation ").replace("_", " "))
        axis.grid(alpha=0.3)
    ends = [axis.get_ylim() for axis in axes[: len(histories)]]
    for axis in axes[: len(histories)]:
        axis.set_ylim(min(low for low, _ in ends), max(high for _, high in ends))
    axes[0].legend(fontsize=8)
    figure.suptitle(title)
    return figure


def _collapsed(group):
    """How many seeds collapsed, in words, where it was watched."""
    if not any("collapses" in row for history in group for row in history):
        return ""
    fallen = sum(any(row.get("collapses", 0) > 0 for row in history) for history in group)
    return f", {fallen} collapsed"
