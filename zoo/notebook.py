"""How a `Result` shows itself: a line of text, and in a notebook a table, curves and samples out of its run folder."""

import base64
import html
import io
import itertools
import shlex
from pathlib import Path

from zoo import runs
from zoo.estimate import duration
from zoo.tasks import task_of

# Characters of the whole, pictures included: a notebook is saved with what it shows.
LIMIT = 380_000
# Pictures beside the curves, and where the first of them are found in a run folder; samples come before.
PICTURES = 2
TELLING = ("samples", "reconstructions", "masks", "translations", "resolution", "attention", "episode", "values")
TELLING += ("policy", "q_table", "surprise", "predictions", "mistakes", "confusion")
WIDEST, HIGHEST, SMALL = 900, 600, 300
SHOWN = 6
ROWS, CLASSES, LONGEST, TEXT = 40, 12, 60, 1200
# What goes on from here, by task; what is not here answers for files.
COMMANDS = {
    "autoencoding": ("zoo predict {run} FILE", "zoo generate {run} -n 64"),
    "generation": ("zoo generate {run} -n 64",),
    "language": ("zoo generate {run} --prompt TEXT",),
    "q_learning": ("zoo play {run}",),
}
PARTS = {"train": "training", "val": "validation", "test": "test"}


def text(result):
    """A `Result` in a line: the model's name, what came out on test (or validation) data, where it is.

    Args:
        result: a `zoo.Result`.

    Returns:
        A string.
    """
    told = [getattr(result.model, "name", "no model")]
    scores = [[key for key in result.metrics if key.startswith(part)] for part in ("test_", "val_")]
    shown = scores[0] or scores[1]
    told += [f"{key} {result.metrics[key]:.4g}" for key in shown[:SHOWN]]
    told += ["…"] * (len(shown) > SHOWN)
    return f"Result({', '.join([*told, _length(result.metrics), f'folder={str(result.folder)!r}'])})"


def page(result):
    """A `Result` as HTML for a notebook: metrics, curves, samples where the run has some, and the commands to go on.

    Everything is in the text itself, pictures too, in less than 400 kB; nothing of it is run or fetched. Curves are
    drawn from `history.csv` where the run has no picture of them.

    Args:
        result: a `zoo.Result`.

    Returns:
        A string of HTML.
    """
    folder = Path(result.folder)
    # A folder may have been moved away since.
    record = runs.read(folder) if (folder / "recipe.json").is_file() else {}
    words = [_heading(result, record), _table(result.metrics), _sample_text(folder), _commands(result, folder)]
    pictures = _pictures(folder)
    # A picture in base64 is a third longer.
    room = 3 * (LIMIT - sum(map(len, words)) - 300 * len(pictures)) // (4 * max(1, len(pictures)))
    shown = [_image(name, content, room) for name, content in pictures]
    heading, table, sample, commands = words
    return f'<div style="max-width: 960px">{heading}{table}{"".join(shown)}{sample}{commands}</div>'


def _length(metrics):
    return f"{metrics['epochs']} epochs in {duration(metrics['seconds'])}" if "seconds" in metrics else "not finished"


def _heading(result, record):
    name = Path(record.get("recipe", "a run")).stem
    seed = f", seed {record['seed']}" if record else ""
    told = [getattr(result.model, "name", "")]
    if "parameters" in result.metrics:
        told.append(f"{result.metrics['parameters']:,} parameters")
    told.append(_length(result.metrics))
    labels = record.get("labels") or []
    if labels:
        known = ", ".join(_cut(str(label)) for label in labels[:CLASSES])
        told.append(f"{len(labels)} classes: {known}{', …' * (len(labels) > CLASSES)}")
    return f"<p><b>{_safe(_cut(name) + seed)}</b><br>{'<br>'.join(map(_safe, told))}</p>"


def _table(metrics):
    """The metrics, a row each, a column for each part of the data."""
    cells = {}
    for key, value in metrics.items():
        part, _, name = key.partition("_")
        if part in PARTS:
            cells.setdefault(name, {})[part] = value
    parts = [part for part in PARTS if any(part in row for row in cells.values())]
    if not parts:
        return ""
    left, right = 'style="text-align: left"', 'style="text-align: right"'
    rows = [f"<tr><th {left}>metric</th>{''.join(f'<th {right}>{PARTS[part]}</th>' for part in parts)}</tr>"]
    for name, row in itertools.islice(cells.items(), ROWS):
        numbers = (f"{row[part]:.4f}" if part in row else "" for part in parts)
        told = "".join(f"<td {right}>{number}</td>" for number in numbers)
        rows.append(f"<tr><td {left}>{_safe(_cut(name))}</td>{told}</tr>")
    more = f"<p>and {len(cells) - ROWS} more, in metrics.json</p>" if len(cells) > ROWS else ""
    return f"<table>{''.join(rows)}</table>{more}"


def _pictures(folder):
    """The pictures to show: pairs of a name and the bytes of an image file."""
    from zoo.samples import written

    found = []
    curves = folder / "curves.png"
    if curves.is_file():
        found.append(("curves", curves.read_bytes()))
    elif rows := runs.history(folder):
        found.append(("curves", _drawn(rows)))
    sheets = written(folder / "samples")
    paths = [(f"samples, epoch {epoch}", path) for epoch, path in sheets[-1:]]
    names = TELLING[1:] if sheets else TELLING
    paths += [(name, folder / f"{name}.png") for name in names if (folder / f"{name}.png").is_file()]
    return found + [(name, path.read_bytes()) for name, path in paths[:PICTURES]]


def _drawn(rows):
    """The learning curves as the bytes of a PNG file."""
    import matplotlib

    from zoo.report import curves

    content = io.BytesIO()
    # A column may be named after a class, and a class as its author likes: a dollar is no formula there.
    with matplotlib.rc_context({"text.parse_math": False}):
        curves(rows).savefig(content, format="png", dpi=90)
    return content.getvalue()


def _image(name, content, room):
    """An image of at most so many bytes, as HTML: reduced until it fits. Small ones are shown enlarged, in squares."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as picture:
        picture = picture.convert("RGB")
    picture.thumbnail((WIDEST, HIGHEST))
    content = _png(picture)
    while len(content) > room and min(picture.size) > 1:
        # Bytes grow about as the area does.
        share = min(0.9, (room / len(content)) ** 0.5)
        picture = picture.resize([max(1, int(share * side)) for side in picture.size])
        content = _png(picture)
    style = "max-width: 100%; background: white"
    if max(picture.size) <= SMALL:
        style += f"; width: {2 * picture.width}px; image-rendering: pixelated"
    code = base64.b64encode(content).decode("ascii")
    return f'<p><img alt="{_safe(name)}" style="{style}" src="data:image/png;base64,{code}"><br>{_safe(name)}</p>'


def _png(picture):
    """The bytes of a PNG file of at most 128 colours."""
    content = io.BytesIO()
    picture.quantize(128).save(content, "PNG", optimize=True)
    return content.getvalue()


def _sample_text(folder):
    """What a model of language wrote after the last epoch."""
    from zoo.samples import written

    for epoch, path in written(folder / "samples", "txt")[-1:]:
        said = path.read_text(encoding="utf-8", errors="replace")
        said = said[:TEXT] + "…" * (len(said) > TEXT)
        return f'<p>written after epoch {epoch}:</p><pre style="white-space: pre-wrap">{_safe(said)}</pre>'
    return ""


def _commands(result, folder):
    run = shlex.quote(str(folder))
    lines = ["zoo evaluate {run}", "zoo report {run}"]
    if any((folder / name).exists() for name in ("savedmodel", "model.tflite")):
        lines += COMMANDS.get(_task(result.model), ("zoo predict {run} FILE",))
    else:
        lines.append("zoo export {run} --format savedmodel")
    told = "\n".join(line.format(run=run) for line in lines)
    return f"<p>Run folder: <code>{_safe(str(folder))}</code></p><pre>{_safe(told)}</pre>"


def _task(model):
    return task_of(model) if hasattr(model, "outputs") else None


def _cut(words):
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"


def _safe(words):
    return html.escape(words)
