"""Image files and arrays to raw pixels: uint8 `(height, width, channels)`, one or three channels, one size.

Training and prediction read files with the same function, so that a model meets the pixels it was trained on.
"""

import io
import os

import numpy as np

from zoo.errors import ZooError, require

SUFFIXES = (".png", ".jpg", ".jpeg")
# The number of EXIF's orientation.
_ORIENTATION = 0x0112


def read_image(path, shape):
    """Reads an image file as a model takes it.

    Args:
        path: a PNG or JPEG file. What its EXIF data says of its orientation is applied; transparency is laid on white.
        shape: `(height, width, channels)`, the model's input: the image is resized (bilinear, antialiased) and turned
            grey (1 channel) or RGB (3 channels) when it must be.

    Returns:
        uint8 array of that shape, values 0..255.

    Raises:
        ZooError: no such file, or one that cannot be read as an image.
    """
    height, width, channels = shape
    return read(path, (height, width), channels)


def read(path, size=None, channels=None):
    """Reads an image file as it is, or of a given size and number of channels.

    Args:
        path: a PNG or JPEG file.
        size: `(height, width)`, or None for its own.
        channels: 1 or 3, or None for its own: 1 for grey files, 3 for all others.

    Returns:
        uint8 array `(height, width, channels)`.

    Raises:
        ZooError: no such file, or one that cannot be read as an image.
    """
    from PIL import ImageOps

    return _opened(path, path, lambda image: _pixels(ImageOps.exif_transpose(image), size, channels))


def decode(content, name, size=None, channels=None):
    """The pixels of an image file's content: what `read` gives for the file.

    Args:
        content: the bytes of a PNG or JPEG file.
        name: where they are from, for messages.
        size, channels: as in `read`.

    Returns:
        uint8 array `(height, width, channels)`.

    Raises:
        ZooError: bytes that cannot be read as an image.
    """
    from PIL import ImageOps

    return _opened(io.BytesIO(content), name, lambda image: _pixels(ImageOps.exif_transpose(image), size, channels))


def header(content, name):
    """The shape that `decode` would give, read from the first bytes alone.

    Args:
        content, name: as in `decode`.

    Returns:
        `(height, width, channels)`.

    Raises:
        ZooError: bytes that do not begin as an image.
    """

    def shape(image):
        width, height = image.size
        if image.getexif().get(_ORIENTATION, 1) >= 5:  # lying on its side
            width, height = height, width
        return height, width, 1 if _grey(image) or image.mode.startswith("I") else 3

    return _opened(io.BytesIO(content), name, shape)


def _opened(file, name, use):
    from PIL import Image

    try:
        with Image.open(file) as image:
            return use(image)
    except FileNotFoundError:
        raise ZooError(f"there is no file {name}") from None
    except MemoryError:
        raise
    except Exception as error:  # A broken file makes PIL raise whatever its decoder stumbled over.
        said = str(error).replace(repr(file), str(name)).splitlines()
        reason = f"{type(error).__name__}: {said[0] if said else 'no reason given'}"
        raise ZooError(f"{name} cannot be read as an image ({reason})") from None


def conform(pixels, size=None, channels=None):
    """Gives an array of pixels the wanted size and number of channels, as `read` does for a file.

    Args:
        pixels: uint8 `(height, width, channels)`, 1 or 3 channels.
        size: `(height, width)`, or None.
        channels: 1 or 3, or None.

    Returns:
        uint8 array; the one received when nothing is to be done.
    """
    if (size or pixels.shape[:2]) == pixels.shape[:2] and channels in (None, pixels.shape[2]):
        return pixels
    from PIL import Image

    return _pixels(Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels), size, channels)


def check_size(size):
    """Returns `size` as `(height, width)`, or None for None.

    Raises:
        ZooError: anything but a positive integer or two of them.
    """
    if size is None:
        return None
    pair = (size, size) if isinstance(size, int) else tuple(size)
    works = "a number of pixels >= 1, or two of them: height and width"
    require(len(pair) == 2 and all(isinstance(side, int) and side >= 1 for side in pair), "size", size, works)
    return pair


def check_memory(count, shape, name, streaming=False):
    """Refuses a set whose pixels would not fit this machine's memory, before it is tried.

    Args:
        count: number of images.
        shape: `(height, width, channels)`.
        name: the set's name, for the message.
        streaming: whether the set could be streamed, for the message.

    Raises:
        ZooError: when a pipeline over it (one copy as arrays, one as tensors) needs more memory than there is.
    """
    there = memory()
    needed = 2 * count * int(np.prod(shape))
    if needed > there:
        height, width, _ = shape
        smaller = int(height * (there / needed / 2) ** 0.5)
        instead = ", and --streaming reads them from the disk as they are needed" if streaming else ""
        raise ZooError(
            f"{name}: {count} images of {height} x {width} need {needed / 2**30:.0f} GiB of memory, and this machine "
            f"has {there / 2**30:.0f}. A smaller size works: --size {smaller}{instead}"
        )


def memory():
    """Bytes of memory that this machine has; infinity where it does not say."""
    if not hasattr(os, "sysconf"):
        return float("inf")
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _pixels(image, size, channels):
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits a pixel: PIL's own conversion would cut at 255 instead of scaling.
        image = Image.fromarray((np.asarray(image) >> 8).astype("uint8"))
    grey = _grey(image)
    if "A" in image.mode or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("L" if (channels or (1 if grey else 3)) == 1 else "RGB")
    if size and image.size != (size[1], size[0]):
        image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    array = np.asarray(image)
    return array[..., None] if array.ndim == 2 else array


def _grey(image):
    return image.mode in ("1", "L", "LA")
