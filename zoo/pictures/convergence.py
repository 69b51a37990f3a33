"""The course's table of convergence, each cell as the experiment that was made: what theory says, and what was seen."""

import numpy as np

from zoo import convergence, convergence_cells
from zoo.convergence_cells import CELLS, CHATTERS, KINDS, LAMBDA, NO, YES
from zoo.report import panels

# Behind a cell, by what theory says; and its curve, by what was seen.
GROUNDS = {YES: "#eaf6ea", CHATTERS: "#fdf6e0", NO: "#fbeaea"}
COLOURS = {"converges": "C2", "diverges": "C3"}
PLACES = {
    convergence_cells.WALK: "random walk",
    convergence_cells.BAIRD: "Baird's star",
    convergence_cells.SHORT: "Baird's star, nearer behaviour",
    convergence_cells.STAR: "Baird's star",
    convergence_cells.SPIRAL: "spiral",
    convergence_cells.CAR: "mountain car",
    convergence_cells.POLE: "cart and pole",
}


def page(found=None, cells=CELLS):
    """Draws the table of convergence: on- and off-policy prediction and control, by a table, linearly and by a network.

    Each cell is an agent of the zoo that learns: on the random walk, on Baird's star, on Tsitsiklis and Van Roy's
    spiral, on the mountain car with tiles and on the cart and pole with a small network. It shows its progress, and
    sets the seed to 0. Off-policy cells weight by importance sampling.

    Args:
        found: a dict from cells' names to their `zoo.convergence.Found`, which is drawn instead of computed.
        cells: the cells, three in a row of the picture: for `zoo.convergence_cells.KINDS`.

    Returns:
        A matplotlib figure, a panel for each cell: the ground tells what theory says, the curve's colour what was seen.
    """
    found = _computed(cells) if found is None else found
    figure, axes = panels(len(KINDS), len(cells) // len(KINDS), 4.3, 2.1)
    for axis, cell in zip(axes, cells, strict=True):
        _draw(axis, cell, found[cell.name])
    for axis in axes[-len(KINDS) :]:
        axis.set_xlabel("steps in the environment")
    title = "Does it converge? Ground: theory says so (green), around the best (yellow), gives no guarantee (red)"
    figure.suptitle(title, fontsize=11)
    return figure


def _draw(axis, cell, found):
    seen = convergence.verdict(cell, found)
    shown = np.isfinite(found.curve)
    steps, curve = found.steps[shown], found.curve[shown]
    colour = COLOURS.get(seen, "C0")
    axis.plot(steps, curve, color=colour, linewidth=1.4)
    axis.set_facecolor(GROUNDS[cell.theory])
    if cell.quantity == "error":
        axis.set_yscale("log")
        axis.set_ylim(max(min(curve.min(), curve[0] / 20), curve[0] / 1000), max(curve.max(), curve[0] * 5) * 2)
        if seen == "diverges":
            axis.plot(steps[-1], curve[-1], "^", color=colour, markersize=7)
    axis.set_ylabel("error of values" if cell.quantity == "error" else "return", fontsize=8)
    axis.tick_params(labelsize=7)
    axis.grid(alpha=0.3)
    method = cell.method.replace("λ", f"{LAMBDA}")
    name = f"{cell.part}: {method}, {cell.kind} ({PLACES[cell.env]})"
    axis.set_title(f"{name}\ntheory: {cell.theory}; seen: {seen}", fontsize=8)


def _computed(cells):
    from keras.utils import Progbar

    bar, found = Progbar(len(cells), unit_name="cell"), {}
    for number, cell in enumerate(cells):
        found[cell.name] = convergence.run(cell)
        bar.update(number + 1)
    return found
