"""Averages of weights in closed form, and batch-norm statistics against NumPy."""

import functools

import keras
import numpy as np
import pytest
from test_resume import Stop, assert_same

import zoo
from callbacks.averaging import WeightAveraging, recompute_batch_normalization
from callbacks.stop_at import StopAt
from zoo import recorder, trainer

STEPS, RATE, EPOCHS = 8, 0.125, 4
X = np.ones((STEPS, 1), "float32")


@functools.cache
def compiled(k, **options):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    optimizer = keras.optimizers.SGD(RATE, **options)
    model.compile(optimizer, lambda true, predicted: keras.ops.mean(predicted, axis=-1), steps_per_execution=k)
    return model


def walk(*callbacks, k=1, **options):
    """Trains a model whose only weight is -RATE times the number of steps taken."""
    model = compiled(k, **options)
    model.set_weights([np.zeros((1, 1))])
    for variable in model.optimizer.variables:
        if "average" in variable.path or "iteration" in variable.path:
            variable.assign(keras.ops.zeros_like(variable.value))
    found = model.fit(
        X, X, batch_size=1, epochs=EPOCHS, callbacks=list(callbacks), verbose=0, validation_data=(X[:1], X[:1])
    )
    return float(model.get_weights()[0][0, 0]), found.history


@pytest.mark.parametrize(
    "start, every, k, steps",
    [
        (0.5, None, 4, [16, 24, 32]),
        (0.75, None, 1, [24, 32]),
        (0, None, 8, [8, 16, 24, 32]),
        (0.3, None, 8, [16, 24, 32]),
        (0.5, 3, 1, [16, 19, 22, 25, 28, 31]),
        (0.5, 3, 4, [16, 20, 24, 28, 32]),
        (0.55, 8, 2, [18, 26]),
        (0, 10, 1, [10, 20, 30]),
        (0.95, 1, 1, [31, 32]),
    ],
)
def test_the_model_ends_with_the_mean_of_the_weights(start, every, k, steps):
    average = WeightAveraging(start, every)
    weight, history = walk(average, k=k)
    assert weight == pytest.approx(-RATE * np.mean(steps), rel=1e-6)
    assert average.averaged == len(steps)
    # Meanwhile validation sees the weights of the moment.
    np.testing.assert_allclose(history["val_loss"], -RATE * STEPS * np.arange(1, EPOCHS + 1), rtol=1e-6)


def test_a_training_that_ends_before_keeps_its_weights():
    average = WeightAveraging(0.5)
    weight, _ = walk(average, StopAt(steps=5))
    assert weight == -RATE * 5 and not average.averaged


@pytest.mark.parametrize("k, early", [(1, [StopAt(steps=16)]), (4, [])])
def test_kerass_exponential_average(k, early):
    """What the docstring says of `SwapEMAWeights`: validation and the model at the end have the average."""
    weight, history = walk(keras.callbacks.SwapEMAWeights(), *early, k=k, use_ema=True, ema_momentum=0.9)
    steps = 16 if early else STEPS * EPOCHS
    average = [-RATE]
    for step in range(2, steps + 1):
        average.append(0.9 * average[-1] + 0.1 * -RATE * step)
    assert weight == pytest.approx(average[-1], rel=1e-5)
    np.testing.assert_allclose(history["val_loss"], average[STEPS - 1 :: STEPS], rtol=1e-5)


@pytest.mark.parametrize("arguments, message", [({"start": 1}, "below 1"), ({"every": 0}, "whole number")])
def test_arguments_outside_their_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        WeightAveraging(**arguments)


def deep(*layers, shape=(5,)):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input(shape), *layers])
    for weight in model.weights:
        if "seed" not in weight.path:
            weight.assign(weight + 0.1 * np.random.default_rng(2).random(weight.shape))
    return model


def batches(x, sizes):
    """A data set of batches of different sizes."""
    import tensorflow as tf

    def cut():
        first = 0
        for size in sizes:
            yield x[first : first + size], x[first : first + size, :1]
            first += size

    spec = tuple(tf.TensorSpec((None, *part.shape[1:]), "float32") for part in (x, x[:, :1]))
    data = tf.data.Dataset.from_generator(cut, output_signature=spec)
    return data.apply(tf.data.experimental.assert_cardinality(len(sizes)))


def test_statistics_are_mean_and_variance_over_all_batches():
    first, dense, second = (
        keras.layers.BatchNormalization(epsilon=0.01),
        keras.layers.Dense(3, activation="relu"),
        keras.layers.BatchNormalization(momentum=0.7, center=False),
    )
    # The second one stands in a model of its own.
    model = deep(first, dense, keras.Sequential([keras.Input((3,)), second]))
    x = np.random.default_rng(0).normal(100.0, 3.0, size=(50, 5)).astype("float32")
    sizes = [16, 16, 11, 7]
    before = {id(weight): weight.numpy() for weight in model.trainable_weights}
    recompute_batch_normalization(model, batches(x, sizes))

    gamma, beta, mean, variance = first.get_weights()
    np.testing.assert_allclose(mean, x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(variance, x.var(0), rtol=1e-4)
    inner = []
    for batch in np.split(x.astype("float64"), np.cumsum(sizes)[:-1]):
        normal = (batch - batch.mean(0)) / np.sqrt(batch.var(0) + 0.01) * gamma + beta
        kernel, bias = dense.get_weights()
        inner.append(np.maximum(normal @ kernel + bias, 0))
    inner = np.concatenate(inner)
    np.testing.assert_allclose(second.moving_mean.numpy(), inner.mean(0), rtol=1e-3)
    np.testing.assert_allclose(second.moving_variance.numpy(), inner.var(0), rtol=1e-3)
    assert (first.momentum, second.momentum) == (0.99, 0.7)
    for weight in model.trainable_weights:
        np.testing.assert_array_equal(weight.numpy(), before[id(weight)])


@pytest.mark.parametrize("axis", [-1, 1])
def test_images(axis):
    layer = keras.layers.BatchNormalization(axis=axis)
    model = deep(layer, shape=(4, 6, 3))
    x = np.random.default_rng(0).normal(size=(10, 4, 6, 3)).astype("float32")
    recompute_batch_normalization(model, lambda: (x, x))
    others = tuple(i for i in range(4) if i != axis % 4)
    np.testing.assert_allclose(layer.moving_mean.numpy(), x.mean(others), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), x.var(others), rtol=1e-4)


def test_dropout_acts_and_nothing_but_the_statistics_changes():
    noisy = keras.layers.BatchNormalization()
    frozen = keras.layers.BatchNormalization(trainable=False)
    model = deep(keras.layers.Dropout(0.5, seed=3), noisy, keras.layers.SpectralNormalization(keras.layers.Dense(4)))
    model = keras.Sequential([keras.Input((5,)), model, frozen])
    model.aside = deep(keras.layers.BatchNormalization())  # as a discriminator hangs on the side of a generator
    own = {id(noisy.moving_mean), id(noisy.moving_variance)}
    before = [variable.numpy() for variable in model.variables]
    recompute_batch_normalization(model, np.ones((20000, 5), "float32"))
    changed = 0
    for variable, value in zip(model.variables, before, strict=True):
        if id(variable) in own:
            changed += 1
        else:
            np.testing.assert_array_equal(variable.numpy(), value, variable.path)
    assert changed == 2
    # Inputs of 0 or 2, with equal chances.
    np.testing.assert_allclose(noisy.moving_mean.numpy(), 1, atol=0.03)
    np.testing.assert_allclose(noisy.moving_variance.numpy(), 1, atol=0.01)


def test_data_without_end_needs_steps():
    layer = keras.layers.BatchNormalization()
    model = deep(layer, shape=(1,))
    x = np.array([[0.0], [2.0], [50.0], [1.0]], "float32")
    data = batches(x, [2, 1, 1]).repeat()
    with pytest.raises(ValueError, match="no end: pass steps="):
        recompute_batch_normalization(model, data)
    recompute_batch_normalization(model, data, steps=1)
    assert [float(layer.moving_mean[0]), float(layer.moving_variance[0])] == [1.0, 1.0]


def test_what_cannot_be_done_leaves_the_model_as_it_was():
    model = deep(keras.layers.BatchNormalization())
    before = model.get_weights()
    with pytest.raises(ValueError, match="incompatible"):
        recompute_batch_normalization(model, np.ones((8, 4)))
    assert model.layers[0].momentum == 0.99
    for value, own in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(value, own)
    with pytest.raises(ValueError, match="renorm=True"):
        recompute_batch_normalization(deep(keras.layers.BatchNormalization(renorm=True)), np.ones((8, 5)))


def test_the_averaged_model_gets_statistics_of_its_own():
    x = np.random.default_rng(0).normal(size=(32, 5)).astype("float32")
    model = deep(keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dense(1))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    seen = []
    look = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()))
    average = WeightAveraging(0.5, data=lambda: (x, x))
    model.fit(x, x[:, :1], epochs=4, callbacks=[look, average], verbose=0)
    kernel, bias = (np.mean([weights[i] for weights in seen[1:]], 0) for i in (0, 1))
    inner = x @ kernel + bias
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[4], inner.mean(0), atol=1e-5)
    np.testing.assert_allclose(model.get_weights()[5], inner.var(0), rtol=1e-4)
    with pytest.raises(ValueError, match="batch_normalization.*needs data="):
        model.fit(x, x[:, :1], callbacks=[WeightAveraging()], verbose=0)


RECIPE = '''
import keras

import zoo
from callbacks.averaging import WeightAveraging
from zoo.data import images


def recipe(epochs=4):
    """The mean of weights at the ends of executions."""
    data = images("digits", 64)
    model = zoo.build("mlp", input_shape=(8, 8, 1), hidden=(16,), dropout=0.2, batch_normalization=True)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    mean = WeightAveraging(0.4, every=5, data=data.train.open, steps=data.train.steps)
    return zoo.Recipe(model, data, epochs, [mean])
'''


def test_it_survives_a_resume(tmp_path, monkeypatch):
    (tmp_path / "averaged.py").write_text(RECIPE)
    options = dict(seed=3, steps_per_execution=3, export=False, pictures=False, verbose=0)
    whole = zoo.train("averaged.py", folder=tmp_path / "whole", **options)

    def stop(*_, **__):
        raise Stop

    def look(self, batch, logs=None):
        if self.initial_epoch == 2 and batch > 5:
            raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(recorder, "SHARE", 1e9)
        with patch.context() as inside, pytest.raises(Stop):
            inside.setattr(recorder.Recorder, "on_train_batch_end", look)
            zoo.train("averaged.py", folder=tmp_path / "run", **options)
        with patch.context() as behind, pytest.raises(Stop):
            behind.setattr(trainer, "_finish", stop)
            zoo.resume(tmp_path / "run", verbose=0)
    zoo.resume(tmp_path / "run", verbose=0)
    assert_same(tmp_path / "run", whole)
