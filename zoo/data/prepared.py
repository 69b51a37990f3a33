"""Sets that TensorFlow Datasets has prepared, read from their files where TensorFlow is not installed.

The same examples in the same order, so that a run is the same on both. The files are TFRecords: each record a length of
8 bytes and its checksum of 4, the bytes of a protocol buffer `tf.train.Example`, and their checksum.
"""

import io
import itertools
import json
import os
import re
import struct
from pathlib import Path

import numpy as np

from zoo.data import pixels
from zoo.errors import ZooError, suggest

# How TensorFlow Datasets mixes the files of a part: so many are open, and give so many examples in turn.
OPEN, BLOCK = 16, 16


def root():
    """The folder of the prepared sets: that of TFDS_DATA_DIR, or `~/tensorflow_datasets`."""
    return Path(os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()


def names():
    """The names of the sets that are prepared, sorted."""
    return sorted(path.name for path in root().glob("*") if next(path.rglob("features.json"), None))


def images(name, size=None, channels=None):
    """The parts of an image classification set and its classes, as `zoo.data.tfds.load` gives them.

    Images in PNG have the bytes that TensorFlow reads, too. Those in JPEG differ by up to 5 of 255, and so such a set
    has another fingerprint: TensorFlow decodes them by a faster approximation.
    """
    found = Prepared(name)
    image, label = found.supervised
    if (found.kind(image), found.kind(label)) != ("Image", "ClassLabel"):
        raise ZooError(
            f"{name!r} is no image classification set: that has one image and one class label in each example. Its "
            f"features: {', '.join(sorted(found.features))}"
        )
    dimensions = found.features[image]["image"].get("shape", {}).get("dimensions", [])
    sides, own = [int(side) for side in dimensions[:2]], int((dimensions or [0])[-1])
    if size is None and (len(sides) < 2 or -1 in sides):
        raise ZooError(
            f"the images of {name!r} have different sizes. Give the size to bring them to, such as --size 64"
        )
    shape = (*(size or sides), channels or (own if own in (1, 3) else 3))
    parts = {}
    for part in found.parts:
        pixels.check_memory(found.count(part), shape, name)
        x, y = np.empty((found.count(part), *shape), "uint8"), np.empty(found.count(part), "int32")
        for number, example in enumerate(found.examples(part)):
            x[number] = pixels.read(io.BytesIO(example[image][0]), shape[:2], shape[2])
            y[number] = example[label][0]
        parts[part] = x, y
    return parts, found.classes(label)


class Prepared:
    """A set in its folder.

    Args:
        name: a name of TensorFlow Datasets, also with configuration or version: "mnist", "imagenette/160px-v2",
            "mnist:3.0.1". Without one the newest version there is taken.

    Attributes:
        name: as given.
        features: dict from a feature's name to what `features.json` says of it.
        parts: which of "train", "validation" and "test" it has, in this order.

    Raises:
        ZooError: there is no such set, it has no "train", or its files are not TFRecords.
    """

    def __init__(self, name):
        self.name = name
        self._folder = _folder(name)
        said = json.loads((self._folder / "features.json").read_text(encoding="utf-8"))
        self.features = said.get("featuresDict", {}).get("features", {})
        self._info = json.loads((self._folder / "dataset_info.json").read_text(encoding="utf-8"))
        self._splits = {split["name"]: split for split in self._info["splits"]}
        self.parts = [part for part in ("train", "validation", "test") if part in self._splits]
        kind = self._info.get("fileFormat", "tfrecord")
        if "train" not in self.parts or kind != "tfrecord":
            raise ZooError(
                f"without TensorFlow a set is read that has a split 'train' in the format tfrecord. {name!r} has "
                f"{', '.join(sorted(self._splits))} in the format {kind}"
            )

    @property
    def supervised(self):
        """The names of the features that are input and target; the first of each kind where the set names none."""
        items = self._info.get("supervisedKeys", {}).get("tuple", {}).get("items", [])
        keys = [item.get("featureKey") for item in items]
        if len(keys) == 2 and set(keys) <= set(self.features):
            return keys
        return [
            next((key for key in self.features if self.kind(key) == kind), None) for kind in ("Image", "ClassLabel")
        ]

    def kind(self, feature):
        """The kind of a feature: "Image", "ClassLabel", "Text" and so on; None of what is no feature."""
        return self.features.get(feature, {}).get("pythonClassName", "").rpartition(".")[2] or None

    def only(self, *kinds):
        """The features of some kinds, if there is one of each and no more.

        Raises:
            ZooError: there is not.
        """
        found = [[key for key in self.features if self.kind(key) == kind] for kind in kinds]
        if any(len(keys) != 1 for keys in found):
            raise ZooError(
                f"{self.name!r} has not one {' and one '.join(kinds)} in each example. Its features: "
                f"{', '.join(sorted(self.features))}"
            )
        return [key for (key,) in found]

    def classes(self, feature):
        """The names of the classes of a label."""
        path = self._folder / f"{feature}.labels.txt"
        if path.is_file():
            return tuple(path.read_text(encoding="utf-8").splitlines())
        return tuple(map(str, range(int(self.features[feature]["classLabel"]["numClasses"]))))

    def count(self, part):
        """How many examples a part has."""
        return sum(map(int, self._splits[part]["shardLengths"]))

    def examples(self, part):
        """The examples of a part, in the order in which TensorFlow Datasets gives them.

        Yields:
            A dict from a feature's name to a list of bytes, or of numbers.

        Raises:
            ZooError: a file that is not there, or that ends in the middle of a record.
        """
        lengths = [int(length) for length in self._splits[part]["shardLengths"]]
        stem = f"{self._info['name']}-{part}.tfrecord"
        paths = [self._folder / f"{stem}-{k:05}-of-{len(lengths):05}" for k, length in enumerate(lengths) if length]
        for number, record in enumerate(_interleaved([_records(path) for path in paths])):
            try:
                yield _example(record)
            except (IndexError, KeyError, ValueError, struct.error):
                raise ZooError(f"record {number} of {self._folder / stem}* is damaged. Copy the set anew") from None


def _folder(name):
    """The newest folder with the files of a set."""
    base, *config = name.partition(":")[0].split("/")
    version = name.partition(":")[2] or "*"
    if config and re.fullmatch(r"\d+\.\d+\.\d+", config[-1]):
        version = config.pop()
    home = root().joinpath(base, *config)
    found = [path.parent for path in home.glob(f"{version}/features.json")] if re.fullmatch(r"\w+", base) else []
    if not found:
        forms = {str(path.parent.parent.relative_to(root())) for path in root().glob(f"{base}/**/features.json")}
        there = ", ".join(sorted(forms) or names()) or "nothing"
        raise ZooError(
            f"the data set {name!r} is not in {root().absolute()}, where there is: {there}.{suggest(name, names())} "
            "TensorFlow is not installed here, and it takes TensorFlow to download and prepare one: do so where it is, "
            "copy the folder, and set TFDS_DATA_DIR to the folder that holds it. The images 'digits', the text 'pydoc' "
            "and folders of files need no download"
        )
    return max(found, key=lambda path: [int(part) for part in re.findall(r"\d+", path.name)])


def _records(path):
    """The records of a TFRecord file."""
    try:
        with path.open("rb") as file:
            while head := file.read(12):
                size = struct.unpack("<Q", head[:8])[0] if len(head) == 12 else -1
                record = file.read(size) if 0 <= size <= path.stat().st_size else b""
                if len(record) != size or len(file.read(4)) != 4:
                    raise ZooError(f"{path} ends in the middle of a record. Copy it anew")
                yield record
    except OSError as error:
        raise ZooError(f"{path} cannot be read ({error.strerror}). Copy the set anew") from None


def _interleaved(streams):
    """Elements of iterators in the order of `tf.data.Dataset.interleave`."""
    waiting, slots = iter(streams), [None] * OPEN
    while True:
        idle = True
        for place in range(OPEN):
            slots[place] = slots[place] or next(waiting, None)
            if slots[place] is None:
                continue
            idle = False
            block = list(itertools.islice(slots[place], BLOCK))
            yield from block
            if len(block) < BLOCK:
                slots[place] = None
        if idle:
            return


def _example(record):
    """The features of a serialised `tf.train.Example`."""
    entries = (dict(_fields(entry)) for _, features in _fields(record) for _, entry in _fields(features))
    held = {entry[1].decode(): _fields(entry[2]) for entry in entries}
    return {name: [each for kind, part in found for each in _values(kind, part)] for name, found in held.items()}


def _values(kind, held):
    """The values of a list of bytes (1), of float32 numbers (2), or of whole numbers (3)."""
    for _, value in _fields(held):
        if kind == 1:
            yield value
        elif kind == 2:
            yield from struct.unpack(f"<{len(value) // 4}f", value)
        else:
            yield from _integers(value) if isinstance(value, bytes) else [value]


def _fields(message):
    """The fields of a protocol buffer: pairs of a number and bytes, or a whole number."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == 0:
            value, place = _varint(message, place)
        else:
            size, place = {1: (8, place), 5: (4, place)}.get(kind) or _varint(message, place)
            value, place = message[place : place + size], place + size
        yield key >> 3, value


def _integers(packed):
    place = 0
    while place < len(packed):
        value, place = _varint(packed, place)
        yield value - (value >> 63 << 64)


def _varint(message, place):
    value, shift = 0, 0
    while True:
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
