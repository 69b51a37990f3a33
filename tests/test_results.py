"""The README's table of accuracies is what the records of runs give, and recipes claim what their records say."""

import ast
import importlib
import json
import re
from pathlib import Path

import pytest

from zoo import runs, sources

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def results():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        yield importlib.import_module("results")


@pytest.fixture(scope="module")
def records(results):
    return results.read(ROOT / "benchmarks" / "results")


def test_the_readme_has_the_table_of_the_records(results):
    assert results.main(["--check"]) == 0


def test_recipes_claim_what_their_records_say(results, records):
    """First line with a number: `zoo train NAME     # 99.26 % ± 0.16 of the test images (n=3), 5 s on 2 cores`."""
    assert len(records) > 10
    for name, known in records:
        if known.get("title", "").startswith("the same"):
            continue  # a variant, of which the recipe tells in its text
        said = ast.get_docstring(ast.parse(sources.recipes()[name].read_text(encoding="utf-8")))
        accuracy, count, time = re.search(r"# (\S+ %(?: ± \S+)?) of .*\(n=(\d+)\), (.+?) on 2 cores", said).groups()
        assert accuracy == results.accuracy(known).partition(" (n")[0], name
        assert int(count) == len(known["runs"]) and time == results.duration(known).partition(" (")[0], name


def test_commands_of_records_still_mean_what_was_run(results, records):
    """A default that was changed since would need a flag now."""
    for name, known in records:
        seeds = len(known["runs"]) if " compare " in known["command"] else None
        assert results.command({**known, "seed": 0}, seeds) == known["command"], name


def test_records_hold_numbers_that_belong_together(records):
    for name, known in records:
        assert [run["seed"] for run in known["runs"]] == list(range(len(known["runs"]))), name
        assert name == known["recipe"] or name.startswith(f"{known['recipe']}_")
        assert all(0.5 < run[known["metric"]] <= 1 and run["epochs"] >= 1 for run in known["runs"]), name
        assert known["machine"] and known["versions"]["keras"] and re.fullmatch(r"\d{4}-\d\d-\d\d", known["date"]), name


@pytest.fixture
def study(own_folder):
    """A study of three seeds, written as `zoo compare` does."""
    folder = own_folder / "study"
    for seed, accuracy in enumerate((0.99, 0.98, 0.985)):
        _run(folder / "default" / f"seed-{seed}", seed, accuracy)
    (folder / "study.json").write_text(json.dumps({"recipe": "mlp_digits", "vary": {}, "options": {}}))
    return folder


def _run(folder, seed, accuracy, **changed):
    hyper = {"epochs": 60, "hidden": [128, 64], "dropout": 0.5, **changed}
    record = {"recipe": "mlp_digits", "hyper": hyper, "seed": seed, "execution": {"precision": "float32"}}
    record |= {
        "versions": {"keras": "3"},
        "data": {"test": "a", "train": str(seed)},
        "began": "2026-11-22T03:05:47+00:00",
    }
    runs.create(folder, record, "")
    metrics = {"test_accuracy": accuracy, "epochs": 50 + seed, "seconds": 4.0 + seed}
    (folder / "metrics.json").write_text(json.dumps(metrics))


@pytest.fixture
def root(own_folder, results):
    (own_folder / "benchmarks" / "results").mkdir(parents=True)
    (own_folder / "README.md").write_text(f"# A\n\n{results.BEGIN}\nold\n{results.END}\n\nb\n", encoding="utf-8")
    return own_folder


def test_a_study_becomes_a_record_and_a_row(results, study, root, capsys):
    assert results.main(["add", str(study), "--against", "98.4 % (Simard)"], root) == 0
    assert "`mlp_digits` 98.50 % ± 0.50, 51 (early stopping) epochs, 5 s" in capsys.readouterr().out
    known = json.loads((root / "benchmarks" / "results" / "mlp_digits.json").read_text(encoding="utf-8"))
    # The dropout is not the recipe's own: it takes a flag. The widths are.
    assert known["command"] == "zoo compare mlp_digits --seeds 3 --dropout 0.5"
    assert [run["test_accuracy"] for run in known["runs"]] == [0.99, 0.98, 0.985]
    assert known["date"] == "2026-11-22" and "cores" in known["machine"]
    row = "| `mlp_digits` | 98.50 % ± 0.50 | 51 (early stopping) | 5 s | 98.4 % (Simard) |"

    before = (root / "README.md").read_text(encoding="utf-8")
    assert results.main(["--check"], root) == 1
    assert f"+{row}" in capsys.readouterr().out and (root / "README.md").read_text(encoding="utf-8") == before
    assert results.main([], root) == 0
    lines = (root / "README.md").read_text(encoding="utf-8").splitlines()
    assert lines[2] == results.BEGIN and lines[5] == row and lines[6] == results.END and lines[-1] == "b"
    assert results.main(["--check"], root) == 0 and not capsys.readouterr().out


def test_a_single_run_becomes_a_row_that_says_so(results, root, own_folder):
    _run(own_folder / "run", 4, 0.9, dropout=0.2, epochs=54)
    told = [
        "--name",
        "mlp_digits_once",
        "--title",
        "the same, once",
        "--seconds",
        "200",
        "--busy",
        "--note",
        "as it was",
    ]
    assert results.main(["add", str(own_folder / "run"), *told], root) == 0
    (name, known), *_ = results.read(root / "benchmarks" / "results")
    assert name == "mlp_digits_once" and known["command"] == "zoo train mlp_digits --seed 4 --epochs 54"
    assert known["note"] == "as it was"
    row = results.table([(name, known)]).splitlines()[-1]
    assert row == "| the same, once | 90.00 % (n = 1) | 54 | 3 min (machine in use) | |"


def _unfinished(study):
    (study / "default" / "seed-1" / "metrics.json").unlink()


def _another(study):
    _run(study / "default" / "seed-1", 1, 0.9, dropout=0.1)


def _varied(study):
    (study / "study.json").write_text(json.dumps({"recipe": "mlp_digits", "vary": {"dropout": [0, 1]}, "options": {}}))


def _empty(study):
    for path in (study / "default").rglob("recipe.json"):
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_unfinished, "seed-1 is not finished: it has no metrics.json"),
        (_another, "hyper of the runs must be the same"),
        (_varied, "the study must be of one setting"),
        (_empty, "the study must be one with runs in it"),
    ],
)
def test_what_is_no_row_is_refused(results, study, root, spoil, said, capsys):
    spoil(study)
    assert results.main(["add", str(study)], root) == 2
    assert said in capsys.readouterr().err and not list((root / "benchmarks" / "results").iterdir())


def test_other_mistakes_are_told(results, study, root, capsys):
    for arguments, said in (
        (["add", str(study), "--metric", "test_acuracy"], "no metric 'test_acuracy'. Did you mean 'test_accuracy'?"),
        (["add", str(root / "nowhere")], "nowhere is not a run folder"),
        (["add", str(study), "--seconds", "0"], "--seconds must be a number above 0"),
    ):
        assert results.main(arguments, root) == 2
        assert said in capsys.readouterr().err
    (root / "README.md").write_text(f"{results.END}{results.BEGIN}")
    assert results.main([], root) == 2
    assert "README.md needs the line" in capsys.readouterr().err


def test_flags_of_every_kind_are_written_as_the_command_line_takes_them(results):
    known = {"recipe": "lenet_fashion_mnist", "seed": 0, "hyper": {"mirror": True, "pooling": "max", "pixels": 1}}
    assert results.command(known, 2) == "zoo compare lenet_fashion_mnist --seeds 2 --mirror --pooling max"
    known = {
        "recipe": "mlp_digits",
        "seed": 7,
        "hyper": {"hidden": [32, 16]},
        "options": {"jit_compile": True, "steps_per_execution": 1},
    }
    assert (
        results.command(known)
        == "zoo train mlp_digits --seed 7 --hidden 32,16 --jit-compile yes --steps-per-execution 1"
    )


def test_what_was_asked_of_the_execution_is_part_of_the_command(results, study):
    options = {"precision": "float32", "steps_per_execution": "auto", "dropout": 0.5}
    (study / "study.json").write_text(json.dumps({"recipe": "mlp_digits", "vary": {}, "options": options}))
    known = results.record(study)
    assert known["command"] == "zoo compare mlp_digits --seeds 3 --dropout 0.5 --precision float32"
    assert known["options"] == {"precision": "float32"}
