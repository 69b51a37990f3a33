"""`segmentation`: every source of images with masks, brought to one form."""

from pathlib import Path

import numpy as np

from zoo.data import canvas, mask_folder, pixels, tfds_masks
from zoo.data.assemble_masks import from_masks
from zoo.errors import ZooError, choose, require


def segmentation(
    source="digits_canvas",
    batch_size=16,
    *,
    size=None,
    channels=None,
    values=None,
    labels=None,
    validation=0.1,
    test=None,
    mix=(),
    weights=False,
    repeats=1,
    examples=None,
    seed=None,
):
    """Images with a class for each pixel, as training, validation and test streams.

    Args:
        source: one of
            - "digits_canvas": handwritten digits on a cluttered canvas, drawn by `zoo.data.canvas`: nothing is
              downloaded. The class of a pixel is the digit that it belongs to;
            - `(images, masks)`: two folders; an image and its mask have the same file name but for the ending, in the
              order of the numbers in them. Masks are PNG files of one number a pixel;
            - a name of TensorFlow Datasets, such as "oxford_iiit_pet".
        batch_size: examples a batch, >= 1.
        size: pixels, one number or (height, width), to resize to: images bilinear and antialiased, masks nearest. None
            keeps what there is; for "digits_canvas", 64.
        channels: 1 (grey) or 3 (RGB); None keeps what there is. Colour files of a folder are not turned grey silently.
        values: the masks' values in the order of the classes: (0, 255) makes 255 the class 1. None takes all values
            that the masks have, sorted, at most 256.
        labels: names of the classes, the background first where there is one; None takes the values.
        validation: share of the training images to validate on, 0 <= share < 1, by `seed`; or positions of images, such
            as `range(6, 9)`, in the order of their names. A source that brings its own validation part keeps that.
        test: positions of the images to test on; None takes the source's own test part, or a fifth by a fixed seed.
            Slices of a volume are held out as a block, for neighbours are nearly the same image.
        mix, weights, repeats, seed: as `zoo.data.from_masks` has them.
        examples: how many training images to keep (of "digits_canvas": to draw, 2000 when None), to see what a model
            does with few; validation and test stay as they are.

    Returns:
        A `zoo.Data` with elements (x uint8 `(batch, height, width, channels)` of raw values 0..255, mask int32
        `(batch, height', width')`), and float32 weights of the masks' shape when there are any.

    Raises:
        ZooError: an unknown source, a set that cannot be had, a folder that is empty or whose files do not belong
            together, masks with unknown values, images of different sizes without `size` and without a window in `mix`;
            the message names the file.

    Example:
        >>> data = zoo.data.segmentation("digits_canvas", 8, examples=20, seed=0)
        >>> data.train.size, data.train.input_shape, data.labels[:3]
        (20, (64, 64, 1), ('background', '0', '1'))
    """
    size = pixels.check_size(size)
    if channels is not None:
        choose("channels", channels, (1, 3))
    arguments = dict(mix=mix, weights=weights, repeats=repeats, seed=seed)
    if isinstance(source, tuple | list):
        require(len(source) == 2, "source", source, "a pair of folders, (images, masks), or the name of a set")
        names, x, mask, values = mask_folder.load(*source, size, channels, values)
        parts, files = {"train": (x, mask)}, [Path(source[0]) / name for name in names]
        if not any(getattr(op, "size", None) for op in ((mix,) if callable(mix) else mix)):
            _check_sizes(x, files)
    elif source == "digits_canvas":
        return _canvases(size, channels, values, labels, test, examples, batch_size, arguments)
    else:
        parts, values = tfds_masks.load(str(source), size, channels, values)
    labels = tuple(map(str, values)) if labels is None else tuple(map(str, labels))
    if len(labels) != len(values):
        raise ZooError(
            f"{len(labels)} labels for masks of {len(values)} values. The labels: {', '.join(labels)}. The values: "
            f"{', '.join(map(str, values[:20]))}{', ...' if len(values) > 20 else ''}. Give a label for each value, or "
            "the values that are meant with values=(...)"
        )
    if test is not None and "test" in parts:
        raise ZooError(f"{source!r} has a test part of its own: leave test out")
    validation, test = parts.get("validation", validation), parts.get("test", test)
    arguments.update(validation=validation, test=test, labels=labels, examples=examples)
    return from_masks(parts["train"], batch_size, **arguments)


def _canvases(size, channels, values, labels, test, examples, batch_size, arguments):
    for name, value in (("values", values), ("labels", labels), ("test", test)):
        require(value is None, name, value, "None for digits_canvas, which brings its own")
    height, width = size or (64, 64)
    require(height == width, "size", size, "one number for digits_canvas: a canvas is square")
    parts, labels = canvas.load(2000 if examples is None else examples, height)
    if channels == 3:
        parts = {name: (np.repeat(x, 3, axis=3), mask) for name, (x, mask) in parts.items()}
    given = {name: parts[name] for name in ("validation", "test")}
    return from_masks(parts["train"], batch_size, **given, labels=labels, **arguments)


def _check_sizes(images, files):
    for image, file in zip(images, files, strict=True):
        if image.shape[:2] != images[0].shape[:2]:
            one, other = ("{} x {}".format(*each.shape[:2]) for each in (images[0], image))
            raise ZooError(
                f"images of different sizes (height x width): {files[0]} is {one}, {file} is {other}. Bring all to one "
                f"size with --size {min(images[0].shape[:2])}, or size=(height, width) in Python; or train on windows "
                "of them as they are, with mix=zoo.data.paired.crop(128)"
            )
