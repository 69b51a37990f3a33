"""Splits: which examples are for training, which for validation and test, as a function of the labels and a seed."""

import math

import numpy as np

from zoo.data import random
from zoo.errors import require

# The seed of every test set that a source does not come with: fixed, so that no run is tested on another set.
TEST_SEED = 1998
TEST_FRACTION = 0.2


def stratified(labels, fraction, seed):
    """Splits examples in two, each class in the same proportion (largest remainder), the total rounded up.

    Both parts get something of every class that has two examples or more; a class's only example stays in the first.

    Args:
        labels: array `(n,)`, the classes; zeros for a plain random split.
        fraction: share of the second part, 0 < fraction < 1.
        seed: integer; the same labels, fraction and seed give the same split.

    Returns:
        Two sorted integer arrays of positions, together 0..n-1: the larger part's and the smaller part's.

    Raises:
        ZooError: a fraction out of range.

    Example:
        >>> first, second = stratified(np.array([0, 0, 0, 0, 1, 1, 1, 1]), 0.25, seed=0)
        >>> len(first), len(second)
        (6, 2)
    """
    require(0 < fraction < 1, "fraction", fraction, "a share in 0 < fraction < 1")
    labels = np.asarray(labels)
    order = random.permutation(seed, 0, len(labels), random.SPLIT)
    classes, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    quotas = _quotas(counts, fraction)
    second = np.concatenate([order[place[order] == k][: quotas[k]] for k in range(len(classes))])
    chosen = np.zeros(len(labels), bool)
    chosen[second] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def _quotas(counts, fraction):
    shares = counts * fraction
    quotas = np.floor(shares).astype(int)
    # The classes with the largest remainders get one more until the total is right; of equal ones the first.
    missing = math.ceil(counts.sum() * fraction - 1e-9) - quotas.sum()
    quotas[np.argsort(quotas - shares, kind="stable")[:missing]] += 1
    return np.clip(quotas, np.minimum(counts - 1, 1), np.maximum(counts - 1, 0))
