"""`zoo bench`: what models cost on this machine, as a table, a CSV file and a picture beside what they are worth."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from zoo import benching_table, claims, registry, report, runs, sources
from zoo.benching_table import COLUMNS
from zoo.checkpoint import write_atomically
from zoo.errors import ZooError, choose, require, suggest

DEFAULT = ("perceptron", "mlp", "lenet5", "lenet", "alexnet_small", "vgg11_small", "googlenet_small", "resnet20")
DEFAULT += ("resnet56", "autoencoder", "vae", "gan", "lstm", "dqn")
# Seconds a model takes beside what is measured, on 2 cores: to start, to trace, and sizes of batches that are tried.
START, SIZES = 14, 18


def bench(
    models=(),
    *,
    batches=None,
    seconds=0.2,
    precision="float32",
    limit=300,
    to=".",
    overwrite=False,
    verbose=True,
):
    """Measures what models cost on this machine: parameters, multiply-adds, memory, inference and training.

    Each model is measured in a process of its own, on random raw input. Inference is `model.predict_on_batch`, arrays
    in and arrays out. Training is `model.fit`, compiled as the first recipe that trains the model compiles it, or with
    the standard loss of its task; batches are made beforehand, so that reading and augmentation are not in it. A rate
    is the median of three rounds. Multiply-adds (MACs) are of one example in inference, as `zoo.multiply_adds` counts
    them. Memory is what the process held at most, resident, up to that batch, beside what it held before it built the
    model; a GPU's own is not in it.

    Each recipe that trains one of the models, and claims an accuracy, has a row of its own, for its network is often
    another: what it costs, one image a call, and what it claims. `bench.png` draws one against the other.

    Args:
        models: names, or shell patterns such as `"resnet*"`; none is a small set of all kinds.
        batches: sizes of batches, whole numbers of at least 1; None doubles from 1 until that brings less than 5 %
            twice in a row, or until memory is short.
        seconds: of a round, > 0.
        precision: `"float32"`, `"mixed_bfloat16"`, `"mixed_float16"`, or `"auto"` as in `zoo.train`.
        limit: seconds after which a model's process is ended; what it had measured counts.
        to: the folder for `bench.csv` and `bench.png`.
        overwrite: whether to replace them.
        verbose: whether to print the estimate, a line a model, and the table.

    Returns:
        A list of dicts of `zoo.benching_table.COLUMNS`, a row each; what was not measured is None, and `note` says why.

    Raises:
        ZooError: an unknown name, a value out of range, or a `bench.csv` that is there already.

    Example:
        >>> rows = zoo.bench(["lenet*"], seconds=0.5)  # doctest: +SKIP
        >>> [row["macs"] for row in rows if row["recipe"] is None]  # doctest: +SKIP
        [416520, 415680]
    """
    names = _names(models)
    _check(batches, seconds, precision, limit)
    folder = Path(to)
    require(not folder.is_file(), "to", str(to), "a folder")
    there = [str(folder / name) for name in ("bench.csv", "bench.png") if (folder / name).exists()]
    if there and not overwrite:
        raise ZooError(f"{' and '.join(there)} would be lost. Name another folder (--to), or --overwrite")
    tell = print if verbose else lambda *_: None
    tell(f"{len(names)} models, about {_estimate(len(names), batches, seconds, limit)} on an idle machine")
    asked = dict(batches=list(batches) if batches else None, seconds=seconds, precision=precision)
    rows = []
    for number, name in enumerate(names):
        began = time.monotonic()
        found = _measured(name, asked, limit)
        rows += found
        tell(f"[{number + 1}/{len(names)}] {name}: {benching_table.line(found[0])} ({time.monotonic() - began:.0f} s)")
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "bench.csv", benching_table.as_csv(rows))
    paths = [folder / "bench.csv"]
    if any(row["accuracy"] and row["macs"] for row in rows):
        from zoo.pictures.costs import costs

        paths.append(report.save(costs(rows), folder / "bench.png"))
    tell("\n".join(["", benching_table.text(rows), "", *map(str, paths)]))
    return rows


def _names(models):
    """The names that are asked for, in order, each once."""
    from zoo.catalogue import ENTRIES

    known = [entry.name for entry in ENTRIES]
    found = []
    for word in [models] if isinstance(models, str) else models or DEFAULT:
        matching = registry.list_models(word)
        if not matching:
            raise ZooError(f"there is no model named {word!r}, or like it.{suggest(word, known)} `zoo list` shows all")
        found += matching
    for name in found:
        if name not in known:
            raise ZooError(
                f"{name!r} was registered by this process alone; models are measured in processes of their own"
            )
    return list(dict.fromkeys(found))


def _check(batches, seconds, precision, limit):
    choose("precision", precision, ("auto", "float32", "mixed_bfloat16", "mixed_float16"))
    for size in batches or ():
        whole = isinstance(size, int) and not isinstance(size, bool) and size >= 1
        require(whole, "batches", batches, "whole numbers of at least 1")
    for name, value in (("seconds", seconds), ("limit", limit)):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        require(number and 0 < value < float("inf"), name, value, "a number of seconds > 0")


def _estimate(count, batches, seconds, limit):
    sizes = 2 * len(batches) if batches else SIZES
    whole = count * min(limit, START + 4 * seconds * sizes)
    return f"{whole:.0f} s" if whole < 90 else f"{whole / 60:.0f} min"


def _measured(name, asked, limit):
    """The rows of one model: its own first, then those of recipes, measured in a process of its own."""
    entry = registry.entry(name)
    claimed = {recipe: claims.claim(recipe) for recipe in sources.recipes_of(name)}
    claimed = {recipe: claim for recipe, claim in claimed.items() if claim}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.jsonl"
        path.touch()
        specification = {"model": name, "recipes": list(claimed), "to": str(path), **asked}
        ended = _run([sys.executable, "-m", "zoo.benching_worker", json.dumps(specification)], limit)
        # Behind the last line feed is what a process was writing when it was ended.
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
    blank = dict.fromkeys(COLUMNS) | {"model": name, "task": entry.task, "seconds": asked["seconds"]}
    blank |= {"machine": _machine(), "versions": _versions(), "measured": runs.now()}
    row = {**blank, "parameters": entry.parameters}
    notes, others = [ended] if ended else [], []
    for part in found:
        if "recipe" in part:
            claim = claimed[part["recipe"]]
            values = dict(data=claim.data, accuracy=claim.accuracy, deviation=claim.deviation, precision="float32")
            others.append({**blank, **values, **part})
        elif "what" in part:
            _take(row, **part)
        else:
            notes += [part.pop("note")] if "note" in part else []
            row |= part
    row["note"] = "; ".join(notes) or None
    return [row, *others]


def _take(row, what, batch, rate, mib):
    """Puts a rate into a row, if it is that of one example a step or the best so far."""
    if batch == 1:
        row[f"{what}_1"] = rate
    if rate > (row[what] or 0):
        row |= {what: rate, f"{what}_batch": batch, f"{what}_mib": mib}


def _run(command, limit):
    """Runs a process, and says how it ended in words, None for well."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, stdin=subprocess.DEVNULL)
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            return f"stopped after {limit:g} s"
        finally:
            process.kill()
            process.wait()
        said.seek(0)
        lines = said.read().decode(errors="replace").strip().splitlines()
    if status == -9:
        return "out of memory: the system ended the process"
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    return f"failed: {lines[-1] if lines else f'exit status {status}'}" if status else None


def _versions():
    known = runs.versions()
    return " ".join(f"{name} {known[name]}" for name in ("python", "keras", "tensorflow", "jax") if name in known)


def _machine():
    """The processor's name and the number of cores that this process may use."""
    import os
    import platform

    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{name}, {cores} cores"
