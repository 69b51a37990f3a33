"""The folder of a search: what stands in it, and what is kept of each trial.

runs/tune/NAME-<n>/
    search.json                what is searched, and how
    oracle/                    keras-tuner's own project
    trials/07/                 the run folder of a trial
    trials/07.json  07.log     what came out of it, and what its process said
    trials.csv                 a line a trial
    best.py                    the winner, as a recipe
    *.png                      pictures
"""

import csv
import io
import json
import shutil
from pathlib import Path

from zoo import runs
from zoo.checkpoint import write_atomically
from zoo.errors import ZooError

# What of a trial's run folder is large.
HEAVY = ("checkpoints", "tensorboard", "samples", "model.keras")


def new_folder(name):
    """The next free folder of a recipe's searches, not made yet."""
    home, stem = runs.root() / "tune", Path(name).stem
    taken = [
        int(path.name.rpartition("-")[2]) for path in home.glob(f"{stem}-*") if path.name[len(stem) + 1 :].isdigit()
    ]
    return home / f"{stem}-{max(taken, default=0) + 1}"


def newest_folder(name):
    """The folder of a recipe's newest search.

    Raises:
        ZooError: there is none.
    """
    number = int(new_folder(name).name.rpartition("-")[2]) - 1
    if number < 1:
        raise ZooError(f"there is no search of {name} under {runs.root() / 'tune'} to resume")
    return runs.root() / "tune" / f"{Path(name).stem}-{number}"


def settings(folder):
    """The content of `search.json`.

    Raises:
        ZooError: the folder is not a search's.
    """
    path = Path(folder) / "search.json"
    if not path.is_file():
        raise ZooError(f"{folder} is not the folder of a search: it has no search.json")
    return json.loads(path.read_text(encoding="utf-8"))


def write_settings(folder, content):
    """Writes `search.json`, and makes the folder."""
    (Path(folder) / "trials").mkdir(parents=True, exist_ok=True)
    write_atomically(Path(folder) / "search.json", json.dumps(content, indent=2) + "\n")


def run_of(folder, trial):
    """The run folder of a trial."""
    return Path(folder) / "trials" / trial


def write(folder, record):
    """Writes what came out of a trial, and the table of all."""
    write_atomically(Path(folder) / "trials" / f"{record['id']}.json", json.dumps(record, indent=2) + "\n")
    found = read(folder)
    names = list(dict.fromkeys(name for record in found for name in record["values"]))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    kept = ("id", "score", "status", "reason", "epochs", "seconds")
    writer.writerow([*kept, *names])
    writer.writerows([[*(r[key] for key in kept), *(r["values"].get(name, "") for name in names)] for r in found])
    write_atomically(Path(folder) / "trials.csv", text.getvalue())


def read(folder):
    """What came out of the trials that ended, in their order.

    Args:
        folder: the folder of a search.

    Returns:
        A list of dicts: `id`; `values`, as keras-tuner names them; `hyper`, the recipe's arguments; `score`, or None;
        `status`: "complete", "stopped" (before its last epoch, on purpose) or "failed"; `reason`; `epochs`; `seconds`.
    """
    paths = sorted((Path(folder) / "trials").glob("*.json"), key=lambda path: int(path.stem))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def ranked(found, direction, statuses=("complete",)):
    """The trials that have a score, the best first, and of equal ones the first."""
    sign = -1 if direction == "max" else 1
    scored = [record for record in found if record["status"] in statuses and record["score"] is not None]
    return sorted(scored, key=lambda record: sign * record["score"])


def prune(folder, keep, direction):
    """Removes checkpoints and models of all trials but the best.

    Of trials that were stopped after equally many epochs the best are kept too: Hyperband goes on with some of them.
    One that it goes on with after all is trained again from its beginning, to the same bits.

    Args:
        folder: the folder of a search.
        keep: how many to keep, of those that ended after equally many epochs.
        direction: `"max"` or `"min"`.
    """
    found = read(folder)
    kept = {record["id"] for record in ranked(found, direction)[:keep]}
    for epochs in {record["epochs"] for record in found if record["status"] == "stopped"}:
        alike = [record for record in found if record["epochs"] == epochs]
        kept |= {record["id"] for record in ranked(alike, direction, ("stopped",))[:keep]}
    for record in found:
        if record["id"] in kept:
            continue
        for name in HEAVY:
            path = run_of(folder, record["id"]) / name
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
