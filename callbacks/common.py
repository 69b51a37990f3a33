"""What several callbacks ask of a model, of data and of logs."""

import keras
from keras import ops

from callbacks import step

MODES = ("auto", "min", "max")


def steps_done(model):
    """Optimizer steps that a model's optimizer has counted; afterwards all variables of the model can be read.

    On JAX a fit holds their values itself, and they have to be fetched first.
    """
    if keras.config.backend() == "jax":
        model.jax_state_sync()
    return int(ops.convert_to_numpy(step.iterations(model).value))


def opened(data):
    """Data as `(x, y, sample_weight)` for `evaluate` or `predict`.

    Args:
        data: whatever these take (a `tf.data.Dataset`, a `keras.utils.PyDataset`, a tuple of arrays), or a function
            that returns it.
    """
    return keras.utils.unpack_x_y_sample_weight(data() if callable(data) else data)


def monitored(callback, logs):
    """The value of a callback's `monitor`.

    Raises:
        ValueError: the logs do not hold it.
    """
    if callback.monitor not in logs:
        raise ValueError(
            f"{type(callback).__name__} monitors {callback.monitor!r}, which was not measured. What was: "
            f"{', '.join(logs)}. A name with val_ needs validation data, in every epoch"
        )
    return float(logs[callback.monitor])


def check_mode(mode):
    """Raises a ValueError for a mode that is not one of `MODES`; Keras would warn and guess."""
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}. Received: mode={mode!r}")


def check_count(name, value):
    """Raises a ValueError for anything but a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1. Received: {name}={value!r}")
