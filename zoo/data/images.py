"""`images`: every source of labelled images, brought to one form."""

import re
from pathlib import Path

import numpy as np

from zoo.data import digits, folder, pixels, tfds
from zoo.data.assemble import from_arrays
from zoo.errors import ZooError, choose, suggest


def images(
    source="digits",
    batch_size=64,
    *,
    size=None,
    channels=None,
    augment=(),
    validation=0.1,
    seed=None,
    on_error="stop",
    examples=None,
    classes=None,
):
    """Labelled images from a source, as training, validation and test streams.

    Args:
        source: one of
            - "digits": 1 797 real handwritten digits, 8 x 8, that scikit-learn carries; nothing is downloaded;
            - a name of TensorFlow Datasets, such as "mnist", "fashion_mnist", "cifar10", which works offline when the
              set is in the folder that TFDS_DATA_DIR names;
            - the path of a folder of class folders: `FOLDER/CLASS/IMAGE.png` (or .jpg), or `FOLDER/train/CLASS/...`
              with `test` and optionally `validation` beside `train`.
            A bare word that is both a name and a folder means the name; write `./word` for the folder.
        batch_size: examples a batch, >= 1.
        size: pixels, one number or (height, width), to resize to (bilinear, antialiased); None keeps what there is.
        channels: 1 (grey) or 3 (RGB); None keeps what there is.
        augment: an operation of `zoo.data.augment` or a sequence of them, for the training images.
        validation: share of the training images to validate on, 0 <= validation < 1, split by class and by `seed`. A
            source that brings its own validation part keeps that.
        seed: integer for split, order and augmentation; None takes the current seed.
        on_error: for folders, what an unreadable file does: "stop" or "skip"; both name it.
        examples: how many training images to keep, by class and by `seed`, to see what a model does with few; None
            keeps them all. Validation and test images stay as they are.
        classes: names of the classes to keep, two or more, in the order that their logits are to have; None keeps them
            all. They are chosen before anything is split.

    Returns:
        A `zoo.Data` with elements (x uint8 `(batch, height, width, channels)` of raw values 0..255, y int32 `(batch,)`)
        and the classes' names in `labels`. A source without a test part has a fifth set aside by a fixed seed.

    Raises:
        ZooError: an unknown source, a set that cannot be had, an empty folder, one class only, an unreadable image,
            images of different sizes without `size`, more `examples` than there are or fewer than classes, a class that
            the source does not have.

    Example:
        >>> data = zoo.data.images("digits", 32, seed=0)
        >>> data.train.size, data.validation.size, data.test.size, data.train.input_shape
        (1293, 144, 360, (8, 8, 1))
    """
    size = pixels.check_size(size)
    if channels is not None:
        choose("channels", channels, (1, 3))
    parts, labels = _load(str(source), size, channels, on_error)
    if classes is not None:
        parts, labels = _only(parts, labels, classes, source)
    return from_arrays(
        parts["train"],
        batch_size,
        validation=parts.get("validation", validation),
        test=parts.get("test"),
        labels=labels,
        augment=augment,
        seed=seed,
        examples=examples,
    )


def _load(source, size, channels, on_error):
    if source == "digits":
        parts, labels = digits.load()
        conformed = {
            part: (np.stack([pixels.conform(image, size, channels) for image in x]), y)
            for part, (x, y) in parts.items()
        }
        return conformed, labels
    if means_folder(source):
        return folder.load(Path(source).expanduser(), size, channels, on_error)
    return tfds.load(source, size, channels)


def means_folder(source):
    """Whether a source is a folder, there or missing, and not the name of a set.

    Args:
        source: a text. A bare word that is both a folder and a set's name means the set.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return not (re.fullmatch(r"\w+", source) and source in ("digits", *tfds.names()))
    return path.is_absolute() or source.startswith((".", "~"))


def _only(parts, labels, classes, source):
    """Some of the classes, numbered anew in the order of their names."""
    names = tuple(map(str, classes)) if isinstance(classes, list | tuple) else ()
    if len(names) < 2 or len(set(names)) < len(names):
        raise ZooError(f"classes must be a list of two or more different names. Received: classes={classes!r}")
    for name in names:
        if name not in labels:
            listed = ", ".join(map(repr, labels[:20])) + (", ..." if len(labels) > 20 else "")
            raise ZooError(f"{str(source)!r} has no class {name!r}.{suggest(name, labels)} Its classes: {listed}")
    new = np.full(len(labels), -1, "int32")
    new[[labels.index(name) for name in names]] = range(len(names))
    chosen = {part: (x[new[y] >= 0], new[y][new[y] >= 0]) for part, (x, y) in parts.items()}
    for part, (_, y) in chosen.items():
        if not len(y):
            raise ZooError(f"the {part} images of {str(source)!r} have none of the classes {', '.join(names)}")
    return chosen, names
