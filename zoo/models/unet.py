"""U-Net: an image in, a class for each pixel out; the paper's network and the padded one that practice made of it.

Ronneberger, Fischer, Brox 2015, U-Net: convolutional networks for biomedical image segmentation, arXiv:1505.04597.
"""

import math

import keras

from zoo.bilinear_upsampling import BilinearUpSampling2D
from zoo.errors import ZooError, choose, require
from zoo.models import _inputs
from zoo.normalization import BatchNormalization
from zoo.registry import register

UPSAMPLING = ("transposed", "bilinear", "nearest")


@register
def unet(num_classes=2, input_shape=(572, 572, 1), width=64, depth=4, dropout=0.5):
    """The network of the paper's figure 1: no padding, so that each output pixel has seen nothing but image.

        pixels 572x572x1 -> 568x568x64 -> 280x280x128 -> 136x136x256 -> 64x64x512 -> 28x28x1024
        -> 52x52x512 -> 100x100x256 -> 196x196x128 -> 388x388x64 -> logits 388x388x2

    Each stage is two 3 x 3 convolutions with ReLUs. On the way down a 2 x 2 max pooling halves the image and the
    channels double; on the way up a 2 x 2 up-convolution doubles the image and halves the channels, and the maps of the
    same size from the way down, cropped in the middle, are set beside its own. Of the input's height and width
    12 * 2**depth - 8 pixels are lost, half on each side: `zoo.tiling.segment` mirrors the image around its border and
    covers one of any size with tiles (section 2, figure 2).

    Args:
        num_classes: integer >= 1: the logits of each pixel. With 1 it is that of class 1 against class 0 (a sigmoid's);
            else they are a softmax's.
        input_shape: (height, width, channels) of raw pixels 0..255. Height and width must halve without a rest at every
            pooling: 16 k + 12 at depth 4, from 188 on.
        width: integer >= 1, channels of the first stage.
        depth: integer >= 1, how often the image is halved.
        dropout: number >= 0 and < 1, the part that is dropped in training behind the last two stages of the contracting
            path.

    Returns:
        A `keras.Model` from pixels to float32 logits (batch, height', width', num_classes).

    Raises:
        ZooError: a value that is not named above; a size that does not halve is answered with the nearest that do.

    Differences from the paper:
        - Pixels are scaled to -1..1 inside the model; the paper does not say how.
        - The paper names neither the place nor the rate of its dropout. Here both are those of the network that its
          authors released.
        - That network also has a ReLU behind each up-convolution, and 128 channels behind the last one: neither is in
          the paper.

    Example:
        >>> import zoo
        >>> zoo.build("unet", input_shape=(188, 188, 1), width=2).output_shape
        (None, 4, 4, 2)
    """
    _check(num_classes, width, depth)
    input_shape = _inputs.shape(input_shape)
    step = 2**depth
    # Of 4 pixels in the lowest stage each stage on the way up makes 4 again. If there is only one, 3 will do.
    least = 18 if depth == 1 else 12 * step - 4
    _check_sides(input_shape, step, -4 % step, least)
    return _network("unet", _Parts("valid"), num_classes, input_shape, width, depth, dropout)


@register
def unet_same(
    num_classes=2,
    input_shape=(256, 256, 1),
    width=64,
    depth=4,
    batch_normalization=False,
    upsampling="transposed",
    residual=False,
    dropout=0.0,
    momentum=0.9,
    epsilon=1e-5,
):
    """U-Net with zeros around its maps, so that the output has the input's size: what practice made of the paper.

        pixels 256x256x1 -> 256x256x64 -> 128x128x128 -> 64x64x256 -> 32x32x512 -> 16x16x1024
        -> 32x32x512 -> 64x64x256 -> 128x128x128 -> 256x256x64 -> logits 256x256x2

    Args:
        num_classes: integer >= 1: the logits of each pixel. With 1 it is that of class 1 against class 0 (a sigmoid's);
            else they are a softmax's.
        input_shape: (height, width, channels) of raw pixels 0..255; height and width are multiples of 2**depth, or both
            None for any such size.
        width: integer >= 1, channels of the first stage.
        depth: integer >= 1, how often the image is halved.
        batch_normalization: whether each 3 x 3 convolution is normalised before its ReLU (Ioffe, Szegedy 2015); it then
            has no bias.
        upsampling: how the image grows: "transposed" (the paper's 2 x 2 up-convolution), or "bilinear" or "nearest"
            interpolation before a 3 x 3 convolution, which leaves no checkerboard (Odena et al. 2016, Deconvolution and
            checkerboard artifacts).
        residual: whether each stage adds its input to its second convolution, through a 1 x 1 convolution, before the
            last ReLU (He et al. 2015, arXiv:1512.03385).
        dropout: number >= 0 and < 1, the part that is dropped in training behind the last two stages of the contracting
            path.
        momentum: of the moving statistics, 0..1: the share that stays at each step.
        epsilon: added to variances, > 0.

    Returns:
        A `keras.Model` from pixels to float32 logits (batch, height, width, num_classes).

    Raises:
        ZooError: a value that is not named above; a size that does not divide is answered with the nearest that do.

    Differences from the paper:
        - Convolutions are padded with zeros, and nothing is cropped: near the border, logits have seen zeros.
        - There is no dropout by default.
        - Pixels are scaled to -1..1 inside the model.

    Example:
        >>> import zoo
        >>> zoo.build("unet_same", num_classes=1, input_shape=(None, None, 3), width=2).output_shape
        (None, None, None, 1)
    """
    _check(num_classes, width, depth)
    flags = dict(batch_normalization=batch_normalization, residual=residual)
    for name, value in flags.items():
        require(isinstance(value, bool), name, value, "True or False")
    choose("upsampling", upsampling, UPSAMPLING)
    if isinstance(input_shape, list | tuple) and len(input_shape) == 3 and tuple(input_shape[:2]) == (None, None):
        _inputs.integer("the channels of input_shape", input_shape[2], 1)
    else:
        _check_sides(_inputs.shape(input_shape), 2**depth, 0, 2**depth)
    _inputs.number("momentum", momentum, below=1)
    _inputs.number("epsilon", epsilon)
    parts = _Parts("same", batch_normalization, upsampling, residual, momentum, epsilon)
    return _network("unet_same", parts, num_classes, tuple(input_shape), width, depth, dropout)


def _check(num_classes, width, depth):
    _inputs.integer("num_classes", num_classes, 1)
    _inputs.integer("width", width, 1)
    _inputs.integer("depth", depth, 1)


def _check_sides(input_shape, step, rest, least):
    """Raises unless height and width are `step * k + rest`, and `least` or more."""
    wrong = [side for side in input_shape[:2] if side < least or side % step != rest]
    if wrong:
        below = wrong[0] - (wrong[0] - rest) % step
        near = [size for size in (below, below + step) if size >= least] or [least]
        raise ZooError(
            f"height and width in input_shape must be multiples of {step}{f' plus {rest}' if rest else ''}, and "
            f"{least} or more. Received: input_shape={input_shape!r}. Instead of {wrong[0]}, "
            f"{' or '.join(map(str, near))} would do; zoo.tiling.segment takes images of any size."
        )


def _network(name, parts, num_classes, input_shape, width, depth, dropout):
    _inputs.number("dropout", dropout, below=1)
    inputs, x = _inputs.images(input_shape)
    x = _inputs.affine(x)
    skips = []
    for level in range(depth + 1):
        stage = f"down{level + 1}" if level < depth else "bottom"
        x = parts.stage(x, width * 2**level, stage)
        if dropout and level >= depth - 1:
            x = keras.layers.Dropout(dropout, name=f"{stage}_dropout")(x)
        if level < depth:
            skips.append(x)
            x = keras.layers.MaxPooling2D(2, name=f"{stage}_pool")(x)
    # Two convolutions without padding take 2 pixels off each side, and a doubling doubles what is missing.
    crop = 4
    for level in reversed(range(depth)):
        stage = f"up{level + 1}"
        x = parts.doubled(x, width * 2**level, stage)
        skip = skips[level]
        if parts.padding == "valid":
            skip = keras.layers.Cropping2D(crop, name=f"{stage}_crop")(skip)
            crop = 2 * (crop + 2) + 4
        x = keras.layers.Concatenate(name=f"{stage}_concat")([skip, x])
        x = parts.stage(x, width * 2**level, stage)
    x = keras.layers.Conv2D(num_classes, 1, kernel_initializer=_gaussian(x.shape[-1]), dtype="float32", name="output")(
        x
    )
    return keras.Model(inputs, x, name=name)


def _gaussian(incoming):
    """The paper's section 3: a Gaussian of standard deviation sqrt(2 / N) for N incoming nodes of one neuron.

    Keras' `he_normal` cuts the tails off, and takes the outputs of a transposed convolution for its inputs.
    """
    return keras.initializers.RandomNormal(stddev=math.sqrt(2 / incoming))


class _Parts:
    """Builds what the networks consist of, all with the same options."""

    def __init__(
        self,
        padding,
        batch_normalization=False,
        upsampling="transposed",
        residual=False,
        momentum=0.9,
        epsilon=1e-5,
    ):
        self.padding = padding
        self.batch_normalization = batch_normalization
        self.upsampling = upsampling
        self.residual = residual
        self.momentum = momentum
        self.epsilon = epsilon

    def convolution(self, x, filters, size, name, use_bias=True):
        start = _gaussian(size * size * x.shape[-1])
        return keras.layers.Conv2D(
            filters, size, padding=self.padding, use_bias=use_bias, kernel_initializer=start, name=f"{name}_conv"
        )(x)

    def normalized(self, x, filters, size, name):
        """A convolution, normalised where that is asked for."""
        x = self.convolution(x, filters, size, name, use_bias=not self.batch_normalization)
        if self.batch_normalization:
            x = BatchNormalization(momentum=self.momentum, epsilon=self.epsilon, name=f"{name}_norm")(x)
        return x

    def stage(self, x, filters, name):
        before = x
        x = self.normalized(x, filters, 3, f"{name}_1")
        x = keras.layers.ReLU(name=f"{name}_1_relu")(x)
        x = self.normalized(x, filters, 3, f"{name}_2")
        if self.residual:
            # Every stage changes the number of channels.
            short = self.normalized(before, filters, 1, f"{name}_short")
            x = keras.layers.Add(name=f"{name}_add")([x, short])
        return keras.layers.ReLU(name=f"{name}_2_relu")(x)

    def doubled(self, x, filters, name):
        if self.upsampling == "transposed":
            start = _gaussian(x.shape[-1])  # at stride 2 each output pixel has one pixel behind it
            return keras.layers.Conv2DTranspose(filters, 2, 2, kernel_initializer=start, name=f"{name}_conv")(x)
        enlarging = BilinearUpSampling2D if self.upsampling == "bilinear" else keras.layers.UpSampling2D
        x = enlarging(2, interpolation=self.upsampling, name=f"{name}_enlarging")(x)
        return self.convolution(x, filters, 3, name)
