"""Two folders of files: images, and beside each one its mask."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from zoo.data import pixels
from zoo.errors import ZooError, require


def load(images, masks, size=None, channels=None, values=None):
    """Reads images and masks whose files have the same name but for the ending.

    Args:
        images: folder of PNG and JPEG files. Other files, and names that begin with a dot, are left alone.
        masks: folder of PNG files of one number a pixel: grey, palette (the number is the place in the palette), or
            colour with three equal channels.
        size: `(height, width)` to bring all of them to (images bilinear and antialiased, masks nearest), or None.
        channels: 1 or 3; None takes 1 when all images are grey, 3 otherwise.
        values: the masks' pixel values in the order of the classes: value k of it is class k. None takes all the values
            that occur in the masks, sorted; there may be 256 of them.

    Returns:
        `(names, x, mask, values)`: the files' names without ending, in the order of the numbers in them (2 before 10);
        lists of uint8 arrays `(height, width, channels)` and `(height, width)`, the latter of classes; the value of
        each class.

    Raises:
        ZooError: no such folder, an empty one, an image without mask or a mask without image, an unreadable file, a
            mask of another size than its image, in a lossy format or in colours, an unknown value, a colour image where
            grey is asked for. The message names the file.
    """
    files, others = listed(images, "image"), listed(masks, "mask")
    for here, there, kind in ((files, others, "mask"), (others, files, "image")):
        alone = [path for stem, path in here.items() if stem not in there]
        if alone:
            folder = masks if kind == "mask" else images
            more = f", nor do {len(alone) - 1} more" if len(alone) > 1 else ""
            raise ZooError(
                f"{alone[0]} has no {kind} in {folder}{more}. An image and its mask have one name: "
                f"{Path(images) / '07.png'} and {Path(masks) / '07.png'}"
            )
    if values is not None:
        values = check_values(values)
    names = sorted(files, key=by_number)

    def read(name):
        return _pair(files[name], others[name], size, channels)

    # Decoding and resizing run outside Python's lock.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        pairs = list(pool.map(read, names))
    x, mask = zip(*pairs, strict=True)
    if len({image.shape[2] for image in x}) > 1:
        x = [pixels.conform(image, channels=3) for image in x]
    if values is None:
        values = distinct(mask, f"the masks in {masks}")
    return names, list(x), [classes(each, values, others[name]) for name, each in zip(names, mask, strict=True)], values


def listed(folder, kind):
    """The image files of a folder, or its PNG masks, by name without ending."""
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise ZooError(f"the folder of {kind}s {folder} does not exist")
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() not in pixels.SUFFIXES:
            continue
        if kind == "mask" and path.suffix.lower() != ".png":
            raise ZooError(
                f"{path} is a mask in JPEG, which is lossy: its pixels are no longer the classes that were saved. "
                "Save masks as PNG"
            )
        if path.stem in found:
            raise ZooError(f"{found[path.stem]} and {path} have one name: it is not clear which of them is meant")
        found[path.stem] = path
    if not found:
        endings = ".png" if kind == "mask" else ", ".join(pixels.SUFFIXES)
        raise ZooError(f"{folder} has no {kind}: there is no {endings} file in it")
    return found


def by_number(name):
    """What sorts names by the numbers in them: slice 2 before slice 10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _pair(path, other, size, channels):
    image, mask = pixels.read(path), _mask(other)
    if image.shape[:2] != mask.shape:
        here, there = ("{} x {}".format(*each.shape[:2]) for each in (mask, image))
        raise ZooError(
            f"{other} is {here} (height x width) and its image {path} is {there}. A mask has a number for each pixel "
            "of its image"
        )
    if channels == 1 and image.shape[2] == 3:
        if (image != image[..., :1]).any():
            raise ZooError(f"{path} is a colour image, and channels=1 asks for grey. channels=3 works, or None")
        image = image[..., :1]
    return pixels.conform(image, size, channels), resized(mask, size)


def resized(mask, size):
    """A mask of integers `(height, width)` brought to a size by taking nearest pixels; None keeps its own."""
    if size is None or mask.shape == tuple(size):
        return mask
    # The pixel in whose middle, or left and above of it, the new pixel's middle lies.
    rows, columns = ((2 * np.arange(new) + 1) * old // (2 * new) for new, old in zip(size, mask.shape, strict=True))
    return mask[rows[:, None], columns]


def _mask(path):
    from PIL import Image

    try:
        with Image.open(path) as image:
            mask = np.asarray(image)
            mode = image.mode
    except MemoryError:
        raise
    except Exception as error:  # A broken file makes PIL raise whatever its decoder stumbled over.
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
        raise ZooError(f"{path} cannot be read as an image ({reason})") from None
    if mode == "RGB" and (mask == mask[..., :1]).all():
        mask = mask[..., 0]
    if mask.ndim != 2:
        raise ZooError(
            f"{path} is a mask in colours (mode {mode}), and a mask has one number for each pixel. Save it as a grey "
            "or palette PNG whose values are the classes"
        )
    return mask.astype("int32")


def distinct(masks, where):
    """The values that masks have, sorted, at most 256.

    Args:
        masks: arrays of integers.
        where: what they are, for the message.

    Raises:
        ZooError: more than 256 values, or one only.
    """
    values = np.unique(np.concatenate([np.unique(each) for each in masks]))
    if not 2 <= len(values) <= 256:
        raise ZooError(
            f"{where} have {len(values)} different values, from {values[0]} to {values[-1]}, and there are 2 to 256 "
            "classes. A mask has one number for each class; values=(...) names them where some do not occur"
        )
    return tuple(map(int, values))


def check_values(values):
    """Returns `values` as a tuple of integers.

    Raises:
        ZooError: anything but 2 to 256 different whole numbers >= 0.
    """
    works = "a list of 2 to 256 different whole numbers >= 0: the masks' value of class 0, of class 1, ..."
    listed = isinstance(values, list | tuple | range | np.ndarray) and len(values)
    whole = listed and all(isinstance(value, int | np.integer) and value >= 0 for value in values)
    require(whole and 2 <= len(set(values)) == len(values) <= 256, "values", values, works)
    return tuple(map(int, values))


def classes(mask, values, path):
    """The classes, uint8, of a mask's values.

    Args:
        mask: integers `(height, width)`, or `(n, height, width)`.
        values: tuple, the value of each class.
        path: what it is, for the message.

    Raises:
        ZooError: an unknown value; the first one is told with its place.
    """
    order = np.argsort(values)
    ranked = np.asarray(values)[order]
    place = np.minimum(np.searchsorted(ranked, mask), len(values) - 1)
    wrong = ranked[place] != mask
    if wrong.any():
        first = tuple(np.argwhere(wrong)[0].tolist())
        there = ", ".join(
            f"{axis} {k}" for axis, k in zip(("image", "row", "column")[-mask.ndim :], first, strict=True)
        )
        found = ", ".join(map(str, np.unique(mask)[:10])) + (", ..." if len(np.unique(mask)) > 10 else "")
        raise ZooError(
            f"{path} has the value {mask[first]} at {there}, which is none of {values}, and so have {wrong.sum() - 1} "
            f"more pixels. Its values: {found}"
        )
    return order[place].astype("uint8")
