"""Pictures of what a network makes of noise: samples, how they grew, what lies between codes, and what was copied."""

from pathlib import Path

import numpy as np

from zoo import runs
from zoo.generation_scores import nearest
from zoo.pictures.convnets import mosaic
from zoo.pictures.sample_sheets import film
from zoo.report import panels, save
from zoo.samples import between, by_class, fixed, written

# Samples whose nearest training images are shown, out of so many.
SHOWN, SOUGHT = 16, 64
POINTS = 2000
SIDE = 0.42


def draw(folder, model, data):
    """Draws the pictures of a run of a network that generates.

    Args:
        folder: the run folder; `growth.gif` is made of what `zoo.samples.Samples` left in its `samples`.
        model: the trained `zoo.adversarial.Adversarial`.
        data: the run's data; samples are compared with its training part.

    Returns:
        The paths: `samples.png`, `growth.gif`, and of images `interpolation.png`, `classes.png` (where the model is
        told the class) and `neighbours.png`.
    """
    folder = Path(folder)
    record = runs.read(folder)
    title = f"{Path(record['recipe']).stem}, seed {record['seed']}"
    train = data.train.arrays[0]
    if train.ndim < 4:
        figures = {"samples": points(train[:POINTS], model.sample(min(POINTS, len(train))), title)}
    else:
        title += ": a class in each row" if model.classes else ""
        figures = {
            "samples": samples(*fixed(model), title),
            "interpolation": interpolation(between(model)),
            "neighbours": neighbours(*_compared(model, data)),
        }
        if model.classes:
            made = by_class(model)
            figures["classes"] = classes(made, (data.labels or range(model.classes))[: len(made)])
    drawn = [save(figure, folder / f"{name}.png") for name, figure in figures.items()]
    grown = written(folder / "samples")
    return [*drawn, film(grown, folder / "growth.gif")] if grown else drawn


def samples(images, across, title):
    """Images that a network made.

    Args:
        images: raw pixels (n, height, width, channels).
        across: images in a row.
        title: the figure's.

    Returns:
        A matplotlib figure.
    """
    down = -(-len(images) // across)
    figure, (axis,) = panels(1, 1, max(3.6, SIDE * across), SIDE * down)
    _show(axis, mosaic(_shares(images), across))
    axis.set_title(title, fontsize=10)
    return figure


def points(real, generated, title):
    """Vectors that a network made, among real ones.

    Args:
        real: (n, numbers) array, or None; it sets the scale.
        generated: (n, numbers) array. Of more than two numbers the first two are drawn; of one, how often each is.
        title: the figure's.

    Returns:
        A matplotlib figure.
    """
    figure, (axis,) = panels(1, 1, 4.6, 4.4)
    drawn = {"generated": (generated, "C1")} | ({} if real is None else {"real": (real, "0.6")})
    scale = generated if real is None else real
    low, high = (np.reshape(bound, -1)[:2] for bound in (scale.min(0), scale.max(0)))
    low, high = low - 0.15 * (high - low) - 1e-6, high + 0.15 * (high - low) + 1e-6
    for name, (values, colour) in reversed(drawn.items()):
        label = f"{name} ({len(values)})"
        if values.shape[1] > 1:
            axis.plot(values[:, 0], values[:, 1], ".", color=colour, markersize=3, alpha=0.6, label=label)
        else:
            bins = np.linspace(low[0], high[0], 60)
            axis.hist(values[:, 0], bins, density=True, color=colour, alpha=0.6, label=label)
    axis.set_xlim(low[0], high[0])
    axis.set_xlabel("$x_1$")
    axis.set_ylabel("$x_2$" if generated.shape[1] > 1 else "density")
    if generated.shape[1] > 1:
        axis.set_ylim(low[1], high[1])
    axis.set_title(title, fontsize=10)
    axis.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, fontsize=9, markerscale=4)
    return figure


def interpolation(images):
    """Walks between codes: each row goes from one code to another in equal steps.

    Args:
        images: raw pixels (walks, steps, height, width, channels), such as of `between`.

    Returns:
        A matplotlib figure.
    """
    down, across = images.shape[:2]
    figure, (axis,) = panels(1, 1, max(4.4, 0.6 * across), 0.6 * down)
    _show(axis, mosaic(_shares(images.reshape(-1, *images.shape[2:])), across))
    axis.set_title("Each row: from one code to another along the sphere", fontsize=10)
    return figure


def classes(images, labels):
    """What a network makes of the same codes, told one class after the other.

    Args:
        images: raw pixels (classes, codes, height, width, channels), such as of `by_class`.
        labels: name of each row.

    Returns:
        A matplotlib figure.
    """
    down, across = images.shape[:2]
    figure, (axis,) = panels(1, 1, 0.5 * across + 1.2, 0.5 * down)
    whole = mosaic(_shares(images.reshape(-1, *images.shape[2:])), across)
    axis.imshow(whole, cmap="gray", interpolation="nearest", vmin=0, vmax=1)
    axis.set_yticks((np.arange(down) + 0.5) * len(whole) / down, labels, fontsize=9)
    axis.set_xticks([])
    axis.tick_params(length=0)
    axis.set_xlabel("code", fontsize=9)
    axis.set_ylabel("class", fontsize=9)
    axis.set_title("The same codes, told one class after the other", fontsize=10)
    for spine in axis.spines.values():
        spine.set_visible(False)
    return figure


def neighbours(images, nearest, distances, medians):
    """Samples, each with the training image that is most like it: was it learned by heart?

    Args:
        images: samples, raw pixels (n, height, width, channels).
        nearest: the training image nearest to each, of the same shape.
        distances: between them, n numbers.
        medians: dict from what was compared with the training images ("samples", "held-out images") to the median
            distance: samples that are much nearer than held-out images are copies.

    Returns:
        A matplotlib figure.
    """
    across = min(4, len(images))
    figure, axes = panels(across, -(-len(images) // across), max(1.7, 6.8 / across), 1.0)
    for axis in axes[len(images) :]:
        axis.axis("off")
    for axis, image, other, distance in zip(axes, images, nearest, distances, strict=False):
        _show(axis, mosaic(_shares(np.stack([image, other])), 2))
        axis.set_title(f"{distance:.0f}", fontsize=8)
    said = ", ".join(f"of {name} {median:.0f}" for name, median in medians.items())
    figure.suptitle(
        "Left a sample, right the nearest training image, above them the distance in grey levels\n"
        f"the samples that are nearest; median distance {said}",
        fontsize=10,
    )
    return figure


def _compared(model, data):
    """The arguments of `neighbours`: the samples that are nearest to training images, out of 64."""
    train = data.train.arrays[0]
    made = model.sample(SOUGHT)
    where, distances = (found[:, 0] for found in nearest(made, train))
    shown = np.argsort(distances, kind="stable")[:SHOWN]
    medians = {"samples": np.median(distances)}
    held_out = data.test or data.validation
    if held_out:
        medians["held-out images"] = np.median(nearest(held_out.arrays[0][:SOUGHT], train)[1])
    return made[shown], train[where[shown]], distances[shown], medians


def _show(axis, image):
    axis.imshow(image, cmap="gray", interpolation="nearest", vmin=0, vmax=1)
    axis.axis("off")


def _shares(images):
    """Raw pixels as 0..1."""
    return np.asarray(images, np.float32) / 255
