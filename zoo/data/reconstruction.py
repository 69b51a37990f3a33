"""Labelled images as the data of an autoencoder: an image in, the same image out."""

import dataclasses
import functools

import numpy as np

from zoo.data import ops, random
from zoo.errors import ZooError, suggest


def reconstruction(data, noise=None, left_out=None):
    """Makes data of which a model learns to give its input back.

    Args:
        data: a `zoo.Data` of raw images, as `zoo.data.images` gives it. Its augmentation stays: the target is the
            augmented image.
        noise: an operation of `zoo.data.noise`, or of `zoo.data.augment`, on the input alone: the target stays clean.
            In training each image gets other noise in each epoch; in validation and test it has the same always.
        left_out: name of a class that training and validation are to be without, so that the test part shows what the
            model makes of something it never saw.

    Returns:
        A `zoo.Data` with elements (x uint8 `(batch, height, width, channels)`, y float32 of the same shape, 0..1) and
        without labels; `statistics` has `classes`, their names, and `left_out`. The classes' numbers stay in the
        streams' second array; a third one holds the clean images of noisy parts.

    Raises:
        ZooError: data that are no images, an unknown class, or nothing left without it.

    Example:
        >>> data = reconstruction(zoo.data.images("digits", 32, seed=0))
        >>> x, y = data.train.batch(epoch=0, step=0)
        >>> bool(np.allclose(x / 255, y)), data.labels, len(data.statistics["classes"])
        (True, None, 10)
    """
    labels = data.labels or ()
    if data.train.arrays[0].dtype != np.uint8 or data.train.arrays[0].ndim != 4:
        raise ZooError(f"an autoencoder's data are images. Received inputs of shape {data.train.input_shape}")
    statistics = {**data.statistics, "classes": labels}
    if left_out is not None:
        left_out = str(left_out)
        if left_out not in labels:
            raise ZooError(
                f"the data have no class {left_out!r} to leave out.{suggest(left_out, labels)} "
                f"Their classes: {', '.join(labels)}"
            )
        statistics["left_out"] = left_out
    parts = {}
    for name, stream in data.parts.items():
        if left_out is not None and name != "test":
            stream = _without(stream, labels.index(left_out), name)
        if noise is not None:
            stream = stream.mixed(functools.partial(_noisy, noise)) if name == "train" else _fixed(stream, noise)
        parts[name] = stream.mapped(_element)
    return dataclasses.replace(data, **parts, labels=None, statistics=statistics)


def _without(stream, label, name):
    kept = stream.arrays[1] != label
    if not kept.any():
        raise ZooError(f"the {name} part has no image of another class than the one that is left out")
    return stream.replaced([array[kept] for array in stream.arrays])


def _noisy(noise, x, y, draws):
    return noise(x, draws), y, x


def _fixed(stream, noise):
    """A part whose noise was drawn once, as for an epoch before the first."""
    x, y = stream.arrays
    noisy = np.empty_like(x)
    for first in range(0, len(x), 512):
        index = np.arange(first, min(first + 512, len(x)))
        draws = functools.partial(_draws, stream.seed, index)
        noisy[index] = noise(x[index], draws)
    return stream.replaced([noisy, y, x])


def _draws(seed, index, count):
    return random.uniform(seed, 2**32 - 1, index[:, None], random.AUGMENT + np.arange(count))


def _element(x, y, clean=None):
    target = x if clean is None else clean
    return x, ops.of(x).cast(target, "float32") / np.float32(255)
