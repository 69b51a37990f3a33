"""`StoredImages`: the images of a set that lie on the disk, in place of an array that would not fit into memory."""

import contextlib
import functools
import hashlib
import os
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from zoo.data import ops, pixels, shards_cache, shards_order, shards_reading
from zoo.errors import ZooError, require

BUFFER = 10_000

_failures = []


class StoredImages:
    """Images on the disk that are read, and decoded, when they are asked for.

    What an array has that does not need the pixels is there: `shape`, `dtype`, `ndim`, `len`. Indexing gives pixels, as
    an array's does; `np.asarray` gives all of them where they fit. A `zoo.data.Stream` takes it as its `x`: then a
    batch is read when it is due, and the order of an epoch is that of `zoo.data.shards_order.order`.

    The bytes of an image are held against the checksum of the index each time they are read.

    Args:
        records: `zoo.data.shards_index.Records`, one or more.
        size: `(height, width)` to bring all images to, bilinear and antialiased as in memory; None for the one that
            all have.
        channels: 1 or 3; None takes 1 when all are grey.
        buffer: images among which the order is mixed, >= 1. They are not held: it is their places that are mixed.
        cache: None reads and decodes anew in each epoch; "memory" keeps the pixels that were decoded in memory; the
            path of a folder keeps them in a file there, also for the next run.
        decoder: "pillow", which reads as `zoo.data.read_image` does, or "tensorflow", which reads as TensorFlow
            Datasets does: JPEG files differ by some grey levels.
        name: of the set, for messages.

    Attributes:
        records, size, buffer, cache: as given.
        shape: `(n, height, width, channels)`.
        nbytes: bytes of memory that are taken: the index, and a cache in memory.
        digest: SHA-256 of all that the pixels and their order depend on.

    Raises:
        ZooError: images of different sizes without `size`; a buffer below 1; a cache that does not fit.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(
        self, records, size=None, channels=None, *, buffer=BUFFER, cache=None, decoder="pillow", name="the set"
    ):
        whole = isinstance(buffer, int | np.integer) and not isinstance(buffer, bool)
        require(whole and buffer >= 1, "shuffle_buffer", buffer, "a whole number of images >= 1")
        self.records, self.buffer, self.cache, self.name = records, int(buffer), cache, name
        self.size, self.channels, self.decoder = size, channels, decoder
        table = records.table
        if size is None:
            size = _one_size(records, name)
        self.shape = (len(records), *size, channels or int(table["channels"].max()))

    def __len__(self):
        return len(self.records)

    def __repr__(self):
        return f"<StoredImages {self.shape} of {self.name}>"

    def __getitem__(self, rows):
        if isinstance(rows, slice):
            if ops.is_tensor(rows.start) or ops.is_tensor(rows.stop):
                import tensorflow as tf

                return self._in_graph(tf.range(rows.start, tf.minimum(rows.stop, len(self))))
            rows = np.arange(*rows.indices(len(self)))
        if ops.is_tensor(rows):
            return self._in_graph(rows)
        rows = np.asarray(rows)
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        return self._taken(rows) if rows.ndim else self._taken(rows[None])[0]

    def __array__(self, dtype=None, copy=None):
        return self._taken(np.arange(len(self))).astype(dtype or self.dtype, copy=False)

    @property
    def nbytes(self):
        return self.records.nbytes + (self.cache == "memory") * int(np.prod(self.shape))

    @functools.cached_property
    def digest(self):
        what = f"{self.shape} {self.size} {self.decoder} {self.buffer}"
        return hashlib.sha256(what.encode() + self.records.digest).digest()

    def only(self, rows):
        """Some of the images, given by ascending positions or a mask: `StoredImages` again."""
        return self._over(self.records.only(rows))

    def joined(self, other):
        """These images and, after them, those of other `StoredImages` of the same shape."""
        return self._over(self.records.joined(other.records))

    def order(self, seed, epoch):
        """The order of an epoch: see `zoo.data.shards_order.order`. A tensor when `epoch` is one."""
        if not ops.is_tensor(epoch):
            return shards_order.order(seed, int(epoch), self.records.table["shard"], self.buffer)
        import tensorflow as tf

        found = tf.numpy_function(functools.partial(self.order, seed), [epoch], tf.int64, stateful=False)
        found.set_shape((len(self),))
        return found

    def _over(self, records):
        same = dict(buffer=self.buffer, cache=self.cache, decoder=self.decoder, name=self.name)
        # Also where the last coloured image is left out, pictures stay as they are.
        return StoredImages(records, self.shape[1:3] if self.size else None, self.shape[3], **same)

    def _in_graph(self, rows):
        import tensorflow as tf

        def read(rows):
            try:
                return self._taken(rows), b""
            except ZooError as error:  # Raised here, TensorFlow would print a traceback for each batch that was due.
                _failures.append(error)
                return np.zeros((len(rows), *self.shape[1:]), np.uint8), str(error).encode()

        images, failure = tf.numpy_function(read, [rows], (tf.uint8, tf.string), stateful=False)
        failure.set_shape(())
        with tf.control_dependencies([tf.debugging.Assert(tf.equal(failure, ""), [failure])]):
            images = tf.identity(images)
        images.set_shape((rows.shape[0], *self.shape[1:]))
        return images

    def _taken(self, rows):
        """The pixels of some images, out of the cache or the files, by as many threads as there are cores."""
        kept, needed = self._kept, len(rows) * int(np.prod(self.shape[1:]))
        if needed > pixels.memory():
            raise ZooError(
                f"{len(rows)} images of {self.name} were asked for at once, which takes {needed / 2**30:.0f} GiB of "
                "memory. They are on the disk because they are too many: this needs them in memory"
            )
        images = np.empty((len(rows), *self.shape[1:]), np.uint8)
        missing = kept.read(rows, images) if kept else np.arange(len(rows))
        if not len(missing):
            return images
        table = self.records.table[rows[missing]]
        missing = missing[np.lexsort((table["offset"], table["shard"]))]
        parts = [part for part in np.array_split(missing, _cores()) if len(part)]
        for _ in _pool().map(lambda part: self._read(rows, part, images), parts):
            pass
        if kept:
            kept.write(rows[missing], images[missing])
        return images

    def _read(self, rows, places, images):
        """Reads and decodes the images at some places of `rows`, which lie side by side in the files."""
        table = self.records.table[rows[places]]
        for part in np.split(np.arange(len(places)), np.flatnonzero(np.diff(table["shard"])) + 1):
            path = self.records.paths[table["shard"][part[0]]]
            try:
                contents = shards_reading.contents(path, table["offset"][part].tolist(), table["length"][part].tolist())
            except OSError as error:
                raise ZooError(
                    f"{path} cannot be read: {error.strerror}. It was there when the set was opened"
                ) from None
            for content, crc, place in zip(contents, table["crc"][part].tolist(), places[part], strict=True):
                if zlib.crc32(content) != crc:
                    raise ZooError(
                        f"{self.records.named(rows[place])} is no longer what it was when the set was indexed. Begin "
                        "anew, with the files as they are now"
                    )
            self._decode(contents, table[part], places[part], rows, images)

    def _decode(self, contents, table, places, rows, images):
        shapes = list(zip(table["height"].tolist(), table["width"].tolist(), table["channels"].tolist(), strict=True))
        if self.decoder == "tensorflow" and set(shapes) == {self.shape[1:]} and not table["raw"].any():
            # All in one call, which is three times as fast for small images.
            try:
                images[places] = shards_reading.decoder(self.shape[3])(contents).numpy()
                return
            except Exception as error:  # Which one it was is found out below.
                if not type(error).__module__.startswith("tensorflow"):
                    raise
        for content, shape, raw, place in zip(contents, shapes, table["raw"].tolist(), places, strict=True):
            if raw:
                found = np.frombuffer(content, np.uint8).reshape(shape)
            elif self.decoder == "tensorflow":
                found = shards_reading.decoded(content, shape[2], self.records.named(rows[place]))
            else:
                name = self.records.named(rows[place])
                images[place] = pixels.decode(content, name, self.shape[1:3], self.shape[3])
                continue
            images[place] = pixels.conform(found, self.shape[1:3], self.shape[3])

    @functools.cached_property
    def _kept(self):
        return shards_cache.of(self.cache, self.digest, self.shape, self.name)


def only(array, rows):
    """Some rows of an array, or of `StoredImages` without reading them."""
    return array.only(rows) if isinstance(array, StoredImages) else array[rows]


def as_array(values):
    """`np.asarray`, which leaves `StoredImages` where they are."""
    return values if isinstance(values, StoredImages) else np.asarray(values)


def joined(first, second):
    """Two arrays, or two `StoredImages`, one after the other."""
    return first.joined(second) if isinstance(first, StoredImages) else np.concatenate((first, second))


@contextlib.contextmanager
def failures_told():
    """Raises what was met in reading as the `ZooError` that it is: tf.data makes an error of its own of it.

    Used as a `with`, or as a decorator, around what takes batches of streams.
    """
    _failures.clear()
    try:
        yield
    except Exception as error:
        if _failures and type(error).__module__.startswith("tensorflow"):
            raise _failures[0] from None
        raise


def _one_size(records, name):
    heights, widths = records.table["height"], records.table["width"]
    other = np.flatnonzero((heights != heights[0]) | (widths != widths[0]))
    if len(other):
        first, second = (f"{records.named(k)} is {heights[k]} x {widths[k]}" for k in (0, other[0]))
        raise ZooError(
            f"{name}: images of different sizes (height x width): {first}, {second}. Bring all to one size with "
            f"--size {min(heights[0], widths[0])}, or size=(height, width) in Python"
        )
    return int(heights[0]), int(widths[0])


def _cores():
    return os.cpu_count() or 1


@functools.cache
def _pool():
    return ThreadPoolExecutor(_cores(), thread_name_prefix="images")
