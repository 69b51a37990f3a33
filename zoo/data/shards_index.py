"""Where each image of a set lies on the disk: found once by reading everything, and kept beside the set."""

import functools
import hashlib
import io
import math
import os
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from zoo.checkpoint import write_atomically
from zoo.data import pixels
from zoo.data.ops import has_tensorflow
from zoo.data.shards_records import RECORD, Records, named
from zoo.errors import ZooError

KEYS = ("image", "label")
# The version of the form of the index's file.
VERSION = 1
# A TFRecord: length and its CRC, 12 bytes; the record; its CRC, 4 bytes.
BEFORE, AROUND = 12, 16
READ = 8 * 2**20
# Sets whose reading is told of, in bytes, and how often, in seconds.
LARGE, OFTEN = 500 * 2**20, 10


def of_shards(paths, part, keys=KEYS, shape=None, beside=True):
    """The records of TFRecord files of `tf.train.Example`.

    All files are read once, to the last byte, and every record's checksum is looked at. What was found is kept in
    `.zoo-index-PART.npz` in the files' folder, or in the user's cache where that cannot be written; a file whose size
    or time of change is another is read again.

    Args:
        paths: the files, one or more.
        part: "train", "validation" or "test".
        keys: names of the features with the image and the class.
        shape: `(height, width, channels)` where all images are known to have it; None looks at each.
        beside: whether the index may lie in the files' folder, the first file's.

    Returns:
        `Records`.

    Raises:
        ZooError: a file that is cut short or has changed under way, a record that is no `Example` or lacks a feature,
            an image that cannot be read; each with the file and the record.
    """
    scan = functools.partial(_scan_shard, keys, shape)
    paths = [Path(path) for path in paths]
    return _indexed(paths, _places(paths[0].parent, part)[not beside :], f"{VERSION} shards {keys} {shape}", scan)


def of_files(paths, labels, home, part):
    """The records of image files, each an image of its own.

    Args:
        paths: the files.
        labels: integers, their classes.
        home: the folder that holds them all.
        part: as in `of_shards`.

    Returns:
        `Records`.

    Raises:
        ZooError: a file that cannot be read as an image.
    """
    found = _indexed([Path(path) for path in paths], _places(Path(home), part), f"{VERSION} files", _scan_file)
    found.table["label"] = labels
    return found


def _indexed(paths, places, form, scan):
    home = os.path.commonpath([path.parent for path in paths])
    states = [path.stat() for path in paths]
    marks = [
        f"{os.path.relpath(path, home)} {state.st_size} {state.st_mtime_ns}"
        for path, state in zip(paths, states, strict=True)
    ]
    known = _known(places, form)
    missing = [k for k, mark in enumerate(marks) if mark not in known]

    def scanned(k):
        known[marks[k]] = scan(paths[k])
        return states[k].st_size

    try:
        _told(scanned, missing, sum(states[k].st_size for k in missing), home)
    finally:
        # Also when one file is broken: the others need not be read again.
        if missing:
            _keep(home, places, form, {mark: known[mark] for mark in marks if mark in known})
    table = np.concatenate([known[mark] for mark in marks])
    table["shard"] = np.repeat(np.arange(len(paths)), [len(known[mark]) for mark in marks])
    return Records(paths, table)


def _told(scanned, missing, size, home):
    """Calls `scanned` for each file, in threads, and says how far it is where that takes long."""
    if size > LARGE:
        print(f"Reading {size / 2**30:.1f} GiB in {home} once, to know what is where.", flush=True)
    done, told = 0, time.monotonic()
    with ThreadPoolExecutor(max(2, min(8, os.cpu_count() or 2))) as pool:
        try:
            for read in pool.map(scanned, missing):
                done += read
                if size > LARGE and time.monotonic() - told > OFTEN:
                    print(f"  {done / size:.0%} read", flush=True)
                    told = time.monotonic()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _scan_file(path):
    content = path.read_bytes()
    shape = pixels.header(content, path)
    return np.array([(0, 0, 0, len(content), zlib.crc32(content), 0, *shape, False)], RECORD)


def _scan_shard(keys, shape, path):
    if not has_tensorflow():
        raise ZooError(
            f"{path} has no index yet. TensorFlow makes it, and is not installed here: open the set once where it is"
        )
    import tensorflow as tf

    rows, offset = [], 0
    try:
        for batch in tf.data.TFRecordDataset(str(path), buffer_size=READ).batch(64).as_numpy_iterator():
            for record in batch:
                rows.append(_row(path, len(rows), record, offset, keys, shape))
                offset += len(record) + AROUND
    except tf.errors.DataLossError:
        raise ZooError(_broken(path)) from None
    return np.array(rows, RECORD)


def _row(path, place, record, offset, keys, shape):
    from google.protobuf.message import DecodeError
    from tensorflow import train

    name = named(path, place, offset + BEFORE)
    try:
        features = train.Example.FromString(record).features.feature
    except DecodeError:
        raise ZooError(f"{name} is no tf.train.Example. {_FORM}") from None
    for key in keys:
        if key not in features:
            there = ", ".join(map(repr, sorted(features))) or "none"
            raise ZooError(f"{name} has no feature {key!r}; its features: {there}. {_FORM}")
    image, label = features[keys[0]].bytes_list.value, features[keys[1]].int64_list.value
    if len(image) != 1 or len(label) != 1 or not image[0] or not 0 <= label[0] < 2**31:
        what = f"{len(image)} byte strings as {keys[0]!r} and the integers {list(label)} as {keys[1]!r}"
        raise ZooError(f"{name} has {what}. {_FORM}")
    content = image[0]
    sides = tuple(features["shape"].int64_list.value) if "shape" in features else ()
    raw = len(sides) == 3 and sides[2] in (1, 3) and math.prod(sides) == len(content)
    if raw:
        shape = sides
    # The bytes stand in the record as they are. Their beginning is looked for: searching for all of them is slow.
    start = record.find(content[:64])
    while not record.startswith(content, start):
        start = record.find(content[:64], start + 1)
    shape = shape or pixels.header(content, name)
    return 0, place, offset + BEFORE + start, len(content), zlib.crc32(content), label[0], *shape, raw


_FORM = (
    "Shards hold one tf.train.Example a record: 'image', the bytes of a PNG or JPEG file or, beside 'shape' (height, "
    "width, channels), of the pixels, and 'label', one integer >= 0. zoo.data.write_shards makes such"
)


def _broken(path):
    """Which record of a file TensorFlow does not get past."""
    import tensorflow as tf

    place = 0
    try:
        for _ in tf.data.TFRecordDataset(str(path), buffer_size=READ):
            place += 1
    except tf.errors.DataLossError as error:
        why = "is cut short" if "truncated" in error.message else "is not what was written: its checksum differs"
        first = "" if place else ". If the file is no TFRecord file, or a compressed one, it cannot be read at all"
        return f"record {place} of {path} {why}. Make the file anew, or remove it{first}"
    return f"{path} changed while it was read"


def _places(home, part):
    """Where the index of a folder may lie: in it, or in the user's cache."""
    mark = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "keras-zoo"
    return home / f".zoo-index-{part}.npz", cache / f"{mark}-{part}.npz"


def _known(places, form):
    """The tables of files that were read before, by the files' marks."""
    for place in places:
        try:
            with np.load(place) as found:
                if str(found["form"]) == form and found["table"].dtype == RECORD:
                    parts = np.split(found["table"], np.cumsum(found["counts"])[:-1])
                    return dict(zip(found["marks"].tolist(), parts, strict=True))
        except Exception:  # No index, one of another version, half of one: all are made anew.
            continue
    return {}


def _keep(home, places, form, tables):
    file = io.BytesIO()
    counts = [len(table) for table in tables.values()]
    table = np.concatenate(list(tables.values()) or [np.empty(0, RECORD)])
    np.savez(file, form=form, marks=np.array(list(tables), str), counts=counts, table=table)
    for place in places:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(place, file.getvalue())
            return
        except OSError:
            continue
    print(f"The index of {home} could not be kept: the set will be read once at each start.")
