"""Layers of networks that make images, and of those that judge them: pixel shuffle and spectral normalisation."""

import keras
from keras import ops

from zoo.errors import ZooError, require


@keras.saving.register_keras_serializable("zoo")
class PixelShuffle(keras.layers.Layer):
    """Depth to space: the channels of a pixel become a block of pixels with fewer channels.

    Shi et al. 2016, Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
    network, arXiv:1609.05158, section 3.2. Keras 3.15 has it as the function `keras.ops.depth_to_space` alone; a layer
    has a name that stays the same, by which trained weights find their network again.

    Args:
        factor: integer >= 2, pixels of a block in height and in width.
        **kwargs: those of `keras.layers.Layer`.

    Input is `(batch, height, width, channels)`, whose channels `factor**2` divides; output is `(batch, height * factor,
    width * factor, channels / factor**2)`. The first `channels / factor**2` channels are the upper left pixel of a
    block, the next ones the pixel on its right.

    Raises:
        ZooError: a factor that is no integer >= 2, or channels that it does not divide.

    Example:
        >>> PixelShuffle(2)(np.arange(4.0).reshape(1, 1, 1, 4))[0, :, :, 0].numpy().tolist()
        [[0.0, 1.0], [2.0, 3.0]]
    """

    def __init__(self, factor=2, **kwargs):
        super().__init__(**kwargs)
        whole = isinstance(factor, int) and not isinstance(factor, bool)
        require(whole and factor >= 2, "factor", factor, "an integer >= 2")
        self.factor = factor

    def build(self, input_shape):
        channels, block = input_shape[-1], self.factor**2
        if channels % block:
            raise ZooError(
                f"a pixel shuffle of factor {self.factor} takes channels that {block} divides. Received: "
                f"{channels} channels. {channels - channels % block + block} would do"
            )

    def call(self, inputs):
        return ops.depth_to_space(inputs, self.factor, data_format="channels_last")

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        height, width = (side and side * self.factor for side in (height, width))
        return batch, height, width, channels // self.factor**2

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable("zoo")
class SpectralNormalization(keras.layers.Wrapper):
    """Divides the kernel W of a layer by its largest singular value: Miyato et al. 2018, arXiv:1802.05957, section 2.

        layer(x) with W / sigma(W) in the place of W

    A dense layer is then a map that lengthens no vector. The W of a convolution is its kernel as a matrix, with a row
    for each output channel, as in the paper; its map may lengthen some a little. sigma is found by power iteration:
    each call in training takes one step from the vector `u` of the call before, which is saved with the weights
    (algorithm 1). Since W changes little in a step, `u` keeps up with it. In inference sigma is that of the present W
    and the last `u`.

    The gradient flows through sigma: it is that of the paper's equation 12, in which the direction that would only make
    W larger is taken out. `keras.layers.SpectralNormalization` does something else: each call in training overwrites W
    itself by the quotient, so that the gradient knows nothing of sigma, and what the optimizer has gathered belongs to
    weights that are gone.

    The bias is left as it is. sigma and `u` are float32 under every precision policy.

    Args:
        layer: a `keras.layers.Dense`, `Conv2D` or `Conv2DTranspose`.
        **kwargs: those of `keras.layers.Layer`, but not `dtype`: precision is the layer's own.

    Input and output are those of the layer. Its own regularizers act on W.

    Raises:
        ZooError: a layer of another kind.

    Example:
        >>> start = keras.initializers.Identity(4.0)
        >>> layer = SpectralNormalization(keras.layers.Dense(3, kernel_initializer=start))
        >>> layer(np.ones((1, 3))).numpy().round(4).tolist()
        [[1.0, 1.0, 1.0]]
    """

    def __init__(self, layer, **kwargs):
        kinds = keras.layers.Dense | keras.layers.Conv2D | keras.layers.Conv2DTranspose
        require(isinstance(layer, kinds), "layer", layer, "a Dense, Conv2D or Conv2DTranspose layer")
        # Without autocast, in float32: kernels are read as they are stored, and inputs reach the layer untouched.
        super().__init__(layer, **{**kwargs, "dtype": "float32", "autocast": False})

    def build(self, input_shape):
        super().build(input_shape)
        self.u = self.add_weight(
            name="u",
            shape=(self._matrix().shape[-1],),
            initializer="random_normal",
            dtype="float32",
            trainable=False,
            # Each replica computes the same.
            aggregation="only_first_replica",
        )

    def call(self, inputs, training=False):
        kernel = self.layer.kernel
        # A kernel of zeros stays one.
        sigma = self._sigma(training)
        normalized = kernel.value / ops.where(sigma > 0, sigma, 1.0)
        # A scope of its own hides the one around it (that of a trainer on JAX): all of the layer's variables go along.
        values = [(each, normalized if each is kernel else each.value) for each in self.layer.variables]
        with keras.StatelessScope(values, collect_losses=True, initialize_variables=False) as scope:
            outputs = self.layer(inputs)
        for loss in scope.losses:
            self.add_loss(loss)
        return outputs

    def compute_output_spec(self, inputs, training=False):
        return self.layer.compute_output_spec(inputs)

    def compute_output_shape(self, input_shape):
        return tuple(self.layer.compute_output_shape(input_shape))

    def get_config(self):
        config = {key: value for key, value in super().get_config().items() if key not in ("dtype", "autocast")}
        # Built from its own description, before the wrapper is, the layer's variables would have other paths.
        config["layer"].pop("build_config", None)
        return config

    def _matrix(self):
        """The kernel as a matrix (everything else, output channels)."""
        kernel = self.layer.kernel.value
        if isinstance(self.layer, keras.layers.Conv2DTranspose):
            kernel = ops.transpose(kernel, (0, 1, 3, 2))
        return ops.reshape(kernel, (-1, kernel.shape[-1]))

    def _sigma(self, training):
        matrix = self._matrix()
        constant = ops.stop_gradient(matrix)
        u = _unit(self.u.value)  # the first one has another length
        v = _unit(ops.matmul(constant, u))
        if training:
            u = _unit(ops.matmul(v, constant))
            self.u.assign(u)
        return ops.sum(ops.matmul(matrix, ops.expand_dims(u, -1))[:, 0] * v)


def _unit(vector):
    return vector / ops.maximum(ops.norm(vector), 1e-12)
