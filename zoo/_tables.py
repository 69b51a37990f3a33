"""Features read from a CSV file, for prediction."""

import csv
import math

import numpy as np

from zoo.errors import ZooError, suggest


def read_features(file, width, names=()):
    """Reads the rows of a CSV file of features.

    Args:
        file: `pathlib.Path`. A first row with a cell that is no number is a header.
        width: number of features.
        names: their names, in order, when they are known: then columns are found by the header, in any order, and
            others (the target, say) are passed over. Otherwise there must be one column a feature, in order.

    Returns:
        List of line numbers, and float32 array (rows, width).

    Raises:
        ZooError: no such file, no rows, a missing column, or a cell that is no finite number.
    """
    if not file.is_file():
        raise ZooError(f"there is no CSV file {file}.")
    with open(file, newline="", encoding="utf-8-sig", errors="replace") as opened:
        reader = csv.reader(opened)
        rows = [(reader.line_num, row) for row in reader if row]
    header = None
    if rows and any(_number(cell) is None for cell in rows[0][1]):
        header = [cell.strip() for cell in rows.pop(0)[1]]
    if not rows:
        raise ZooError(f"{file} has no rows of features.")
    columns = _columns(file, header, len(header or rows[0][1]), width, names)
    found = np.empty((len(rows), width), np.float32)
    for index, (line, row) in enumerate(rows):
        for position, column in enumerate(columns):
            cell = row[column] if column < len(row) else ""
            number = _number(cell)
            if number is None or not math.isfinite(number):
                name = header[column] if header else column + 1
                raise ZooError(f"{file}, line {line}, column {name}: expected a finite number. Received: {cell!r}")
            found[index, position] = number
    return [line for line, _ in rows], found


def _columns(file, header, columns, width, names):
    """Where each feature stands in a row."""
    if header and names:
        for name in names:
            if name not in header:
                raise ZooError(f"{file} has no column {name!r}, a feature of the model.{suggest(name, header)}")
        return [header.index(name) for name in names]
    if columns != width:
        found = f" A header would let them be found among others: {', '.join(names)}." if names else ""
        raise ZooError(f"the model takes {width} features. Received: {columns} columns in {file}.{found}")
    return range(width)


def _number(cell):
    try:
        return float(cell)
    except ValueError:
        return None
