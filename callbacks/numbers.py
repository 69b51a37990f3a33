"""Momentum, beta_1, weight decay and dropout rate as variables: Keras keeps them as floats, fixed when compiled."""

import keras
from keras import ops

# What of each optimizer a schedule may want to change, beside the learning rate, which Keras makes a variable itself.
NAMES = {
    keras.optimizers.SGD: ("momentum", "weight_decay"),
    keras.optimizers.RMSprop: ("momentum", "weight_decay"),
    keras.optimizers.Adam: ("beta_1", "weight_decay"),
    keras.optimizers.AdamW: ("beta_1", "weight_decay"),
    keras.optimizers.Adamax: ("beta_1", "weight_decay"),
    keras.optimizers.Nadam: ("beta_1", "weight_decay"),
    keras.optimizers.Lion: ("beta_1", "weight_decay"),
}


class Number(keras.Variable):
    """A scalar variable in the place of a positive float.

    Keras asks such floats in Python, while it compiles, whether they are 0, and leaves momentum out if so. These
    comparisons are answered as for a positive number, whatever the value is at that moment: at 0 the part that was
    compiled in does nothing.
    """

    def __init__(self, value, name):
        super().__init__(float(value), dtype="float32", trainable=False, name=name)

    def __gt__(self, other):
        return True

    def __ne__(self, other):
        return True

    def rounded(self):
        """The value in the seven digits that float32 holds: 0.9, not 0.8999999761581421."""
        return float(f"{float(ops.convert_to_numpy(self.value)):.7g}")


def schedulable(owner):
    """The same optimizer or dropout layer, with variables where Keras has floats, so that `Schedule` can set them.

    It is saved as Keras' own class, with the numbers of that moment: a file needs nothing of this package.

    Args:
        owner: an optimizer, not yet built: SGD or RMSprop (`momentum`, `weight_decay`), Adam, AdamW, Adamax, Nadam or
            Lion (`beta_1`, `weight_decay`); or a layer Dropout (`rate`). Only what is above 0 becomes a variable: what
            is 0 or None, Keras does not compile in. Of any other layer a copy without weights is made, so that a
            network can be changed as a whole before it is trained:
            `keras.models.clone_model(model, clone_function=schedulable)`.

    Returns:
        An object of a subclass of the owner's class, made from its configuration.

    Raises:
        ValueError: an optimizer of another class, or one that has been built already.

    Example:
        >>> optimizer = schedulable(keras.optimizers.SGD(0.1, momentum=0.9))
        >>> isinstance(optimizer, keras.optimizers.SGD), isinstance(optimizer.momentum, keras.Variable)
        (True, True)
        >>> keras.optimizers.serialize(optimizer)["class_name"], optimizer.get_config()["momentum"]
        ('SGD', 0.9)
    """
    kind = type(owner)
    if isinstance(owner, keras.Layer):
        return (Dropout if kind is keras.layers.Dropout else kind).from_config(owner.get_config())
    if kind not in NAMES:
        names = ", ".join(known.__name__ for known in NAMES)
        raise ValueError(f"schedulable takes a layer, or an optimizer {names}. Received: {owner!r}")
    if owner.built:
        raise ValueError(f"the optimizer {owner.name!r} has been built already: make it schedulable before it is used")
    return _OPTIMIZERS[kind].from_config(owner.get_config())


class Dropout(keras.layers.Dropout):
    """Keras' dropout, its rate a variable."""

    def __init__(self, rate, **named):
        super().__init__(rate, **named)
        if rate:
            self.rate = Number(rate, "rate")

    def _build_at_init(self):
        """Keras' dropout declares itself built here, after which a layer takes no more variables."""

    def call(self, inputs, training=False):
        if not training or not isinstance(self.rate, Number):
            return super().call(inputs, training=training)
        # Keras' own function takes the rate as a Python float only.
        rate = ops.cast(self.rate, inputs.dtype)
        noise_shape = self.noise_shape or (None,) * inputs.ndim
        shape = [own or size for own, size in zip(noise_shape, ops.shape(inputs), strict=True)]
        kept = keras.random.uniform(shape, dtype=inputs.dtype, seed=self.seed_generator) >= rate
        return ops.where(kept, inputs / ops.maximum(1 - rate, 1e-6), ops.zeros_like(inputs))

    def get_config(self):
        config = super().get_config()
        return {**config, "rate": self.rate.rounded() if isinstance(self.rate, Number) else self.rate}

    def save_own_variables(self, store):
        """Keras' class has no variable of its own."""

    def load_own_variables(self, store):
        """Keras' class has no variable of its own."""


class _Numbers:
    """What the subclasses of the optimizers share."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        for name in NAMES[type(self).__mro__[2]]:
            if getattr(self, name):
                setattr(self, name, Number(getattr(self, name), name))

    def get_config(self):
        config = super().get_config()
        return {name: value.rounded() if isinstance(value, Number) else value for name, value in config.items()}

    def save_own_variables(self, store):
        for index, variable in enumerate(self._saved()):
            store[str(index)] = ops.convert_to_numpy(variable.value)

    def load_own_variables(self, store):
        for index, variable in enumerate(self._saved()):
            variable.assign(store[str(index)])

    def _saved(self):
        return [variable for variable in self.variables if not isinstance(variable, Number)]


# The module and the name of Keras' own class are what serialisation writes.
Dropout.__module__ = "keras.layers"
_OPTIMIZERS = {
    kind: type(kind.__name__, (_Numbers, kind), {"__module__": "keras.optimizers", "__doc__": kind.__doc__})
    for kind in NAMES
}
