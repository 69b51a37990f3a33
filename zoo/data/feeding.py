"""How a stream reaches `fit`, `evaluate` and `predict`: as tf.data, or without TensorFlow batch by batch from numpy."""

import collections
from concurrent.futures import ThreadPoolExecutor

import keras

from zoo.data.ops import has_tensorflow
from zoo.data.stream import PARALLEL, PREFETCHED


def feed(stream, epoch=0):
    """The training batches from an epoch on, without end, as `fit` takes them.

    Args:
        stream: a `zoo.data.Stream`.
        epoch: integer >= 0, the epoch to begin with.

    Returns:
        `stream.open(epoch)` where TensorFlow is installed, and elsewhere a `keras.utils.PyDataset` of the same batches,
        to the byte. `fit` takes it with `steps_per_epoch=stream.steps, shuffle=False`.

    Raises:
        ZooError: an epoch out of range.

    Example:
        >>> import zoo
        >>> x, y = next(iter(feed(zoo.data.images("digits", 32, seed=0).train, epoch=3)))
        >>> x.shape[1:]
        TensorShape([8, 8, 1])
    """
    if has_tensorflow():
        return stream.open(epoch=epoch)
    return Batches(lambda number: stream.batch(epoch + number // stream.steps, number % stream.steps))


def feed_once(stream):
    """Every example once, in its natural order, not augmented: for `evaluate`, `predict` and validation.

    Args:
        stream: a `zoo.data.Stream`.

    Returns:
        `stream.once()` where TensorFlow is installed, and elsewhere a `keras.utils.PyDataset` of the same batches.
    """
    return stream.once() if has_tensorflow() else Batches(stream.once_batch, stream.once_steps)


def held_out(stream):
    """The batches of `feed_once`, one by one, in numpy.

    Args:
        stream: a `zoo.data.Stream`.

    Yields:
        The stream's elements, of numpy arrays.
    """
    yield from stream.once().as_numpy_iterator() if has_tensorflow() else Batches(stream.once_batch, stream.once_steps)


class Batches(keras.utils.PyDataset):
    """Batches of a function of their number, the next ones being made by threads while one is worked on.

    Keras' own queue for a `PyDataset` loses the batch that `fit` looks at beforehand where there is no end. Here a
    number always gives its batch, however often and in whatever order Keras asks, so that a resumed run sees what the
    other one saw.

    Args:
        made: function of a number from 0 on that returns an element of numpy arrays; called in threads.
        count: number of batches; None has no end.
    """

    def __init__(self, made, count=None):
        super().__init__()
        self._made = made
        self._count = count
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="batches")
        self._ahead = collections.OrderedDict()

    @property
    def num_batches(self):
        return self._count

    def __getitem__(self, number):
        last = number + PREFETCHED + PARALLEL
        wanted = range(number, last if self._count is None else min(last, self._count))
        for passed in [old for old in self._ahead if old not in wanted]:
            self._ahead.pop(passed).cancel()
        for each in wanted:
            if each not in self._ahead:
                self._ahead[each] = self._pool.submit(self._made, each)
        return self._ahead.pop(number).result()
