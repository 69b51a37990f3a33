"""The LSTM layer, trained faster on TensorFlow without a GPU."""

import keras

# Steps up to which a sequence is unrolled: each adds operations to the graph, 256 of them 3 s to the first step.
LONGEST = 256


@keras.saving.register_keras_serializable("zoo")
class LSTM(keras.layers.LSTM):
    """Keras' layer, trained faster on a processor; configuration, weights and answers are the same.

    Keras' loop over time takes some twenty operations a step, and as many for its gradient, each of which costs
    more to start than to compute. In training on TensorFlow without a GPU this layer unrolls the loop and takes two
    each way: a matrix product, and all that works number by number, compiled by XLA into one. The weights' gradient
    is one large product at the end instead of a small one a step. Under a 16-bit policy the products are in 16
    bits, the cell's state and all that works number by number in 32. `benchmarks/recurrent.py` measures it.

    Everything else, such as inference, a masked sequence, one of unknown length or of more than 256 steps, or another
    activation, is computed as Keras does. Arguments as of `keras.layers.LSTM`.

    Example:
        >>> import numpy as np
        >>> layer, theirs = LSTM(4, return_sequences=True), keras.layers.LSTM(4, return_sequences=True)
        >>> x = np.random.default_rng(0).standard_normal((2, 5, 3)).astype("float32")
        >>> layer.build(x.shape), theirs.build(x.shape), theirs.set_weights(layer.get_weights())
        (None, None, None)
        >>> bool(np.allclose(layer(x, training=True), theirs(x), atol=1e-6))
        True
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        if not self._is_fast(sequences, mask, training):
            return super().inner_loop(sequences, initial_state, mask, training)
        from zoo.lstm_tensorflow import lstm

        cell, dtype = self.cell, self.compute_dtype
        h, c = initial_state
        kept = None
        if 0.0 < cell.recurrent_dropout < 1.0:
            kept = cell.get_recurrent_dropout_mask(keras.ops.cast(h, dtype))[0]  # Keras makes one for each gate
        if self.go_backwards:
            sequences = keras.ops.flip(sequences, axis=1)
        # The order of time and batch is changed before numbers become four times as many.
        sequences = keras.ops.transpose(sequences, (1, 0, 2))
        kernel, recurrent_kernel, bias = (
            keras.ops.cast(weight, dtype) for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)
        )
        inputs = keras.ops.unstack(keras.ops.matmul(sequences, kernel))
        outputs, c = lstm(inputs, recurrent_kernel, bias, h, c, kept)
        h = outputs[-1]
        outputs = keras.ops.stack(outputs, axis=1) if self.return_sequences else h[:, None]
        return h, outputs, [h, keras.ops.cast(c, dtype)]

    def _is_fast(self, sequences, mask, training):
        cell = self.cell
        return (
            training is True
            and mask is None
            and sequences.shape[1] is not None
            and sequences.shape[1] <= LONGEST
            and keras.backend.backend() == "tensorflow"
            and cell.activation is keras.activations.tanh
            and cell.recurrent_activation is keras.activations.sigmoid
            and cell.use_bias
            and not (cell.dropout or self.unroll)
            and not keras.distribution.list_devices("gpu")
        )
