"""How good a model is that writes a text from a text: the share of its characters, and of its whole answers."""

import keras

from zoo.code_points import MARK, text_of
from zoo.symbols import PADDING


@keras.saving.register_keras_serializable("zoo")
class SymbolAccuracy(keras.metrics.Mean):
    """The share of symbols that are the likeliest ones where they stand, padding left out.

    In training and evaluation the right symbols before each are given, so that one mistake is one mistake.

    Args:
        name, dtype: as for `keras.metrics.Mean`.

    Example:
        >>> metric = SymbolAccuracy()
        >>> metric.update_state(np.array([[2, 1, 0]]), keras.ops.one_hot([[2, 2, 2]], 3))
        >>> float(metric.result())
        0.5
    """

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self._direction = "up"

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Counts symbols.

        Args:
            y_true: integer places (batch, symbols), 0 for padding.
            y_pred: logits or probabilities (batch, symbols, places).
            sample_weight: weights (batch,) or (batch, symbols), or None.
        """
        y_true = keras.ops.cast(y_true, "int32")
        right = keras.ops.cast(keras.ops.equal(keras.ops.argmax(y_pred, -1), y_true), self.dtype)
        kept = keras.ops.cast(keras.ops.not_equal(y_true, PADDING), self.dtype)
        if sample_weight is not None:
            weight = keras.ops.cast(sample_weight, self.dtype)
            kept = kept * (weight if len(weight.shape) == 2 else keras.ops.reshape(weight, (-1, 1)))
        # Flat: with a last axis of 1, Keras would take the weights for another one's.
        super().update_state(keras.ops.reshape(right, (-1,)), sample_weight=keras.ops.reshape(kept, (-1,)))


def wanted(model, stream):
    """What is given and what is wanted in a part of the data.

    Args:
        model: a `zoo.models.seq2seq.Seq2Seq`.
        stream: a stream of `zoo.data.text_pairs`.

    Returns:
        Two lists of strings. A character that the model cannot write is U+FFFD.
    """
    given, places = stream.arrays[:2]
    return [text_of(row) for row in given], [model.target_symbols.decode(row).removesuffix(MARK) for row in places]


def exact_match(model, data, part):
    """A measure of a recipe: the share of answers that the model writes right from the first character to the last.

    It writes by itself, with its own characters before each.

    Args:
        model: a `zoo.models.seq2seq.Seq2Seq`.
        data: a `zoo.Data` of `zoo.data.text_pairs`.
        part: "train", "validation" or "test".

    Returns:
        `{"exact_match": share}`.

    Example:
        >>> data = zoo.data.text_pairs("numbers", examples=20, seed=0)
        >>> model = zoo.build("seq2seq", target_vocabulary=data.statistics["target_vocabulary"], units=4, longest=6)
        >>> exact_match(model, data, "validation")
        {'exact_match': 0.0}
    """
    texts, answers = wanted(model, data.parts[part])
    written = model.transduce(texts)
    return {"exact_match": sum(map(str.__eq__, written, answers)) / len(answers)}
