"""The image classification sets of TensorFlow Datasets, by name; offline when they are prepared."""

import contextlib
import functools
import os

import numpy as np

from zoo.data import pixels, prepared
from zoo.data.ops import has_tensorflow
from zoo.errors import ZooError, suggest


def names():
    """The names of all sets of TensorFlow Datasets, sorted; looked up without the network.

    Where TensorFlow is not installed, those that are prepared.
    """
    if not has_tensorflow():
        return prepared.names()
    import tensorflow_datasets as tfds

    return sorted(tfds.list_builders(with_community_datasets=False))


def load(name, size=None, channels=None):
    """Loads an image classification set, downloading and preparing it when it is not there.

    It is looked for in the folder that the environment variable TFDS_DATA_DIR names, or in ~/tensorflow_datasets.
    Nothing touches the network when it is there. Where TensorFlow is not installed, `zoo.data.prepared` reads it, and
    nothing is downloaded. MNIST takes 3 to 4 s on 2 cores; asked for again, as for the next seed
    of a study, the set that was loaded last is still in memory.

    Args:
        name: a name of TFDS, such as "mnist", also with configuration or version ("imagenette/160px-v2").
        size: `(height, width)` to bring all images to, or None when they have one size.
        channels: 1 or 3; None takes the set's own.

    Returns:
        `(parts, labels)`: parts maps "train" and, where the set has them, "validation" and "test" to
        (x uint8 `(n, height, width, channels)`, y int32 `(n,)`), which cannot be written to; labels are the names of
        the classes.

    Raises:
        ZooError: an unknown name, a set that is neither there nor reachable, one without one uint8 image and one class
            label for each example, or images of different sizes without `size`.
    """
    parts, labels = _load(name, size, channels, os.path.abspath(os.environ.get("TFDS_DATA_DIR", "")))
    return dict(parts), labels


@functools.lru_cache(maxsize=1)
def _load(name, size, channels, where):
    # `where` is looked up further down again; here it keeps the sets of two folders apart.
    if has_tensorflow():
        parts, labels = read_set(name, functools.partial(_read, size, channels, name))
    else:
        parts, labels = prepared.images(name, size, channels)
    for array in (array for pair in parts.values() for array in pair):
        array.flags.writeable = False
    return parts, labels


def read_set(name, read):
    """What a function reads from a set, which is downloaded and prepared before when it is not there.

    Args:
        name: a name of TFDS, also with configuration or version.
        read: `read(builder)`, which may be called twice.

    Returns:
        What `read` returns.

    Raises:
        ZooError: an unknown name, or a set that is neither there nor reachable; and what `read` raises.
    """
    with _quiet():
        builder = _builder(name)
        try:
            return read(builder)
        except AssertionError:  # What `as_dataset` raises for a set that is not there. Mocked ones are never prepared.
            if builder.is_prepared():
                raise
            _prepare(builder, name)
            return read(builder)


def shards(name):
    """Where the files of an image classification set lie; downloads and prepares it when it is not there.

    Args:
        name: as in `load`.

    Returns:
        `(files, keys, shape, labels)`: files maps "train" and, where the set has them, "validation" and "test" to paths
        of TFRecord files; the names of the features with the image and the class; the image's shape, None where sides
        differ; the names of the classes.

    Raises:
        ZooError: as `load`; or the set is kept in files of another kind; or TensorFlow is not installed.
    """
    if not has_tensorflow():
        raise ZooError(
            f"to stream {name!r}, a set of TensorFlow Datasets, takes TensorFlow, which is not installed here. Folders "
            "of images, and of shards that have an index, are streamed without it"
        )
    with _quiet():
        builder = _builder(name)
        keys = _keys(builder, name)
        if not builder.is_prepared():
            _prepare(builder, name)
        form = builder.info.file_format
        if form.value != "tfrecord":
            raise ZooError(f"{name!r} is kept as {form.value} files, and streaming reads tfrecord files")
        files = {part: builder.info.splits[part].filepaths for part in splits(builder, name)}
    features = builder.info.features
    return files, keys, tuple(features[keys[0]].shape), tuple(features[keys[1]].names)


def splits(builder, name):
    """Which of "train", "validation" and "test" a set has, in this order.

    Raises:
        ZooError: it has no "train".
    """
    # A mocked set does not know its splits and has any.
    there = set(builder.info.splits) or {"train", "test"}
    if "train" not in there:
        raise ZooError(f"{name!r} has no split 'train', only {', '.join(sorted(there))}")
    return [split for split in ("train", "validation", "test") if split in there]


def _builder(name):
    if not has_tensorflow():
        raise ZooError(
            f"{name!r} is read by tensorflow-datasets, which needs TensorFlow, and that is not installed. Without it "
            "sets of labelled images or of texts are read whole, where they are prepared"
        )
    import tensorflow_datasets as tfds

    # The variable is asked for now: TFDS itself reads it once, when it is imported.
    where = os.environ.get("TFDS_DATA_DIR") or None
    try:
        return tfds.builder(name, data_dir=where, try_gcs=False)
    except (tfds.core.registered.DatasetNotFoundError, AssertionError, ValueError, RuntimeError):
        known = names()
        base = name.split("/")[0].split(":")[0]
        if base not in known:
            raise ZooError(
                f"there is no data set named {name!r}.{suggest(name, [*known, 'digits'])} Images come from 'digits', "
                f"the {len(known)} sets of TensorFlow Datasets by name, or a folder of class folders by its path"
            ) from None
    found = tfds.builder_cls(base)
    forms = [f"{base}/{config}" for config in found.builder_configs] or [f"{base}:{found.VERSION}"]
    listed = ", ".join(forms[:8] + ["..."] * (len(forms) > 8))
    raise ZooError(f"TensorFlow Datasets has {base!r}, but not as {name!r}.{suggest(name, forms)} There is: {listed}")


def _keys(builder, name):
    import tensorflow_datasets as tfds

    features = builder.info.features
    keys = builder.info.supervised_keys
    if isinstance(keys, tuple) and len(keys) == 2 and all(key in features for key in keys):
        image, label = (features[key] for key in keys)
        fits = isinstance(image, tfds.features.Image) and isinstance(label, tfds.features.ClassLabel)
        if fits and image.np_dtype == np.uint8 and image.shape[-1] in (1, 3):
            return keys
    raise ZooError(
        f"{name!r} is no image classification set: that has one image (1 or 3 channels of 8 bits) and one class label "
        f"in each example. Its features: {', '.join(sorted(features))}"
    )


def _read(size, channels, name, builder):
    image, label = _keys(builder, name)
    parts = {split: _read_split(builder, split, image, label, size, channels, name) for split in splits(builder, name)}
    return parts, tuple(builder.info.features[label].names)


def _read_split(builder, split, image, label, size, channels, name):
    import tensorflow as tf

    shape = builder.info.features[image].shape
    if None in shape and size is None:
        raise ZooError(
            f"the images of {name!r} have different sizes. Give the size to bring them to, such as --size 64"
        )
    wanted = (*(size or shape[:2]), channels or shape[2])

    def conformed(image):
        return pixels.conform(image, wanted[:2], wanted[2])

    if split in builder.info.splits:
        pixels.check_memory(builder.info.splits[split].num_examples, wanted, name, streaming=True)
    examples = builder.as_dataset(split=split, as_supervised=True)
    if None in shape:
        # In the pipeline, so that only a few of the originals are in memory at a time.
        examples = examples.map(
            lambda image, label: (tf.numpy_function(conformed, [image], tf.uint8), label), tf.data.AUTOTUNE
        )
    batches = examples.batch(256).prefetch(tf.data.AUTOTUNE).as_numpy_iterator()
    x, y = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    if x.shape[1:] != wanted:
        x = np.stack([conformed(image) for image in x])
    return x, y.astype("int32")


def _prepare(builder, name):
    import requests
    import tensorflow_datasets as tfds

    where = os.path.abspath(str(builder.data_dir_root))
    print(f"{name} is not in {where}: downloading and preparing it there, once.")
    try:
        # One quick question first: TFDS asks an unreachable server for over three minutes before it gives up.
        for url in list(builder.url_infos or ())[:1]:
            if url.startswith("http"):
                requests.head(url, timeout=20)
        builder.download_and_prepare(download_config=tfds.download.DownloadConfig(try_download_gcs=False))
    except Exception as error:  # No network, a moved file, a wrong checksum, a full disk: all end the same way here.
        reason = f"{type(error).__name__}: {(str(error).strip() or 'no reason given').splitlines()[0]}"
        command = f"python -c \"import tensorflow_datasets as tfds; tfds.load('{name}')\""
        raise ZooError(
            f"the data set {name!r} is neither in {where} nor could it be downloaded ({reason}). Where there is a "
            f"network, prepare it with `{command}`, copy the folder ~/tensorflow_datasets/{builder.name} here, and set "
            "TFDS_DATA_DIR to the folder that holds it. The images 'digits' and the text 'pydoc' need no download"
        ) from None


@contextlib.contextmanager
def _quiet():
    # TFDS warns of each folder that it looks into in vain.
    from absl import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)
