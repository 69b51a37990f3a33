"""Searches whose trials really train, each in a process of its own."""

import json

import pytest

import zoo
from zoo import runs
from zoo.search import records, tuning, worker

RECIPE = '''"""A small network on the digits."""

import keras

import zoo


def search(hp):
    return dict(learning_rate=hp.Float("learning_rate", 1e-3, 1e-2, sampling="log", default=0.003))


def recipe(epochs=3, learning_rate=0.003, units=8):
    """One hidden layer.

    Args:
        epochs: passes over the data.
        learning_rate: Adam's.
        units: of the hidden layer.
    """
    model = zoo.build("mlp", input_shape=(8, 8, 1), hidden=(units,))
    model.compile(keras.optimizers.Adam(learning_rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return zoo.Recipe(model, zoo.data.images("digits", 32), epochs)
'''


@pytest.fixture
def small(own_folder):
    (own_folder / "small.py").write_text(RECIPE)
    return "small.py"


def test_two_workers_and_a_chief(small, capfd):
    found = zoo.tune(small, trials=3, parallel=2, epochs=1)
    assert [record["status"] for record in found.trials] == ["complete"] * 3
    assert len({record["values"]["learning_rate"] for record in found.trials}) == 3
    for record in found.trials:
        home = records.run_of(found.folder, record["id"])
        metrics, record_of_run = runs.metrics(home), runs.read(home)
        assert record["score"] == metrics["val_loss"]
        assert not any(key.startswith("test") for key in metrics), "a search does not look at the test data"
        assert record_of_run["hyper"]["epochs"] == 1 and not record_of_run["test"]
    assert found.best["score"] == min(record["score"] for record in found.trials)
    said = capfd.readouterr().out
    assert said.count("learning_rate 0.0") == 3 and "3 trials: 3 complete." in said


def test_a_trial_that_was_killed_goes_on_to_the_same_bits_and_the_winner_is_that_run(small, monkeypatch):
    monkeypatch.setattr(tuning, "_described", lambda asked: {"objective": ["val_loss", "min"], "epochs": 30})
    seen, show = [], worker.Tuner._show

    def killed(self, name, scores):
        seen.append(len(scores))
        if len(scores) >= 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(worker.Tuner, "_show", killed)
    with pytest.raises(KeyboardInterrupt):
        zoo.tune(small, trials=1, epochs=30, seed=3)
    folder = runs.root() / "tune" / "small-1"
    assert not records.read(folder) and runs.metrics(records.run_of(folder, "0")) is None
    done = len(runs.history(records.run_of(folder, "0")))
    assert 2 <= done < 30
    monkeypatch.setattr(worker.Tuner, "_show", show)
    found = zoo.tune(small, resume=True)
    assert found.best["epochs"] == 30 and "resume" not in json.dumps(found.best)
    again = zoo.train(found.recipe, seed=3, export=False, pictures=False, verbose=0)
    assert again.metrics["val_loss"] == found.best["score"]
    columns = ("loss", "val_loss")
    histories = [runs.history(home) for home in (again.folder, records.run_of(folder, "0"))]
    assert [[row[c] for c in columns] for row in histories[0]] == [[row[c] for c in columns] for row in histories[1]]
