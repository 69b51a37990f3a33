"""Noise on images, for denoising: operations like those of `zoo.data.augment`, exact in numpy and TensorFlow."""

import functools
import math

import numpy as np

from zoo.data import ops
from zoo.errors import choose, require

KINDS = ("gaussian", "masking", "salt_and_pepper")
MOST = 2**16
_TABLE = 2**14


def noise(kind, amount):
    """Noise of one of three kinds, by its name.

    Source: Vincent, Larochelle, Lajoie, Bengio, Manzagol 2010, Stacked denoising autoencoders, section 3.3.

    Args:
        kind: "gaussian" (added to each pixel; the result is cut to 0..255), "masking" (a share of the pixels becomes
            0), or "salt_and_pepper" (a share of the pixels becomes 0 or 255, as a coin falls).
        amount: for "gaussian" the standard deviation as a share of the range, 0 < amount; for the others the share of
            pixels, 0 < amount <= 1. The pixels of all channels are drawn apart.

    Returns:
        An operation `op(images, draws)`, as `zoo.data.augment` describes it; images of up to 65 536 values.

    Raises:
        ZooError: an unknown kind, an amount out of range; when it is called, an image that is too large.

    Example:
        >>> data = zoo.data.images("digits", 64, augment=noise("gaussian", 0.2))
    """
    choose("kind", kind, KINDS)
    number = isinstance(amount, int | float) and not isinstance(amount, bool)
    if kind == "gaussian":
        require(number and 0 < amount < math.inf, "amount", amount, "a standard deviation > 0, as a share of the range")
    else:
        require(number and 0 < amount <= 1, "amount", amount, "a share of the pixels, 0 < amount <= 1")
    return functools.partial(_apply, kind, amount)


def _apply(kind, amount, images, draws):
    xp = ops.of(images)
    shape = tuple(int(side) for side in images.shape[1:])
    count = math.prod(shape)
    require(count <= MOST, "image", shape, f"of at most {MOST} values to have noise")
    drawn = xp.reshape(draws(count), (-1, *shape))
    if kind == "gaussian":
        from scipy.special import ndtri  # 0.3 s, for the few who add noise

        # A table of the normal distribution's quantiles: functions differ in the last bit between numpy and Eigen.
        quantiles = ndtri((np.arange(_TABLE) + 0.5) / _TABLE)
        table = np.floor(255 * amount * quantiles * 256 + 0.5).astype("int32")
        added = xp.take(table, xp.cast(drawn * float(_TABLE), "int32"))
        whole = xp.cast(images, "int32") * 256 + added
        return xp.cast(xp.clip((whole + 128) // 256, 0, 255), "uint8")
    if kind == "masking":
        return images * xp.cast(drawn >= np.float32(amount), "uint8")
    half = np.float32(amount / 2)
    kept = images * xp.cast(drawn >= np.float32(amount), "uint8")
    return kept + 255 * xp.cast(drawn < half, "uint8")
