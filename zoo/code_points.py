"""Texts as rows of Unicode code points, 0 behind the end of each, and back."""

import numpy as np

# What stands before the first character of an answer, and behind its last: so an answer is a line.
MARK = "\n"


def padded(texts, length=None):
    """The code points of texts, as rows of one array.

    Args:
        texts: a list of strings.
        length: of a row; None takes the longest text's, and 1 at least.

    Returns:
        An int32 array (texts, length), filled up with 0 on the right.

    Example:
        >>> padded(["Hi", "!"]).tolist()
        [[72, 105], [33, 0]]
    """
    found = np.zeros((len(texts), length or max(1, *map(len, texts))), "int32")
    for row, text in zip(found, texts, strict=True):
        row[: len(text)] = [ord(character) for character in text]
    return found


def text_of(codes):
    """The string of a row of code points, without those that are 0.

    Example:
        >>> text_of(np.array([72, 105, 0]))
        'Hi'
    """
    codes = np.asarray(codes)
    return "".join(map(chr, codes[codes > 0].tolist()))


def shifted(codes):
    """What is known of a text before each of its characters: the mark first, and its last character never.

    Args:
        codes: int array (texts, characters) of code points, each text closed by the mark.

    Returns:
        An array of the same shape.

    Example:
        >>> shifted(np.array([[72, 105, 10, 0]])).tolist()
        [[10, 72, 105, 10]]
    """
    return np.concatenate([np.full_like(codes[:, :1], ord(MARK)), codes[:, :-1]], axis=1)
