"""Every picture of a run, redrawn from its folder: learning curves, confusion matrix, confident mistakes, and more."""

import importlib
import math
from pathlib import Path

import numpy as np

from zoo import recipe, runs
from zoo.data.shards import failures_told
from zoo.tasks import task_of

CONFUSION_CLASSES = 30
MISTAKES = 24
# Where the pictures of other tasks than classification and regression are drawn.
DRAWN = {
    "autoencoding": "zoo.pictures.codes",
    "generation": "zoo.pictures.generation",
    "language": "zoo.pictures.language",
    "q_learning": "zoo.pictures.agents",
    "segmentation": "zoo.pictures.masks",
    "transduction": "zoo.pictures.attention",
    "translation": "zoo.pictures.translation",
}
# Quantities of two players, which are read against each other: their panel, and the name of the line.
PLAYERS = {
    "d_real": ("discriminator's opinion", "real"),
    "d_fake": ("discriminator's opinion", "generated"),
    "generator_gradient_norm": ("gradient norm", "generator"),
    "discriminator_gradient_norm": ("gradient norm", "discriminator"),
}


@failures_told()
def redraw(folder):
    """Draws the pictures of a finished run again.

    Args:
        folder: a run folder.

    Returns:
        The paths of the pictures.

    Raises:
        ZooError: not a finished run, or its data has changed.
    """
    from zoo.loading import load
    from zoo.preparation import rebuild

    built = rebuild(folder)
    return draw(folder, load(folder), built.data)


def draw(folder, model, data):
    """Draws the pictures of a run.

    Args:
        folder: the run folder; its `history.csv` is read, pictures are written beside it.
        model: the trained model.
        data: the run's `zoo.Data`; pictures of predictions are of its test part, or of the validation part.

    Returns:
        The paths of the pictures; those of a convolutional network are in `zoo.pictures.convnets`, those of other tasks
        in the modules of `DRAWN`.
    """
    from zoo.data import feeding
    from zoo.pictures import convnets, through_time

    folder = Path(folder)
    record = runs.read(folder)
    drawn = own(recipe.find(folder / "recipe.py").module, [({}, [folder])], folder)
    title = f"{Path(record['recipe']).stem}, seed {record['seed']}"
    drawn += [save(curves(runs.history(folder), title), folder / "curves.png")]
    part = data.test or data.validation
    if part is None or part.size < 2:
        return drawn
    drawn += through_time.draw(folder, model, data)
    task = task_of(model)
    if task in DRAWN:
        return [*drawn, *importlib.import_module(DRAWN[task]).draw(folder, model, data)]
    inputs, targets = part.arrays[0], part.arrays[1]
    outputs = model.predict(feeding.feed_once(part), verbose=0)
    outputs = np.asarray(outputs["logits"] if isinstance(outputs, dict) else outputs, np.float32)
    if data.labels is None:
        return [*drawn, save(predicted_against_true(targets, outputs[:, 0]), folder / "predictions.png")]
    probabilities = softmax(outputs)
    if len(data.labels) <= CONFUSION_CLASSES:
        matrix = confusion(targets, probabilities.argmax(1), len(data.labels))
        drawn.append(save(confusion_matrix(matrix, data.labels), folder / "confusion.png"))
    if inputs.ndim == 4:
        figure = mistakes(inputs, targets, probabilities, data.labels)
        drawn.append(save(figure, folder / "mistakes.png"))
        drawn += convnets.draw(folder, model, inputs, targets, probabilities, data.labels)
    return drawn


def table(folder):
    """The table that stands beside the pictures of a run, as text; "" where there is none."""
    from zoo import codes, resolution_scores, score_tables

    for name, tables in (("codes.csv", codes), ("resolution.csv", resolution_scores)):
        path = Path(folder) / name
        if path.is_file():
            return tables.text(score_tables.read(path, tables.Row))
    return ""


def own(module, found, folder):
    """The pictures that a recipe draws itself, if it defines `pictures(runs, folder)`.

    Args:
        module: the recipe's module.
        found: a list of pairs: a setting (dict of what varies), and its run folders. A run has one pair, a study one
            for each setting; a run that diverged has no `metrics.json`.
        folder: where the pictures go.

    Returns:
        The paths of the pictures.
    """
    return list(module.pictures(found, folder)) if hasattr(module, "pictures") else []


def softmax(logits):
    """Probabilities from logits, along the last axis."""
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def confusion(true, predicted, classes):
    """The confusion matrix: rows are true classes, columns predicted ones.

    Example:
        >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (true, predicted), 1)
    return matrix


def curves(rows, title=""):
    """Loss, and every other logged quantity, against the epoch; training and validation in one panel.

    Columns named `kind/layer`, as `callbacks.GradientStatistics` logs them, share a panel for each kind; where there
    are such columns of the validation part, the panel is theirs.

    Args:
        rows: the rows of a `history.csv`.
        title: the figure's title.

    Returns:
        A matplotlib figure.
    """
    panes, validated = {}, set()
    for key in dict.fromkeys(key for row in rows for key in row):
        plain = key.removeprefix("val_")
        if plain in PLAYERS:
            kind, name = PLAYERS[plain]
            panes.setdefault(kind, {})[name + ", validation" * (plain != key)] = key
        elif key not in ("epoch", "seconds", "best_step"):
            kind, _, layer = key.partition("/")
            name = layer or ("validation" if key.startswith("val_") else "training")
            panes.setdefault(kind.removeprefix("val_"), {})[name] = key
            if layer and kind.startswith("val_"):
                validated.add(kind.removeprefix("val_"))
    across = min(3, len(panes))
    down = math.ceil(len(panes) / across)
    figure, axes = panels(across, down, 4.2, 3.2)
    for axis in axes[len(panes) :]:
        axis.axis("off")
    for axis, (quantity, lines) in zip(axes, panes.items(), strict=False):
        for name, key in lines.items():
            points = [(row["epoch"], row[key]) for row in rows if key in row]
            axis.plot(*zip(*points, strict=True), label=name, marker="." if len(points) < 15 else None)
        axis.set_xlabel("epoch")
        axis.set_ylabel(quantity.replace("_", " ") + ", validation" * (quantity in validated))
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        if len(lines) > 1:
            axis.legend(fontsize=8 if len(lines) > 4 else None, ncols=math.ceil(len(lines) / 10))
    figure.suptitle(title)
    return figure


def confusion_matrix(matrix, labels):
    """Draws a confusion matrix: counts in the cells, the share of the true class as colour."""
    size = max(4.0, 0.55 * len(labels) + 1.8)
    figure, (axis,) = panels(1, 1, size, size)
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            colour = "white" if share[row, column] > 0.5 else "black"
            axis.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    axis.set_xticks(range(len(labels)), labels, rotation=0 if max(map(len, labels)) < 4 else 60, ha="center")
    axis.set_yticks(range(len(labels)), labels)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    right = np.trace(matrix)
    axis.set_title(f"{right} of {matrix.sum()} right ({right / matrix.sum():.2%})")
    return figure


def mistakes(images, true, probabilities, labels):
    """The wrong images that the model was most certain of, each with both labels."""
    predicted = probabilities.argmax(1)
    certainty = probabilities.max(1)
    wrong = np.flatnonzero(predicted != true)
    wrong = wrong[np.argsort(-certainty[wrong], kind="stable")][:MISTAKES]
    across = min(6, max(3, len(wrong)))
    down = max(1, math.ceil(len(wrong) / across))
    figure, axes = panels(across, down, 1.7, 2.1)
    for axis in axes:
        axis.axis("off")
    for axis, index in zip(axes, wrong, strict=False):
        image = np.asarray(images[index], np.float32) / 255
        axis.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=1)
        axis.set_title(
            f"says {labels[predicted[index]]}, {certainty[index]:.0%}\ntrue: {labels[true[index]]}", fontsize=8
        )
    total = int((predicted != true).sum())
    said = f"the {len(wrong)} most confident of {total} mistakes" if total else "no mistakes"
    figure.suptitle(f"{said} in {len(true)} images")
    return figure


def predicted_against_true(true, predicted):
    """Regression: the prediction against the truth, with the line where both agree."""
    figure, (axis,) = panels(1, 1, 4.6, 4.4)
    ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
    axis.plot(ends, ends, color="gray", linewidth=1)
    axis.plot(true, predicted, ".", alpha=0.6)
    axis.set_xlabel("true value")
    axis.set_ylabel("predicted value")
    error = float(np.sqrt(np.mean((true - predicted) ** 2)))
    axis.set_title(f"root mean squared error {error:.4g}, n = {len(true)}")
    return figure


def panels(across, down, width, height):
    """A figure with a flat list of axes, drawn without a display.

    Args:
        across, down: number of panels.
        width, height: size of one panel, in inches.

    Returns:
        A matplotlib figure, and the list of its axes, row by row.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(across * width, down * height + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = [figure.add_subplot(down, across, index + 1) for index in range(across * down)]
    return figure, axes


def save(figure, path):
    """Writes a figure as PNG and returns the path."""
    figure.savefig(path, dpi=110)
    return path
