"""What runs the trials that keras-tuner proposes: a process each, watched, and a line for each that ended."""

import contextlib
import io
import json
import shutil
import signal
import sys
import time
from pathlib import Path

import keras_tuner
import numpy as np
from keras_tuner.src import config

from zoo import recipe, runs
from zoo.errors import ZooError
from zoo.estimate import duration
from zoo.preparation import tuples
from zoo.search import lifeline, median, oracles, records

# Seconds between two looks at a trial.
PAUSE = 0.2
# A search whose first so many trials all fail is broken itself.
HOPELESS = 5


class Spent(keras_tuner.errors.FatalError):
    """The time budget of the search is used up."""


class Broken(keras_tuner.errors.FatalError):
    """No trial works."""


class Defect(keras_tuner.errors.FatalError):
    """What runs the trials is broken itself: keras-tuner would take it for a failed trial."""


class Tuner(keras_tuner.engine.base_tuner.BaseTuner):
    """keras-tuner's loop around trials that are `zoo.train` in processes of their own.

    Args:
        folder: the folder of a search, with its `search.json`.
        tell: called with a line of text.
    """

    def __init__(self, folder, tell=print):
        self.folder = Path(folder)
        self.settings = settings = records.settings(folder)
        self.tell = tell
        self.source = recipe.find(settings["recipe"])
        self.fixed = tuples(settings["hyper"])
        space = oracles.space(getattr(self.source.module, "search", None), self.fixed, self.source.name)
        self.began = time.monotonic()
        oracle = oracles.make(
            settings["tuner"], space, settings["objective"], settings["trials"], settings["epochs"], settings["seed"]
        )
        self.count = oracles.count(oracle)
        config.DEBUG = False  # or it prints the traceback of each trial that failed
        # keras-tuner says that it reloads; whether it may was decided before.
        with contextlib.redirect_stdout(io.StringIO()):
            super().__init__(oracle, directory=str(self.folder), project_name="oracle")

    def _get_tuner_fname(self):
        # One name for chief, workers and a search in one process: each goes on with what another began.
        return str(Path(self.project_dir) / "tuner.json")

    def pre_create_trial(self):
        if self.left() <= 0:
            raise Spent
        found = records.read(self.folder)
        if len(found) >= HOPELESS and all(record["status"] == "failed" for record in found):
            raise Broken
        time.sleep(PAUSE)  # asked in a loop while Hyperband waits for other workers

    def left(self):
        """Seconds of the budget that are left; infinity without one."""
        if self.settings["budget"] is None:
            return float("inf")
        spent = sum(record["seconds"] for record in records.read(self.folder) if record["id"] in self._before)
        return self.settings["budget"] - spent / self.settings["parallel"] - (time.monotonic() - self.began)

    @property
    def _before(self):
        """The trials that had ended when this session of the search began."""
        if not hasattr(self, "_ended"):
            self._ended = {record["id"] for record in records.read(self.folder)}
        return self._ended

    def run_trial(self, trial):
        try:
            return self._run(trial)
        except (keras_tuner.errors.FailedTrialError, keras_tuner.errors.FatalError):
            raise
        except Exception as error:
            raise Defect(str(error)) from error

    def _run(self, trial):
        # A Gaussian process proposes numbers of NumPy.
        trial.hyperparameters.values = {key: _plain(value) for key, value in trial.hyperparameters.values.items()}
        values = {key: value for key, value in trial.hyperparameters.values.items() if not key.startswith("tuner/")}
        rung = trial.hyperparameters.values.get("tuner/epochs")
        until = rung if rung is not None and rung < self.settings["epochs"] else None
        hyper = {**self.source.module.search(trial.hyperparameters), **self.fixed}
        home = records.run_of(self.folder, trial.trial_id)
        before = trial.hyperparameters.values.get("tuner/trial_id")
        if before and not home.exists() and (records.run_of(self.folder, before) / "checkpoints").is_dir():
            shutil.copytree(records.run_of(self.folder, before), home)
        began = time.monotonic()
        status, reason = self._train(trial.trial_id, hyper, until)
        rows = runs.history(home)
        quantity = self.settings["objective"][0]
        metrics = runs.metrics(home) or {}
        score = metrics.get(quantity, rows[-1].get(quantity) if rows else None)
        if status != "failed" and score is None:
            status, reason = "failed", f"the run has no {quantity}"
        record = {
            "id": trial.trial_id,
            "values": {key: value for key, value in values.items() if key not in self.fixed},
            "hyper": hyper,
            "score": None if status == "failed" else score,
            "status": status,
            "reason": reason,
            "epochs": len(rows),
            "seconds": time.monotonic() - began,
        }
        records.write(self.folder, record)
        records.prune(self.folder, self.settings["keep"], self.settings["objective"][1])
        self._say(record)
        if status == "failed":
            raise keras_tuner.errors.FailedTrialError(reason)
        return {quantity: score}

    def _train(self, name, hyper, until):
        """Trains in a process of its own. Returns how it ended, and why."""
        home, outcome = records.run_of(self.folder, name), self.folder / "trials" / f".{name}.outcome"
        specification = {
            "recipe": self.settings["recipe"],
            "folder": str(home),
            "seed": self.settings["seed"],
            "hyper": hyper,
            "options": self.settings["options"],
            "until": until,
            "outcome": str(outcome),
        }
        outcome.unlink(missing_ok=True)
        with open(self.folder / "trials" / f"{name}.log", "ab") as log:
            process = lifeline.start(
                "zoo.search.trial", json.dumps(specification), stdout=log, stderr=log, start_new_session=True
            )
            try:
                verdict = self._watch(process, name)
            finally:
                # A checkpoint is whole or not there, so that nothing is lost by a kill but the epoch it fell in.
                process.kill()
                process.wait()
                process.stdin.close()
        if verdict:
            return verdict
        if outcome.is_file():
            said = json.loads(outcome.read_text(encoding="utf-8"))
            outcome.unlink()
            return said["status"], said["reason"]
        return "failed", _died(process.returncode, self.folder / "trials" / f"{name}.log")

    def _watch(self, process, name):
        """Waits for a trial's end. Returns how it ended where it was ended from here."""
        began, seen, limit = time.monotonic(), 0, self.settings["limit"]
        history = records.run_of(self.folder, name) / "history.csv"
        quantity, direction = self.settings["objective"]
        while process.poll() is None:
            time.sleep(PAUSE)
            if limit is not None and time.monotonic() - began > limit:
                return "failed", f"it was not done after its limit of {duration(limit)}"
            if self.left() <= 0:
                raise Spent
            written = history.stat().st_mtime_ns if history.is_file() else 0
            if written == seen:
                continue
            seen = written
            scores = _scores(history.parent, quantity)
            self._show(name, scores)
            others = [
                _scores(records.run_of(self.folder, record["id"]), quantity)
                for record in records.read(self.folder)
                if record["status"] != "failed" and record["id"] != name
            ]
            wanted = self.settings["stop"] == "median" and self.settings["tuner"] != "hyperband"
            if wanted and median.hopeless(scores, others, self.settings["epochs"], direction):
                return "stopped", "worse than the median of the others"
        return None

    def _show(self, name, scores):
        """On a terminal, how far the trial is, in a line that the next one replaces."""
        if sys.stdout.isatty() and self.settings["parallel"] == 1 and scores:
            quantity = self.settings["objective"][0]
            print(f"\r{name:>5}  epoch {len(scores)}, {quantity} {scores[-1]:.4f}\033[K", end="\r", flush=True)

    def _say(self, record):
        """The line of a trial that ended."""
        found = records.read(self.folder)
        best = records.ranked(found, self.settings["objective"][1], ("complete", "stopped"))
        shown = "" if not best else f"{best[0]['score']:.4f}"
        values = ", ".join(f"{key} {_short(value)}" for key, value in record["values"].items())
        score = "failed" if record["score"] is None else f"{record['score']:.4f}"
        times = duration(record["seconds"]), self._remaining(found)
        reason = f"  [{record['reason'].splitlines()[0]}]" if record["reason"] else ""
        self.tell(f"{_columns(record['id'], score, shown, record['epochs'], *times)}  {values}{reason}")

    def _remaining(self, found):
        """About how long the search goes on, as text."""
        seconds = self.left()
        if self.count:
            each = sum(record["seconds"] for record in found) / len(found)
            seconds = min(seconds, each * max(0, self.count - len(found)) / self.settings["parallel"])
        return "" if seconds == float("inf") else duration(max(seconds, 0))


def _columns(*words):
    return "  ".join(f"{word:>{width}}" for word, width in zip(words, (5, 8, 8, 6, 8, 8), strict=True))


HEADER = _columns("trial", "score", "best", "epochs", "time", "left")


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _short(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _scores(home, quantity):
    return [row[quantity] for row in runs.history(home) if quantity in row]


def _died(code, log):
    """Why a process ended that could not say so itself."""
    if code < 0:
        name = signal.Signals(-code).name
        hint = "; the system's memory may have run out" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}"
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    said = next((line for line in reversed(lines) if line.strip()), "it said nothing")
    return f"its process ended with status {code}: {said[:200]}"


def work(folder, tell=print):
    """Runs trials until there are no more, or until the time is up.

    Args:
        folder: the folder of a search.
        tell: called with a line of text.
    """
    tuner = Tuner(folder, tell)
    try:
        tuner.search()
    except Spent:
        tell(f"The budget of {duration(tuner.settings['budget'])} is used up.")
    except Broken:
        last = records.read(folder)[-1]
        raise ZooError(
            f"the first {HOPELESS} trials all failed, the last with: {last['reason']}. Their logs are in "
            f"{Path(folder) / 'trials'}. Does `zoo train {tuner.source.name}` work?"
        ) from None


def main(folder):
    """The main part of a worker, or of the chief, that `zoo tune --parallel` starts."""
    try:
        work(folder, lambda line: print(line, flush=True))
    except ZooError as error:
        print(f"zoo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0
