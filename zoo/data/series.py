"""`series`: a CSV file of measurements in the order of time."""

import dataclasses
import math
from pathlib import Path

import numpy as np

from zoo.data import table
from zoo.data.assemble import from_arrays
from zoo.data.stream import Stream
from zoo.errors import ZooError, require, suggest
from zoo.recipe import Data
from zoo.seeding import check_seed


def series(
    path,
    target,
    steps=24,
    batch_size=32,
    *,
    horizon=1,
    sequence=None,
    time=None,
    task=None,
    validation=0.1,
    test=0.2,
    seed=None,
):
    """Windows of one long series and the value to forecast, or many short sequences and the answer to each.

    Without `sequence` the file is one series, a row for each point in time. An example is a window of `steps` rows with
    all columns, the target's own past among them, and the target `horizon` rows after the window's last. The parts are
    stretches of time, the test part last; the rows to be forecast are in one part each, and what a window of validation
    or test looks back on may be rows of the part before, as it will be in use. Nothing that comes later is ever seen.

    With `sequence` the rows with one value in that column, in the order of the file, are one example. The target says
    the same in each of them and is not among the features. Longer sequences lose their beginning; shorter ones get rows
    of the features' means in front, so that the last step is always their own last.

    Args:
        path: a CSV file whose first line names the columns (separated by commas, semicolons or tabs).
        target: name of the column to predict.
        steps: rows of an example, >= 1.
        batch_size: examples a batch, >= 1.
        horizon: how many rows ahead the value lies, >= 1; 1 is the next row. (Without `sequence`.)
        sequence: name of the column that says which sequence a row belongs to.
        time: name of a column that is to be left out, such as a time stamp. Rows stand in the order of time already.
        task: with `sequence`, "classification" or "regression"; None decides by the target, as `zoo.data.table` does.
        validation: share of the rows, 0 <= share < 1: without `sequence` those before the test part. With it, share of
            the training sequences, by `seed` (by class in classification).
        test: share of the rows at the end, 0 <= share < 1. (Without `sequence`; of sequences a fifth is set aside by a
            fixed seed.)
        seed: integer for order and split; None takes the current seed.

    Returns:
        A `zoo.Data` with elements (x float32 `(batch, steps, features)` as in the file, y float32 `(batch, 1)` or, in
        classification, int32 `(batch,)`). `statistics` holds `columns`, the features' names, and, of the training rows
        alone, `normalization`: (means, variances) of the features, and `target`: (mean, standard deviation) where that
        is a quantity, for the model to carry. `labels` are the classes' names, or None. With TensorFlow each window
        takes its own memory: rows * steps * features * 4 bytes.

    Raises:
        ZooError: no such file or column, values that are missing, infinite or no numbers, a sequence with two targets,
            or too few rows; the message names line and column.

    Example:
        `zoo.data.series("weather.csv", "temperature", steps=48, horizon=24, time="date")` forecasts the temperature of
        the same hour of the next day from two days.
    """
    seed = check_seed(seed)
    for name, value in (("steps", steps), ("horizon", horizon)):
        whole = isinstance(value, int) and not isinstance(value, bool)
        require(whole and value >= 1, name, value, "a whole number >= 1")
    if sequence is None:
        require(task in (None, "regression"), "task", task, "None without sequence: a forecast is a regression")
    path = Path(path).expanduser()
    if not path.is_file():
        raise ZooError(f"there is no file {path}. A series is a CSV file")
    names, rows, lines = table.read_rows(path, least=1)
    columns = _columns(path, names, target, sequence, time)
    values = np.stack([_numbers(rows, names, name, lines, path, time) for name in columns], axis=1).astype("float32")
    if sequence is None:
        return _forecast(path, values, columns, target, steps, horizon, batch_size, validation, test, seed)
    members = {}
    for row, text in enumerate(texts[names.index(sequence)].strip() for texts in rows):
        members.setdefault(text, []).append(row)
    answers = [row[names.index(target)].strip() for row in rows]
    for name, found in members.items():
        other = next((row for row in found if answers[row] != answers[found[0]]), None)
        if other is not None:
            raise ZooError(
                f"{path}, line {lines[other]}: the target {target!r} of the sequence {name!r} is {answers[other]!r}, "
                f"and in line {lines[found[0]]} it is {answers[found[0]]!r}. A sequence has one target"
            )
    firsts = [found[0] for found in members.values()]
    y, labels = table.as_targets([answers[row] for row in firsts], target, task, [lines[row] for row in firsts], path)
    parts = [values[found[-steps:]] for found in members.values()]
    # Means are of the training part alone: sequences are split by their numbers, and become arrays afterwards.
    split = from_arrays((np.arange(len(y)), y), batch_size, validation=validation, labels=labels, seed=seed)
    numbers, answers = split.train.arrays
    statistics = _statistics(columns, np.concatenate([parts[number] for number in numbers]), answers)
    means = np.array(statistics["normalization"][0], "float32")
    streams = {}
    for name, stream in split.parts.items():
        x = np.tile(means, (stream.size, steps, 1))
        for row, number in zip(x, stream.arrays[0], strict=True):
            row[steps - len(parts[number]) :] = parts[number]
        streams[name] = stream.replaced((x, stream.arrays[1]))
    return dataclasses.replace(split, **streams, statistics=statistics)


def _columns(path, names, target, sequence, time):
    """The names of the features."""
    special = {"target": target, "sequence": sequence, "time": time}
    for what, name in special.items():
        if name not in names and (what == "target" or name is not None):
            raise ZooError(
                f"{path} has no column {name!r} to be the {what}.{suggest(name, names)} Its columns: {', '.join(names)}"
            )
    chosen = [name for name in special.values() if name is not None]
    if len(set(chosen)) < len(chosen):
        raise ZooError(f"target, sequence and time are different columns. Received: {', '.join(chosen)}")
    # A forecast may look back on the target; the answer to a sequence would be among its features.
    columns = [name for name in names if name not in ((time,) if sequence is None else chosen)]
    if not columns:
        raise ZooError(f"{path} has no column left to learn from: {', '.join(names)}")
    return columns


def _numbers(rows, names, name, lines, path, time):
    texts = [row[names.index(name)] for row in rows]
    if time is None and not any(math.isfinite(table.as_number(text)) for text in texts):
        raise ZooError(
            f"{path}, line {lines[0]}: column {name!r} is {texts[0]!r}, and has no number anywhere. If it is the time, "
            f"leave it out with --time {name}, or time={name!r} in Python"
        )
    return table.as_numbers(texts, name, lines, path)


def _forecast(path, values, columns, target, steps, horizon, batch_size, validation, test, seed):
    """Windows of one series, in parts by the time of the row that is forecast."""
    for name, share in (("validation", validation), ("test", test)):
        number = isinstance(share, int | float) and not isinstance(share, bool)
        require(number and 0 <= share < 1, name, share, "a share in 0 <= share < 1")
    ahead, count = steps - 1 + horizon, len(values)
    tested = count - round(count * test)
    trained = tested - round(count * validation)
    if trained <= ahead:
        raise ZooError(
            f"{path}: {max(trained, 0)} of its {count} rows are for training, and windows of {steps} rows with a "
            f"horizon of {horizon} need {ahead + 1} or more. Fewer steps work, or more rows"
        )
    y = values[:, [columns.index(target)]]
    # Views: a window is not stored.
    windows = np.moveaxis(np.lib.stride_tricks.sliding_window_view(values, steps, axis=0), 2, 1)
    bounds = {"train": (ahead, trained), "validation": (trained, tested), "test": (tested, count)}
    streams = {
        name: Stream((windows[first - ahead : last - ahead], y[first:last]), batch_size, seed, shuffle=name == "train")
        for name, (first, last) in bounds.items()
        if first < last
    }
    return Data(**streams, statistics=_statistics(columns, values[:trained], y[:trained]))


def _statistics(columns, rows, answers):
    """What a model carries: of the training rows, and of the answers where they are quantities."""
    rows = rows.astype("float64")
    if np.issubdtype(answers.dtype, np.floating) and not answers.std():
        raise ZooError(f"the target is {answers[0, 0]:g} in all training rows: there is nothing to learn")
    found = {"columns": columns, "normalization": (rows.mean(axis=0).tolist(), rows.var(axis=0).tolist())}
    if np.issubdtype(answers.dtype, np.floating):
        found["target"] = float(answers.mean(dtype="float64")), float(answers.std(dtype="float64"))
    return found
