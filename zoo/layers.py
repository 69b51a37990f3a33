"""The few layers, initialisers and activations that the models need and Keras lacks, each with its reason.

All are registered under the package name `zoo`: importing this module is what `keras.saving.load_model` needs to read
a `.keras` file that holds one.
"""

import keras
import numpy as np
from keras import ops

from zoo.errors import ZooError, require
from zoo.pixel_affine import PixelAffine as PixelAffine


@keras.saving.register_keras_serializable("zoo")
def scaled_tanh(x):
    """The squashing function `1.7159 tanh(2x/3)` of LeCun et al. 1998, appendix A.

    It maps 1 to 1 and -1 to -1, with its largest curvature there, so that targets of +1 and -1 do not saturate it.

    Args:
        x: tensor of any shape.

    Returns:
        A tensor of the same shape, values between -1.7159 and 1.7159.

    Example:
        >>> round(float(scaled_tanh(1.0)), 3)
        1.0
    """
    return 1.7159 * ops.tanh(x * (2.0 / 3.0))


@keras.saving.register_keras_serializable("zoo")
class FanInUniform(keras.initializers.Initializer):
    """Uniform between plus and minus `bound / fan_in`: LeCun et al. 1998, appendix A.

    Keras' own LeCun initialiser is a later rule, with the square root of the fan-in.

    Args:
        bound: positive number; 2.4 in the paper.
        fan_in: number of inputs of a unit, or a list of one for each unit on the last axis of the weights; by default
            the product of all axes of the weights but the last.
        seed: integer, or None for another draw each time one is made.

    Example:
        >>> weights = ops.convert_to_numpy(FanInUniform()((5, 5, 1, 6)))
        >>> bool(abs(weights).max() <= 2.4 / 25)
        True
    """

    def __init__(self, bound=2.4, fan_in=None, seed=None):
        self.bound = bound
        self.fan_in = fan_in
        self.seed = seed
        self._unit = keras.initializers.RandomUniform(-1.0, 1.0, seed=seed)

    def __call__(self, shape, dtype=None):
        fan_in = np.prod(shape[:-1]) if self.fan_in is None else np.asarray(self.fan_in)
        values = self._unit(shape, dtype=dtype)
        return values * ops.convert_to_tensor(self.bound / fan_in, dtype=values.dtype)

    def get_config(self):
        return {"bound": self.bound, "fan_in": self.fan_in, "seed": self.seed}


@keras.saving.register_keras_serializable("zoo")
class ConnectedConv2D(keras.layers.Layer):
    """A convolution in which each output map sees only the input maps that a table gives it.

    LeCun et al. 1998, section II.B, layer C3. Only the kernels that exist are stored, so the parameter count is the
    paper's; a dense kernel under a mask would hold zeros that are counted, decayed and given optimizer slots.

    Args:
        connections: one list for each output map: the indices of the input maps that it sees.
        kernel_size: height and width of the kernels, in pixels.
        activation: as in `keras.layers.Conv2D`.
        **kwargs: those of `keras.layers.Layer`.

    Input is `(batch, height, width, input maps)`, output `(batch, height - kernel_size + 1, width - kernel_size + 1,
    output maps)`. Kernels start as `FanInUniform` with each output map's own fan-in, biases at zero.

    Raises:
        ZooError: a table that is empty or names an input map twice or one that the input does not have.

    Example:
        >>> layer = ConnectedConv2D([[0, 1], [1, 2], [0, 1, 2]], kernel_size=3)
        >>> tuple(layer(ops.ones((1, 8, 8, 3))).shape), layer.count_params()
        ((1, 6, 6, 3), 66)
    """

    def __init__(self, connections, kernel_size, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.connections = [[int(source) for source in sources] for sources in connections]
        for sources in self.connections:
            fits = sources and len(set(sources)) == len(sources) and min(sources) >= 0
            require(fits, "connections", sources, "lists of different indices >= 0, none empty")
        require(self.connections, "connections", connections, "a list with an entry for each output map")
        self.kernel_size = kernel_size
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        channels = input_shape[-1]
        last = max(max(sources) for sources in self.connections)
        if last >= channels:
            raise ZooError(
                f"connections names the input map {last}, but the input has {channels} (0..{channels - 1}). "
                f"Received: input_shape={tuple(input_shape)}"
            )
        maps = len(self.connections)
        pairs = [(source, target) for target, sources in enumerate(self.connections) for source in sources]
        fan_in = [self.kernel_size**2 * len(self.connections[target]) for _, target in pairs]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, self.kernel_size, len(pairs)),
            initializer=FanInUniform(fan_in=fan_in),
        )
        self.bias = self.add_weight(name="bias", shape=(maps,), initializer="zeros")
        # A product with a matrix of zeros and ones puts the kernels in place: on every backend it is one operation
        # with a cheap gradient, where a scatter is not. It costs 5 * 5 * 60 * 96 multiplications a batch in LeNet-5.
        self._placement = np.zeros((len(pairs), channels * maps), "float32")
        for row, (source, target) in enumerate(pairs):
            self._placement[row, source * maps + target] = 1.0
        self._dense_shape = (self.kernel_size, self.kernel_size, channels, maps)

    def call(self, inputs):
        placement = ops.convert_to_tensor(self._placement, dtype=self.compute_dtype)
        kernel = ops.reshape(ops.matmul(self.kernel, placement), self._dense_shape)
        return self.activation(ops.conv(inputs, kernel, padding="valid", data_format="channels_last") + self.bias)

    def get_config(self):
        return {
            **super().get_config(),
            "connections": self.connections,
            "kernel_size": self.kernel_size,
            "activation": keras.activations.serialize(self.activation),
        }


@keras.saving.register_keras_serializable("zoo")
class Subsampling2D(keras.layers.Layer):
    """Trainable subsampling: the sum over each window, times one coefficient and plus one bias for each map.

    LeCun et al. 1998, section II.B, layers S2 and S4. Windows do not overlap; rows and columns that do not fill one
    are left out.

    Args:
        pool_size: height and width of the windows, in pixels.
        activation: as in `keras.layers.Conv2D`.
        **kwargs: those of `keras.layers.Layer`.

    Input is `(batch, height, width, maps)`, output `(batch, height // pool_size, width // pool_size, maps)`.
    Coefficients start as `FanInUniform` with fan-in `pool_size ** 2`, biases at zero.

    Example:
        >>> layer = Subsampling2D()
        >>> tuple(layer(ops.ones((1, 28, 28, 6))).shape), layer.count_params()
        ((1, 14, 14, 6), 12)
    """

    def __init__(self, pool_size=2, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = pool_size
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        maps = input_shape[-1]
        self.coefficient = self.add_weight(
            name="coefficient", shape=(maps,), initializer=FanInUniform(fan_in=self.pool_size**2)
        )
        self.bias = self.add_weight(name="bias", shape=(maps,), initializer="zeros")

    def call(self, inputs):
        mean = ops.average_pool(
            inputs, self.pool_size, strides=self.pool_size, padding="valid", data_format="channels_last"
        )
        return self.activation(mean * (self.coefficient * self.pool_size**2) + self.bias)

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "activation": keras.activations.serialize(self.activation),
        }


@keras.saving.register_keras_serializable("zoo")
class RadialBasis(keras.layers.Layer):
    """Negative squared Euclidean distance to fixed centres: LeCun et al. 1998, section II.B, equation 7.

    The sign makes the output a logit: the nearest centre has the largest value, and a softmax over the outputs is the
    posterior of Gaussian classes of variance one half with equal priors.

    Args:
        centers: list of one list of numbers for each class; they are part of the configuration and not trained.
        **kwargs: those of `keras.layers.Layer`. Pass `dtype="float32"`: a distance over 84 units has too few digits
            in half precision.

    Input is `(batch, length of a centre)`, output `(batch, classes)`, all values <= 0.

    Raises:
        ZooError: centres that are not all of the same length, or not of the input's.

    Example:
        >>> layer = RadialBasis([[0, 1], [3, 4]])
        >>> ops.convert_to_numpy(layer(ops.zeros((1, 2)))).tolist()
        [[-1.0, -25.0]]
    """

    def __init__(self, centers, **kwargs):
        super().__init__(**kwargs)
        lengths = {len(center) for center in centers}
        require(len(lengths) == 1, "centers", centers, "lists of numbers, all of one length")
        self.centers = [[float(value) for value in center] for center in centers]

    def build(self, input_shape):
        if input_shape[-1] != len(self.centers[0]):
            raise ZooError(
                f"the centres have {len(self.centers[0])} components and the input {input_shape[-1]}: they must agree. "
                f"Received: input_shape={tuple(input_shape)}"
            )

    def call(self, inputs):
        centers = ops.convert_to_tensor(self.centers, dtype=self.compute_dtype)
        return -ops.sum(ops.square(ops.expand_dims(inputs, 1) - centers), axis=-1)

    def get_config(self):
        return {**super().get_config(), "centers": self.centers}


@keras.saving.register_keras_serializable("zoo")
class ParameterFreeShortcut(keras.layers.Layer):
    """A shortcut to a smaller image with more channels: every second pixel, and zeros for the channels that are new.

    He, Zhang, Ren, Sun 2015, Deep Residual Learning for Image Recognition, section 3.3, option A.

    Args:
        filters: channels of the output, at least those of the input.
        stride: every how many pixels one is kept, in both directions.
        **kwargs: those of `keras.layers.Layer`.

    Input is `(batch, height, width, channels)`, output `(batch, ceil(height / stride), ceil(width / stride), filters)`.

    Example:
        >>> out = ParameterFreeShortcut(4, 2)(ops.ones((1, 8, 8, 2)))
        >>> tuple(out.shape), float(ops.sum(out))
        ((1, 4, 4, 4), 32.0)
    """

    def __init__(self, filters, stride, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.stride = stride

    def call(self, inputs):
        # A window of one pixel keeps the bits, and costs a tenth of a strided slice and its gradient.
        kept = ops.average_pool(inputs, 1, self.stride, padding="valid", data_format="channels_last")
        return ops.pad(kept, [[0, 0], [0, 0], [0, 0], [0, self.filters - inputs.shape[-1]]])

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "stride": self.stride}


@keras.saving.register_keras_serializable("zoo")
class LogMeanProbability(keras.layers.Layer):
    """The logarithm of the mean of the probabilities that several logits stand for.

    Keras' `Average` averages logits, which is the geometric mean of the probabilities. Staying in logarithms keeps the
    result a logit, and finite where a probability rounds to zero.

    Takes a list of tensors `(batch, classes)` and returns one of that shape; a softmax over it gives the mean back.

    Example:
        >>> certain, even = ops.array([[20.0, -20.0]]), ops.array([[0.0, 0.0]])
        >>> probabilities = ops.exp(LogMeanProbability()([certain, even]))
        >>> ops.convert_to_numpy(probabilities).round(3).tolist()
        [[0.75, 0.25]]
    """

    def call(self, inputs):
        log_probabilities = ops.stack([ops.log_softmax(logits, axis=-1) for logits in inputs])
        return ops.logsumexp(log_probabilities, axis=0) - float(np.log(len(inputs)))
