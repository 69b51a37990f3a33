"""What the first weights do to a deep network, against the theory; and the study's picture of it."""

import keras
import numpy as np
import pytest

import zoo
from callbacks.gradient_statistics import statistics
from recipes import initialisation_digits
from zoo import ZooError
from zoo.pictures import layers

WIDTH = 256
RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, WIDTH)).astype("float32")
Y = RNG.integers(0, 10, 32)


def _model(initializer, activation, depth=10, scale=None, width=WIDTH, seed=0):
    keras.utils.set_random_seed(seed)
    model = zoo.build(
        "mlp",
        input_shape=(width,),
        hidden=(width,) * depth,
        activation=activation,
        initializer=initializer,
        initializer_scale=scale,
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    return model


def _second_moments(activation, *arguments, seeds=1, **named):
    """Mean square of the activations of each hidden layer, as a geometric mean over seeds."""
    moments = []
    for seed in range(seeds):
        model = _model(*arguments, activation=activation, seed=seed, **named)
        hidden = [layer.output for layer in model.layers if layer.name.startswith(activation)]
        moments.append([np.square(np.array(each)).mean() for each in keras.Model(model.input, hidden)(X)])
    return np.exp(np.log(moments).mean(axis=0))


@pytest.mark.parametrize("initializer, scale", [("he", None), ("gaussian", 0.01), ("gaussian", 0.5)])
def test_a_layer_of_relu_multiplies_the_second_moment_by_half_the_width_times_the_variance(initializer, scale):
    """He et al. 2015, equations 7 to 10: weights of variance 2 / width keep it, others vanish or explode."""
    rate = WIDTH * (2 / WIDTH if scale is None else scale**2) / 2
    moments = _second_moments("relu", initializer, scale=scale, seeds=4)
    assert (moments[-1] / moments[0]) ** (1 / 9) == pytest.approx(rate, rel=0.05)
    assert moments[0] == pytest.approx(rate * np.square(X).mean(), rel=0.05)


def test_what_comes_back_shrinks_at_the_same_rate():
    """He et al. 2015, equation 14. A bias, whose input is 1, has what comes back to its layer as its gradient."""
    model = _model("gaussian", "relu", scale=0.01)
    before = [np.array(model.get_layer(f"dense{k}").bias) for k in range(1, 11)]
    model.train_on_batch(X, Y)
    steps = [np.linalg.norm(model.get_layer(f"dense{k}").bias - before[k - 1]) for k in range(1, 11)]
    assert (steps[0] / steps[9]) ** (2 / 9) == pytest.approx(WIDTH * 0.01**2 / 2, rel=0.25)


def test_glorot_loses_little_with_tanh():
    """It keeps the variance of a linear unit; tanh is one for small arguments, and takes a little of larger ones."""
    moments = _second_moments("tanh", "glorot", depth=30)
    assert (np.diff(moments[:10]) < 0).all() and moments[-1] > 0.01
    ratios = moments[20:] / moments[19:-1]
    assert 0.9 < ratios.mean() < 1, "the smaller, the more linear"


def test_orthogonal_keeps_every_length_in_a_linear_regime():
    small = 1e-3 * X
    model = _model("orthogonal", "tanh", depth=30)
    last = keras.Model(model.input, model.get_layer("tanh30").output)(small)
    np.testing.assert_allclose(np.linalg.norm(last, axis=1), np.linalg.norm(small, axis=1), rtol=1e-3)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_units_of_a_constant_layer_stay_alike(activation):
    model = _model("constant", activation, depth=2, scale=0.02, width=16)
    x, y = np.abs(X[:, :16]), Y
    before = model.get_weights()
    model.fit(x, y, epochs=3, verbose=0)
    for k in (1, 2):
        kernel, bias = model.get_layer(f"dense{k}").get_weights()
        np.testing.assert_allclose(kernel, kernel[:, :1] * np.ones(16), rtol=1e-4)
        np.testing.assert_allclose(bias, bias[0] * np.ones(16), atol=1e-6)
    assert any((one != other).any() for one, other in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("activation, moved", [("tanh", ["bias"]), ("relu", ["bias"]), ("sigmoid", ["kernel", "bias"])])
def test_from_zero_only_the_output_learns(activation, moved):
    """Nothing comes back through weights of 0. Sigmoid's 1/2 lets the last weights move, equal for all units."""
    model = _model("zero", activation)
    before = [np.array(w) for w in model.trainable_variables]
    model.train_on_batch(X, Y)
    changed = [
        w.path.split("/")[-2:]
        for w, old in zip(model.trainable_variables, before, strict=True)
        if (np.array(w) != old).any()
    ]
    assert changed == [["output", name] for name in moved]
    norms = statistics(_model("zero", activation), X, Y)["gradient_norm"]
    assert [name for name, norm in norms.items() if norm] == ["output"]


def test_measure_is_the_deviation_between_examples_and_the_gradients_norm():
    model = _model("he", "relu", depth=2, width=8)
    x = X[:, :8]
    activations, gradients = layers.measure(model, x, Y)
    w1, b1, w2, b2, *_ = model.get_weights()
    first = np.maximum(x @ w1 + b1, 0)
    second = np.maximum(first @ w2 + b2, 0)
    np.testing.assert_allclose(activations, [np.sqrt(each.var(0).mean()) for each in (first, second)], rtol=1e-5)
    assert gradients == list(statistics(model, x, Y)["gradient_norm"].values()) and len(gradients) == 3


def test_sigmoid_forgets_its_input_though_its_activations_differ():
    model = _model("glorot", "sigmoid", depth=10)
    activations, gradients = layers.measure(model, X, Y)
    everything = statistics(model, X, Y)["activation_std"]["sigmoid10"]
    assert everything > 0.05 and activations[-1] < 1e-4 * activations[0] and gradients[0] < 1e-3 * gradients[-1]


def test_zeros_lie_on_the_floor_and_all_is_named():
    found = [
        layers.Signals("zero", "tanh", 2, [0.0, 0.0], [0.0, 0.0, 1.0]),
        layers.Signals("he", "tanh", 2, [1.0, 0.5], [1e3, float("inf"), 1.0]),
        layers.Signals("he", "relu", 3, [1.0, 0.5, 2.0], [1.0, 1.0, 1.0, 1.0]),
    ]
    figure = layers.multiples(found, "title")
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == [f"{name}, {depth} layers" for name in ("tanh", "relu") for depth in (2, 3, 2, 3)]
    first, third = figure.axes[0], figure.axes[2]
    assert (first.get_lines()[0].get_ydata() == layers.FLOOR).all()
    assert first.get_ylim()[0] < layers.FLOOR and first.get_ylim() == figure.axes[1].get_ylim() != third.get_ylim()
    assert first.get_yticklabels()[0].get_text() == r"$\leq 10^{-16}$"
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"zero", "he"}
    assert first.get_ylabel() and figure.axes[-1].get_xlabel()


def test_the_recipe_reads_scales_and_refuses_what_is_none():
    model = initialisation_digits.recipe("gaussian-1e-3", depth=2, width=256).model
    kernels = [model.get_layer(name).get_weights()[0] for name in ("dense1", "dense2", "output")]
    assert [kernel.std() for kernel in kernels] == pytest.approx([1e-3] * 3, rel=0.05)
    with pytest.raises(ZooError, match="a number must stand behind the hyphen.*gaussian-wide"):
        initialisation_digits.recipe("gaussian-wide")
    with pytest.raises(ZooError, match="'he' takes no scale"):
        initialisation_digits.recipe("he-2")


def test_a_study_draws_both_pictures_also_when_a_run_diverged(tmp_path):
    folder = tmp_path / "study"
    options = dict(depth=2, width=16, epochs=1)
    vary = {"initializer": ["zero", "gaussian-1e15"], "activation": ["relu"]}
    rows = zoo.compare("initialisation_digits", vary, seeds=1, folder=folder, verbose=0, **options)
    assert [row["diverged"] for row in rows] == [0, 1]
    for name in ("layers-before.png", "layers-after.png"):
        assert (folder / name).stat().st_size > 5000
