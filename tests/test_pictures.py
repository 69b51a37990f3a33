"""The pages of `zoo draw`: their numbers and their files."""

import math
import subprocess
import sys

import keras
import numpy as np
import pytest

import zoo
from zoo import ZooError, drawing, report
from zoo.models import mlp
from zoo.pictures import activations, saturation
from zoo.report import softmax

# Off the kinks, where the derivative is one of two.
POINTS = np.array([-3.7, -2.9, -1.3, -0.6, -0.01, 0.02, 0.4, 0.8, 1.2, 2.7, 3.6])


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _normal(x):
    return np.array([0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x])


def _mish(x):
    t = np.tanh(np.log1p(np.exp(x)))
    return x * t, t + x * (1 - t**2) * _sigmoid(x)


ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805
CLOSED = {
    "sigmoid": lambda x: (_sigmoid(x), _sigmoid(x) * (1 - _sigmoid(x))),
    "tanh": lambda x: (np.tanh(x), 1 - np.tanh(x) ** 2),
    "scaled_tanh": lambda x: (1.7159 * np.tanh(2 * x / 3), 1.7159 * 2 / 3 / np.cosh(2 * x / 3) ** 2),
    "softsign": lambda x: (x / (1 + np.abs(x)), 1 / (1 + np.abs(x)) ** 2),
    "hard_sigmoid": lambda x: (np.clip(x / 6 + 0.5, 0, 1), (np.abs(x) < 3) / 6),
    "hard_tanh": lambda x: (np.clip(x, -1, 1), np.abs(x) < 1),
    "relu": lambda x: (np.maximum(x, 0), x > 0),
    "leaky_relu": lambda x: (np.where(x > 0, x, 0.2 * x), np.where(x > 0, 1, 0.2)),
    "prelu": lambda x: (np.where(x > 0, x, 0.25 * x), np.where(x > 0, 1, 0.25)),
    "elu": lambda x: (np.where(x > 0, x, np.exp(x) - 1), np.where(x > 0, 1, np.exp(x))),
    "selu": lambda x: (
        SCALE * np.where(x > 0, x, ALPHA * (np.exp(x) - 1)),
        SCALE * np.where(x > 0, 1, ALPHA * np.exp(x)),
    ),
    "softplus": lambda x: (np.log1p(np.exp(x)), _sigmoid(x)),
    "squareplus": lambda x: ((x + np.sqrt(x**2 + 4)) / 2, (1 + x / np.sqrt(x**2 + 4)) / 2),
    "gelu": lambda x: (x * _normal(x), _normal(x) + x * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)),
    "silu": lambda x: (x * _sigmoid(x), _sigmoid(x) * (1 + x * (1 - _sigmoid(x)))),
    "hard_silu": lambda x: (
        x * np.clip(x / 6 + 0.5, 0, 1),
        np.clip(x / 6 + 0.5, 0, 1) + x / 6 * (np.abs(x) < 3),
    ),
    "mish": _mish,
}


@pytest.mark.parametrize("name", activations.ACTIVATIONS)
def test_activations_and_derivatives_are_those_of_the_formulas(name):
    values, derivatives = activations.curve(name, POINTS)
    expected, slope = CLOSED[name](POINTS)
    np.testing.assert_allclose(values, expected, atol=1e-6)
    np.testing.assert_allclose(derivatives, slope, atol=1e-6)


def test_the_page_has_every_activation_of_the_models_and_the_slope_that_prelu_starts_with():
    assert set(mlp.ACTIVATIONS) <= set(activations.ACTIVATIONS)
    layer = zoo.build("mlp", input_shape=(4,), hidden=(len(POINTS),), activation="prelu").get_layer("prelu1")
    values = keras.ops.convert_to_numpy(layer(POINTS[None].astype("float32")))[0]
    np.testing.assert_array_equal(activations.curve("prelu", POINTS)[0], values)


def test_an_unknown_activation_is_refused():
    with pytest.raises(ZooError, match="Did you mean 'softplus'"):
        activations.curve("softplu", [0.0])


def _jacobian(logits, step=1e-6):
    shifts = step * np.eye(len(logits))
    return np.stack([(softmax(logits + s) - softmax(logits - s)) / (2 * step) for s in shifts], -1)


def test_gradients_of_both_losses():
    random = np.random.default_rng(0)
    logits, target = random.normal(0, 2, (7, 5)), np.eye(5)[3]
    p = softmax(logits)
    loss, gradient = saturation.squared_error(logits, target)
    np.testing.assert_allclose(loss, ((p - target) ** 2).sum(-1))
    # J is symmetric, so its transpose is taken here for the formula's sake.
    expected = [2 * _jacobian(z).T @ (q - target) for z, q in zip(logits, p, strict=True)]
    np.testing.assert_allclose(gradient, expected, atol=1e-9)

    loss, gradient = saturation.cross_entropy(logits, target)
    np.testing.assert_allclose(loss, -np.log(p[:, 3]))
    np.testing.assert_allclose(gradient, p - target, atol=1e-12)


def test_only_the_gradient_of_the_squared_error_vanishes_when_the_softmax_is_certain_and_wrong():
    logits, target = np.array([-40.0, 0.0, -40.0]), np.array([1.0, 0.0, 0.0])
    assert np.abs(saturation.squared_error(logits, target)[1]).max() < 1e-16
    loss, gradient = saturation.cross_entropy(logits, target)
    assert loss == pytest.approx(40)
    np.testing.assert_allclose(gradient, [-1, 1, 0], atol=1e-12)
    # Cross-entropy stays finite where the probability itself is 0 in float64.
    assert saturation.cross_entropy(np.array([-2000.0, 0.0]), target[:2])[0] == 2000


@pytest.mark.parametrize(
    "loss, theirs",
    [
        (saturation.cross_entropy, keras.losses.CategoricalCrossentropy(from_logits=True)),
        (saturation.squared_error, lambda true, logits: keras.ops.sum((true - keras.ops.softmax(logits)) ** 2)),
    ],
)
def test_learning_is_that_of_fit(loss, theirs):
    steps = 30
    model = zoo.build("perceptron", num_classes=2, input_shape=(1,))
    model.set_weights([np.zeros((1, 2)), np.array([-2.0, 2.0])])
    model.compile(keras.optimizers.SGD(0.5), theirs)
    # With the input 0 only the biases learn: they are the logits.
    model.fit(np.zeros((steps, 1)), np.tile([1.0, 0.0], (steps, 1)), batch_size=1, shuffle=False, verbose=0)
    probability = softmax(model.get_weights()[1])[0]
    assert saturation.learn(loss, start=-4.0, rate=0.5, steps=steps)[-1] == pytest.approx(probability, abs=1e-5)


def test_draw_writes_a_png(tmp_path):
    path = drawing.draw("saturation", tmp_path / "new" / "page.PNG")
    assert path == tmp_path / "new" / "page.PNG"
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [file.name for file in path.parent.iterdir()] == ["page.PNG"]
    assert drawing.draw("saturation").resolve() == tmp_path / "saturation.png"


def test_draw_replaces_a_file_only_when_told(tmp_path):
    path = tmp_path / "page.png"
    path.write_text("mine")
    with pytest.raises(ZooError, match="is there already.*overwrite=True"):
        drawing.draw("saturation", path)
    assert path.read_text() == "mine"
    drawing.draw("saturation", path, overwrite=True)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_page_that_cannot_be_drawn_leaves_what_was_there(tmp_path, monkeypatch):
    def fails(figure, path):
        path.write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr("zoo.report.save", fails)
    path = tmp_path / "page.png"
    path.write_text("mine")
    with pytest.raises(OSError, match="disk full"):
        drawing.draw("saturation", path, overwrite=True)
    assert path.read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["page.png"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("saturations",), "Did you mean 'saturation'"),
        (
            ("nothing",),
            "must be one of 'activations', 'convergence', 'convolution', 'curves', 'gates', 'saturation', 'td_lambda'",
        ),
        (("saturation", "page.jpg"), "path must be the path of a .png file. Received: path='page.jpg'"),
    ],
)
def test_draw_refuses(arguments, message, tmp_path):
    with pytest.raises(ZooError, match=message):
        drawing.draw(*arguments)
    assert not list(tmp_path.iterdir())


def test_names_tell_what_each_page_shows_without_keras():
    assert drawing.names()["activations"] == "activations and their derivatives"
    code = "import sys, zoo.drawing; sys.exit(bool({'keras', 'numpy', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_columns_of_classes_share_a_panel_of_the_validation_part():
    rows = [
        {"epoch": k, "loss": 1 / k, "iou/a": 0.1, "iou/b": 0.2, "val_iou/a": 0.3, "val_iou/b": k / 10} for k in (1, 2)
    ]
    figure = report.curves(rows)
    shown = [axis for axis in figure.axes if axis.axison]
    assert [axis.get_ylabel() for axis in shown] == ["loss", "iou, validation"]
    assert [line.get_label() for line in shown[1].lines] == ["a", "b"]
    assert shown[1].lines[1].get_ydata().tolist() == [0.1, 0.2]
