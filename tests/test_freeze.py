"""Freeze: what stands still, when, for how long, and that nothing is left of it."""

import keras
import numpy as np
import pytest

import zoo
from callbacks.curves import linear
from callbacks.freeze import Freeze
from callbacks.schedule import Schedule
from zoo import recorder, runs

rng = np.random.default_rng(0)
# 5 steps an epoch; the last batch is smaller, for which the step is compiled once more.
X, Y = 1 + 2 * rng.normal(size=(18, 3)).astype("float32"), rng.normal(size=(18, 1)).astype("float32")


def network(optimizer=None, k=1):
    keras.utils.set_random_seed(0)
    encoder = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4, "relu", name="one"), keras.layers.BatchNormalization(name="norm")],
        name="encoder",
    )
    model = keras.Sequential(
        [keras.Input((3,)), encoder, keras.layers.Dense(4, name="two"), keras.layers.Dense(1, name="head")]
    )
    optimizer = optimizer or keras.optimizers.AdamW(0.01, weight_decay=0.1)
    model.compile(optimizer, "mse", steps_per_execution=k)
    return model


class Watch(keras.callbacks.Callback):
    """Which layers moved in each epoch."""

    def __init__(self):
        super().__init__()
        self.moved = []

    def values(self):
        named = {**{layer.name: layer for layer in self.model.get_layer("encoder").layers}}
        named |= {layer.name: layer for layer in self.model.layers[1:]}
        return {name: [w.copy() for w in layer.get_weights()] for name, layer in named.items()}

    def on_epoch_begin(self, epoch, logs=None):
        self.before = self.values()

    def on_epoch_end(self, epoch, logs=None):
        after = self.values()
        moved = {
            name: [np.any(a != b) for a, b in zip(before, after[name], strict=True)]
            for name, before in self.before.items()
        }
        # A layer moves with all its weights, or with none.
        assert all(all(each) or not any(each) for each in moved.values()), moved
        self.moved.append({name for name, each in moved.items() if any(each)})


def fit(model, callbacks, epochs, initial_epoch=0):
    return model.fit(
        X, Y, batch_size=4, epochs=epochs, initial_epoch=initial_epoch, verbose=0, shuffle=False, callbacks=callbacks
    ).history


ALL = {"one", "norm", "two", "head"}


def test_what_is_frozen_stands_still_and_what_is_not_moves():
    watch = Watch()
    calls = [Freeze("encoder", end=2), Schedule("learning_rate", linear(0.1, 0.0)), watch]
    history = fit(network(k=5), [*calls, Freeze("head", begin=1, end=2)], 4)
    assert watch.moved == [{"two", "head"}, {"two"}, ALL, ALL]
    np.testing.assert_allclose(history["learning_rate"], [0.08, 0.055, 0.03, 0.005], rtol=1e-5)


@pytest.mark.skipif(keras.config.backend() == "jax", reason="on JAX Keras' optimizers refuse what is marked by hand")
def test_it_is_the_training_with_layers_marked_by_hand():
    mine, reference = network(), network()
    fit(mine, [Freeze("encoder", end=2)], 3)
    reference.optimizer.build(reference.trainable_variables)
    for trainable, first, last in ((False, 0, 2), (True, 2, 3)):
        reference.get_layer("encoder").trainable = trainable
        reference.make_train_function(force=True)
        fit(reference, [], last, first)
    for a, b in zip(mine.variables, reference.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    for a, b in zip(mine.optimizer.variables, reference.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_frozen_batch_normalisation_is_in_inference_mode():
    model = network(keras.optimizers.SGD(0.1))
    by_statistics = float(model.evaluate(X, Y, verbose=0))
    frozen = model.fit(X, Y, batch_size=18, verbose=0, callbacks=[Freeze("norm")]).history["loss"][0]
    model = network(keras.optimizers.SGD(0.1))
    free = model.fit(X, Y, batch_size=18, verbose=0).history["loss"][0]
    np.testing.assert_allclose(frozen, by_statistics, rtol=1e-5)
    assert abs(free - by_statistics) > 0.01


@pytest.mark.parametrize(
    "names, moved",
    [
        ("*o*e*", {"head", "two"}),
        (["two", "encoder/n?rm"], {"one", "head"}),
    ],
)
def test_names_are_patterns_at_any_depth(names, moved):
    watch = Watch()
    model = network()
    fit(model, [Freeze(names), watch], 1)
    assert watch.moved == [moved]


def test_a_scaled_loss_and_gradients_that_are_gathered():
    watch = Watch()
    optimizer = keras.optimizers.Nadam(0.05, gradient_accumulation_steps=2, use_ema=True)
    fit(
        network(keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=8.0)), [Freeze("encoder", end=1), watch], 2
    )
    assert watch.moved == [{"two", "head"}, ALL]


def flags(model):
    owners = [*model._flatten_layers(), *model.variables]
    return [owner.trainable for owner in owners]


class Stop(Exception):
    pass


class Stopping(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise Stop


def test_it_leaves_nothing_behind_however_training_ends():
    model = network()
    model.get_layer("two").trainable = False
    before = flags(model)
    watch = Watch()
    with pytest.raises(Stop):
        fit(model, [Freeze("encoder"), Stopping()], 1)
    assert flags(model) == before and "train_step" not in vars(model)
    fit(model, [Freeze("encoder"), watch], 1)
    assert flags(model) == before and "train_step" not in vars(model)
    fit(model, [watch], 1)
    assert watch.moved == [{"head"}, {"one", "norm", "head"}]


def test_the_epoch_decides_where_training_goes_on():
    watch = Watch()
    model = network()
    freeze = Freeze("encoder", end=2)
    fit(model, [freeze, watch], 3, initial_epoch=1)
    assert watch.moved == [{"two", "head"}, ALL]
    fit(model, [freeze, watch], 1)
    assert watch.moved[2] == {"two", "head"}


RECIPE = '''
import keras

import zoo
from callbacks.curves import linear
from callbacks.freeze import Freeze
from callbacks.gradient_statistics import GradientStatistics
from callbacks.schedule import Schedule
from zoo.data import images


def recipe(epochs=3):
    """A small network, with layers that are frozen for two epochs.

    Args:
        epochs: epochs.
    """
    data = images("digits", 128)
    model = zoo.build("mlp", input_shape=(8, 8, 1), hidden=(8,), dropout=0.2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    x, y = (array[:32] for array in data.train.arrays)
    names = [layer.name for layer in model.layers if layer.weights][:-1]
    watch = GradientStatistics(x, y, every=2)
    rate = Schedule("learning_rate", linear(0.01, 0.0))
    return zoo.Recipe(model, data, epochs, [Freeze(names, end=2), rate, watch])
'''


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(own_folder, monkeypatch):
    (own_folder / "frozen.py").write_text(RECIPE)
    whole = zoo.train("frozen.py", folder="whole", export=False, pictures=False, verbose=0)
    first = runs.history("whole")[0]
    assert {key for key in first if key.startswith("gradient_norm/")} and "learning_rate" in first
    end = recorder.Recorder.on_epoch_end

    def stop(self, epoch, logs=None):
        end(self, epoch, logs)
        raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(recorder.Recorder, "on_epoch_end", stop)
        with pytest.raises(Stop):
            zoo.train("frozen.py", folder="part", export=False, pictures=False, verbose=0)
    part = zoo.resume("part", verbose=0)
    for a, b in zip(whole.model.variables, part.model.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    rows = [[{**row, "seconds": 0} for row in runs.history(folder)] for folder in ("whole", "part")]
    assert len(rows[0]) == 3 and rows[0] == rows[1]


@pytest.mark.parametrize("begin, end", [(-1, None), (2, 2), (3, 1), (0.5, None), (0, 1.5)])
def test_impossible_epochs_are_refused(begin, end):
    with pytest.raises(ValueError, match=f"begin={begin}, end={end}"):
        Freeze("encoder", begin, end)


def test_what_cannot_be_frozen_is_refused():
    with pytest.raises(ValueError, match="'thre.'.*: encoder, encoder/one, encoder/norm, two, head"):
        fit(network(), [Freeze(["two", "thre?"])], 1)
    with pytest.raises(ValueError, match="leave one of them out"):
        fit(network(), [Freeze("*")], 1)
    unbuilt = keras.Sequential([keras.layers.Dense(1)])
    unbuilt.compile("sgd", "mse")
    if keras.config.backend() == "tensorflow":  # on JAX Keras builds it before
        with pytest.raises(ValueError, match="give it an Input"):
            fit(unbuilt, [Freeze("dense")], 1)
