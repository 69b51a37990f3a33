"""pix2pix: an image in, another image of the same scene out, as a conditional adversarial network.

Isola, Zhu, Zhou, Efros 2017, Image-to-image translation with conditional adversarial networks, CVPR, arXiv:1611.07004.
"""

import keras

from zoo.adversarial import Adversarial
from zoo.errors import ZooError, choose, require
from zoo.leaky_relu import LeakyReLU
from zoo.models import _inputs
from zoo.normalization import BatchNormalization
from zoo.pixel_affine import Pixels
from zoo.registry import register

NORMALIZATIONS = ("instance", "batch")
# How many convolutions a discriminator has before its last one, by the side of what one logit sees.
DEPTHS = {1: 2, 16: 2, 70: 4, 286: 6}
# Decoder stages with dropout.
DROPPED = 3
EPSILON = 1e-5


@register
def pix2pix(input_shape=(256, 256, 3), channels=3, width=64, levels=8, normalization="instance", dropout=0.5, patch=70):
    """The paper's U-Net as generator, and its discriminator of patches (section 3.2, appendix 6.1).

        pixels 256x256x3 -> 128x128x64 -> 64x64x128 -> 32x32x256 -> 16x16x512 -> 8x8x512 -> 4x4x512 -> 2x2x512
        -> 1x1x512 -> 2x2x512 -> 4x4x512 -> 8x8x512 -> 16x16x512 -> 32x32x256 -> 64x64x128 -> 128x128x64
        -> 256x256x3

    All convolutions are 4 x 4 at stride 2. All but the first, that of the bottleneck and the last are normalised; the
    encoder has leaky ReLUs of slope 0.2, the decoder ReLUs, and the output a tanh. Beside the maps of each decoder
    stage stand those of the encoder of the same size. The generator has 54,414,531 parameters.

    The discriminator sees an image beside the input it should belong to, and has a logit for each patch, of the given
    side: it models texture, and leaves what is larger to the L1 loss. At the default sizes:

        patch   convolutions before the last                  logits    parameters
        1       C64-C128, all 1 x 1 at stride 1               256x256        9,025
        16      C64-C128, the last at stride 1                126x126      139,585
        70      C64-C128-C256-C512, the last at stride 1        30x30    2,768,705
        286     C64-C128-C256-C512-C512-C512, likewise            6x6   11,159,361

    All weights start from a Gaussian of standard deviation 0.02.

    Args:
        input_shape: (height, width, channels) of raw pixels 0..255, the image that is translated; height and width are
            multiples of 2**levels.
        channels: integer >= 1, channels of the image that is generated.
        width: integer >= 1, channels of the first stage of both networks; later ones have up to 8 times as many.
        levels: integer >= 2, how often the generator halves the image.
        normalization: "instance", each map of each image by its own mean and variance, or "batch".
        dropout: number >= 0 and < 1, the part that is dropped in training in the first three decoder stages.
        patch: side of what one logit of the discriminator sees, in pixels: 1, 16, 70 or 286.

    Returns:
        A `zoo.adversarial.Adversarial` from pixels to float32 pixels 0..255 (batch, height, width, channels). Its
        discriminator's inputs are `image`, then `pixels`.

    Raises:
        ZooError: a value that is not named above, or an image too small for the patch; a size that does not divide is
            answered with the nearest that do.

    Differences from the paper:
        - The paper normalises batches of 1 to 10 images, and keeps the statistics of the batch when it tests. Of one
          image that is instance normalisation, the default here. With "batch", moving statistics are used outside of
          training.
        - The paper keeps dropout when it tests, as the only noise there is, and finds that outputs hardly vary. Here an
          image has one translation; `model(pixels, training=True)` draws one of many (with instance normalisation,
          training changes nothing but dropout).
        - The bottleneck is not normalised: of one pixel nothing would be left, as the authors' erratum says.
        - Convolutions that are normalised have no bias, which the mean would take off again.
        - Pixels are scaled to -1..1 inside the model, and its output back to 0..255.

    Example:
        >>> import zoo
        >>> model = zoo.build("pix2pix", input_shape=(64, 32, 1), width=2, levels=5)
        >>> model.output_shape, model.discriminator.output_shape
        ((None, 64, 32, 3), (None, 6, 2, 1))
    """
    input_shape = _inputs.shape(input_shape)
    _inputs.integer("channels", channels, 1)
    _inputs.integer("width", width, 1)
    _inputs.integer("levels", levels, 2)
    choose("normalization", normalization, NORMALIZATIONS)
    _inputs.number("dropout", dropout, below=1)
    choose("patch", patch, DEPTHS)
    _check_sides(input_shape, levels, patch)
    parts = _Parts(normalization)
    generator = _generator(parts, input_shape, channels, width, levels, dropout)
    discriminator = _discriminator(parts, input_shape, channels, width, patch)
    return Adversarial(generator, discriminator, name="pix2pix")


def _check_sides(input_shape, levels, patch):
    step, sides = 2**levels, input_shape[:2]
    wrong = [side for side in sides if side % step]
    if wrong:
        below = wrong[0] - wrong[0] % step
        near = " or ".join(str(size) for size in (below, below + step) if size)
        # The largest power of two that divides both.
        divides = (sides[0] | sides[1]) & -(sides[0] | sides[1])
        fewer = f"; so would levels={divides.bit_length() - 1}" if divides >= 4 else ""
        raise ZooError(
            f"height and width in input_shape must be multiples of 2**levels = {step}. Received: "
            f"input_shape={input_shape!r}, levels={levels}. Instead of {wrong[0]}, {near} would do{fewer}"
        )
    if min(sides) < _least(patch):
        fits = [str(each) for each in DEPTHS if _least(each) <= min(sides)]
        require(False, "patch", patch, f"{' or '.join(fits)} for images of {sides[0]} x {sides[1]} pixels")


def _least(patch):
    """The smallest side of which a discriminator makes a logit: the two convolutions at stride 1 want 3 pixels."""
    return 1 if patch == 1 else 2 ** DEPTHS[patch] + 1


def _filters(width, stage):
    return width * min(2**stage, 8)


def _generator(parts, input_shape, channels, width, levels, dropout):
    inputs, x = _inputs.images(input_shape)
    x = _inputs.affine(x)
    skips = []
    for level in range(1, levels + 1):
        name = f"down{level}"
        x = parts.convolution(x, _filters(width, level - 1), 2, name, normalized=1 < level < levels)
        x = LeakyReLU(0.2, name=f"{name}_relu")(x)
        skips.append(x)
    for level in reversed(range(1, levels)):
        name = f"up{level}"
        x = parts.doubled(x, _filters(width, level - 1), name)
        if dropout and levels - level <= DROPPED:
            x = keras.layers.Dropout(dropout, name=f"{name}_dropout")(x)
        x = keras.layers.ReLU(name=f"{name}_relu")(x)
        x = keras.layers.Concatenate(name=f"{name}_concat")([x, skips[level - 1]])
    x = keras.layers.Conv2DTranspose(
        channels,
        4,
        2,
        padding="same",
        activation="tanh",
        kernel_initializer=parts.start(),
        dtype="float32",
        name="output_conv",
    )(x)
    return keras.Model(inputs, Pixels(name="output")(x), name="generator")


def _discriminator(parts, input_shape, channels, width, patch):
    depth = DEPTHS[patch]
    size = 1 if patch == 1 else 4
    image = keras.Input((*input_shape[:2], channels), name="image")
    pixels = keras.Input(input_shape, name="pixels")
    # float32 under every precision policy: the range is small only behind the scaling.
    x = _inputs.affine(keras.layers.Concatenate(dtype="float32", name="pair")([image, pixels]))
    for stage in range(depth):
        name = f"patch{stage + 1}"
        stride = 2 if size > 1 and stage < depth - 1 else 1
        x = parts.convolution(x, _filters(width, stage), stride, name, normalized=stage > 0, size=size)
        x = LeakyReLU(0.2, name=f"{name}_relu")(x)
    x = parts.convolution(x, 1, 1, "output", size=size, dtype="float32")
    return keras.Model([image, pixels], x, name="discriminator")


class _Parts:
    """Builds what both networks consist of."""

    def __init__(self, normalization):
        self.normalization = normalization

    @staticmethod
    def start():
        return keras.initializers.RandomNormal(stddev=0.02)

    def convolution(self, x, filters, stride, name, normalized=False, size=4, dtype=None):
        padding = "same"
        if size > 1 and stride == 1:
            # One zero on each side, as at stride 2: a kernel of 4 then makes a map one smaller.
            x, padding = keras.layers.ZeroPadding2D(1, name=f"{name}_pad")(x), "valid"
        x = keras.layers.Conv2D(
            filters,
            size,
            stride,
            padding=padding,
            use_bias=not normalized,
            kernel_initializer=self.start(),
            dtype=dtype,
            name=f"{name}_conv",
        )(x)
        return self.normal(x, name) if normalized else x

    def doubled(self, x, filters, name):
        start = self.start()
        layer = keras.layers.Conv2DTranspose(
            filters, 4, 2, padding="same", use_bias=False, kernel_initializer=start, name=f"{name}_conv"
        )
        return self.normal(layer(x), name)

    def normal(self, x, name):
        if self.normalization == "batch":
            return BatchNormalization(momentum=0.9, epsilon=EPSILON, name=f"{name}_norm")(x)
        return keras.layers.GroupNormalization(groups=-1, epsilon=EPSILON, name=f"{name}_norm")(x)
