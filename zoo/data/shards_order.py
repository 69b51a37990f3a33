"""The order of an epoch over shards: mixed, and yet read almost from front to back."""

import numpy as np

from zoo.data import random

# Shards that are read side by side, and records that are taken from one before the next.
CYCLE, BLOCK = 16, 16


def order(seed, epoch, shard, buffer):
    """An order of examples that lie in shards: shards at random, interleaved, and mixed by a buffer.

    The shards come in random order, `CYCLE` of them side by side, `BLOCK` records of each in turn. What so arrives
    fills a buffer; from then on each arrival takes the place of a buffered example at random, which leaves. At the end
    the buffer is emptied in random order. The buffer holds places and not images: the order is known before anything is
    read, so that it can be entered anywhere.

    Args:
        seed: integer, 0 <= seed < 2**32.
        epoch: integer >= 0.
        shard: integer array (n,), the shard of each example, in ascending order.
        buffer: places of the buffer, >= 1; 1 leaves the order of arrival, n or more gives all orders alike.

    Returns:
        An int64 array (n,), a permutation: a pure function of the arguments. For a million examples it takes a second
        and, for that while, 60 MB.

    Example:
        >>> order(seed=0, epoch=0, shard=np.repeat([0, 1], 3), buffer=1).tolist()
        [3, 4, 5, 0, 1, 2]
    """
    arrival = _arrival(seed, epoch, shard)
    return arrival[_buffered(seed, epoch, len(shard), min(buffer, len(shard)))]


def _arrival(seed, epoch, shard):
    """Examples as they are read: by group of shards, by turn, by shard within the group."""
    _, first, which, counts = np.unique(shard, return_index=True, return_inverse=True, return_counts=True)
    rank = random.permutation(seed, epoch, len(counts), random.SHARDS)[which]
    turn = (np.arange(len(shard)) - first[which]) // BLOCK
    turns = -(-int(counts.max()) // BLOCK)
    return np.argsort((rank // CYCLE * turns + turn) * CYCLE + rank % CYCLE, kind="stable")


def _buffered(seed, epoch, size, buffer):
    """The places 0..size-1 as they leave the buffer."""
    drawn, _ = random.threefry((seed, epoch), (np.arange(size - buffer), random.BUFFER))
    slots = np.concatenate([np.arange(buffer), (drawn.astype("uint64") * buffer >> 32).astype("int64")])
    # All that ever were in one slot, slot by slot: each leaves when the next one of its slot arrives.
    entered = np.argsort(slots, kind="stable")
    followed = slots[entered[1:]] == slots[entered[:-1]]
    left = np.empty(size, "int64")
    left[entered[1:][followed] - buffer] = entered[:-1][followed]
    left[size - buffer :] = entered[np.append(~followed, True)][random.permutation(seed, epoch, buffer, random.REST)]
    return left
