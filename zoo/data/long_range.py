"""`adding`: sequences whose answer needs two numbers that were seen long ago."""

import numpy as np

from zoo.data.assemble import from_arrays
from zoo.errors import require
from zoo.seeding import check_seed

# The squared error of the best constant answer, 1: the variance of the sum of two numbers uniform in 0..1.
CONSTANT = 1 / 6
# What tells the generators of the parts from each other. The test part has the seed 0 whatever the run's is.
TRAIN, VALIDATION, TEST = range(3)


def adding(batch_size=64, *, length=50, examples=10000, seed=None):
    """The adding problem: two numbers of a long sequence are marked, and their sum is asked for at its end.

    Hochreiter and Schmidhuber 1997, Long short-term memory, Neural Computation 9(8), section 5.4, in the form of Le,
    Jaitly and Hinton 2015, arXiv:1504.00941, section 4.1. Each step has a number, uniform in 0..1, and a mark, 0 or 1.
    One mark of 1 is anywhere in the first half of the sequence, the other anywhere in the second. The answer 1, which
    needs no memory, has a squared error of 1/6 on average; a smaller one needs numbers from `length` / 2 steps ago.

    Args:
        batch_size: sequences a batch, >= 1.
        length: steps of a sequence, an integer >= 2.
        examples: training sequences, an integer >= 10; a tenth as many are validation and test sequences each.
        seed: of training and validation sequences, and of the order; the test sequences are always the same. None takes
            the current seed.

    Returns:
        A `zoo.Data` with elements (x float32 `(batch, length, 2)`, y float32 `(batch, 1)`).

    Raises:
        ZooError: a value out of range.

    Differences from the paper:
        - Numbers are in 0..1 instead of -1..1, the answer is their sum and not 0.5 + sum / 4, and all sequences have
          one length. The first and the last step are not marked by -1.

    Example:
        >>> data = adding(4, length=20, examples=30, seed=0)
        >>> x, y = data.train.batch(epoch=0, step=0)
        >>> x.shape, y.shape, x[:, :, 1].sum(1).tolist()
        ((4, 20, 2), (4, 1), [2.0, 2.0, 2.0, 2.0])
    """
    for name, value, least in (("length", length, 2), ("examples", examples, 10)):
        whole = isinstance(value, int) and not isinstance(value, bool)
        require(whole and value >= least, name, value, f"an integer >= {least}")
    seed = check_seed(seed)
    train, validation, test = (
        _drawn(np.random.default_rng([part, own]), count, length)
        for part, own, count in (
            (TRAIN, seed, examples),
            (VALIDATION, seed, examples // 10),
            (TEST, 0, examples // 10),
        )
    )
    return from_arrays(train, batch_size, validation=validation, test=test, seed=seed)


def _drawn(random, count, length):
    """So many sequences and their answers."""
    x = np.zeros((count, length, 2), "float32")
    x[..., 0] = random.random((count, length), "float32")
    half = length // 2
    rows = np.arange(count)
    marked = random.integers(0, half, count), random.integers(half, length, count)
    for places in marked:
        x[rows, places, 1] = 1
    return x, sum(x[rows, places, 0] for places in marked)
