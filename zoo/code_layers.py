"""Layers for learned codes that Keras lacks: penalties on how a code is used, and the code that is drawn at random."""

import keras
from keras import ops

from zoo.errors import choose, require

# The derivative of an activation, as a function of its own value.
SLOPES = {
    "linear": ops.ones_like,
    "sigmoid": lambda value: value * (1 - value),
    "tanh": lambda value: 1 - ops.square(value),
    "relu": lambda value: ops.cast(value > 0, value.dtype),
    "elu": lambda value: ops.where(value > 0, 1.0, value + 1.0),
    "softplus": lambda value: 1 - ops.exp(-value),
}


@keras.saving.register_keras_serializable("zoo")
class ContractiveDense(keras.layers.Dense):
    """A dense layer that pays for how much its output changes with its input.

    Source: Rifai, Vincent, Muller, Glorot, Bengio 2011, Contractive auto-encoders: explicit invariance during feature
    extraction, section 3, equation 2 and the closed form below it: with `h = f(W x + b)` the squared Frobenius norm of
    the Jacobian is `sum over j of f'_j**2 * sum over i of W_ij**2`. Its mean over the batch is added to the loss.

    Args:
        units: number of outputs.
        contraction: weight of the penalty, >= 0.
        activation: a name of `SLOPES`: one whose derivative follows from its value.
        **kwargs: those of `keras.layers.Dense`.

    Input is `(batch, features)`; output `(batch, units)`.

    Raises:
        ZooError: a negative weight, or another activation.

    Example:
        >>> layer = ContractiveDense(2, contraction=0.5, kernel_initializer="ones")
        >>> _ = layer(ops.zeros((3, 4)))
        >>> float(layer.losses[0])
        4.0
    """

    def __init__(self, units, contraction=0.1, activation="linear", **kwargs):
        name = activation if isinstance(activation, str) else keras.activations.serialize(activation)
        choose("activation", name, SLOPES)
        super().__init__(units, activation=name, **kwargs)
        require(contraction >= 0, "contraction", contraction, "a weight >= 0")
        self.contraction = contraction
        self._slope = SLOPES[name]

    def call(self, inputs, training=None):
        outputs = super().call(inputs, training)
        slopes = ops.cast(self._slope(outputs), "float32")
        columns = ops.sum(ops.square(ops.cast(self.kernel, "float32")), axis=0)
        self.add_loss(self.contraction * ops.mean(ops.sum(ops.square(slopes) * columns, axis=-1)))
        return outputs

    def get_config(self):
        return {**super().get_config(), "contraction": self.contraction}


@keras.saving.register_keras_serializable("zoo")
class SparseActivity(keras.layers.Layer):
    """Passes a code on, and pays for units that are active more or less often than wanted.

    With q_j the mean of unit j over the batch and p the wanted activity, the penalty is
    `weight * sum over j of p log(p / q_j) + (1 - p) log((1 - p) / (1 - q_j))`. Source: Lee, Ekanadham, Ng 2007, Sparse
    deep belief net model for visual area V2, section 3 (there a squared distance); in this form, the Kullback-Leibler
    divergence, it is that of the courses.

    Args:
        weight: weight of the penalty, >= 0.
        target: wanted mean activity p of a unit, 0 < target < 1.
        **kwargs: those of `keras.layers.Layer`.

    Input is a code `(batch, units)` with values 0..1; so is the output.

    Raises:
        ZooError: a value out of range.

    Example:
        >>> layer = SparseActivity(weight=1.0, target=0.5)
        >>> _ = layer(ops.array([[0.0], [0.5]]))
        >>> round(float(layer.losses[0]), 4)
        0.1438
    """

    def __init__(self, weight=0.1, target=0.05, **kwargs):
        super().__init__(**kwargs)
        require(weight >= 0, "weight", weight, "a number >= 0")
        require(0 < target < 1, "target", target, "an activity in 0 < target < 1")
        self.weight = weight
        self.target = target

    def call(self, inputs):
        active = ops.clip(ops.mean(ops.cast(inputs, "float32"), axis=0), 1e-6, 1 - 1e-6)
        p = self.target
        divergence = p * ops.log(p / active) + (1 - p) * ops.log((1 - p) / (1 - active))
        self.add_loss(self.weight * ops.sum(divergence))
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "weight": self.weight, "target": self.target}


@keras.saving.register_keras_serializable("zoo")
class GaussianCode(keras.layers.Layer):
    """The code of a variational autoencoder: drawn from a Gaussian while training, its mean at all other times.

    Source: Kingma, Welling 2014, Auto-encoding variational Bayes, section 2.4 (drawing, as `mean + deviation * noise`)
    and appendix B (the divergence from the standard normal, in closed form):
    `-1/2 sum over j of 1 + log variance_j - mean_j**2 - variance_j`. The divergence's mean over the batch, times
    `beta`, is added to the loss, in training and in evaluation.

    Args:
        beta: weight of the divergence, >= 0; 1 makes the loss the negative evidence lower bound. Others: Higgins et
            al. 2017, beta-VAE.
        **kwargs: those of `keras.layers.Layer`.

    Input is `(batch, 2 units)`: means, then the logarithms of the variances. Output is `(batch, units)`.

    Raises:
        ZooError: a negative weight.

    Example:
        >>> layer = GaussianCode()
        >>> layer(ops.array([[2.0, 0.0]])).numpy().tolist(), float(layer.losses[0])
        ([[2.0]], 2.0)
    """

    def __init__(self, beta=1.0, **kwargs):
        super().__init__(**kwargs)
        require(beta >= 0, "beta", beta, "a weight >= 0")
        self.beta = beta
        self.noise = keras.random.SeedGenerator()

    def call(self, inputs, training=False):
        mean, log_variance = ops.split(ops.cast(inputs, "float32"), 2, axis=-1)
        terms = 1 + log_variance - ops.square(mean) - ops.exp(log_variance)
        self.add_loss(self.beta * ops.mean(-0.5 * ops.sum(terms, axis=-1)))
        code = mean
        if training:
            code = mean + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(mean), seed=self.noise)
        return ops.cast(code, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] // 2)

    def get_config(self):
        return {**super().get_config(), "beta": self.beta}
