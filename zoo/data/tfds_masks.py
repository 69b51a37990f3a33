"""The segmentation sets of TensorFlow Datasets, by name; offline when they are prepared."""

import functools
import os
import re

import numpy as np

from zoo.data import mask_folder, pixels, tfds
from zoo.errors import ZooError


def load(name, size=None, channels=None, values=None):
    """Loads a segmentation set, downloading and preparing it when it is not there: see `zoo.data.tfds`.

    Args:
        name: a name of TFDS, such as "oxford_iiit_pet", also with configuration or version.
        size: `(height, width)` to bring images (bilinear, antialiased) and masks (nearest) to, or None when all have
            one size.
        channels: 1 or 3; None takes the set's own.
        values: as in `zoo.data.mask_folder.load`.

    Returns:
        `(parts, values)`: parts maps "train" and, where the set has them, "validation" and "test" to (x uint8
        `(n, height, width, channels)`, mask uint8 `(n, height, width)` of classes); the mask's value of each class.

    Raises:
        ZooError: an unknown name, a set that is neither there nor reachable, one without one image and one mask for
            each example, images of different sizes without `size`, or masks with an unknown value.
    """
    found = _load(name, size, channels, os.path.abspath(os.environ.get("TFDS_DATA_DIR", "")))
    if values is None:
        values = mask_folder.distinct([mask for _, mask in found.values()], f"the masks of {name!r}")
    values = mask_folder.check_values(values)
    return {
        part: (x, mask_folder.classes(mask, values, f"the {part} part of {name!r}"))
        for part, (x, mask) in found.items()
    }, values


@functools.lru_cache(maxsize=1)
def _load(name, size, channels, where):
    # `where` is looked up further down again; here it keeps the sets of two folders apart.
    parts = tfds.read_set(name, functools.partial(_read, name, size, channels))
    for array in (array for pair in parts.values() for array in pair):
        array.flags.writeable = False
    return parts


def _read(name, size, channels, builder):
    image, mask = _keys(builder, name)
    shape = builder.info.features[image].shape
    if size is None and None in (*shape, *builder.info.features[mask].shape):
        raise ZooError(
            f"the images of {name!r} have different sizes. Give the size to bring them to, such as --size 128"
        )
    wanted = (*(size or shape[:2]), channels or shape[2])
    return {split: _read_split(builder, split, image, mask, wanted, name) for split in tfds.splits(builder, name)}


def _keys(builder, name):
    import tensorflow_datasets as tensorflow_sets

    features = builder.info.features
    images = {
        key: feature.shape[-1]
        for key, feature in features.items()
        if isinstance(feature, tensorflow_sets.features.Image) and feature.np_dtype == np.uint8
    }
    masks = [key for key, count in images.items() if count == 1 and re.search("mask|segment|annotation|label", key)]
    others = [key for key, count in images.items() if key not in masks and count in (1, 3)]
    if len(masks) == len(others) == 1:
        return others[0], masks[0]
    raise ZooError(
        f"{name!r} is no segmentation set: that has one image (1 or 3 channels of 8 bits) and one mask (1 channel of 8 "
        f"bits) in each example. Its features: {', '.join(sorted(features))}"
    )


def _read_split(builder, split, image, mask, wanted, name):
    import tensorflow as tf

    if split in builder.info.splits:
        pixels.check_memory(builder.info.splits[split].num_examples, (*wanted[:2], wanted[2] + 1), name)

    def conformed(x, y):
        return pixels.conform(x, wanted[:2], wanted[2]), mask_folder.resized(y[..., 0], wanted[:2])

    # In the pipeline, so that only a few of the originals are in memory at a time.
    examples = builder.as_dataset(split=split).map(
        lambda example: tf.numpy_function(conformed, [example[image], example[mask]], [tf.uint8, tf.uint8]),
        tf.data.AUTOTUNE,
    )
    batches = examples.batch(256).prefetch(tf.data.AUTOTUNE).as_numpy_iterator()
    x, y = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    return x, y
