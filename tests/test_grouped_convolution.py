"""The grouped convolution against a dense one whose kernel is zero between the groups, and against Keras' own."""

import keras
import numpy as np
import pytest

from zoo.grouped_convolution import GroupedConv2D


def _normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def _dense_kernel(kernel, groups):
    height, width, inputs, outputs = kernel.shape
    dense = np.zeros((height, width, inputs * groups, outputs), "float32")
    for group in range(groups):
        filters = slice(group * outputs // groups, (group + 1) * outputs // groups)
        dense[:, :, group * inputs : (group + 1) * inputs, filters] = kernel[..., filters]
    return dense


@pytest.mark.parametrize(
    ("groups", "options"), [(2, dict(padding="same")), (3, dict(strides=2)), (6, dict(dilation_rate=2)), (1, {})]
)
def test_it_is_the_dense_convolution_with_zeros_between_groups_also_in_its_gradients(groups, options):
    import tensorflow as tf

    images, bias = tf.constant(_normal(2, 9, 8, 6)), np.arange(12, dtype="float32")
    grouped = GroupedConv2D(12, 3, groups=groups, activation="tanh", **options)
    dense = keras.layers.Conv2D(12, 3, activation="tanh", **options)
    found = []
    for layer in (grouped, dense):
        layer.build(images.shape)
        kernel = grouped.kernel.numpy()
        layer.set_weights([kernel if layer is grouped else _dense_kernel(kernel, groups), bias])
        with tf.GradientTape() as tape:
            tape.watch(images)
            result = layer(images)
            loss = tf.reduce_sum(result**2)
        found.append((result, *tape.gradient(loss, [images, layer.kernel.value, layer.bias.value])))
    (ours, to_images, to_kernel, to_bias), expected = found
    np.testing.assert_allclose(ours, expected[0], atol=1e-5)
    np.testing.assert_allclose(to_images, expected[1], atol=1e-4)
    np.testing.assert_allclose(to_bias, expected[3], rtol=1e-4, atol=1e-4)
    existing = _dense_kernel(np.ones_like(to_kernel), groups)
    np.testing.assert_allclose(_dense_kernel(to_kernel.numpy(), groups), expected[2] * existing, atol=1e-3)


def test_keras_own_layer_takes_its_weights_and_configuration():
    images = _normal(2, 8, 8, 6)
    ours = GroupedConv2D(4, 3, groups=2, padding="same", name="conv")
    result = keras.ops.convert_to_numpy(ours(images))
    kerass = keras.layers.Conv2D.from_config(ours.get_config())
    kerass.build(images.shape)
    kerass.set_weights(ours.get_weights())
    np.testing.assert_allclose(result, keras.ops.convert_to_numpy(kerass(images)), atol=1e-5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(ours))
    assert isinstance(again, GroupedConv2D) and again.groups == 2


def test_channels_that_the_groups_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="evenly divisible by the number of groups"):
        GroupedConv2D(5, 3, groups=2)
    with pytest.raises(ValueError, match="evenly divisible by the number of groups"):
        GroupedConv2D(4, 3, groups=2)(_normal(1, 8, 8, 3))
