"""Stopping at a target, after a time and after a number of steps."""

import types

import keras
import numpy as np
import pytest
from test_resume import Stop, assert_same

import zoo
from callbacks import stop_at
from callbacks.stop_at import StopAt
from zoo import recorder, runs

STEPS = 8


class Script(keras.callbacks.Callback):
    """Says what a metric is."""

    def __init__(self, name, values):
        super().__init__()
        self.name = name
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = self.values[epoch]


def fit(*callbacks, k=1, epochs=4, model=None, **options):
    if model is None:
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", metrics=["accuracy"], steps_per_execution=k)
    before = int(model.optimizer.iterations.numpy())
    x = np.ones((STEPS, 1), "float32")
    history = model.fit(x, x, batch_size=1, epochs=epochs, callbacks=list(callbacks), verbose=0, **options)
    return int(model.optimizer.iterations.numpy()) - before, history, model


@pytest.mark.parametrize("k, steps", [(1, 13), (4, 12), (4, 4), (8, 16), (1, 32), (2, 100)])
def test_steps_are_exact(k, steps):
    stop = StopAt(steps=steps)
    taken, history, model = fit(stop, k=k)
    assert taken == min(steps, 4 * STEPS)
    assert len(history.epoch) == -(-taken // STEPS)
    assert stop.reason == (f"{steps} steps were taken" if steps == taken else None)
    again, _, _ = fit(stop, model=model)
    assert again == taken


@pytest.mark.parametrize("k, steps", [(4, 13), (8, 12), (3, 6)])
def test_an_execution_that_would_run_beyond_is_refused(k, steps):
    with pytest.raises(ValueError, match=f"exactly {steps} steps: executions of {k} steps .*the steps of an epoch .8"):
        fit(StopAt(steps=steps), k=k)


@pytest.mark.parametrize(
    "name, mode, target, values, epochs",
    [
        ("val_loss", "auto", 0.5, [2, 0.6, 0.5, 0.1], 3),
        ("val_accuracy", "auto", 0.9, [0.1, 0.95, 0.2, 0.3], 2),
        ("score", "max", 3, [float("nan"), 2, 2.9, 2.99], 4),
        ("score", "min", 3, [float("nan"), 4, 3, 2], 3),
    ],
)
def test_a_target_is_reached_when_an_epoch_ends(name, mode, target, values, epochs):
    stop = StopAt(monitor=name, target=target, mode=mode)
    taken, _, _ = fit(Script(name, values), stop)
    assert taken == epochs * STEPS
    reached = values[epochs - 1]
    better = reached >= target if name == "val_accuracy" or mode == "max" else reached <= target
    assert stop.reason == (f"{name} reached {target:g} in epoch {epochs}: it is {reached:g}" if better else None)


def test_a_monitor_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="StopAt monitors 'val_loss', which was not measured.*: accuracy, loss"):
        fit(StopAt(monitor="val_loss", target=1.0))
    with pytest.raises(ValueError, match="Pass `mode='max'`"):
        fit(Script("score", [1]), StopAt(monitor="score", target=1.0))


def clock(monkeypatch):
    """A clock that is a second later each time it is read."""
    seconds = iter(range(1000))
    monkeypatch.setattr(stop_at, "time", types.SimpleNamespace(monotonic=lambda: float(next(seconds))))


def test_time_is_summed_over_executions(monkeypatch):
    clock(monkeypatch)
    stop = StopAt(seconds=13)
    taken, history, _ = fit(stop)
    # An epoch takes 8 s for its steps, and 1 s from the last one to its end.
    assert taken == STEPS + 4 and len(history.epoch) == 2
    assert stop.reason == "the budget of 13 s is used" and stop.spent == 14


def test_time_is_summed_over_resumes(monkeypatch):
    clock(monkeypatch)
    whole, first, second = StopAt(seconds=20), StopAt(seconds=20), StopAt(seconds=20)
    taken, _, _ = fit(whole)
    before, _, _ = fit(first, epochs=1)
    restore = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: second.set_state(first.get_state()))
    after, _, _ = fit(second, restore, epochs=4, initial_epoch=1)
    assert (before + after, second.reason, second.spent) == (taken, whole.reason, whole.spent)
    assert taken == 2 * STEPS + 2


def test_the_first_reason_counts():
    stop = StopAt(monitor="loss", target=100.0, steps=STEPS)
    taken, _, _ = fit(stop)
    assert taken == STEPS and stop.reason == f"{STEPS} steps were taken"


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({}, "something to stop at"),
        ({"monitor": "loss"}, "go together"),
        ({"target": 1.0}, "go together"),
        ({"seconds": 0}, "seconds must be above 0"),
        ({"steps": 0}, "steps must be a whole number of at least 1"),
        ({"steps": 2.5}, "steps must be a whole number of at least 1"),
        ({"steps": 2, "mode": "up"}, "auto, min, max"),
    ],
)
def test_arguments_outside_their_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        StopAt(**arguments)


RECIPE = '''
import keras

import zoo
from callbacks.stop_at import StopAt
from zoo.data import images


def recipe(epochs=9):
    """Stops in its fourth epoch, and ends with an exponential average of its weights."""
    data = images("digits", 64)
    model = zoo.build("mlp", input_shape=(8, 8, 1), hidden=(16,))
    model.compile(
        keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    stop = StopAt(steps=3 * data.train.steps + 6)
    return zoo.Recipe(model, data, epochs, [keras.callbacks.SwapEMAWeights(), stop])
'''


def test_it_survives_a_resume(tmp_path, monkeypatch):
    (tmp_path / "stopped.py").write_text(RECIPE)
    options = dict(seed=3, steps_per_execution=3, export=False, pictures=False, verbose=0)
    whole = zoo.train("stopped.py", folder=tmp_path / "whole", **options)
    assert whole.metrics["epochs"] == 4
    assert int(whole.model.optimizer.iterations.numpy()) == 3 * runs.read(whole.folder)["steps"] + 6

    def look(self, batch, logs=None):
        if self.initial_epoch == 2:
            raise Stop

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(recorder, "SHARE", 1e9)
        patch.setattr(recorder.Recorder, "on_train_batch_end", look)
        zoo.train("stopped.py", folder=tmp_path / "run", **options)
    zoo.resume(tmp_path / "run", verbose=0)
    assert_same(tmp_path / "run", whole)
