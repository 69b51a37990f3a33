"""Sheets of images as files have them, pixel by pixel, and the film of such sheets."""

import io

import numpy as np

from zoo.pictures.film import gif
from zoo.pixel_affine import rounded

GAP = 1
FRAMES = 30
# A sheet is enlarged or reduced by a whole number so that in the film its longer side comes near to so many pixels.
LONGER = 512
BAND = 24


def rows(inputs, outputs, targets):
    """A sheet of three rows: inputs, outputs, targets.

    Args:
        inputs: raw pixels (n, height, width, channels) of any size; each pixel becomes a block where they are smaller.
        outputs, targets: raw pixels (n, height, width, channels).

    Returns:
        A uint8 array (height, width) or (height, width, 3), as of `sheet`.
    """
    height, width = targets.shape[1:3]
    down, right = (np.arange(size) * own // size for size, own in zip((height, width), inputs.shape[1:3], strict=True))
    images = [_coloured(rounded(each)) for each in (inputs[:, down][:, :, right], outputs, targets)]
    if any(each.shape[-1] == 3 for each in images):
        images = [np.broadcast_to(each, (*each.shape[:3], 3)) for each in images]
    return sheet(np.concatenate(images), len(targets))


def sheet(images, across, factor=1):
    """Puts images side by side, row by row, a white line between them.

    Args:
        images: uint8 array (n, height, width, channels).
        across: images in a row; those that are missing stay white.
        factor: by how much all of it is enlarged, an integer >= 1.

    Returns:
        A uint8 array (height, width), or (height, width, 3) of images in colour.

    Example:
        >>> sheet(np.zeros((3, 4, 5, 1), "uint8"), across=2, factor=2).shape
        (18, 22)
    """
    images = _coloured(images)
    count, height, width, channels = images.shape
    down = -(-count // across)
    tiles = np.full((down * across, height + GAP, width + GAP, channels), 255, np.uint8)
    tiles[:count, :height, :width] = images
    whole = tiles.reshape(down, across, *tiles.shape[1:]).swapaxes(1, 2)
    whole = whole.reshape(down * (height + GAP), across * (width + GAP), channels)[:-GAP, :-GAP]
    whole = whole.repeat(factor, 0).repeat(factor, 1)
    return whole[..., 0] if channels == 1 else whole


def png(image):
    """A uint8 image (height, width) or (height, width, 3) as the bytes of a PNG file."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG", optimize=True)
    return content.getvalue()


def film(files, path):
    """Joins PNG files to an animated GIF of some five seconds, with the epoch above each.

    Args:
        files: list of pairs of an epoch and a path, such as of `zoo.samples.written`; of more than 30, as many are
            taken, evenly spread.
        path: where the film goes.

    Returns:
        The path.
    """
    shown = np.unique(np.linspace(0, len(files) - 1, min(FRAMES, len(files))).round().astype(int))
    return gif([_frame(*files[index]) for index in shown], path)


def _frame(epoch, path):
    """A picture with a white band above it that tells the epoch: a uint8 array (height, width, 3)."""
    from PIL import Image, ImageDraw, ImageFont

    with Image.open(path) as picture:
        picture = picture.convert("RGB").reduce(max(1, round(max(picture.size) / LONGER)))
    factor = max(1, round(LONGER / max(picture.size)))
    width, height = (factor * side for side in picture.size)
    whole = Image.new("RGB", (width, height + BAND), "white")
    whole.paste(picture.resize((width, height), Image.Resampling.NEAREST), (0, BAND))
    ImageDraw.Draw(whole).text((4, 3), f"epoch {epoch}", "black", ImageFont.load_default(16))
    return np.asarray(whole)


def _coloured(images):
    """Images that a file can have: of another number of channels than 1 and 3, such as maps of classes, the mean."""
    return images if images.shape[-1] in (1, 3) else images.mean(-1, keepdims=True).astype(np.uint8)
