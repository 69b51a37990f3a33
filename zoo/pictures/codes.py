"""Pictures of the codes of an autoencoder: what comes back, where the classes lie, and what lies between images."""

from pathlib import Path

import numpy as np

from zoo import codes, densities, score_tables
from zoo.pictures import code_uses
from zoo.pictures import densities as density_pictures
from zoo.pictures.convnets import mosaic
from zoo.report import panels, save

IMAGES = 10
POINTS = 5000
STEPS = 9
GRID = 15
SAMPLES = 64
# Classes of up to so many have a colour and a name each.
NAMED = 20


def draw(folder, model, data):
    """Draws the pictures of an autoencoder's run that apply to it, and writes its numbers as `codes.csv`.

    On MNIST, with a code of 30, that takes some 20 s of one core.

    Args:
        folder: where they go.
        model: the trained autoencoder.
        data: the run's data, as `zoo.data.reconstruction` gives it, with a test or a validation part.

    Returns:
        The paths.
    """
    folder = Path(folder)
    coded = codes.Coded(model, data)
    rows = codes.table(coded)
    figures = {"reconstructions": reconstructions(_compared(coded, rows))}
    alive = np.ptp(coded.train_codes, axis=0).any()
    if alive and min(coded.size, coded.pca_codes.shape[1]) > 1:
        figures["codes"] = scatter(_planes(coded), coded.labels, coded.classes)
    shown = chosen(coded.labels, IMAGES)
    if len(shown) > 1:
        figures["walk"] = walk(*_walked(coded, shown))
    if coded.size == 2:
        figures["plane"] = plane(*_decoded_plane(coded))
    if alive:
        fitted = {
            kind: densities.fit(coded.train_codes, kind, held_out=coded.validation_codes) for kind in densities.KINDS
        }
        figures["density"] = density_pictures.likelihoods(fitted["gmm"], fitted["kde"])
        figures["samples"] = density_pictures.samples(
            [(str(each).replace("; ", "\n"), codes.decode(model, each.sample(SAMPLES))) for each in fitted.values()]
        )
    if coded.few_labels:
        figures["few_labels"] = code_uses.few_labels(coded.few_labels, codes.LABELS)
    curves = codes.anomaly(coded)
    if curves:
        figures["anomaly"] = code_uses.anomaly(curves, coded.classes[coded.left_out])
    return [score_tables.write(rows, folder / "codes.csv")] + [
        save(figure, folder / f"{name}.png") for name, figure in figures.items()
    ]


def chosen(labels, count):
    """Which images are shown: the first of each class, then the second of each, and so on.

    Args:
        labels: n classes.
        count: of images, at most.

    Returns:
        Positions.

    Example:
        >>> chosen(np.array([1, 1, 0, 0, 2]), 4).tolist()
        [2, 0, 4, 3]
    """
    rank = np.zeros(len(labels), int)
    for k in np.unique(labels):
        where = np.flatnonzero(labels == k)
        rank[where] = np.arange(len(where))
    return np.lexsort((labels, rank))[:count]


def reconstructions(rows):
    """Images over what became of them, one row for each way.

    Args:
        rows: list of pairs: a title, and images (n, height, width, channels) of values 0..1; the same n for all.

    Returns:
        A matplotlib figure.
    """
    across = len(rows[0][1])
    figure, axes = panels(1, len(rows), max(6, 0.8 * across), 0.8 * 6 / 5)
    for axis, (title, images) in zip(axes, rows, strict=True):
        _show(axis, mosaic(images.clip(0, 1), across))
        axis.set_title(title, fontsize=10, loc="left")
    return figure


def scatter(panes, labels, classes):
    """Codes as points of a plane, coloured by class.

    Args:
        panes: list of `(title, points, names)`: points (n, 2), and the names of both axes.
        labels: n classes.
        classes: their names.

    Returns:
        A matplotlib figure.
    """
    from matplotlib import colormaps

    figure, axes = panels(len(panes), 1, 5.2, 4.8)
    shown = np.arange(0, len(labels), -(-len(labels) // POINTS))
    named = len(classes) <= NAMED
    colours = colormaps["tab10" if len(classes) <= 10 else "tab20"] if named else colormaps["hsv"]
    for axis, (title, points, (x, y)) in zip(axes, panes, strict=True):
        for k in np.unique(labels[shown]):
            of_class = points[shown[labels[shown] == k]]
            colour = colours(int(k) if named else k / len(classes))
            axis.plot(*of_class.T, ".", color=colour, markersize=3, alpha=0.6, label=classes[k] if named else None)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel(x)
        axis.set_ylabel(y)
        axis.grid(alpha=0.3)
    if named:
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside right center", markerscale=4, fontsize=9)
    return figure


def walk(images, across):
    """Walks through code space: each row goes from one image to another.

    Args:
        images: (rows * across, height, width, channels), values 0..1: an image, what is decoded from the straight line
            between its code and the other one's, and the other image.
        across: images in a row.

    Returns:
        A matplotlib figure.
    """
    figure, (axis,) = panels(1, 1, 0.7 * across, 0.7 * (len(images) // across))
    rows = images.reshape(-1, across, *images.shape[1:]).clip(0, 1)
    columns = rows[:, :1], rows[:, 1:-1], rows[:, -1:]
    first, between, last = (mosaic(each.reshape(-1, *images.shape[1:]), each.shape[1]) for each in columns)
    # The images themselves stand apart from what is decoded.
    gap = np.full((len(first), first.shape[1] // 4, *first.shape[2:]), 1.0 if first.ndim == 3 else np.nan, np.float32)
    _show(axis, np.concatenate([first, gap, between, gap, last], axis=1))
    axis.set_title("A test image, the straight line between both codes decoded, another test image", fontsize=10)
    return figure


def plane(images, first, second):
    """What is decoded from a grid over the plane of codes of two numbers.

    Args:
        images: (rows * columns, height, width, channels), values 0..1, row by row from the top.
        first: the first number of the code in each column, rising.
        second: the second number in each row, falling.

    Returns:
        A matplotlib figure.
    """
    figure, (axis,) = panels(1, 1, 0.42 * len(first) + 0.6, 0.42 * len(second) + 0.35)
    whole = mosaic(images.clip(0, 1), len(first))
    axis.imshow(whole, cmap="gray", vmin=0, vmax=1)
    for side, values, length in ((axis.xaxis, first, whole.shape[1]), (axis.yaxis, second, whole.shape[0])):
        middles = (np.arange(len(values)) + 0.5) * length / len(values)
        side.set_ticks(middles[::2], [f"{value:.3g}" for value in values[::2]], fontsize=8)
    axis.set_xlabel("code 1, at its quantiles from 2 to 98 %")
    axis.set_ylabel("code 2, at its quantiles from 2 to 98 %")
    axis.set_title("The plane of codes, decoded", fontsize=10)
    for spine in axis.spines.values():
        spine.set_visible(False)
    return figure


def _compared(coded, rows):
    """The rows of the picture of reconstructions, with their errors over all images in the titles."""
    shown = chosen(coded.labels, IMAGES)
    by_name = {row.name: row for row in rows}

    def title(what, name):
        row = by_name[name]
        spread = f" ± {row.squared_error_sd:.2f}" if len(coded.images) > 1 else ""
        return f"{what}: squared error {row.squared_error:.2f}{spread}, {row.psnr:.1f} dB"

    network, linear = (
        title(f"{what}, {by_name[name].numbers} numbers", name)
        for what, name in (("network", "network"), ("PCA", "PCA"))
    )
    found = [(network, coded.reconstructions[shown]), (linear, coded.pca_reconstructions[shown])]
    images = codes.scaled(coded.images[shown])
    if not coded.noisy:
        return [(f"test images (squared errors: mean ± sd of {len(coded.images)})", images), *found]
    return [(title("noisy", "noisy input"), codes.scaled(coded.given[shown])), *found, ("clean images", images)]


def _planes(coded):
    """The two planes of `scatter`: the network's codes, or their first two principal components, beside PCA's."""
    from sklearn.decomposition import PCA

    (train, points), linear = coded.representations["network"], coded.representations["PCA"]
    names = "code 1", "code 2"
    if coded.size > 2:
        two = PCA(2).fit(train)
        train, points = two.transform(train), two.transform(points)
        names = "principal component 1 of the codes", "principal component 2 of the codes"
    both = {
        "network": (train, points, names),
        "PCA": (*(each[:, :2] for each in linear), ("principal component 1 of the pixels", "principal component 2")),
    }
    panes = []
    for name, (train, points, names) in both.items():
        numbers, title = coded.representations[name][1].shape[1], name
        if coded.knn:
            title = f"{name}: k-NN accuracy {coded.classified(codes.knn_accuracy, train, points):.1%}"
            title += f" in this plane,\n{coded.knn[name]:.1%} in all {numbers} numbers" if numbers > 2 else ""
        panes.append((title, points, names))
    return panes


def _walked(coded, shown):
    """The images of `walk`, and how many are in a row."""
    pairs = shown[: len(shown) // 2 * 2].reshape(-1, 2)
    share = np.linspace(0, 1, STEPS)[None, :, None]
    starts, ends = (coded.codes[pairs[:, side], None] for side in (0, 1))
    between = (1 - share) * starts + share * ends
    decoded = codes.decode(coded.model, between.reshape(-1, coded.size))
    decoded = decoded.reshape(len(pairs), STEPS, *decoded.shape[1:])
    first, last = (codes.scaled(coded.images[pairs[:, side]])[:, None] for side in (0, 1))
    rows = np.concatenate([first, decoded, last], axis=1)
    return rows.reshape(-1, *rows.shape[2:]), STEPS + 2


def _decoded_plane(coded):
    """The images of `plane`, and the codes of its columns and rows."""
    quantiles = np.linspace(0.02, 0.98, GRID)
    first, second = np.quantile(coded.train_codes, quantiles, axis=0).T
    grid = np.stack(np.meshgrid(first, second[::-1]), axis=-1)
    return codes.decode(coded.model, grid.reshape(-1, 2)), first, second[::-1]


def _show(axis, image):
    axis.imshow(image, cmap="gray", interpolation="nearest", vmin=0, vmax=1)
    axis.axis("off")
