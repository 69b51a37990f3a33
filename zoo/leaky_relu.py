"""A leaky rectifier that TensorFlow's graph optimizer leaves in one piece."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("zoo")
class LeakyReLU(keras.layers.LeakyReLU):
    """Keras' layer, computed as the larger of x and a x.

    TensorFlow 2.21 tries to melt its own leaky rectifier into the convolution before it, and fails where a gradient
    needs what lies between: it then gives up on the whole graph, and says so on the terminal at every training. The
    values are the same.

    Args:
        negative_slope: number of 0..1, the slope a below zero.
        **kwargs: those of `keras.layers.LeakyReLU`.

    Example:
        >>> [round(float(value), 2) for value in LeakyReLU(0.2)(np.array([-1.0, 0.0, 3.0]))]
        [-0.2, 0.0, 3.0]
    """

    def call(self, inputs):
        return ops.maximum(inputs, self.negative_slope * inputs)
