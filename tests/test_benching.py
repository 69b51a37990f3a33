"""`zoo bench`: rows of every task, the search for the best batch, and what becomes of processes that fail."""

import csv
import sys

import keras
import numpy as np
import pytest

import zoo
from zoo import benching, benching_subjects, benching_table, benching_worker, claims, cli, execution, registry, sources
from zoo.errors import ZooError
from zoo.pictures.costs import costs

# One of each task that trains, and of each form of element.
TASKS = ("multi_task", "surface", "vae", "unet_same", "gan", "cgan", "pix2pix", "srresnet", "lstm", "seq2seq")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A real benchmark of the smallest network, in a process of its own."""
    folder = tmp_path_factory.mktemp("bench") / "out"
    return folder, zoo.bench("perceptron", batches=[1, 2], seconds=0.01, to=folder, verbose=False)


def test_a_model_has_a_row_and_its_recipe_another(found):
    _, (row, recipe) = found
    assert row["model"] == recipe["model"] == "perceptron"
    assert (row["parameters"], row["macs"], row["input"]) == (7850, 7840, "28 x 28 x 1")
    for what in ("inference", "training"):
        assert 1 < row[f"{what}_1"] <= row[what] and row[f"{what}_batch"] in (1, 2)
        assert 0 <= row[f"{what}_mib"] < 1000
    assert row["compiled"] == "perceptron_digits" and row["note"] is None
    assert recipe["recipe"] == "perceptron_digits" and recipe["data"] == "digits"
    assert (recipe["accuracy"], recipe["macs"]) == (claims.claim("perceptron_digits").accuracy, 640)
    assert recipe["training"] is None


def test_the_table_the_file_and_the_picture(found):
    folder, rows = found
    with open(folder / "bench.csv", newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert [row["model"] for row in read] == ["perceptron", "perceptron"]
    assert float(read[0]["inference_1"]) == rows[0]["inference_1"] and read[0]["seconds"] == "0.01"
    assert (folder / "bench.png").stat().st_size > 5000
    said = benching_table.text(rows)
    assert "7,840" in said and "96.85 ± 0.85" in said and "rounds of 0.01 s" in said


def test_what_is_there_is_not_overwritten(found, capsys):
    folder, _ = found
    assert cli.main(["bench", "perceptron", "--to", str(folder)]) == 2
    assert "bench.csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(models=["lenett"]), "Did you mean 'lenet'"),
        (dict(models=["resnt*"]), "no model named 'resnt"),
        (dict(models=["mlp"], batches=[0]), "batches"),
        (dict(models=["mlp"], seconds=0), "seconds"),
        (dict(models=["mlp"], limit=-1), "limit"),
        (dict(models=["mlp"], precision="half"), "precision"),
    ],
)
def test_mistakes_are_told_before_anything_is_measured(arguments, words):
    with pytest.raises(ZooError, match=words):
        zoo.bench(**arguments, verbose=False)


def test_patterns_the_default_and_models_of_this_process_alone(monkeypatch):
    assert benching._names(["lenet*", "lenet5"]) == ["lenet", "lenet5"]
    assert set(benching._names(())) == set(benching.DEFAULT) <= set(zoo.list_models())
    entry = registry.Entry("mine", "mine", "classification", "none", "none", 1, "mine")
    monkeypatch.setattr(registry, "_entries", {**registry._table(), "mine": entry})
    with pytest.raises(ZooError, match="registered by this process"):
        benching._names(["mine"])


@pytest.mark.parametrize(
    "code, words",
    [
        ("import time; time.sleep(60)", "stopped after 0.5 s"),
        ("import os; os.kill(os.getpid(), 9)", "out of memory"),
        ("import os; os.kill(os.getpid(), 11)", "SIGSEGV"),
        ("raise ValueError('of some kind')", "failed: ValueError: of some kind"),
        ("", None),
    ],
)
def test_how_a_process_ended_is_told_in_words(code, words):
    said = benching._run([sys.executable, "-c", code], 0.5 if "sleep" in code else 60)
    assert said == words if words is None else words in said


def test_what_was_measured_before_a_process_ended_is_kept(monkeypatch):
    def killed(command, limit):
        specification = benching.json.loads(command[-1])
        with open(specification["to"], "w") as file:
            file.write('{"macs": 7}\n{"what": "inference", "batch": 1, "rate": 5.0, "mib": 1.0}\n')
            file.write('{"what": "inference", "batch": 8, "rate": 9.0, "mib": 2.0}\n')
            file.write('{"what": "inference", "batch": 16, "rate": 8.0, "mib": 3.0}\n{"what": "trai')
        return "stopped after 3 s"

    monkeypatch.setattr(benching, "_run", killed)
    (row,) = benching._measured("resnet152", dict(batches=None, seconds=0.1, precision="float32"), 3)
    assert (row["inference_1"], row["inference"], row["inference_batch"], row["inference_mib"]) == (5.0, 9.0, 8, 2.0)
    assert row["training"] is None and row["note"] == "stopped after 3 s" and row["macs"] == 7
    assert "stopped after 3 s" in benching_table.text([row]) and "9.00 (8)".replace(".00", "") in benching_table.text(
        [row]
    )


def _searched(rates, batches=None):
    said = []

    def rate(size):
        value = rates(size)
        if isinstance(value, Exception):
            raise value
        return value

    benching_worker._search(rate, "inference", batches, 0, lambda **found: said.append(found))
    return said


def test_batches_are_doubled_until_two_in_a_row_bring_nothing():
    assert [part["batch"] for part in _searched(lambda size: min(size, 8))] == [1, 2, 4, 8, 16, 32]
    # One disturbed round does not end the search.
    assert _searched(lambda size: 1 if size == 4 else min(size, 16))[-1]["batch"] == 64
    assert [part["batch"] for part in _searched(lambda size: 1, [3, 7, 9])] == [3, 7, 9]


def test_memory_that_runs_out_ends_the_search(monkeypatch):
    said = _searched(lambda size: MemoryError("no room") if size == 4 else size)
    assert said[-1] == {"note": "inference: out of memory at a batch of 4"} and said[-2]["batch"] == 2
    with pytest.raises(ValueError):
        _searched(lambda size: ValueError("something else"))
    peaks = iter([0, 10, 10, 30, 30, 90, 90, 90])
    monkeypatch.setattr(benching_worker, "_peak", lambda: next(peaks))
    monkeypatch.setattr(benching_worker, "_free", lambda: 100)
    assert "memory is short" in _searched(lambda size: size)[-1]["note"]


@pytest.mark.parametrize("name", TASKS)
def test_every_task_trains_on_its_random_examples(name, monkeypatch):
    monkeypatch.setattr(execution, "STEPS", 3)
    monkeypatch.setattr(benching_worker, "ROUNDS", 1)
    entry = registry.entry(name)
    model = zoo.build(name, **entry.tiny)
    *_, (whose, compiled) = benching_subjects.compilations(model, registry.Entry(**{**vars(entry), "name": "none"}))
    compiled()
    assert whose == "standard"
    model.run_eagerly = True  # nothing is worth a trace
    training = benching_worker.Training(model, entry.task, 0.0)
    training.model.steps_per_execution = 1
    assert training(2) > 0
    assert benching_worker._rate(model, benching_subjects.inputs(model, 2), 0.0) > 0


def test_an_agent_says_why_its_training_is_not_measured():
    entry = registry.entry("dqn")
    model = zoo.build("dqn", **entry.tiny)
    assert benching_subjects.inputs(model, 2)[0].shape == (2, 4)
    with pytest.raises(ZooError, match="environment"):
        benching_subjects.stream(model, entry.task, 2)


def test_recipes_are_built_without_their_data(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    network = benching_subjects.built("mlp_mnist").model
    assert network.input_shape == (None, 28, 28, 1) and network.compiled
    with pytest.raises(ZooError):
        benching_subjects.built("lstm_shakespeare")
    model = zoo.build("mlp")
    (whose, compiled), standard = benching_subjects.compilations(model, registry.entry("mlp"))
    compiled()
    assert whose == "mlp_digits" and standard[0] == "standard"
    assert isinstance(model.optimizer, keras.optimizers.Adam)


def test_claims_are_those_of_whole_sets():
    known = {name: claims.claim(name) for name in sources.recipes()}
    assert known["resnet20_cifar10"].deviation is None
    assert known["regularisation_digits"] is None, "it trains on 200 images"
    assert known["dqn_cartpole"] is None
    assert len([claim for claim in known.values() if claim]) > 15


def test_the_picture_takes_any_cost():
    row = dict(recipe="a", data="digits", accuracy=99.0, deviation=None, macs=1e6, parameters=10, inference_1=50.0)
    points = {cost: costs([row], cost).axes[0].lines[0].get_xdata()[0] for cost in ("macs", "parameters", "ms")}
    assert points == {"macs": 1e6, "parameters": 10, "ms": 20.0}
    assert np.isclose(costs([row]).axes[0].lines[0].get_ydata()[0], 99.0)
