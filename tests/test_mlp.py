"""The perceptron and the multi-layer perceptron: images and feature vectors, classes and numbers."""

import keras
import numpy as np
import pytest

import zoo
from zoo import ZooError
from zoo.models.mlp import ACTIVATIONS, INITIALIZERS

VECTORS = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


def _vectors(**arguments):
    return zoo.build("mlp", **{"num_classes": 3, "input_shape": (4,), "hidden": (8, 5), **arguments})


def _numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_parameters():
    assert zoo.build("perceptron").count_params() == 784 * 10 + 10
    assert zoo.build("mlp").count_params() == 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10
    assert _vectors(hidden=()).count_params() == 4 * 3 + 3
    assert _vectors(activation="prelu").count_params() == _vectors().count_params() + 8 + 5
    # Normalisation brings a scale and an offset to each unit and takes its bias.
    trainable = sum(int(np.prod(v.shape)) for v in _vectors(batch_normalization=True).trainable_variables)
    assert trainable == _vectors().count_params() + 8 + 5


def test_perceptron_is_linear_in_scaled_pixels():
    model = zoo.build("perceptron", input_shape=(2, 3, 1), num_classes=4)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 2, 3, 1), "uint8")
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(_numpy(model(pixels)), pixels.reshape(5, 6) / 255.0 @ kernel + bias, atol=1e-5)


def test_feature_vectors_are_not_scaled():
    model = zoo.build("perceptron", input_shape=(4,), num_classes=3)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(_numpy(model(VECTORS * 100)), VECTORS * 100 @ kernel + bias, rtol=1e-4, atol=1e-4)


def test_normalization_standardises_inside_the_model():
    means, variances = [1.0, -2.0, 0.0, 1e6], [4.0, 0.25, 1.0, 1e8]
    model = _vectors(normalization=(means, variances))
    raw = VECTORS * np.sqrt(np.float32(variances)) + np.float32(means)
    plain = _vectors()
    plain.set_weights(model.get_weights())
    np.testing.assert_allclose(_numpy(model(raw)), _numpy(plain(VECTORS)), atol=1e-4)


def test_a_constant_feature_is_only_centred():
    model = zoo.build("perceptron", input_shape=(2,), num_classes=2, normalization=([5, 0], [0, 1]))
    kernel, _ = model.get_weights()
    np.testing.assert_allclose(_numpy(model(np.array([[5.0, 0.0]], "float32"))), [[0, 0]], atol=1e-6)
    np.testing.assert_allclose(_numpy(model(np.array([[6.0, 0.0]], "float32"))), kernel[:1], atol=1e-6)


def test_regression_answers_in_the_targets_units():
    model = _vectors(num_classes=None, target=(250.0, 40.0))
    plain = _vectors(num_classes=None)
    plain.set_weights(model.get_weights())
    assert model.output_shape == plain.output_shape == (None, 1)
    np.testing.assert_allclose(_numpy(model(VECTORS)), 250 + 40 * _numpy(plain(VECTORS)), rtol=1e-5)


def test_regression_learns_a_line():
    keras.utils.set_random_seed(0)
    raw = np.random.default_rng(0).normal(50, 10, (64, 2)).astype("float32")
    prices = (3 * raw[:, 0] - raw[:, 1] + 7).astype("float32")
    statistics = dict(
        normalization=(raw.mean(0).tolist(), raw.var(0).tolist()), target=(float(prices.mean()), float(prices.std()))
    )
    model = zoo.build("perceptron", num_classes=None, input_shape=(2,), **statistics)
    model.compile(keras.optimizers.Adam(0.1), "mean_squared_error")
    model.fit(np.tile(raw, (50, 1)), np.tile(prices, 50), batch_size=64, epochs=4, verbose=0)
    assert np.abs(_numpy(model(raw))[:, 0] - prices).max() < 0.5


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(activation):
    model = _vectors(activation=activation, hidden=(50,))
    layer = model.get_layer(f"{activation}1")
    values = np.linspace(-3, 3, 50, dtype="float32")[None]
    below, above = np.exp(np.minimum(values, 0)) - 1, np.maximum(values, 0)
    expected = {
        "sigmoid": 1 / (1 + np.exp(-values)),
        "tanh": np.tanh(values),
        "relu": above,
        "leaky_relu": np.where(values < 0, 0.01 * values, values),
        "prelu": np.where(values < 0, 0.25 * values, values),
        "elu": above + below,
        "softplus": np.log1p(np.exp(values)),
    }[activation]
    np.testing.assert_allclose(_numpy(layer(values)), expected, atol=1e-5)


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_initializers_spread_the_weights_as_said(initializer):
    model = zoo.build("mlp", input_shape=(400,), hidden=(300,), initializer=initializer)
    kernel, bias = model.get_layer("dense1").get_weights()
    mean, deviation = {
        "zero": (0, 0),
        "constant": (0.05, 0),
        "gaussian": (0, 0.05),
        "uniform": (0, 0.05 / np.sqrt(3)),
        "he": (0, np.sqrt(2 / 400)),
        "glorot": (0, np.sqrt(2 / 700)),
        "orthogonal": (0, np.sqrt(1 / 400)),
    }[initializer]
    assert kernel.mean() == pytest.approx(mean, abs=0.001)
    assert kernel.std() == pytest.approx(deviation, rel=0.02, abs=1e-8)
    assert not bias.any()


def test_initializer_scale():
    def spread(**arguments):
        model = zoo.build("mlp", input_shape=(400,), hidden=(300,), **arguments)
        return model.get_layer("dense1").get_weights()[0]

    assert spread(initializer="gaussian", initializer_scale=0.01).std() == pytest.approx(0.01, rel=0.02)
    assert np.abs(spread(initializer="uniform", initializer_scale=0.2)).max() == pytest.approx(0.2, rel=0.01)
    assert (spread(initializer="constant", initializer_scale=0.3) == np.float32(0.3)).all()
    kernel = spread(initializer="orthogonal", initializer_scale=3)
    np.testing.assert_allclose(kernel.T @ kernel, 9 * np.eye(300), atol=1e-3)


def test_layers_of_one_model_start_differently():
    model = zoo.build("mlp", input_shape=(8,), hidden=(8, 8))
    assert (model.get_layer("dense1").get_weights()[0] != model.get_layer("dense2").get_weights()[0]).any()


def test_penalties_are_on_the_weights():
    model = _vectors(l1=0.01, l2=0.1, hidden=(8,))
    kernels = [layer.get_weights()[0] for layer in (model.get_layer("dense1"), model.get_layer("output"))]
    model.get_layer("dense1").bias.assign(np.full(8, 100.0, "float32"))
    expected = sum(0.01 * np.abs(kernel).sum() + 0.1 * (kernel**2).sum() for kernel in kernels)
    assert sum(float(loss) for loss in model.losses) == pytest.approx(expected, rel=1e-5)
    assert not _vectors().losses


@pytest.mark.parametrize("arguments", [dict(dropout=0.5), dict(input_noise=0.3)])
def test_noise_is_there_in_training_only(arguments):
    model = _vectors(**arguments)
    assert (_numpy(model(VECTORS)) == _numpy(model(VECTORS))).all()
    assert (_numpy(model(VECTORS, training=True)) != _numpy(model(VECTORS))).any()


def test_every_option_at_once_through_a_file(tmp_path):
    model = _vectors(
        activation="prelu",
        initializer="orthogonal",
        l1=0.001,
        l2=0.001,
        dropout=0.2,
        input_noise=0.1,
        batch_normalization=True,
        normalization=([0, 1, 2, 3], [1, 2, 3, 4]),
        num_classes=None,
        target=(3, 2),
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert (_numpy(loaded(VECTORS)) == _numpy(model(VECTORS))).all()


@pytest.mark.parametrize("name", ["perceptron", "mlp"])
@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(num_classes=1), "num_classes must be an integer >= 2"),
        (dict(num_classes=True), "num_classes must be an integer >= 2"),
        (dict(input_shape=(4, 4)), r"input_shape must be \(height, width, channels\) or \(features,\)"),
        (dict(input_shape=(0,)), "input_shape must be"),
        (dict(input_shape=4), "input_shape must be"),
        (dict(normalization=([0], [1])), "normalization must be None for images"),
        (dict(input_shape=(2,), normalization=([0], [1])), "two lists of 2 finite numbers"),
        (dict(input_shape=(1,), normalization=([float("nan")], [1])), "normalization must be"),
        (dict(input_shape=(1,), normalization=([0], [-1])), "no variance below 0"),
        (dict(input_shape=(1,), normalization=3), "normalization must be"),
        (dict(target=(0, 1)), "target must be None for classes"),
        (dict(num_classes=None, target=(0, 0)), r"target must be \(mean, standard deviation\)"),
        (dict(num_classes=None, target=5), "target must be"),
    ],
)
def test_both_refuse(name, arguments, message):
    with pytest.raises(ZooError, match=message):
        zoo.build(name, **arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(hidden=128), "hidden must be a list of widths"),
        (dict(hidden=(128, 0)), "each width in hidden must be an integer >= 1"),
        (dict(activation="leaky"), "activation must be one of.*Did you mean 'leaky_relu'"),
        (dict(initializer="xavier"), "initializer must be one of"),
        (dict(initializer="he", initializer_scale=0.1), "initializer_scale must be None.*'gaussian'"),
        (dict(initializer="zero", initializer_scale=0.1), "'zero' takes no scale.*'constant'"),
        (dict(initializer="gaussian", initializer_scale=0), "initializer_scale must be a number > 0"),
        (dict(l1=-1), "l1 must be a number >= 0"),
        (dict(l2=float("nan")), "l2 must be a number >= 0"),
        (dict(dropout=1.0), "dropout must be a number >= 0 and < 1"),
        (dict(dropout="0.5"), "dropout must be a number >= 0 and < 1"),
        (dict(input_noise=-0.1), "input_noise must be a number >= 0"),
        (dict(batch_normalization="yes"), "batch_normalization must be True or False"),
    ],
)
def test_mlp_refuses(arguments, message):
    with pytest.raises(ZooError, match=message):
        zoo.build("mlp", **arguments)
