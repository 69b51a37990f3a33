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


def sample(labels, examples, seed):
    """Draws exactly so many examples, at least one of each class, and beyond that each class in the same proportion.

    Args:
        labels: array `(n,)`, the classes; zeros for a plain random sample.
        examples: how many to draw: the number of classes <= examples <= n.
        seed: integer; the same arguments give the same sample.

    Returns:
        A sorted integer array of positions.

    Raises:
        ZooError: a number out of range.

    Example:
        >>> int(sample(np.array([0, 0, 0, 0, 0, 1]), 3, seed=0)[-1])
        5
    """
    labels = np.asarray(labels)
    classes, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    least, most = len(classes), len(labels)
    fits = isinstance(examples, int) and least <= examples <= most
    require(fits, "examples", examples, f"a whole number from {least}, one of each class, to {most}, all of them")
    order = random.permutation(seed, 0, most, random.SPLIT)
    share = (examples - least) / max(most - least, 1)
    quotas = 1 + _apportioned((counts - 1) * share, examples - least)
    return np.sort(np.concatenate([order[place[order] == k][: quotas[k]] for k in range(least)]))


def _quotas(counts, fraction):
    quotas = _apportioned(counts * fraction, math.ceil(counts.sum() * fraction - 1e-9))
    return np.clip(quotas, np.minimum(counts - 1, 1), np.maximum(counts - 1, 0))


def _apportioned(shares, total):
    """Shares as whole numbers of this total: the largest remainders are rounded up, of equal ones the first."""
    quotas = np.floor(shares).astype(int)
    missing = total - quotas.sum()
    quotas[np.argsort(quotas - shares, kind="stable")[:missing]] += 1
    return quotas
