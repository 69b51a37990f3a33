"""Recurrent networks that read, classify and write: the plain one, long short-term memory, gated recurrent units.

Elman 1990, Finding structure in time, Cognitive Science 14(2); Hochreiter, Schmidhuber 1997, Long short-term memory,
Neural Computation 9(8); Gers, Schmidhuber, Cummins 2000, Learning to forget, Neural Computation 12(10); Cho et al.
2014, Learning phrase representations using RNN encoder-decoder, arXiv:1406.1078.
"""

import functools
import math

import keras

from zoo.errors import ZooError, choose, require
from zoo.language_model import LanguageModel, Recurrent
from zoo.lstm import LSTM
from zoo.models import _inputs
from zoo.normalized_cells import CELLS, ForgetBias
from zoo.registry import register
from zoo.symbols import PADDING, symbols

PRINTABLE = "\n" + "".join(map(chr, range(32, 127)))
LAYERS = {"simple_rnn": keras.layers.SimpleRNN, "lstm": LSTM, "gru": keras.layers.GRU}
STATES = {"simple_rnn": 1, "lstm": 2, "gru": 1}


@register
def recurrent(
    cell="lstm",
    vocabulary=None,
    input_shape=None,
    num_classes=None,
    units=256,
    layers=1,
    embedding=None,
    bidirectional=False,
    dropout=0.0,
    recurrent_dropout=0.0,
    layer_norm=False,
    tied=False,
    forget_bias=1.0,
    reset_after=True,
    carry=0,
    normalization=None,
    target=None,
):
    """A recurrent network: a language model of texts, or a classifier or regressor of texts, images or series.

        text -> one-hot 98 -> LSTM 256 -> logits 98 after each character      (388 706 parameters)

    The cell's equations, with the sigmoid s, the input x_t and the state h_t:

        simple_rnn    h_t = tanh(W x_t + U h_{t-1} + b)
        lstm          i, f, o = s(W x_t + U h_{t-1} + b), g = tanh(W x_t + U h_{t-1} + b)
                      c_t = f c_{t-1} + i g,  h_t = o tanh(c_t)
        gru           z, r = s(W x_t + U h_{t-1} + b), g = tanh(W x_t + r (U h_{t-1} + b_U) + b)
                      h_t = z h_{t-1} + (1 - z) g

    Recurrent weights start orthogonal, input weights by Glorot's rule.

    Args:
        cell: "simple_rnn", "lstm" or "gru".
        vocabulary: for texts. A string of the characters that are told apart, or a list of words; what is not in it is
            "unknown". None is printable ASCII and the line feed, unless `input_shape` is given.
        input_shape: for other sequences than texts. (steps, features) of numbers, steps None for any; or (height,
            width, channels) of raw pixels 0..255, which are read row by row.
        num_classes: None for a language model; an integer >= 2 for a classifier, 1 for a regressor, which answer from
            the last state. Of texts, padding on the right (0) is left out.
        units: width of each layer's state, an integer >= 1.
        layers: recurrent layers on top of each other, an integer >= 1.
        embedding: numbers that each symbol is turned into, an integer >= 1; None is one-hot.
        bidirectional: whether each layer reads forth and back. Not for a language model, which would see the symbol
            that it is to tell.
        dropout: 0 <= number < 1, the part of each layer's outputs that is dropped in training, each step anew
            (Zaremba, Sutskever, Vinyals 2014: never between steps).
        recurrent_dropout: 0 <= number < 1, the part of h_{t-1} that is dropped, the same at each step of a sequence
            (Gal, Ghahramani 2016).
        layer_norm: whether the cell's sums are normalised (Ba, Kiros, Hinton 2016); see `zoo.normalized_cells`.
        tied: whether the embedding's weights are those of the output layer too (Press, Wolf 2017), which then has no
            bias; for language models with `embedding` equal to `units`.
        forget_bias: where the bias of an LSTM's forget gate starts (Gers et al. 2000; Jozefowicz et al. 2015: 1).
        reset_after: for a GRU, whether the reset gate works behind the multiplication by U, as above and as in cuDNN;
            False is as published, before it: g = tanh(W x_t + U (r h_{t-1}) + b).
        carry: for language models, the texts in a batch whose states go on from batch to batch; see `LanguageModel`.
        normalization: for (steps, features), (means, variances): two lists of a number for each feature.
        target: for regression, (mean, standard deviation) of the target; the output is in its units.

    Returns:
        A `zoo.language_model.LanguageModel` from raw text int32 (batch, time) to logits (batch, time, symbols), where a
        text is given as code points, or as places in the vocabulary of words (`model.symbols.encode`); or a
        `zoo.language_model.Recurrent` to logits (batch, num_classes) or numbers (batch, 1).

    Raises:
        ZooError: a value that is not named above, or two that exclude each other.

    Differences from the papers:
        - The LSTM of 1997 has no forget gate; this is the one of 2000, without peepholes.
        - GRU: z and 1 - z stand the other way round in some texts; b_U is there with `reset_after` alone.

    Example:
        >>> import zoo
        >>> zoo.build("lstm").count_params(), zoo.build("gru", input_shape=(8, 8, 1), num_classes=10).output_shape
        (388706, (None, 10))
    """
    choose("cell", cell, LAYERS)
    for argument, value in (("units", units), ("layers", layers)):
        _inputs.integer(argument, value, 1)
    if embedding is not None:
        _inputs.integer("embedding", embedding, 1)
    for argument, value in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
        _inputs.number(argument, value, below=1)
    real = isinstance(forget_bias, int | float) and math.isfinite(forget_bias)
    require(real, "forget_bias", forget_bias, "a finite number")
    if num_classes is not None:
        _inputs.integer("num_classes", num_classes, 1)
    _exclude(vocabulary, input_shape, num_classes, embedding, bidirectional, units, tied, carry, normalization, target)

    layer = functools.partial(_layer, cell, units, recurrent_dropout, layer_norm, float(forget_bias), reset_after)
    if input_shape is None:
        reading = symbols(PRINTABLE if vocabulary is None else vocabulary)
        if num_classes is None:
            return _language_model(layer, STATES[cell], reading, units, layers, embedding, dropout, tied, carry)
        inputs = keras.Input((None,), dtype="int32", name="text")
        places = reading(inputs)
        x, mask = _embedded(reading, embedding)(places), keras.ops.not_equal(places, PADDING)
    else:
        inputs, x = _series(input_shape, normalization)
        mask = None
    for index in range(1, layers + 1):
        each = layer(index, return_sequences=index < layers)
        each = keras.layers.Bidirectional(each, name=f"bidirectional{index}") if bidirectional else each
        x = each(x, mask=mask) if mask is not None else each(x)
        x = keras.layers.Dropout(dropout, name=f"dropout{index}")(x) if dropout else x
    x = keras.layers.Dense(num_classes, dtype="float32", name="output")(x)
    if target is not None:
        x = _inputs.in_units(x, target)
    return Recurrent(inputs, x, name="recurrent")


def _exclude(vocabulary, input_shape, num_classes, embedding, bidirectional, units, tied, carry, normalization, target):
    """Raises for arguments that exclude each other."""
    language = input_shape is None and num_classes is None
    if input_shape is not None:
        works = "(steps, features), steps None for any number, or (height, width, channels), integers >= 1"
        fits = isinstance(input_shape, list | tuple) and len(input_shape) in (2, 3)
        require(fits, "input_shape", input_shape, works)
        for argument, value in (("vocabulary", vocabulary), ("embedding", embedding)):
            require(value is None, argument, value, "None with input_shape: it is of texts")
        works = "an integer >= 2 for classes, or 1 for a number: without a text there is no language model"
        require(num_classes is not None, "num_classes", num_classes, works)
    else:
        require(normalization is None, "normalization", normalization, "None for texts: it is of (steps, features)")
    if language and bidirectional:
        raise ZooError(
            "a language model reads forth alone: reading back, it would see the symbol that it is to tell. "
            "Received: bidirectional=True. With num_classes it works"
        )
    if tied and not (language and embedding == units):
        raise ZooError(
            "tied weights are those of a language model whose embedding is as wide as its layers: "
            f"embedding={units}. Received: tied=True, embedding={embedding!r}, num_classes={num_classes!r}"
        )
    if not language:
        require(carry == 0, "carry", carry, "0 with num_classes: states are carried by language models")
    if target is not None:
        require(num_classes == 1, "target", target, "None for classes and languages; it is for num_classes=1")


def _layer(cell, units, recurrent_dropout, layer_norm, forget_bias, reset_after, index, **options):
    """One recurrent layer."""
    options |= dict(name=f"{cell}{index}")
    inner = dict(recurrent_dropout=recurrent_dropout)
    if cell == "lstm" and forget_bias != 1.0:
        inner |= dict(unit_forget_bias=False, bias_initializer=ForgetBias(forget_bias))
    if layer_norm:
        return keras.layers.RNN(CELLS[cell](units, **inner), **options)
    if cell == "gru":
        inner |= dict(reset_after=reset_after)
    return LAYERS[cell](units, **inner, **options)


def _language_model(layer, states, reading, units, layers, embedding, dropout, tied, carry):
    """A `LanguageModel` of layers that are each called with their states."""
    inputs = keras.Input((None,), dtype="int32", name="text")
    given = [keras.Input((units,), name=f"state{index}") for index in range(layers * states)]
    embed = _embedded(reading, embedding)
    x, kept = embed(reading(inputs)), []
    for index in range(1, layers + 1):
        begin = given[(index - 1) * states : index * states]
        x, *new = layer(index, return_sequences=True, return_state=True)(x, initial_state=begin)
        # float32 under every precision policy, as they come in: a loop over steps wants what it gave.
        kept += [keras.ops.cast(each, "float32") for each in new]
        x = keras.layers.Dropout(dropout, name=f"dropout{index}")(x) if dropout else x
    if tied:
        logits = keras.ops.cast(embed(x, reverse=True), "float32")
    else:
        logits = keras.layers.Dense(reading.size, dtype="float32", name="logits")(x)
    return LanguageModel(keras.Model([inputs, *given], [logits, *kept], name="stepper"), carry)


def _embedded(reading, embedding):
    """What makes numbers of places in the vocabulary."""
    if embedding is None:
        return functools.partial(keras.ops.one_hot, num_classes=reading.size)
    return keras.layers.ReversibleEmbedding(reading.size, embedding, name="embedding")


def _series(input_shape, normalization):
    """The input of what is no text, and what the first layer sees of it: (batch, steps, features)."""
    if len(input_shape) == 3:
        require(normalization is None, "normalization", normalization, "None for images: pixels are scaled to 0..1")
        height, width, channels = _inputs.shape(input_shape)
        inputs, x = _inputs.images((height, width, channels))
        return inputs, keras.layers.Reshape((height, width * channels), name="rows")(_inputs.scaled(x))
    steps, features = input_shape
    for size in (features,) if steps is None else (steps, features):
        _inputs.integer("each number in input_shape", size, 1)
    inputs = x = keras.Input((steps, features), name="features")
    if normalization is not None:
        x = _inputs.normalized(x, features, normalization)
    return inputs, x
