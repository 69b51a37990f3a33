"""Residual networks, for 32 x 32 images and for ImageNet, with their activations behind or before the weights.

He, Zhang, Ren, Sun 2015, Deep Residual Learning for Image Recognition, arXiv:1512.03385: section 4.2 (CIFAR-10) and
table 1 (ImageNet). Pre-activation: He, Zhang, Ren, Sun 2016, Identity Mappings in Deep Residual Networks,
arXiv:1603.05027.
"""

import keras

from zoo.errors import ZooError, choose, require
from zoo.layers import ParameterFreeShortcut
from zoo.models import _inputs
from zoo.normalization import BatchNormalization
from zoo.registry import register

SHORTCUTS = ("A", "B", "C")
STRIDES = ("1x1", "3x3")


@register
def resnet_cifar(
    blocks=3,
    num_classes=10,
    input_shape=(32, 32, 3),
    include_top=True,
    pooling=None,
    shortcut="A",
    preactivation=False,
    zero_gamma=False,
    momentum=0.9,
    epsilon=1e-5,
):
    """The residual network of the paper's CIFAR-10 section: three stages of 16, 32, 64 channels (He et al. 2015, 4.2).

        pixels 32x32x3 -> conv 3x3, 16 -> n blocks 32x32x16 -> n blocks 16x16x32 -> n blocks 8x8x64 -> average -> logits

    It has 6n + 2 layers with weights: `resnet20`, `resnet32`, `resnet44`, `resnet56` and `resnet110` are n = 3, 5, 7, 9
    and 18.

    Args:
        blocks: integer >= 1, the paper's n: blocks of two 3 x 3 convolutions in each stage.
        num_classes: integer >= 2.
        input_shape: (height, width, channels) of raw pixels 0..255, at least 8 x 8.
        include_top: whether the model ends in logits; without it, in what `pooling` says.
        pooling: without the top: None for the last feature maps (batch, height / 4, width / 4, 64), "avg" or "max" over
            the image for (batch, 64). With the top it must be None.
        shortcut: where the number of channels grows, "A" (the paper's: every second pixel, zeros for new channels, no
            parameters) or "B" (a 1 x 1 convolution); "C" has a 1 x 1 convolution at every block.
        preactivation: whether normalisation and ReLU stand before each convolution (He et al. 2016).
        zero_gamma: whether the last scale of each block starts at 0, so that it starts as the identity (Goyal et al.
            2017, section 5.1). Not with pre-activation, whose blocks end in a convolution.
        momentum: of the moving statistics, 0..1: the share that stays at each step.
        epsilon: added to variances, > 0.

    Returns:
        A `keras.Model` from pixels to logits (batch, num_classes), or to features.

    Raises:
        ZooError: a value that is not named above.

    Differences from the paper:
        - Pixels are scaled to -1..1 inside the model; the paper subtracts each pixel's mean.

    Example:
        >>> import zoo
        >>> zoo.build("resnet20").output_shape
        (None, 10)
    """
    _inputs.integer("blocks", blocks, 1)
    _inputs.check_top(num_classes, include_top, pooling)
    build = _Blocks(shortcut, preactivation, zero_gamma, momentum, epsilon, strides_in="3x3")
    inputs, x = _entrance(input_shape, 8)
    x = build.convolution(x, 16, 3, name="stem")
    if not preactivation:
        x = build.normalized(x, "stem")
    for stage, filters in enumerate((16, 32, 64), start=1):
        for block in range(1, blocks + 1):
            x = build.basic(x, filters, 2 if stage > 1 and block == 1 else 1, f"stage{stage}_block{block}")
    if preactivation:
        x = build.normalized(x, "last")
    return _inputs.classifier(inputs, x, num_classes, include_top, pooling, name="resnet_cifar")


@register
def resnet(
    blocks=(2, 2, 2, 2),
    bottleneck=False,
    num_classes=1000,
    input_shape=(224, 224, 3),
    include_top=True,
    pooling=None,
    stem="imagenet",
    shortcut="B",
    strides_in="3x3",
    preactivation=False,
    zero_gamma=False,
    momentum=0.9,
    epsilon=1e-5,
):
    """The residual networks of the paper's table 1, for ImageNet (He et al. 2015).

        pixels 224x224x3 -> conv 7x7/2, 64 -> max pool 3x3/2 -> stages of 64, 128, 256, 512 channels (four times as many
        behind a bottleneck), at 56, 28, 14 and 7 pixels -> average -> logits

    `resnet18` and `resnet34` have blocks of two 3 x 3 convolutions, `resnet50`, `resnet101` and `resnet152` bottlenecks
    of 1 x 1, 3 x 3, 1 x 1.

    Args:
        blocks: four integers >= 1, the blocks in each stage.
        bottleneck: whether blocks are bottlenecks.
        num_classes: integer >= 2.
        input_shape: (height, width, channels) of raw pixels 0..255, at least 32 x 32 with the ImageNet stem, 8 x 8 with
            the small one.
        include_top, pooling: as in `resnet_cifar`.
        stem: "imagenet", or "small" for images of about 32 x 32: one 3 x 3 convolution with stride 1, no pooling.
        shortcut: where the number of channels grows, "A" (no parameters), "B" (a 1 x 1 convolution, the paper's for
            the deep ones) or "C" (a 1 x 1 convolution at every block).
        strides_in: the convolution of a bottleneck that halves the image: "3x3" (torchvision) or the first "1x1" (the
            paper, and Keras' own weights).
        preactivation, zero_gamma, momentum, epsilon: as in `resnet_cifar`.

    Returns:
        A `keras.Model` from pixels to logits (batch, num_classes), or to features.

    Raises:
        ZooError: a value that is not named above.

    Differences from the paper:
        - A bottleneck halves the image in its 3 x 3 convolution unless `strides_in` says otherwise: more accurate at
          the same number of parameters.
        - Pixels are scaled to -1..1 inside the model; the paper subtracts each pixel's mean.

    Example:
        >>> import zoo
        >>> zoo.build("resnet18", num_classes=10, input_shape=(32, 32, 3), stem="small").output_shape
        (None, 10)
    """
    fits = isinstance(blocks, list | tuple) and len(blocks) == 4
    require(fits, "blocks", blocks, "a list of four integers >= 1, such as (2, 2, 2, 2)")
    for number in blocks:
        _inputs.integer("each of blocks", number, 1)
    require(isinstance(bottleneck, bool), "bottleneck", bottleneck, "True or False")
    choose("stem", stem, ("imagenet", "small"))
    _inputs.check_top(num_classes, include_top, pooling)
    build = _Blocks(shortcut, preactivation, zero_gamma, momentum, epsilon, strides_in)
    inputs, x = _entrance(input_shape, 32 if stem == "imagenet" else 8)
    if stem == "imagenet":
        x = build.normalized(build.convolution(x, 64, 7, 2, name="stem"), "stem")
        # Behind a ReLU zeros are as good as the minus infinity that pooling pads with.
        x = keras.layers.ZeroPadding2D(1, name="stem_pool_pad")(x)
        x = keras.layers.MaxPooling2D(3, 2, name="stem_pool")(x)
    else:
        x = build.convolution(x, 64, 3, name="stem")
        x = x if preactivation else build.normalized(x, "stem")
    add = build.bottleneck if bottleneck else build.basic
    for stage, (number, filters) in enumerate(zip(blocks, (64, 128, 256, 512), strict=True), start=1):
        for block in range(1, number + 1):
            x = add(x, filters, 2 if stage > 1 and block == 1 else 1, f"stage{stage}_block{block}")
    if preactivation:
        x = build.normalized(x, "last")
    return _inputs.classifier(inputs, x, num_classes, include_top, pooling, name="resnet")


def _entrance(input_shape, least):
    input_shape = _inputs.shape(input_shape)
    if min(input_shape[:2]) < least:
        raise ZooError(f"images must be at least {least} x {least} pixels. Received: input_shape={input_shape!r}")
    inputs, x = _inputs.images(input_shape)
    return inputs, _inputs.affine(x)


class _Blocks:
    """Builds what the networks consist of, all with the same options."""

    def __init__(self, shortcut, preactivation, zero_gamma, momentum, epsilon, strides_in):
        self.shortcut = choose("shortcut", shortcut, SHORTCUTS)
        self.strides_in = choose("strides_in", strides_in, STRIDES)
        for name, value in (("preactivation", preactivation), ("zero_gamma", zero_gamma)):
            require(isinstance(value, bool), name, value, "True or False")
        require(not (preactivation and zero_gamma), "zero_gamma", zero_gamma, "False with pre-activation")
        self.preactivation = preactivation
        self.zero_gamma = zero_gamma
        self.momentum = _inputs.number("momentum", momentum, below=1)
        self.epsilon = _inputs.number("epsilon", epsilon)

    def convolution(self, x, filters, size, stride=1, *, name):
        if stride > 1 and size > 1:
            # "same" would pad an even image on one side only; the paper and its weights pad both.
            x = keras.layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
        padding = "same" if stride == 1 or size == 1 else "valid"
        return keras.layers.Conv2D(
            filters, size, stride, padding, use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
        )(x)

    def normalized(self, x, name, activated=True, last=False):
        gamma = "zeros" if last and self.zero_gamma else "ones"
        x = BatchNormalization(
            momentum=self.momentum, epsilon=self.epsilon, gamma_initializer=gamma, name=f"{name}_norm"
        )(x)
        return keras.layers.ReLU(name=f"{name}_relu")(x) if activated else x

    def basic(self, x, filters, stride, name):
        return self._block(x, ((filters, 3, stride), (filters, 3, 1)), filters, stride, name)

    def bottleneck(self, x, filters, stride, name):
        first, second = (stride, 1) if self.strides_in == "1x1" else (1, stride)
        path = (filters, 1, first), (filters, 3, second), (4 * filters, 1, 1)
        return self._block(x, path, 4 * filters, stride, name)

    def _block(self, x, path, filters, stride, name):
        before = x
        if self.preactivation:
            x = self.normalized(x, f"{name}_0")
            if self._projects(before, filters):
                before = x
        for number, (width, size, step) in enumerate(path, start=1):
            x = self.convolution(x, width, size, step, name=f"{name}_{number}")
            last = number == len(path)
            if not (self.preactivation and last):
                x = self.normalized(x, f"{name}_{number}", activated=not last, last=last)
        x = keras.layers.Add(name=f"{name}_add")([x, self._short(before, filters, stride, name)])
        return x if self.preactivation else keras.layers.ReLU(name=f"{name}_relu")(x)

    def _projects(self, x, filters):
        return self.shortcut == "C" or (self.shortcut == "B" and x.shape[-1] != filters)

    def _short(self, x, filters, stride, name):
        if self._projects(x, filters):
            x = self.convolution(x, filters, 1, stride, name=f"{name}_short")
            return x if self.preactivation else self.normalized(x, f"{name}_short", activated=False)
        if x.shape[-1] != filters or stride > 1:
            return ParameterFreeShortcut(filters, stride, name=f"{name}_short")(x)
        return x
