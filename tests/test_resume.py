"""Exact resume: a run that was killed and continued is, to the bit, the run that was not."""

import random
import signal
import time

import numpy as np
import pytest

import zoo
from zoo import checkpoint, preparation, recorder, runs, trainer
from zoo.errors import ZooError

RECIPE = '''
import keras

import zoo
from callbacks import ReduceOnPlateau, Schedule, cosine, warmup
from zoo.data import affine, images


def recipe(epochs=12, patience=3, dropout=0.2, scheduled=False):
    """A small network with everything that has a state: dropout, moments, moving averages, early stopping, plateau."""
    data = images("digits", 64, augment=[affine(rotation=10)])
    model = zoo.build("mlp", input_shape=(8, 8, 1), hidden=(32,), dropout=dropout, batch_normalization=True)
    model.compile(
        keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    curve = Schedule("learning_rate", warmup(0.2, cosine(0.01)))
    # A min_delta that decides, so that one whose sign is lost shows.
    reduce = ReduceOnPlateau(patience=1, factor=0.5, min_delta=0.05)
    callbacks = [
        *([curve] if scheduled else []),
        reduce,
        keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True),
    ]
    return zoo.Recipe(model, data, epochs, callbacks, ("val_accuracy", "max"))
'''
QUICK = dict(export=False, pictures=False, verbose=0)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "small.py"
    path.write_text(RECIPE)
    return str(path)


@pytest.fixture(scope="module")
def whole(recipe, tmp_path_factory):
    """A run that was never interrupted."""
    return zoo.train(recipe, seed=3, folder=tmp_path_factory.mktemp("whole") / "run", **QUICK)


def assert_same(folder, whole):
    """Weights, optimizer, metrics and history are equal to the bit; every epoch stands once in the history."""
    mine, theirs = (checkpoint.newest(run / "checkpoints")["state"] for run in (folder, whole.folder))
    assert mine["random"]["python"] == theirs["random"]["python"]
    for a, b in zip(mine["variables"], theirs["variables"], strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(zoo.load(folder).weights, zoo.load(whole.folder).weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    a, b = runs.history(folder), runs.history(whole.folder)
    assert [row["epoch"] for row in a] == list(range(1, len(b) + 1))
    assert [{**row, "seconds": 0} for row in a] == [{**row, "seconds": 0} for row in b]
    mine, theirs = runs.metrics(folder), runs.metrics(whole.folder)
    assert {**mine, "seconds": 0} == {**theirs, "seconds": 0}


class Stop(Exception):
    pass


@pytest.mark.parametrize("moment", ["train_batch", "epoch_end", "checkpoint", "after_fit"])
def test_a_run_stopped_at_any_stage_continues_to_the_same_bits(recipe, whole, tmp_path, monkeypatch, moment):
    folder = tmp_path / "run"

    def stop(*_, **__):
        raise Stop

    with monkeypatch.context() as patch:
        if moment == "train_batch":
            patch.setattr(recorder, "SHARE", 1.0)
            counted = iter(range(1000))
            patch.setattr(
                recorder.Recorder,
                "on_train_batch_end",
                lambda *_, **__: stop() if next(counted) == 4 * len(whole_steps(whole)) + 2 else None,
            )
        elif moment == "epoch_end":
            original = recorder.Recorder.on_epoch_end
            patch.setattr(
                recorder.Recorder, "on_epoch_end", lambda s, e, logs: original(s, e, logs) or (e == 5 and stop())
            )
        elif moment == "checkpoint":
            original = recorder.checkpoint.save
            patch.setattr(recorder.checkpoint, "save", lambda f, e, s: stop() if e >= 4 else original(f, e, s))
        else:
            patch.setattr(trainer, "_finish", stop)
        with pytest.raises(Stop):
            zoo.train(recipe, seed=3, folder=folder, **QUICK)
    assert runs.metrics(folder) is None
    zoo.resume(folder, verbose=0)
    assert_same(folder, whole)


def whole_steps(whole):
    """Executions of one epoch, as numbers."""
    record = runs.read(whole.folder)
    built = preparation.rebuild(whole.folder)
    return range(built.data.train.steps // record["execution"]["steps_per_execution"])


def test_a_killed_process_continues_to_the_same_bits(recipe, whole, tmp_path, pythons):
    """The command, killed with SIGKILL at random moments until it is done."""
    folder = tmp_path / "run"
    chance = random.Random(0)
    command = ["train", recipe, "--seed", "3", "--no-export", "--folder", str(folder)]
    kills = 0
    while runs.metrics(folder) is None:
        process = pythons.start("import sys; from zoo.cli import main; sys.exit(main(sys.argv[1:]))", *command)
        if kills < 3:
            wanted = chance.randint(1, 3)
            begun = len(runs.history(folder))
            while process.running() and len(runs.history(folder)) < begun + wanted:
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.05))
            process.kill()
            kills += 1
        status, said = process.wait()
        assert status in (0, -signal.SIGKILL), said
        if folder.is_dir():
            command = ["resume", str(folder)]
    assert kills
    assert_same(folder, whole)


def test_ctrl_c_leaves_a_run_that_can_be_resumed(recipe, whole, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "run"
    original = recorder.Recorder.on_epoch_end

    def interrupt(self, epoch, logs=None):
        if epoch == 2:
            signal.raise_signal(signal.SIGINT)
        original(self, epoch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(recorder.Recorder, "on_epoch_end", interrupt)
        with pytest.raises(recorder.Interrupted):
            zoo.train(recipe, seed=3, folder=folder, export=False, pictures=False, verbose=2)
    assert f"zoo resume {folder}" in capsys.readouterr().out
    assert list((folder / "checkpoints").glob("epoch-000003.ckpt"))
    zoo.resume(folder, verbose=0)
    assert_same(folder, whole)


def test_a_run_in_pieces_is_the_run_in_one(recipe, whole, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(recorder.Interrupted):
        zoo.train(recipe, seed=3, folder=folder, export=False, verbose=0, test=False, until=2)
    assert len(runs.history(folder)) == 2 and runs.metrics(folder) is None
    with pytest.raises(recorder.Interrupted):
        zoo.resume(folder, verbose=0, until=3)
    with pytest.raises(ZooError, match="until must be a whole number of epochs above the 3 that are done"):
        zoo.resume(folder, verbose=0, until=3)
    metrics = zoo.resume(folder, verbose=0).metrics
    found = zoo.evaluate(folder)
    assert found == {key: value for key, value in metrics.items() if key.startswith("val_")}
    seen = {key: value for key, value in whole.metrics.items() if not key.startswith("test_")}
    assert {**metrics, "seconds": 0} == {**seen, "seconds": 0}, "nothing of the test data where it may not be looked at"


def test_no_run_is_begun_that_would_end_before_its_first_epoch(recipe, tmp_path):
    with pytest.raises(ZooError, match="until must be"):
        zoo.train(recipe, folder=tmp_path / "run", until=0)
    assert not (tmp_path / "run").exists()


def test_a_schedule_continues_on_its_curve(recipe, tmp_path, monkeypatch):
    options = dict(seed=3, epochs=4, scheduled=True, **QUICK)
    whole = zoo.train(recipe, folder=tmp_path / "whole", **options)
    original = recorder.Recorder.on_epoch_end

    def stop(self, epoch, logs=None):
        original(self, epoch, logs)
        if epoch == 1:
            raise Stop

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(recorder, "SHARE", 1e9)
        patch.setattr(recorder.Recorder, "on_epoch_end", stop)
        zoo.train(recipe, folder=tmp_path / "run", **options)
    assert list((tmp_path / "run" / "checkpoints").glob("epoch-000002.ckpt"))
    zoo.resume(tmp_path / "run", verbose=0)
    assert_same(tmp_path / "run", whole)


def test_a_complete_run_is_read_back(whole, capsys):
    result = zoo.resume(whole.folder)
    assert result.metrics == runs.metrics(whole.folder)
    assert "complete" in capsys.readouterr().out


def test_changed_data_is_refused(recipe, whole, tmp_path):
    import json
    import shutil

    folder = tmp_path / "run"
    shutil.copytree(whole.folder, folder)
    record = runs.read(folder)
    record["data"]["train"] = "0" * 64
    (folder / "recipe.json").write_text(json.dumps(record))
    with pytest.raises(zoo.ZooError, match="data has changed .*: train"):
        zoo.evaluate(folder)


def test_a_run_killed_between_export_and_its_last_file_is_finished(tmp_path):
    whole = zoo.train("perceptron_digits", folder=tmp_path / "run", epochs=1, pictures=False, verbose=0)
    (tmp_path / "run" / "metrics.json").unlink()
    again = zoo.resume(tmp_path / "run", verbose=0)
    assert {**again.metrics, "seconds": 0} == {**whole.metrics, "seconds": 0}
    assert (tmp_path / "run" / "savedmodel" / "saved_model.pb").is_file()
