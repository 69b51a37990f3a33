"""A folder of class folders of image files."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from zoo.data import pixels
from zoo.errors import ZooError, choose

_PARTS = {"train": ("train",), "validation": ("validation", "valid", "val"), "test": ("test",)}


def load(root, size=None, channels=None, on_error="stop"):
    """Reads `root/CLASS/FILE`, or `root/train/CLASS/FILE` with `root/test/...` and `root/validation/...` beside it.

    Args:
        root: the folder. Files other than PNG and JPEG, and names that begin with a dot, are left alone.
        size: `(height, width)` to bring all images to, or None when they have one size.
        channels: 1 or 3; None takes 1 when all files are grey, 3 otherwise.
        on_error: what an unreadable image does: "stop" the run, or "skip" it; both name the file.

    Returns:
        `(parts, labels)`: parts maps "train" and, where there is a folder for it, "validation" and "test" to (x, y);
        labels are the names of the class folders, sorted.

    Raises:
        ZooError: no such folder, no class folders, one class only, an empty class, an unreadable image, images of
            different sizes.
    """
    choose("on_error", on_error, ("stop", "skip"))
    root = Path(root).expanduser()
    files, labels = listed(root)
    every = [
        (part, labels.index(name), path) for part in files for name in sorted(files[part]) for path in files[part][name]
    ]
    if size:
        pixels.check_memory(len(every), (*size, channels or 3), str(root), streaming=True)
    images = _read([path for *_, path in every], size, channels, on_error)
    kept = [(*what, image) for what, image in zip(every, images, strict=True) if image is not None]
    _check(root, kept, files, labels)
    mixed = len({image.shape[2] for *_, image in kept}) > 1
    parts = {}
    for part in files:
        mine = [(image, label) for where, label, _, image in kept if where == part]
        x = np.stack([pixels.conform(image, channels=3) if mixed else image for image, _ in mine])
        parts[part] = x, np.array([label for _, label in mine], "int32")
    return parts, labels


def listed(root):
    """The files of a folder of class folders, none of which is opened.

    Args:
        root: a `Path`.

    Returns:
        `(files, labels)`: files maps "train" and, where there is a folder for it, "validation" and "test" to a dict
        from class to its paths; labels are the names of the classes.

    Raises:
        ZooError: no such folder, no class folders, one class only, an empty class, or one that is not in "train".
    """
    files = {part: _files(place) for part, place in parts(root).items()}
    labels = tuple(sorted(files["train"]))
    if len(labels) < 2:
        raise ZooError(
            f"{root}: images of one class only ({labels[0]!r}). A classifier needs two or more class folders"
        )
    for part, classes in files.items():
        for name in classes:
            if name not in labels:
                raise ZooError(
                    f"{root}: class {name!r} of {part!r} has no folder in 'train', whose classes are {labels}"
                )
    return files, labels


def parts(root):
    """The folders of a set's parts: `root` alone is "train" where it has no folder of that name.

    Args:
        root: a `Path`.

    Returns:
        A dict from "train", and where there are such "validation" and "test", to paths.

    Raises:
        ZooError: no such folder.
    """
    if not root.is_dir():
        raise ZooError(f"there is no folder {root}")
    folders = {path.name: path for path in _visible(root) if path.is_dir()}
    if "train" not in folders:
        return {"train": root}
    found = {part: [folders[name] for name in names if name in folders] for part, names in _PARTS.items()}
    return {part: paths[0] for part, paths in found.items() if paths}


def _files(folder):
    classes = {path.name: path for path in _visible(folder) if path.is_dir()}
    if not classes:
        loose = any(path.suffix.lower() in pixels.SUFFIXES for path in _visible(folder))
        what = "has images, but no class folders: move them" if loose else "has no class folders. Put the images"
        raise ZooError(f"{folder} {what} into one folder for each class, as {folder / 'CLASS' / 'image.png'}")
    files = {
        name: [file for file in _visible(path) if file.suffix.lower() in pixels.SUFFIXES]
        for name, path in classes.items()
    }
    for name, paths in files.items():
        if not paths:
            raise ZooError(f"{classes[name]} is empty: it has no {', '.join(pixels.SUFFIXES)} file. Fill or remove it")
    return files


def _visible(folder):
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _read(paths, size, channels, on_error):
    def read(path):
        try:
            return pixels.read(path, size, channels)
        except ZooError as error:
            if on_error == "stop":
                raise ZooError(f"{error}. Remove it, or leave such files out with on_error='skip'") from None
            print(f"skipped: {error}")
            return None

    # Decoding and resizing run outside Python's lock.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(read, paths))


def _check(root, kept, files, labels):
    read = {(part, label) for part, label, *_ in kept}
    for part in files:
        for label, name in enumerate(labels):
            if name in files[part] and (part, label) not in read:
                raise ZooError(f"{root}: none of the images of class {name!r} in {part!r} can be read")
    _, _, first, image = kept[0]
    for _, _, path, other in kept:
        if other.shape[:2] != image.shape[:2]:
            sizes = ["{} x {}".format(*shape[:2]) for shape in (image.shape, other.shape)]
            raise ZooError(
                f"{root}: images of different sizes (height x width): {first} is {sizes[0]}, {path} is {sizes[1]}. "
                f"Bring all to one size with --size {min(image.shape[:2])}, or size=(height, width) in Python"
            )
