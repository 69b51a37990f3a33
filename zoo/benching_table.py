"""The table of `zoo bench`: its columns, as a file and as text."""

import csv
import io

COLUMNS = ("model", "recipe", "task", "data", "accuracy", "deviation", "input", "parameters", "macs")
COLUMNS += ("inference_1", "inference_batch", "inference", "inference_mib")
COLUMNS += ("training_1", "training_batch", "training", "training_mib", "compiled", "precision", "note")
COLUMNS += ("seconds", "machine", "versions", "measured")
MEANING = """Examples a second, at batch 1 and at the best batch (in brackets): medians of 3 rounds of {seconds:g} s.
MACs: multiply-adds of one example. MiB: memory at most, beside the bare process.
{machine}; {versions}"""


def as_csv(rows):
    """The rows as the text of a CSV file."""
    content = io.StringIO(newline="")
    writer = csv.DictWriter(content, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return content.getvalue()


def text(rows):
    """The rows as text for people.

    Args:
        rows: what `bench` returns.

    Returns:
        A string: the models, then the recipes whose accuracy is known, and what the numbers mean.
    """
    heads = ("model", "parameters", "MACs", "inference at 1", "best", "MiB", "training at 1", "best", "MiB")
    lines = [heads]
    for row in (row for row in rows if not row["recipe"]):
        cells = [row["model"], _number(row["parameters"]), _number(row["macs"])]
        for what in ("inference", "training"):
            best = row[what] and f"{_number(row[what])} ({row[f'{what}_batch']})"
            cells += [_number(row[f"{what}_1"]), best or "–", _number(row[f"{what}_mib"])]
        lines.append(cells)
    parts = [_columns(lines)]
    notes = [f"{row['model']}: {row['note']}" for row in rows if row["note"]]
    claimed = [row for row in rows if row["accuracy"]]
    if claimed:
        lines = [("recipe", "data", "accuracy, %", "parameters", "MACs", "inference at 1")]
        for row in claimed:
            spread = "" if row["deviation"] is None else f" ± {row['deviation']:.2f}"
            cells = [row["recipe"], row["data"], f"{row['accuracy']:.2f}{spread}"]
            lines.append([*cells, *(_number(row[key]) for key in ("parameters", "macs", "inference_1"))])
        parts.append(_columns(lines))
    parts.append("\n".join([*notes, *MEANING.format(**rows[0]).splitlines()]))
    return "\n\n".join(parts)


def line(row):
    """A model's row in a few words."""
    said = []
    for what in ("inference", "training"):
        if row[what]:
            said.append(f"{what} {_number(row[what])} a second at batch {row[f'{what}_batch']}")
    return "; ".join([*said, *filter(None, [row["note"]])])


def _number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _columns(lines):
    """Cells in columns, the first of which is of words."""
    first, *others = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([name.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, others, strict=True))])
        for name, *cells in lines
    )
