"""Local response normalisation against the paper's sum and TensorFlow's kernel, in value and gradient."""

import keras
import numpy as np
import pytest

import zoo
from zoo.local_response import LocalResponseNormalization


def _normal(*shape, scale=1.0):
    return (scale * np.random.default_rng(0).normal(size=shape)).astype("float32")


def _papers(a, n, k, alpha, beta):
    """Section 3.3, channel by channel: j from max(0, i - n/2) to min(N - 1, i + n/2)."""
    b = np.empty(a.shape)
    channels = a.shape[-1]
    for i in range(channels):
        near = a[..., max(0, i - n // 2) : min(channels - 1, i + n // 2) + 1].astype(float)
        b[..., i] = a[..., i] / (k + alpha * (near**2).sum(-1)) ** beta
    return b


@pytest.mark.parametrize(
    "values",
    [
        dict(n=5, k=2.0, alpha=1e-4, beta=0.75),
        dict(n=3, k=0.5, alpha=1, beta=0.5),
        dict(n=1, k=1, alpha=2.0, beta=2),
        dict(n=15, k=1.0, alpha=0.1, beta=0.75),  # the sum over all channels
    ],
)
def test_it_is_the_papers_formula(values):
    images = _normal(2, 3, 4, 7, scale=50.0)
    result = keras.ops.convert_to_numpy(LocalResponseNormalization(**values)(images))
    np.testing.assert_allclose(result, _papers(images, **values), rtol=5e-6)


def test_the_defaults_are_the_papers():
    layer = LocalResponseNormalization()
    assert (layer.n, layer.k, layer.alpha, layer.beta) == (5, 2.0, 1e-4, 0.75)


def test_it_takes_tensors_of_any_rank():
    vectors = _normal(3, 9, scale=20.0)
    expected = _papers(vectors, 5, 2.0, 1e-4, 0.75)
    for shape in ((3, 9), (3, 1, 9), (1, 3, 1, 1, 9)):
        result = LocalResponseNormalization()(vectors.reshape(shape))
        np.testing.assert_allclose(keras.ops.convert_to_numpy(result).reshape(3, 9), expected, rtol=5e-6)


def test_values_and_gradients_are_those_of_tensorflows_kernel():
    import tensorflow as tf

    images, weights = tf.constant(_normal(2, 5, 5, 12, scale=40.0)), _normal(2, 5, 5, 12)
    layer, found = LocalResponseNormalization(alpha=1e-3), []
    for function in (layer, lambda x: tf.nn.lrn(x, depth_radius=2, bias=2.0, alpha=1e-3, beta=0.75)):
        with tf.GradientTape() as tape:
            tape.watch(images)
            result = function(images)
            loss = tf.reduce_sum(weights * result)
        found.append((result, tape.gradient(loss, images)))
    for ours, kernels in zip(*found, strict=True):
        np.testing.assert_allclose(ours, kernels, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("policy", "digits"), [("mixed_float16", 2e-3), ("mixed_bfloat16", 2e-2)])
def test_half_precision_neither_overflows_nor_loses_the_sum(policy, digits):
    images = np.full((1, 2, 2, 8), 1000.0, "float32")  # its square is beyond float16
    result = LocalResponseNormalization(dtype=policy)(images)
    assert keras.backend.standardize_dtype(result.dtype) == policy.removeprefix("mixed_")
    result = keras.ops.convert_to_numpy(keras.ops.cast(result, "float32"))
    np.testing.assert_allclose(result, _papers(images, 5, 2.0, 1e-4, 0.75), rtol=digits)


def test_float64_keeps_its_digits():
    images = np.random.default_rng(0).normal(size=(2, 9)) * 50
    result = keras.ops.convert_to_numpy(LocalResponseNormalization(dtype="float64")(images))
    assert result.dtype == "float64"
    np.testing.assert_allclose(result, _papers(images, 5, 2.0, 1e-4, 0.75), rtol=1e-13)


def test_configuration_round_trip():
    layer = LocalResponseNormalization(n=3, k=1.5, alpha=0.2, beta=0.6, name="response")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert isinstance(again, LocalResponseNormalization) and again.get_config() == layer.get_config()
    assert (again.n, again.k, again.alpha, again.beta) == (3, 1.5, 0.2, 0.6)


@pytest.mark.parametrize(
    ("wrong", "works"),
    [
        (dict(n=4), "odd integer"),
        (dict(n=0), "odd integer"),
        (dict(n=True), "odd integer"),
        (dict(k=0), "number > 0"),
        (dict(alpha=-1e-4), "number >= 0"),
        (dict(beta="0.75"), "number >= 0"),
    ],
)
def test_refusals(wrong, works):
    (name,) = wrong
    with pytest.raises(zoo.ZooError, match=f"{name} must be an? {works}"):
        LocalResponseNormalization(**wrong)
