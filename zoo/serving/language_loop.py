"""Writing, and reading, symbol by symbol, as operations of TensorFlow: what `zoo.write` runs and a SavedModel holds.

Both run the same operations, so that the same seed gives the same text. XLA is left out: on a processor its loop is
faster than TensorFlow's, but it is compiled anew for each number of prompts, for longer than it takes to write some ten
thousand characters; it rounds otherwise; and not every server of SavedModels has it.
"""

import keras

from zoo.symbols import FIRST, PADDING

# Symbols that one step of reading looks at: a text of any length takes this much memory.
READ_AT_ONCE = 256


def stepping(stepper, symbols):
    """A model of language as a function of one symbol.

    Recurrent layers are what costs: each is a loop of its own over the time, here over one step. So their cells are
    called instead, and places in the vocabulary go in as they come out.

    Args:
        stepper, symbols: those of a `zoo.language_model.LanguageModel`.

    Returns:
        A function of the places (n,) of symbols, and a list of states, that returns float32 logits (n, size) of the
        next symbols, and the new states.
    """
    import tensorflow as tf

    def called(layer, *arguments, **options):
        if isinstance(layer, keras.layers.RNN):
            return _OneStep(layer)(*arguments, **options)
        return keras.layers.Identity()(*arguments) if layer is symbols else layer(*arguments, **options)

    network = keras.models.clone_model(stepper, clone_function=lambda layer: layer, call_function=called)

    def step(places, states):
        logits, *new = network([places[:, None], *states], training=False)
        return tf.cast(logits[:, 0], tf.float32), new

    return step


class _OneStep(keras.layers.Layer):
    """A recurrent layer's cell, called as the layer is on sequences of one step."""

    def __init__(self, layer):
        super().__init__(dtype=layer.dtype_policy)
        self.layer = layer

    def call(self, sequence, initial_state):
        states = list(initial_state) if isinstance(initial_state, list | tuple) else [initial_state]
        output, states = self.layer.cell(sequence[:, 0], states, training=False)
        return [output[:, None], *(states if isinstance(states, list | tuple) else [states])]


def state_specs(stepper):
    """`tf.TensorSpec`s of a stepper's states, for any number of texts."""
    import tensorflow as tf

    return [tf.TensorSpec((None, *state.shape[1:]), state.dtype) for state in stepper.inputs[1:]]


def zeros(specs, n):
    """States before a text begins.

    Args:
        specs: what `state_specs` gave.
        n: number of texts, an integer or a tensor.
    """
    import tensorflow as tf

    return [tf.zeros((n, *spec.shape[1:]), spec.dtype) for spec in specs]


def feed(step, symbols, states):
    """Lets a model see prompts.

    Args:
        step: what `stepping` gave.
        symbols: int32 (n, time), places in the vocabulary. Where it is padding, states stay as they are: shorter
            prompts are filled up on their left, so that all end together.
        states: list of tensors.

    Returns:
        The states afterwards.
    """
    import tensorflow as tf

    time = tf.shape(symbols)[1]

    def body(i, *states):
        column = symbols[:, i]
        _, new = step(column, list(states))
        seen = tf.not_equal(column, PADDING)[:, None]
        return i + 1, *(tf.where(seen, after, before) for after, before in zip(new, states, strict=True))

    _, *states = tf.while_loop(lambda i, *_: i < time, body, (0, *states), parallel_iterations=1)
    return states


def draws(length, seed):
    """The random numbers of a text: one for each symbol, that depends on the seed and its place in the text alone.

    So a text does not depend on what is written beside it, and a shorter one is the beginning of a longer one.

    Args:
        length: number of symbols.
        seed: integer.

    Returns:
        float32 (length,), 0 <= each < 1.
    """
    import tensorflow as tf

    pair = tf.stack([tf.cast(seed, tf.int64), tf.constant(0, tf.int64)])
    # The algorithm by name: without one it is the device that chooses.
    return tf.random.stateless_uniform((length,), pair, alg="philox")


def write(step, last, states, numbers, temperature, top_k):
    """Writes symbols, each drawn from the softmax of logits / temperature, by inversion of its distribution.

    Padding and the unknown symbol are never drawn.

    Args:
        step: what `stepping` gave.
        last: int32 (n,), the symbols that were last read or written.
        states: list of tensors, those before them.
        numbers: float32 (time,), 0 <= each < 1, see `draws`.
        temperature: float32, >= 0; at 0 it is the likeliest symbol.
        top_k: int32; if positive, only as many symbols can be drawn, the likeliest; those as likely as the last of them
            can, too.

    Returns:
        int32 (n, time), the last of them (n,), and the states.
    """
    import tensorflow as tf

    time = tf.shape(numbers)[0]

    def loop(limited):
        def body(i, last, written, *states):
            logits, new = step(last, list(states))
            logits = logits[:, FIRST:]
            # The largest is 0, also behind the division: no temperature is too small.
            scaled = (logits - tf.reduce_max(logits, -1, keepdims=True)) / tf.maximum(temperature, 1e-30)
            weights = tf.exp(scaled)
            if limited:
                kept = tf.math.top_k(scaled, tf.minimum(top_k, scaled.shape[-1]), sorted=True).values[:, -1:]
                weights = tf.where(scaled >= kept, weights, 0.0)
            sums = tf.cumsum(weights, axis=-1)
            drawn = tf.reduce_sum(tf.cast(sums <= numbers[i] * sums[:, -1:], tf.int32), -1)
            best = tf.argmax(logits, -1, output_type=tf.int32)
            chosen = FIRST + tf.where(temperature > 0, drawn, best)
            return i + 1, chosen, written.write(i, chosen), *new

        array = tf.TensorArray(tf.int32, size=time, element_shape=(None,))
        start = (0, last, array, *states)
        _, end, written, *after = tf.while_loop(lambda i, *_: i < time, body, start, parallel_iterations=1)
        # Turned over by hand: where oneDNN cannot transpose int32, TensorFlow says so on standard error.
        n = tf.shape(last)[0]
        places = tf.range(n)[:, None] + n * tf.range(time)
        return [tf.gather(written.concat(), places), end, *after]

    found, last, *states = tf.cond(top_k > 0, lambda: loop(True), lambda: loop(False))
    return found, last, states


def nats(stepper, symbols, raw, states):
    """How surprised a model is by texts: the mean of -log p of each symbol, given all before it.

    Args:
        stepper: a model's `stepper`.
        symbols: its layer of symbols.
        raw: int32 (n, time), filled up with padding on the right; each has two symbols or more.
        states: list of tensors, those before the texts.

    Returns:
        float32 (n,), in nats.
    """
    import tensorflow as tf

    rest = -(tf.shape(raw)[1] - 1) % READ_AT_ONCE
    raw = tf.pad(raw, ((0, 0), (0, rest)))
    targets = symbols(raw[:, 1:])
    parts = tf.shape(targets)[1] // READ_AT_ONCE

    def body(i, total, *states):
        place = slice(i * READ_AT_ONCE, (i + 1) * READ_AT_ONCE)
        logits, *states = stepper([raw[:, place], *states], training=False)
        found = tf.nn.sparse_softmax_cross_entropy_with_logits(targets[:, place], tf.cast(logits, tf.float32))
        found = tf.where(tf.equal(targets[:, place], PADDING), 0.0, found)
        return i + 1, total + tf.reduce_sum(tf.cast(found, tf.float64), -1), *states

    start = (0, tf.zeros(tf.shape(raw)[:1], tf.float64), *states)
    _, total, *_ = tf.while_loop(lambda i, *_: i < parts, body, start, parallel_iterations=1)
    count = tf.math.count_nonzero(tf.not_equal(targets, PADDING), -1, dtype=tf.float64)
    return tf.cast(total / count, tf.float32)
