"""Searches without training: what is proposed, recorded, kept, resumed; each trial's process is stood in for."""

import ast
import importlib.util
import inspect
import json
import re
import subprocess
import sys

import keras_tuner
import pytest

import zoo
from zoo import recorder, runs, trainer
from zoo.errors import ZooError
from zoo.search import lifeline, median, oracles, records, trial, tuning, winner, worker

RECIPE = '''"""Nothing is trained.

zoo train fake.py
"""


def search(hp):
    width, layers = hp.Int("width", 8, 32, step=8, default=16), hp.Int("layers", 1, 2, default=1)
    return dict(
        x=hp.Float("x", 0.0, 1.0, default=0.9),
        hidden=(width,) * layers,
        kind=hp.Choice("kind", ["a", "b"], default="b"),
    )


def recipe(epochs=9, x=0.9, hidden=(16,), kind="b"):
    """Never called."""
'''
SETTINGS = {
    "recipe": "fake.py",
    "hyper": {},
    "options": {},
    "tuner": "random",
    "seed": 0,
    "trials": 6,
    "parallel": 1,
    "budget": None,
    "limit": None,
    "keep": 3,
    "stop": "median",
    "objective": ["val_loss", "min"],
    "epochs": 9,
}


def loss(hyper, epochs):
    """What a run of the recipe would have: best at x = 0.3."""
    return (hyper["x"] - 0.3) ** 2 + 1 / epochs


@pytest.fixture
def search(own_folder, monkeypatch):
    """A function that runs a search, each trial's run folder written at once; `trained` lists what was asked for."""
    (own_folder / "fake.py").write_text(RECIPE)
    monkeypatch.setattr(worker, "PAUSE", 0.0)
    trained, real = [], worker.Tuner._train

    def train(self, name, hyper, until):
        home, last = records.run_of(self.folder, name), until or self.settings["epochs"]
        trained.append((name, hyper, len(runs.history(home)), last))
        (home / "checkpoints").mkdir(parents=True, exist_ok=True)
        runs.write_history(home, [{"epoch": k, "val_loss": loss(hyper, k)} for k in range(1, last + 1)])
        if until:
            return "stopped", ""
        (home / "metrics.json").write_text(json.dumps({"val_loss": loss(hyper, last)}))
        return "complete", ""

    monkeypatch.setattr(worker.Tuner, "_train", train)

    def run(said=None, **changes):
        records.write_settings("s", {**SETTINGS, **changes})
        worker.work("s", (said if said is not None else []).append)
        return records.read("s")

    run.trained, run.real = trained, real
    return run


@pytest.mark.parametrize("tuner", ["random", "bayesian", "hyperband", "grid"])
def test_every_search_begins_with_the_defaults_and_finds_better(tuner, search):
    trials = {"hyperband": None, "grid": 5, "bayesian": 13}.get(tuner, 6)
    said = []
    found = search(said, tuner=tuner, trials=trials)
    assert found[0]["hyper"] == {"x": 0.9, "hidden": [16], "kind": "b"}
    assert len(found) == len(said) == (trials or oracles.count(worker.Tuner("s").oracle))
    best = records.ranked(found, "min")[0]
    assert best["score"] < found[0]["score"] or tuner in ("grid", "hyperband")
    assert len({json.dumps(record["values"]) for record in found if record["epochs"] == found[0]["epochs"]}) > 3
    table = (runs.Path("s") / "trials.csv").read_text().splitlines()
    assert table[0] == "id,score,status,reason,epochs,seconds,width,layers,x,kind" and len(table) == len(found) + 1


def test_hyperband_goes_on_with_the_best_from_where_they_were(search):
    found = search(tuner="hyperband", trials=None)
    promoted = [entry for entry in search.trained if entry[2]]
    assert promoted and all(before < last for _, _, before, last in promoted)
    rung = [record for record in found[:9] if record["epochs"] == 1]
    second = [record for record in found if record["epochs"] == 3][:3]
    best = [record["values"] for record in records.ranked(rung, "min", ("stopped",))[:3]]
    assert [record["values"] for record in second] == best
    assert {record["status"] for record in found if record["epochs"] == 9} == {"complete"}


def test_a_grid_has_each_cell_once_also_when_it_was_stopped_in_between(search, own_folder):
    (own_folder / "fake.py").write_text(RECIPE.replace('hp.Float("x", 0.0, 1.0, default=0.9)', "0.9"))
    assert len(search(tuner="grid", trials=7)) == 7
    found = search(tuner="grid", trials=None)
    cells = {json.dumps(record["values"], sort_keys=True) for record in found}
    assert len(found) == len(cells) == 4 * 2 * 2


def test_a_search_that_was_killed_goes_on_with_the_trial_that_it_was_in(search, monkeypatch):
    whole = search()
    values = [record["values"] for record in whole]
    train = worker.Tuner._train
    runs.shutil.rmtree("s")

    def killed(self, name, hyper, until):
        if name == "3":
            raise KeyboardInterrupt
        return train(self, name, hyper, until)

    monkeypatch.setattr(worker.Tuner, "_train", killed)
    with pytest.raises(KeyboardInterrupt):
        search()
    assert [record["id"] for record in records.read("s")] == ["0", "1", "2"]
    monkeypatch.setattr(worker.Tuner, "_train", train)
    assert [record["values"] for record in search()] == values


def test_trials_that_fail_are_recorded_and_the_search_goes_on(search, monkeypatch, capfd):
    train = worker.Tuner._train

    def some_fail(self, name, hyper, until):
        return ("failed", "the loss became NaN") if name in "123" else train(self, name, hyper, until)

    monkeypatch.setattr(worker.Tuner, "_train", some_fail)
    said = []
    found = search(said)
    assert [record["status"] for record in found] == ["complete", *["failed"] * 3, *["complete"] * 2]
    assert found[1]["reason"] == "the loss became NaN" and found[1]["score"] is None
    assert "failed" in said[1] and "the loss became NaN" in said[1]
    assert "Traceback" not in capfd.readouterr().err


def test_a_search_in_which_nothing_works_ends_early_and_says_why(search, monkeypatch):
    monkeypatch.setattr(worker.Tuner, "_train", lambda *_: ("failed", "no such data"))
    with pytest.raises(ZooError, match="first 5 trials all failed.*no such data"):
        search(trials=30)
    assert len(records.read("s")) == 5


def test_a_defect_of_the_search_itself_is_not_taken_for_a_failed_trial(search, monkeypatch):
    monkeypatch.setattr(worker.Tuner, "_train", lambda *_: 1 / 0)
    with pytest.raises(worker.Defect, match="division by zero"):
        search()


def test_the_budget_ends_a_search_and_a_larger_one_goes_on(search, monkeypatch):
    clock = iter(range(0, 10_000, 3))
    monkeypatch.setattr(worker.time, "monotonic", lambda: float(next(clock)))
    said = []
    few = search(said, trials=30, budget=60.0)
    assert 0 < len(few) < 10 and said[-1] == "The budget of 60 s is used up."
    assert len(search(trials=30, budget=120.0)) > len(few)


def test_only_the_best_keep_what_is_large(search):
    found = search(keep=2, trials=8)
    kept = {path.parent.name for path in runs.Path("s/trials").glob("*/checkpoints")}
    assert kept == {record["id"] for record in records.ranked(found, "min")[:2]}
    assert all((runs.Path("s/trials") / record["id"] / "history.csv").is_file() for record in found)


def test_the_median_rule():
    others = [[0.9, 0.8, 0.7]] * 3 + [[0.5, 0.4, 0.3]] * 2  # means after two epochs: 0.85 and 0.45
    assert not median.hopeless([0.9, 0.85], others, 6, "min")
    assert median.hopeless([0.9, 0.8501], others, 6, "min")
    assert not median.hopeless([0.8501], others, 6, "min"), "a sixth of the epochs is too early"
    assert not median.hopeless([0.9, 0.9], others[:4], 6, "min"), "four others are too few"
    assert median.hopeless([0.84, 0.3], others, 6, "max") and not median.hopeless([0.84, 0.9], others, 6, "max")
    assert not median.hopeless([], others, 6, "min")


@pytest.mark.parametrize(
    ("code", "limit", "verdict"),
    [
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            None,
            "ended by SIGKILL; .*memory may have run out",
        ),
        ("import sys; print('no such thing'); sys.exit(3)", None, "ended with status 3: no such thing"),
        ("import time; time.sleep(60)", 0.5, "not done after its limit of 0.5 s"),
    ],
)
def test_a_process_that_dies_or_hangs_is_a_failed_trial(search, monkeypatch, code, limit, verdict):
    monkeypatch.setattr(worker.Tuner, "_train", search.real)
    records.write_settings("s", {**SETTINGS, "limit": limit})
    start = [sys.executable, "-c", code]
    monkeypatch.setattr(lifeline, "start", lambda *_, **more: subprocess.Popen(start, stdin=subprocess.PIPE, **more))
    status, reason = worker.Tuner("s")._train("0", {}, None)
    assert status == "failed"
    assert re.search(verdict, reason), reason


def test_a_hopeless_trial_is_given_up(search, monkeypatch):
    found = search()
    monkeypatch.setattr(worker.Tuner, "_train", search.real)
    home = records.run_of("s", "9")
    home.mkdir()
    runs.write_history(home, [{"epoch": k, "val_loss": 9.0} for k in range(1, 4)])
    start = [sys.executable, "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(lifeline, "start", lambda *_, **more: subprocess.Popen(start, stdin=subprocess.PIPE, **more))
    assert len(found) == 6
    assert worker.Tuner("s")._train("9", {}, None) == ("stopped", "worse than the median of the others")


@pytest.mark.parametrize(
    ("raised", "status", "reason"),
    [
        (recorder.Interrupted(), "stopped", ""),
        (trainer.Diverged("the loss became NaN in epoch 2"), "failed", "the loss became NaN in epoch 2"),
        (MemoryError("17 GiB"), "failed", "out of memory (MemoryError: 17 GiB)"),
        (
            RuntimeError("RESOURCE_EXHAUSTED: of GPU"),
            "failed",
            "out of memory (RuntimeError: RESOURCE_EXHAUSTED: of GPU)",
        ),
        (KeyError("x"), "failed", "KeyError: 'x'"),
        (AssertionError(), "failed", "AssertionError"),
        (None, "complete", ""),
    ],
)
def test_how_a_trial_says_that_it_ended(raised, status, reason, monkeypatch, own_folder):
    def train(name, **options):
        assert options["test"] is False and options["export"] is False
        if raised is not None:
            raise raised

    monkeypatch.setattr(trainer, "train", train)
    asked = {"recipe": "x", "folder": "run", "seed": 0, "hyper": {}, "options": {}, "until": None}
    assert trial._outcome(asked) == {"status": status, "reason": reason}


def test_a_process_ends_with_the_one_that_started_it(own_folder):
    code = "from zoo.search import lifeline; import time; lifeline.hold(); print('up', flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"up\n"
    process.stdin.close()  # as the system does when the parent is killed
    assert process.wait(20) == 1
    process.stdout.close()


def test_the_winner_is_the_recipe_with_other_defaults(own_folder):
    source = own_folder / "mine.py"
    source.write_text(
        '"""Old words: 99 %."""\nimport math\n\n\n'
        'def recipe(a=1, hidden=(\n        64,\n        32,\n    ), word="ü", *, rate=1e-3, flag=True, same=None):\n'
        '    """Doc."""\n    return a, hidden, word, rate, flag, same\n'
    )
    hyper = {"a": 7, "hidden": (8, 8, 8), "word": 'a "b"\\', "rate": 0.123456789012345, "flag": False}
    winner.write(own_folder / "best.py", source, hyper, ["Found.", "", "zoo train best.py"])
    spec = importlib.util.spec_from_file_location("best", own_folder / "best.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.recipe() == (7, (8, 8, 8), 'a "b"\\', 0.123456789012345, False, None)
    assert module.__doc__.startswith("Found.") and "99 %" not in (own_folder / "best.py").read_text()
    assert module.math and inspect.signature(module.recipe).parameters["rate"].kind is inspect.Parameter.KEYWORD_ONLY


def test_a_winner_without_a_docstring_gets_one(own_folder):
    (own_folder / "mine.py").write_text("def recipe(a=1):\n    return a\n")
    winner.write(own_folder / "best.py", own_folder / "mine.py", {"a": 2}, ["Found."])
    tree = ast.parse((own_folder / "best.py").read_text())
    assert ast.get_docstring(tree) == "Found." and ast.unparse(tree.body[1].args.defaults[0]) == "2"


@pytest.fixture
def quick(search, monkeypatch):
    monkeypatch.setattr(tuning, "_described", lambda asked: {"objective": ["val_loss", "min"], "epochs": 9})


def test_tune_leaves_pictures_table_and_winner(quick, own_folder, capsys):
    found = zoo.tune("fake.py", trials=12, kind="a")
    assert found.folder == runs.Path("runs/tune/fake-1") and len(found.trials) == 12
    assert all("kind" not in record["values"] and record["hyper"]["kind"] == "a" for record in found.trials)
    for name in ("parallel.png", "progress.png", "importance.png", "trials.csv", "best.py"):
        assert (found.folder / name).stat().st_size > 100, name
    said = capsys.readouterr().out
    assert f"zoo train {found.recipe}" in said and "12 trials: 12 complete." in said
    defaults = ast.parse(found.recipe.read_text()).body[-1].args.defaults
    assert ast.literal_eval(defaults[1]) == found.best["hyper"]["x"]
    with pytest.raises(ZooError, match="is not empty.*--resume"):
        zoo.tune("fake.py", folder=found.folder)
    again = zoo.tune("fake.py", resume=True, trials=14, verbose=False)
    assert again.folder == found.folder and again.trials[:12] == found.trials and len(again.trials) == 14
    with pytest.raises(ZooError, match="was begun with tuner='random'"):
        zoo.tune("fake.py", resume=True, tuner="grid")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (dict(tuner="bayes"), "Did you mean 'bayesian'"),
        (dict(trials=0), "trials must be a whole number of at least 1"),
        (dict(parallel=0), "parallel must be a whole number"),
        (dict(budget="soon"), "budget must be a time above 0, as 90s, 30m"),
        (dict(limit="0m"), "limit must be a time above 0"),
        (dict(stop="early"), "stop must be one of 'median', 'none'"),
        (dict(seed=-1), "seed must be"),
        (dict(y=1), "no hyper-parameter 'y'"),
        (dict(x=0.1, hidden=(8,), kind="a"), "Nothing is left to search"),
        (dict(resume=True), "no search of .*fake.py"),
        (dict(resume=True, folder="elsewhere"), "not the folder of a search"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(quick, own_folder, asked, message):
    with pytest.raises(ZooError, match=message):
        zoo.tune("fake.py", **asked)
    assert not (own_folder / "runs").exists()


def test_a_recipe_without_a_space_is_refused(quick, own_folder):
    (own_folder / "bare.py").write_text("def recipe(a=1):\n    return a\n")
    with pytest.raises(ZooError, match="no function search"):
        zoo.tune("bare.py")


def test_scales():
    space = oracles.space(
        lambda hp: dict(
            a=hp.Float("a", 1e-3, 1, sampling="log"), b=hp.Int("b", 1, 3), c=hp.Choice("c", ["x"]), d=hp.Boolean("d")
        ),
        {"b": 2},
        "x",
    )
    assert oracles.scales(space) == {"a": "log", "c": "choice", "d": "choice"}
    assert isinstance(space, keras_tuner.HyperParameters)
