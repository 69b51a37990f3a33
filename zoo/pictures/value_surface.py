"""What an agent learned of environments whose states are points: its values and its actions over a plane of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.report import panels

# Points along a side, and between two lines of the surface. They divide the side: matplotlib fills up facets of fewer
# corners with whatever is in the memory, and may warn of its size.
GRID = 82
STRIDE = 3
COLOURS = "viridis"


@dataclass(frozen=True)
class Plane:
    """A plane of observations.

    Args:
        title: what is fixed, for those that have more numbers than two.
        names: of the two axes, with units.
        box: ((least, largest), (least, largest)) along them.
        observe: a function of two arrays of n numbers that returns observations (n, numbers).
        places: the function back, from observations (n, numbers) to points (n, 2), where the plane holds all of an
            observation; else None.
    """

    title: str
    names: tuple
    box: tuple
    observe: Any
    places: Any = None


def planes(spec):
    """The planes over which an environment's values are drawn.

    Args:
        spec: a `zoo.envs.Spec`.

    Returns:
        A list of `Plane`: of observations of two bounded numbers the one that they are in; of CartPole the angle
        against its velocity and the position against its velocity, each through the upright pole at rest in the
        middle; of Acrobot its two angles at rest. None of any other environment.
    """
    name = spec.id.partition("-v")[0]
    if name == "CartPole":
        x, v, angle, turn = (tuple(pair) for pair in zip(spec.low, spec.high, strict=True))
        return [
            Plane(
                "cart in the middle, at rest",
                ("angle of the pole (rad)", "its velocity (rad/s)"),
                (angle, turn),
                lambda a, b: np.stack([0 * a, 0 * a, a, b], -1),
            ),
            Plane(
                "pole upright, at rest",
                ("position of the cart (m)", "its velocity (m/s)"),
                (x, v),
                lambda a, b: np.stack([a, b, 0 * a, 0 * a], -1),
            ),
        ]
    if name == "Acrobot":
        turn = (-np.pi, np.pi)
        return [
            Plane(
                "both links at rest",
                ("angle of the upper link (rad)", "of the lower one to it (rad)"),
                (turn, turn),
                lambda a, b: np.stack([np.cos(a), np.sin(a), np.cos(b), np.sin(b), 0 * a, 0 * a], -1),
            )
        ]
    if spec.shape != (2,) or spec.low is None:
        return []
    names = ("position", "velocity") if name == "MountainCar" else ("observation 1", "observation 2")
    box = tuple(zip(spec.low, spec.high, strict=True))
    return [Plane("", names, box, lambda a, b: np.stack([a, b], -1), lambda seen: seen)]


def surfaces(shown, values_of, actions, title, walk=None):
    """The value of the best action over planes, and which one that is.

    A plane that holds all of an observation is drawn as the surface of the cost to go, the value's negative (Sutton,
    Barto 2018, figure 10.1); a slice of more numbers, as a map.

    Args:
        shown: a list of `Plane`.
        values_of: a function from observations (n, numbers) to values (n, actions).
        actions: names of the actions.
        title: the figure's.
        walk: observations (steps, numbers) of an episode, which is drawn into a plane that holds all of them; or None.

    Returns:
        A matplotlib figure: a row for each plane. Of a network that values states alone, there is no map of actions.
    """
    whole = [_values(plane, values_of) for plane in shown]
    several = whole[0].shape[-1] > 1
    across = 1 + several
    figure, axes = panels(across, len(shown), 4.9, 3.9)
    rows = [axes[across * index : across * (index + 1)] for index in range(len(shown))]
    for plane, values, row in zip(shown, whole, rows, strict=True):
        if plane.places is None:
            _map(figure, row[0], plane, values.max(-1))
        else:
            row[0] = _surface(figure, row[0], plane, -values.max(-1))
        if several:
            _actions(row[1], plane, values.argmax(-1), actions, walk)
    figure.suptitle(title)
    return figure


def _axes(plane):
    return tuple(np.linspace(*sides, GRID) for sides in plane.box)


def _values(plane, values_of):
    """Values over the plane: (GRID, GRID, actions), rows along the second axis."""
    first, second = np.meshgrid(*_axes(plane))
    seen = plane.observe(first.ravel(), second.ravel()).astype("float32")
    return np.asarray(values_of(seen)).reshape(GRID, GRID, -1)


def _map(figure, axis, plane, best):
    image = axis.pcolormesh(*_axes(plane), best, cmap=COLOURS, shading="gouraud", rasterized=True)
    if np.ptp(best) > 0:
        axis.contour(*_axes(plane), best, 9, colors="white", linewidths=0.5, alpha=0.7)
    figure.colorbar(image, ax=axis, label="value, of the best action")
    _name(axis, plane)


def _surface(figure, axis, plane, cost):
    import mpl_toolkits.mplot3d  # noqa: F401  it registers the projection

    place = axis.get_subplotspec()
    axis.remove()
    axis = figure.add_subplot(place, projection="3d")
    first, second = np.meshgrid(*_axes(plane))
    axis.plot_surface(
        first, second, cost, cmap=COLOURS + "_r", rstride=STRIDE, cstride=STRIDE, linewidth=0.2, edgecolor="k"
    )
    axis.view_init(elev=40, azim=-65)
    axis.set_box_aspect(None, zoom=0.95)
    axis.tick_params(labelsize=7, pad=1)
    axis.locator_params(nbins=5)
    axis.set_xlabel(plane.names[0], labelpad=2)
    axis.set_ylabel(plane.names[1], labelpad=4)
    axis.set_title("cost to go: the value, negated", fontsize=10)
    return axis


def _actions(axis, plane, best, actions, walk):
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    tints = ["#4c78a8", "#e9e4d4", "#e45756"] if len(actions) == 3 else ["#4c78a8", "#e45756", "#e9e4d4", "#54a24b"]
    tints = [tints[number % len(tints)] for number in range(len(actions))]
    axis.pcolormesh(
        *_axes(plane),
        best,
        cmap=ListedColormap(tints),
        vmin=-0.5,
        vmax=len(actions) - 0.5,
        shading="nearest",
        rasterized=True,
    )
    handles = [Patch(color=tint, label=name) for tint, name in zip(tints, actions, strict=True)]
    if walk is not None and plane.places is not None:
        path = plane.places(np.asarray(walk))
        handles += axis.plot(*path.T, color="black", linewidth=1, label="an episode")
        axis.plot(*path[0], "o", color="black", markersize=5)
    axis.set(xlim=plane.box[0], ylim=plane.box[1])
    axis.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4, fontsize=8)
    _name(axis, plane, "greedy action")


def _name(axis, plane, what=None):
    axis.set_xlabel(plane.names[0])
    axis.set_ylabel(plane.names[1])
    axis.locator_params(nbins=7)
    axis.set_title(": ".join(each for each in (what, plane.title) if each), fontsize=10)
