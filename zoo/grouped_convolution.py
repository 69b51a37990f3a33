"""A convolution in groups that trains on the CPU as fast as its parts.

Krizhevsky, Sutskever, Hinton 2012, ImageNet classification with deep convolutional neural networks, section 3.2.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable("zoo")
class GroupedConv2D(keras.layers.Conv2D):
    """Keras' grouped convolution, computed as one convolution for each group of channels.

    Arguments, variables and results are those of `keras.layers.Conv2D`. TensorFlow has no gradient of a grouped
    convolution on every CPU, so Keras compiles it with XLA, whose convolutions are slow there: trained that way,
    AlexNet's second layer (two groups, 32 maps of 27 x 27) takes ten times as long as this way.

    Args:
        **arguments: those of `keras.layers.Conv2D`; meant for a few groups.

    Example:
        >>> layer = GroupedConv2D(6, 3, groups=2)
        >>> tuple(layer(np.ones((1, 8, 8, 4))).shape), tuple(layer.kernel.shape)
        ((1, 6, 6, 6), (3, 3, 2, 6))
    """

    def convolution_op(self, inputs, kernel):
        channels = -1 if self.data_format == "channels_last" else 1
        parts = zip(ops.split(inputs, self.groups, channels), ops.split(kernel, self.groups, -1), strict=True)
        convolve = super().convolution_op
        return ops.concatenate([convolve(part, filters) for part, filters in parts], channels)
