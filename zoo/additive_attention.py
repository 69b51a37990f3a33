"""Additive attention: at each step a recurrent cell looks at a sequence, and learns where.

Bahdanau, Cho, Bengio 2015, Neural machine translation by jointly learning to align and translate, ICLR,
arXiv:1409.0473, equations 5 and 6, appendix A.1.2 and A.2.2.
"""

import keras


@keras.saving.register_keras_serializable("zoo")
class AttentionCell(keras.layers.Layer):
    """A recurrent cell whose every step begins with a look at a memory, such as an encoder's outputs h.

        e_j = v . tanh(W s + U h_j)         s: what the cell answered last, h_j: the memory's place j
        a = softmax(e)                      over the places that are present
        c = sum_j a_j h_j                   the context, which the cell takes beside its input

    It belongs into `keras.layers.RNN`, with the initial states `[*cell's own, memory, keys, present]`: memory (batch,
    places, width); keys U h_j (batch, places, units), which are the same in every step; and present (batch, places), 1
    where the memory has something and 0 where it is padding.

    Args:
        cell: a `keras.layers.StackedRNNCells` of one cell or more.
        units: integer >= 1, length of v.
        width: integer >= 1, numbers at each place of the memory.

    Example:
        >>> cell = AttentionCell(keras.layers.StackedRNNCells([keras.layers.GRUCell(4)]), units=5, width=3)
        >>> states = [np.zeros((2, 4), "float32")]
        >>> seen = [np.ones((2, 7, width), "float32") for width in (3, 5)] + [np.ones((2, 7), "float32")]
        >>> output, weights, _ = cell.attend(np.ones((2, 6), "float32"), states, *seen)
        >>> tuple(output.shape), np.allclose(weights, 1 / 7)  # the cell's 4 and the context's 3; all places are alike
        ((2, 7), True)
    """

    def __init__(self, cell, units, width, **options):
        super().__init__(**options)
        self.cell = cell
        self.units = units
        self.width = width
        self.query = keras.layers.Dense(units, use_bias=False, name="query", dtype=self.dtype_policy)
        # Keras' layer is v . tanh(query + key), with v as its "scale".
        self.attention = keras.layers.AdditiveAttention(name="attention", dtype=self.dtype_policy)

    @property
    def state_size(self):
        return [*self.cell.state_size, self.width, self.units, 1]

    @property
    def output_size(self):
        return self.cell.output_size + self.width

    def build(self, input_shape):
        rows, *_, features = input_shape
        self.query.build((rows, self.cell.output_size))
        self.attention.build([(rows, 1, self.units), (rows, None, self.width), (rows, None, self.units)])
        self.cell.build((rows, features + self.width))

    def attend(self, inputs, states, memory, keys, present, training=False):
        """One step.

        Args:
            inputs: (batch, features).
            states: the cell's own.
            memory, keys, present: see the class.
            training: whether the cell is in training.

        Returns:
            What the cell answers beside the context (batch, output_size), the weights a (batch, places), and the
            cell's new states.
        """
        last = keras.tree.flatten(states[-1])[0]  # of an LSTM's two the one that it answers with
        query = keras.ops.expand_dims(self.query(last), 1)
        seen, weights = self.attention(
            [query, memory, keys], mask=[None, present > 0], return_attention_scores=True, training=training
        )
        context = seen[:, 0]
        output, found = self.cell(keras.ops.concatenate([inputs, context], -1), states, training=training)
        # Keras' cells answer with their states nested in other ways than they take them.
        states = keras.tree.pack_sequence_as(states, keras.tree.flatten(found))
        return keras.ops.concatenate([output, context], -1), weights[:, 0], states

    def call(self, inputs, states, training=False):
        *own, memory, keys, present = states
        output, _, own = self.attend(inputs, own, memory, keys, present, training)
        return output, [*own, memory, keys, present]

    def get_config(self):
        cell = keras.saving.serialize_keras_object(self.cell)
        return {**super().get_config(), "cell": cell, "units": self.units, "width": self.width}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        cell = keras.saving.deserialize_keras_object(config["cell"], custom_objects=custom_objects)
        return cls(**{**config, "cell": cell})
