"""The zoo's own layers against their formulas, and through their configurations."""

import json

import keras
import numpy as np
import pytest

from zoo import ZooError
from zoo.layers import ConnectedConv2D, FanInUniform, LogMeanProbability, RadialBasis, Subsampling2D, scaled_tanh


def _normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def _numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_scaled_tanh():
    values = np.array([-100.0, -1.0, 0.0, 1.0, 100.0], "float32")
    np.testing.assert_allclose(_numpy(scaled_tanh(values)), [-1.7159, -1, 0, 1, 1.7159], atol=1e-4)


def test_fan_in_uniform_fills_its_range():
    weights = _numpy(FanInUniform(seed=1)((5, 5, 6, 16)))
    assert 0.95 * 2.4 / 150 < np.abs(weights).max() <= 2.4 / 150
    assert weights.min() < 0 < weights.max()


def test_fan_in_uniform_takes_a_fan_in_for_each_unit():
    weights = np.abs(_numpy(FanInUniform(bound=1.0, fan_in=[1, 10, 100], seed=1)((50, 50, 3))).reshape(-1, 3)).max(0)
    np.testing.assert_allclose(weights, [1, 0.1, 0.01], rtol=0.01)


def test_fan_in_uniform_draws_again_each_time_one_is_made_and_repeats_with_the_seed():
    assert (_numpy(FanInUniform()((9, 9))) != _numpy(FanInUniform()((9, 9)))).any()
    keras.utils.set_random_seed(3)
    first = _numpy(FanInUniform()((9, 9)))
    keras.utils.set_random_seed(3)
    assert (_numpy(FanInUniform()((9, 9))) == first).all()


def test_connected_convolution_is_the_dense_one_with_zeros():
    connections = [[0, 2], [1], [0, 1, 2], [2]]
    layer = ConnectedConv2D(connections, kernel_size=3)
    images = _normal(2, 7, 8, 3)
    result = layer(images)
    assert result.shape == (2, 5, 6, 4)
    layer.bias.assign([0.1, 0.2, 0.3, 0.4])

    kernels, dense, position = layer.get_weights()[0], np.zeros((3, 3, 3, 4), "float32"), 0
    for target, sources in enumerate(connections):
        for source in sources:
            dense[:, :, source, target] = kernels[:, :, position]
            position += 1
    assert position == kernels.shape[-1] == 7
    expected = keras.ops.conv(images, dense, padding="valid", data_format="channels_last") + layer.bias
    np.testing.assert_allclose(_numpy(layer(images)), _numpy(expected), atol=1e-5)


def test_connected_convolution_starts_with_the_fan_in_of_each_map():
    layer = ConnectedConv2D([[0], [0, 1, 2, 3, 4, 5, 6, 7]], kernel_size=9)
    layer.build((None, 20, 20, 8))
    kernels = np.abs(layer.get_weights()[0]).max((0, 1))
    assert 0.9 * 2.4 / 81 < kernels[0] <= 2.4 / 81
    assert 0.9 * 2.4 / 648 < kernels[1:].max() <= 2.4 / 648


@pytest.mark.parametrize("connections", [[], [[0], []], [[0, 0]], [[-1]]])
def test_connected_convolution_refuses_an_impossible_table(connections):
    with pytest.raises(ZooError, match="connections must be"):
        ConnectedConv2D(connections, 3)


def test_connected_convolution_refuses_an_input_with_too_few_maps():
    with pytest.raises(ZooError, match="names the input map 5, but the input has 3"):
        ConnectedConv2D([[0, 5]], 3).build((None, 9, 9, 3))


def test_subsampling_is_the_sum_times_the_coefficient_plus_the_bias():
    layer = Subsampling2D(activation="tanh")
    images = _normal(2, 5, 6, 3)
    layer.build(images.shape)
    layer.coefficient.assign([0.5, -0.25, 2.0])
    layer.bias.assign([0.0, 1.0, -1.0])
    sums = images[:, :4].reshape(2, 2, 2, 3, 2, 3).sum((2, 4))
    expected = np.tanh(sums * [0.5, -0.25, 2.0] + [0.0, 1.0, -1.0])
    np.testing.assert_allclose(_numpy(layer(images)), expected, atol=1e-5)


def test_radial_basis_is_the_negative_squared_distance():
    centers, points = _normal(4, 6), _normal(3, 6) + 1
    result = _numpy(RadialBasis(centers.tolist())(points))
    np.testing.assert_allclose(result, -((points[:, None] - centers) ** 2).sum(-1), rtol=1e-5)


def test_radial_basis_refuses_what_does_not_fit():
    with pytest.raises(ZooError, match="all of one length"):
        RadialBasis([[1.0], [1.0, 2.0]])
    with pytest.raises(ZooError, match="2 components and the input 5"):
        RadialBasis([[1.0, 2.0]]).build((None, 5))


def test_log_mean_probability():
    logits = _normal(3, 5, 4) * 3
    powers = np.exp(logits)
    expected = np.log((powers / powers.sum(-1, keepdims=True)).mean(0))
    np.testing.assert_allclose(_numpy(LogMeanProbability()(list(logits))), expected, atol=1e-5)


def test_log_mean_probability_stays_finite_where_probabilities_round_to_zero():
    logits = np.array([[[500.0, -500.0]], [[300.0, -400.0]]], "float32")
    np.testing.assert_allclose(_numpy(LogMeanProbability()(list(logits))), [[0, -700 - np.log(2)]], rtol=1e-5)


@pytest.mark.parametrize(
    "layer, shape",
    [
        (ConnectedConv2D([[0], [0, 1]], 3, activation=scaled_tanh), (2, 6, 6, 2)),
        (Subsampling2D(3, activation=scaled_tanh), (2, 6, 6, 2)),
        (RadialBasis([[1.0, 0.5], [0.0, -1.0]], dtype="float32"), (2, 2)),
        (keras.layers.Dense(3, kernel_initializer=FanInUniform(1.0, seed=4)), (2, 5)),
    ],
)
def test_round_trip_through_json(layer, shape):
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    copy = keras.saving.deserialize_keras_object(config, safe_mode=True)
    assert copy.get_config() == layer.get_config()
    values = _normal(*shape)
    layer.build(shape)
    copy.build(shape)
    copy.set_weights(layer.get_weights())
    assert (_numpy(copy(values)) == _numpy(layer(values))).all()
