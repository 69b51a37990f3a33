"""`TextStream`: slices of one long text as batches that are a function of (seed, epoch, step)."""

import functools
import hashlib

import numpy as np

from zoo.data import ops, random
from zoo.data.stream import Stream
from zoo.errors import ZooError, choose, require

ORDERS = ("random", "consecutive")


class TextStream(Stream):
    """Slices of a text and, for each symbol of a slice, the symbol after it.

    The text is held once; a batch is gathered from it. In `open` and `batch` all slices of an epoch begin at a common
    offset, a function of the seed and the epoch, so that a symbol is not always at the same place of a slice and what
    does not fill a batch is not always the same. In `once`, and where it is not to be shifted, the offset is 0.

    Args:
        text_symbols: int32 array (symbols,), what the graph takes: code points or places of words.
        targets: int32 array of the same length: the place of each symbol in the vocabulary. Where `text_symbols` are
            places already, the same array.
        length: symbols of a slice, an integer >= 1.
        batch_size: slices a batch, >= 1.
        seed: integer, 0 <= seed < 2**32; None takes the seed of `zoo.seeding.seed_everything`.
        order: "random" gives the slices in another order each epoch. "consecutive" lays `batch_size` equal stretches of
            the text side by side: row b of a batch goes on where row b of the batch before it ended. Its batches are
            all full.
        shifted: whether there is such an offset.
        map, mix: as `Stream` has them.

    Attributes:
        text_symbols, targets, length, order, shifted: as given.
        arrays: the slices at offset 0, `(size, length)` each, in the order of the text: views of it.
        size: slices an epoch; at most one batch and a slice of the text is left over.

    Raises:
        ZooError: a text that is too short for one batch ("consecutive") or one slice ("random"), or a value out of
            range.

    Example:
        >>> text = np.arange(100, dtype="int32")
        >>> stream = TextStream(text, text, length=8, batch_size=3, seed=1, order="consecutive")
        >>> first, second = stream.batch(0, 0)[0], stream.batch(0, 1)[0]
        >>> (second[:, 0] - first[:, -1]).tolist()
        [1, 1, 1]
    """

    def __init__(
        self, text_symbols, targets, length, batch_size, seed=None, order="random", shifted=True, map=None, mix=()
    ):
        choose("order", order, ORDERS)
        for name, value in (("length", length), ("batch_size", batch_size)):
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            require(whole and value >= 1, name, value, "a whole number >= 1")
        require(isinstance(shifted, bool), "shifted", shifted, "True or False")
        self.text_symbols, self.targets, self.length, self.order = text_symbols, targets, int(length), order
        self.shifted = shifted
        rows = batch_size if order == "consecutive" else 1
        if len(text_symbols) <= rows * length or len(text_symbols) != len(targets):
            raise ZooError(
                f"{'one batch' if rows > 1 else 'one slice'} takes {rows * length} symbols and the one after them, "
                f"each with its target. Received: {len(text_symbols)} symbols, {len(targets)} targets"
            )
        # Room for an offset of a slice less one, where there is any.
        free = length if shifted else 1
        size = rows * max(1, (len(text_symbols) - free) // (rows * length))
        slices = [array[: size * length].reshape(size, length) for array in (text_symbols, targets[1:])]
        super().__init__(slices, batch_size, seed, shuffle=order == "random", map=map, mix=mix)

    @functools.cached_property
    def fingerprint(self):
        digest = hashlib.sha256()
        for array in (self.text_symbols, self.targets):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    @property
    def nbytes(self):
        return sum(array.nbytes for array in self._distinct)

    def joined(self, other):
        """A stream over this text and, after it, another.

        Args:
            other: a `TextStream` of slices of the same length, of symbols of the same vocabulary.

        Returns:
            A `TextStream`.

        Raises:
            ZooError: another kind of stream, or slices of another length.
        """
        if getattr(other, "length", None) != self.length:
            raise ZooError(f"the streams hold different slices and cannot be joined: {self} and {other}")
        symbols, targets = (
            np.concatenate(pair) for pair in ((self.text_symbols, other.text_symbols), (self.targets, other.targets))
        )
        return self._over(symbols, targets)

    def once(self):
        """Every slice once, from the beginning of the text: for validation and test. See `Stream.once`.

        Returns:
            A finite `tf.data.Dataset` of `steps` batches; with order="consecutive" the rows go on from one to the next.
        """
        return self._still.once()

    def once_batch(self, step):
        return self._still.once_batch(step)

    def _over(self, symbols, targets, **changes):
        same = dict(seed=self.seed, order=self.order, shifted=self.shifted, map=self._map, mix=self.mix)
        return TextStream(symbols, targets, self.length, self.batch_size, **{**same, **changes})

    def _with(self, **changes):
        if "arrays" in changes:  # They are no text any more.
            return super()._with(**changes)
        return self._over(self.text_symbols, self.targets, **changes)

    def _element(self, arrays, epoch, index):
        xp = ops.of(index)
        symbols, targets = self._tensors if ops.is_tensor(index) else (self.text_symbols, self.targets)
        first = self._offset(epoch) + self._slice(index) * self.length
        places = first[:, None] + xp.arange(self.length)
        element = self._mixed((xp.take(symbols, places), xp.take(targets, places + 1)), epoch, index)
        return self._map(*element) if self._map else element

    def _slice(self, index):
        """Which slice of the text is the one of this number in the order of the batches, before it is shuffled."""
        if self.order == "random":
            return index
        return index % self.batch_size * self.steps + index // self.batch_size

    def _offset(self, epoch):
        free = len(self.text_symbols) - self.size * self.length if self.shifted else 0
        drawn = random.uniform(self.seed, epoch, 0, random.AUGMENT)
        return ops.of(drawn).cast(drawn * float(free), "int32")

    @property
    def _distinct(self):
        return [self.text_symbols] if self.targets is self.text_symbols else [self.text_symbols, self.targets]

    @functools.cached_property
    def _still(self):
        ordered = self._slice(np.arange(self.size))
        return self.replaced([array[ordered] if self.order != "random" else array for array in self.arrays])

    @functools.cached_property
    def _tensors(self):
        import tensorflow as tf

        # Eager tensors are captured by the pipeline, as in `Stream`.
        with tf.device("CPU:0"), tf.init_scope():
            held = [tf.constant(array) for array in self._distinct]
        return held[0], held[-1]
