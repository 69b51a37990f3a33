"""Which sets can be streamed: folders of shards, folders of class folders, and sets of TensorFlow Datasets."""

import re
from pathlib import Path

import numpy as np

from zoo.data import folder, shards_index, tfds
from zoo.data.shards import StoredImages
from zoo.errors import ZooError

# As tensorflow-datasets names its files, and plainer.
_SHARD = re.compile(r".+\.tfrecords?(-\d+-of-\d+)?")
LABELS = "labels.txt"


def is_shards(root):
    """Whether a folder, or its part `train`, holds TFRecord files."""
    return any(_shards(place) for place in (Path(root), Path(root) / "train"))


def load(source, named, size=None, channels=None, **reading):
    """The images of a set as they lie on the disk, and their classes.

    Args:
        source: the path of a folder of shards or of class folders, or a name of TFDS.
        named: whether it is a name.
        size, channels, **reading: as `StoredImages` has them.

    Returns:
        `(parts, labels)`: parts maps "train" and, where there are such, "validation" and "test" to
        (`StoredImages`, y int32 `(n,)`); labels are the names of the classes.

    Raises:
        ZooError: no such folder or set, no images, images that cannot be read, a class out of range, images of
            different sizes without `size`.
    """
    root = Path(source).expanduser()
    if named:
        found, labels, decoder = *_tfds(source), "tensorflow"
    elif is_shards(root):
        found, labels, decoder = *_of_shards(root), "pillow"
    else:
        found, labels, decoder = *_of_files(root), "pillow"
    for part, records in found.items():
        if not len(records):
            raise ZooError(f"{source}: the {part} part is empty. Its shards hold no record")
    # One number for all parts, as for arrays.
    channels = channels or max(int(records.table["channels"].max()) for records in found.values())
    parts = {}
    for part, records in found.items():
        name = f"{source}, {part}"
        y = records.table["label"].astype("int32")
        wrong = np.flatnonzero(y >= len(labels))
        if len(wrong):
            raise ZooError(
                f"{records.named(wrong[0])} has the label {y[wrong[0]]}, and {len(labels)} classes have the labels 0 "
                f"to {len(labels) - 1}. {len(wrong)} of the {part} images have such"
            )
        parts[part] = StoredImages(records, size, channels, decoder=decoder, name=name, **reading), y
    return parts, labels


def _tfds(name):
    found, keys, shape, labels = tfds.shards(name)
    shape = None if None in shape else shape
    records = {part: shards_index.of_shards(paths, part, keys, shape, beside=False) for part, paths in found.items()}
    return records, labels


def _of_shards(root):
    found = {part: _shards(place) for part, place in folder.parts(root).items()}
    for part, paths in found.items():
        if not paths:
            raise ZooError(f"{root}: the folder of {part!r} holds no TFRecord files (NAME.tfrecord), and others do")
    records = {part: shards_index.of_shards(paths, part) for part, paths in found.items()}
    named = root / LABELS
    if named.is_file():
        return records, tuple(line.strip() for line in named.read_text(encoding="utf-8").splitlines() if line.strip())
    highest = max(int(each.table["label"].max(initial=0)) for each in records.values())
    return records, tuple(map(str, range(highest + 1)))


def _of_files(root):
    files, labels = folder.listed(root)
    records = {}
    for part, classes in files.items():
        listed = [(labels.index(name), path) for name in sorted(classes) for path in classes[name]]
        numbers, paths = zip(*listed, strict=True)
        records[part] = shards_index.of_files(paths, numbers, root, part)
    return records, labels


def _shards(place):
    if not place.is_dir():
        return []
    return sorted(path for path in place.iterdir() if _SHARD.fullmatch(path.name) and not path.name.startswith("."))
