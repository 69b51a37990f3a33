"""Convolution and pooling on one page: a kernel that slides, padding, stride, edges, a kernel that learns, pooling."""

import keras
import numpy as np

from zoo.convolution import cross_correlation, output_size, pool
from zoo.errors import require
from zoo.report import panels

X = np.arange(9.0).reshape(3, 3)
KERNEL = np.array([[0.0, 1.0], [2.0, 3.0]])
EDGES = np.array([[1.0, -1.0]])
# Pixels of the input, of the kernel, padding, stride.
SIZES = ((4, 3, 0, 1), (4, 3, 1, 1), (5, 3, 1, 2), (6, 2, 0, 2))
STEPS = 20


def learn_kernel(x, y, size, steps=20, rate=1.0):
    """Finds the kernel between two images by gradient descent on the mean squared error: Keras' own steps, from zeros.

    Args:
        x: an image (height, width).
        y: what the kernel makes of it, (height, width) of `output_size`.
        size: height and width of the kernel.
        steps: of gradient descent, integer >= 1.
        rate: the learning rate, > 0.

    Returns:
        A float32 array (steps + 1, height, width): the kernel before each step and after the last.

    Raises:
        ZooError: an output that such a kernel cannot have.

    Example:
        A white image with a black bar, and its vertical edges, 1 from white to black and -1 back. Twenty steps find the
        kernel [1, -1] that makes them:

        >>> x = np.ones((6, 8))
        >>> x[:, 2:6] = 0
        >>> y = cross_correlation(x, [[1, -1]])
        >>> y[0].tolist()
        [0.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0]
        >>> learn_kernel(x, y, (1, 2))[-1].round(1).tolist()
        [[1.0, -1.0]]
    """
    x, y = np.asarray(x, "float32"), np.asarray(y, "float32")
    require(x.ndim == 2, "x", x.shape, "an image (height, width)")
    shape = tuple(output_size(length, window) for length, window in zip(x.shape, size, strict=True))
    require(y.shape == shape, "y", y.shape, f"of shape {shape}, as the kernel's output is")
    layer = keras.layers.Conv2D(1, size, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((*x.shape, 1)), layer])
    # Eagerly, because to trace the graph would take longer than the steps.
    model.compile(keras.optimizers.SGD(rate), "mse", run_eagerly=True)
    kernels = [layer.get_weights()[0]]
    for _ in range(steps):
        model.train_on_batch(x[None, ..., None], y[None, ..., None])
        kernels.append(layer.get_weights()[0])
    return np.stack(kernels)[..., 0, 0]


def change_under_shift(images, look):
    """How much of an answer changes when images move to the right by one pixel.

    Args:
        images: (n, height, width) array with a background of 0; margins of two pixels are added.
        look: a function of one image (height, width) that returns an array.

    Returns:
        The mean over the images of the Euclidean length of the answer's change, as a share of the answer's own.

    Raises:
        ZooError: something else than images.

    Example:
        Pooling softens the change, the maximum a little more than the mean; it does not remove it. On the digits, whose
        strokes are one or two pixels wide:

        >>> from zoo.data import images
        >>> digits = images("digits").test.arrays[0][..., 0]
        >>> looks = {"pixels": lambda x: x, "max": lambda x: pool(x, 2), "mean": lambda x: pool(x, 2, "mean")}
        >>> {name: round(change_under_shift(digits, look), 2) for name, look in looks.items()}
        {'pixels': 0.82, 'max': 0.55, 'mean': 0.58}
    """
    images = np.asarray(images, "float32")
    require(images.ndim == 3 and len(images), "images", images.shape, "(n, height, width)")
    still = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    shares = []
    for before, after in zip(still, np.roll(still, 1, axis=2), strict=True):
        answer = look(before)
        shares.append(np.linalg.norm(look(after) - answer) / np.linalg.norm(answer))
    return float(np.mean(shares))


def page():
    """Draws what a convolution and a pooling do, each number computed by `zoo.convolution`.

    Returns:
        A matplotlib figure of four rows: the kernel's four places; four sizes of padding and stride; edges of a bar, of
        a digit, and the kernel that gradient descent finds for the bar; a digit before and behind max pooling when it
        moves by one pixel.

    Example:
        >>> len(page().axes)
        16
    """
    figure, axes = panels(4, 4, 3.1, 2.9)
    for axis, place in zip(axes[:4], np.ndindex(2, 2), strict=True):
        _sliding(axis, place)
    for axis, sizes in zip(axes[4:8], SIZES, strict=True):
        _sizes(axis, *sizes)
    _edges(*axes[8:12])
    _pooling(*axes[12:])
    figure.suptitle("Convolution and pooling", fontsize=14)
    return figure


def _sliding(axis, place):
    """The input with the window at a place, the kernel in small numbers, and the sum."""
    row, column = place
    result = cross_correlation(X, KERNEL)[place]
    _grid(axis, np.ones(X.shape))
    for (i, j), value in np.ndenumerate(X):
        axis.text(j + 0.5, i + 0.55, f"{value:.0f}", ha="center", va="center", fontsize=14)
    _window(axis, column, row, 2, 2)
    for (i, j), weight in np.ndenumerate(KERNEL):
        axis.text(
            column + j + 0.08, row + i + 0.08, f"× {weight:.0f}", color="tab:orange", ha="left", va="top", fontsize=9
        )
    products = " + ".join(f"{X[row + i, column + j]:.0f}·{weight:.0f}" for (i, j), weight in np.ndenumerate(KERNEL))
    axis.set_title(f"{products} = {result:.0f}", fontsize=10)


def _sizes(axis, size, kernel, padding, stride):
    """The input within its padding; the window's first place, and the middles of all places."""
    count = output_size(size, kernel, padding, stride)
    whole = size + 2 * padding
    inside = np.full((whole, whole), 0.85)
    inside[padding : padding + size, padding : padding + size] = 1
    _grid(axis, inside)
    _window(axis, 0, 0, kernel, kernel)
    middles = kernel / 2 + stride * np.arange(count)
    axis.plot(*(each.ravel() for each in np.meshgrid(middles, middles)), "o", color="tab:orange", markersize=5)
    formula = rf"$\lfloor({size} - {kernel} + 2\cdot{padding} + {stride})\,/\,{stride}\rfloor = {count}$"
    axis.set_title(f"padding {padding}, stride {stride}, a dot for each place:\n{formula} a side", fontsize=10)


def _edges(bar, edges, digit_edges, learning):
    """A kernel [1, -1] on a black bar and on a digit, and how it is learned from the bar."""
    x = bar_image()
    y = cross_correlation(x, EDGES)
    _grid(bar, x)
    bar.set_title(f"a black bar, {x.shape[0]} x {x.shape[1]}", fontsize=10)
    _grid(edges, y, numbers=True, cmap="RdBu", low=-1)
    edges.set_title("its edges by the kernel [1, -1]", fontsize=10)
    _grid(digit_edges, cross_correlation(digit_image(), EDGES), cmap="RdBu", low=-1)
    digit_edges.set_title("the vertical edges of a digit\nby the same kernel", fontsize=10)
    kernels = learn_kernel(x, y, EDGES.shape, STEPS)
    for index, weight in enumerate(EDGES[0]):
        learning.axhline(weight, color="gray", linewidth=0.8, linestyle="--")
        learning.plot(kernels[:, 0, index], marker=".", label=f"weight {index + 1}")
    learning.set(xlabel="step of gradient descent", ylabel="weight")
    learning.set_title("the kernel, learned from\nthe bar and its edges", fontsize=10)
    learning.grid(alpha=0.3)
    learning.legend(loc="center right")


def _pooling(before, moved, pooled, pooled_moved):
    """A digit and the same one pixel further, before and behind max pooling, and what changed."""
    digit = np.pad(digit_image(), 2)
    still = np.roll(digit, -1, axis=1), digit
    small = [pool(each, 2) for each in still]
    changed = [np.linalg.norm(other - one) / np.linalg.norm(one) for one, other in (still, small)]
    for axis, image in ((before, still[0]), (moved, still[1])):
        _grid(axis, image, each=2, colour="tab:orange")
    for axis, image in ((pooled, small[0]), (pooled_moved, small[1])):
        _grid(axis, image, colour="tab:orange")
    before.set_title("a digit, and the windows\nof max pooling, 2 x 2", fontsize=10)
    moved.set_title(f"moved by one pixel:\n{changed[0]:.0%} changed", fontsize=10)
    pooled.set_title("max pooling of the first", fontsize=10)
    pooled_moved.set_title(f"and of the second:\n{changed[1]:.0%} changed", fontsize=10)


def bar_image():
    """A white image of 6 x 8 with a black bar four pixels wide: 1 and 0."""
    x = np.ones((6, 8))
    x[:, 2:6] = 0
    return x


def digit_image():
    """The first of scikit-learn's digits, 8 x 8, 0..1."""
    from zoo.data import digits

    parts, _ = digits.load()
    return parts["train"][0][0, ..., 0] / 255


def _grid(axis, image, numbers=False, cmap="gray", low=0, each=1, colour="gray"):
    """An image with a line around each pixel, or around each square of so many."""
    height, width = image.shape
    axis.imshow(image, cmap=cmap, vmin=low, vmax=1, extent=(0, width, height, 0))
    axis.vlines(range(0, width + 1, each), 0, height, color=colour, linewidth=1)
    axis.hlines(range(0, height + 1, each), 0, width, color=colour, linewidth=1)
    if numbers:
        for (row, column), value in np.ndenumerate(image):
            colour = "white" if abs(value) > 0.5 else "black"
            axis.text(column + 0.5, row + 0.5, f"{value:.0f}", ha="center", va="center", color=colour)
    axis.set(xlim=(-0.1, width + 0.1), ylim=(height + 0.1, -0.1))
    axis.axis("off")


def _window(axis, left, top, width, height):
    from matplotlib.patches import Rectangle

    axis.add_patch(
        Rectangle((left, top), width, height, facecolor="tab:orange", alpha=0.18, edgecolor="none", zorder=2)
    )
    axis.add_patch(Rectangle((left, top), width, height, fill=False, edgecolor="tab:orange", linewidth=2.5, zorder=3))
