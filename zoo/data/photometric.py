"""Changes of the pixels' values, each as Pillow defines it: what `zoo.data.randaugment` chooses from.

All take uint8 images `(batch, height, width, channels)`, with 1 or 3 channels, and return such images. A factor is an
int32 array `(batch,)` of 1/65536: 0 gives the degenerate image, 65536 the image itself, more than that exaggerates.
They compute with whole numbers, so that tensors and numpy arrays give the same bytes; Pillow's floating point may round
a value that is a whole number down to the one below.
"""

import numpy as np

from zoo.data import ops

ONE = 2**16


def posterize(images, bits):
    """Keeps the highest `bits` bits of each value, 0..8."""
    return images & np.uint8(256 - 2 ** (8 - bits))


def solarize(images, threshold):
    """Inverts the values from `threshold` on, an integer 0..256."""
    xp = ops.of(images)
    return images ^ 255 * xp.cast(xp.cast(images, "int32") >= threshold, "uint8")


def brightness(images, factor):
    """Blends with black."""
    return _blended(images, 0, factor)


def contrast(images, factor):
    """Blends with the mean of the image's grey values."""
    xp = ops.of(images)
    values = _grey(images)
    count = values.shape[1] * values.shape[2]
    total = xp.reduce_sum(xp.reshape(values, (-1, count)), 1)
    return _blended(images, ((2 * total + count) // (2 * count))[:, None], factor)


def color(images, factor):
    """Blends with the grey image; of grey images nothing changes."""
    if images.shape[3] == 1:
        return images
    xp = ops.of(images)
    return _blended(images, xp.reshape(_grey(images) + np.zeros(3, "int32"), _flat(images)), factor)


def sharpness(images, factor):
    """Blends with the image smoothed by the weights 1 1 1, 1 5 1, 1 1 1 over 13; pixels at the border stay."""
    xp = ops.of(images)
    values = xp.cast(images, "int32")
    rows = values[:, :-2] + values[:, 1:-1] + values[:, 2:]
    inner = values[:, 1:-1, 1:-1]
    total = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:] + 4 * inner
    # (2 total + 13) // 26, the rounded mean, for all that 9 bytes can give; a division costs more.
    smooth = xp.shift_right((2 * total + 13) * 40330, 20)
    change = xp.pad(smooth - inner, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return _blended(images, xp.reshape(values + change, _flat(images)), factor)


def autocontrast(images):
    """Stretches the values of each channel to 0..255."""
    xp = ops.of(images)
    places = _places(images)
    there, level = _counts(images, places) > 0, xp.arange(256)
    low = xp.reduce_min(xp.where(there, level, 255), 2)[..., None]
    high = xp.reduce_max(xp.where(there, level, 0), 2)[..., None]
    stretched = (level - low) * 255 // xp.maximum(high - low, 1)
    return _looked_up(images, xp.where(high > low, stretched, level), places)


def equalize(images):
    """Spreads the values of each channel, so that all are about equally frequent."""
    xp = ops.of(images)
    places = _places(images)
    counts, level = _counts(images, places), xp.arange(256)
    upto = xp.cast(xp.cumsum(counts, axis=2), "int32")
    # Without the pixels of the highest value there is.
    step = xp.reduce_max(xp.where(upto < images.shape[1] * images.shape[2], upto, 0), 2)[..., None] // 255
    spread = xp.clip((step // 2 + upto - counts) // xp.maximum(step, 1), 0, 255)
    return _looked_up(images, xp.where(step > 0, spread, level), places)


def _grey(images):
    """The luminance of ITU-R BT.601, int32 `(batch, height, width, 1)`."""
    xp = ops.of(images)
    values = xp.cast(images, "int32")
    if images.shape[3] == 1:
        return values
    red, green, blue = (values[..., k : k + 1] for k in range(3))
    return xp.shift_right(19595 * red + 38470 * green + 7471 * blue + 2**15, 16)


def _blended(images, degenerate, factor):
    xp = ops.of(images)
    values = xp.cast(xp.reshape(images, _flat(images)), "int32")
    # 328 / 65536 = 0.005: factors are hundredths, and a product that is a whole number must not fall below it.
    values = degenerate + xp.shift_right((values - degenerate) * factor[:, None] + 328, 16)
    return xp.reshape(xp.cast(xp.clip(values, 0, 255), "uint8"), (-1, *images.shape[1:]))


def _flat(images):
    return (-1, images.shape[1] * images.shape[2] * images.shape[3])


def _places(images):
    """Each value's place in tables of 256 entries a channel and image, int32 `(batch, height, width x channels)`."""
    xp = ops.of(images)
    height, width, channels = images.shape[1:]
    values = xp.cast(xp.reshape(images, (-1, height, width * channels)), "int32")
    first = xp.arange(xp.shape(images)[0])[:, None] * channels + xp.arange(width * channels) % channels
    return values + (first * 256)[:, None]


def _counts(images, places):
    """How often each value occurs in each channel of each image: `(batch, channels, 256)`."""
    xp = ops.of(images)
    channels = images.shape[3]
    counts = xp.bincount(xp.reshape(places, (-1,)), xp.shape(images)[0] * (channels * 256))
    return xp.reshape(counts, (-1, channels, 256))


def _looked_up(images, tables, places):
    xp = ops.of(images)
    tables = xp.reshape(xp.cast(tables, "uint8"), (-1,))
    return xp.reshape(xp.take(tables, places), (-1, *images.shape[1:]))
