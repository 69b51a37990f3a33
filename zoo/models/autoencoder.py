"""Autoencoders: networks that give their input back, through a code of a few numbers.

Hinton, Salakhutdinov 2006, Reducing the dimensionality of data with neural networks, Science 313; Masci, Meier,
Ciresan, Schmidhuber 2011, Stacked convolutional auto-encoders for hierarchical feature extraction.
"""

import functools
import math

import keras

from zoo.code_layers import SLOPES, ContractiveDense, SparseActivity
from zoo.errors import ZooError, choose, require
from zoo.models import _inputs
from zoo.registry import register


@keras.saving.register_keras_serializable("zoo")
class Autoencoder(keras.Model):
    """A Functional model of two models in a row, which can be called by themselves.

    Example:
        >>> import zoo
        >>> model = zoo.build("autoencoder", input_shape=(8, 8, 1), hidden=(16,), code=3)
        >>> code = model.encoder(np.zeros((5, 8, 8, 1), "uint8"))
        >>> tuple(code.shape), tuple(model.decoder(code).shape)
        ((5, 3), (5, 8, 8, 1))
    """

    @property
    def encoder(self):
        """The model from raw pixels 0..255 `(batch, height, width, channels)` to codes `(batch, code)`."""
        return self.get_layer("encoder")

    @property
    def decoder(self):
        """The model from codes `(batch, code)` to images `(batch, height, width, channels)` of values 0..1."""
        return self.get_layer("decoder")


def joined(encoder, decoder, name):
    """The `Autoencoder` of an encoder and a decoder, which are named so."""
    inputs = keras.Input(encoder.input_shape[1:], name="pixels")
    return Autoencoder(inputs, decoder(encoder(inputs)), name=name)


def check_widths(hidden, code):
    """Checks the sizes of dense encoders.

    Raises:
        ZooError: no list of integers >= 1, or a code that is none.
    """
    require(isinstance(hidden, list | tuple), "hidden", hidden, "a list of widths, such as (1000, 500, 250)")
    for width in hidden:
        _inputs.integer("each width in hidden", width, 1)
    _inputs.integer("code", code, 1)


def flat(input_shape):
    """The input of an image model, and its pixels 0..1 as a vector."""
    inputs, x = _inputs.images(input_shape)
    return inputs, keras.layers.Flatten(name="flatten")(_inputs.scaled(x))


def dense_decoder(code, hidden, input_shape, activation, initializer="glorot_uniform"):
    """The decoder of a dense autoencoder: the encoder's widths in reverse, and an image."""
    codes = x = keras.Input((code,), name="code")
    for index, width in reversed(list(enumerate(hidden, start=1))):
        x = keras.layers.Dense(width, activation, kernel_initializer=initializer, name=f"decode{index}")(x)
    x = keras.layers.Dense(math.prod(input_shape), kernel_initializer=initializer, name="pixels")(x)
    return keras.Model(codes, image(keras.layers.Reshape(input_shape, name="reshape")(x)), name="decoder")


def image(x):
    """Values 0..1, in float32 under every precision policy."""
    return keras.layers.Activation("sigmoid", dtype="float32", name="image")(x)


@register
def autoencoder(
    input_shape=(28, 28, 1),
    hidden=(1000, 500, 250),
    code=30,
    activation="sigmoid",
    code_activation="linear",
    initializer="glorot_uniform",
    contractive=0.0,
    sparse=0.0,
    sparse_target=0.05,
):
    """The deep autoencoder of Hinton and Salakhutdinov 2006 (figure 1), with any list of widths.

        pixels 28x28x1 -> 784 -> 1000 -> 500 -> 250 -> code 30 -> 250 -> 500 -> 1000 -> 784 -> image 28x28x1
        parameters          785 000  500 500 125 250  7 530    7 750 125 500 501 000 784 784    (2 837 314)

    It answers with the image, values 0..1. The penalties are losses of its layers: they are added to whatever loss it
    is compiled with.

    Args:
        input_shape: (height, width, channels) of raw pixels 0..255, which are scaled to 0..1.
        hidden: widths of the encoder's hidden layers, integers >= 1; the decoder has them in reverse. () is one linear
            layer each way.
        code: length of the code, an integer >= 1.
        activation: of the hidden layers: "sigmoid" (the paper's), "tanh", "relu", "elu", "softplus" or "linear".
            Without pretraining an ELU learns far faster than the sigmoid.
        code_activation: of the code, one of the same; "linear" is the paper's.
        initializer: of all weights, a name of Keras.
        contractive: number >= 0, weight of the contractive penalty (Rifai et al. 2011), of each layer of the encoder:
            see `zoo.code_layers.ContractiveDense`.
        sparse: number >= 0, weight of the sparsity penalty on the code, which must have values 0..1:
            `code_activation="sigmoid"`. See `zoo.code_layers.SparseActivity`.
        sparse_target: wanted mean activity of a unit of the code, between 0 and 1.

    Returns:
        An `Autoencoder`: a `keras.Model` from raw pixels to an image (batch, height, width, channels) of values 0..1,
        with the models `encoder` and `decoder`.

    Raises:
        ZooError: a value that is not named above.

    Differences from the paper:
        - Weights start by Glorot's rule instead of from a stack of restricted Boltzmann machines; `zoo.pretraining`
          has those.

    Example:
        >>> import zoo
        >>> zoo.build("autoencoder").count_params(), zoo.build("autoencoder", hidden=(), code=2).count_params()
        (2837314, 3922)
    """
    input_shape = _inputs.shape(input_shape)
    check_widths(hidden, code)
    choose("activation", activation, SLOPES)
    choose("code_activation", code_activation, SLOPES)
    _inputs.number("contractive", contractive)
    if _inputs.number("sparse", sparse) and code_activation != "sigmoid":
        raise ZooError(
            "the sparsity penalty needs a code of values 0..1: code_activation must be 'sigmoid' with sparse > 0. "
            f"Received: code_activation={code_activation!r}, sparse={sparse!r}"
        )

    def dense(width, activation, **options):
        kind = functools.partial(ContractiveDense, contraction=contractive) if contractive else keras.layers.Dense
        return kind(width, activation=activation, kernel_initializer=initializer, **options)

    inputs, x = flat(input_shape)
    for index, width in enumerate(hidden, start=1):
        x = dense(width, activation, name=f"encode{index}")(x)
    # Codes are float32 under every precision policy.
    x = dense(code, code_activation, name="code", dtype="float32")(x)
    if sparse:
        x = SparseActivity(sparse, sparse_target, name="sparse_activity", dtype="float32")(x)
    encoder = keras.Model(inputs, x, name="encoder")
    return joined(encoder, dense_decoder(code, hidden, input_shape, activation, initializer), "autoencoder")


@register
def autoencoder_conv(input_shape=(28, 28, 1), filters=(32, 64), code=30, activation="elu"):
    """A convolutional autoencoder: strided convolutions to a code, and transposed ones back (Masci et al. 2011).

        pixels 28x28x1 -> conv 3x3/2 14x14x32 -> conv 3x3/2 7x7x64 -> code 30
        code 30 -> 7x7x64 -> conv up 14x14x32 -> conv up 28x28x32 -> conv 3x3 -> image 28x28x1

    Args:
        input_shape: (height, width, channels) of raw pixels 0..255, which are scaled to 0..1.
        filters: channels of the convolutions, each of which halves height and width; integers >= 1.
        code: length of the code, an integer >= 1.
        activation: of all layers but the code's and the last: a name of Keras.

    Returns:
        An `Autoencoder`: a `keras.Model` from raw pixels to an image (batch, height, width, channels) of values 0..1,
        with the models `encoder` and `decoder`.

    Raises:
        ZooError: a value that is not named above, or more halvings than the image has pixels for.

    Differences from the paper:
        - Strides instead of max pooling, and a dense code behind the last feature maps.

    Example:
        >>> import zoo
        >>> zoo.build("autoencoder_conv", code=8).encoder.output_shape
        (None, 8)
    """
    input_shape = _inputs.shape(input_shape)
    fits = isinstance(filters, list | tuple) and len(filters) >= 1
    require(fits, "filters", filters, "a list of channels, such as (32, 64)")
    for channels in filters:
        _inputs.integer("each number in filters", channels, 1)
    _inputs.integer("code", code, 1)
    most = min(input_shape[:2]).bit_length() - 1
    require(len(filters) <= most, "filters", filters, f"at most {most} numbers: each halves {input_shape[:2]}")

    inputs, x = _inputs.images(input_shape)
    x, sizes = _inputs.scaled(x), []
    for index, channels in enumerate(filters, start=1):
        sizes.append(x.shape[1:3])
        x = keras.layers.Conv2D(channels, 3, 2, "same", activation=activation, name=f"encode{index}")(x)
    last = x.shape[1:]
    x = keras.layers.Dense(code, name="code", dtype="float32")(keras.layers.Flatten(name="flatten")(x))
    encoder = keras.Model(inputs, x, name="encoder")

    codes = x = keras.Input((code,), name="code")
    x = keras.layers.Dense(math.prod(last), activation=activation, name="maps")(x)
    x = keras.layers.Reshape(last, name="reshape")(x)
    for index, (height, width) in reversed(list(enumerate(sizes, start=1))):
        channels = filters[max(index - 2, 0)]
        x = keras.layers.Conv2DTranspose(channels, 3, 2, "same", activation=activation, name=f"decode{index}")(x)
        over = (0, x.shape[1] - height), (0, x.shape[2] - width)
        x = keras.layers.Cropping2D(over, name=f"crop{index}")(x) if over != ((0, 0), (0, 0)) else x
    x = keras.layers.Conv2D(input_shape[2], 3, padding="same", name="pixels")(x)
    return joined(encoder, keras.Model(codes, image(x), name="decoder"), "autoencoder_conv")
