"""Augmentations: a batch of raw images in, the same batch changed at random out, all of it at once.

Each function here returns an operation `op(images, draws)`:

- `images`: uint8 `(batch, height, width, channels)`, raw values 0..255; the result has the same shape and type.
- `draws(count)`: float32 `(batch, count)` in [0, 1), the example's own numbers. They are a function of (seed, epoch,
  index of the example), so what happens to an example depends neither on its batch nor on the batch's size.

The operations are exact in the sense of `zoo.data.ops`: tensors and numpy arrays give the same bytes. Write your own in
the same way, or with `tf` functions when numpy is not needed.
"""

import math

import numpy as np

from zoo.data import ops
from zoo.data.geometry import interpolate, sine_cosine
from zoo.errors import choose, require


def shift(pixels):
    """Moves an image by up to `pixels` whole pixels up or down and left or right; zeros come in.

    Args:
        pixels: integer >= 0.

    Returns:
        An operation; all (2 pixels + 1)**2 shifts are equally likely.

    Raises:
        ZooError: a negative or fractional number.

    Example:
        >>> data = zoo.data.images("digits", 64, augment=shift(1))
    """
    require(_whole(pixels), "pixels", pixels, "a whole number of pixels >= 0")
    return _window(pixels, reflect=False)


def crop(padding, mode="zeros"):
    """Pads an image on all sides and cuts a window of the old size out at random.

    Source: Krizhevsky 2012 and He et al. 2016, section 4.2, with `padding=4` for CIFAR-10.

    Args:
        padding: integer >= 0, pixels on each side.
        mode: "zeros", or "reflect" to mirror the image at its border (then `padding` is smaller than the image).

    Returns:
        An operation. With zeros it is the same as `shift(padding)`.

    Raises:
        ZooError: a negative or fractional number, or an unknown mode.
    """
    require(_whole(padding), "padding", padding, "a whole number of pixels >= 0")
    return _window(padding, reflect=choose("mode", mode, ("zeros", "reflect")) == "reflect")


def _window(padding, reflect):
    def op(images, draws):
        xp = ops.of(images)
        height, width, channels = images.shape[1:]
        corner = xp.cast(draws(2) * (2 * padding + 1), "int32")
        rows = corner[:, 0, None] + xp.arange(height)
        columns = corner[:, 1, None] + xp.arange(width)
        # A row with its channels is one run of values: short innermost dimensions cost TensorFlow several times more.
        lines = xp.reshape(images, (-1, height, width * channels))
        if reflect:
            rows = height - 1 - abs(height - 1 - abs(rows - padding))
            columns = width - 1 - abs(width - 1 - abs(columns - padding))
        else:
            side = padding * channels
            lines = xp.pad(lines, ((0, 0), (padding, padding), (side, side)))
        rows = rows + xp.arange(xp.shape(images)[0])[:, None] * lines.shape[1]
        values = xp.reshape(columns[:, :, None] * channels + xp.arange(channels), (-1, 1, width * channels))
        picked = xp.take(xp.reshape(lines, (-1,)), rows[:, :, None] * lines.shape[2] + values)
        return xp.reshape(picked, (-1, height, width, channels))

    return op


def flip():
    """Mirrors half of the images left to right.

    Returns:
        An operation.
    """

    def op(images, draws):
        xp = ops.of(images)
        # Bits instead of `where` and a reversed slice, which cost TensorFlow six times as much.
        change = xp.reshape(images ^ xp.reverse(images, (2,)), (-1, math.prod(images.shape[1:])))
        chosen = 255 * xp.cast(draws(1) < 0.5, "uint8")
        return images ^ xp.reshape(change & chosen, (-1, *images.shape[1:]))

    return op


def affine(rotation=0.0, zoom=0.0, shear=0.0, translate=0.0):
    """Turns, scales, slants and moves an image about its centre, all in one bilinear interpolation; zeros come in.

    Args:
        rotation: largest angle in degrees, 0..180; the angle is uniform in [-rotation, rotation].
        zoom: largest relative change of size, 0 <= zoom < 1; the factor is uniform in [1 - zoom, 1 + zoom].
        shear: largest slant, >= 0, in pixels a row; the slant is uniform in [-shear, shear].
        translate: largest move as a share of the image's side, 0 <= translate <= 1, for height and width apart.

    Returns:
        An operation. Positions are rounded to 1/256 pixel.

    Raises:
        ZooError: a value outside its range.

    Example:
        >>> data = zoo.data.images("digits", 64, augment=affine(rotation=10, zoom=0.1, translate=0.08))
    """
    require(0 <= rotation <= 180, "rotation", rotation, "an angle of 0 to 180 degrees")
    require(0 <= zoom < 1, "zoom", zoom, "a factor in 0 <= zoom < 1")
    require(shear >= 0, "shear", shear, "a slant >= 0")
    require(0 <= translate <= 1, "translate", translate, "a share of the side, 0 to 1")

    def op(images, draws):
        xp = ops.of(images)
        height, width = images.shape[1:3]
        strengths = np.float32([math.radians(rotation), zoom, shear, translate * height, translate * width])
        signed = (draws(5) * 2.0 - 1.0) * strengths
        angle, change, slant, down, right = (signed[:, k, None] for k in range(5))
        sine, cosine = sine_cosine(angle)
        # From a pixel of the result to its place in the source, both seen from the centre.
        y = xp.cast(xp.arange(height), "float32") - (height - 1) / 2
        x = xp.cast(xp.arange(width), "float32") - (width - 1) / 2
        scale = 1.0 / (1.0 + change)
        y, x = scale * y, scale * x
        from_y = (cosine * y + ((height - 1) / 2 - down))[:, :, None] + (sine * x)[:, None, :]
        slanted = slant * cosine - sine
        from_x = (slanted * y + ((width - 1) / 2 - right))[:, :, None] + ((cosine + slant * sine) * x)[:, None, :]
        return interpolate(images, from_y, from_x)

    return op


def elastic(alpha=34.0, sigma=4.0):
    """Distorts an image by a smooth random displacement of its pixels: handwriting of another hand.

    Source: Simard, Steinkraus, Platt 2003, Best practices for convolutional neural networks, section 2: uniform noise
    in [-1, 1] for each pixel, convolved with a Gaussian and multiplied by `alpha`. Here the noise sits on a grid of
    spacing `sigma` instead of on each pixel, scaled to the displacement's standard deviation in the paper: the field is
    too smooth to tell, and needs sigma**2 times fewer random numbers.

    Args:
        alpha: strength, >= 0. The standard deviation of the displacement is alpha / (6.14 sigma) pixels: 1.4 at the
            defaults, which the paper uses for MNIST's 28 x 28 pixels.
        sigma: smoothness in pixels, >= 1.

    Returns:
        An operation.

    Raises:
        ZooError: a value outside its range.
    """
    require(alpha >= 0, "alpha", alpha, "a strength >= 0")
    require(sigma >= 1, "sigma", sigma, "a width >= 1 pixel")

    def op(images, draws):
        xp = ops.of(images)
        height, width = images.shape[1:3]
        rows, columns = _smoothing(height, sigma), _smoothing(width, sigma)
        # Whole numbers below 2**24 at every step: a matrix product in float32 is exact then, in any order of summation.
        noise = xp.floor(draws(2 * rows.shape[1] * columns.shape[1]) * 255.0) - 127.0
        noise = xp.reshape(noise, (-1, 2, rows.shape[1], columns.shape[1]))
        field = xp.matmul(xp.floor(xp.matmul(rows, noise) * 2.0**-7 + 0.5), columns.T.copy())
        spread = math.sqrt((255**2 - 1) / 12) * _norm(rows) * _norm(columns) * 2.0**-7
        field = field * np.float32(alpha / math.sqrt(3) / (2 * math.sqrt(math.pi) * sigma) / spread)
        from_y = field[:, 0] + xp.cast(xp.arange(height), "float32")[:, None]
        from_x = field[:, 1] + xp.cast(xp.arange(width), "float32")
        return interpolate(images, from_y, from_x)

    return op


def _smoothing(size, sigma):
    # Rows: pixels. Columns: nodes of the noise's grid, three sigma beyond the image on both sides.
    nodes = math.ceil((size - 1) / sigma) + 7
    offset = (size - 1) / 2 - sigma * (nodes - 1) / 2
    distance = (np.arange(size)[:, None] - offset) / sigma - np.arange(nodes)
    return np.round(127 * np.exp(-(distance**2) / 2)).astype("float32")


def _norm(matrix):
    return math.sqrt(float((matrix**2).sum(axis=1).mean()))


def _whole(number):
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0
