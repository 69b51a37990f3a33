"""The zoo's batch normalisation is Keras', through another kernel: outputs, gradients, moving statistics, files."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.normalization import BatchNormalization

SHAPES = [(16, 8, 8, 5), (16, 5), (16, 7, 5), (4, 3, 4, 5, 6), (1, 5), (2, 1, 1, 5)]


def results(kind, shape, policy="float32", trainable=True, mask=None, **options):
    """Output, gradients and moving statistics, in training and in inference."""
    layer = kind(dtype=policy, **options)
    layer.build((None, *shape[1:]))
    draw = np.random.default_rng(1)
    layer.set_weights([draw.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    layer.trainable = trainable
    x = tf.Variable(np.random.default_rng(2).normal(3, 2, shape).astype("float32"))
    weights = np.random.default_rng(3).normal(size=shape).astype("float32")
    found = []
    for training in (True, False):

        @tf.function
        def outputs(training=training):
            return layer(tf.cast(x, layer.compute_dtype), training=training, mask=mask)

        with tf.GradientTape() as tape:
            y = outputs()
            loss = tf.reduce_sum(tf.cast(y, tf.float32) * weights)
        found += [y, *tape.gradient(loss, [x, *(each.value for each in layer.trainable_weights)])]
    found += [weight.value for weight in layer.weights]
    return [np.asarray(tf.cast(each, tf.float32)) for each in found]


def assert_close(ours, theirs, tolerance):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1.0, np.abs(b).max()))


@pytest.mark.parametrize("policy, tolerance", [("float32", 1e-5), ("mixed_bfloat16", 1e-2)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_it_agrees_with_keras(shape, policy, tolerance):
    pair = [results(kind, shape, policy) for kind in (BatchNormalization, keras.layers.BatchNormalization)]
    assert_close(*pair, tolerance)


@pytest.mark.parametrize(
    "options",
    [dict(scale=False), dict(center=False), dict(scale=False, center=False), dict(momentum=0.5, epsilon=0.1)],
    ids=str,
)
def test_options_are_keras_own(options):
    pair = [results(kind, (8, 4, 4, 3), **options) for kind in (BatchNormalization, keras.layers.BatchNormalization)]
    assert_close(*pair, 1e-5)


@pytest.mark.parametrize("options", [dict(axis=1), dict(renorm=True), dict(axis=2)], ids=str)
def test_what_the_kernel_cannot_do_keras_does(options):
    pair = [results(kind, (8, 4, 6, 3), **options) for kind in (BatchNormalization, keras.layers.BatchNormalization)]
    for a, b in zip(*pair, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_mask_is_respected():
    mask = tf.constant(np.arange(7) < np.array([[3], [7], [5]]))
    pair = [results(kind, (3, 7, 5), mask=mask) for kind in (BatchNormalization, keras.layers.BatchNormalization)]
    for a, b in zip(*pair, strict=True):
        np.testing.assert_array_equal(a, b)


def test_frozen_statistics_do_not_move():
    ours, theirs = (
        results(kind, (8, 4, 4, 3), trainable=False) for kind in (BatchNormalization, keras.layers.BatchNormalization)
    )
    assert_close(ours, theirs, 1e-5)
    draw = np.random.default_rng(1)
    for weight in ours[-4:]:
        np.testing.assert_allclose(weight, draw.uniform(0.5, 1.5, weight.shape), rtol=1e-6)


def test_the_fused_kernel_is_what_runs():
    layer = BatchNormalization()
    layer.build((None, 4, 4, 3))
    graph = tf.function(lambda x: layer(x, training=True)).get_concrete_function(tf.TensorSpec((2, 4, 4, 3))).graph
    assert [op.type for op in graph.get_operations()].count("FusedBatchNormV3") == 1


def test_it_trains_in_a_model_and_is_saved(tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4, 4, 1)), BatchNormalization(), keras.layers.Flatten()])
    model.compile("sgd", "mse", steps_per_execution=2)
    x = np.random.default_rng(0).normal(5, 3, (64, 4, 4, 1)).astype("float32")
    model.fit(x, np.zeros((64, 16)), batch_size=8, epochs=40, verbose=0)
    moving = {weight.name: float(weight.numpy()[0]) for weight in model.weights}
    assert abs(moving["moving_mean"] - x.mean()) < 0.3 and abs(moving["moving_variance"] - x.var()) < 1
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again.layers[0]) is BatchNormalization
    np.testing.assert_array_equal(again(x), model(x))
