"""Pictures of a convolutional network: filters, feature maps, Grad-CAM, and the classes that it confuses."""

from pathlib import Path

import keras
import numpy as np

from zoo.pictures import feature_maps
from zoo.report import panels, save

FILTERS = 64
CHANNELS = 16
IMAGES = 6
PAIRS = 5
EXAMPLES = 8
# Pixels to which small tiles are enlarged, so that the gap between them stays thin, and a heat map smooth.
TILE = 24
HEAT = 64


def draw(folder, model, images, true, probabilities, labels):
    """Draws the pictures of a convolutional network that apply to it.

    Args:
        folder: where they go.
        model: the trained classifier.
        images: raw test images (n, height, width, channels).
        true: their classes, n integers.
        probabilities: what the model says of them (n, classes).
        labels: names of the classes.

    Returns:
        The paths; none for a model without convolutions.
    """
    maps = feature_maps.maps_of(model)
    if not maps:
        return []
    folder, drawn = Path(folder), []
    kernel = getattr(maps[0], "kernel", None)
    if kernel is not None and len(kernel.shape) == 4 and max(kernel.shape[:2]) > 1 and kernel.shape[2] in (1, 3):
        values = keras.ops.convert_to_numpy(keras.ops.cast(kernel, "float32"))
        drawn.append(save(filters(values, maps[0].name), folder / "filters.png"))
    found = feature_maps.activations(model, images[0])
    if found:
        drawn.append(save(features(images[0], found), folder / "features.png"))
    layer = feature_maps.last_maps(model)
    if layer is not None:
        shown = chosen(true, probabilities)
        heat = feature_maps.grad_cam(model, images[shown], probabilities[shown].argmax(1), layer.name)
        figure = grad_cams(images[shown], heat, true[shown], probabilities[shown], labels, layer.name)
        drawn.append(save(figure, folder / "gradcam.png"))
    if (probabilities.argmax(1) != true).any():
        drawn.append(save(confused(images, true, probabilities, labels), folder / "confused.png"))
    return drawn


def filters(kernel, name):
    """The filters of a first layer, as images.

    Args:
        kernel: (height, width, channels, filters) array; with three channels the filters are shown in colour.
        name: of the layer.

    Returns:
        A matplotlib figure.
    """
    height, width, channels, count = kernel.shape
    tiles = np.moveaxis(kernel[..., :FILTERS], -1, 0)
    largest = np.abs(tiles).max((1, 2, 3), keepdims=True)
    tiles = (tiles / np.where(largest, largest, 1) + 1) / 2
    across = min(16, max(6, int(np.ceil(np.sqrt(2 * len(tiles))))))
    down = -(-len(tiles) // across)
    figure, (axis,) = panels(1, 1, max(5, 0.6 * across), 0.6 * down + 0.4)
    _show(axis, mosaic(tiles, across), vmin=0, vmax=1)
    shown = f"the first {FILTERS} of {count}" if count > FILTERS else f"all {count}"
    colour = ", in colour" if channels == 3 else ""
    axis.set_title(
        f"{name}: {shown} filters of {height} x {width}{colour}\neach on its own scale, grey is 0", fontsize=10
    )
    return figure


def features(image, maps):
    """What layers make of one image: the channels of each that are strongest on average.

    Args:
        image: raw pixels (height, width, channels).
        maps: dict from a layer's name to an array (height, width, channels).

    Returns:
        A matplotlib figure.
    """
    figure, (first, *axes) = panels(1, 1 + len(maps), 11, 0.95)
    # Rows of one length, so that all are of one height and begin at the left.
    _show(first, mosaic(_pixels(image)[None], CHANNELS), vmin=0, vmax=1)
    first.set_title(f"image: {image.shape[0]} x {image.shape[1]}", fontsize=10, loc="left")
    for axis, (name, values) in zip(axes, maps.items(), strict=True):
        height, width, channels = values.shape
        order = np.argsort(-np.abs(values).mean((0, 1)), kind="stable")[:CHANNELS]
        tiles = np.moveaxis(values[..., order], -1, 0)
        _show(axis, mosaic(tiles, CHANNELS), cmap="viridis")
        shown = f"the {CHANNELS} strongest of {channels}" if channels > CHANNELS else f"{channels}"
        axis.set_title(f"{name}: {height} x {width}, {shown} channels", fontsize=10, loc="left")
    return figure


def chosen(true, probabilities):
    """The images for Grad-CAM.

    Args:
        true: n classes.
        probabilities: (n, classes) array.

    Returns:
        Indices: at most six images that the model has right, the first of as many classes as there are, and behind
        them at most six that it has wrong, the most certain ones first.

    Example:
        >>> chosen(np.array([0, 0, 1]), np.array([[1.0, 0], [1, 0], [1, 0]])).tolist()
        [0, 2]
    """
    predicted = probabilities.argmax(1)
    right, wrong = np.flatnonzero(predicted == true), np.flatnonzero(predicted != true)
    _, first = np.unique(true[right], return_index=True)
    wrong = wrong[np.argsort(-probabilities[wrong].max(1), kind="stable")]
    return np.concatenate([right[np.sort(first)][:IMAGES], wrong[:IMAGES]])


def grad_cams(images, heat, true, probabilities, labels, name):
    """Heat maps of the predicted class, each over its image and beside it.

    Args:
        images: raw pixels (n, height, width, channels).
        heat: (n, height, width) array of any smaller size, not negative, as of `zoo.pictures.feature_maps.grad_cam`.
        true: n classes.
        probabilities: (n, classes) array.
        labels: names of the classes.
        name: of the layer whose maps were looked at.

    Returns:
        A matplotlib figure.
    """
    from matplotlib import colormaps

    across = min(IMAGES, len(images))
    figure, axes = panels(across, -(-len(images) // across), 2.0, 1.4)
    factor = -(-HEAT // min(images.shape[1:3]))
    size = factor * images.shape[1], factor * images.shape[2]
    larger = keras.ops.image.resize(heat[..., None], size, interpolation="bilinear", data_format="channels_last")
    larger = keras.ops.convert_to_numpy(larger)[..., 0]
    larger = larger / np.maximum(larger.max((1, 2), keepdims=True), 1e-30)
    for axis in axes[len(images) :]:
        axis.axis("off")
    for axis, image, hot, target, row in zip(axes, images, larger, true, probabilities, strict=False):
        pixels = np.broadcast_to(_pixels(image).repeat(factor, 0).repeat(factor, 1), (*size, 3))
        over = 0.5 * pixels + 0.5 * colormaps["jet"](hot)[..., :3]
        _show(axis, mosaic(np.stack([pixels, over]), 2))
        predicted = row.argmax()
        axis.set_title(
            f"says {labels[predicted]}, {row[predicted]:.0%}\ntrue: {labels[target]}",
            fontsize=8,
            color="black" if predicted == target else "tab:red",
        )
    where = f"{name}, {heat.shape[1]} x {heat.shape[2]}"
    figure.suptitle(f"Grad-CAM at {where}: what speaks for the predicted class is red", fontsize=10)
    return figure


def pairs(true, predicted, classes):
    """The pairs of classes that are confused most.

    Args:
        true, predicted: n integers each.
        classes: their number.

    Returns:
        A list of at most five `(true, predicted, count)`, the most frequent first, among equals those with the larger
        share of the true class.

    Example:
        >>> pairs(np.array([0, 0, 0, 1, 1]), np.array([1, 0, 0, 0, 1]), 2)
        [(1, 0, 1), (0, 1, 1)]
    """
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (true, predicted), 1)
    total = counts.sum(1)
    found = [(t, p, int(counts[t, p])) for t in range(classes) for p in np.flatnonzero(counts[t]) if p != t]
    return [(t, int(p), n) for t, p, n in sorted(found, key=lambda each: (-each[2], total[each[0]]))[:PAIRS]]


def confused(images, true, probabilities, labels):
    """The pairs of classes that are confused most, with examples: those first that the model is most certain of.

    Args:
        images: raw pixels (n, height, width, channels).
        true: n classes.
        probabilities: (n, classes) array; at least one image is wrong.
        labels: names of the classes.

    Returns:
        A matplotlib figure.
    """
    predicted = probabilities.argmax(1)
    found = pairs(true, predicted, len(labels))
    across = min(EXAMPLES, found[0][2])
    figure, axes = panels(1, len(found), max(4, 0.8 * across), 1.1)
    for axis, (target, said, count) in zip(axes, found, strict=True):
        where = np.flatnonzero((true == target) & (predicted == said))
        where = where[np.argsort(-probabilities[where, said], kind="stable")][:across]
        _show(axis, mosaic(_pixels(images[where]), across), vmin=0, vmax=1)
        axis.set_anchor("W")
        total = int((true == target).sum())
        axis.set_title(
            f"{labels[target]} → {labels[said]}: {count} of {total} ({count / total:.1%})", fontsize=10, loc="left"
        )
    figure.suptitle("The most confused pairs: true → predicted", fontsize=10)
    return figure


def mosaic(tiles, across):
    """Puts images of one size side by side, with white gaps, row by row.

    Args:
        tiles: (n, height, width) or (n, height, width, channels) array, channels 1 or 3.
        across: images in a row; those that are missing stay white.

    Returns:
        An array (height, width), with NaN for white, or (height, width, 3).
    """
    tiles = np.asarray(tiles, np.float32)
    tiles = tiles[..., 0] if tiles.ndim == 4 and tiles.shape[-1] == 1 else tiles
    factor = -(-TILE // min(tiles.shape[1:3]))
    tiles = tiles.repeat(factor, 1).repeat(factor, 2)
    count, height, width = tiles.shape[:3]
    gap = max(2, height // 16)
    down = -(-count // across)
    shape = down * (height + gap) - gap, across * (width + gap) - gap, *tiles.shape[3:]
    whole = np.full(shape, 1.0 if tiles.ndim == 4 else np.nan, np.float32)
    for index, tile in enumerate(tiles):
        top, left = (index // across) * (height + gap), (index % across) * (width + gap)
        whole[top : top + height, left : left + width] = tile
    return whole


def _show(axis, image, cmap="gray", **scale):
    axis.imshow(image, cmap=cmap, interpolation="nearest", **scale)
    axis.axis("off")


def _pixels(image):
    """Raw pixels as 0..1."""
    return np.asarray(image, np.float32) / 255
