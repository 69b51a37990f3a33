"""Bilinear doubling of an image whose size is not known: Keras 3.15 cannot compute it in a graph."""

import keras
from keras import ops

from zoo.errors import require


@keras.saving.register_keras_serializable("zoo")
class BilinearUpSampling2D(keras.layers.UpSampling2D):
    """Keras' `UpSampling2D(2, interpolation="bilinear")`, for images of any size.

    Keras compares the new size with zero in Python, which a graph refuses where height or width is None: such a model
    can neither be trained nor exported. There each pixel becomes two by sums with its neighbours, 3/4 of itself and 1/4
    of the one on that side; a pixel of the border is its own neighbour. Results are Keras' to rounding. Where the size
    is known Keras' own kernel runs, which is several times as fast.

    Args:
        **arguments: those of `keras.layers.UpSampling2D`; `size` 2, `interpolation` bilinear and channels last.

    Input is `(batch, height, width, channels)`, output `(batch, 2 * height, 2 * width, channels)`.

    Raises:
        ZooError: another size, interpolation or order.

    Example:
        >>> BilinearUpSampling2D()(np.array([0.0, 4.0]).reshape(1, 1, 2, 1))[0, 0, :, 0].numpy().tolist()
        [0.0, 1.0, 3.0, 4.0]
    """

    def __init__(self, size=2, interpolation="bilinear", data_format="channels_last", **arguments):
        super().__init__(size, data_format, interpolation, **arguments)
        for argument, works in (("size", (2, 2)), ("interpolation", "bilinear"), ("data_format", "channels_last")):
            require(getattr(self, argument) == works, argument, getattr(self, argument), repr(works))

    def call(self, inputs):
        return super().call(inputs) if None not in inputs.shape[1:3] else _doubled(_doubled(inputs, 1), 2)


def _doubled(x, axis):
    def part(first, last):
        return x[(slice(None),) * axis + (slice(first, last),)]

    before = ops.concatenate([part(None, 1), part(None, -1)], axis)
    behind = ops.concatenate([part(1, None), part(-1, None)], axis)
    pairs = ops.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * behind], axis + 1)
    shape = list(ops.shape(x))
    shape[axis] = 2 * shape[axis]
    return ops.reshape(pairs, shape)
