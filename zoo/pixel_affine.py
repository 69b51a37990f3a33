"""Raw pixels to the range that a network's weights were trained on, saved with those weights; and the way back."""

import math

import keras
import numpy as np
from keras import ops

from zoo.errors import ZooError, require


@keras.saving.register_keras_serializable("zoo")
class PixelAffine(keras.layers.Layer):
    """Multiplies each channel by a number and adds another: `pixels * scale + offset`.

    Networks published elsewhere subtract a mean colour, or divide by a deviation. Here the two numbers of each channel
    are variables that no optimizer moves, so that they come and go with the weights that need them. `scale` and
    `offset`, of shape (channels,), are float32 under every precision policy: half precision has too few digits for
    them. With the same number for all channels the layer computes what `keras.layers.Rescaling` does, to the bit.

    Args:
        scale: a number, or a list of one for each channel; 1 / 127.5 makes -1..1 of pixels 0..255.
        offset: likewise.
        dtype: of the output.
        **kwargs: those of `keras.layers.Layer`.

    Input is `(batch, ..., channels)`, integers or floats; output has the same shape.

    Raises:
        ZooError: a value that is neither, or lists of another length than the input has channels.

    Example:
        >>> layer = PixelAffine(scale=1.0, offset=[-123.68, -116.779, -103.939])
        >>> [round(float(value), 3) for value in layer(np.full((1, 1, 1, 3), 200, "uint8"))[0, 0, 0]]
        [76.32, 83.221, 96.061]
        >>> len(layer.trainable_weights), len(layer.non_trainable_weights)
        (0, 2)
    """

    def __init__(self, scale=1 / 127.5, offset=-1.0, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)
        # Not `scale` and `offset`: those are the variables.
        self._start = {"scale": _checked("scale", scale), "offset": _checked("offset", offset)}

    def build(self, input_shape):
        channels = input_shape[-1]
        for name, value in self._start.items():
            if isinstance(value, list) and len(value) != channels:
                raise ZooError(
                    f"{name} must be a number or a list of {channels}, one for each channel of the input. "
                    f"Received: {name}={value!r}"
                )
        self.scale, self.offset = (
            self.add_weight(
                name=name,
                shape=(channels,),
                initializer=lambda shape, dtype, value=value: ops.broadcast_to(ops.cast(value, dtype), shape),
                dtype="float32",
                trainable=False,
                autocast=False,
            )
            for name, value in self._start.items()
        )

    def call(self, inputs):
        return ops.cast(ops.cast(inputs, "float32") * self.scale + self.offset, self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), **self._start}


@keras.saving.register_keras_serializable("zoo")
class Pixels(keras.layers.Rescaling):
    """Values -1..1, as tanh gives them, to raw pixels 0..255: what a network that makes images ends in.

    The values are not rounded, so that gradients pass. They are float32 under every precision policy. A model whose
    output comes from this layer is known by it as one that makes images (`zoo.tasks.task_of`).

    Args:
        scale, offset: numbers, as in `keras.layers.Rescaling`.
        dtype: of the output.
        **kwargs: those of `keras.layers.Layer`.

    Input is `(batch, ..., channels)` of values -1..1; output has the same shape.

    Example:
        >>> [float(value) for value in Pixels()(np.array([-1.0, 0.0, 1.0]))]
        [0.0, 127.5, 255.0]
    """

    def __init__(self, scale=127.5, offset=127.5, dtype="float32", **kwargs):
        super().__init__(scale, offset, dtype=dtype, **kwargs)


def rounded(values):
    """What a network that makes images answers, as a file has it: whole numbers 0..255.

    Args:
        values: an array of raw pixels.

    Returns:
        A uint8 array of the same shape.

    Example:
        >>> rounded(np.array([-3.0, 127.6, 300.0])).tolist()
        [0, 128, 255]
    """
    return np.clip(np.rint(np.asarray(values, "float32")), 0, 255).astype("uint8")


def _checked(name, value):
    """A number as it is, several as a list of floats."""
    if _is_number(value):
        return value
    numbers = isinstance(value, list | tuple) and value and all(_is_number(each) for each in value)
    require(numbers, name, value, "a finite number, or a list of one for each channel")
    return [float(each) for each in value]


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
