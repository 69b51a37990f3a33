"""Run folders: where they are, what stands in them, and how they are read back.

runs/NAME/<n>/
    recipe.json  recipe.py    what was run: hyper-parameters, seed, versions, data fingerprint; the recipe's source
    history.csv  tensorboard/ every epoch
    checkpoints/              the newest two, each with its hash
    metrics.json  model.keras what came out
    savedmodel/  model.tflite labels.txt
    samples/                  what the model makes or writes after each epoch: pictures, or texts
    *.png                     pictures
"""

import csv
import datetime
import io
import json
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

from zoo.checkpoint import write_atomically
from zoo.errors import ZooError, suggest

PACKAGES = ("keras", "tensorflow", "tensorflow-datasets", "keras-tuner", "numpy", "scikit-learn", "jax")


def root():
    """The folder that holds all runs: `runs` under the working directory."""
    return Path("runs")


def new_folder(name):
    """The next free folder of a recipe: `runs/NAME/<n>`, not made yet."""
    home = root() / Path(name).stem
    taken = [int(path.name) for path in home.glob("*") if path.name.isdigit()] if home.is_dir() else []
    return home / str(max(taken, default=0) + 1)


def check_free(folder, overwrite):
    """Refuses a folder with something in it, unless it may be overwritten.

    Raises:
        ZooError: it is a file, or not empty while `overwrite` is false, or not empty and not a run's.
    """
    folder = Path(folder)
    if folder.is_file():
        raise ZooError(f"the run folder {folder} is a file. Name a folder that does not exist yet")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not overwrite:
        raise ZooError(
            f"the folder {folder} is not empty. Name another one, continue the run in it (zoo resume {folder}), or "
            "replace it (--overwrite; overwrite=True)"
        )
    if not (folder / "recipe.json").is_file():
        raise ZooError(f"the folder {folder} is not a run's (it has no recipe.json), so it is not overwritten")


def create(folder, record, source):
    """Makes a run folder and writes what is about to be run.

    Args:
        folder: its path; what an earlier run left there is removed.
        record: the content of `recipe.json`, plain values.
        source: text of the recipe's file.
    """
    folder = Path(folder)
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    write_atomically(folder / "recipe.py", source)
    write_atomically(folder / "recipe.json", json.dumps(record, indent=2) + "\n")


def versions():
    """Versions of what computes, as a dict."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def now():
    """The present time, in ISO 8601 with the zone, to the second."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def read(folder):
    """The content of a run's `recipe.json`.

    Raises:
        ZooError: there is no such run; runs with close names are offered.
    """
    path = Path(folder) / "recipe.json"
    if not path.is_file():
        known = [str(run) for run in folders()]
        hint = suggest(folder, known) or (f" Runs here: {', '.join(known[-5:])}." if known else "")
        raise ZooError(f"{folder} is not a run folder: it has no recipe.json.{hint}")
    # Runs of version 0.1 before retraining, studies without pictures and searches do not hold these.
    return {"retrain": None, "pictures": True, "test": True, **json.loads(path.read_text(encoding="utf-8"))}


def metrics(folder):
    """The content of a run's `metrics.json`, or None while it has none."""
    path = Path(folder) / "metrics.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def folders(under=None):
    """The run folders below a folder, oldest first."""
    home = Path(under) if under else root()
    found = [path.parent for path in home.rglob("recipe.json")] if home.is_dir() else []
    return sorted(found, key=lambda folder: (folder / "recipe.json").stat().st_mtime)


def history(folder):
    """The rows of a run's `history.csv`: a list of dicts from column to number."""
    path = Path(folder) / "history.csv"
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]


def write_history(folder, rows):
    """Writes `history.csv` anew. Columns are in the order in which they first appeared."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _exact(value) for key, value in row.items()} for row in rows)
    write_atomically(Path(folder) / "history.csv", text.getvalue())


def append_history(folder, row):
    """Adds one row to a `history.csv` that has its columns already, and syncs it."""
    path = Path(folder) / "history.csv"
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([_exact(value) for value in row.values()])
        file.flush()
        os.fsync(file.fileno())


def _exact(value):
    """A number as text that reads back as the same number."""
    return repr(value) if isinstance(value, float) else value
