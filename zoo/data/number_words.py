"""Numbers in English words."""

import numpy as np

from zoo.data import random

BELOW_20 = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
# Digits of the largest, and how many are drawn: small ones come again and again, and count once.
DIGITS, DRAWS = 6, 500_000


def in_words(number):
    """A number in English words.

    Args:
        number: an integer, 0 to 999 999.

    Returns:
        A string.

    Example:
        >>> in_words(7012), in_words(340_000), in_words(21)
        ('seven thousand and twelve', 'three hundred and forty thousand', 'twenty-one')
    """
    if number < 20:
        return BELOW_20[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f"-{BELOW_20[number % 10]}" if number % 10 else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    rest = number % size
    # "And" stands before the last two digits.
    joint = "" if not rest else " and " if rest < 100 else " "
    return f"{in_words(number // size)} {name}{joint}{in_words(rest) if rest else ''}"


def keys(seed):
    """Different numbers below a million, of any number of digits alike as far as there are enough of them.

    Args:
        seed: integer; the same seed gives the same numbers in the same order.

    Returns:
        An integer array of more than 140 000.
    """
    draws = random.uniform(seed, 0, np.arange(DRAWS)[:, None], random.AUGMENT + np.arange(2)).astype("float64")
    digits = (draws[:, 0] * DIGITS).astype(int)
    first = np.where(digits == 0, 0, 10**digits)
    drawn = first + (draws[:, 1] * (10 ** (digits + 1) - first)).astype(int)
    return np.array(list(dict.fromkeys(drawn.tolist())))


def pairs(numbers, seed=None):
    """Numbers in words, and in digits.

    Args:
        numbers: integer array, 0 to 999 999.
        seed: not used: a number is written in one way only.

    Returns:
        A list of pairs of strings.

    Example:
        >>> pairs(np.array([21]))
        [('twenty-one', '21')]
    """
    return [(in_words(number), str(number)) for number in np.asarray(numbers).tolist()]
