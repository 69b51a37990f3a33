"""Every picture can be read: axes have names, nothing is cut, no text lies on another."""

import inspect
import itertools
import pkgutil
from importlib import import_module

import keras
import numpy as np
import pytest

import zoo
from callbacks.curve_picture import draw_curves
from callbacks.replace import replaced
from zoo import codes as code_numbers
from zoo import densities as code_densities
from zoo import envs, pictures, report
from zoo.convergence import Found
from zoo.models.surface import FUNCTIONS
from zoo.pictures import (
    activations,
    agents,
    attention,
    bands,
    code_uses,
    codes,
    convnets,
    convolution,
    costs,
    decision,
    densities,
    generation,
    grid_maps,
    grid_worlds,
    language,
    layers,
    long_range,
    masks,
    regularisation,
    resolution,
    saturation,
    search,
    seed_bands,
    surface,
    through_time,
    translation,
    value_surface,
)
from zoo.pictures import convergence as convergence_table
from zoo.pictures import td_lambda as lambda_study
from zoo.pictures.walks import Walk
from zoo.playing import Episode

DECAY, CELLS = 0.9 ** np.arange(100), ("simple_rnn", "lstm", "gru")


def _gates():
    with replaced(through_time, "CELLS", through_time.CELLS[:1]):
        return through_time.page(length=4, steps=1)


def _history(seed):
    random = np.random.default_rng(seed)
    loss = np.exp(-np.arange(1, 9) / 3) * random.uniform(0.9, 1.1, 8)
    return [
        {"epoch": i + 1, "step": 10 * (i + 1), "loss": value, "val_loss": 1.2 * value, "val_accuracy": 1 - value / 2}
        for i, value in enumerate(loss)
    ]


def _classes():
    """A history with a column for each of eleven classes, of training and validation."""
    names = [f"{part}iou/{k}" for part in ("", "val_") for k in ["background", *range(10)]]
    return [{**row, **{name: row["val_accuracy"] for name in names}} for row in _history(0)]


def _study(settings):
    return {
        f"optimizer=number_{i} learning_rate=0.0{i}": [_history(seed) for seed in range(2)] for i in range(settings)
    }


def _integers(high, *shape):
    return np.random.default_rng(0).integers(0, high, shape)


def _walks(function, number):
    """Straight walks from the function's start to its first minimum or stationary point, each with fewer steps."""
    known = FUNCTIONS[function]
    ends = np.array([known.start, (known.minima or known.stationary)[0]])
    paths = [ends[0] + (ends[1] - ends[0]) * np.linspace(0, 0.9, 20 - i)[:, None] for i in range(number)]
    return [Walk(f"rmsprop_nesterov {i}", 0.1, path) for i, path in enumerate(paths)]


def _regions(panes):
    keras.utils.set_random_seed(0)
    model = zoo.build("mlp", input_shape=(2,), num_classes=2, hidden=(4,))
    points, classes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    return decision.regions([(f"a model of some kind, {i}", model, points, classes) for i in range(panes)])


def _signals():
    for depth, activation, initializer in itertools.product(
        (10, 30), ("sigmoid", "relu"), ("zero", "gaussian-0.1", "he")
    ):
        factor = {"zero": 0.0, "gaussian-0.1": 0.3, "he": 1.0}[initializer]
        yield layers.Signals(
            initializer,
            activation,
            depth,
            [factor ** (i + 1) for i in range(depth)],
            [factor ** (depth - i) for i in range(depth + 1)],
        )


def _committees():
    random = np.random.default_rng(0)
    return [regularisation.committees(random.dirichlet(np.ones(3), (6, 30)), _integers(3, 30)) for _ in range(3)]


def _images(count, *shape):
    return np.random.default_rng(0).random((count, *shape), "float32")


def _tried(kind, settings):
    found = tuple(code_densities.Tried(k, -50 + k**0.4, -50 + k**0.4 - k / 50) for k in settings)
    return code_densities.Density(kind, None, found)


def _masks(count, classes):
    truths, found = _integers(classes, count, 16, 16), np.roll(_integers(classes, count, 16, 16), 1, 2)
    labels = LABELS[:classes]
    return masks.four_columns(_integers(256, count, 16, 16, 1), truths, found, np.linspace(0.01, 0.1, count), labels)


def _health(epochs):
    """A history of an agent whose policy collapsed."""
    columns = ("val_return", "train_return", "q", "action_gap", "failures", "td_error", "gradient_norm", "epsilon")
    return [
        {"epoch": e, "collapses": float(e > epochs / 2), **{name: 10.0 ** (e / 9) for name in columns}}
        for e in range(1, epochs + 1)
    ]


def _episode(steps, actions):
    return Episode(0, list(np.linspace(-123.4, 0, steps)), [], list(_integers(actions, steps)), True)


def _plane(env, actions=None):
    spec = envs.describe(env)
    values = _images(99, spec.actions)
    names = actions or spec.action_names
    look = lambda seen: 1e3 * seen[:, -1:] ** 2 * values[0, : len(names)] - seen[:, :1]  # noqa: E731
    walk = np.array([spec.low, spec.high]) if spec.shape == (2,) else None
    return value_surface.surfaces(value_surface.planes(spec), look, names, "dqn_of_some_kind, seed 0", walk)


def _grid(env, function=grid_worlds.page):
    spec, shown = envs.describe(env), grid_maps.maps(env)
    values = -100 * _images(spec.states, spec.actions)
    return function(shown if function is grid_worlds.page else shown[0], values, spec.action_names, "sarsa, seed 0")


def _cells():
    """Curves of each kind, with the longest of what can be said of them."""
    found = {}
    for cell in convergence_table.CELLS:
        curve = [5.0, 200.0, np.inf] if cell.quantity == "error" else [10.0, 40.0, 12.0]
        found[cell.name] = Found(np.array([0, 40_000, 80_000]), np.array(curve), 0.25)
    return convergence_table.page(found)


def _valleys():
    curves = 0.25 + np.abs(lambda_study.RATES - np.linspace(1, 0, len(lambda_study.LAMBDAS))[:, None])
    return lambda_study.page(found=dict.fromkeys(lambda_study.VIEWS, curves))


def _trials(count, hyper):
    """Trials of a search over so many hyper-parameters of all kinds, some stopped, some failed, one far behind."""
    random = np.random.default_rng(0)
    draw = {
        0: lambda: float(10 ** random.uniform(-5, -1)),
        1: lambda: ("relu", "leaky_relu", "softplus")[random.integers(3)],
        2: lambda: int(random.integers(8)),
        3: lambda: bool(random.integers(2)),
    }
    found = []
    for i in range(count):
        values = {f"a_hyper_parameter_{k}": draw[k % 4]() for k in range(hyper)}
        status = {4: "stopped", 7: "failed"}.get(i % 20, "complete")
        score = None if status == "failed" else 0.1 if i == 2 else 0.98 + 0.001234 * random.normal()
        found.append({"id": f"{i:03d}", "values": values, "score": score, "status": status})
    return found


def _searched(count, hyper, direction="max"):
    scales = {f"a_hyper_parameter_{k}": ("log", "choice", "linear", "choice")[k % 4] for k in range(hyper)}
    objective = ("val_segmentation_score", direction)
    return search.parallel_coordinates(_trials(count, hyper), objective, scales, "a search, seed 0")


def _costs(count, sets):
    """Recipes of a benchmark, and their claims."""
    row = dict(recipe="a_recipe_of_some_kind_fashion_mnist", data="fashion_mnist", accuracy=98.76, deviation=0.12)
    rows = [{**row, "macs": 12_345 * 2**i, "data": LABELS[i % sets], "accuracy": 90 + i / 10} for i in range(count)]
    return costs.costs([*rows, {**row, "macs": None}, {**row, "accuracy": None, "macs": 1}])


DENSITY = "Gaussian mixture, components: 100\nheld-out log-likelihood: -1234.56 nats a code"
ROC = code_numbers.Roc(np.linspace(0, 1, 9), np.linspace(0, 1, 9) ** 0.3, 0.769)
WORDS = "network, 784 numbers: squared error 113.87 ± 15.23, 17.9 dB"
PLANE = ("principal component 1 of the codes", "principal component 2 of the codes")
KNN = "network: k-NN accuracy 91.4% in this plane,\n95.4% in all 30 numbers"
LABELS = ["aeroplane", "bird", "cat", "dog", "horse", "ship"]
# A call, or several, for each public function that returns a figure.
PICTURES = {
    translation.translations: [
        lambda: translation.translations(_integers(256, 6, 8, 8, 1), *_integers(256, 2, 6, 16, 16, 1)),
        lambda: translation.translations(_integers(256, 1, 32, 24, 3), *_integers(256, 2, 1, 32, 24, 3)),
    ],
    resolution.columns: [
        lambda: resolution.columns(
            {name: _integers(256, 3, 32, 32, 3) for name in ("nearest", "bicubic", "SRResNet", "SRGAN")},
            _integers(256, 3, 32, 32, 3),
            4,
        ),
        lambda: resolution.columns(
            {name: _integers(256, 2, 8, 8, 1) for name in ("nearest", "bicubic", "SRResNet")},
            _integers(256, 2, 8, 8, 1),
            2,
        ),
    ],
    generation.samples: [
        lambda: generation.samples(_integers(256, 64, 8, 8, 1), 8, "dcgan_fashion_mnist, seed 0: a class in each row"),
        lambda: generation.samples(_integers(256, 1, 64, 64, 3), 1, "dcgan_fashion_mnist, seed 0: a class in each row"),
    ],
    generation.points: [
        lambda: generation.points(_integers(99, 50, 2), _integers(99, 40, 2), "gan_ring, seed 0"),
        lambda: generation.points(None, _integers(99, 40, 1) / 1e4, "1024 examples of gan, seed 4294967295"),
    ],
    generation.interpolation: [lambda: generation.interpolation(_integers(256, 6, 10, 8, 8, 1))],
    generation.classes: [
        lambda: generation.classes(_integers(256, 6, 10, 8, 8, 3), LABELS),
        lambda: generation.classes(_integers(256, 2, 10, 28, 28, 1), ["aeroplane or ship", "b"]),
    ],
    generation.neighbours: [
        lambda: generation.neighbours(
            *_integers(256, 2, 16, 8, 8, 1), np.linspace(0, 12345, 16), {"samples": 12345, "held-out images": 12345}
        ),
        lambda: generation.neighbours(*_integers(256, 2, 1, 8, 8, 3), [0], {"samples": 0}),
    ],
    activations.page: [activations.page],
    saturation.page: [saturation.page],
    bands.bands: [lambda: bands.bands(_study(3), "a study"), lambda: bands.bands(_study(12), "a large study")],
    convergence_table.page: [_cells],
    lambda_study.page: [_valleys],
    convolution.page: [convolution.page],
    costs.costs: [lambda: _costs(16, 1), lambda: _costs(9, 4), lambda: _costs(1, 1)],
    convnets.filters: [
        lambda: convnets.filters(np.random.default_rng(0).normal(size=(5, 5, 1, 6)), "conv1"),
        lambda: convnets.filters(np.random.default_rng(0).normal(size=(11, 11, 3, 96)), "conv1"),
    ],
    convnets.features: [
        lambda: convnets.features(
            _integers(256, 32, 32, 3),
            {f"block{i}_conv{i}_relu": _integers(9, 32 >> i, 32 >> i, 8 << i) for i in range(5)},
        )
    ],
    convnets.grad_cams: [
        lambda: convnets.grad_cams(
            _integers(256, 9, 32, 32, 3),
            _integers(9, 9, 4, 4),
            _integers(6, 9),
            np.eye(6)[_integers(6, 9)],
            LABELS,
            "c",
        )
    ],
    convnets.confused: [
        lambda: convnets.confused(
            _integers(256, 40, 8, 8, 1), _integers(6, 40), np.eye(6)[_integers(6, 41)[1:]], LABELS
        ),
        lambda: convnets.confused(_integers(256, 2, 8, 8, 3), np.array([0, 1]), np.eye(6)[[1, 1]], LABELS),
    ],
    decision.regions: [lambda: _regions(1), lambda: _regions(5)],
    surface.contour: [lambda f=f: surface.contour(f, _walks(f, 3 if f == "bowl" else 14)) for f in FUNCTIONS],
    surface.heights: [lambda f=f: surface.heights(f, _walks(f, 14)) for f in ("bowl", "saddle")],
    layers.multiples: [lambda: layers.multiples(list(_signals()), "Before the first step")],
    regularisation.errors: [
        lambda: regularisation.errors([(f"method_{i}", [0.0, 0.01], [0.06 + i / 100, 0.05]) for i in range(9)])
    ],
    regularisation.bagging: [lambda: regularisation.bagging(_committees())],
    codes.reconstructions: [
        lambda: codes.reconstructions([(WORDS, _images(10, 8, 8, 1))] * 4),
        lambda: codes.reconstructions([("test images (squared errors: mean ± sd of 10000)", _images(1, 8, 8, 3))] * 3),
    ],
    codes.scatter: [
        lambda: codes.scatter([(KNN, 100 * _images(40, 2), PLANE)] * 2, _integers(6, 40), LABELS),
        lambda: codes.scatter(
            [("network: k-NN accuracy 91.4%", _images(40, 2), ("code 1", "code 2"))] * 2,
            _integers(20, 40),
            LABELS * 4,
        ),
    ],
    codes.walk: [lambda: codes.walk(_images(22, 8, 8, 1), 11), lambda: codes.walk(_images(11, 8, 8, 3), 11)],
    codes.plane: [
        lambda: codes.plane(_images(225, 8, 8, 1), np.linspace(-123, 99, 15), np.linspace(0.0123, -0.0456, 15))
    ],
    code_uses.few_labels: [
        lambda: code_uses.few_labels({"network": [0.9, 1.0], "PCA": [0.1, 0.2], "pixels": [0.5, 0.5]}, 100)
    ],
    code_uses.anomaly: [lambda: code_uses.anomaly({"network": ROC, "PCA": ROC}, "aeroplane")],
    densities.likelihoods: [
        lambda: densities.likelihoods(_tried("gmm", code_densities.COMPONENTS), _tried("kde", (0.123, 0.456))),
        lambda: densities.likelihoods(_tried("gmm", (1,)), _tried("kde", (0.1,))),
    ],
    densities.samples: [
        lambda: densities.samples([(DENSITY, _images(64, 8, 8, 1))] * 2),
        lambda: densities.samples([(DENSITY, _images(1, 8, 8, 3))]),
    ],
    masks.four_columns: [lambda: _masks(6, 2), lambda: _masks(2, 6)],
    masks.probability_maps: [
        lambda: masks.probability_maps(_integers(256, 16, 16, 1), _images(16, 16, 1), LABELS[:2]),
        lambda: masks.probability_maps(_integers(256, 16, 24, 3), _images(16, 24, 6), LABELS),
    ],
    draw_curves: [draw_curves],
    report.curves: [lambda: report.curves(_history(0), "a run, seed 0"), lambda: report.curves(_classes(), "classes")],
    report.confusion_matrix: [lambda: report.confusion_matrix(_integers(900, 6, 6), LABELS)],
    report.mistakes: [
        lambda: report.mistakes(_integers(256, 40, 8, 8, 3), _integers(6, 40), np.eye(6)[_integers(6, 41)[1:]], LABELS)
    ],
    report.predicted_against_true: [lambda: report.predicted_against_true(np.arange(50.0), np.arange(50.0) + 3)],
    attention.alignments: [
        lambda: attention.alignments(
            [("3 May 1998", "1998-05-03", np.eye(10)), ("Sunday, May 4th, 98", "1998-05-04", np.full((10, 19), 1 / 19))]
        )
    ],
    agents.health: [
        lambda: agents.health(_health(8), "a run"),
        lambda: agents.health(_health(200)[:1], "a run, seed 0"),
    ],
    agents.strip: [
        lambda: agents.strip(_episode(500, 2), _images(501, 2), 0.99, ("left", "right"), "dqn_cartpole, seed 0"),
        lambda: agents.strip(_episode(1, 18), _images(2, 18), 1.0, [f"UPRIGHTFIRE {i}" for i in range(18)], "pong"),
    ],
    grid_worlds.page: [
        lambda: _grid("CliffWalking-v1"),
        lambda: _grid("Taxi-v4"),
        lambda: _grid("zoo/RandomWalk-v0?states=37"),
        lambda: grid_worlds.page(grid_maps.maps("zoo/RandomWalk-v0"), -99 * _images(7, 1), ("value",), "td, seed 0"),
    ],
    grid_worlds.table: [
        lambda: _grid("FrozenLake-v1?map_name=8x8", grid_worlds.table),
        lambda: _grid("zoo/Corridor-v0?length=1", grid_worlds.table),
    ],
    grid_worlds.few_states: [
        lambda: grid_worlds.few_states(-99 * _images(30, 12), [f"recharge {i}" for i in range(12)], "bandit, seed 0"),
        lambda: grid_worlds.few_states(_images(1, 1), ("value",), "bandit, seed 0"),
    ],
    search.parallel_coordinates: [
        lambda: _searched(5, 2),
        lambda: _searched(200, 10, "min"),
        lambda: _searched(1, 1),
    ],
    search.importance: [
        lambda: search.importance(_trials(12, 3), ("val_loss", "min"), "a search, seed 0"),
        lambda: search.importance(_trials(40, 10), ("val_accuracy", "max"), "a search, seed 0"),
        lambda: search.importance(_trials(5, 2), ("val_accuracy", "max"), "a search, seed 0"),
    ],
    search.progress: [
        lambda: search.progress(_trials(1, 1), ("val_accuracy", "max"), "a search, seed 0"),
        lambda: search.progress(_trials(200, 2), ("val_loss", "min"), "a search, seed 0"),
    ],
    seed_bands.returns: [
        lambda: seed_bands.returns(_study(1), "a study", "val_accuracy"),
        lambda: seed_bands.returns(_study(8), "a study", "val_accuracy"),
    ],
    value_surface.surfaces: [
        lambda: _plane("MountainCar-v0"),
        lambda: _plane("CartPole-v1"),
        lambda: _plane("MountainCar-v0", ("value",)),
    ],
    attention.mistakes: [lambda: attention.mistakes(["one", "twelve"], ["1", "12"], ["7", "212"])],
    language.surprise: [lambda: language.surprise(list("To be, or not\nto be"), np.linspace(0, 9, 19))],
    long_range.lengths: [
        lambda: long_range.lengths({c: [(n, [n / 1e3, 0.2]) for n in (10, 30, 100, 300)] for c in CELLS}, 1 / 6, 0.001)
    ],
    through_time.distances: [
        lambda: through_time.distances([(f"length {n}, trained", dict.fromkeys(CELLS, DECAY)) for n in (10, 30, 300)])
    ],
    through_time.of_model: [
        lambda: through_time.of_model(
            zoo.build("lstm", vocabulary="ab", units=2, layers=3), _integers(2, 9, 12) + 97, _integers(2, 9, 12) + 2
        )
    ],
    through_time.page: [_gates],
}


def _texts(figure):
    """What is written beside the axes, and the legends: pairs of a name and a box in pixels."""
    texts = list(figure.texts)
    legends = list(figure.legends)
    for axis in figure.axes:
        legends += [axis.get_legend()] if axis.get_legend() else []
        texts.append(axis.title)
        for number, side in enumerate((axis.xaxis, axis.yaxis) if axis.axison else ()):
            low, high = sorted(side.get_view_interval())
            texts.append(side.label)
            # Beyond the ends of the axis, matplotlib keeps labels that it does not draw.
            texts += [label for label in side.get_ticklabels() if low <= label.get_position()[number] <= high]
    yield from ((text.get_text(), text.get_window_extent()) for text in texts if text.get_visible() and text.get_text())
    yield from (("legend", legend.get_window_extent()) for legend in legends)


def _overlap(one, other):
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return width > 1 and height > 1


def _line(axis, span):
    """The axes in the same column ("colspan") or row ("rowspan"): one name may serve them all."""
    places = {other: other.get_subplotspec() for other in axis.figure.axes if other.get_subplotspec()}
    return [other for other, place in places.items() if getattr(place, span) == getattr(places[axis], span)]


def unreadable(figure):
    """What is wrong with a picture: an axis without a name, a text that is cut, texts on top of each other."""
    figure.canvas.draw()
    wrong = []
    for axis in figure.axes:
        if axis.get_label() == "<colorbar>":
            if not (axis.get_xlabel() or axis.get_ylabel()):
                wrong.append("a colour bar without a name")
        elif axis.axison:
            if not (figure.get_supxlabel() or any(other.get_xlabel() for other in _line(axis, "colspan"))):
                wrong.append(f"{axis.get_title()!r}: x axis without a name")
            if not (figure.get_supylabel() or any(other.get_ylabel() for other in _line(axis, "rowspan"))):
                wrong.append(f"{axis.get_title()!r}: y axis without a name")
    names_and_boxes = list(_texts(figure))
    canvas = figure.bbox
    for name, box in names_and_boxes:
        if box.x0 < -1 or box.y0 < -1 or box.x1 > canvas.x1 + 1 or box.y1 > canvas.y1 + 1:
            wrong.append(f"{name!r} is cut")
    for (name, box), (other, another) in itertools.combinations(names_and_boxes, 2):
        if _overlap(box, another):
            wrong.append(f"{name!r} overlaps {other!r}")
    for legend in [axis.get_legend() for axis in figure.axes] + figure.legends:
        if legend is not None:
            boxes = [text.get_window_extent() for text in legend.get_texts()]
            if any(_overlap(one, other) for one, other in itertools.combinations(boxes, 2)):
                wrong.append("entries of a legend overlap")
    return wrong


def test_every_function_of_the_pictures_package_that_returns_a_figure_is_called_here():
    found = set()
    for module in pkgutil.iter_modules(pictures.__path__, f"{pictures.__name__}."):
        for _, function in inspect.getmembers(import_module(module.name), inspect.isfunction):
            if function.__module__ == module.name and "A matplotlib figure" in (function.__doc__ or ""):
                found.add(function)
    assert found == {function for function in PICTURES if function.__module__.startswith(pictures.__name__)}


@pytest.mark.parametrize(
    "make", [pytest.param(call, id=f"{f.__module__}.{f.__name__}") for f, calls in PICTURES.items() for call in calls]
)
def test_pictures_are_readable(make):
    assert unreadable(make()) == []


def test_an_unreadable_picture_is_found():
    figure = saturation.page()
    figure.axes[0].set_xlabel("")
    figure.axes[1].set_title("too long " * 40)
    figure.axes[2].set_ylabel("too long " * 40)
    wrong = unreadable(figure)
    assert "'The loss': x axis without a name" in wrong
    assert any("is cut" in fault for fault in wrong) and any("overlaps" in fault for fault in wrong)
