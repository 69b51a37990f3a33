"""Cells of recurrent layers with layer normalisation, and where the bias of a forget gate starts.

Ba, Kiros, Hinton 2016, Layer normalization, arXiv:1607.06450, section 3.1 and the supplement's equations.
"""

import keras


@keras.saving.register_keras_serializable("zoo")
class ForgetBias(keras.initializers.Initializer):
    """Biases of an LSTM: a number for the forget gate, 0 for all else.

    Args:
        value: the number.

    Example:
        >>> ForgetBias(2.0)((8,)).numpy().tolist()
        [0.0, 0.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0]
    """

    def __init__(self, value):
        self.value = value

    def __call__(self, shape, dtype=None):
        units = shape[0] // 4
        dtype = dtype or keras.config.floatx()
        parts = (0.0, self.value, 0.0, 0.0)
        return keras.ops.concatenate([keras.ops.full((units,), part, dtype) for part in parts])

    def get_config(self):
        return {"value": self.value}


def _norm(name, units, center=False):
    # The cell's own bias is behind it. Keras' default epsilon drowns sums that are small at the start.
    return keras.layers.LayerNormalization(center=center, epsilon=1e-5, name=name)


class _Normalized:
    """What the cells share: one normalisation of what comes in, one of what comes from the state before."""

    def build(self, input_shape):
        super().build(input_shape)
        width = self.kernel.shape[-1]
        self.of_input, self.of_state = _norm("of_input", width), _norm("of_state", width)
        for each in (self.of_input, self.of_state):
            each.build((None, width))

    def _sums(self, inputs, state, training):
        if training and 0.0 < self.recurrent_dropout < 1.0:
            masks = self.get_recurrent_dropout_mask(state)
            state = state * (masks[0] if isinstance(masks, list | tuple) else masks)
        from_input = self.of_input(keras.ops.matmul(inputs, self.kernel))
        return from_input, self.of_state(keras.ops.matmul(state, self.recurrent_kernel))


@keras.saving.register_keras_serializable("zoo")
class NormalizedRNNCell(_Normalized, keras.layers.SimpleRNNCell):
    """h_t = tanh(LN(W x_t) + LN(U h_{t-1}) + b). Arguments as of `keras.layers.SimpleRNNCell`.

    The paper normalises the sum of both; apart, as in its LSTM, neither can drown the other.
    """

    def call(self, sequence, states, training=False):
        from_input, from_state = self._sums(sequence, states[0], training)
        h = self.activation(from_input + from_state + self.bias)
        return h, [h]


@keras.saving.register_keras_serializable("zoo")
class NormalizedLSTMCell(_Normalized, keras.layers.LSTMCell):
    """An LSTM whose gates see LN(W x_t) + LN(U h_{t-1}) + b, and h_t = o tanh(LN(c_t)).

    Source: the paper's equations 20 to 22. Arguments as of `keras.layers.LSTMCell`.
    """

    def build(self, input_shape):
        super().build(input_shape)
        self.of_cell = _norm("of_cell", self.units, center=True)
        self.of_cell.build((None, self.units))

    def call(self, inputs, states, training=False):
        h, c = states
        from_input, from_state = self._sums(inputs, h, training)
        i, f, g, o = keras.ops.split(from_input + from_state + self.bias, 4, axis=1)
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
        h = self.recurrent_activation(o) * self.activation(self.of_cell(c))
        return h, [h, c]


@keras.saving.register_keras_serializable("zoo")
class NormalizedGRUCell(_Normalized, keras.layers.GRUCell):
    """A GRU whose gates see LN(W x_t) + LN(U h_{t-1}) + b, the candidate LN(W x_t) + r LN(U h_{t-1}) + b.

    Source: the paper's equations 26 to 29. Arguments as of `keras.layers.GRUCell`.
    """

    def __init__(self, units, **options):
        # One bias, behind the sum of both.
        super().__init__(units, **{**options, "reset_after": False})

    def call(self, inputs, states, training=False):
        h = states[0]
        from_input, from_state = self._sums(inputs, h, training)
        z, r, g = keras.ops.split(from_input + self.bias, 3, axis=1)
        of_z, of_r, of_g = keras.ops.split(from_state, 3, axis=1)
        z, r = self.recurrent_activation(z + of_z), self.recurrent_activation(r + of_r)
        h = z * h + (1 - z) * self.activation(g + r * of_g)
        return h, [h]


CELLS = {"simple_rnn": NormalizedRNNCell, "lstm": NormalizedLSTMCell, "gru": NormalizedGRUCell}
