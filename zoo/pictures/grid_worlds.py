"""What an agent learned in a grid world: the map with the values of its states, the greedy arrows, and every value."""

import numpy as np

from zoo.report import panels

# An action's arrow, by the action's name: across and down. All others are written by their first letter.
ARROWS = {
    "left": (-1, 0),
    "right": (1, 0),
    "up": (0, -1),
    "down": (0, 1),
    "west": (-1, 0),
    "east": (1, 0),
    "north": (0, -1),
    "south": (0, 1),
}
# The part of a cell that shows an action's value, by the arrow: a triangle whose tip is the cell's middle; in a row,
# where there is left and right alone, half the cell.
MIDDLE = (0.5, 0.5)
TRIANGLES = {
    (-1, 0): ((0, 0), (0, 1), MIDDLE),
    (1, 0): ((1, 0), (1, 1), MIDDLE),
    (0, -1): ((0, 0), (1, 0), MIDDLE),
    (0, 1): ((0, 1), (1, 1), MIDDLE),
}
HALVES = {(-1, 0): ((0, 0), (0, 1), (0.5, 1), (0.5, 0)), (1, 0): ((0.5, 0), (0.5, 1), (1, 1), (1, 0))}
COLOURS = "viridis"
# Maps of more cells than this have no numbers.
NUMBERED = 64
# Values that differ by less than this share of their range are equally good.
TIE = 1e-6
# Inches of a cell, and of the colour bar beside the map.
ROOM = 0.72
BAR = 1.3


def page(shown, values, actions, title):
    """Maps with the values of their states as colours, and the greedy actions as arrows.

    The value of a state is that of its best action. Where actions are equally good, each has its arrow; where all are,
    there is a dot: nothing was learned.

    Args:
        shown: a list of `zoo.pictures.grid_maps.Map`.
        values: (states, actions) array; of one column, the values of the states, and there are no arrows.
        actions: names of the actions.
        title: the figure's.

    Returns:
        A matplotlib figure.
    """
    rows, columns = shown[0].states.shape
    across = min(len(shown), 4)
    down = -(-len(shown) // across)
    room = ROOM if max(rows, columns) <= 12 else 8.5 / max(rows, columns)
    least = 5.4 / across
    figure, axes = panels(
        across, down, max(least, room * columns + BAR / across), room * rows + (0.4 if rows > 2 else 1.3)
    )
    best = values.max(1)
    live = np.concatenate([best[each.states[~each.ends]] for each in shown])
    scale = _scale(live)
    for axis, each in zip(axes, shown, strict=True):
        _frame(axis, each)
        for (row, column), state in np.ndenumerate(each.states):
            if each.ends[row, column]:
                _cell(axis, row, column, "0.85")
            else:
                colour = scale.to_rgba(best[state])
                _cell(axis, row, column, colour)
                if values.shape[1] > 1:
                    _greedy(axis, row, column, values[state], actions, np.ptp(live), _on(colour))
            colour = "black" if each.ends[row, column] else _on(scale.to_rgba(best[state]))
            _letter(axis, row, column, each.letters[row, column], colour, each.ends[row, column])
            if values.shape[1] == 1 and not each.ends[row, column] and each.states.size <= NUMBERED:
                size = 10 if columns <= 12 else 7
                said = _number(best[state])
                axis.text(column + 0.5, row + 0.5, said, color=colour, ha="center", va="center", fontsize=size)
        axis.set_title(each.title, fontsize=10)
    named = "value of the state" + ": of its best action" * (values.shape[1] > 1)
    _bar(figure, axes, scale, named, rows)
    figure.suptitle(title)
    return figure


def table(shown, values, actions, title):
    """A map with the value of every action: a part of the cell for each, in its direction.

    Args:
        shown: a `zoo.pictures.grid_maps.Map`.
        values: (states, actions) array.
        actions: names of the actions; those without a direction are left out.
        title: the figure's.

    Returns:
        A matplotlib figure. The colours reach down to the value below which lies a tenth; what is worse has the last.
    """
    rows, columns = shown.states.shape
    room = 1.15 if max(rows, columns) <= 12 else max(0.35, 16 / max(rows, columns))
    arrows = [ARROWS.get(name) for name in actions]
    parts = HALVES if {arrow for arrow in arrows if arrow} <= set(HALVES) else TRIANGLES
    figure, (axis,) = panels(1, 1, max(4.6, room * columns + BAR), room * rows + (0.2 if rows > 2 else 1.1))
    live = values[shown.states[~shown.ends]]
    scale = _scale(live, np.quantile(live, 0.1))
    _frame(axis, shown)
    for (row, column), state in np.ndenumerate(shown.states):
        if shown.ends[row, column]:
            _cell(axis, row, column, "0.85")
            _letter(axis, row, column, shown.letters[row, column], "black", True)
            continue
        for value, arrow in zip(values[state], arrows, strict=True):
            if arrow:
                _part(axis, row, column, arrow, parts[arrow], value, scale, shown.states.size <= NUMBERED)
        axis.add_patch(_rectangle((column, row), 1, 1, fill=False, edgecolor="white", linewidth=3))
    _bar(figure, [axis], scale, "value of the action", rows, "min" if live.min() < scale.norm.vmin else "neither")
    figure.suptitle(title)
    return figure


def few_states(values, actions, title):
    """The whole table of few states that are no map: a row a state, a column an action.

    Args:
        values: (states, actions) array.
        actions: names of the actions.
        title: the figure's.

    Returns:
        A matplotlib figure; the best action of each state is framed.
    """
    # As wide as the longest word, at the width of its letters.
    room = max(0.75, 0.1 * max(map(len, actions)))
    figure, (axis,) = panels(1, 1, max(4.2, room * len(actions) + 2.0), 0.36 * len(values) + 1.0)
    scale = _scale(values)
    image = axis.imshow(values, cmap=scale.cmap, norm=scale.norm, aspect="auto")
    for (state, action), value in np.ndenumerate(values):
        axis.text(action, state, _number(value), color=_on(scale.to_rgba(value)), ha="center", va="center", fontsize=8)
    if len(actions) > 1:
        for state, action in enumerate(values.argmax(1)):
            axis.add_patch(
                _rectangle((action - 0.46, state - 0.46), 0.92, 0.92, fill=False, edgecolor="red", linewidth=1.6)
            )
    axis.set_xticks(range(len(actions)), actions)
    axis.set_yticks(range(len(values)))
    axis.set_xlabel("action")
    axis.set_ylabel("state")
    figure.colorbar(image, ax=axis, label="value")
    figure.suptitle(title)
    return figure


def _scale(values, low=None):
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    low, high = float(np.min(values) if low is None else low), float(np.max(values))
    room = 0.5 * (high - low < 1e-9)  # where all are equal
    return ScalarMappable(Normalize(low - room, high + room), COLOURS)


def _bar(figure, axes, scale, name, rows, extend="neither"):
    # A map of one row is too low for a bar beside it.
    place = dict(orientation="horizontal", aspect=40) if rows < 3 else dict(shrink=0.9)
    figure.colorbar(scale, ax=axes, label=name, extend=extend, **place)


def _frame(axis, shown):
    rows, columns = shown.states.shape
    axis.set(xlim=(-0.02, columns + 0.02), ylim=(rows + 0.02, -0.02), aspect="equal")
    axis.axis("off")
    for row, column in shown.walls:
        axis.plot([column + 1, column + 1], [row, row + 1], color="black", linewidth=3.5, zorder=4)


def _rectangle(*arguments, **named):
    from matplotlib.patches import Rectangle

    return Rectangle(*arguments, **named)


def _cell(axis, row, column, colour):
    axis.add_patch(_rectangle((column, row), 1, 1, facecolor=colour, edgecolor="white", linewidth=0.8))


def _letter(axis, row, column, letter, colour, middle):
    if middle:
        axis.text(column + 0.5, row + 0.5, letter, color=colour, ha="center", va="center", weight="bold")
    else:
        axis.text(column + 0.07, row + 0.09, letter, color=colour, ha="left", va="top", fontsize=7, weight="bold")


def _greedy(axis, row, column, values, actions, spread, colour):
    best = np.flatnonzero(values >= values.max() - TIE * spread)
    if len(best) == len(values):
        axis.plot(column + 0.5, row + 0.5, ".", color=colour, markersize=3)
        return
    for number in best:
        name = actions[number]
        if name not in ARROWS:
            axis.text(column + 0.5, row + 0.5, name[0].upper(), color=colour, ha="center", va="center", weight="bold")
            continue
        across, down = ARROWS[name]
        middle = np.array([column + 0.5, row + 0.5])
        reach = 0.33 * np.array([across, down])
        # From the middle where there are several, so that they do not lie on each other.
        start = middle if len(best) > 1 else middle - 0.8 * reach
        style = dict(arrowstyle="-|>", color=colour, linewidth=1.1, shrinkA=0, shrinkB=0, mutation_scale=8)
        axis.annotate("", middle + reach, start, arrowprops=style)


def _part(axis, row, column, arrow, corners, value, scale, numbered):
    from matplotlib.patches import Polygon

    colour = scale.to_rgba(value)
    places = [(column + x, row + y) for x, y in corners]
    axis.add_patch(Polygon(places, facecolor=colour, edgecolor="white", linewidth=0.5))
    if numbered:
        x, y = (0.5 + (0.31 if len(corners) == 3 else 0.25) * step for step in arrow)
        axis.text(column + x, row + y, _number(value), color=_on(colour), ha="center", va="center", fontsize=6)


def _on(colour):
    """A colour for text on another one."""
    red, green, blue, _ = colour
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


def _number(value):
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
