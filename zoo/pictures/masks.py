"""Pictures of a segmentation: images, truths, predictions and errors side by side, and each class's probability."""

from pathlib import Path

import numpy as np

from zoo.report import panels, save
from zoo.tiling import predicted, segment

SHOWN = 3
CLASSES = 6
# Images that are looked at, and their pixels: sets can have thousands, and a wide U-Net takes a minute for these.
MOST, PIXELS = 100, 2**22
RIGHT, MISSED, FALSE, CONFUSED = (1.0, 1.0, 1.0), (0.84, 0.15, 0.16), (0.12, 0.47, 0.71), (1.0, 0.6, 0.1)


def draw(folder, model, data):
    """Draws the pictures of a segmentation network.

    Args:
        folder: where they go.
        model: the trained network.
        data: its `zoo.Data`; whole images of the test part are shown, or of the validation part: the best and the worst
            of at most 100, and of fewer where they are large.

    Returns:
        The paths: `masks.png` and `probabilities.png`.
    """
    part = data.test or data.validation
    height, width = part.arrays[0].shape[1:3]
    count = max(2, min(MOST, PIXELS // (height * width)))
    images, truths = (array[:count] for array in part.arrays[:2])
    probabilities = segment(model, images)
    found = predicted(probabilities)
    errors = (found != truths).mean((1, 2))
    order = np.argsort(errors, kind="stable")
    shown = np.unique(np.concatenate([order[:SHOWN], order[-SHOWN:]]))
    shown = shown[np.argsort(errors[shown], kind="stable")]
    folder = Path(folder)
    four = four_columns(images[shown], truths[shown], found[shown], errors[shown], data.labels)
    maps = probability_maps(images[shown[-1]], probabilities[shown[-1]], data.labels)
    return [save(four, folder / "masks.png"), save(maps, folder / "probabilities.png")]


def four_columns(images, truths, found, errors, labels):
    """Image, truth, prediction and errors of some images, one a row.

    Args:
        images: raw pixels (n, height, width, channels).
        truths, found: integers (n, height, width).
        errors: share of wrong pixels of each image.
        labels: names of the classes, the background first.

    Returns:
        A matplotlib figure. In the last column a pixel is white where the prediction is right, red where a class was
        taken for the background, blue where the background was taken for a class, and orange where one class was taken
        for another.
    """
    from matplotlib.patches import Patch, Rectangle

    height, width = images.shape[1:3]
    figure, axes = panels(4, len(images), 2.4, 2.4 * height / width)
    colours = _colours(len(labels))
    for row, (image, truth, guess, error) in enumerate(zip(images, truths, found, errors, strict=True)):
        wrong = np.empty((height, width, 3))
        wrong[:] = RIGHT
        wrong[(truth > 0) & (guess == 0)] = MISSED
        wrong[(truth == 0) & (guess > 0)] = FALSE
        wrong[(truth > 0) & (guess > 0) & (truth != guess)] = CONFUSED
        columns = (
            ("image", _grey(image)),
            ("truth", colours[truth]),
            ("prediction", colours[guess]),
            (f"{error:.2%} wrong", wrong),
        )
        for axis, (name, pixels) in zip(axes[4 * row : 4 * row + 4], columns, strict=True):
            axis.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axis.axis("off")
            axis.add_patch(Rectangle((0, 0), 1, 1, transform=axis.transAxes, fill=False, color="gray"))
            if row == 0 or name == columns[-1][0]:
                axis.set_title(name, fontsize=9)
    present = sorted(set(np.unique(truths)) | set(np.unique(found)))
    handles = [Patch(facecolor=colours[k], edgecolor="gray", label=labels[k]) for k in present]
    other = labels[1] if len(labels) == 2 else "a class"
    names = {f"{other} taken for {labels[0]}": MISSED, f"{labels[0]} taken for {other}": FALSE}
    names |= {"another class": CONFUSED} if len(labels) > 2 else {}
    handles += [Patch(facecolor=colour, label=name) for name, colour in names.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=8)
    figure.suptitle("From the best to the worst", fontsize=10)
    return figure


def probability_maps(image, probabilities, labels):
    """The probability of each class at each pixel of an image.

    Args:
        image: raw pixels (height, width, channels).
        probabilities: (height, width, classes), or (height, width, 1), of class 1.
        labels: names of the classes.

    Returns:
        A matplotlib figure: the image, and at most six classes, those that cover most of it.
    """
    if probabilities.shape[-1] == 1:
        probabilities = np.concatenate([1 - probabilities, probabilities], -1)
    order = np.argsort(-probabilities.mean((0, 1)), kind="stable")[:CLASSES]
    across = min(4, 1 + len(order))
    height, width = image.shape[:2]
    figure, (first, *others) = panels(across, -(-(1 + len(order)) // across), 2.6, 2.6 * height / width + 0.2)
    first.imshow(_grey(image), cmap="gray", vmin=0, vmax=1)
    first.set_title("image", fontsize=9)
    shown = None
    for axis, index in zip(others, order, strict=False):
        shown = axis.imshow(probabilities[..., index], cmap="magma", vmin=0, vmax=1, interpolation="nearest")
        axis.set_title(labels[index], fontsize=9)
    for axis in (first, *others):
        axis.axis("off")
    figure.colorbar(shown, ax=[first, *others], label="probability", shrink=0.8)
    return figure


def _grey(image):
    image = np.asarray(image, np.float32) / 255
    return image[..., 0] if image.shape[-1] == 1 else image


def _colours(classes):
    """A colour for each class: black for the first, then colours far from each other."""
    from matplotlib import colormaps

    if classes == 2:
        return np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    return np.array([(0.0, 0.0, 0.0), *(colormaps["tab20"](k % 20)[:3] for k in range(classes - 1))])
