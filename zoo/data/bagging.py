"""Bootstrap resamples for bagging, as weights: the members of an ensemble share one pass over the data."""

import functools

import numpy as np

from zoo.data import random
from zoo.data.stream import Stream
from zoo.errors import require
from zoo.recipe import Data
from zoo.seeding import check_seed


def bootstrap(data, members, seed=None):
    """Gives each member of an ensemble its own bootstrap resample of the training data.

    Member k sees every example with a weight: how often it occurs in k's resample, which draws as many examples as
    there are, with replacement. A weighted pass over all is a pass over the resample, and the images are held once.

    Source: Breiman 1996, Bagging predictors.

    Args:
        data: a `zoo.Data` with elements `(x, y)`.
        members: number of members, >= 1.
        seed: integer; None takes the current seed. The resample of member k is a function of the seed and k.

    Returns:
        A `zoo.Data` for a model whose outputs are `{"logits": ..., "member_0": ..., "member_1": ...}`, compiled with
        losses for the members. Its training elements are `(x, {name: y}, {name: weights})` with those names, where the
        weights of "logits" are 1: Keras wants a target and a weight for every output, also for those without a loss.
        Validation and test elements are `(x, {name: y})`.

    Raises:
        ZooError: fewer than one member, data that has weights already, or whose examples are mixed.
    """
    require(isinstance(members, int) and members >= 1, "members", members, "a whole number >= 1")
    seed = check_seed(seed)
    train = data.train
    require(len(train.arrays) == 2, "data.train", train, "a stream of (x, y), without weights of its own")
    require(not train.mix, "data.train", train, "a stream whose examples are not mixed: a resample weighs single ones")
    x, y = train.arrays
    names = ["logits", *(f"member_{k}" for k in range(members))]
    weights = np.stack([np.ones(len(x), "float32"), *(_counts(seed, k, len(x)) for k in range(members))], axis=1)
    named = functools.partial(_named, names)
    streams = {
        "train": Stream(
            (x, y, weights), train.batch_size, train.seed, augment=train.augment, map=named, repeats=train.repeats
        )
    }
    for name in ("validation", "test"):
        part = getattr(data, name)
        streams[name] = part and Stream(part.arrays, part.batch_size, part.seed, map=named)
    return Data(**streams, labels=data.labels, statistics=data.statistics)


def _counts(seed, member, size):
    high, _ = random.threefry((seed, member), (np.arange(size), random.BOOTSTRAP))
    drawn = high.astype("uint64") * size >> 32
    return np.bincount(drawn.astype("int64"), minlength=size).astype("float32")


def _named(names, x, y, weights=None):
    targets = dict.fromkeys(names, y)
    return (x, targets) if weights is None else (x, targets, {name: weights[:, k] for k, name in enumerate(names)})
