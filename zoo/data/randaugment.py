"""RandAugment: a few operations out of fourteen, drawn for each image."""

import functools
import math

import numpy as np

from zoo.data import ops, photometric
from zoo.data.geometry import interpolate
from zoo.errors import require

MOVES = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
OPERATIONS = ("identity", *MOVES, "posterize", "solarize", "brightness", "contrast", "color", "sharpness")
OPERATIONS += ("autocontrast", "equalize")


def randaugment(operations=2, magnitude=9, fill=128):
    """Changes each image by operations drawn from fourteen, all of one magnitude.

    Source: Cubuk, Zoph, Shlens, Le 2019, RandAugment: practical automated data augmentation with a reduced search space
    (arXiv:1909.13719). Each of the operations is drawn anew for each image, with the same probability:

        identity, autocontrast, equalize
        rotate                              by 0 to 30 degrees, either way
        shear_x, shear_y                    by 0 to 0.3 pixels a row, either way, about the upper left corner
        translate_x, translate_y            by 0 to 150/331 of the side, either way, in whole pixels
        posterize                           to 8 to 4 bits
        solarize                            the values from 256 to 0 on are inverted
        brightness, contrast                by the factor 1 to 1.9, or 1 to 0.1
        color, sharpness                    likewise; color leaves grey images as they are

    A magnitude of 0 means the first value of a range, one of 30 the last. The ranges are those of AutoAugment (Cubuk et
    al. 2018, table 6), whose 10 steps end where these 30 do. The paper leaves open which of both it counts.

    Args:
        operations: integer >= 1, how many follow each other: N in the paper.
        magnitude: integer 0..30, how strong all of them are: M in the paper.
        fill: integer 0..255, what comes in from outside the image.

    Returns:
        An operation, as those of `zoo.data.augment`, for images of 1 or 3 channels.

    Raises:
        ZooError: a value outside its range; images of another number of channels, when it is applied.

    Example:
        >>> data = zoo.data.images("digits", 64, augment=randaugment(operations=1, magnitude=5, fill=0))
    """
    for name, value, low, high in (
        ("operations", operations, 1, 100),
        ("magnitude", magnitude, 0, 30),
        ("fill", fill, 0, 255),
    ):
        whole = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        require(whole, name, value, f"an integer {low}..{high}")

    def op(images, draws):
        xp = ops.of(images)
        height, width, channels = images.shape[1:]
        fits = channels in (1, 3) and min(height, width) > 1
        require(fits, "images", tuple(images.shape[1:]), "2 x 2 pixels or more, of 1 or 3 channels, for randaugment")
        numbers = draws(2 * operations)
        for k in range(operations):
            kind = xp.cast(numbers[:, 2 * k] * len(OPERATIONS), "int32")
            sign = xp.cast(numbers[:, 2 * k + 1] < 0.5, "int32")
            images = apply(images, kind, sign, magnitude, fill)
        return images

    return op


def apply(images, kind, sign, magnitude, fill=128):
    """Changes each image by an operation of its own.

    Args:
        images: uint8 `(batch, height, width, channels)`, with 1 or 3 channels.
        kind: int32 `(batch,)`, positions in `OPERATIONS`.
        sign: int32 `(batch,)` of 0 and 1: less or more, to one side or to the other.
        magnitude, fill: as in `randaugment`.

    Returns:
        uint8 array of the shape of `images`.
    """
    xp = ops.of(images)
    for names, change in _changes(magnitude, fill, *images.shape[1:3]):
        # Each is computed for the images that drew it, and for no others.
        first = OPERATIONS.index(names[0])
        chosen = xp.nonzero((kind >= first) & (kind < first + len(names)))
        setting = 2 * (xp.take(kind, chosen) - first) + xp.take(sign, chosen)
        images = xp.put(images, chosen, change(xp.take(images, chosen), setting))
    return images


def _changes(magnitude, fill, height, width):
    bits, threshold = 8 - round(magnitude / 7.5), round(256 * (1 - magnitude / 30))
    enhanced = round(0.03 * magnitude * photometric.ONE)
    factors = np.int32([photometric.ONE - enhanced, photometric.ONE + enhanced])

    def enhance(name):
        change = getattr(photometric, name)
        return (name,), lambda images, setting: change(images, ops.of(images, setting).take(factors, setting))

    return (
        (MOVES, functools.partial(_moved, _matrices(magnitude, height, width), fill)),
        (("posterize",), lambda images, _: photometric.posterize(images, bits)),
        (("solarize",), lambda images, _: photometric.solarize(images, threshold)),
        *map(enhance, ("brightness", "contrast", "color", "sharpness")),
        (("autocontrast",), lambda images, _: photometric.autocontrast(images)),
        (("equalize",), lambda images, _: photometric.equalize(images)),
    )


def _matrices(magnitude, height, width):
    """Where a pixel comes from, `y = a y + b x + c` and `x = d y + e x + f`, for each move in both directions."""
    rows = []
    for name in MOVES:
        for sign in (-1, 1):
            share = sign * magnitude / 30
            a, b, c, d, e, f = 1.0, 0.0, 0.0, 0.0, 1.0, 0.0
            if name == "rotate":
                a = e = math.cos(math.radians(30 * share))
                b = math.sin(math.radians(30 * share))
                d = -b
                y, x = (height - 1) / 2, (width - 1) / 2
                c, f = y - a * y - b * x, x - d * y - e * x
            elif name == "shear_x":
                d, f = 0.3 * share, 0.3 * share / 2
            elif name == "shear_y":
                b, c = 0.3 * share, 0.3 * share / 2
            elif name == "translate_x":
                f = int(150 / 331 * width * share)
            else:
                c = int(150 / 331 * height * share)
            rows.append((a, b, c, d, e, f))
    return np.float32(rows)


def _moved(matrices, fill, images, setting):
    xp = ops.of(images)
    height, width = images.shape[1:3]
    a, b, c, d, e, f = (xp.take(column, setting)[:, None] for column in matrices.T.copy())
    y, x = xp.cast(xp.arange(height), "float32"), xp.cast(xp.arange(width), "float32")
    from_y = (a * y + c)[:, :, None] + (b * x)[:, None, :]
    from_x = (d * y + f)[:, :, None] + (e * x)[:, None, :]
    return interpolate(images, from_y, from_x, fill)
