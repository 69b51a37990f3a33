"""`table`: a CSV of features with a target column, or one of scikit-learn's small tables."""

import csv
import functools
from pathlib import Path

import numpy as np

from zoo.data.assemble import from_arrays
from zoo.errors import ZooError, choose, suggest

NAMES = ("wine", "breast_cancer", "diabetes")
TASKS = ("classification", "regression")


def table(source="wine", target=None, batch_size=32, *, task=None, validation=0.1, seed=None):
    """Feature vectors with a target, as training, validation and test streams.

    Args:
        source: the path of a CSV file whose first line names the columns (separated by commas, semicolons or tabs), or
            one of "wine" (178 rows, 13 features, 3 classes), "breast_cancer" (569, 30, 2 classes), "diabetes" (442, 10,
            regression), which scikit-learn carries.
        target: name of the target column; all other columns are features. The names have their own, "target", which
            None means too.
        batch_size: examples a batch, >= 1.
        task: "classification" or "regression"; None decides by the target: text and whole numbers are classes, numbers
            with a decimal point are quantities.
        validation: share of the training rows to validate on, 0 <= validation < 1, split by `seed` (by class in
            classification).
        seed: integer for split and order; None takes the current seed.

    Returns:
        A `zoo.Data` with elements (x float32 `(batch, features)` as in the file, y int32 `(batch,)` or, in regression,
        float32 `(batch, 1)`). A fifth of the rows is set aside for the test by a fixed seed. `statistics` holds
        `features`, their names, and, of the training rows alone, `normalization`: (means, variances) of the features,
        and in regression `target`: (mean, standard deviation), for the model to carry. `labels` are the classes' names.

    Raises:
        ZooError: no such file, no such column, features that are missing, infinite or no numbers, one class only, or
            too few rows; the message names line and column.

    Example:
        >>> data = zoo.data.table("diabetes", seed=0)
        >>> data.train.size, data.validation.size, data.test.size, len(data.statistics["normalization"][0])
        (317, 36, 89, 10)
    """
    if task is not None:
        choose("task", task, TASKS)
    if source in NAMES:
        x, y, labels, features = _embedded(source, target, task)
    else:
        x, y, labels, features = _read(source, target, task)
    statistics = functools.partial(_statistics, features)
    return from_arrays((x, y), batch_size, validation=validation, labels=labels, seed=seed, statistics=statistics)


def _statistics(features, x, y):
    x = x.astype("float64")
    found = {"features": features, "normalization": (x.mean(axis=0).tolist(), x.var(axis=0).tolist())}
    if np.issubdtype(y.dtype, np.floating):
        found["target"] = float(y.mean(dtype="float64")), float(y.std(dtype="float64"))
    return found


def _embedded(name, target, task):
    import sklearn.datasets

    own = "regression" if name == "diabetes" else "classification"
    if target not in (None, "target") or task not in (None, own):
        raise ZooError(
            f"the target of {name!r} is 'target', and the task {own}. Received: target={target!r}, task={task!r}"
        )
    found = getattr(sklearn.datasets, f"load_{name}")()
    x, features = found.data.astype("float32"), list(map(str, found.feature_names))
    if own == "regression":
        return x, found.target.astype("float32"), None, features
    return x, found.target.astype("int32"), tuple(map(str, found.target_names)), features


def _read(source, target, task):
    path = Path(source).expanduser()
    names, rows, lines = read_rows(path)
    if target not in names:
        raise ZooError(
            f"{path} has no column {target!r} to be the target.{suggest(target, names)} Its columns: {', '.join(names)}"
        )
    place = names.index(target)
    x = np.empty((len(rows), len(names) - 1), "float32")
    for k, column in enumerate(name for name in range(len(names)) if name != place):
        x[:, k] = as_numbers([row[column] for row in rows], names[column], lines, path)
    y, labels = as_targets([row[place].strip() for row in rows], target, task, lines, path)
    return x, y, labels, [name for name in names if name != target]


def read_rows(path, least=2):
    """Names of the columns, rows of strings, and the line of each, from a CSV file of so many columns at least."""
    if not path.is_file():
        hint = suggest(str(path), NAMES)
        raise ZooError(f"there is no file {path}.{hint} A table is a CSV file or one of {', '.join(map(repr, NAMES))}")
    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            head = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(",;\t", key=head.count))
            read = [(reader.line_num, row) for row in reader if row]
        except (csv.Error, UnicodeDecodeError) as error:
            raise ZooError(f"{path} cannot be read as CSV in UTF-8: {error}") from None
    if len(read) < 2:
        raise ZooError(f"{path} has no rows: the first line names the columns, each line after it is an example")
    names = [name.strip() for name in read[0][1]]
    if len(names) < least or len(set(names)) < len(names):
        told = f"{least} or more columns with different names in its first line"
        raise ZooError(f"{path} needs {told}. Received: {names}")
    for line, row in read[1:]:
        if len(row) != len(names):
            raise ZooError(f"{path}, line {line}: {len(row)} values for {len(names)} columns")
    return names, [row for _, row in read[1:]], [line for line, _ in read[1:]]


def as_numbers(texts, name, lines, path):
    """A column as float64 numbers; raises for one that is none, and names its line."""
    values = np.array([as_number(text) for text in texts])
    with np.errstate(over="ignore"):
        wrong = np.flatnonzero(~np.isfinite(values.astype("float32")))
    if len(wrong):
        text, more = texts[wrong[0]].strip(), f" ({len(wrong)} such values in the column)" if len(wrong) > 1 else ""
        what = f"is {text!r}" if text else "is empty"
        raise ZooError(
            f"{path}, line {lines[wrong[0]]}: column {name!r} {what}{more}; every value must be a finite number. Fill "
            "the gaps, leave out such rows, or turn the column into numbers (text: a column of 0 and 1 for each value)"
        )
    return values


def as_targets(texts, name, task, lines, path):
    values = np.array([as_number(text) for text in texts])
    numeric = bool(np.isfinite(values).all())
    whole = numeric and all(text.lstrip("+-").isdigit() for text in texts)
    if task == "regression" or (task is None and numeric and not whole):
        return as_numbers(texts, name, lines, path).astype("float32"), None
    empty = [line for line, text in zip(lines, texts, strict=True) if not text]
    if empty:
        raise ZooError(f"{path}, line {empty[0]}: the target {name!r} is empty")
    labels = sorted(set(texts), key=float if numeric else str)
    if task is None and whole and len(labels) > len(texts) / 2:
        raise ZooError(
            f"{path}: {len(labels)} different whole numbers in {len(texts)} rows of the target {name!r}. If they are "
            "quantities, say task='regression'; if they are classes, task='classification'"
        )
    places = {label: k for k, label in enumerate(labels)}
    return np.array([places[text] for text in texts], "int32"), tuple(labels)


def as_number(text):
    try:
        return float(text)
    except ValueError:
        return np.nan
