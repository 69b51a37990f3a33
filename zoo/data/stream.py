"""`Stream`: batches as a pure function of (seed, epoch, step)."""

import functools
import hashlib
import os

import numpy as np

from zoo.data import ops, random
from zoo.data.shards import StoredImages, as_array, joined
from zoo.errors import ZooError, require
from zoo.seeding import check_seed

PARALLEL = max(2, (os.cpu_count() or 2) // 2)
PREFETCHED = 2


class Stream:
    """A set as batches that can be opened at any epoch and step.

    The arrays stay as they are (images as uint8); a batch is gathered at once, or read where `x` is `StoredImages`. The
    order of epoch k is a function of the seed and k, and the augmentation of an example is one of the seed, the epoch
    and the example: nothing that was drawn before matters. Every example is seen exactly `repeats` times an epoch; the
    last batch may be smaller.

    Args:
        arrays: tuple of numpy arrays with equal first dimensions, in the order of a Keras element: `x`, `y` and
            optionally sample weights. `x` may be `zoo.data.shards.StoredImages`, for a set larger than memory.
        batch_size: examples a batch, >= 1.
        seed: integer, 0 <= seed < 2**32; None takes the seed of `zoo.seeding.seed_everything`.
        shuffle: whether `open` and `batch` shuffle.
        augment: an operation of `zoo.data.augment`, or a sequence of them, applied to `x` in `open` and `batch`.
        map: function of the gathered batch `map(x, y, ...)` that returns the element. It gets tensors in `open` and
            `once` and numpy arrays in `batch`.
        mix: a function or a sequence of them, each applied to the augmented batch before `map`, in `open` and `batch`:
            `mix(x, y, ..., draws)` returns the arrays changed, with `draws` as `zoo.data.augment` has them. What it
            does to an example may depend on the others of the batch: see `zoo.data.mixup`. It may change the arrays'
            shapes, as a random window does, and must take a batch of one.
        repeats: how often `open` and `batch` give each example in an epoch, >= 1, each time with draws of its own: a
            few large images, of which an epoch takes many windows. `once` gives it once.

    Attributes:
        arrays, batch_size, seed, repeats: as given; `augment` and `mix` are tuples.
        size: number of examples, each counted once.
        steps: batches an epoch of `open` and `batch`, `ceil(size * repeats / batch_size)`.
        input_shape: shape of one `x` in training, behind `mix`.

    Raises:
        ZooError: no arrays, arrays of unequal length, no examples, or augmentation of anything but uint8 images.

    Example:
        >>> stream = Stream((np.arange(10.0), np.arange(10)), batch_size=4, seed=1)
        >>> stream.steps
        3
        >>> x, y = stream.batch(epoch=5, step=2)
        >>> bool((x == next(iter(stream.open(epoch=5, step=2)))[0].numpy()).all())
        True
    """

    def __init__(self, arrays, batch_size, seed=None, shuffle=True, augment=(), map=None, mix=(), repeats=1):
        self.arrays = tuple(as_array(array) for array in arrays)
        lengths = [len(array) for array in self.arrays]
        if not lengths or len(set(lengths)) != 1:
            raise ZooError(f"a stream needs arrays of one length, as (x, y). Received the lengths {lengths}")
        if not lengths[0]:
            raise ZooError("a stream needs at least one example. Received arrays of length 0")
        for name, value in (("batch_size", batch_size), ("repeats", repeats)):
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            require(whole and value >= 1, name, value, "a whole number >= 1")
        if isinstance(self.arrays[0], StoredImages):
            require(repeats == 1, "repeats", repeats, "1 for images that are streamed")
        self.size = lengths[0]
        self.batch_size = int(batch_size)
        self.repeats = int(repeats)
        self.steps = -(-self.size * self.repeats // self.batch_size)
        self.seed = check_seed(seed)
        self._shuffle = shuffle
        self.augment = (augment,) if callable(augment) else tuple(augment)
        self.mix = (mix,) if callable(mix) else tuple(mix)
        self._map = map
        if self.augment and (self.arrays[0].dtype != np.uint8 or self.arrays[0].ndim != 4):
            raise ZooError(
                "augmentation works on uint8 images (n, height, width, channels). "
                f"Received {self.arrays[0].dtype} of shape {self.arrays[0].shape}"
            )

    def __repr__(self):
        return f"<Stream of {self.size} examples {self.arrays[0].shape[1:]}, batches of {self.batch_size}>"

    @functools.cached_property
    def fingerprint(self):
        """SHA-256 of the arrays' bytes, types and shapes, in hexadecimal: 0.1 s for MNIST."""
        digest = hashlib.sha256()
        for array in self.arrays:
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            stored = isinstance(array, StoredImages)
            digest.update(array.digest if stored else np.ascontiguousarray(array).data)
        return digest.hexdigest()

    @property
    def nbytes(self):
        """Bytes of all arrays. Opened with TensorFlow, the stream holds them a second time, as tensors."""
        return sum(array.nbytes for array in self.arrays)

    @functools.cached_property
    def input_shape(self):
        return tuple(self._mixed_example[0].shape[1:])

    @property
    def element_spec(self):
        """The element's structure, with `(shape, dtype)` of each array, the batch dimension being None."""
        element = self._mixed_example
        return _described(self._map(*element) if self._map else element)

    def joined(self, other):
        """A stream over the examples of this one and of another, with everything else this one's.

        Args:
            other: a `Stream` of arrays of the same shapes and types.

        Returns:
            A `Stream`.

        Raises:
            ZooError: the arrays do not fit together.
        """
        ours, theirs = ([(a.dtype, a.shape[1:]) for a in stream.arrays] for stream in (self, other))
        if ours != theirs:
            raise ZooError(f"the streams hold different arrays and cannot be joined: {ours} and {theirs}")
        return self.replaced([joined(*pair) for pair in zip(self.arrays, other.arrays, strict=True)])

    def mapped(self, function):
        """The same stream, its elements passed through one more function.

        Args:
            function: as `map`: it gets the element's parts and returns the new element.

        Returns:
            A `Stream`.
        """
        before = self._map

        def both(*element):
            return function(*(before(*element) if before else element))

        both.parts = (*_parts(before), function)
        return self._with(map=both)

    def mixed(self, function):
        """The same stream, its augmented batches passed through one more function.

        Args:
            function: as `mix`: it gets the batch's arrays and `draws`, and returns the arrays.

        Returns:
            A `Stream`.
        """
        return self._with(mix=(*self.mix, function))

    def replaced(self, arrays):
        """The same stream over other arrays.

        Args:
            arrays: as in the constructor.

        Returns:
            A `Stream`.
        """
        return self._with(arrays=arrays)

    def _with(self, **changes):
        same = dict(arrays=self.arrays, batch_size=self.batch_size, seed=self.seed, shuffle=self._shuffle)
        same |= dict(augment=self.augment, map=self._map, mix=self.mix, repeats=self.repeats)
        return Stream(**{**same, **changes})

    def batch(self, epoch, step, rows=None):
        """One training batch in numpy, with the bytes of `open(epoch, step)`; needs no TensorFlow.

        Args:
            epoch: integer >= 0.
            step: integer, 0 <= step < steps.
            rows: a slice of the batch's examples, to have these alone; no others are made but for `mix`.

        Returns:
            The element: a tuple of arrays, or what `map` makes of it. (An augmentation or a `map` of one's own that
            needs `tf` functions works in `open` alone.)

        Raises:
            ZooError: a step or epoch out of range.
        """
        self._check(epoch, step)
        index = self._order(epoch)[step * self.batch_size : (step + 1) * self.batch_size]
        if rows is None or not self.mix:
            return self._element(self.arrays, epoch, index if rows is None else index[rows])
        return _rows_of(self._element(self.arrays, epoch, index), rows)

    def open(self, epoch=0, step=0):
        """The training batches from some point on, without end.

        Args:
            epoch: integer >= 0, the epoch to begin with.
            step: integer, 0 <= step < steps, its first step.

        Returns:
            An infinite `tf.data.Dataset`. `fit` takes it with `steps_per_epoch=stream.steps, shuffle=False`. Choose
            `steps_per_execution` to divide the steps: Keras reads whole executions, beyond the epoch's end if it must.

        Raises:
            ZooError: a step or epoch out of range.
        """
        import tensorflow as tf

        self._check(epoch, step)
        arrays = self._tensors

        def indices(current):
            # Once an epoch: the inner dataset holds the order and cuts batches from it.
            order = self._shuffled(current) if self._shuffle else tf.range(self.size * self.repeats)
            first = tf.where(current == epoch, tf.constant(step, tf.int64), 0)
            steps = tf.data.Dataset.range(first, self.steps)
            return steps.map(lambda i: (current, order[i * self.batch_size : (i + 1) * self.batch_size]))

        batches = tf.data.Dataset.range(epoch, tf.int64.max).flat_map(_unconverted(indices))
        batches = batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))

        def element(current, index):
            return self._element(arrays, current, index)

        element = _unconverted(element, *self.augment, *self.mix, *_parts(self._map))
        batches = batches.map(element, num_parallel_calls=PARALLEL, deterministic=True)
        return untuned(batches.prefetch(PREFETCHED))

    def once(self):
        """Every example once, in its natural order, not augmented: for validation and test.

        Returns:
            A finite `tf.data.Dataset` of `ceil(size / batch_size)` batches, whose cardinality is known.
        """
        import tensorflow as tf

        arrays = self._tensors

        def element(i):
            batch = tuple(array[i * self.batch_size : (i + 1) * self.batch_size] for array in arrays)
            return self._map(*batch) if self._map else batch

        element = _unconverted(element, *_parts(self._map))
        batches = tf.data.Dataset.range(self.once_steps).map(element, num_parallel_calls=PARALLEL, deterministic=True)
        return untuned(batches.prefetch(PREFETCHED))

    @property
    def once_steps(self):
        """Batches of `once`."""
        return -(-self.size // self.batch_size)

    def once_batch(self, step):
        """One batch of `once` in numpy, with its bytes; needs no TensorFlow.

        Args:
            step: integer, 0 <= step < once_steps.

        Returns:
            The element, as in `batch`.

        Raises:
            ZooError: a step out of range.
        """
        require(0 <= step < self.once_steps, "step", step, f"an integer in 0 <= step < {self.once_steps}")
        batch = tuple(array[step * self.batch_size : (step + 1) * self.batch_size] for array in self.arrays)
        return self._map(*batch) if self._map else batch

    def _element(self, arrays, epoch, index):
        xp = ops.of(index)
        places = index % self.size if self.repeats > 1 else index
        x, *others = (a[places] if isinstance(a, StoredImages) else xp.take(a, places) for a in arrays)
        for position, op in enumerate(self.augment):
            x = op(x, functools.partial(self._draws, epoch, index, position))
        element = self._mixed((x, *others), epoch, index)
        return self._map(*element) if self._map else element

    def _mixed(self, element, epoch, index):
        for position, op in enumerate(self.mix, len(self.augment)):
            element = op(*element, functools.partial(self._draws, epoch, index, position))
        return element

    def _draws(self, epoch, index, position, count):
        # 2**16 numbers an example for each augmentation; elastic distortion takes some hundreds.
        first = random.AUGMENT + position * 2**16
        return random.uniform(self.seed, epoch, index[:, None], first + np.arange(count))

    @functools.cached_property
    def _mixed_example(self):
        # One example tells what mixing makes of the shapes; augmentation leaves them alone.
        return self._mixed(tuple(array[:1] for array in self.arrays), 0, np.zeros(1, "int64"))

    @functools.cached_property
    def _tensors(self):
        import tensorflow as tf

        # Eager tensors are captured by the pipeline. As constants each graph would hold a copy, of 2 GB at most.
        with tf.device("CPU:0"), tf.init_scope():
            return tuple(a if isinstance(a, StoredImages) else tf.constant(a) for a in self.arrays)

    @functools.cached_property
    def _orders(self):
        return functools.lru_cache(maxsize=1)(self._shuffled)

    def _shuffled(self, epoch):
        if isinstance(self.arrays[0], StoredImages):
            return self.arrays[0].order(self.seed, epoch)
        return random.permutation(self.seed, epoch, self.size * self.repeats)

    def _order(self, epoch):
        return self._orders(epoch) if self._shuffle else np.arange(self.size * self.repeats)

    def _check(self, epoch, step):
        require(epoch >= 0, "epoch", epoch, "an integer >= 0")
        require(0 <= step < self.steps, "step", step, f"an integer in 0 <= step < {self.steps}")


def _parts(function):
    """The functions that a stream's `map` consists of."""
    return () if function is None else getattr(function, "parts", (function,))


def _unconverted(function, *used):
    """A function as tf.data is to trace it: without AutoGraph where all that it calls is the zoo's.

    None of that has a condition on a tensor, and converting it takes longer than tracing it.
    """
    import tensorflow as tf

    # A partial has the module of functools.
    modules = [getattr(getattr(each, "func", each), "__module__", None) or "" for each in used]
    own = all(module.partition(".")[0] in ("zoo", "recipes") for module in modules)
    return tf.autograph.experimental.do_not_convert(function) if own else function


def _rows_of(element, rows):
    if isinstance(element, dict):
        return {name: _rows_of(part, rows) for name, part in element.items()}
    if isinstance(element, tuple | list):
        return tuple(_rows_of(part, rows) for part in element)
    return element[rows]


def untuned(batches):
    """Without tf.data's autotuner: it made no pipeline here faster, and could hold up the end of `fit` for seconds."""
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)


def _described(element):
    if isinstance(element, dict):
        return {name: _described(part) for name, part in element.items()}
    if isinstance(element, tuple | list):
        return tuple(_described(part) for part in element)
    # Tensors of a function of one's own have a dtype of TensorFlow.
    return (None, *element.shape[1:]), np.dtype(getattr(element.dtype, "as_numpy_dtype", element.dtype)).name
