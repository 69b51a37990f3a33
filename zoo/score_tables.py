"""Small tables of scores that stand beside a run's pictures: a CSV file that is read back, and aligned text."""

import csv
import io

from zoo.checkpoint import write_atomically
from zoo.errors import ZooError


def aligned(cells):
    """Rows of words as text, the first column to the left, all others to the right.

    Args:
        cells: a list of rows of strings, the first one the titles. A column whose other cells are all empty is left
            out.

    Returns:
        Lines in one string.

    Example:
        >>> print(aligned([["", "error", "AUC"], ["network", "3.0", ""], ["PCA", "13.9", ""]]))
                 error
        network    3.0
        PCA       13.9
    """
    columns = [column for column in zip(*cells, strict=True) if any(column[1:])]
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for first, *others in zip(*columns, strict=True):
        words = [word.rjust(width) for word, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *words]).rstrip())
    return "\n".join(lines)


def write(rows, path):
    """Writes a table as a CSV file, at once or not at all.

    Args:
        rows: a list of one kind of `NamedTuple`: a name, and numbers or None.
        path: of the file, which is replaced.

    Returns:
        The path.
    """
    content = io.StringIO(newline="")
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(rows[0]._fields)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    write_atomically(path, content.getvalue())
    return path


def read(path, kind):
    """Reads a table back that `write` wrote.

    Args:
        path: of the file.
        kind: the `NamedTuple` of its rows.

    Returns:
        A list of them.

    Raises:
        ZooError: there is no such file, or it holds something else.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            first, *others = csv.reader(file)
        if tuple(first) != kind._fields:
            raise ValueError("it has other columns")
        return [kind(name, *map(_number, values)) for name, *values in others]
    except (OSError, ValueError, TypeError) as error:
        raise ZooError(f"{path} is no table of scores with {', '.join(kind._fields)}: {error}") from None


def _number(cell):
    if not cell:
        return None
    return int(cell) if cell.isdigit() else float(cell)
