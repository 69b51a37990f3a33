"""Symbols: the characters or words that a model of text tells apart, and the layers with which its graph begins.

A graph takes numbers, so that it can be called, trained and converted anywhere: Unicode code points where symbols are
characters, places in the vocabulary where they are words. Only what is exported as a SavedModel takes strings.
"""

import re
from collections import Counter

import keras
import numpy as np

from zoo.errors import choose, require

# The places before the vocabulary's: what fills up short sequences, and what the vocabulary does not have.
PADDING, UNKNOWN, FIRST = 0, 1, 2
LEVELS = ("character", "word")
# What stands for an unknown symbol in a text.
REPLACEMENT = "\ufffd"
LAST_CODE_POINT = 0x10FFFF


def split_words(text):
    """Cuts a text into words and what stands between them.

    Args:
        text: a string.

    Returns:
        A list: runs of letters, digits and underscores, and every other character, whitespace included, by itself. Put
        together they are the text.

    Example:
        >>> split_words("To be, or")
        ['To', ' ', 'be', ',', ' ', 'or']
    """
    return re.findall(r"\w+|\W", text)


def vocabulary_of(text, level="character", limit=None):
    """The symbols of a text, or of texts.

    Args:
        text: a string, or strings; of training data alone, so that nothing is known of what a model is tested on.
        level: "character" or "word".
        limit: only the so many most frequent symbols, an integer >= 1; None takes all.

    Returns:
        At character level a string of distinct characters, by code point; at word level a tuple of words, the most
        frequent first, words as frequent as each other by code points.

    Raises:
        ZooError: a level that is none, or a limit below 1.

    Example:
        >>> vocabulary_of("to be or not"), vocabulary_of("to be, to", "word")
        (' benort', (' ', 'to', ',', 'be'))
    """
    choose("level", level, LEVELS)
    whole = limit is None or (isinstance(limit, int) and not isinstance(limit, bool) and limit >= 1)
    require(whole, "limit", limit, "an integer >= 1, or None")
    counts = Counter()
    for each in [text] if isinstance(text, str) else text:
        counts.update(each if level == "character" else split_words(each))
    # U+0000 cannot be told from padding.
    counts.pop("\0", None)
    ordered = sorted(counts, key=lambda symbol: (-counts[symbol], symbol))[:limit]
    return "".join(sorted(ordered)) if level == "character" else tuple(ordered)


def symbols_of(model):
    """The layer of `Characters` or `Words` with which a model of text begins, or None.

    Args:
        model: a built Functional `keras.Model`.
    """
    inside = (symbols_of(layer) if hasattr(layer, "layers") else layer for layer in model.layers)
    return next((layer for layer in inside if isinstance(layer, _Symbols)), None)


def symbols(vocabulary, name="symbols"):
    """The layer of a vocabulary: `Characters` of a string, `Words` of a list.

    Raises:
        ZooError: neither, an empty one, or one that holds a symbol twice.
    """
    return (Characters if isinstance(vocabulary, str) else Words)(vocabulary, name=name)


class _Symbols(keras.layers.Layer):
    """What both levels share: the places of a vocabulary's symbols."""

    def __init__(self, vocabulary, **options):
        super().__init__(**{"dtype": "int32", **options})
        fits = isinstance(vocabulary, str | list | tuple) and all(isinstance(each, str) and each for each in vocabulary)
        works = "a string of characters or a list of words, at least one, each once"
        require(
            fits and vocabulary and len(set(vocabulary)) == len(vocabulary), "vocabulary", _short(vocabulary), works
        )
        self.vocabulary = vocabulary if isinstance(vocabulary, str) else tuple(vocabulary)
        self.places = {symbol: place for place, symbol in enumerate(self.vocabulary, FIRST)}

    @property
    def size(self):
        """The number of places: the vocabulary's, one for padding, one for what is unknown."""
        return len(self.vocabulary) + FIRST

    def compute_output_shape(self, shape):
        return shape

    def compute_output_spec(self, raw):
        return keras.KerasTensor(raw.shape, "int32")

    def get_config(self):
        return {**super().get_config(), "vocabulary": self.vocabulary}

    def unknown(self, text):
        """The distinct symbols of a text that the vocabulary does not have, in order of appearance."""
        return list(dict.fromkeys(piece for piece in self.pieces(text) if piece not in self.places))

    def decode(self, indices):
        """The text of places in the vocabulary: nothing for padding, U+FFFD for what is unknown.

        Args:
            indices: a sequence of integers, 0 <= each < size.

        Returns:
            A string.
        """
        return "".join(("", REPLACEMENT, *self.vocabulary)[index] for index in np.asarray(indices).tolist())


@keras.saving.register_keras_serializable("zoo")
class Characters(_Symbols):
    """From Unicode code points to places in a vocabulary of characters.

    Place 0 is padding, code point 0; place 1 is every character that the vocabulary does not have; the vocabulary's
    follow in its order.

    Args:
        vocabulary: a string of distinct characters, without U+0000.

    Raises:
        ZooError: no such string.

    Example:
        >>> layer = Characters("abc")
        >>> layer.encode("cab?"), layer(layer.encode("cab?")).numpy()
        (array([99, 97, 98, 63], dtype=int32), array([4, 2, 3, 1], dtype=int32))
        >>> layer.decode([4, 2, 3, 1, 0])
        'cab�'
    """

    def __init__(self, vocabulary, **options):
        super().__init__(vocabulary, **options)
        fits = isinstance(vocabulary, str) and "\0" not in vocabulary
        require(fits, "vocabulary", _short(vocabulary), "a string without U+0000, which is padding")
        # One lookup in a table as long as the largest code point: half a megabyte with emoji, 160 KB for Chinese.
        self._table = np.full(max(map(ord, vocabulary)) + 2, UNKNOWN, "int32")
        self._table[[ord(each) for each in vocabulary]] = np.arange(FIRST, self.size)
        self._table[0] = PADDING

    def call(self, raw):
        known = keras.ops.clip(keras.ops.cast(raw, "int32"), 0, len(self._table) - 1)
        return keras.ops.take(keras.ops.convert_to_tensor(self._table), known, axis=0)

    def pieces(self, text):
        """The symbols of a text: its characters."""
        return list(text)

    def encode(self, text):
        """A text as the graph takes it: its code points, an int32 array (characters,)."""
        return np.frombuffer(text.encode("utf-32-le", "replace"), "<i4").astype("int32")

    def indices(self, raw):
        """Places of code points, as the layer answers them, in NumPy: an int32 array of the same shape."""
        return self._table[np.clip(raw, 0, len(self._table) - 1)]


@keras.saving.register_keras_serializable("zoo")
class Words(_Symbols):
    """Places in a vocabulary of words: what is beyond its end is unknown.

    Words are looked up before the graph, since they are no numbers: `encode` does so, and a SavedModel by itself. Place
    0 is padding, place 1 is every word that the vocabulary does not have; the vocabulary's follow in its order.

    Args:
        vocabulary: a list of distinct words, as `split_words` makes them.

    Raises:
        ZooError: no such list.

    Example:
        >>> layer = Words(["to", " ", "be"])
        >>> layer.encode("to see"), layer.decode(layer.encode("to see"))
        (array([2, 3, 1], dtype=int32), 'to �')
    """

    def __init__(self, vocabulary, **options):
        super().__init__(vocabulary, **options)
        require(not isinstance(vocabulary, str), "vocabulary", _short(vocabulary), "a list of words")

    def call(self, raw):
        raw = keras.ops.cast(raw, "int32")
        return keras.ops.where((raw < 0) | (raw >= self.size), UNKNOWN, raw)

    def pieces(self, text):
        """The symbols of a text: its words, and the characters between them."""
        return split_words(text)

    def encode(self, text):
        """A text as the graph takes it: places of its words, an int32 array (words,)."""
        return np.array([self.places.get(piece, UNKNOWN) for piece in split_words(text)], "int32")

    def indices(self, raw):
        """Places, as the layer answers them, in NumPy: an int32 array of the same shape."""
        raw = np.asarray(raw, "int32")
        return np.where((raw < 0) | (raw >= self.size), UNKNOWN, raw).astype("int32")


def _short(vocabulary):
    text = repr(vocabulary)
    return text if len(text) < 100 else f"{text[:100]}..."
