"""Models of sequences: `Recurrent`, which clips its gradient, and `LanguageModel`, which can go on where it stopped."""

import contextlib

import keras

from zoo.errors import require
from zoo.symbols import symbols_of

# Pascanu, Mikolov, Bengio 2013, On the difficulty of training recurrent neural networks (arXiv:1211.5063), section 3.2:
# the norm of the whole gradient is cut back to a threshold, so that one steep step does not undo the training.
CLIP = 1.0


@keras.saving.register_keras_serializable("zoo")
class Recurrent(keras.Model):
    """A Functional model with recurrent layers, whose optimizer clips the gradient's norm when it is given by name.

    `compile("adam")` cuts the norm of the whole gradient back to 1 (Pascanu et al. 2013, section 3.2). An optimizer
    that is an object stays as it is: `keras.optimizers.Adam(1e-3, global_clipnorm=1.0)`.

    Example:
        >>> import zoo
        >>> model = zoo.build("lstm", input_shape=(8, 8, 1), num_classes=10, units=4)
        >>> model.compile("adam", "mse")
        >>> model.optimizer.global_clipnorm
        1.0
    """

    def compile(self, optimizer="rmsprop", *args, **kwargs):
        if isinstance(optimizer, str):
            optimizer = keras.optimizers.get({"class_name": optimizer, "config": {"global_clipnorm": CLIP}})
        super().compile(optimizer, *args, **kwargs)

    def compile_from_config(self, config):
        # Keras leaves this to classes that have a compile of their own.
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)


@keras.saving.register_keras_serializable("zoo")
class LanguageModel(Recurrent):
    """A recurrent model that tells, after each symbol of a text, how likely each symbol is to come next.

    Called, it starts each text from a state of zeros. What it knows after a text is a list of arrays, its states, and
    with `stepper` a text can be gone on with from there:

        logits, *states = model.stepper([raw, *states])

    With `carry`, training and evaluation do so too: the states at the end of a batch are those with which the next
    begins, and the gradient stops there (truncated back-propagation through time, Williams and Peng 1990). That asks
    for batches that follow each other, `zoo.data.text(order="consecutive")`. Each epoch and each evaluation start from
    zeros: they begin with Keras' call of `reset_metrics`.

    Args:
        stepper: a Functional `keras.Model` from `[raw (n, t), *states]` to `[logits (n, t, symbols), *states]`, each
            state float32 (n, units), whose first layer is one of `zoo.symbols`.
        carry: texts in a batch whose states are carried, an integer; 0 carries none.
        name: of the model.

    Raises:
        ZooError: `carry` below 0 or not whole.

    Example:
        >>> import zoo
        >>> model = zoo.build("gru", vocabulary="abc", units=4)
        >>> raw = keras.ops.convert_to_tensor(model.symbols.encode("abcabc")[None])
        >>> whole = model(raw)
        >>> logits, *states = model.stepper([raw[:, :4], *model.initial_state(1)])
        >>> logits, *states = model.stepper([raw[:, 4:], *states])
        >>> bool(keras.ops.all(keras.ops.isclose(logits, whole[:, 4:], atol=1e-6)))
        True
    """

    def __init__(self, stepper, carry=0, name="language_model", **kwargs):
        fits = isinstance(carry, int) and not isinstance(carry, bool) and carry >= 0
        require(fits, "carry", carry, "texts in a batch, an integer >= 1, or 0 for states that start from zeros")
        raw = keras.Input(stepper.inputs[0].shape[1:], dtype="int32", name="text")
        widths = [each.shape[-1] for each in stepper.inputs[1:]]
        nothing = keras.ops.zeros_like(raw[:, :1], "float32")
        zeros = [keras.ops.repeat(nothing, width, axis=1) for width in widths]
        super().__init__(raw, stepper([raw, *zeros])[0], name=name, **kwargs)
        self.carry = carry
        self._carries = False
        self.carried = [
            # Each of several devices has its own, of its texts; they are not those of a checkpoint, which has zeros.
            keras.Variable(
                "zeros",
                shape=(carry, width),
                dtype="float32",
                trainable=False,
                aggregation="sum",
                synchronization="on_read",
                name=f"carried{index}",
            )
            for index, width in enumerate(widths if carry else ())
        ]

    @property
    def stepper(self):
        """The model from a text and states to logits and states."""
        return next(layer for layer in self.layers if isinstance(layer, keras.Model))

    @property
    def symbols(self):
        """The layer of `zoo.symbols` with which the graph begins."""
        return symbols_of(self.stepper)

    def initial_state(self, texts):
        """The states before the first symbol: a list of zeros (texts, units)."""
        return [keras.ops.zeros((texts, each.shape[-1])) for each in self.stepper.inputs[1:]]

    def call(self, inputs, training=None, mask=None):
        if not self._carries:
            return super().call(inputs, training=training, mask=mask)
        # All of them, or on one of several devices as many as it has texts of the batch.
        texts = keras.ops.shape(inputs)[0]
        # Copies: the gradient is taken behind the assignment, and must see what was there before it.
        before = [keras.ops.copy(each) for each in self.carried]
        logits, *states = self.stepper([inputs, *(each[:texts] for each in before)], training=training)
        for variable, state, held in zip(self.carried, states, before, strict=True):
            variable.assign(keras.ops.concatenate([state, held[texts:]]))
        return logits

    def train_step(self, *args):
        with self._carrying():
            return super().train_step(*args)

    def test_step(self, *args):
        with self._carrying():
            return super().test_step(*args)

    def reset_metrics(self):
        super().reset_metrics()
        for variable in self.carried:
            variable.assign(keras.ops.zeros(variable.shape))

    @contextlib.contextmanager
    def _carrying(self):
        # Steps are traced once, so this is asked while the graph is made; calls outside of them start from zeros.
        self._carries = bool(self.carry)
        try:
            yield
        finally:
            self._carries = False

    def get_config(self):
        stepper = keras.saving.serialize_keras_object(self.stepper)
        return {"stepper": stepper, "carry": self.carry, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        stepper = keras.saving.deserialize_keras_object(config["stepper"], custom_objects=custom_objects)
        return cls(stepper, config["carry"], config["name"])
