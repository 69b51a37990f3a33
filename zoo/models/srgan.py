"""SRResNet and SRGAN: a small image in, the same image several times as large out.

Ledig et al. 2017, Photo-realistic single image super-resolution using a generative adversarial network, CVPR,
arXiv:1609.04802.
"""

import keras

from zoo.adversarial import Adversarial
from zoo.errors import ZooError, require
from zoo.generative_layers import PixelShuffle
from zoo.leaky_relu import LeakyReLU
from zoo.models import _inputs
from zoo.normalization import BatchNormalization
from zoo.pixel_affine import Pixels
from zoo.registry import entry, register
from zoo.weights import trained

# Stages of the paper's discriminator; fewer where an image is too small to be halved so often.
STAGES = 4
# The least side of the maps that its dense layer is given.
LEAST = 4
NORMAL = dict(momentum=0.9, epsilon=1e-5)


@register
def srresnet(input_shape=(None, None, 3), factor=4, filters=64, blocks=16):
    """The paper's generator (figure 4, above), to be trained on the squared error of pixels.

        pixels hxwx3 -> conv 9x9 PReLU hxwx64 -> 16 residual blocks -> conv 3x3, plus what came before the blocks
        -> conv 3x3 256, pixel shuffle, PReLU 2hx2wx64 -> the same 4hx4wx64 -> conv 9x9, tanh -> pixels 4hx4wx3

    A residual block is convolution, normalisation, PReLU, convolution, normalisation, each convolution 3 x 3, and the
    block's input is added. All the work is done at the size of the small image: only the last stages see more pixels.
    The network has no weight that knows the image's size.

    Args:
        input_shape: (height, width, channels) of the small image's raw pixels 0..255; a side may be None, for any.
        factor: how many times higher and wider the image becomes: 2, 4, 8, ..., a power of two.
        filters: integer >= 1, channels of all convolutions but the last; those in front of a pixel shuffle have four
            times as many.
        blocks: integer >= 0, residual blocks.

    Returns:
        A `keras.Model` from pixels to float32 pixels 0..255 (batch, factor * height, factor * width, channels). They
        are not rounded.

    Raises:
        ZooError: a value that is not named above.

    Differences from the paper:
        - Small images are scaled to -1..1 as the large ones are; the paper scales them to 0..1.
        - The output passes a tanh, which keeps it within the range of pixels. The figure has none.
        - Convolutions in front of a normalisation have no bias, which the mean would take off again. With them the
          default network has 1,550,659 trainable parameters instead of 1,548,547.
        - Convolutions start as in He et al. 2015, arXiv:1502.01852, PReLUs at 0.25 as there; the paper does not say.

    Example:
        >>> import zoo
        >>> model = zoo.build("srresnet", filters=4, blocks=1)
        >>> model(np.zeros((1, 7, 5, 3), "uint8")).shape
        TensorShape([1, 28, 20, 3])
    """
    return _generator(input_shape, factor, filters, blocks, "srresnet")


@register
def srgan(
    input_shape=(None, None, 3),
    factor=4,
    filters=64,
    blocks=16,
    patch=96,
    discriminator_filters=64,
    dense=1024,
    ema=0.0,
):
    """`srresnet` with the paper's discriminator (figure 4, below), which it learns to deceive.

    The discriminator sees large images of one size, on patches of which the pair is trained:

        image 96x96x3 -> 64 at 96x96, 64 at 48x48 -> 128, 128 at 24x24 -> 256, 256 at 12x12 -> 512, 512 at 6x6
        -> dense 1024 -> logit

    Each stage is two 3 x 3 convolutions, the second at stride 2, with normalisation (but behind the first convolution)
    and leaky ReLUs of slope 0.2. At the default sizes it has 23,563,649 trainable parameters, 18,875,392 of them in the
    first dense layer. A patch of less than 49 pixels is halved fewer times, down to maps of 4 to 6 pixels: one of 32
    has the first three stages, and 5,342,593 parameters.

    Args:
        input_shape, factor, filters, blocks: as `srresnet` has them.
        patch: side in pixels of the large images that the discriminator sees, 8 or more, a multiple of `factor`.
        discriminator_filters: integer >= 1, channels of its first stage; they double with each stage.
        dense: integer >= 1, units of its dense layer.
        ema: see `zoo.adversarial.Adversarial`; 0 is the paper's.

    Returns:
        A `zoo.adversarial.Adversarial` from pixels to float32 pixels 0..255 (batch, factor * height, factor * width,
        channels), for images of any size when `input_shape` says so.

    Raises:
        ZooError: a value that is not named above.

    Differences from the paper:
        - Those of `srresnet`.
        - The discriminator ends in a logit; its sigmoid is part of the loss.

    Example:
        >>> import zoo
        >>> model = zoo.build("srgan", filters=4, blocks=1, patch=16, discriminator_filters=4, dense=8)
        >>> model.output_shape, model.discriminator.input_shape, model.discriminator.output_shape
        ((None, None, None, 3), (None, 16, 16, 3), (None, 1))
    """
    generator = _generator(input_shape, factor, filters, blocks, "generator")
    fits = _inputs.integer("patch", patch, 2 * LEAST) % factor == 0
    require(fits, "patch", patch, f"a multiple of factor={factor}: {patch - patch % factor + factor} would do")
    _inputs.integer("discriminator_filters", discriminator_filters, 1)
    _inputs.integer("dense", dense, 1)
    discriminator = _discriminator(patch, generator.output_shape[-1], discriminator_filters, dense)
    return Adversarial(generator, discriminator, ema=ema, name="srgan")


def begin(model, weights):
    """Gives the generator of an SRGAN the weights of a trained SRResNet: Ledig et al. 2017, section 3.2.

    Without them the generator may end in a poor local optimum.

    Args:
        model: what `srgan` returned.
        weights: a run folder of an `srresnet`, or a `.keras` file of one; factor, filters and blocks are the same.

    Raises:
        ZooError: no such file, or another network: the message has the first layer that differs. Nothing is set then.

    Example:
        >>> import zoo
        >>> small = dict(filters=4, blocks=1)
        >>> zoo.build("srresnet", **small).save("srresnet.keras")
        >>> begin(zoo.build("srgan", patch=16, discriminator_filters=4, dense=8, **small), "srresnet.keras")
    """
    trained.assign(model.generator, entry("srresnet"), weights)
    model.learner.set_weights(model.generator.get_weights())


def _generator(input_shape, factor, filters, blocks, name):
    _check_shape(input_shape)
    doublings = _inputs.integer("factor", factor, 2).bit_length() - 1
    require(factor == 2**doublings, "factor", factor, "a power of two: 2, 4, 8, ...")
    _inputs.integer("filters", filters, 1)
    _inputs.integer("blocks", blocks, 0)
    inputs = keras.Input(tuple(input_shape), name="pixels")
    x = _convolution(_inputs.affine(inputs), filters, 9, "first_conv", use_bias=True)
    x = first = _prelu(x, "first_prelu")
    for number in range(1, blocks + 1):
        before = x
        x = _normal(_convolution(x, filters, 3, f"block{number}_conv1"), f"block{number}_norm1")
        x = _prelu(x, f"block{number}_prelu")
        x = _normal(_convolution(x, filters, 3, f"block{number}_conv2"), f"block{number}_norm2")
        x = keras.layers.Add(name=f"block{number}_add")([x, before])
    x = _normal(_convolution(x, filters, 3, "body_conv"), "body_norm")
    x = keras.layers.Add(name="body_add")([x, first])
    for number in range(1, doublings + 1):
        x = _convolution(x, 4 * filters, 3, f"up{number}_conv", use_bias=True)
        x = _prelu(PixelShuffle(2, name=f"up{number}_shuffle")(x), f"up{number}_prelu")
    # The last convolution in full precision: in half of it neighbouring grey values are the same.
    x = keras.layers.Conv2D(input_shape[2], 9, padding="same", activation="tanh", dtype="float32", name="image_conv")(x)
    return keras.Model(inputs, Pixels(name="image")(x), name=name)


def _discriminator(patch, channels, filters, dense):
    inputs = keras.Input((patch, patch, channels), name="image")
    x = _inputs.affine(inputs)
    # Padded, a convolution at stride 2 rounds up.
    stages = sum(-(-patch // 2**stage) >= LEAST for stage in range(1, STAGES + 1))
    for stage in range(1, stages + 1):
        for number, stride in ((1, 1), (2, 2)):
            name = f"stage{stage}_conv{number}"
            first = stage == number == 1
            x = _convolution(x, filters * 2 ** (stage - 1), 3, name, stride, use_bias=first)
            x = x if first else _normal(x, f"{name}_norm")
            x = LeakyReLU(0.2, name=f"{name}_relu")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(dense, kernel_initializer="he_normal", name="dense")(x)
    x = LeakyReLU(0.2, name="dense_relu")(x)
    return keras.Model(inputs, keras.layers.Dense(1, dtype="float32", name="output")(x), name="discriminator")


def _check_shape(input_shape):
    works = "(height, width, channels), integers >= 1, or None for any height and width"
    three = isinstance(input_shape, list | tuple) and len(input_shape) == 3
    require(three, "input_shape", input_shape, works)
    sides = [side for side in input_shape[:2] if side is not None]
    whole = all(isinstance(size, int) and not isinstance(size, bool) and size >= 1 for size in (*sides, input_shape[2]))
    if not whole:
        raise ZooError(f"input_shape must be {works}. Received: input_shape={input_shape!r}")


def _convolution(x, filters, size, name, stride=1, use_bias=False):
    start = "he_normal"
    return keras.layers.Conv2D(
        filters, size, stride, padding="same", use_bias=use_bias, kernel_initializer=start, name=name
    )(x)


def _normal(x, name):
    return BatchNormalization(**NORMAL, name=name)(x)


def _prelu(x, name):
    start = keras.initializers.Constant(0.25)
    return keras.layers.PReLU(alpha_initializer=start, shared_axes=[1, 2], name=name)(x)
