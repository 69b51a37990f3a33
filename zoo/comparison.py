"""A study: one recipe over values and seeds, to one table and one picture. Every "mean of n seeds" comes from here."""

import gc
import itertools
import json
import math
import statistics
from pathlib import Path

import keras

from zoo import recipe, report, runs, trainer
from zoo.checkpoint import write_atomically
from zoo.errors import ZooError, suggest
from zoo.pictures.bands import bands, is_metric
from zoo.pictures.seed_bands import returns


def compare(name, vary=None, seeds=3, folder=None, test=None, verbose=2, **options):
    """Trains a recipe once for each combination of values and each seed, and compares.

    A study that was killed goes on where it was when it is started again: finished runs are kept, an unfinished one
    is resumed. Where something varies, the table has no test columns unless they are asked for: choose by validation.

    Args:
        name: a recipe's name or path.
        vary: a dict from hyper-parameter to the list of values to try; empty for seeds alone.
        seeds: how many seeds, 0 to n-1, for each combination.
        folder: the study's folder; by default `runs/compare/NAME-<what varies>`.
        test: whether the table shows the test metrics; None shows them where seeds alone vary.
        verbose: 0 silent, 1 progress bar, 2 a line an epoch.
        **options: further arguments of `zoo.train`: hyper-parameters that all share, or execution options.

    Returns:
        A list of rows, one a combination: `{"setting": {...}, "n": runs, "diverged": runs whose loss became infinite,
        METRIC: (mean, deviation), ...}`.

    Raises:
        ZooError: a hyper-parameter that the recipe does not have, no seed, or a folder that holds another study.
    """
    vary = dict(vary or {})
    source = recipe.find(name)
    for key, values in vary.items():
        if key not in source.defaults:
            raise ZooError(f"{source.name} has no hyper-parameter {key!r} to vary.{suggest(key, source.defaults)}")
        if not values:
            raise ZooError(f"no values to vary {key!r} over. Received: {values!r}")
    if not isinstance(seeds, int) or seeds < 1:
        raise ZooError(f"seeds must be a whole number of at least 1. Received: seeds={seeds!r}")
    stem = Path(source.name).stem
    folder = Path(folder) if folder else runs.root() / "compare" / "-".join([stem, *(vary or {"seeds": 0})])
    study = json.loads(json.dumps({"recipe": source.name, "vary": vary, "options": options}))
    _claim(folder, study)
    tell = print if verbose else lambda *_: None

    settings = [dict(zip(vary, values, strict=True)) for values in itertools.product(*vary.values())]
    rows, homes = [], {}
    for number, setting in enumerate(settings):
        found = []
        for seed in range(seeds):
            home = folder / _slug(setting) / f"seed-{seed}"
            if runs.metrics(home) is None:
                tell(f"[{number * seeds + seed + 1}/{len(settings) * seeds}] {_words(setting)}seed {seed}")
                _one(source.name, home, seed, setting, options, tell, verbose)
            found.append(runs.metrics(home))
            homes.setdefault(_words(setting).strip(", ") or stem, []).append(home)
        rows.append(_row(setting, found))
    text = table(rows, test=not vary if test is None else test)
    write_atomically(folder / "table.md", text + "\n")
    histories = _histories(homes)
    drawn = [report.save(bands(histories, source.name), folder / "compare.png")]
    if any("val_return" in row for group in histories.values() for history in group for row in history):
        drawn.append(report.save(returns(histories, source.name), folder / "seeds.png"))
    drawn += report.own(source.module, list(zip(settings, homes.values(), strict=True)), folder)
    tell("\n".join(["", text, "", str(folder / "table.md"), *map(str, drawn)]))
    return rows


def _one(name, home, seed, setting, options, tell, verbose):
    """One run of the grid, begun or resumed; nothing stays in memory. One that diverges does not end the study."""
    try:
        if (home / "recipe.json").is_file():
            trainer.resume(home, verbose=verbose)
        else:
            quick = dict(export=False, pictures=False)
            trainer.train(name, seed=seed, folder=home, verbose=verbose, **quick, **{**options, **setting})
    except trainer.Diverged as error:
        tell(str(error))
    keras.utils.clear_session()
    gc.collect()


def _claim(folder, study):
    """Writes what the study is, or checks that the folder's study is the same."""
    path = folder / "study.json"
    if path.is_file():
        earlier = json.loads(path.read_text(encoding="utf-8"))
        same = {key: earlier[key] == study[key] for key in ("recipe", "options")}
        if not all(same.values()) or set(earlier["vary"]) != set(study["vary"]):
            raise ZooError(
                f"the folder {folder} holds another study: {earlier}. Name another folder, or repeat that study to "
                "continue it"
            )
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(study, indent=2) + "\n")


def _slug(setting):
    return "_".join(f"{key}={value}".replace("/", "-").replace(" ", "") for key, value in setting.items()) or "default"


def _words(setting):
    return "".join(f"{key} {value}, " for key, value in setting.items())


def _row(setting, found):
    """Mean and standard deviation of each metric over the seeds; the deviation of one run is NaN."""
    whole = [metrics for metrics in found if metrics is not None]
    row = {"setting": setting, "n": len(whole), "diverged": len(found) - len(whole)}
    for key in whole[0] if whole else ():
        values = [metrics[key] for metrics in whole]
        row[key] = statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else float("nan")
    return row


def table(rows, test=True):
    """The rows as a Markdown table: what varied, seeds, metrics, epochs and time.

    Args:
        rows: what `compare` returns.
        test: whether the test metrics have columns.

    Returns:
        A string.
    """
    metrics = list(dict.fromkeys(key for row in rows for key in row if is_metric(key)))
    metrics = [key for key in metrics if test or not key.startswith("test_")]
    counts = ["n", "diverged"] if any(row["diverged"] for row in rows) else ["n"]
    digits = {**dict.fromkeys(metrics, 4), "epochs": 1, "seconds": 1}
    columns = [*rows[0]["setting"], *counts, *digits]
    lines = [columns, ["---"] * len(columns)]
    for row in rows:
        cells = [str(value) for value in (*row["setting"].values(), *(row[key] for key in counts))]
        lines.append([*cells, *(_spread(row.get(key), places) for key, places in digits.items())])
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _spread(value, places):
    """Mean and deviation as text; the deviation only where there is one."""
    if value is None:
        return "–"
    mean, deviation = value
    return f"{mean:.{places}f}" if math.isnan(deviation) else f"{mean:.{places}f} ± {deviation:.{places}f}"


def _histories(homes):
    """The histories of run folders, by setting, each row with the training steps done at its end."""
    found = {}
    for words, folders in homes.items():
        steps = [runs.read(folder)["steps"] for folder in folders]
        found[words] = [
            [{**row, "step": row["epoch"] * each} for row in runs.history(folder)]
            for folder, each in zip(folders, steps, strict=True)
        ]
    return found
