"""The perceptron and the multi-layer perceptron, for images and for feature vectors, classes and numbers.

Rosenblatt 1958, The perceptron: a probabilistic model for information storage and organization in the brain,
Psychological Review 65(6); Rumelhart, Hinton, Williams 1986, Learning representations by back-propagating errors,
Nature 323.
"""

import keras

from zoo.errors import ZooError, choose, require
from zoo.models import _inputs
from zoo.registry import register

ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "prelu", "elu", "softplus")

# Each initialiser, with the scale it takes by default; those of None take none.
INITIALIZERS = {
    "zero": None,
    "constant": 0.05,
    "gaussian": 0.05,
    "uniform": 0.05,
    "he": None,
    "glorot": None,
    "orthogonal": 1.0,
}


@register
def perceptron(num_classes=10, input_shape=(28, 28, 1), normalization=None, target=None):
    """One linear layer: softmax regression on classes, linear regression on numbers (Rosenblatt 1958).

        pixels 28x28x1 -> flatten 784 -> logits 10        784 * 10 + 10 = 7 850 parameters

    Args:
        num_classes: integer >= 2, or None for one linear output (regression).
        input_shape: (height, width, channels) of raw pixels 0..255, which are scaled to 0..1, or (features,) of a
            feature vector, which is not scaled.
        normalization: for feature vectors, (means, variances): two lists of one number for each feature, with which the
            model standardises its input. A feature of variance 0 is only centred.
        target: for regression, (mean, standard deviation) of the target. The output is then in the target's units
            while the weights keep to the scale of 1.

    Returns:
        A `keras.Model` to logits (batch, num_classes), or to the predicted number (batch, 1).

    Raises:
        ZooError: a value that is not named above.

    Differences from the paper:
        - All outputs are trained at once by gradient descent on the loss that it is compiled with; Rosenblatt's units
          have a threshold, a rule of their own, and fixed random connections before them.

    Example:
        >>> import zoo
        >>> zoo.build("perceptron", input_shape=(4,), num_classes=3).count_params()
        15
    """
    inputs, x = _entrance(input_shape, normalization)
    return keras.Model(inputs, _output(x, num_classes, target), name="perceptron")


@register
def mlp(
    num_classes=10,
    input_shape=(28, 28, 1),
    hidden=(256, 128),
    activation="relu",
    initializer="he",
    initializer_scale=None,
    l1=0.0,
    l2=0.0,
    dropout=0.0,
    input_noise=0.0,
    batch_normalization=False,
    normalization=None,
    target=None,
):
    """A multi-layer perceptron: dense layers of any number and width (Rumelhart et al. 1986).

        pixels 28x28x1 -> flatten 784 -> dense 256 -> dense 128 -> logits 10
        parameters                        200 960       32 896      1 290       (235 146)

    Args:
        num_classes: integer >= 2, or None for one linear output (regression).
        input_shape: (height, width, channels) of raw pixels 0..255, which are scaled to 0..1, or (features,) of a
            feature vector, which is not scaled.
        hidden: the widths of the hidden layers, integers >= 1; () makes it a perceptron.
        activation: of the hidden layers: "sigmoid", "tanh", "relu", "leaky_relu" (slope 0.01, Maas et al. 2013),
            "prelu" (a trained slope for each unit, from 0.25, He et al. 2015), "elu" or "softplus".
        initializer: of all weights: "gaussian", "uniform", "he" (normal, He et al. 2015), "glorot" (uniform, Glorot and
            Bengio 2010) or "orthogonal" (Saxe et al. 2014); "zero" and "constant" are there to be seen failing: the
            units of a layer stay alike. Biases start at zero.
        initializer_scale: number > 0: standard deviation of "gaussian" (default 0.05), half the width of "uniform"
            (default 0.05), factor of "orthogonal" (default 1), value of "constant" (default 0.05). "he" and "glorot"
            follow from the layer: they take none, nor does "zero".
        l1, l2: numbers >= 0: penalties on the sum of the absolute values and of the squares of all weights but biases.
        dropout: number >= 0 and < 1: the part of each hidden layer's units that is dropped in training.
        input_noise: number >= 0: standard deviation of Gaussian noise on the scaled input in training.
        batch_normalization: whether each hidden layer is normalised before its activation; it then has no bias.
        normalization: for feature vectors, (means, variances): two lists of one number for each feature, with which the
            model standardises its input. A feature of variance 0 is only centred.
        target: for regression, (mean, standard deviation) of the target. The output is then in the target's units
            while the weights keep to the scale of 1. So is the loss: a squared error grows with the square of it.

    Returns:
        A `keras.Model` to logits (batch, num_classes), or to the predicted number (batch, 1).

    Raises:
        ZooError: a value that is not named above.

    Differences from the paper:
        - The paper's units are sigmoids, and the weights start uniform; here both are choices, with other defaults.
        - The outputs are linear, for cross-entropy on logits; the paper's are sigmoids trained on squared error.

    Example:
        >>> import zoo
        >>> model = zoo.build("mlp", num_classes=None, input_shape=(2,), hidden=(8,), normalization=([0, 5], [1, 4]))
        >>> model.output_shape
        (None, 1)
    """
    choose("activation", activation, ACTIVATIONS)
    choose("initializer", initializer, INITIALIZERS)
    if initializer_scale is not None and INITIALIZERS[initializer] is None:
        raise ZooError(
            f"initializer={initializer!r} takes no scale, so initializer_scale must be None. "
            f"Received: initializer_scale={initializer_scale!r}. "
            "'constant', 'gaussian', 'uniform' and 'orthogonal' take one."
        )
    scale = INITIALIZERS[initializer] if initializer_scale is None else initializer_scale
    require(scale is None or _inputs.number("initializer_scale", scale) > 0, "initializer_scale", scale, "a number > 0")
    penalties = {"l1": _inputs.number("l1", l1), "l2": _inputs.number("l2", l2)}
    _inputs.number("dropout", dropout, below=1)
    _inputs.number("input_noise", input_noise)
    require(isinstance(batch_normalization, bool), "batch_normalization", batch_normalization, "True or False")
    require(isinstance(hidden, list | tuple), "hidden", hidden, "a list of widths, such as (256, 128)")
    for width in hidden:
        _inputs.integer("each width in hidden", width, 1)

    def weights():
        return {
            "kernel_initializer": _initializer(initializer, scale),
            "kernel_regularizer": keras.regularizers.L1L2(**penalties) if any(penalties.values()) else None,
        }

    inputs, x = _entrance(input_shape, normalization)
    if input_noise:
        x = keras.layers.GaussianNoise(input_noise, name="input_noise")(x)
    for index, width in enumerate(hidden, start=1):
        x = keras.layers.Dense(width, use_bias=not batch_normalization, name=f"dense{index}", **weights())(x)
        if batch_normalization:
            x = keras.layers.BatchNormalization(name=f"batch_normalization{index}")(x)
        x = _activation(activation, name=f"{activation}{index}")(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"dropout{index}")(x)
    return keras.Model(inputs, _output(x, num_classes, target, **weights()), name="mlp")


def _entrance(input_shape, normalization):
    """The input, and what the first dense layer sees of it: (batch, features), scaled."""
    input_shape = _inputs.shape(input_shape, vectors=True)
    if len(input_shape) == 3:
        require(normalization is None, "normalization", normalization, "None for images: pixels are scaled to 0..1")
        inputs, x = _inputs.images(input_shape)
        return inputs, keras.layers.Flatten(name="flatten")(_inputs.scaled(x))

    inputs = x = keras.Input(input_shape, name="features")
    if normalization is not None:
        x = _inputs.normalized(x, input_shape[0], normalization)
    return inputs, x


def _output(x, num_classes, target, **weights):
    """The linear layer that ends the model: logits, or one number in the target's units."""
    if num_classes is not None:
        _inputs.integer("num_classes", num_classes, 2)
        require(target is None, "target", target, "None for classes; it is for regression, num_classes=None")
        return keras.layers.Dense(num_classes, dtype="float32", name="output", **weights)(x)

    x = keras.layers.Dense(1, dtype="float32", name="output", **weights)(x)
    if target is None:
        return x
    return _inputs.in_units(x, target)


def _initializer(name, scale):
    if name == "constant":
        return keras.initializers.Constant(scale)
    if name == "gaussian":
        return keras.initializers.RandomNormal(stddev=scale)
    if name == "uniform":
        return keras.initializers.RandomUniform(-scale, scale)
    if name == "orthogonal":
        return keras.initializers.Orthogonal(gain=scale)
    chosen = {
        "zero": keras.initializers.Zeros,
        "he": keras.initializers.HeNormal,
        "glorot": keras.initializers.GlorotUniform,
    }
    return chosen[name]()


def _activation(activation, name):
    if activation == "prelu":
        return keras.layers.PReLU(alpha_initializer=keras.initializers.Constant(0.25), name=name)
    if activation == "leaky_relu":
        return keras.layers.LeakyReLU(negative_slope=0.01, name=name)
    return keras.layers.Activation(activation, name=name)
