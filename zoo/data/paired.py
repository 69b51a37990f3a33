"""Augmentation of an image together with its mask: what moves the one moves the other.

Each function here returns an operation `op(x, mask, *weights, draws)` for the `mix` of a `Stream`:

- `x`: uint8 `(batch, height, width, channels)`, raw values 0..255.
- `mask`, and weight maps if there are any: `(batch, height, width)` of any type. They may be smaller than `x` by the
  same number of pixels on all sides, as the `margin` of an unpadded network makes them.
- `draws(count)`: float32 `(batch, count)` in [0, 1), the example's own numbers.

Windows are in `zoo.data.windows`, distortions in `zoo.data.warp`. All of them are exact in the sense of `zoo.data.ops`:
tensors and numpy arrays give the same bytes.
"""

import numpy as np

from zoo.data import ops, photometric
from zoo.data.warp import elastic, rotate, warp
from zoo.data.windows import crop, picked, windows
from zoo.errors import ZooError, require

__all__ = ["crop", "elastic", "flips", "intensity", "rotate", "warp", "windows"]


def flips(horizontal=True, vertical=False, turns=False):
    """Mirrors half of the examples, and turns them by right angles.

    Args:
        horizontal: whether to mirror left to right.
        vertical: whether to mirror top to bottom.
        turns: whether to turn by 0, 90, 180 or 270 degrees, each as likely; the images must be square.

    Returns:
        An operation. Each of what is chosen happens apart from the others, mirroring with a probability of one half.

    Raises:
        ZooError: nothing is chosen; when it is called, images to turn that are not square.

    Example:
        >>> op = flips(vertical=True, turns=True)
        >>> x, mask = np.zeros((2, 6, 6, 1), "uint8"), np.zeros((2, 4, 4), "uint8")
        >>> [array.shape for array in op(x, mask, lambda count: np.zeros((2, count), "float32"))]
        [(2, 6, 6, 1), (2, 4, 4)]
    """
    chosen = dict(horizontal=horizontal, vertical=vertical, turns=turns)
    require(any(chosen.values()), "flips", chosen, "one of horizontal, vertical and turns, or several")

    def op(x, *others):
        *maps, draws = others
        xp = ops.of(x)
        if turns and x.shape[1] != x.shape[2]:
            raise ZooError(f"only square images can be turned by right angles. Received x of shape {tuple(x.shape)}")
        numbers = draws(3)
        quarters = xp.cast(numbers[:, 2] * 4.0, "int32") * int(turns)
        across = xp.cast(numbers[:, 0] < 0.5, "int32") * int(horizontal)
        down = xp.cast(numbers[:, 1] < 0.5, "int32") * int(vertical)
        # A quarter turn is a transposition and a reversal of the rows; half a turn reverses rows and columns.
        swap = (quarters % 2)[:, None, None]
        reverse_rows = ((down + quarters // 2 + quarters % 2) % 2)[:, None, None]
        reverse_columns = ((across + quarters // 2) % 2)[:, None, None]

        def moved(array):
            height, width = array.shape[1:3]
            row, column = xp.arange(height)[None, :, None], xp.arange(width)[None, None, :]
            row = row + reverse_rows * (height - 1 - 2 * row)
            column = column + reverse_columns * (width - 1 - 2 * column)
            row, column = row + swap * (column - row), column + swap * (row - column)
            return picked(array, row, column)

        return tuple(moved(array) for array in (x, *maps))

    return op


def intensity(brightness=0.0, contrast=0.0):
    """Changes the grey values of an image at random; its mask stays.

    Args:
        brightness: largest change as a share of the range, 0..1: of 255 times that, either way.
        contrast: largest relative change of the distance from the image's mean grey, 0 <= contrast < 1.

    Returns:
        An operation for images of 1 or 3 channels.

    Raises:
        ZooError: a value outside its range.

    Example:
        >>> mix = [flips(), intensity(brightness=0.1, contrast=0.2)]
    """
    require(0 <= brightness <= 1, "brightness", brightness, "a share of the range, 0 to 1")
    require(0 <= contrast < 1, "contrast", contrast, "a factor in 0 <= contrast < 1")

    def op(x, *others):
        *maps, draws = others
        xp = ops.of(x)
        signed = draws(2) * 2.0 - 1.0
        factor = xp.cast(signed[:, 0] * np.float32(contrast * photometric.ONE), "int32") + photometric.ONE
        change = xp.cast(signed[:, 1] * np.float32(brightness * 255), "int32")[:, None, None, None]
        changed = xp.cast(photometric.contrast(x, factor), "int32") + change
        return (xp.cast(xp.clip(changed, 0, 255), "uint8"), *maps)

    return op
