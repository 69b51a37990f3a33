"""How well a language model foretells a text: nats a symbol and perplexity, its states carried over the whole text."""

import keras
import numpy as np

from zoo.errors import ZooError, require
from zoo.symbols import UNKNOWN

# Symbols that are read at once; the states go on from one such part to the next.
PART = 1024


@keras.saving.register_keras_serializable("zoo")
class Perplexity(keras.metrics.SparseCategoricalCrossentropy):
    """exp of the mean cross-entropy: among how many equally likely symbols the next one is, as it were.

    Of logits and places in the vocabulary. See `keras.metrics.SparseCategoricalCrossentropy`, whose mean this is the
    exponential of.

    Example:
        >>> metric = Perplexity()
        >>> metric.update_state(np.zeros((1, 3)), np.zeros((1, 3, 5)))
        >>> round(float(metric.result()), 4)
        5.0
    """

    def __init__(self, name="perplexity", dtype=None):
        super().__init__(name=name, dtype=dtype, from_logits=True)

    def result(self):
        return keras.ops.exp(super().result())

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}


def nats(model, text):
    """Mean cross-entropy of a text's symbols, each foretold from all symbols before it.

    The states are carried from the text's beginning to its end. The first symbol, before which there is nothing, is not
    counted; a symbol that the vocabulary does not have counts as "unknown", with the likelihood that the model gives to
    that.

    Args:
        model: a `zoo.language_model.LanguageModel`.
        text: a string, or the raw int32 array (symbols,) that `model.symbols.encode` makes of one; two symbols or more.

    Returns:
        Nats a symbol, a float: its exponential is the perplexity, and divided by ln 2 it is bits.

    Raises:
        ZooError: fewer than two symbols.

    Example:
        >>> import zoo
        >>> model = zoo.build("lstm", vocabulary="ab", units=4)
        >>> _ = model.stepper.get_layer("logits").kernel.assign(np.zeros((4, 4)))
        >>> bool(np.isclose(nats(model, "abba"), np.log(4)))
        True
    """
    return float(surprises(model, text).mean())


def surprises(model, text):
    """What each symbol of a text but the first costs, -log of the likelihood that the model gave to it.

    Args:
        model, text: as of `nats`.

    Returns:
        A float64 array (symbols - 1,).

    Raises:
        ZooError: fewer than two symbols.
    """
    raw = model.symbols.encode(text) if isinstance(text, str) else np.asarray(text, "int32")
    if len(raw) < 2:
        raise ZooError(f"perplexity is of texts of two symbols or more: the first is given. Received: {len(raw)}")
    targets = np.maximum(model.symbols.indices(raw[1:]), UNKNOWN)
    states = [keras.ops.convert_to_numpy(each) for each in model.initial_state(1)]
    found = []
    for begin in range(0, len(targets), PART):
        part = raw[begin : min(begin + PART, len(targets))]
        logits, *states = model.stepper.predict_on_batch([part[None], *states])
        found.append(cross_entropy(logits[0].astype("float64"), targets[begin : begin + len(part)]))
    return np.concatenate(found)


def cross_entropy(logits, targets):
    """That of each symbol: of logits (symbols, vocabulary) and places (symbols,), NumPy arrays."""
    highest = logits.max(-1, keepdims=True)
    normalizer = np.log(np.exp(logits - highest).sum(-1)) + highest[:, 0]
    return normalizer - logits[np.arange(len(targets)), targets]


def carried_over(model, data, part):
    """A measure for recipes of language models (`zoo.Recipe.measures`): a part of the data read from end to end.

    Args:
        model: a `LanguageModel`.
        data: as `zoo.data.text` makes it.
        part: "train", "validation" or "test".

    Returns:
        A dict: `nats` a symbol and `carried_perplexity` of the part with states carried; with the test part also
        `nats_held_out`, those of validation and test text in one piece.

    Raises:
        ZooError: data whose parts are no texts.
    """
    require(hasattr(data.train, "text_symbols"), "data", data, "texts, as zoo.data.text makes them")
    found = nats(model, data.parts[part].text_symbols)
    scores = {"nats": found, "carried_perplexity": float(np.exp(found))}
    if part == "test" and data.validation is not None:
        held_out = np.concatenate([data.validation.text_symbols, data.test.text_symbols])
        scores["nats_held_out"] = nats(model, held_out)
    return scores
