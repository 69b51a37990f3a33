"""What a classifier says of every point of a plane: the boundary between its classes, and the data."""

import math

import numpy as np

from zoo.report import panels, softmax

POINTS = 161


def regions(panes, across=4, names=("$x_1$", "$x_2$"), labels=("0", "1")):
    """Draws the probability that classifiers of two features give to their second class, one panel for each.

    Args:
        panes: list of `(title, model, x, y)`: a `keras.Model` from (batch, 2) to logits (batch, 2), the points
            (n, 2) to draw, and their classes, 0 or 1 (n,).
        across: panels in a row at most.
        names: of the two features, on the axes.
        labels: names of the two classes.

    Returns:
        A matplotlib figure. The line is where both classes are equally likely.

    Example:
        >>> model = zoo.build("mlp", input_shape=(2,), num_classes=2)
        >>> figure = regions([("untrained", model, np.eye(2), np.array([0, 1]))])
        >>> len(figure.axes)
        2
    """
    across = min(across, len(panes))
    figure, axes = panels(across, math.ceil(len(panes) / across), 2.8, 2.8)
    figure.set_size_inches(figure.get_figwidth() + 0.9, figure.get_figheight())
    for axis in axes[len(panes) :]:
        axis.remove()
    for place, (title, model, x, y) in enumerate(panes):
        axis = axes[place]
        shades = _pane(axis, model, np.asarray(x), np.asarray(y), labels)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel(names[0])
        if place % across == 0:
            axis.set_ylabel(names[1])
    figure.colorbar(shades, ax=axes[: len(panes)], ticks=[0, 0.5, 1], label=f"probability of {labels[1]}")
    return figure


def _pane(axis, model, x, y, labels):
    low, high = x.min(0), x.max(0)
    margin = 0.25 * (high - low)
    sides = [np.linspace(a, b, POINTS) for a, b in zip(low - margin, high + margin, strict=True)]
    grid = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2).astype("float32")
    logits = model.predict(grid, batch_size=len(grid), verbose=0)
    probability = softmax(logits)[:, 1].reshape(POINTS, POINTS)
    shades = axis.pcolormesh(*sides, probability, cmap="RdBu", vmin=0, vmax=1, alpha=0.75, rasterized=True)
    if probability.min() < 0.5 < probability.max():
        axis.contour(*sides, probability, levels=[0.5], colors="black", linewidths=1.5)
    for k, colour in enumerate(("darkred", "darkblue")):
        points = x[y == k].T
        axis.plot(*points, "o", color=colour, markeredgecolor="white", markersize=14)
        axis.plot(*points, linestyle="", marker=f"$\\mathrm{{{labels[k]}}}$", color="white", markersize=7)
    axis.locator_params(nbins=4)
    return shades
