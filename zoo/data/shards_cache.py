"""Decoded images, kept in memory or in a file, so that later epochs do not decode them again."""

import os
import shutil
import zlib
from pathlib import Path

import numpy as np

from zoo.data import pixels
from zoo.errors import ZooError


class InMemory:
    """Keeps images in memory.

    Args:
        shape: `(n, height, width, channels)` of all images.
        name: the set's name, for messages.

    Raises:
        ZooError: more images than memory holds.
    """

    def __init__(self, shape, name):
        count, *sides = shape
        self.nbytes = count * int(np.prod(sides))
        if self.nbytes > pixels.memory():
            raise ZooError(
                f"{name}: {count} decoded images take {self.nbytes / 2**30:.0f} GiB, and this machine has "
                f"{pixels.memory() / 2**30:.0f} GiB of memory. Keep them in a folder: cache='path/of/a/folder'"
            )
        self._images = np.empty(shape, np.uint8)  # memory that nothing was written to yet is not taken
        self._there = np.zeros(count, bool)

    def read(self, rows, images):
        """Fills in the images that are kept, and returns the places in `rows` of those that are not."""
        there = self._there[rows]
        images[there] = self._images[rows[there]]
        return np.flatnonzero(~there)

    def write(self, rows, images):
        """Keeps images. Threads that do so at once write the same bytes."""
        self._images[rows] = images
        self._there[rows] = True


class InFolder:
    """Keeps images in two files of a folder: their pixels, and a checksum of each, which is 0 until it is written.

    An image whose checksum is wrong, after a power cut say, counts as missing. Runs over the same images share the
    files, also at the same time: all write the same bytes.

    Args:
        folder: where; it is made.
        digest: what tells these images from others: bytes.
        shape, name: as in `InMemory`.

    Raises:
        ZooError: a folder that cannot be written, or a disk that is too full.
    """

    nbytes = 0

    def __init__(self, folder, digest, shape, name):
        self._path = Path(folder).expanduser() / f"{digest.hex()[:32]}.pixels"
        self._size = int(np.prod(shape[1:]))
        sums, room = self._path.with_suffix(".sums"), shape[0] * (self._size + 4)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Blocks, as a file with holes is as long as a full one. Windows does not count them.
            taken = getattr(self._path.stat(), "st_blocks", 0) * 512 if self._path.exists() else 0
            free = shutil.disk_usage(self._path.parent).free
            if room - taken > free:
                raise ZooError(
                    f"{name}: {shape[0]} decoded images take {room / 2**30:.1f} GiB, and {self._path.parent} has "
                    f"{free / 2**30:.1f} GiB left. Another folder, a smaller size, or cache=None works"
                )
            for path, length in ((self._path, shape[0] * self._size), (sums, shape[0] * 4)):
                with open(path, "ab") as file:  # not truncated: another run may be writing it
                    if file.tell() < length:
                        os.truncate(path, length)
        except OSError as error:
            raise ZooError(f"the cache cannot be kept in {folder}: {error.strerror}. Choose another folder") from None
        self._sums = np.memmap(sums, np.uint32, "r+", shape=(shape[0],))

    def read(self, rows, images):
        """As `InMemory.read`."""
        missing = []
        with open(self._path, "rb", buffering=0) as file:
            for place, row in enumerate(rows):
                if self._sums[row]:
                    file.seek(int(row) * self._size)
                    content = file.read(self._size)
                    if _sum(content) == self._sums[row]:
                        images[place] = np.frombuffer(content, np.uint8).reshape(images.shape[1:])
                        continue
                missing.append(place)
        return np.array(missing, int)

    def write(self, rows, images):
        """As `InMemory.write`."""
        with open(self._path, "r+b", buffering=0) as file:
            for row, image in zip(rows, images, strict=True):
                content = image.tobytes()
                file.seek(int(row) * self._size)
                file.write(content)
                self._sums[row] = _sum(content)


def _sum(content):
    return zlib.crc32(content) or 1


def of(cache, digest, shape, name):
    """The cache that was asked for.

    Args:
        cache: None, "memory", or a folder.
        digest, shape, name: as in `InFolder`.

    Returns:
        An `InMemory`, an `InFolder`, or None.
    """
    if cache is None:
        return None
    return InMemory(shape, name) if str(cache) == "memory" else InFolder(cache, digest, shape, name)
