"""Distortions of images with their masks: turned, scaled and bent, as `zoo.data.paired` has them.

Places in an image are whole numbers of 1/256 pixel throughout: whole numbers are the same in numpy and TensorFlow.
"""

import functools
import math

import numpy as np

from zoo.data import ops
from zoo.data.geometry import sine_cosine
from zoo.data.windows import Windowed, check_window, corners, mirrored, picked, without
from zoo.errors import ZooError, require

# Numbers in the table of the normal distribution.
_TABLE = 2**12
# The unit of sines, cosines and factors of size.
_SLOPE = 2**14


def warp(size=None, margin=0, rotation=0.0, zoom=0.0, sigma=0.0, grid=3):
    """Cuts a random window that is turned, scaled and bent, in one interpolation.

    Images are interpolated bilinearly; a pixel of a map is the nearest one. It is `crop`, `rotate` and `elastic` in
    one. What a turned window needs beside the straight one is in the image, and only the window's pixels are computed.

    Args:
        size, margin: the window as `crop` has it; None takes the whole image.
        rotation: largest angle in degrees, 0..180; the angle is uniform in [-rotation, rotation].
        zoom: largest relative change of size, 0 <= zoom <= 0.5; the factor is uniform in [1 - zoom, 1 + zoom].
        sigma: standard deviation in pixels of the displacements of `elastic`, >= 0.
        grid: nodes along each side of the window, >= 2.

    Returns:
        An operation. Positions are rounded to 1/256 pixel.

    Raises:
        ZooError: a value outside its range; when it is called, images of less than 2 pixels a side.

    Example:
        >>> mix = [warp(192, rotation=15, zoom=0.1, sigma=10), zoo.data.paired.flips()]
    """
    sides, margin = check_window(size, margin)
    require(0 <= rotation <= 180, "rotation", rotation, "an angle of 0 to 180 degrees")
    require(0 <= zoom <= 0.5, "zoom", zoom, "a factor in 0 <= zoom <= 0.5")
    require(0 <= sigma <= 1000, "sigma", sigma, "a standard deviation of 0 to 1000 pixels")
    whole = isinstance(grid, int) and not isinstance(grid, bool) and 2 <= grid <= 64
    require(whole, "grid", grid, "a whole number of nodes, 2 to 64")

    def op(x, *others):
        *maps, draws = others
        xp = ops.of(x)
        shape = tuple(x.shape[1:3])
        if min(shape) < 2:
            raise ZooError(f"only images of 2 x 2 pixels and more can be warped. Received x of shape {tuple(x.shape)}")
        window = sides or shape
        drawn = draws(4 + (2 * grid * grid if sigma else 0))
        if sides:
            firsts = corners(drawn[:, :2], shape, sides, margin)
        else:
            firsts = 2 * [xp.cast(drawn[:, 0] * 0.0, "int32")]
        centres = [corner * 256 + (side - 1) * 128 for corner, side in zip(firsts, window, strict=True)]
        places = _turned(drawn[:, 2:4], window, math.radians(rotation), zoom)
        if sigma:
            bent = _displacement(xp.cast(drawn[:, 4:] * float(_TABLE), "int32"), window, sigma, grid)
            places = [place + bent[:, axis] for axis, place in enumerate(places)]
        # How far a place may lie from the window's centre; the cubics' weights are 1.25 in all at most.
        reach = math.hypot(*window) / 2 / (1 - zoom) + 4 * 1.25**2 * sigma
        rows, columns = (
            mirrored(
                place + centre[:, None, None], length, 256, reach - min(side / 2 - margin, length - side / 2 + margin)
            )
            for place, centre, length, side in zip(places, centres, shape, window, strict=True)
        )
        near = [xp.shift_right(without(place, margin) + 128, 8) for place in (rows, columns)]
        return (_interpolated(x, rows, columns), *(picked(each, *near) for each in maps))

    return Windowed(op, sides, margin)


def rotate(degrees):
    """Turns an image and its mask about their centre, the image being mirrored at its border.

    Args:
        degrees: largest angle, 0..180; the angle is uniform in [-degrees, degrees].

    Returns:
        An operation: `warp(rotation=degrees)`. Turns by right angles alone are in `zoo.data.paired.flips`.

    Raises:
        ZooError: an angle out of range.
    """
    return warp(rotation=degrees)


def elastic(grid=3, sigma=10.0):
    """Bends an image and its mask by a smooth random displacement.

    Source: Ronneberger, Fischer, Brox 2015, section 3.1: random vectors on a coarse 3 x 3 grid, Gaussian with a
    standard deviation of 10 pixels, interpolated to each pixel bicubically. The outer nodes lie on the image's border;
    the cubics are Catmull-Rom's, the grid being continued in a straight line.

    Args:
        grid: nodes along each side, >= 2.
        sigma: standard deviation of the displacement at a node in pixels, for each direction, >= 0.

    Returns:
        An operation: `warp(sigma=sigma, grid=grid)`.

    Raises:
        ZooError: a value outside its range.
    """
    return warp(sigma=sigma, grid=grid)


def catmull_rom(distance):
    """The weight of a value at a distance in a cubic interpolation.

    Source: Keys 1981, Cubic convolution interpolation for digital image processing, with a = -1/2.

    Args:
        distance: float array, in steps of the grid of values.

    Returns:
        A float array of the same shape.
    """
    distance = abs(distance)
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0))


def _turned(drawn, window, angle, zoom):
    """Where the pixels of a window come from, seen from its centre: two arrays that broadcast to (batch, *window)."""
    xp = ops.of(drawn)
    # In half pixels from the centre, so that they are whole for even and odd sides.
    y, x = (
        2 * np.arange(side, dtype="int32").reshape(shape) - (side - 1)
        for side, shape in zip(window, ((1, -1, 1), (1, 1, -1)), strict=True)
    )
    if not angle and not zoom:
        return [128 * y, 128 * x]
    signed = drawn * 2.0 - 1.0
    sine, cosine = sine_cosine(signed[:, 0] * np.float32(angle))
    scale = float(_SLOPE) / (signed[:, 1] * np.float32(zoom) + 1.0)
    sine, cosine = (xp.cast(xp.floor(part * scale + 0.5), "int32")[:, None, None] for part in (sine, cosine))
    # 2 * _SLOPE / 256 = 2**7 of these units are one of 1/256 pixel.
    return [xp.shift_right(place + 64, 7) for place in (cosine * y + sine * x, cosine * x - sine * y)]


@functools.cache
def _quantiles():
    """The normal distribution's quantiles, in units of 1/256 standard deviation, the last of them at 3.7."""
    from scipy.special import ndtri  # 0.3 s, for the few who bend images

    return np.floor(ndtri((np.arange(_TABLE) + 0.5) / _TABLE) * 256 + 0.5).astype("float32")


def _displacement(drawn, window, sigma, grid):
    """Smooth random displacements, int32 (batch, 2, *window) in 1/256 pixel, from numbers 0..4095 for the nodes."""
    xp = ops.of(drawn)
    rows, columns = (_cubics(side, grid) for side in window)
    # Whole numbers below 2**24 at every step: a matrix product in float32 is exact then, in any order of summation.
    nodes = xp.reshape(xp.take(_quantiles(), drawn), (-1, 2, grid, grid))
    lines = xp.floor(xp.matmul(rows, nodes) * 2.0**-6 + 0.5)
    field = xp.matmul(lines, columns.T.copy())
    return xp.cast(field * np.float32(sigma * 256 / (256 * 2**2 * 256)), "int32")


def _cubics(side, grid):
    """Catmull-Rom's weights of `grid` nodes for `side` pixels, in units of 1/256: float32 `(side, grid)`."""
    place = np.linspace(0, grid - 1, side) if side > 1 else np.array([(grid - 1) / 2])
    weights = catmull_rom(place[:, None] - np.arange(-1, grid + 1))
    # A node beyond the border continues the line through the last two.
    for beyond, last, before in ((0, 1, 2), (-1, -2, -3)):
        weights[:, last] += 2 * weights[:, beyond]
        weights[:, before] -= weights[:, beyond]
    return np.round(256 * weights[:, 1:-1]).astype("float32")


def _interpolated(images, rows, columns):
    """Bilinear interpolation of uint8 images at places in 1/256 pixel, within them; half a grey value is rounded up."""
    xp = ops.of(images)
    height, width, channels = images.shape[1:]
    top, left = xp.clip(xp.shift_right(rows, 8), 0, height - 2), xp.clip(xp.shift_right(columns, 8), 0, width - 2)
    down, right = rows - top * 256, columns - left * 256
    if channels > 1:
        down, right = down[..., None], right[..., None]
    flat = xp.reshape(images, (-1, channels)) if channels > 1 else xp.reshape(images, (-1,))
    first = top * width + left + (xp.arange(xp.shape(images)[0]) * (height * width))[:, None, None]
    upper, lower = (
        xp.cast(xp.take(flat, first + below), "int32") * (256 - right)
        + xp.cast(xp.take(flat, first + (below + 1)), "int32") * right
        for below in (0, width)
    )
    value = xp.shift_right(upper * (256 - down) + lower * down + 2**15, 16)
    value = xp.cast(value, "uint8")
    return value if channels > 1 else value[..., None]
