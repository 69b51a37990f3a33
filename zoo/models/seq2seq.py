"""Sequence to sequence: an encoder that reads a text, and a decoder that writes another one, with attention or without.

Sutskever, Vinyals, Le 2014, Sequence to sequence learning with neural networks, NeurIPS, arXiv:1409.3215; Cho et al.
2014, Learning phrase representations using RNN encoder-decoder, EMNLP, arXiv:1406.1078; Bahdanau, Cho, Bengio 2015,
Neural machine translation by jointly learning to align and translate, ICLR, arXiv:1409.0473.
"""

import functools

import keras

from zoo.additive_attention import AttentionCell
from zoo.code_points import MARK, padded, text_of
from zoo.errors import ZooError, choose, require
from zoo.greedy import Greedy
from zoo.models import _inputs
from zoo.registry import register
from zoo.symbols import Characters

ASCII = "".join(map(chr, range(32, 127)))
CELLS = {"gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell, "simple_rnn": keras.layers.SimpleRNNCell}
LAYERS = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM, "simple_rnn": keras.layers.SimpleRNN}
# Texts that are answered at once.
BATCH = 256


@keras.saving.register_keras_serializable("zoo")
class Seq2Seq(keras.Model):
    """A Functional model of a text and what was written so far, `{"source": ..., "target": ...}`, to logits.

    Args:
        *args: inputs and outputs, as for `keras.Model`.
        longest: integer >= 1, how many characters `transduce` writes at most.
        **kwargs: as for `keras.Model`.

    Example:
        >>> import zoo
        >>> model = zoo.build("seq2seq", target_vocabulary="0123456789-", units=8, embedding=4, longest=10)
        >>> [len(text) <= 10 for text in model.transduce(["3 May 1998", "May 4, 1998"])]
        [True, True]
        >>> text, weights = model.attend("3 May 1998")
        >>> weights.shape == (len(text), len("3 May 1998"))
        True
    """

    # Keras rebuilds a Functional subclass of further arguments by these two names.
    def __init__(self, *args, longest, **kwargs):
        super().__init__(*args, **kwargs)
        self.longest = longest

    def get_config(self):
        return {**super().get_config(), "longest": self.longest}

    @property
    def source_symbols(self):
        """The `zoo.symbols.Characters` of what is read."""
        return self.get_layer("encoder").get_layer("source_symbols")

    @property
    def target_symbols(self):
        """The `zoo.symbols.Characters` of what is written; the mark "\\n" is one of them."""
        return self.get_layer("target_symbols")

    @property
    def attentive(self):
        """Whether the decoder attends."""
        return isinstance(self.get_layer("decoder").cell, AttentionCell)

    @functools.cached_property
    def transducer(self):
        """The `keras.Model` that writes: code points (batch, characters) to what `zoo.greedy.Greedy` answers."""
        encoder, decoder = self.get_layer("encoder"), self.get_layer("decoder")
        layers = self.get_layer("target_embedding"), decoder, self.get_layer("logits")
        source = keras.Input((None,), dtype="int32", name="source")
        states = _packed(encoder(source), decoder.cell)
        greedy = Greedy(self.target_symbols, MARK, *layers, self.attentive, self.longest, name="greedy")
        return keras.Model(source, greedy(states), name=f"{self.name}_transducer")

    def encode(self, texts):
        """Texts as the graph takes them.

        Args:
            texts: a list of strings, each of one character or more.

        Returns:
            Their code points, int32 (texts, characters of the longest, or 2); 0 behind the end of each.

        Raises:
            ZooError: no such list.
        """
        works = "a list of strings, each of one character or more"
        fits = isinstance(texts, list | tuple) and all(isinstance(text, str) for text in texts)
        require(fits, "texts", texts, works)
        kept = [text.replace("\0", "") for text in texts]  # U+0000 is padding
        require(kept and all(kept), "texts", texts, works)
        return padded(kept, max(2, *map(len, kept)))  # of a single place to look at Keras warns

    def transduce(self, texts):
        """What the model writes for each text, always the likeliest next character.

        Characters that it was not trained on are unknown to it, and answered all the same.

        Args:
            texts: a list of strings, each of one character or more.

        Returns:
            A list of strings, of `longest` characters at most.

        Raises:
            ZooError: no such list.
        """
        codes = self.encode(texts)
        parts = [self._written(codes[first : first + BATCH])["codes"] for first in range(0, len(codes), BATCH)]
        return [text_of(row) for part in parts for row in part]

    def attend(self, text):
        """What the model writes for a text, and where it looked for each character of it.

        Args:
            text: a string of one character or more.

        Returns:
            The string, and float32 weights (its characters, the text's characters), of which each row's sum is 1.

        Raises:
            ZooError: no such string, or a model without attention.
        """
        if not self.attentive:
            raise ZooError(f"{self.name} was built with attention=False: it has no weights to show")
        written = self._written(self.encode([text]))
        answer = text_of(written["codes"][0])
        return answer, written["weights"][0, : len(answer), : len(text)]

    def _written(self, codes):
        return self.transducer.predict_on_batch(codes)


def _packed(states, cell):
    """The decoder's initial states, as its cell has them, of a flat list."""
    states = states if isinstance(states, list) else [states]  # of one output Keras makes no list
    cells = (cell.cell if isinstance(cell, AttentionCell) else cell).cells
    waiting = iter(states)
    pairs = isinstance(cells[0], keras.layers.LSTMCell)
    own = [[next(waiting), next(waiting)] if pairs else next(waiting) for _ in cells]
    return [*own, *waiting]


def _encoder(symbols, units, cell, layers, embedding, attention, bidirectional, dropout):
    """The model of a text's code points to the decoder's initial states, a flat list."""
    source = keras.Input((None,), dtype="int32", name="source")
    places = symbols(source)
    # Places of padding carry the state along, from either side.
    x = keras.layers.Embedding(symbols.size, embedding, mask_zero=True, name="source_embedding")(places)
    states = []
    for index in range(1, layers + 1):
        x = keras.layers.Dropout(dropout, name=f"source_dropout{index}")(x) if dropout else x
        layer = LAYERS[cell](units, return_sequences=True, return_state=True, name=f"encode{index}")
        layer = keras.layers.Bidirectional(layer, name=f"encode{index}") if bidirectional else layer
        x, *last = layer(x)
        if bidirectional:
            pairs = zip(last[: len(last) // 2], last[len(last) // 2 :], strict=True)
            last = [
                keras.layers.Dense(units, "tanh", name=f"state{index}_{number}")(keras.layers.concatenate(pair))
                for number, pair in enumerate(map(list, pairs), start=1)
            ]
        states += last
    if attention:
        present = keras.ops.cast(keras.ops.not_equal(places, 0), "float32")
        keys = keras.layers.Dense(units, use_bias=False, name="attention_keys")(x)
        states += [x, keys, present]
    return keras.Model(source, states, name="encoder")


@register
def seq2seq(
    source_vocabulary=ASCII,
    target_vocabulary=ASCII,
    units=256,
    cell="gru",
    layers=1,
    embedding=64,
    attention=True,
    bidirectional=True,
    dropout=0.0,
    longest=64,
):
    """A text to another one, character by character (Bahdanau et al. 2015; without attention Sutskever et al. 2014).

        source  code points -> embedding -> recurrent layers, both ways: h_1 ... h_S
        target  the characters before -> embedding -> recurrent layers, each step beside the context c -> logits
        c       sum_j a_j h_j, a = softmax(v . tanh(W s + U h_j)), s the decoder's last output: see
                `zoo.additive_attention`

    The decoder starts from the encoder's last states: read one way, from these themselves; read both ways, from a dense
    layer with tanh of both. Without attention they are all that it knows of the source.

    The graph is what is trained, with the right characters before each (teacher forcing). `transduce` writes by itself,
    in one compiled loop that carries the states; that is what is exported.

    Args:
        source_vocabulary: a string of the distinct characters that are read; others are unknown. `zoo.data.text_pairs`
            has those of its training part.
        target_vocabulary: a string of the distinct characters that are written. The line break is added, which stands
            before the first one and behind the last.
        units: integer >= 1, of each recurrent layer, and of the attention.
        cell: "gru", the paper's, "lstm" or "simple_rnn".
        layers: integer >= 1, recurrent layers of the encoder and of the decoder.
        embedding: integer >= 1, numbers for each character.
        attention: whether the decoder looks at the encoder's outputs.
        bidirectional: whether the encoder reads from both ends.
        dropout: number >= 0 and < 1, the part that is dropped in training before each layer of the encoder, before the
            decoder, and before the logits.
        longest: integer >= 1, how many characters are written at most.

    Returns:
        A `Seq2Seq`: a `keras.Model` of int32 code points `{"source": (batch, characters), "target": (batch,
        characters)}`, 0 for padding on the right, to logits (batch, target's characters, target_symbols.size).

    Raises:
        ZooError: a value that is not named above.

    Differences from the papers:
        - Characters instead of words, and no beam search.
        - Sutskever et al. turn the source around, to bring its beginning near to the answer's; Bahdanau et al. start
          the decoder from the encoder's backward state alone, and put a maxout layer before the logits. Here the logits
          are of the decoder's output and the context.
        - Keras' GRU, which resets behind the matrix product instead of before it.

    Example:
        >>> import zoo
        >>> model = zoo.build("seq2seq", source_vocabulary="abc", target_vocabulary="xyz", units=8, embedding=4)
        >>> model.output_shape, model.target_symbols.vocabulary
        ((None, None, 6), '\\nxyz')
    """
    for name, vocabulary in (("source_vocabulary", source_vocabulary), ("target_vocabulary", target_vocabulary)):
        require(isinstance(vocabulary, str) and vocabulary, name, vocabulary, "a string of distinct characters")
    for name, value in dict(units=units, layers=layers, embedding=embedding, longest=longest).items():
        _inputs.integer(name, value, 1)
    choose("cell", cell, CELLS)
    for name, value in dict(attention=attention, bidirectional=bidirectional).items():
        require(isinstance(value, bool), name, value, "True or False")
    _inputs.number("dropout", dropout, below=1)
    symbols = Characters("".join(sorted(source_vocabulary)), name="source_symbols")
    marked = target_vocabulary if MARK in target_vocabulary else MARK + target_vocabulary
    written = Characters("".join(sorted(marked)), name="target_symbols")

    encoder = _encoder(symbols, units, cell, layers, embedding, attention, bidirectional, dropout)
    decoder = keras.layers.StackedRNNCells([CELLS[cell](units) for _ in range(layers)])
    if attention:
        decoder = AttentionCell(decoder, units, units * (2 if bidirectional else 1))
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in ("source", "target")}
    x = keras.layers.Embedding(written.size, embedding, name="target_embedding")(written(inputs["target"]))
    x = keras.layers.Dropout(dropout, name="target_dropout")(x) if dropout else x
    states = _packed(encoder(inputs["source"]), decoder)
    x = keras.layers.RNN(decoder, return_sequences=True, name="decoder")(x, initial_state=states)
    x = keras.layers.Dropout(dropout, name="logits_dropout")(x) if dropout else x
    # Logits are float32 under every precision policy.
    x = keras.layers.Dense(written.size, dtype="float32", name="logits")(x)
    return Seq2Seq(inputs, x, longest=longest, name="seq2seq")
