"""Random numbers that are a function of where they are used: the same bits in numpy and in TensorFlow.

A number is a hash of (seed, epoch, index, draw). No generator carries state from one number to the next, so epoch k
needs no epoch before it, an example is augmented alike in any batch, and a resumed run sees what the other one saw.
"""

import numpy as np

from zoo.data import ops

# What the numbers are for: the last word of the hash. Augmentations take the draws from AUGMENT on.
SHUFFLE, SPLIT, BOOTSTRAP, SHARDS, BUFFER, REST, AUGMENT = 0, 1, 2, 3, 4, 5, 16

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA


def threefry(key, counter):
    """Threefry-2x32 with 20 rounds: two words of key and two of counter to two words of noise.

    Source: Salmon, Moraes, Dror, Shaw 2011, Parallel random numbers: as easy as 1, 2, 3, section 4.2.

    Args:
        key: two integers, scalars or arrays, taken modulo 2**32.
        counter: two integer arrays that broadcast against each other, taken modulo 2**32.

    Returns:
        Two uint32 arrays of the counters' common shape: tensors when an argument is one, numpy arrays otherwise, with
        the same bits.

    Example:
        >>> [hex(int(word)) for word in threefry((0, 0), (0, 0))]
        ['0x6b200159', '0x99ba4efe']
    """
    xp = ops.of(*key, *counter)

    def rotated(word, by):
        return word * 2**by | xp.shift_right(word, 32 - by)

    first, second, x, y = (xp.cast(word, "uint32") for word in (*key, *counter))
    keys = (first, second, first ^ second ^ _PARITY)
    # Wrapping around is what is meant; numpy would warn of it for scalars.
    with np.errstate(over="ignore"):
        x, y = x + keys[0], y + keys[1]
        for block in range(5):
            for rotation in _ROTATIONS[block % 2]:
                x = x + y
                y = x ^ rotated(y, rotation)
            x = x + keys[(block + 1) % 3]
            y = y + (keys[(block + 2) % 3] + (block + 1))
    return x, y


def uniform(seed, epoch, index, draw):
    """Numbers in [0, 1), each a pure function of its four arguments.

    Args:
        seed: integer, 0 <= seed < 2**32.
        epoch: integer, the pass over the data; a scalar tensor inside a graph.
        index: integer array, the examples' positions in their set.
        draw: integer or integer array that broadcasts against `index`: which number of the example.

    Returns:
        float32 array of the shape of `index` broadcast with `draw`, a tensor when an argument is one; all are multiples
        of 2**-24.

    Example:
        >>> bool(uniform(0, 3, np.arange(9), 16)[4] == uniform(0, 3, np.array([4]), 16)[0])
        True
    """
    xp = ops.of(seed, epoch, index, draw)
    bits, _ = threefry((seed, epoch), (index, draw))
    return xp.cast(xp.shift_right(bits, 8), "float32") * 2.0**-24


def permutation(seed, epoch, size, purpose=SHUFFLE):
    """An order of 0..size-1, a pure function of its arguments.

    Args:
        seed: integer, 0 <= seed < 2**32.
        epoch: integer, or a scalar tensor.
        size: integer, how many.
        purpose: the last word of the hash: one of this module's constants.

    Returns:
        Integer array `(size,)`, a tensor when `epoch` is one. It costs 5 ms for 60 000.
    """
    xp = ops.of(epoch)
    high, low = threefry((seed, epoch), (xp.arange(size), purpose))
    return xp.argsort(xp.cast(high, "int64") * 2**31 + xp.cast(xp.shift_right(low, 1), "int64"))
