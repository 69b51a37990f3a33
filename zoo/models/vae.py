"""The variational autoencoder.

Kingma, Welling 2014, Auto-encoding variational Bayes; Higgins et al. 2017, beta-VAE, for the weight of the divergence.
"""

import keras

from zoo.code_layers import SLOPES, GaussianCode
from zoo.errors import choose
from zoo.models import _inputs
from zoo.models.autoencoder import check_widths, dense_decoder, flat, joined
from zoo.registry import register


@register
def vae(input_shape=(28, 28, 1), hidden=(500,), code=20, activation="tanh", beta=1.0):
    """The variational autoencoder of Kingma and Welling 2014 (appendix C), with any list of widths.

        pixels 28x28x1 -> 784 -> 500 -> mean 20, log variance 20 -> code 20 -> 500 -> 784 -> image 28x28x1
        parameters          392 500       20 040                       10 500   392 784     (815 824)

    In training the code is drawn from the Gaussian that the encoder describes; called otherwise, it is the mean. The
    divergence of that Gaussian from the standard normal is a loss of the model. Compiled with
    `zoo.reconstruction.PixelCrossentropy`, the loss in training is the negative evidence lower bound of a Bernoulli
    decoder, in nats; in evaluation its first term is that of the mean code, which is a little smaller.

    Args:
        input_shape: (height, width, channels) of raw pixels 0..255, which are scaled to 0..1.
        hidden: widths of the encoder's hidden layers, integers >= 1; the decoder has them in reverse.
        code: length of the code, an integer >= 1.
        activation: of the hidden layers: "tanh" (the paper's), "sigmoid", "relu", "elu", "softplus" or "linear".
        beta: number >= 0, weight of the divergence; 1 is the paper's.

    Returns:
        An `Autoencoder`: a `keras.Model` from raw pixels to an image (batch, height, width, channels) of values 0..1,
        with the models `encoder` (to the mean; with `training=True` to a draw) and `decoder`.

    Raises:
        ZooError: a value that is not named above.

    Differences from the paper:
        - Weights start by Glorot's rule; the paper draws them from a narrow Gaussian.

    Example:
        >>> import zoo
        >>> model = zoo.build("vae", code=2)
        >>> tuple(model.decoder(keras.random.normal((16, 2))).shape)
        (16, 28, 28, 1)
    """
    input_shape = _inputs.shape(input_shape)
    check_widths(hidden, code)
    choose("activation", activation, SLOPES)
    _inputs.number("beta", beta)
    inputs, x = flat(input_shape)
    for index, width in enumerate(hidden, start=1):
        x = keras.layers.Dense(width, activation, name=f"encode{index}")(x)
    x = keras.layers.Dense(2 * code, dtype="float32", name="posterior")(x)
    encoder = keras.Model(inputs, GaussianCode(beta, dtype="float32", name="code")(x), name="encoder")
    return joined(encoder, dense_decoder(code, hidden, input_shape, activation), "vae")
