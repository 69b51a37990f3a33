"""Texts at the two ends of a SavedModel: strings to what a graph of text takes, and symbols to strings.

What the layers of `zoo.symbols` do in Python, as operations of TensorFlow.
"""

import numpy as np

from zoo import code_points
from zoo.errors import ZooError
from zoo.symbols import FIRST, PADDING, REPLACEMENT, UNKNOWN, Characters

# `zoo.symbols.split_words` in the syntax of RE2.
WORDS = r"([\p{L}\p{N}_]+|(?s:.))"
# A byte that UTF-8 does not have, so that no text does.
CUT = b"\xff"


class Strings:
    """The strings of a vocabulary, in a graph.

    Args:
        symbols: a layer of `zoo.symbols`.

    Attributes:
        held: what a SavedModel must keep track of: the table of words.
    """

    def __init__(self, symbols):
        import tensorflow as tf

        self.symbols = symbols
        self.characters = isinstance(symbols, Characters)
        self.held = []
        if not self.characters:
            words = tf.lookup.KeyValueTensorInitializer(
                tf.constant(symbols.vocabulary), tf.range(FIRST, symbols.size, dtype=tf.int32)
            )
            self._places = tf.lookup.StaticHashTable(words, UNKNOWN)
            self.held.append(self._places)

    def encode(self, texts):
        """Texts as raw input of a graph.

        Args:
            texts: a string tensor (n,), in UTF-8; bytes that are not are read as U+FFFD.

        Returns:
            A ragged int32 tensor (n, symbols) without U+0000, which is padding.
        """
        import tensorflow as tf

        if self.characters:
            raw = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
            return tf.ragged.boolean_mask(raw, tf.not_equal(raw, PADDING))
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        pieces = tf.strings.split(tf.strings.regex_replace(texts, WORDS, rb"\1" + CUT), CUT)[:, :-1]
        return tf.ragged.map_flat_values(self._places.lookup, pieces)

    def decode(self, places):
        """The texts of places in the vocabulary.

        Args:
            places: int32 (n, symbols).

        Returns:
            A string tensor (n,), in UTF-8.
        """
        import tensorflow as tf

        if self.characters:
            points = tf.constant([0, *map(ord, REPLACEMENT + self.symbols.vocabulary)])
            return tf.strings.unicode_encode(tf.gather(points, places), "UTF-8")
        words = tf.constant(["", REPLACEMENT, *self.symbols.vocabulary])
        return tf.strings.reduce_join(tf.gather(words, places), axis=-1)

    def padded(self, texts):
        """Texts as the graph takes them, shorter ones filled up with padding on the right; one column at least."""
        import tensorflow as tf

        raw = self.encode(texts).to_tensor(PADDING)
        return tf.pad(raw, ((0, 0), (0, tf.cast(tf.shape(raw)[1] < 1, tf.int32))))


def left_padded(raw, instead):
    """Texts that end together.

    Args:
        raw: a ragged int32 tensor (n, symbols).
        instead: what stands for an empty text.

    Returns:
        int32 (n, time), filled up with padding on the left.
    """
    import tensorflow as tf

    empty = tf.cast(tf.equal(raw.row_lengths(), 0), tf.int64)
    fill = tf.RaggedTensor.from_row_lengths(tf.fill([tf.reduce_sum(empty)], instead), empty)
    raw = tf.concat([raw, fill], axis=1)
    return tf.reverse(tf.reverse_sequence(raw.to_tensor(PADDING), raw.row_lengths(), seq_axis=1), [1])


def refuse_numeric(model, formats):
    """Raises where texts are to be written as a file of numbers alone.

    LiteRT's converter refuses loops over any number of steps, and ONNX files of masked ones answer otherwise.

    Raises:
        ZooError: naming the formats.
    """
    numeric = [format for format in formats if format != "savedmodel"]
    if numeric:
        raise ZooError(
            f"{' and '.join(numeric)} files take numbers of a fixed count, and {model.name} takes texts of any length: "
            "export a SavedModel, which takes strings"
        )


def texts_of(symbols, batch):
    """Texts to check an export with.

    Args:
        symbols: a layer of `zoo.symbols`.
        batch: strings, or rows of raw input as the model takes them, filled up with padding.

    Returns:
        A list of at most 32 strings.
    """
    return [each if isinstance(each, str) else text_of(symbols, each) for each in list(batch)[:32]]


def text_of(symbols, raw):
    """The string of raw input: of code points, or of places in the vocabulary of words."""
    return code_points.text_of(raw) if isinstance(symbols, Characters) else symbols.decode(raw)


def random_texts(symbols, lengths):
    """Texts of random symbols, always the same ones.

    Args:
        symbols: a layer of `zoo.symbols`.
        lengths: symbols of each.
    """
    random = np.random.default_rng(0)
    return [symbols.decode(random.integers(FIRST, symbols.size, length)) for length in lengths]


def raw_of(symbols, texts):
    """Texts as the model takes them, in NumPy: int32 (n, time), filled up on the right, one column at least."""
    rows = [symbols.encode(text) for text in texts]
    rows = [row[row != PADDING] for row in rows]
    found = np.full((len(rows), max(1, *map(len, rows))), PADDING, "int32")
    for row, symbols_of_text in zip(found, rows, strict=True):
        row[: len(symbols_of_text)] = symbols_of_text
    return found
