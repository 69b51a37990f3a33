"""Autoencoders: the paper's widths, two models in one, penalties against their definitions, and something learned."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.decomposition import PCA

import zoo
from zoo import ZooError
from zoo.code_layers import SLOPES, ContractiveDense, GaussianCode, SparseActivity
from zoo.data import images, reconstruction
from zoo.reconstruction import PSNR, PixelCrossentropy, SquaredError, SquaredErrorMetric, squared_error

TINY = dict(input_shape=(6, 5, 1), hidden=(7, 4), code=3)


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


def pixels(model, count=5):
    return np.random.default_rng(0).integers(0, 256, (count, *model.input_shape[1:]), dtype=np.uint8)


def test_the_papers_layers():
    model = zoo.build("autoencoder")
    widths = [784, 1000, 500, 250, 30, 250, 500, 1000, 784]
    kernels = [layer.kernel.shape for part in (model.encoder, model.decoder) for layer in part.layers if layer.weights]
    assert kernels == list(zip(widths, widths[1:], strict=False))
    assert model.count_params() == sum(a * b + b for a, b in zip(widths, widths[1:], strict=False))
    activations = [layer.activation.__name__ for layer in model.encoder.layers if layer.weights]
    assert activations == ["sigmoid", "sigmoid", "sigmoid", "linear"]
    assert zoo.build("autoencoder_2d").encoder.output_shape == (None, 2)


@pytest.mark.parametrize("name", ["autoencoder", "autoencoder_2d", "autoencoder_conv", "vae"])
def test_a_model_is_its_encoder_and_its_decoder(name, tmp_path):
    model = zoo.build(name, **zoo.registry.entry(name).tiny)
    x = pixels(model)
    expected = np.asarray(model(x))
    assert expected.shape == x.shape and expected.min() >= 0 and expected.max() <= 1
    code = model.encoder(x)
    assert tuple(code.shape) == (5, model.encoder.output_shape[-1])
    np.testing.assert_array_equal(model.decoder(code), expected)
    model.save(tmp_path / "model.keras")
    again = zoo.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.encoder(x), code)
    np.testing.assert_array_equal(again.decoder(code), expected)


@pytest.mark.parametrize("shape", [(9, 7, 1), (8, 8, 3), (5, 12, 1)])
def test_a_convolutional_one_gives_any_size_back(shape):
    model = zoo.build("autoencoder_conv", input_shape=shape, filters=(3, 4), code=2)
    assert model.output_shape == (None, *shape)
    assert [layer.output.shape[1] for layer in model.encoder.layers if layer.name.startswith("encode")] == [
        -(-shape[0] // 2),
        -(-shape[0] // 4),
    ]


def test_half_precision_computes_codes_and_images_in_full():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        for name in ("autoencoder", "autoencoder_conv", "vae"):
            model = zoo.build(name, **zoo.registry.entry(name).tiny)
            assert model.encoder.output.dtype == model.decoder.output.dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("activation", sorted(SLOPES))
def test_contraction_is_the_norm_of_the_jacobian(activation):
    layer = ContractiveDense(4, contraction=0.5, activation=activation)
    x = tf.random.normal((6, 3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    jacobian = tape.batch_jacobian(y, x)
    expected = 0.5 * np.square(jacobian).sum((1, 2)).mean()
    np.testing.assert_allclose(layer.losses[0], expected, rtol=1e-5)


def test_the_contractive_penalty_is_of_each_layer_of_the_encoder_and_contracts():
    x = np.random.default_rng(0).integers(0, 256, (64, 6, 5, 1), dtype=np.uint8)
    found = []
    for weight in (0.0, 10.0):
        keras.utils.set_random_seed(0)
        model = zoo.build("autoencoder", **TINY, contractive=weight)
        model.compile(keras.optimizers.Adam(0.01), SquaredError())
        model.fit(x, x / np.float32(255), epochs=30, batch_size=64, verbose=0)
        found.append(float(np.asarray(model.encoder(x)).var(0).sum()))
    assert [type(layer) for layer in model.encoder.layers if layer.weights] == [ContractiveDense] * 3
    assert not any(isinstance(layer, ContractiveDense) for layer in model.decoder.layers)
    assert found[1] < 0.1 * found[0]


def test_sparsity_is_a_divergence_and_brings_the_activity_to_its_target():
    code = np.random.default_rng(0).uniform(0.1, 0.9, (8, 3)).astype("float32")
    layer = SparseActivity(weight=2.0, target=0.2)
    np.testing.assert_array_equal(layer(code), code)
    q, p = code.mean(0), 0.2
    expected = 2 * (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).sum()
    np.testing.assert_allclose(layer.losses[0], expected, rtol=1e-5)

    x = np.random.default_rng(0).integers(0, 256, (64, 6, 5, 1), dtype=np.uint8)
    model = zoo.build("autoencoder", **TINY, code_activation="sigmoid", sparse=100.0, sparse_target=0.1)
    model.compile(keras.optimizers.Adam(0.03), SquaredError())
    model.fit(x, x / np.float32(255), epochs=60, batch_size=64, verbose=0)
    np.testing.assert_allclose(np.asarray(model.encoder(x)).mean(0), 0.1, atol=0.02)


def test_the_divergence_is_that_of_two_gaussians():
    mean, log_variance = np.float32([[0.5, -1.0]]), np.float32([[0.3, -0.7]])
    layer = GaussianCode(beta=2.0)
    layer(np.concatenate([mean, log_variance], -1))
    # By Monte Carlo: the mean of log q(z) - log p(z) under q.
    deviation = np.exp(log_variance / 2)
    z = mean + deviation * np.random.default_rng(0).standard_normal((400_000, 2))
    log_q = (-0.5 * ((z - mean) / deviation) ** 2 - np.log(deviation)).sum(-1)
    log_p = (-0.5 * z**2).sum(-1)
    np.testing.assert_allclose(layer.losses[0], 2 * (log_q - log_p).mean(), rtol=0.01)


def test_a_variational_code_is_drawn_in_training_alone():
    model = zoo.build("vae", input_shape=(6, 6, 1), hidden=(8,), code=3)
    x = np.repeat(pixels(model, 1), 4000, axis=0)
    posterior = keras.Model(model.encoder.inputs[0], model.encoder.get_layer("posterior").output)
    mean, log_variance = np.split(np.asarray(posterior(x[:1]))[0], 2)
    np.testing.assert_array_equal(model.encoder(x[:1])[0], mean)
    drawn = np.asarray(model.encoder(x, training=True))
    np.testing.assert_allclose(drawn.mean(0), mean, atol=0.1)
    np.testing.assert_allclose(drawn.std(0), np.exp(log_variance / 2), rtol=0.1)
    np.testing.assert_array_equal(model(x[:2]), model(x[:2]))


def test_the_variational_loss_is_the_bound():
    model = zoo.build("vae", input_shape=(6, 6, 1), hidden=(8,), code=3, beta=0.5)
    model.compile("sgd", PixelCrossentropy())
    x = pixels(model)
    target = x / np.float32(255)
    mean, log_variance = np.split(
        np.asarray(keras.Model(model.encoder.inputs[0], model.encoder.get_layer("posterior").output)(x)), 2, axis=-1
    )
    p = np.asarray(model(x), "float64")
    crossentropy = -(target * np.log(p) + (1 - target) * np.log(1 - p)).sum((1, 2, 3))
    divergence = -0.5 * (1 + log_variance - mean**2 - np.exp(log_variance)).sum(-1)
    expected = (crossentropy + 0.5 * divergence).mean()
    np.testing.assert_allclose(model.evaluate(x, target, verbose=0), expected, rtol=1e-5)


def test_it_learns_more_than_principal_components_hold():
    data = reconstruction(images("digits", 32, seed=0))
    model = zoo.build("autoencoder", input_shape=(8, 8, 1), hidden=(128, 64), code=3, activation="elu")
    model.compile(keras.optimizers.Adam(0.003), SquaredError())
    model.fit(data.train.open(), steps_per_epoch=data.train.steps, epochs=12, shuffle=False, verbose=0)
    flat = [part.arrays[0].reshape(part.size, -1) / 255 for part in (data.train, data.test)]
    pca = PCA(3).fit(flat[0])
    linear = np.square(pca.inverse_transform(pca.transform(flat[1])) - flat[1]).sum(-1).mean()
    own = model.evaluate(data.test.once(), verbose=0)
    assert own < 0.85 * linear


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("autoencoder", dict(hidden=8), "hidden must be a list of widths"),
        ("autoencoder", dict(hidden=(8, 0)), "each width in hidden must be an integer >= 1"),
        ("autoencoder", dict(code=0), "code must be an integer >= 1"),
        ("autoencoder", dict(activation="gelu"), "activation must be one of"),
        ("autoencoder", dict(sparse=0.1), "code_activation must be 'sigmoid' with sparse > 0"),
        ("autoencoder", dict(contractive=-1), "contractive must be a number >= 0"),
        ("autoencoder_conv", dict(filters=()), "filters must be a list of channels"),
        ("autoencoder_conv", dict(input_shape=(4, 4, 1), filters=(2, 2, 2)), "filters must be at most 2 numbers"),
        ("vae", dict(beta=-1), "beta must be a number >= 0"),
        ("vae", dict(hidden=(0,)), "each width in hidden"),
    ],
)
def test_bad_arguments(name, arguments, message):
    with pytest.raises(ZooError, match=message):
        zoo.build(name, **arguments)


def test_errors_are_counted_for_an_image():
    true, found = np.zeros((2, 3, 4, 1), "float32"), np.full((2, 3, 4, 1), 0.5, "float32")
    np.testing.assert_allclose(squared_error(true, found), [3.0, 3.0])
    np.testing.assert_allclose(PixelCrossentropy()(true, found), 12 * np.log(2), rtol=1e-6)


@pytest.mark.parametrize("metric", [SquaredErrorMetric, PSNR])
def test_metrics_are_means_over_images_and_come_back(metric):
    random = np.random.default_rng(0)
    true, found = random.random((2, 7, 3, 4, 1), "float32")
    own = metric.from_config(metric().get_config())
    own.update_state(true[:5], found[:5])
    own.update_state(true[5:], found[5:])
    each = np.square(true - found)
    expected = each.sum((1, 2, 3)) if metric is SquaredErrorMetric else -10 * np.log10(each.mean((1, 2, 3)))
    np.testing.assert_allclose(own.result(), expected.mean(), rtol=1e-5)
