"""The loops of `zoo.serving.language_loop`, compiled for a model in this process: what `zoo.write` runs."""

import keras

from zoo.serving import language_loop

# Symbols in a piece: what one call into the graph writes.
PIECE = 64


class Writer:
    """The compiled loops of a model of language: they are traced once, and see weights that change.

    They run on the processor even where there is a GPU: single steps are so small that starting its kernels would take
    most of the time, and what a SavedModel is compared with must be rounded as it is there.

    Args:
        model: a `zoo.language_model.LanguageModel`, on TensorFlow.
    """

    def __init__(self, model):
        import tensorflow as tf

        self._renew = lambda: None
        symbols, stepper = model.symbols, model.stepper
        if keras.distribution.list_devices("gpu"):
            symbols, stepper = self._on_the_processor(symbols, stepper)
        self._specs = specs = language_loop.state_specs(stepper)
        step = language_loop.stepping(stepper, symbols)
        one, many = tf.TensorSpec((None,), "int32"), tf.TensorSpec((None, None), "int32")
        numbers, scalars = tf.TensorSpec((None,), "float32"), [tf.TensorSpec((), kind) for kind in ("float32", "int32")]

        def feed(symbols, states):
            return language_loop.feed(step, symbols, states)

        def go_on(last, states, numbers, temperature, top_k):
            return language_loop.write(step, last, states, numbers, temperature, top_k)

        def compiled(function, *signature):
            # Concrete at once: TensorFlow warns where many functions are traced when they are called.
            return tf.function(function, input_signature=signature, autograph=False).get_concrete_function()

        self._feed = compiled(feed, many, specs)
        self._go_on = compiled(go_on, one, specs, numbers, *scalars)

    def pieces(self, given, length, temperature, top_k, seed):
        """Continues prompts.

        Args:
            given: int32 array (prompts, time) of places in the vocabulary, filled up with padding on the left.
            length, temperature, top_k, seed: as in `zoo.write`.

        Yields:
            int32 arrays (prompts, symbols) of places.
        """
        import tensorflow as tf

        self._renew()
        with tf.device("/cpu:0"):
            numbers, told = language_loop.draws(length, seed), (tf.constant(temperature), tf.constant(top_k))
            states = self._feed(tf.constant(given[:, :-1]), language_loop.zeros(self._specs, len(given)))
            last = tf.constant(given[:, -1])
            for start in range(0, length, PIECE):
                found, last, states = self._go_on(last, states, numbers[start : start + PIECE], *told)
                yield found.numpy()

    def _on_the_processor(self, symbols, stepper):
        """Copies, whose weights are renewed before each text."""
        with keras.device("cpu:0"):
            copy = keras.models.clone_model(stepper)
        self._renew = lambda: copy.set_weights(stepper.get_weights())
        return copy.get_layer(symbols.name), copy
