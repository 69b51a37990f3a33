"""`images`: every source of labelled images, brought to one form."""

import re
from pathlib import Path

import numpy as np

from zoo.data import digits, folder, pixels, shards_sources, tfds
from zoo.data.assemble import from_arrays
from zoo.data.shards import BUFFER, only
from zoo.errors import ZooError, choose, require, suggest


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
    streaming=False,
    shuffle_buffer=BUFFER,
    cache=None,
):
    """Labelled images from a source, as training, validation and test streams.

    Args:
        source: one of
            - "digits": 1 797 real handwritten digits, 8 x 8, that scikit-learn carries; nothing is downloaded;
            - a name of TensorFlow Datasets, such as "mnist", "fashion_mnist", "cifar10", which works offline when the
              set is in the folder that TFDS_DATA_DIR names;
            - the path of a folder of class folders: `FOLDER/CLASS/IMAGE.png` (or .jpg), or `FOLDER/train/CLASS/...`
              with `test` and optionally `validation` beside `train`;
            - the path of a folder of TFRecord files (NAME.tfrecord or NAME.tfrecord-00000-of-00008), or one with such
              folders `train`, `test` and `validation`, as `zoo.data.write_shards` makes them.
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
        streaming: whether the images stay on the disk and are read as they are needed, for sets larger than memory; see
            below.
        shuffle_buffer: with streaming, images among which the order is mixed, >= 1.
        cache: with streaming, None decodes an image each time it is needed; "memory" keeps decoded images in memory;
            the path of a folder keeps them in a file there, for the next run too.

    Streaming reads the files of the set once, the first time, and keeps an index of 36 bytes an image: where it lies, a
    checksum and its class. So splits, `examples`, `classes` and checks of labels are those of memory, and so are the
    pixels, to the byte. What differs is the order of an epoch, which is a function of seed and epoch here too: shards
    at random, 16 of them interleaved, mixed by the buffer. It is known without reading: going on from any step costs
    nothing. Reading jumps about within those shards, as far as the buffer goes: disks that seek slowly want a small
    one, or a cache. Pictures and measures that compare all images with each other need them in memory, and say so.

    Returns:
        A `zoo.Data` with elements (x uint8 `(batch, height, width, channels)` of raw values 0..255, y int32 `(batch,)`)
        and the classes' names in `labels`. A source without a test part has a fifth set aside by a fixed seed.

    Raises:
        ZooError: an unknown source, a set that cannot be had, an empty folder, one class only, an unreadable image,
            images of different sizes without `size`, more `examples` than there are or fewer than classes, a class that
            the source does not have. With streaming also a file that is cut short or has changed, a record that is no
            labelled image, and a cache that does not fit; each is named.

    Example:
        >>> data = zoo.data.images("digits", 32, seed=0)
        >>> data.train.size, data.validation.size, data.test.size, data.train.input_shape
        (1293, 144, 360, (8, 8, 1))
    """
    size = pixels.check_size(size)
    if channels is not None:
        choose("channels", channels, (1, 3))
    if streaming:
        require(str(source) != "digits", "streaming", streaming, "False for 'digits', which are in memory already")
        require(on_error == "stop", "on_error", on_error, "'stop' with streaming")
        reading = dict(buffer=shuffle_buffer, cache=cache)
        parts, labels = shards_sources.load(source, not means_folder(str(source)), size, channels, **reading)
    else:
        require(cache is None, "cache", cache, "None without streaming: all images are in memory")
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
        root = Path(source).expanduser()
        if not shards_sources.is_shards(root):
            return folder.load(root, size, channels, on_error)
        stored, labels = shards_sources.load(root, False, size, channels)
        for x, _ in stored.values():
            pixels.check_memory(len(x), x.shape[1:], source, streaming=True)
        return {part: (np.asarray(x), y) for part, (x, y) in stored.items()}, labels
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
    chosen = {part: (only(x, new[y] >= 0), new[y][new[y] >= 0]) for part, (x, y) in parts.items()}
    for part, (_, y) in chosen.items():
        if not len(y):
            raise ZooError(f"the {part} images of {str(source)!r} have none of the classes {', '.join(names)}")
    return chosen, names
