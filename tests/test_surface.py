"""Walks on surfaces: the functions against closed forms, the course book's numbers, the pictures."""

import json
import math

import keras
import numpy as np
import pytest

import zoo
from recipes import optimizers_surface
from zoo import ZooError, optimizers
from zoo.losses import Value
from zoo.models.surface import FUNCTIONS, Trace
from zoo.pictures.walks import height

ONE = np.zeros((1, 1), "float32")


def _beale(x, y):
    parts = [(c - x + x * y**k, y**k - 1, k * x * y ** (k - 1)) for k, c in ((1, 1.5), (2, 2.25), (3, 2.625))]
    return [sum(2 * part * by[axis] for part, *by in parts) for axis in (0, 1)]


GRADIENTS = {
    "square": lambda x: [2 * x],
    "bowl": lambda x, y: [2 * x, 4 * y],
    "valley": lambda x, y: [0.2 * x, 4 * y],
    "waves": lambda x: [math.cos(math.pi * x) - math.pi * x * math.sin(math.pi * x)],
    "saddle": lambda x, y: [2 * x, -2 * y],
    "rosenbrock": lambda x, y: [2 * (x - 1) - 400 * x * (y - x**2), 200 * (y - x**2)],
    "beale": _beale,
    "cubic": lambda x: [3 * x**2],
}
VALUES = {  # at (0.5, -1.5), or at 0.5
    "square": 0.25,
    "bowl": 4.75,
    "valley": 4.525,
    "waves": 0.0,
    "saddle": -2.0,
    "rosenbrock": 0.25 + 100 * 1.75**2,
    "beale": 0.25**2 + 2.875**2 + 0.4375**2,
    "cubic": 0.125,
}


def _points(function, count=20):
    low, high = np.array(FUNCTIONS[function].box).T
    return np.random.default_rng(0).uniform(low, high, (count, len(low)))


def _walk(function="square", start=None, steps=5, rate=0.1, **options):
    model = zoo.build("surface", function=function, start=start)
    model.compile(keras.optimizers.SGD(rate, **options), Value())
    return model, model.fit(ONE, ONE, epochs=steps, callbacks=[Trace()], verbose=0).history


@pytest.mark.parametrize("function", FUNCTIONS)
def test_values(function):
    point = (0.5, -1.5)[: len(FUNCTIONS[function].start)]
    model = zoo.build("surface", function=function, start=point)
    assert float(model(ONE)[0, 0]) == pytest.approx(VALUES[function], rel=1e-6, abs=1e-6)
    assert model.count_params() == len(point)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_step_of_fit_goes_down_the_closed_form_of_the_gradient(function):
    model = zoo.build("surface", function=function)
    model.compile(keras.optimizers.SGD(1.0), Value())
    for point in _points(function, 5):
        model.set_weights([point])
        model.train_on_batch(np.zeros((3, 1)), np.zeros((3, 1)))
        gradient = np.array(GRADIENTS[function](*point))
        found = point - model.get_weights()[0]
        np.testing.assert_allclose(found, gradient, rtol=1e-4, atol=1e-4 * (1 + np.abs(gradient).max()))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_minima_and_other_stationary_points(function):
    known = FUNCTIONS[function]
    around = np.random.default_rng(0).normal(size=(2000, len(known.start)))
    around *= 1e-3 / np.linalg.norm(around, axis=1, keepdims=True)
    for points, is_minimum in ((known.minima, True), (known.stationary, False)):
        for point in points:
            assert np.abs(GRADIENTS[function](*point)).max() < 1e-12
            rise = height(function, point + around) - height(function, point)
            assert (rise.min() > 0) == is_minimum
            low, high = np.array(known.box).T
            assert (low <= point).all() and (point <= high).all()
    if known.least is not None:
        assert min(height(function, point) for point in known.minima) == known.least
        assert height(function, 10 * _points(function, 2000)).min() > known.least
    assert known.minima or known.stationary


def test_the_cubic_has_no_extremum_where_its_gradient_is_zero():
    heights = height("cubic", np.array([[-0.1], [0.0], [0.1]]))
    assert heights[0] < heights[1] == 0 < heights[2]
    # Gradient descent from above comes to rest there all the same; a step too long goes past it, and falls for ever.
    assert 0 < _walk("cubic", 1.5, steps=20, rate=0.1)[1]["x1"][-1] < 0.15
    assert _walk("cubic", 1.5, steps=4, rate=0.3)[1]["x1"][-1] < -1


def test_only_the_size_of_the_batch_matters():
    model = zoo.build("surface", function="bowl", start=(3, 1))
    inputs = np.random.default_rng(0).normal(size=(4, 1))
    np.testing.assert_array_equal(model(inputs), np.full((4, 1), 11.0, "float32"))


def test_history_holds_the_point_after_the_step_and_the_height_before_it():
    _, history = _walk("bowl", (1, 1), steps=2)
    np.testing.assert_allclose(history["loss"], [3, 0.8**2 + 2 * 0.6**2], rtol=1e-6)
    np.testing.assert_allclose(np.stack([history["x1"], history["x2"]], 1), [[0.8, 0.6], [0.64, 0.36]], rtol=1e-6)


def test_saved_and_read_back(tmp_path):
    model, _ = _walk("rosenbrock", steps=3, rate=0.001)
    model.save(tmp_path / "model.keras")
    again = zoo.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.get_weights()[0], again.get_weights()[0])
    np.testing.assert_array_equal(model(ONE), again(ONE))
    assert isinstance(again.loss, Value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(function="rosenbrok"), "Did you mean 'rosenbrock'"),
        (dict(function="bowl", start=1.0), "start must be 2 finite numbers"),
        (dict(function="bowl", start=(1, 2, 3)), "2 finite numbers.*function='bowl'"),
        (dict(function="square", start=(1, 2)), "start must be a finite number"),
        (dict(function="square", start=math.nan), "start must be a finite number"),
        (dict(function="square", start="ten"), "Received: start='ten'"),
    ],
)
def test_what_is_not_a_point_is_refused(arguments, message):
    with pytest.raises(ZooError, match=message):
        zoo.build("surface", **arguments)


def test_value_is_the_mean_of_the_output():
    outputs = np.array([[1.0, 2.0], [5.0, 8.0]], "float32")
    assert float(Value()(np.zeros((2, 2)), outputs)) == 4
    assert float(Value(reduction="sum")(np.zeros((2, 2)), outputs)) == 8
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Value()), safe_mode=True)
    assert isinstance(copy, Value)


BOOK = """
import json, sys
import keras, numpy as np
keras.config.set_floatx("float64")
import zoo
from zoo.losses import Value
from zoo.models.surface import Trace
from zoo.optimizers import optimizer

ends = []
for function, start, steps, name, rate, options in json.loads(sys.argv[1]):
    model = zoo.build("surface", function=function, start=start)
    model.compile(optimizer(name, rate, **options), Value())
    assert model.optimizer.learning_rate.dtype == model.weights[0].dtype == "float64"
    one = np.zeros((1, 1))
    history = model.fit(one, one, epochs=steps, callbacks=[Trace()], verbose=0).history
    ends.append([history[key][-1] for key in ("x1", "x2") if key in history])
    assert ends[-1] == model.get_weights()[0].tolist()
print(json.dumps(ends))
"""
HALF = dict(momentum=0.5)


def test_numbers_of_the_course_book_to_the_last_digit(pythons):
    walks = {
        ("0.0604661760",): ("square", 10, 10, "sgd", 0.2, {}),
        ("3.4867844010",): ("square", 10, 10, "sgd", 0.05, {}),
        ("61.9173642240",): ("square", 10, 10, "sgd", 1.1, {}),
        ("-0.057646", "-0.000073"): ("bowl", (-5, -2), 20, "sgd", 0.1, {}),
        ("-0.943467", "-0.000073"): ("valley", (-5, -2), 20, "sgd", 0.4, {}),
        ("-0.387814", "-1673.365109"): ("valley", (-5, -2), 20, "sgd", 0.6, {}),
        ("-0.062843", "0.001202"): ("valley", (-5, -2), 20, "momentum", 0.4, HALF),
        ("0.007188", "0.002553"): ("valley", (-5, -2), 20, "momentum", 0.6, HALF),
    }
    status, said = pythons.run(BOOK, json.dumps(list(walks.values())))
    assert status == 0, said
    for printed, found in zip(walks, json.loads(said.splitlines()[-1]), strict=True):
        assert tuple(f"{x:.{len(text.partition('.')[2])}f}" for x, text in zip(found, printed, strict=True)) == printed


def test_the_table_of_rates_knows_every_function_and_optimizer():
    assert set(optimizers_surface.RATES) == set(FUNCTIONS)
    assert set(optimizers_surface.OPTIMIZERS) == set(optimizers.NAMES)
    assert optimizers_surface.rate("beale", "lookahead_adam") == optimizers_surface.rate("beale", "adam") == 0.5
    assert optimizers_surface.rate("beale", "adam", 0.25) == 0.25


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_optimizer_descends_at_its_rate(function):
    known = FUNCTIONS[function]
    for name in optimizers_surface.OPTIMIZERS:
        point = keras.Variable(np.array(known.start))
        optimizer = optimizers.optimizer(name, optimizers_surface.rate(function, name))
        lowest = first = float(height(function, known.start))
        for _ in range(20):
            here = point.numpy()
            optimizer.apply([keras.ops.array(GRADIENTS[function](*here), "float32")], [point])
            lowest = min(lowest, float(height(function, point.numpy())))
        assert lowest < first - 0.05 * abs(first), name
