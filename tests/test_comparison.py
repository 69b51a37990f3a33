"""A study: table, picture, and going on where it was killed."""

import csv
import statistics

import pytest

import zoo
from zoo import comparison, runs, trainer


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "rates"
    rows = zoo.compare(
        "perceptron_digits", {"learning_rate": [0.001, 0.01]}, seeds=2, folder=folder, verbose=0, epochs=2
    )
    (folder / "table.md").rename(folder / "without-test.md")
    zoo.compare(
        "perceptron_digits", {"learning_rate": [0.001, 0.01]}, seeds=2, folder=folder, test=True, verbose=0, epochs=2
    )
    return folder, rows


def test_the_table_holds_mean_and_deviation_over_the_seeds(study):
    folder, rows = study
    assert [row["setting"] for row in rows] == [{"learning_rate": 0.001}, {"learning_rate": 0.01}]
    measured = [runs.metrics(folder / "learning_rate=0.01" / f"seed-{seed}")["test_accuracy"] for seed in (0, 1)]
    assert rows[1]["test_accuracy"] == (statistics.fmean(measured), statistics.stdev(measured))
    assert rows[1]["val_accuracy"][0] > rows[0]["val_accuracy"][0]
    table = (folder / "table.md").read_text()
    assert f"{statistics.fmean(measured):.4f} ± {statistics.stdev(measured):.4f}" in table
    assert "test_" not in (folder / "without-test.md").read_text(), "what varies is chosen on validation data"
    assert (folder / "compare.png").stat().st_size > 5000


def test_seeds_differ_and_repeat(study):
    folder, _ = study
    histories = [runs.history(folder / "learning_rate=0.01" / f"seed-{seed}") for seed in (0, 1)]
    assert histories[0][-1]["loss"] != histories[1][-1]["loss"]
    again = zoo.train(
        "perceptron_digits", seed=1, learning_rate=0.01, epochs=2, export=False, pictures=False, verbose=0
    )
    assert runs.history(again.folder)[-1]["loss"] == histories[1][-1]["loss"]


def test_a_killed_study_goes_on_where_it_was(study, tmp_path, monkeypatch):
    _, rows = study
    trained = []
    original = trainer.train

    def train(*arguments, **named):
        if len(trained) == 3:
            raise KeyboardInterrupt
        trained.append(named["folder"])
        return original(*arguments, **named)

    options = dict(vary={"learning_rate": [0.001, 0.01]}, seeds=2, folder=tmp_path / "study", verbose=0, epochs=2)
    with monkeypatch.context() as patch:
        patch.setattr(comparison.trainer, "train", train)
        with pytest.raises(KeyboardInterrupt):
            zoo.compare("perceptron_digits", **options)
    monkeypatch.setattr(comparison.trainer, "train", lambda *a, **n: trained.append(n["folder"]) or original(*a, **n))
    again = zoo.compare("perceptron_digits", **options)
    assert len(trained) == 4, "finished runs are kept"
    strip = [{key: value for key, value in row.items() if key != "seconds"} for row in rows]
    assert [{key: value for key, value in row.items() if key != "seconds"} for row in again] == strip


def test_more_seeds_add_to_a_study_and_another_study_is_refused(study):
    folder, _ = study
    with pytest.raises(zoo.ZooError, match="holds another study"):
        zoo.compare("perceptron_digits", {"learning_rate": [0.01]}, seeds=1, folder=folder, verbose=0, epochs=3)
    with pytest.raises(zoo.ZooError, match="no hyper-parameter 'rate' to vary"):
        zoo.compare("perceptron_digits", {"rate": [1]}, verbose=0)
    with pytest.raises(zoo.ZooError, match="seeds must be"):
        zoo.compare("perceptron_digits", seeds=0, verbose=0)


def test_history_of_a_study_is_readable_as_csv(study):
    folder, _ = study
    with open(folder / "learning_rate=0.01" / "seed-0" / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]


def test_a_run_that_diverges_is_counted_and_the_study_goes_on(tmp_path):
    rows = zoo.compare(
        "table",
        {"learning_rate": [1e30, 0.01]},
        seeds=1,
        folder=tmp_path / "study",
        verbose=0,
        data="diabetes",
        epochs=2,
    )
    assert [(row["n"], row["diverged"]) for row in rows] == [(0, 1), (1, 0)]
    lines = (tmp_path / "study" / "table.md").read_text().splitlines()
    assert lines[0].startswith("| learning_rate | n | diverged |") and lines[2].startswith("| 1e+30 | 0 | 1 | – |")
