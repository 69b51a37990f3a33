"""`tune`: a search for hyper-parameters of a recipe, on validation data alone."""

import json
import os
import re
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from zoo import recipe, report, runs
from zoo.errors import ZooError, choose, require
from zoo.estimate import duration
from zoo.pictures import search as pictures
from zoo.search import lifeline, oracles, records, winner, worker

STOPS = ("median", "none")
TRIALS = 30
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Search:
    """What a search left.

    Args:
        folder: a `pathlib.Path`, the folder of the search.
        trials: what came out of each trial, as `zoo.search.records.read` says.
        best: the one of them that won, or None where none was trained to its end.
        recipe: a `pathlib.Path`, the winner as a recipe file, or None.
    """

    folder: Path
    trials: list
    best: dict | None
    recipe: Path | None


def tune(
    name,
    *,
    trials=None,
    tuner="random",
    seed=0,
    folder=None,
    resume=False,
    parallel=None,
    budget=None,
    limit=None,
    keep=None,
    stop=None,
    verbose=True,
    precision="auto",
    steps_per_execution="auto",
    jit_compile="auto",
    strategy="none",
    **hyper,
):
    """Searches the space that a recipe's `search(hp)` spans, by its objective on validation data.

    keras-tuner proposes keyword arguments, the recipe's defaults first. Each trial is `zoo.train` in a process of its
    own, with one seed for all. One that crashes, diverges, runs out of memory or passes its limit is recorded as
    failed, and the search goes on. A search that was killed continues with `resume=True`, and so does the trial that
    it was in. The test set is never evaluated.

    Args:
        name: a recipe's name or path.
        trials: how many at most: 30 by default; Hyperband's and the grid's default is all there are.
        tuner: `"random"`; `"bayesian"`, a Gaussian process; `"hyperband"`, which trains many for few epochs and goes on
            with the best (Li et al. 2018); `"grid"`.
        seed: of the proposals, and of every trial; a whole number of at least 0.
        folder: the folder of the search; by default the next free `runs/tune/NAME-<n>`.
        resume: go on with the search in `folder`, by default the recipe's newest. What was asked for then stays, but
            `trials`, `budget`, `limit`, `keep`, `stop` and `parallel` may be given anew.
        parallel: trials at a time on this machine; by default 1.
        budget: time for the whole search, as `"90s"`, `"30m"`, `"1h"`, or in seconds; None has no end but the trials'.
        limit: the same for one trial.
        keep: how many of the best trials keep their models and checkpoints; by default 3.
        stop: `"median"` gives a trial up that is worse than the median of the others (`zoo.search.median`), `"none"`
            lets all go on; Hyperband has its own rule. By default `"median"`.
        verbose: whether to print.
        precision, steps_per_execution, jit_compile, strategy: as in `zoo.train`.
        **hyper: hyper-parameters that are fixed, and not searched.

    Returns:
        A `Search`.

    Raises:
        ZooError: a recipe without `search`, a folder that is in use, or a search none of whose first trials works.
    """
    tell = (lambda text: print(text, flush=True)) if verbose else lambda _: None
    source = recipe.find(name)
    source.arguments(hyper)
    changed = {
        "trials": trials,
        "parallel": parallel,
        "budget": seconds("budget", budget),
        "limit": seconds("limit", limit),
        "keep": keep,
        "stop": stop,
    }
    changed = {key: value for key, value in changed.items() if value is not None}
    _check(tuner, seed, changed)
    options = {"precision": precision, "steps_per_execution": steps_per_execution, "jit_compile": jit_compile}
    if strategy != "none":
        options["strategy"] = strategy
    asked = {"recipe": source.name, "hyper": hyper, "options": options, "tuner": tuner, "seed": seed}
    asked = json.loads(json.dumps(asked))
    role = os.environ.get("KERASTUNER_TUNER_ID")
    if role and role != "chief":
        folder = _joined(folder, asked)
    elif resume:
        folder = Path(folder) if folder else records.newest_folder(source.name)
        _resumed(folder, asked, changed)
    else:
        folder = Path(folder) if folder else records.new_folder(source.name)
        _begun(folder, source, asked, changed, tell)
    settings = records.settings(folder)
    quantity, direction = settings["objective"]
    tell(f"{settings['tuner']} search of {source.name}, score: {quantity} ({direction}). Folder: {folder}")
    if not quantity.startswith("val_"):
        tell(f"note: {quantity} is not of validation data: what wins may have learned its training data by heart")
    tell(worker.HEADER)
    began = time.monotonic()
    try:
        if settings["parallel"] > 1 and not role:
            _together(folder, settings["parallel"])
        else:
            worker.work(folder, tell)
    except KeyboardInterrupt:
        tell(f"\nStopped. To continue: zoo tune {source.name} --resume --folder {folder}")
        raise
    found = _finished(folder, source, tell)
    tell(f"{duration(time.monotonic() - began)} in all.")
    return found


def seconds(argument, text):
    """A time in seconds.

    Args:
        argument: its name, for the message.
        text: a number of seconds, or text of a number and s, m, h or d; None is handed back.

    Raises:
        ZooError: anything else.

    Example:
        >>> seconds("budget", "1.5h"), seconds("budget", 90), seconds("budget", None)
        (5400.0, 90.0, None)
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", str(text).strip().lower())
    works = "a time above 0, as 90s, 30m, 1.5h or 2d"
    require(match and float(match[1]) > 0, argument, text, works)
    return float(match[1]) * UNITS[match[2] or "s"]


def _check(tuner, seed, changed):
    choose("tuner", tuner, tuple(oracles.ORACLES))
    require(isinstance(seed, int) and seed >= 0, "seed", seed, "a whole number of at least 0")
    for key in ("trials", "parallel", "keep"):
        value = changed.get(key, 1)
        require(isinstance(value, int) and value >= 1, key, value, "a whole number of at least 1")
    choose("stop", changed.get("stop", "median"), STOPS)


def _begun(folder, source, asked, changed, tell):
    """A new search in a folder that is free, once the recipe was seen to work."""
    if folder.exists() and (folder.is_file() or any(folder.iterdir())):
        raise ZooError(
            f"the folder {folder} is not empty. Name another one, or continue the search in it: "
            f"zoo tune {source.name} --resume --folder {folder}"
        )
    oracles.space(getattr(source.module, "search", None), asked["hyper"], source.name)
    default = {"trials": None if asked["tuner"] in ("hyperband", "grid") else TRIALS, "parallel": 1}
    default |= {"budget": None, "limit": None, "keep": 3, "stop": "median"}
    known = _described(asked)
    records.write_settings(folder, {**asked, **default, **changed, **known, "began": runs.now()})


def _described(asked):
    """The recipe's objective and epochs, from a process that builds it: it takes memory, and may refuse."""
    process = lifeline.start(
        "zoo.search.trial", "describe", json.dumps(asked), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        said, error = process.stdout.read(), process.stderr.read()
    if process.returncode:
        raise ZooError(error.strip().splitlines()[-1] if error.strip() else f"{asked['recipe']} cannot be built")
    return json.loads(said.strip().splitlines()[-1])


def _resumed(folder, asked, changed):
    """A search that is there already, which must be the one that was asked for."""
    settings = _same_recipe(folder, asked)
    for key, standard in (("hyper", {}), ("seed", 0), ("tuner", "random")):
        if asked[key] not in (standard, settings[key]):
            raise ZooError(
                f"the search in {folder} was begun with {key}={settings[key]!r}, and goes on with it. "
                f"Received: {key}={asked[key]!r}. A new folder begins a new search"
            )
    records.write_settings(folder, {**settings, **changed})


def _same_recipe(folder, asked):
    settings = records.settings(folder)
    if settings["recipe"] != asked["recipe"]:
        raise ZooError(f"the search in {folder} is of {settings['recipe']}. Received: {asked['recipe']}")
    return settings


def _joined(folder, asked):
    """The search that another machine's chief began, in a folder that both see."""
    if not folder:
        raise ZooError("a worker on another machine needs the search's folder, which both see: --folder")
    patience = time.monotonic() + 600
    while not (Path(folder) / "search.json").is_file():
        if time.monotonic() > patience:
            raise ZooError(f"no chief began a search in {folder} within ten minutes")
        time.sleep(1)
    _same_recipe(folder, asked)
    return Path(folder)


def _together(folder, count):
    """keras-tuner's chief and workers, each a process, on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {**os.environ, "KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": str(port)}

    def start(role, more):
        environment = {**shared, **more, "KERASTUNER_TUNER_ID": role}
        return lifeline.start("zoo.search.worker_process", str(folder), env=environment)

    chief = start("chief", {})
    workers = [start(f"worker-{number}", _device(number)) for number in range(count)]
    try:
        while any(process.poll() is None for process in workers):
            time.sleep(worker.PAUSE)
            if chief.poll() not in (None, 0):
                raise ZooError(f"the chief of the search ended with status {chief.returncode}; its words are above")
    finally:
        for process in (chief, *workers):
            if process.poll() is None:
                process.terminate()
            process.wait()
            process.stdin.close()
    failed = [process.returncode for process in workers if process.returncode]
    if len(failed) == count:
        raise ZooError(f"all workers of the search failed (status {failed[0]}); their words are above")


def _device(number):
    """What gives a worker a GPU of its own, where there are several, and a share of one where there is one."""
    devices = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    if devices == [""]:
        devices = [path.name.removeprefix("nvidia") for path in sorted(Path("/dev").glob("nvidia[0-9]*"))]
    if not devices:
        return {}
    share = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    return {**share, "CUDA_VISIBLE_DEVICES": devices[number % len(devices)]}


def _finished(folder, source, tell):
    """After the last trial: the winner, its file, and the pictures."""
    settings, found = records.settings(folder), records.read(folder)
    quantity, direction = settings["objective"]
    best = next(iter(records.ranked(found, direction)), None)
    counts = {status: sum(r["status"] == status for r in found) for status in ("complete", "stopped", "failed")}
    tell("")
    tell(f"{len(found)} trials: {', '.join(f'{n} {status}' for status, n in counts.items() if n)}.")
    if best is None:
        tell("None was trained to its end, so there is no winner.")
        return Search(folder, found, None, None)
    path = folder / "best.py"
    command = " ".join(["zoo train", str(path), *_flags(settings)])
    words = [
        f"The best of {len(found)} trials of `zoo tune {source.name}`: trial {best['id']}.",
        "",
        f"{quantity} {best['score']:.4f} on validation data.",
        "",
        command,
        "",
        "That command is the winning run again.",
    ]
    winner.write(path, source.module.__file__, best["hyper"], words)
    for drawn in _draw(folder, settings, source, found):
        tell(str(drawn))
    tell(f"best: {quantity} {best['score']:.4f}, trial {best['id']}: {best['hyper']}")
    tell(f"The winning run again: {command}")
    tell(f"Over seeds, with the test set: zoo compare {path} --seeds 3")
    return Search(folder, found, best, path)


def _flags(settings):
    """The flags that a run needs, beside its hyper-parameters, to be the winning one."""
    flags = [f"--seed {settings['seed']}"] if settings["seed"] else []
    for key, value in settings["options"].items():
        if value not in ("auto", "none"):
            said = {True: "yes", False: "no"}.get(value, value) if key == "jit_compile" else value
            flags.append(f"--{key.replace('_', '-')} {said}")
    return flags


def _draw(folder, settings, source, found):
    space = oracles.space(source.module.search, settings["hyper"], source.name)
    objective, scales = tuple(settings["objective"]), oracles.scales(space)
    title = f"{source.name}, {settings['tuner']} search"
    drawn = [report.save(pictures.parallel_coordinates(found, objective, scales, title), folder / "parallel.png")]
    drawn.append(report.save(pictures.progress(found, objective, title), folder / "progress.png"))
    figure = pictures.importance(found, objective, title)
    if figure is not None:
        drawn.append(report.save(figure, folder / "importance.png"))
    return drawn
