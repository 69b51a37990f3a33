"""Early stopping against algorithm 7.1 of Goodfellow, Bengio and Courville 2016, at any execution, over resumes."""

import functools
import math

import keras
import numpy as np
import pytest
from test_resume import Stop, assert_same

import zoo
from callbacks.early_stopping import EarlyStopping
from zoo import checkpoint, recorder, runs, trainer

STEPS, RATE = 8, 0.125
X = np.ones((STEPS, 1), "float32")


@functools.cache
def compiled(k, metrics):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(
        keras.optimizers.SGD(RATE),
        lambda true, predicted: keras.ops.mean(predicted, axis=-1),
        metrics=list(metrics),
        steps_per_execution=k,
    )
    return model


def walker(k=1, *metrics):
    """A model whose only weight, and with it its loss, is -RATE times the number of steps taken."""
    model = compiled(k, metrics)
    model.set_weights([np.zeros((1, 1))])
    return model


def fit(model, callbacks, epochs=4, **options):
    options = {"batch_size": 1, "verbose": 0, **options}
    return model.fit(X, X, epochs=epochs, callbacks=callbacks, **options)


def weight(model):
    return float(model.get_weights()[0][0, 0])


class Script(keras.callbacks.Callback):
    """Says what the validation loss is."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


def algorithm(values, patience, sign=1.0, delta=0.0):
    """Algorithm 7.1: the number of evaluations until it stops, and that of the best one (None: there was none)."""
    best, found, waited = math.inf, None, 0
    for number, value in enumerate(values, 1):
        if sign * value < best - (delta if found else 0):
            best, found, waited = sign * value, number, 0
        else:
            waited += 1
        if waited == patience:
            return number, found
    return len(values), found


SCRIPTS = [
    [5, 4, 3, 2, 1, 0],
    [1, 2, 3, 4, 5, 6],
    [3, 2, 2.5, 2.2, 1, 1.5, 1.5, 1.5, 1.5],
    [3, 2, 2, 2, 2, 2],
    [3, 2.95, 2.9, 2.85, 2.8, 2.75, 2.7],
    [math.nan, 3, math.nan, 2, math.nan, math.nan, math.nan],
    [math.nan] * 5,
]


@pytest.mark.parametrize("values", SCRIPTS, ids=str)
@pytest.mark.parametrize(
    "patience, mode, delta", [(1, "min", 0), (2, "auto", 0), (3, "max", 0), (2, "min", 0.2), (2, "max", 0.2)]
)
def test_it_is_the_algorithm(values, patience, mode, delta):
    model = walker()
    stop = EarlyStopping(patience=patience, mode=mode, min_delta=delta)
    history = fit(model, [Script(values), stop], epochs=len(values))
    evaluations, best = algorithm(values, patience, -1.0 if mode == "max" else 1.0, delta)
    assert len(history.epoch) == evaluations
    assert stop.best_step == (None if best is None else best * STEPS)
    assert stop.best_epoch == (None if best is None else best - 1)
    assert stop.best == (None if best is None else values[best - 1])
    assert weight(model) == -RATE * STEPS * (best or evaluations)
    np.testing.assert_equal(stop.evaluations, [[(i + 1) * STEPS, v] for i, v in enumerate(values[:evaluations])])


def test_the_best_step_is_in_the_history():
    history = fit(walker(), [Script([3, 1, 2, 2]), EarlyStopping(patience=3)])
    assert history.history["best_step"] == [STEPS, 2 * STEPS, 2 * STEPS, 2 * STEPS]


def test_a_baseline_has_to_be_reached_within_the_patience():
    for baseline, epochs in ((0.5, 3), (3.5, 4)):
        stop = EarlyStopping(patience=3, baseline=baseline)
        history = fit(walker(), [Script([4, 3, 2, 1]), stop])
        assert (len(history.epoch), stop.best_step) == (epochs, epochs * STEPS)


def test_early_epochs_can_be_left_out():
    stop = EarlyStopping(patience=1, start_from_epoch=2)
    history = fit(walker(), [Script([0, 1, 5, 4, 6]), stop], epochs=5)
    assert (len(history.epoch), stop.best_step) == (5, 4 * STEPS)
    stop = EarlyStopping(patience=99, start_from_epoch=2, every=3, data=(X, X))
    fit(walker(), [stop])
    assert [step for step, _ in stop.evaluations] == [18, 21, 24, 27, 30]


@pytest.mark.parametrize("ties, best", [("first", 2), ("last", 4)])
def test_of_equally_good_weights_the_first_or_the_last_are_given_back(ties, best):
    model = walker()
    stop = EarlyStopping(patience=3, ties=ties)
    history = fit(model, [Script([3, 1, 2, 1, 2, 0]), stop], epochs=6)
    assert len(history.epoch) == 5  # a tie renews no patience
    assert stop.best_step == best * STEPS and weight(model) == -RATE * best * STEPS


def test_the_last_weights_are_kept_when_asked():
    model = walker()
    stop = EarlyStopping(patience=2, restore_best_weights=False)
    fit(model, [Script([1, 2, 3]), stop])
    assert stop.best_step == STEPS and weight(model) == -RATE * 3 * STEPS


@pytest.mark.parametrize(
    "k, every, steps",
    [
        (1, 3, [3, 6, 9, 12, 15]),
        (4, 3, [4, 8, 12, 16]),
        (4, 8, [8, 16]),
        (8, 5, [8, 16]),
        (2, 16, [16]),
        (1, 17, []),
    ],
)
def test_it_evaluates_at_the_first_end_of_an_execution_at_or_after_each_multiple(k, every, steps):
    for mode, best in (("min", -1), ("max", 0)):
        model = walker(k)
        stop = EarlyStopping(patience=99, every=every, mode=mode, data=lambda: (X[:3], X[:3]))
        fit(model, [stop], epochs=2)
        assert stop.evaluations == [[step, -RATE * step] for step in steps]
        assert stop.best_step == (steps[best] if steps else None)
        assert weight(model) == -RATE * (stop.best_step or 2 * STEPS)


def test_it_stops_inside_the_first_epoch():
    model = walker()
    stop = EarlyStopping(patience=2, every=2, mode="max", data=(X, X, X[:, 0]))
    history = fit(model, [stop])
    assert [step for step, _ in stop.evaluations] == [2, 4, 6] and history.epoch == [0]
    assert (stop.best_step, stop.best_epoch, weight(model)) == (2, 0, -RATE * 2)


def test_evaluating_inside_an_epoch_changes_nothing():
    def history(*callbacks):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(2)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"], steps_per_execution=4)
        x = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
        y = (x[:, :1] > 0).astype("int32")
        found = model.fit(x, y, batch_size=4, epochs=2, callbacks=list(callbacks), verbose=0, validation_data=(x, y))
        return found.history, model.get_weights()

    stop = EarlyStopping("val_accuracy", patience=99, every=3, data=(np.ones((5, 3)), np.ones((5, 1))))
    stop.restore_best_weights = False
    alone, weights = history()
    watched, weights_watched = history(stop)
    assert [step for step, _ in stop.evaluations] == [4, 8, 12, 16]
    assert {**watched, "best_step": None} == {**alone, "best_step": None}
    for a, b in zip(weights, weights_watched, strict=True):
        np.testing.assert_array_equal(a, b)


def test_moving_statistics_are_among_the_weights():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.BatchNormalization(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    seen = []
    look = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()))
    x = np.random.default_rng(0).normal(3.0, size=(STEPS, 1))
    model.fit(x, x, epochs=3, callbacks=[look, Script([2, 1, 3]), EarlyStopping(patience=9)], verbose=0)
    assert not np.array_equal(seen[1][2], seen[2][2])
    for own, best in zip(model.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(own, best)


def test_a_second_fit_starts_anew():
    model = walker()
    stop = EarlyStopping(patience=1)
    fit(model, [Script([1, 2, 3]), stop])
    fit(model, [Script([9, 8, 9]), stop])
    assert (stop.best, stop.best_step, stop.best_epoch, len(stop.evaluations)) == (8, 2 * STEPS, 1, 3)
    assert weight(model) == -RATE * 3 * STEPS  # one epoch's steps of the first fit, two epochs' of the second


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"patience": 0}, "patience must be a whole number of at least 1"),
        ({"mode": "least"}, "auto, min, max"),
        ({"every": 5}, "go together"),
        ({"data": (X, X)}, "go together"),
        ({"every": 0.5, "data": (X, X)}, "every must be a whole number"),
        ({"min_delta": -1}, "min_delta must be at least 0"),
        ({"ties": "both"}, "ties must be 'first' or 'last'"),
    ],
)
def test_arguments_outside_their_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**arguments)


def test_a_monitor_that_is_not_there_is_refused_at_the_first_evaluation():
    with pytest.raises(ValueError, match="'val_loss', which was not measured.*: loss, mae.*validation data"):
        fit(walker(1, "mae"), [EarlyStopping()])
    with pytest.raises(ValueError, match="'accuracy', which was not measured.*: val_loss, val_mae"):
        fit(walker(1, "mae"), [EarlyStopping("accuracy", every=2, data=(X, X))])

    def strange(true, predicted):
        return predicted

    with pytest.raises(ValueError, match="Pass `mode='max'`"):
        fit(walker(1, strange), [EarlyStopping("strange")])


OPTIONS = dict(seed=3, steps_per_execution=3, export=False, pictures=False, verbose=0)
RECIPE = '''
import keras

import zoo
from callbacks.early_stopping import EarlyStopping
from zoo.data import images


def recipe(epochs=12, patience=9):
    """Looks for the lowest accuracy, which the first evaluation has: so it is known when training stops."""
    data = images("digits", 64)
    model = zoo.build("mlp", input_shape=(8, 8, 1), hidden=(32,), dropout=0.2, batch_normalization=True)
    model.compile(
        keras.optimizers.Adam(0.05),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    stop = EarlyStopping("val_accuracy", 0.001, patience, mode="min", every=5, data=data.validation.once)
    return zoo.Recipe(model, data, epochs, [stop], ("val_accuracy", "min"))
'''


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "stopped.py"
    path.write_text(RECIPE)
    return str(path)


@pytest.fixture(scope="module")
def whole(recipe, tmp_path_factory):
    return zoo.train(recipe, folder=tmp_path_factory.mktemp("whole") / "run", **OPTIONS)


def test_it_survives_resumes(recipe, whole, tmp_path, monkeypatch):
    """Killed inside its last epoch, and after it."""
    assert [row["best_step"] for row in runs.history(whole.folder)] == [6, 6, 6]
    original = EarlyStopping.on_train_batch_end

    def stop(*_, **__):
        raise Stop

    def look(self, batch, logs=None):
        original(self, batch, logs)
        if self._epoch == 2 and batch > 2:
            raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(recorder, "SHARE", 1e9)
        with patch.context() as inside, pytest.raises(Stop):
            inside.setattr(EarlyStopping, "on_train_batch_end", look)
            zoo.train(recipe, folder=tmp_path / "run", **OPTIONS)
        with patch.context() as behind, pytest.raises(Stop):
            behind.setattr(trainer, "_finish", stop)
            zoo.resume(tmp_path / "run", verbose=0)
    zoo.resume(tmp_path / "run", verbose=0)
    assert_same(tmp_path / "run", whole)


def test_a_run_ends_with_the_best(whole):
    state = checkpoint.newest(whole.folder / "checkpoints")["state"]
    (stop,) = [values for name, values in state["holders"] if name == "EarlyStopping"]
    # An epoch has 21 steps, an execution 3.
    assert [step for step, _ in stop["evaluations"]] == [6, 12, 15, 21, 27, 30, 36, 42, 45, 51]
    assert whole.metrics["val_accuracy"] == pytest.approx(stop["best"])
    assert stop["best"] == stop["evaluations"][0][1]
