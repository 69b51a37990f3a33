"""An optimizer walks on a surface from a given point; a study of several of them draws their race.

    zoo train optimizers_surface     # Rosenbrock's function at 0.0256 ± 0 (n=3) after 200 steps of Adam, 1 s on 2 cores

All optimizers on one picture, and as a race:

    zoo compare optimizers_surface --seeds 1 --vary optimizer=sgd,momentum,nesterov,adagrad,adadelta,rmsprop,\
rmsprop_nesterov,adam,amsgrad,adamax,nadam,adamw,lion,muon

There is no chance in it: every seed gives the same path. Muon's own step is for matrices; on a point Keras' Muon takes
the step of AdamW.
"""

from pathlib import Path

import numpy as np

import zoo
from zoo import report, runs
from zoo.data import from_arrays
from zoo.losses import Value
from zoo.models.surface import FUNCTIONS, Trace
from zoo.optimizers import optimizer as named
from zoo.pictures import surface as drawing
from zoo.pictures.walks import Walk, endpoints

OPTIMIZERS = (
    *("sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "rmsprop_nesterov"),
    *("adam", "amsgrad", "adamax", "nadam", "adamw", "lion", "muon"),
)

# The rate of each of OPTIMIZERS on each function, so that a race is fair: of 1, 2 and 5 times the powers of ten from
# 0.0001 to 50, the one whose greatest f in the second half of 200 steps from the default start is least, among those
# whose walk stays within the picture. (On the waves, f is measured from the lowest minimum in the picture.) The saddle
# and the cubic have no least value: there the rates are small and alike, to show who lingers.
RATES = {
    "square": (0.5, 0.02, 0.5, 10.0, 50.0, 0.2, 0.02, 0.5, 0.5, 0.5, 10.0, 20.0, 0.5, 20.0),
    "bowl": (0.2, 0.005, 0.05, 5.0, 50.0, 0.1, 0.01, 0.2, 0.2, 2.0, 2.0, 0.2, 0.5, 0.2),
    "valley": (0.2, 0.1, 0.2, 5.0, 50.0, 0.05, 0.01, 0.5, 0.5, 0.5, 2.0, 0.5, 0.5, 0.5),
    "waves": (0.2, 0.1, 0.2, 0.5, 20.0, 0.1, 0.1, 0.5, 0.5, 1.0, 1.0, 0.5, 0.05, 0.5),
    "saddle": (0.02, 0.02, 0.02, 0.1, 10.0, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02),
    "rosenbrock": (0.002, 0.002, 0.001, 1.0, 20.0, 0.1, 0.01, 0.5, 0.5, 1.0, 0.2, 0.5, 0.02, 0.5),
    "beale": (0.02, 0.002, 0.005, 2.0, 50.0, 0.05, 0.01, 0.5, 0.5, 1.0, 1.0, 0.5, 0.05, 0.5),
    "cubic": (0.02, 0.02, 0.02, 0.1, 10.0, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02),
}


def search(hp):
    optimizer = hp.Choice("optimizer", list(OPTIMIZERS), default="adam")
    # Its rate, as a multiple of the one that suits it on the default function.
    factor = hp.Float("factor", 0.1, 10.0, sampling="log", default=1.0)
    return dict(optimizer=optimizer, learning_rate=factor * rate("rosenbrock", optimizer))


def recipe(
    function="rosenbrock",
    start=None,
    optimizer="adam",
    learning_rate: "float | None" = None,
    momentum: "float | None" = None,
    epochs=200,
):
    """One walk: an epoch is a step, and the loss is the height before it.

    Args:
        function: square, bowl, valley, waves, saddle, rosenbrock, beale or cubic.
        start: coordinates of the first point, such as --start=-5,-2; by default the function's own.
        optimizer: a name of zoo.optimizers, such as sgd, momentum, adam or lookahead_adam.
        learning_rate: the optimizer's rate; by default the one that suits it and the function.
        momentum: of optimizers that take one; by default their own.
        epochs: steps.
    """
    model = zoo.build("surface", function=function, start=start)
    options = {} if momentum is None else {"momentum": momentum}
    model.compile(named(optimizer, rate(function, optimizer, learning_rate), **options), Value())
    nothing = np.zeros((1, 1), "float32"), np.zeros(1, "float32")
    data = from_arrays(nothing, batch_size=1, validation=0, test=nothing)
    return zoo.Recipe(model, data, epochs, [Trace()], objective=("loss", "min"))


def rate(function, optimizer, learning_rate=None):
    """The learning rate that a walk has: the given one, or else the table's.

    Args:
        function: a key of `RATES`.
        optimizer: a name of `zoo.optimizers`.
        learning_rate: a number, or None.

    Returns:
        A number, or None for an optimizer that the table does not have.
    """
    known = dict(zip(OPTIMIZERS, RATES[function], strict=True))
    return known.get(optimizer.removeprefix("lookahead_")) if learning_rate is None else learning_rate


def pictures(found, folder):
    """Draws the walks of one run or of a study, each function by itself.

    Args:
        found: pairs of a setting and its run folders.
        folder: where the pictures go.

    Returns:
        The paths: the walks on the surface (`contour.png`), their heights against the step (`heights.png`), the race
        (`race.gif`) and the end points (`endpoints.md`); with the function's name in each where there are several.
    """
    walks = {}
    for setting, (first, *_) in found:
        function, walk = _walk(setting, first)
        walks.setdefault(function, []).append(walk)
    drawn = []
    for function, group in walks.items():
        ending = f"-{function}" if len(walks) > 1 else ""
        home = Path(folder)
        drawn.append(report.save(drawing.contour(function, group), home / f"contour{ending}.png"))
        drawn.append(report.save(drawing.heights(function, group), home / f"heights{ending}.png"))
        drawn.append(drawing.race(function, group, home / f"race{ending}.gif"))
        drawn.append(home / f"endpoints{ending}.md")
        drawn[-1].write_text(endpoints(function, group) + "\n", encoding="utf-8")
    return drawn


def _walk(setting, folder):
    """The function and the `Walk` of a run, from its folder."""
    hyper = runs.read(folder)["hyper"]
    function = hyper["function"]
    others = {key: value for key, value in setting.items() if key not in ("function", "optimizer")}
    label = ", ".join([hyper["optimizer"], *(f"{key} {value}" for key, value in others.items())])
    names = FUNCTIONS[function].names
    start = FUNCTIONS[function].start if hyper["start"] is None else np.atleast_1d(hyper["start"])
    points = [start, *([row[name] for name in names] for row in runs.history(folder))]
    return function, Walk(
        label, rate(function, hyper["optimizer"], hyper["learning_rate"]), np.array(points, np.float64)
    )


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
