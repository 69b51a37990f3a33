"""Pixel shuffle against its definition; spectral normalisation against numpy, and against the paper's gradient."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.generative_layers import PixelShuffle, SpectralNormalization

RANDOM = np.random.default_rng(0)
LAYERS = {
    "dense": (lambda **more: keras.layers.Dense(6, **more), (7, 4)),
    "conv": (lambda **more: keras.layers.Conv2D(6, 3, 2, padding="same", **more), (2, 5, 5, 3)),
    "transposed": (lambda **more: keras.layers.Conv2DTranspose(6, 3, 2, padding="same", **more), (2, 3, 3, 4)),
}
KINDS = pytest.mark.parametrize("kind", LAYERS)


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(1)


def made(kind, **more):
    """A layer, built and wrapped, with an input for it."""
    layer, shape = LAYERS[kind]
    wrapped = SpectralNormalization(layer(**more))
    x = np.random.default_rng(1).normal(size=shape).astype("float32")
    wrapped.build(shape)
    return wrapped, x


def matrix(wrapped):
    """The kernel as the paper has it: a row for each output channel."""
    kernel = np.asarray(wrapped.layer.kernel.value)
    if isinstance(wrapped.layer, keras.layers.Conv2DTranspose):
        kernel = kernel.swapaxes(-1, -2)
    return kernel.reshape(-1, kernel.shape[-1]).T


def power_iteration(w, u, steps):
    """Algorithm 1 of the paper. Returns u and v."""
    for _ in range(steps):
        v = w.T @ u
        v /= np.linalg.norm(v)
        u = w @ v
        u /= np.linalg.norm(u)
    return u, v


def with_kernel(wrapped, kernel, x):
    """What the layer would give with another kernel."""
    before = wrapped.layer.kernel.numpy()
    wrapped.layer.kernel.assign(kernel)
    found = wrapped.layer(x).numpy()
    wrapped.layer.kernel.assign(before)
    return found


@pytest.mark.parametrize("factor", [2, 3])
def test_pixel_shuffle(factor):
    x = RANDOM.normal(size=(2, 3, 4, 5 * factor**2)).astype("float32")
    found = PixelShuffle(factor)(x).numpy()
    assert found.shape == (2, 3 * factor, 4 * factor, 5)
    np.testing.assert_array_equal(found, tf.nn.depth_to_space(x, factor))
    for row, column, channel in np.ndindex(*found.shape[1:]):
        block = (row % factor) * factor + column % factor
        expected = x[:, row // factor, column // factor, block * 5 + channel]
        np.testing.assert_array_equal(found[:, row, column, channel], expected)


def test_pixel_shuffle_of_any_size(tmp_path):
    inputs = keras.Input((None, None, 8))
    model = keras.Model(inputs, PixelShuffle(2, name="shuffle")(inputs))
    assert model.output_shape == (None, None, None, 2)
    model.save(tmp_path / "model.keras")
    again = zoo.load(tmp_path / "model.keras")
    for shape in ((1, 3, 2, 8), (2, 1, 5, 8)):
        assert again(np.zeros(shape)).shape == (shape[0], 2 * shape[1], 2 * shape[2], 2)
    for wrong in (1, 2.0, True):
        with pytest.raises(zoo.ZooError, match="factor must be an integer >= 2"):
            PixelShuffle(wrong)
    with pytest.raises(zoo.ZooError, match="channels that 4 divides. Received: 6 channels. 8 would do"):
        PixelShuffle(2)(np.zeros((1, 2, 2, 6)))


@KINDS
def test_sigma_becomes_the_largest_singular_value(kind):
    wrapped, x = made(kind)
    kernel = wrapped.layer.kernel.numpy()
    u = wrapped.u.numpy()
    w = matrix(wrapped)
    for _ in range(3):
        outputs = wrapped(x, training=True)
    expected, v = power_iteration(w, u, 3)
    np.testing.assert_allclose(wrapped.u.numpy(), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(outputs, with_kernel(wrapped, kernel / (expected @ w @ v), x), rtol=1e-4, atol=1e-5)
    wrapped.u.assign(power_iteration(w, u, 500)[0])
    largest = np.linalg.svd(w, compute_uv=False)[0]
    for training in (True, False):
        found = wrapped(x, training=training)
        np.testing.assert_allclose(found, with_kernel(wrapped, kernel / largest, x), rtol=1e-4, atol=1e-5)
    # The kernel itself is never touched.
    np.testing.assert_array_equal(wrapped.layer.kernel.numpy(), kernel)
    assert wrapped.compute_output_shape(x.shape) == tuple(found.shape)


@KINDS
def test_inference_takes_the_last_u_and_the_present_kernel(kind):
    wrapped, x = made(kind)
    wrapped(x, training=True)
    u = wrapped.u.numpy()
    kernel = 3 * wrapped.layer.kernel.numpy()[..., ::-1, :].copy()
    wrapped.layer.kernel.assign(kernel)
    sigma = np.linalg.norm(matrix(wrapped).T @ u)
    np.testing.assert_allclose(wrapped(x), with_kernel(wrapped, kernel / sigma, x), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(wrapped.u.numpy(), u)


def test_the_gradient_is_that_of_equation_12():
    """Of the loss with respect to W: (delta h^T - lambda u v^T) / sigma, for the u and v of the step."""
    wrapped, h = made("dense", use_bias=False)
    w, start = matrix(wrapped), wrapped.u.numpy()
    delta = RANDOM.normal(size=(7, 6)).astype("float32")
    for training in (True, False):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(delta * wrapped(h, training=training))
        found = tape.gradient(loss, wrapped.layer.kernel.value).numpy().T
        u, v = power_iteration(w, start, 1)
        if not training:  # the same u, and the v that belongs to it
            v = w.T @ u / np.linalg.norm(w.T @ u)
        sigma = u @ w @ v
        weight = np.sum(delta * (h @ (w / sigma).T))
        np.testing.assert_allclose(found, (delta.T @ h - weight * np.outer(u, v)) / sigma, rtol=1e-4, atol=1e-5)


def test_the_gradient_is_that_of_finite_differences():
    """With the singular vectors found, the derivative is that of W / sigma(W) itself."""
    wrapped, x = made("conv")
    w = matrix(wrapped)
    wrapped.u.assign(power_iteration(w, wrapped.u.numpy(), 1000)[0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(wrapped(x)))
    gradient = tape.gradient(loss, wrapped.layer.kernel.value).numpy()
    kernel = wrapped.layer.kernel.numpy().astype("float64")

    def value(kernel):
        rows = kernel.reshape(-1, kernel.shape[-1])
        normalized = tf.constant(kernel / np.linalg.svd(rows, compute_uv=False)[0])
        return float(tf.reduce_sum(tf.sin(tf.nn.conv2d(tf.cast(x, "float64"), normalized, 2, "SAME"))))

    for place in ((0, 0, 0, 0), (1, 2, 1, 3), (2, 1, 2, 5)):
        step = np.zeros_like(kernel)
        step[place] = 1e-5
        difference = (value(kernel + step) - value(kernel - step)) / 2e-5
        assert gradient[place] == pytest.approx(difference, rel=1e-3, abs=1e-4)


def test_several_calls_in_one_step_and_a_gradient_of_a_gradient():
    network = keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            SpectralNormalization(keras.layers.Conv2D(4, 3, 2, activation="tanh")),
            keras.layers.Flatten(),
            SpectralNormalization(keras.layers.Dense(1)),
        ]
    )
    start = network.get_weights()
    x = tf.constant(RANDOM.normal(size=(2, 6, 6, 3)).astype("float32"))

    def step():
        variables = [variable.value for variable in network.trainable_variables]
        with tf.GradientTape() as outer:
            loss = tf.reduce_sum(network(x, training=True))
            with tf.GradientTape() as inner:
                inner.watch(x)
                scores = network(2 * x, training=True)
            loss += tf.reduce_sum(tf.square(inner.gradient(scores, x)))
        return outer.gradient(loss, variables)

    eager = [np.asarray(gradient) for gradient in step()]
    u = network.layers[0].u.numpy()
    # Each call in training took one step of the iteration.
    np.testing.assert_allclose(u, power_iteration(matrix(network.layers[0]), start[0], 2)[0], rtol=1e-4, atol=1e-5)
    network.set_weights(start)
    traced = [np.asarray(gradient) for gradient in tf.function(step)()]
    np.testing.assert_allclose(network.layers[0].u.numpy(), u, rtol=1e-5)
    for one, other in zip(eager, traced, strict=True):
        assert np.abs(one).max() > 0
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        wrapped, x = made("conv")
    finally:
        keras.config.set_dtype_policy("float32")
    exact, _ = made("conv")
    exact.set_weights(wrapped.get_weights())
    for training in (True, False):
        found = wrapped(x, training=training)
        assert found.dtype == "bfloat16" and wrapped.u.dtype == wrapped.layer.kernel.dtype == "float32"
        np.testing.assert_allclose(np.float32(found), exact(x, training=training), atol=0.05)
    np.testing.assert_array_equal(wrapped.u, exact.u)
    assert SpectralNormalization(keras.layers.Dense(3, dtype="mixed_bfloat16"))(keras.Input((4,))).dtype == "bfloat16"


def test_keras_file_round_trip(tmp_path):
    inputs = keras.Input((5, 5, 3))
    x = SpectralNormalization(keras.layers.Conv2D(4, 3, use_bias=False), name="first")(inputs)
    model = keras.Model(inputs, SpectralNormalization(keras.layers.Dense(2, activation="relu"))(x))
    images = RANDOM.normal(size=(2, 5, 5, 3))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(images, np.ones((2, 3, 3, 2)), verbose=0)
    model.save(tmp_path / "model.keras")
    again = zoo.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(images), model(images))
    assert [variable.path for variable in again.weights] == [variable.path for variable in model.weights]
    assert len(again.non_trainable_weights) == 2


def test_losses_of_the_layer_are_kept_and_zeros_stay_zeros():
    wrapped, x = made("dense", kernel_regularizer="l2", activity_regularizer="l2", kernel_initializer="zeros")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(wrapped(x, training=True))
    np.testing.assert_array_equal(tape.gradient(loss, wrapped.layer.kernel.value), np.repeat(x.sum(0)[:, None], 6, 1))
    wrapped.layer.kernel.assign(np.ones((4, 6)))
    wrapped.layer.bias.assign(np.ones(6))
    outputs = wrapped(x)
    assert len(wrapped.losses) == 2
    expected = 0.01 * (24 + np.square(outputs).sum() / len(x))
    assert float(sum(wrapped.losses)) == pytest.approx(expected, rel=1e-5)


def test_under_a_strategy_of_replicas():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    x = RANDOM.normal(size=(8, 4)).astype("float32")
    found = []
    for scope in (strategy.scope(), None):
        keras.utils.set_random_seed(1)
        if scope:
            with scope:
                model = keras.Sequential([keras.Input((4,)), SpectralNormalization(keras.layers.Dense(1))])
                model.compile(keras.optimizers.SGD(0.1), "mse")
        else:
            model = keras.Sequential([keras.Input((4,)), SpectralNormalization(keras.layers.Dense(1))])
            model.compile(keras.optimizers.SGD(0.1), "mse")
        model.fit(x, x[:, :1], batch_size=4, shuffle=False, verbose=0)
        found.append(model.get_weights())
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_what_cannot_be_wrapped():
    for layer in (keras.layers.ReLU(), keras.layers.Embedding(3, 2), "dense"):
        with pytest.raises(zoo.ZooError, match="layer must be a Dense, Conv2D or Conv2DTranspose layer"):
            SpectralNormalization(layer)
