"""What moves the pixels of an image: the interpolation that the geometric augmentations share."""

from zoo.data import ops


def sine_cosine(angle):
    """The sine and the cosine of angles within half a turn, in radians, right to 1e-6.

    They are polynomials: library functions differ in the last bit between numpy and Eigen.
    """
    square = angle * angle
    sine, cosine = 1.0, 1.0
    for k in range(8, 0, -1):
        sine = 1.0 - square * (1.0 / (2 * k * (2 * k + 1))) * sine
        cosine = 1.0 - square * (1.0 / (2 * k * (2 * k - 1))) * cosine
    return angle * sine, cosine


def interpolate(images, rows, columns, fill=0):
    """Images whose pixels come from other places, by bilinear interpolation.

    Args:
        images: uint8 `(batch, height, width, channels)`.
        rows, columns: float32 `(batch, height, width)`, where each pixel comes from; rounded to 1/256 pixel.
        fill: integer 0..255, the value of what lies outside the image.

    Returns:
        uint8 array of the shape of `images`.
    """
    # Positions in units of 1/256 pixel, in an image with a border of `fill`, where all that lies outside is moved to.
    # One addition behind the clip, since TensorFlow merges the constants of a sum: another rounding than numpy's.
    xp = ops.of(images)
    height, width, channels = images.shape[1:]
    y = xp.cast(xp.clip(rows, -1.0, float(height)) * 256.0 + 256.5, "int32")
    x = xp.cast(xp.clip(columns, -1.0, float(width)) * 256.0 + 256.5, "int32")
    # The four neighbours of a pixel, packed into one word: one gather instead of four, which is what costs here.
    # Channels first, so that each is a plane that the same positions serve.
    framed = xp.pad(xp.cast(images, "float32"), ((0, 0), (1, 2), (1, 2), (0, 0)), constant_values=fill)
    planes = _turned(framed, channels, (0, 3, 1, 2))
    planes = xp.cast(planes, "uint32")
    left = planes[:, :, :-1] | planes[:, :, 1:] * 2**16
    words = xp.reshape(left[..., :-1] | left[..., 1:] * 2**8, (-1,))
    size = (height + 2) * (width + 2)
    plane = xp.reshape(xp.arange(xp.shape(images)[0] * channels) * size, (-1, channels, 1, 1))
    places = xp.shift_right(y, 8) * (width + 2) + xp.shift_right(x, 8)
    words = xp.take(words, plane + places[:, None])
    y, x = (xp.cast(position & 255, "uint32")[:, None] for position in (y, x))
    # Upper and lower row at once, in the two halves of a word: 255 * 256 fits into 16 bits.
    both = (words & 0x00FF00FF) * (256 - x) + (xp.shift_right(words, 8) & 0x00FF00FF) * x
    value = (both & 0xFFFF) * (256 - y) + xp.shift_right(both, 16) * y
    value = xp.cast(xp.shift_right(value + 2**15, 16), "float32")
    return xp.cast(_turned(value, channels, (0, 2, 3, 1)) + 0.25, "uint8")


def _turned(values, channels, axes):
    # As float32, with something between this and a cast from or to bytes, which TensorFlow would otherwise exchange:
    # for transposed integers oneDNN prints an error line, though all is well.
    xp = ops.of(values)
    if channels == 1:
        return xp.reshape(values, (-1, *(values.shape[axis] for axis in axes[1:])))
    return xp.transpose(values, axes)
