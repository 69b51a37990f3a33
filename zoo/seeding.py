"""The run's seed: set once, remembered for whoever asks."""

from zoo.errors import require

_seed = 0


def seed_everything(seed):
    """Seeds Python, numpy and the Keras backend, and remembers the seed for the data functions.

    Args:
        seed: an integer, 0 <= seed < 2**32.

    Raises:
        ZooError: any other value.

    Example:
        >>> seed_everything(3)
        >>> current_seed()
        3
    """
    global _seed
    seed = check_seed(seed)
    import keras

    keras.utils.set_random_seed(seed)
    _seed = seed


def current_seed():
    """The seed of the last `seed_everything`, 0 before the first."""
    return _seed


def check_seed(seed):
    """Returns `seed` as an int, or the current seed for None.

    Raises:
        ZooError: anything but an integer in 0 <= seed < 2**32.
    """
    if seed is None:
        return _seed
    whole = isinstance(seed, int) or (hasattr(seed, "__index__") and getattr(seed, "ndim", 0) == 0)
    fits = whole and not isinstance(seed, bool) and 0 <= int(seed) < 2**32
    require(fits, "seed", seed, "an integer in 0 <= seed < 2**32")
    return int(seed)
