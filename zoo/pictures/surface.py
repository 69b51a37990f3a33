"""Pictures of walks on a surface: contours with paths, height against step, and the race as a film."""

import numpy as np

from zoo.models.surface import FUNCTIONS
from zoo.pictures.film import gif
from zoo.pictures.walks import height
from zoo.report import panels

# Seven colours that differ on grey, then the same again in other strokes; a mark of its own for each end point.
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#000000", "#17a2b8")
STROKES = ("-", (0, (4, 1.5)), (0, (1, 1)))
GOLD = "#ffd700"
MARKS = "osD^vPX<>phdH8"
LEVELS = 22
FRAMES = 60


def contour(function, walks):
    """The paths on the contours of a function of two coordinates; of one coordinate, on its curve and against the step.

    Args:
        function: a name of `zoo.models.surface.FUNCTIONS`.
        walks: a list of `zoo.pictures.walks.Walk`.

    Returns:
        A matplotlib figure. Paths that leave the function's box leave the picture.
    """
    return _scene(function, walks)[0]


def heights(function, walks):
    """The height against the step: above the least value, on a logarithmic axis, where the function has one.

    Args:
        function: a name of `zoo.models.surface.FUNCTIONS`.
        walks: a list of `zoo.pictures.walks.Walk`.

    Returns:
        A matplotlib figure.
    """
    known = FUNCTIONS[function]
    figure, (axis,) = panels(1, 1, 8.2, 4.8)
    for number, walk in enumerate(walks):
        values = height(function, walk.points)
        if known.least is not None:
            values = np.where(values > known.least, values - known.least, np.nan)
        values[~np.isfinite(values)] = np.nan
        axis.plot(values, **_style(number, walk))
    ground = height(function, _grid(known.box, 200))
    if known.least is None:
        axis.set_ylim(ground.min(), ground.max())
        axis.set_ylabel("f")
    else:
        axis.set_yscale("log")
        low, high = axis.get_ylim()
        axis.set_ylim(max(low, 1e-16), min(high, 10 * (ground.max() - known.least)))
        axis.set_ylabel("f" if known.least == 0 else f"f - ({known.least:g})")
    axis.set_xlabel("step")
    axis.set_title(f"{function}: $f(x) = {known.formula}$", fontsize=10)
    axis.grid(alpha=0.3)
    _legend(figure)
    return figure


def race(function, walks, path):
    """Writes the walks as an animated GIF of about five seconds: all at the same step, with what they left behind.

    The first steps, which are the longest, are shown slowest: the step grows with the square of the time.

    Args:
        function: a name of `zoo.models.surface.FUNCTIONS`.
        walks: a list of `zoo.pictures.walks.Walk`.
        path: where the file goes.

    Returns:
        The path.
    """
    figure, lines = _scene(function, walks)
    axis = figure.axes[0]
    said = axis.text(0.02, 0.97, "", transform=axis.transAxes, va="top", fontsize=11, zorder=10)
    said.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.8})
    # The surface, the axes and the legend are drawn once, the walks over a copy of them.
    for artist in (*lines, said):
        artist.set_animated(True)
    figure.canvas.draw()
    ground = figure.canvas.copy_from_bbox(figure.bbox)
    tracks = [line.get_data() for line in lines]
    last = max(len(walk.points) for walk in walks) - 1
    images = []
    for step in np.unique(np.round(last * np.linspace(0, 1, FRAMES) ** 2).astype(int)):
        figure.canvas.restore_region(ground)
        for line, (across, up) in zip(lines, tracks, strict=True):
            line.set_data(across[: step + 1], up[: step + 1])
            line.axes.draw_artist(line)
        said.set_text(f"step {step}")
        axis.draw_artist(said)
        images.append(np.array(figure.canvas.buffer_rgba())[..., :3])
    return gif(images, path, colours=[*COLOURS, GOLD])


def _scene(function, walks):
    """The surface and the walks on it; of one coordinate, below it the walks against the step.

    Returns:
        A figure, and the lines in it that are walks.
    """
    known = FUNCTIONS[function]
    tracks = [_shown(function, walk.points) for walk in walks]
    if len(known.names) == 2:
        figure, (axis,) = panels(1, 1, 8.2, 5.4)
        _contours(axis, function)
        axis.set(xlim=known.box[0], ylim=known.box[1], xlabel="$x_1$", ylabel="$x_2$")
        lines = [
            line
            for number, (walk, track) in enumerate(zip(walks, tracks, strict=True))
            for line in axis.plot(*track.T, **_style(number, walk))
        ]
    else:
        figure, (axis, below) = panels(1, 2, 8.2, 3.6)
        _curve(axis, function)
        below.set(xlim=known.box[0], xlabel="x", ylabel="step")
        below.invert_yaxis()
        below.grid(alpha=0.3)
        lines = []
        for number, (walk, track) in enumerate(zip(walks, tracks, strict=True)):
            style, places = _style(number, walk), _places(function, track)
            lines += axis.plot(*places, ".", color=style["color"], alpha=0.4, markersize=4)
            lines += axis.plot(*places, **{**style, "linestyle": "none", "label": None})
            lines += below.plot(places[0], np.arange(len(track)), **style)
    _marks(axis, function, walks)
    axis.set_title(f"{function}: $f(x) = {known.formula}$", fontsize=10)
    _legend(figure)
    return figure, lines


def _curve(axis, function):
    known = FUNCTIONS[function]
    grid = _grid(known.box, 400)
    values = height(function, grid)
    margin = 0.05 * np.ptp(values)
    axis.plot(grid[:, 0], values, color="#999999", linewidth=1.5, zorder=1)
    axis.set(xlim=known.box[0], ylim=(values.min() - margin, values.max() + margin), xlabel="x", ylabel="f(x)")
    axis.grid(alpha=0.3)


def _marks(axis, function, walks):
    """Marks the starts, and the points where the gradient is zero."""
    known = FUNCTIONS[function]
    white, gold = {"marker": "o", "markersize": 9, "color": "white", "zorder": 6}, {"color": GOLD, "zorder": 3}
    for label, points, style in (
        ("start", [walk.points[0] for walk in walks], white),
        ("minimum", known.minima, {**gold, "marker": "*", "markersize": 17}),
        ("gradient zero", known.stationary, {**gold, "marker": "s", "markersize": 9}),
    ):
        if len(points):
            places = _places(function, np.unique(points, axis=0))
            axis.plot(*places, linestyle="none", markeredgecolor="black", label=label, **style)


def _legend(figure):
    """One legend for all axes, outside of them."""
    handles = [handle for axis in figure.axes for handle in axis.get_legend_handles_labels()[0]]
    figure.legend(handles=handles, loc="outside right upper", fontsize=9, handlelength=3)


def _contours(axis, function):
    known = FUNCTIONS[function]
    grid = _grid(known.box, 300)
    values = height(function, grid)
    if known.least is None:
        levels = np.quantile(values, np.linspace(0, 1, LEVELS))
    else:
        # From the height below which lies one part in 500 of the picture.
        lowest, highest = (np.quantile(values, share) - known.least for share in (0.002, 1))
        levels = known.least + np.geomspace(lowest, highest, LEVELS)
    # Shades by the number of the level, not by height: even over the picture whatever the function.
    shades = [str(1 - 0.25 * index / LEVELS) for index in range(LEVELS + 1)]
    axis.contourf(grid[..., 0], grid[..., 1], values, levels, colors=shades, extend="both")
    drawn = axis.contour(grid[..., 0], grid[..., 1], values, levels, colors="#777777", linewidths=0.5, linestyles="-")
    drawn.clabel(drawn.levels[1::4], fmt="%.3g", fontsize=7, inline_spacing=2)


def _grid(box, count):
    """Points over the whole box: (count, 1), or (count, count, 2)."""
    return np.stack(np.meshgrid(*(np.linspace(*sides, count) for sides in box)), axis=-1)


def _shown(function, points):
    """The points up to the first that is not finite, kept near the picture: drawing fails on numbers like 1e30."""
    finite = np.isfinite(points).all(1)
    points = points[: len(points) if finite.all() else finite.argmin()]
    low, high = np.array(FUNCTIONS[function].box).T
    return np.clip(points, low - 10 * (high - low), high + 10 * (high - low))


def _places(function, points):
    """Where points are in the picture: x1 and x2, or x and f(x)."""
    return points.T if points.shape[1] == 2 else (points[:, 0], height(function, points))


def _style(number, walk):
    """Colour, stroke and mark of the n-th walk, the mark at its end; and its name."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": STROKES[number // len(COLOURS) % len(STROKES)],
        "linewidth": 1.4,
        "marker": MARKS[number % len(MARKS)],
        "markersize": 7,
        "markeredgecolor": "white",
        "markeredgewidth": 0.7,
        "markevery": [-1],
        "zorder": 4,
        "label": walk.label,
    }
