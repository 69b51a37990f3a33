"""Training anew on training and validation data, for the number of steps that was best."""

import numpy as np
import pytest

import zoo
from callbacks import Schedule, linear
from zoo import cli, recipe, retraining, runs, trainer
from zoo.data import Stream, images

SOURCE = '''
import keras
import zoo
from callbacks import EarlyStopping, Schedule, linear
from zoo.data import images


def recipe(epochs=12, rate=0.5, early=True):
    """Args:
        epochs: passes.
        rate: of SGD.
        early: whether to stop early.
    """
    model = zoo.build("perceptron", input_shape=(8, 8, 1))
    model.compile(keras.optimizers.SGD(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    calls = [Schedule("learning_rate", linear(rate, 0.0))]
    if early:
        calls.append(EarlyStopping("val_loss", patience=1, min_delta=0.05))
    return zoo.Recipe(model, images("digits", 32), epochs, calls)
'''


@pytest.fixture
def run(tmp_path):
    (tmp_path / "mine.py").write_text(SOURCE)
    return zoo.train("mine.py", folder="first", export=False, pictures=False, verbose=0)


def test_as_many_steps_as_were_best_on_all_the_data(run, capsys):
    best = run.metrics["best_step"]
    steps = runs.read(run.folder)["steps"]
    assert 0 < best < 12 * steps and best == run.metrics["best_epoch"] * steps
    assert cli.main(["retrain", str(run.folder), "--to", "second"]) == 0
    record, again = runs.read("second"), zoo.load("second")
    assert record["retrain"] == best and record["data"].keys() == {"train", "test"}
    assert int(again.optimizer.iterations.numpy()) == best
    data = images("digits", 32, seed=0)
    assert record["steps"] == -(-(data.train.size + data.validation.size) // 32)
    # The rate's curve is the first run's, over the steps that were planned.
    rate = runs.history("second")[-1]["learning_rate"]
    np.testing.assert_allclose(rate, 0.5 * (1 - (best - 1) / (12 * steps)), rtol=1e-4)
    metrics = runs.metrics("second")
    assert "test_loss" in metrics and not any(key.startswith("val_") for key in metrics)
    assert zoo.evaluate("second")["test_loss"] == metrics["test_loss"]


def test_a_retraining_that_was_stopped_goes_on_to_the_same_bits(run, monkeypatch):
    whole = zoo.retrain(run.folder, to="whole", verbose=0).model.get_weights()
    original = trainer.Recorder.on_epoch_end

    def stop(self, epoch, logs=None):
        original(self, epoch, logs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(trainer.Recorder, "on_epoch_end", stop)
        zoo.retrain(run.folder, to="part", verbose=0)
    resumed = zoo.resume("part", verbose=0).model.get_weights()
    for a, b in zip(whole, resumed, strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_early_stopping_there_is_no_number_to_take(tmp_path):
    (tmp_path / "mine.py").write_text(SOURCE)
    zoo.train("mine.py", folder="run", early=False, epochs=1, export=False, pictures=False, verbose=0)
    with pytest.raises(zoo.ZooError, match="no callbacks.EarlyStopping"):
        zoo.retrain("run")
    with pytest.raises(zoo.ZooError, match="retrain must be .*at least 1"):
        zoo.train("mine.py", retrain=0)


def test_a_recipe_without_validation_data_is_refused():
    built = recipe.find("mlp_digits").module.recipe()
    without = zoo.Recipe(built.model, zoo.Data(built.data.train, test=built.data.test), 1)
    with pytest.raises(zoo.ZooError, match="this recipe has none"):
        retraining.with_validation_data(without, 10)


def test_a_schedule_with_epochs_of_its_own_keeps_its_steps():
    built = recipe.find("mlp_digits").module.recipe(batch_size=32)
    schedule = Schedule("learning_rate", linear(0.1, 0.0), epochs=4)
    changed = retraining.with_validation_data(zoo.Recipe(built.model, built.data, 10, (schedule,)), 30)
    assert schedule.epochs * changed.data.train.steps == pytest.approx(4 * built.data.train.steps)


def test_streams_are_joined_only_if_they_fit():
    images_, labels = np.zeros((4, 2, 2, 1), "uint8"), np.arange(4)
    one = Stream((images_, labels), 2, seed=1)
    both = one.joined(Stream((images_[:3] + 1, labels[:3]), 8, seed=9))
    assert (both.size, both.batch_size, both.seed) == (7, 2, 1)
    np.testing.assert_array_equal(both.arrays[1], [0, 1, 2, 3, 0, 1, 2])
    with pytest.raises(zoo.ZooError, match="cannot be joined"):
        one.joined(Stream((images_, labels.astype("float32")), 2, seed=1))
