"""Windows of images and of their masks: at random places for training, at regular ones for evaluation."""

import dataclasses
from collections.abc import Callable

import numpy as np

from zoo.data import ops
from zoo.data.pixels import check_size
from zoo.errors import require


@dataclasses.dataclass(frozen=True)
class Windowed:
    """An operation that says what window it cuts, so that evaluation can cut the same.

    Args:
        op: the operation.
        size: (height, width) of the window, or None for the whole image.
        margin: pixels on each side that the maps are without.
    """

    op: Callable
    size: tuple | None
    margin: int

    def __call__(self, *element):
        return self.op(*element)


def crop(size, margin=0):
    """Cuts a random window out of each image, and the same window out of its mask.

    Source: Ronneberger, Fischer, Brox 2015, U-Net: convolutional networks for biomedical image segmentation
    (arXiv:1505.04597), section 2 and figure 2: the network sees more of the image than it answers for, and beyond the
    border the image is mirrored.

    Args:
        size: side of the window in pixels, or (height, width).
        margin: pixels on each side of the window that the mask is without, >= 0. It is the window's part without them
            that lies within the image, so that every pixel of the mask can be answered for. The published U-Net takes
            `size=572, margin=92`.

    Returns:
        An operation; all places are equally likely. Beyond the border the image is mirrored, its border's pixels not
        repeated.

    Raises:
        ZooError: a size or a margin that is no whole number, or a margin that leaves nothing of the window.

    Example:
        >>> op = crop(572, margin=92)
        >>> x, mask = np.zeros((1, 512, 512, 1), "uint8"), np.zeros((1, 512, 512), "uint8")
        >>> [array.shape for array in op(x, mask, lambda count: np.zeros((1, count), "float32"))]
        [(1, 572, 572, 1), (1, 388, 388)]
    """
    sides, margin = check_window(size, margin)

    def op(x, *others):
        *maps, draws = others
        xp = ops.of(x)
        firsts = corners(draws(2), x.shape[1:3], sides, margin)
        rows, columns = (corner[:, None] + xp.arange(side) for corner, side in zip(firsts, sides, strict=True))
        return cut(x, maps, rows[:, :, None], columns[:, None, :], margin)

    return Windowed(op, sides, margin)


def windows(size, margin=0):
    """Cuts every image into windows that cover it, for evaluation: a `map` for a `Stream`, not a `mix`.

    Windows of `crop(size, margin)` at as few places as reach every pixel, evenly spread; where they overlap, pixels
    come more than once. An image smaller than a window's inner part has one, mirrored at the border.

    Args:
        size, margin: as `crop` has them.

    Returns:
        A function `map(x, *maps)`: a batch of n images becomes one of n times as many windows, those of an image behind
        each other, row by row.

    Raises:
        ZooError: as `crop`.

    Example:
        >>> x, mask = windows(572, margin=92)(np.zeros((1, 512, 512, 1), "uint8"), np.zeros((1, 512, 512), "int32"))
        >>> x.shape, mask.shape
        ((4, 572, 572, 1), (4, 388, 388))
    """
    sides, margin = check_window(size, margin)

    def cut_up(x, *maps):
        xp = ops.of(x)
        grids = [places(length, side, margin) for length, side in zip(x.shape[1:3], sides, strict=True)]
        tops, lefts = (np.ravel(corners) for corners in np.meshgrid(*grids, indexing="ij"))
        rows = (tops[:, None] + np.arange(sides[0])).astype("int32")
        columns = (lefts[:, None] + np.arange(sides[1])).astype("int32")
        count, images = len(tops), xp.shape(x)[0]
        each = xp.arange(images * count)
        rows, columns = xp.take(rows, each % count)[:, :, None], xp.take(columns, each % count)[:, None, :]
        return cut(x, maps, rows, columns, margin, each // count)

    return cut_up


def places(length, side, margin=0):
    """Where the windows of `windows` begin along one axis.

    Args:
        length: pixels of the image.
        side: pixels of the window.
        margin: as in `crop`.

    Returns:
        Integer array of first pixels, some of them beyond the border.

    Example:
        >>> places(512, 572, 92), places(100, 128)
        (array([-92,  32]), array([-14]))
    """
    inner = side - 2 * margin
    count = max(1, -(-length // inner))
    if count == 1:
        return np.array([(length - inner) // 2 - margin])
    return np.round(np.linspace(0, length - inner, count)).astype(int) - margin


def check_window(size, margin=0):
    """Returns `((height, width), margin)` of a window, or `(None, margin)` for None.

    Raises:
        ZooError: a size or a margin that is no whole number, or a margin that leaves nothing of the window.
    """
    sides = check_size(size)
    whole = isinstance(margin, int) and not isinstance(margin, bool) and margin >= 0
    most = f">= 0 that leaves something of the window of {sides}" if sides else "0 where there is no window"
    fits = whole and (2 * margin < min(sides) if sides else margin == 0)
    require(fits, "margin", margin, f"a whole number of pixels {most}")
    return sides, margin


def cut(x, maps, rows, columns, margin, number=None):
    """Windows of images, mirrored where they reach beyond them, and of their maps without a margin.

    Args:
        x: `(batch, height, width, channels)`.
        maps: arrays `(batch, height, width)`.
        rows, columns: int32 `(windows, window height, 1)` and `(windows, 1, window width)`: the pixels taken.
        margin: pixels on each side that the maps are without.
        number: int32 `(windows,)`, which image each window is of; None takes them in turn.

    Returns:
        A tuple: the windows of `x` and of each map.
    """
    height, width = x.shape[1:3]
    reach = max(rows.shape[1], columns.shape[2])
    rows, columns = mirrored(rows, height, 1, reach), mirrored(columns, width, 1, reach)
    inner = without(rows, margin), without(columns, margin)
    return (picked(x, rows, columns, number), *(picked(each, *inner, number) for each in maps))


def picked(array, rows, columns, number=None):
    """Pixels of images, by their places.

    Args:
        array: `(batch, height, width)` or `(batch, height, width, channels)`.
        rows, columns: int32, within the image, that broadcast to `(n, new height, new width)`.
        number: int32 `(n,)`, which image each is of; None takes them in turn.

    Returns:
        An array `(n, new height, new width)`, or with the channels behind it.
    """
    xp = ops.of(array, rows)
    height, width, *channels = array.shape[1:]
    if number is None:
        number = xp.arange(xp.shape(array)[0])
    flat = xp.reshape(array, (-1, *channels)) if channels != [1] else xp.reshape(array, (-1,))
    found = xp.take(flat, rows * width + columns + (number * (height * width))[:, None, None])
    return found[..., None] if channels == [1] else found


def without(places, margin):
    """Places `(n, height, width)` of a window's pixels without its margin; an axis of length 1 stays."""
    inner = [slice(margin, side - margin) if side > 1 else slice(None) for side in places.shape[1:]]
    return places[(slice(None), *inner)]


def corners(drawn, shape, sides, margin):
    """The first row and the first column of random windows, whose part without margin lies in the image, or around it.

    Args:
        drawn: float32 `(batch, 2)` in [0, 1).
        shape: (height, width) of the images.
        sides: (height, width) of the windows.
        margin: as in `crop`.

    Returns:
        A list of two int32 arrays `(batch,)`.
    """
    found = []
    for axis, (length, side) in enumerate(zip(shape, sides, strict=True)):
        free = length - (side - 2 * margin)
        place = ops.of(drawn).cast(drawn[:, axis] * float(abs(free) + 1), "int32")
        found.append(place + (min(free, 0) - margin))
    return found


def mirrored(place, length, unit, reach):
    """Places brought into an image by mirroring it at its border: 0 to (length - 1) * unit.

    Args:
        place: int32.
        length: pixels of the image.
        unit: places a pixel.
        reach: how many pixels a place may lie beyond the image, at most.
    """
    last = (length - 1) * unit
    if reach > length - 1:
        place = place % max(2 * last, 1)
    return last - abs(last - abs(place))
