"""`write_shards`: labelled images as TFRecord files, to stream them."""

import functools
import io
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from zoo._staging import staged
from zoo.data import random, shards_sources
from zoo.data.assemble import check_labels
from zoo.data.shards import as_array
from zoo.errors import ZooError, choose, require
from zoo.recipe import Data

FORMATS = ("png", "jpeg", "raw")
# Images that are encoded at once, and seconds between two lines of progress.
CHUNK, OFTEN = 256, 10


def write_shards(source, folder, shards=16, *, format="png", quality=95, labels=None, seed=0, overwrite=False):
    """Writes labelled images into TFRecord files, which `images(folder, streaming=True)` reads.

    A record is a `tf.train.Example` with the features `image`, the bytes of one PNG or JPEG file, and `label`, one
    integer. With format="raw" `image` holds the pixels, and `shape` their height, width and channels. The images are
    spread over the files at random: sets that are sorted by class could not be mixed while they are streamed. The files
    are in their place when all are written, or not at all.

    Args:
        source: what to write:
            - a pair `(x, y)`: x uint8 `(n, height, width, channels)`, an array or `zoo.data.shards.StoredImages`, y
              integers `(n,)`;
            - a `zoo.data.Stream` of such a pair, its examples as they are stored;
            - a `zoo.Data`: its parts go into folders `train`, `validation` and `test`. With
              `images("path", streaming=True, size=224)` image files become shards without ever being in memory.
        folder: where the files go; it is made.
        shards: number of files of each part, >= 1. Of some 100 MB each, reading is fast; 16 of them are read at a time.
        format: "png" keeps every pixel; "jpeg" is smaller, and is not exact; "raw" is larger, and needs no decoding.
        quality: of JPEG, 1..100.
        labels: the classes' names, written to `labels.txt`; None takes those of a `Data`, and otherwise writes none.
        seed: integer, of the order in which the images are spread.
        overwrite: whether a folder of shards that is there already is replaced.

    Returns:
        The folder, a `pathlib.Path`.

    Raises:
        ZooError: something else than labelled images, a folder that holds something, a number out of range.

    Example:
        >>> data = zoo.data.images("digits", 32, seed=0)
        >>> folder = write_shards(data, "digits-shards", shards=4)
        >>> zoo.data.images(str(folder.resolve()), 32, streaming=True).test.size
        360
    """
    choose("format", format, FORMATS)
    require(isinstance(shards, int) and shards >= 1, "shards", shards, "a whole number >= 1")
    require(isinstance(quality, int) and 1 <= quality <= 100, "quality", quality, "a whole number, 1 to 100")
    folder = Path(folder).expanduser()
    _check_free(folder, overwrite)
    if isinstance(source, Data):
        labels = labels or source.labels
        pairs = {f"{part}/": _pair(stream) for part, stream in source.parts.items()}
    else:
        pairs = {"": _pair(source)}
    names = None if labels is None else tuple(map(str, labels))
    for part, (x, y) in pairs.items():
        require(shards <= len(x), "shards", shards, f"at most {len(x)}, the number of images")
        if names:
            check_labels(y, names, part.strip("/") or "given")
    total = sum(len(x) for x, _ in pairs.values())
    tell = _Progress(total, folder)
    with staged([folder]) as scratch:
        for part, (x, y) in pairs.items():
            (scratch / folder.name / part).mkdir(parents=True)
            path = f"{scratch / folder.name / part}/{part.strip('/') or 'images'}.tfrecord"
            _write(x, y, path, shards, functools.partial(_encoded, format, quality), seed, tell)
        if names:
            text = "".join(f"{name}\n" for name in names)
            (scratch / folder.name / shards_sources.LABELS).write_text(text, encoding="utf-8")
    return folder


def _check_free(folder, overwrite):
    if not folder.exists():
        return
    if not folder.is_dir() or not all(map(_ours, folder.iterdir())):
        raise ZooError(f"{folder} is there, and holds more than shards: it is not replaced. Choose another path")
    if any(folder.iterdir()) and not overwrite:
        raise ZooError(f"{folder} is there already. Choose another path, or replace it with overwrite=True")


def _ours(path):
    """Whether a path may be replaced: shards, their index and labels, and folders of such."""
    if path.is_dir():
        return path.name in ("train", "validation", "test") and all(map(_ours, path.iterdir()))
    return path.name == shards_sources.LABELS or ".tfrecord" in path.name or path.name.startswith(".zoo-index-")


def _pair(source):
    arrays = getattr(source, "arrays", source)
    if not isinstance(arrays, tuple | list) or len(arrays) != 2:
        what = "pairs (x, y), of a Stream of such, or of a zoo.Data"
        raise ZooError(f"shards are written of {what}. Received: {source!r}")
    x, y = (as_array(array) for array in arrays)
    if x.dtype != np.uint8 or x.ndim != 4 or x.shape[3] not in (1, 3):
        raise ZooError(
            "shards hold uint8 images (n, height, width, channels) of 1 or 3 channels. "
            f"Received {x.dtype} of shape {x.shape}"
        )
    fits = y.shape == (len(x),) and np.issubdtype(y.dtype, np.integer) and (y >= 0).all()
    if not fits:
        raise ZooError(f"y must hold one integer >= 0 for each of the {len(x)} images. Received {y.dtype} {y.shape}")
    return x, y


def _write(x, y, path, shards, encode, seed, tell):
    from tensorflow import io as files

    order = random.permutation(seed, 0, len(x), random.SPLIT)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for number, rows in enumerate(np.array_split(order, shards)):
            with files.TFRecordWriter(f"{path}-{number:05d}-of-{shards:05d}") as writer:
                for first in range(0, len(rows), CHUNK):
                    chunk = rows[first : first + CHUNK]
                    for record in pool.map(encode, x[chunk], y[chunk]):
                        writer.write(record)
                    tell(len(chunk))


def _encoded(format, quality, image, label):
    from tensorflow import train

    features = {"label": train.Feature(int64_list=train.Int64List(value=[int(label)]))}
    if format == "raw":
        content = image.tobytes()
        features["shape"] = train.Feature(int64_list=train.Int64List(value=image.shape))
    else:
        from PIL import Image

        file = io.BytesIO()
        Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(file, format, quality=quality)
        content = file.getvalue()
    features["image"] = train.Feature(bytes_list=train.BytesList(value=[content]))
    return train.Example(features=train.Features(feature=features)).SerializeToString(deterministic=True)


class _Progress:
    """Says every so many seconds how far the writing is."""

    def __init__(self, total, folder):
        self._total, self._folder, self._done, self._told = total, folder, 0, time.monotonic()

    def __call__(self, count):
        self._done += count
        if time.monotonic() - self._told > OFTEN:
            print(f"{self._done:,} of {self._total:,} images written into {self._folder}", flush=True)
            self._told = time.monotonic()
