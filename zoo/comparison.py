"""A study: one recipe over values and seeds, to one table and one picture. Every "mean of n seeds" comes from here."""

import gc
import itertools
import json
import math
import statistics
from pathlib import Path

import keras
import numpy as np

from zoo import recipe, report, runs, trainer
from zoo.checkpoint import write_atomically
from zoo.errors import ZooError, suggest


def compare(name, vary=None, seeds=3, folder=None, verbose=2, **options):
    """Trains a recipe once for each combination of values and each seed, and compares.

    A study that was killed goes on where it was when it is started again: finished runs are kept, an unfinished one
    is resumed. Choose by the validation columns; the test columns are for the one that was chosen.

    Args:
        name: a recipe's name or path.
        vary: a dict from hyper-parameter to the list of values to try; empty for seeds alone.
        seeds: how many seeds, 0 to n-1, for each combination.
        folder: the study's folder; by default `runs/compare/NAME-<what varies>`.
        verbose: 0 silent, 1 progress bar, 2 a line an epoch.
        **options: further arguments of `zoo.train`: hyper-parameters that all share, or execution options.

    Returns:
        A list of rows, one a combination: `{"setting": {...}, "n": runs, "diverged": runs whose loss became NaN,
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
    rows, histories = [], {}
    for number, setting in enumerate(settings):
        found = []
        for seed in range(seeds):
            home = folder / _slug(setting) / f"seed-{seed}"
            if runs.metrics(home) is None:
                tell(f"[{number * seeds + seed + 1}/{len(settings) * seeds}] {_words(setting)}seed {seed}")
                _one(source.name, home, seed, setting, options, tell, verbose)
            found.append(runs.metrics(home))
            histories.setdefault(_words(setting).strip(", ") or stem, []).append(runs.history(home))
        rows.append(_row(setting, found))
    text = table(rows)
    write_atomically(folder / "table.md", text + "\n")
    report.save(bands(histories, source.name), folder / "compare.png")
    tell(f"\n{text}\n\n{folder / 'table.md'}\n{folder / 'compare.png'}")
    return rows


def _one(name, home, seed, setting, options, tell, verbose):
    """One run of the grid, begun or resumed; nothing stays in memory. One that diverges does not end the study."""
    try:
        if (home / "recipe.json").is_file():
            trainer.resume(home, verbose=verbose)
        else:
            trainer.train(name, seed=seed, folder=home, verbose=verbose, export=False, **{**options, **setting})
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


def table(rows):
    """The rows as a Markdown table: what varied, seeds, validation and test metrics, epochs and time.

    Args:
        rows: what `compare` returns.

    Returns:
        A string.
    """
    metrics = list(dict.fromkeys(key for row in rows for key in row if _is_shown(key)))
    counts = ["n", "diverged"] if any(row["diverged"] for row in rows) else ["n"]
    digits = {**dict.fromkeys(metrics, 4), "epochs": 1, "seconds": 1}
    columns = [*rows[0]["setting"], *counts, *digits]
    lines = [columns, ["---"] * len(columns)]
    for row in rows:
        cells = [str(value) for value in (*row["setting"].values(), *(row[key] for key in counts))]
        lines.append([*cells, *(_spread(row.get(key), places) for key, places in digits.items())])
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _is_shown(key):
    """Whether a metric has a column: of several outputs' losses only the sum has."""
    part, _, metric = key.partition("_")
    return part in ("val", "test") and (metric == "loss" or not metric.endswith("_loss"))


def _spread(value, places):
    """Mean and deviation as text; the deviation only where there is one."""
    if value is None:
        return "–"
    mean, deviation = value
    return f"{mean:.{places}f}" if math.isnan(deviation) else f"{mean:.{places}f} ± {deviation:.{places}f}"


def bands(histories, title):
    """Training loss and validation metrics against the epoch: the mean over seeds, one deviation either side.

    Args:
        histories: a dict from a setting's words to a list of histories, one a seed.
        title: the figure's title.

    Returns:
        A matplotlib figure.
    """
    keys = [key for key in histories[next(iter(histories))][0][-1] if key == "loss" or _is_shown(key)]
    figure, axes = report.panels(min(3, len(keys)), -(-len(keys) // 3), 4.6, 3.4)
    for axis, key in zip(axes, keys, strict=False):
        for words, group in histories.items():
            length = max(len(rows) for rows in group)
            values = np.full((len(group), length), np.nan)
            for index, rows in enumerate(group):
                values[index, : len(rows)] = [row.get(key, np.nan) for row in rows]
            epochs = np.arange(1, length + 1)
            values = np.ma.masked_invalid(values)
            mean, spread = (each.filled(np.nan) for each in (values.mean(0), values.std(0)))
            (line,) = axis.plot(epochs, mean, label=f"{words} (n={len(group)})")
            axis.fill_between(epochs, mean - spread, mean + spread, alpha=0.2, color=line.get_color(), linewidth=0)
        axis.set_xlabel("epoch")
        axis.set_ylabel(key.replace("val_", "validation ").replace("_", " "))
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    figure.suptitle(f"{title}: mean and standard deviation over seeds")
    return figure
