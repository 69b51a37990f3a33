"""Greedy writing: at each step the likeliest symbol, which is the next step's input, until the end."""

import keras

from zoo.symbols import FIRST


class Greedy(keras.layers.Layer):
    """The loop that writes, as a layer: compiled wherever the graph around it is, its states carried along.

    What it costs is a step of the decoder for each symbol; it stops when every row has ended.

    Args:
        symbols: the `zoo.symbols.Characters` of what is written.
        mark: the character that stands before the first one and behind the last.
        embedding: the layer from places in the vocabulary to vectors.
        decoder: a `keras.layers.RNN` of a `keras.layers.StackedRNNCells` or a `zoo.additive_attention.AttentionCell`.
        logits: the layer from what the decoder answers to logits.
        attention: whether the decoder attends.
        longest: integer >= 1, how many characters are written at most.

    Example:
        >>> model = zoo.build("seq2seq", target_vocabulary="ab", units=4, embedding=3, longest=5)
        >>> written = model.transducer(model.source_symbols.encode("3 May")[None])
        >>> {name: tuple(value.shape) for name, value in written.items()}
        {'codes': (1, 5), 'log_probability': (1,), 'weights': (1, 5, 5)}
    """

    def __init__(self, symbols, mark, embedding, decoder, logits, attention, longest, **options):
        super().__init__(**options)
        self.end = symbols.places[mark]
        self.table = [0] * FIRST + [ord(character) for character in symbols.vocabulary]
        self.embedding = embedding
        self.cell = decoder.cell
        self.logits = logits
        self.attention = attention
        self.longest = longest
        self.supports_masking = True  # of padding it is told by the states

    def compute_mask(self, inputs, previous_mask):
        return None

    def call(self, states):
        """Writes.

        Args:
            states: the decoder's initial states.

        Returns:
            A dict: `codes` (batch, longest), int32 code points, 0 behind the end; `log_probability` (batch,), the
            logarithm of the model's probability of the whole, with its end where it came to one; with attention
            `weights` (batch, longest, places), where each step looked, 0 behind the end.
        """
        ops = keras.ops
        states = keras.tree.map_structure(lambda state: ops.cast(state, self.cell.compute_dtype), states)
        states, seen = (states[:-3], states[-3:]) if self.attention else (states, ())
        rows = ops.shape(keras.tree.flatten(states)[0])[0]
        held = {
            "step": ops.zeros((), "int32"),
            "ended": ops.zeros((rows,), "bool"),
            "last": ops.full((rows,), self.end, "int32"),
            "codes": ops.zeros((rows, self.longest), "int32"),
            "log_probability": ops.zeros((rows,), "float32"),
            "states": states,
        }
        if self.attention:
            held["weights"] = ops.zeros((rows, self.longest, ops.shape(seen[0])[1]), "float32")

        def going(held):
            return ops.logical_and(held["step"] < self.longest, ops.logical_not(ops.all(held["ended"])))

        def write(held):
            inputs = self.embedding(held["last"])
            if self.attention:
                output, weights, states = self.cell.attend(inputs, held["states"], *seen)
            else:
                output, states = self.cell(inputs, held["states"])
                states = keras.tree.pack_sequence_as(held["states"], keras.tree.flatten(states))
            scores = ops.log_softmax(self.logits(output))
            # Padding and what is unknown cannot be written.
            best = ops.cast(ops.argmax(scores[:, FIRST:], -1), "int32") + FIRST
            score = ops.take_along_axis(scores, best[:, None], 1)[:, 0]
            ended = ops.logical_or(held["ended"], best == self.end)
            code = ops.where(ended, 0, ops.take(ops.convert_to_tensor(self.table, "int32"), best))
            here = ops.arange(self.longest) == held["step"]
            found = {
                "step": held["step"] + 1,
                "ended": ended,
                "last": best,
                "codes": ops.where(here, code[:, None], held["codes"]),
                "log_probability": held["log_probability"] + ops.where(held["ended"], 0.0, score),
                "states": states,
            }
            if self.attention:
                looked = ops.where(ended[:, None], 0.0, ops.cast(weights, "float32"))
                found["weights"] = ops.where(here[:, None], looked[:, None], held["weights"])
            return (found,)

        (held,) = ops.while_loop(going, write, (held,))
        return {name: held[name] for name in ("codes", "log_probability", "weights") if name in held}
