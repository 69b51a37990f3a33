"""AlexNet: the network that won ImageNet in 2012, in two towers and in the forms that followed.

Krizhevsky, Sutskever, Hinton 2012, ImageNet classification with deep convolutional neural networks. In one tower:
Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks, arXiv:1404.5997.
"""

from typing import NamedTuple

import keras

from zoo.errors import ZooError, choose, require
from zoo.grouped_convolution import GroupedConv2D
from zoo.local_response import LocalResponseNormalization
from zoo.models import _dense_top, _inputs
from zoo.normalization import BatchNormalization
from zoo.registry import register


class Form(NamedTuple):
    """What distinguishes the forms: five values for the five convolutions, and how the first one meets the image."""

    channels: tuple
    sizes: tuple
    stride: int
    zeros: tuple  # before and behind, in both directions
    groups: tuple = (1, 1, 1, 1, 1)
    local_response: bool = False
    adaptive: bool = False


FORMS = {
    "two_towers": Form(
        (96, 256, 384, 384, 256), (11, 5, 3, 3, 3), 4, (2, 1), groups=(1, 2, 1, 2, 2), local_response=True
    ),
    "single": Form((64, 192, 384, 256, 256), (11, 5, 3, 3, 3), 4, (2, 2), adaptive=True),
    "fashion": Form((96, 256, 384, 384, 256), (11, 5, 3, 3, 3), 4, (1, 1)),
    "small": Form((48, 128, 192, 192, 128), (5, 5, 3, 3, 3), 1, (2, 2)),
}
POOLED = (1, 2, 5)  # the convolutions with pooling behind them: 3 x 3 windows, 2 apart
RESPONDING = (1, 2)  # the convolutions with local response normalisation, where a form has it
ONES = (2, 4, 5)  # the convolutions whose biases start at 1 in the paper


@register
def alexnet(
    num_classes=1000,
    input_shape=(224, 224, 3),
    include_top=True,
    pooling=None,
    form="two_towers",
    width=1.0,
    dense=4096,
    dropout=0.5,
    initializer="he",
    batch_normalization=False,
    resize=None,
    momentum=0.9,
    epsilon=1e-5,
):
    """AlexNet: five convolutions, overlapping pooling and three dense layers (Krizhevsky et al. 2012, figure 2).

        pixels 224x224x3 -> conv1 55x55x96 -> pool 27 -> conv2 27x27x256 -> pool 13 -> conv3, conv4 13x13x384
        -> conv5 13x13x256 -> pool 6 -> 4096 -> 4096 -> logits

    `alexnet` is the paper's: in conv2, conv4 and conv5 each half of the channels sees one half of those before, since
    the paper's two GPUs held a tower each, and local response normalisation follows conv1 and conv2.
    `alexnet_single` is torchvision's one tower (64, 192, 384, 256, 256 channels), `alexnet_fashion` the courses'
    (the paper's channels without groups, for 224 x 224 x 1), `alexnet_small` one of the paper's towers (48, 128, 192,
    192, 128) with 5 x 5 at stride 1 in front, for images of about 32 x 32.

    Args:
        num_classes: integer >= 2.
        input_shape: (height, width, channels) of raw pixels 0..255. At least 64 x 64 in two towers, 63 x 63 in a single
            one, 65 x 65 for the fashion form, 15 x 15 for the small one, unless they are resized.
        include_top: whether the model ends in logits; without it, in what `pooling` says.
        pooling: without the top: None for the last feature maps (batch, 6, 6, 256) of 224 x 224 pixels, "avg" or "max"
            over the image for (batch, 256). With the top it must be None.
        form: "two_towers", "single", "fashion" or "small".
        width: number > 0, the factor on the channels of all convolutions, which stay even in two towers.
        dense: integer >= 1, the units of each of the two hidden dense layers.
        dropout: number >= 0 and < 1, the part of those units that is dropped in training.
        initializer: "he" (He et al. 2015, arXiv:1502.01852; biases 0), or "paper" (section 5: all weights Gaussian with
            standard deviation 0.01, biases 1 in conv2, conv4, conv5 and the hidden dense layers, 0 elsewhere). It also
            decides the scale of the pixels: -1..1, or -127.5..127.5, which the paper's weights are meant for.
        batch_normalization: whether each convolution is normalised before its ReLU; it then has no bias, and local
            response normalisation is left out.
        resize: None, or the integer height and width to which images are first resized (bilinear): 224 takes the
            28 x 28 pixels of Fashion-MNIST as they come.
        momentum: of the moving statistics, 0..1: the share that stays at each step.
        epsilon: added to variances, > 0.

    Returns:
        A `keras.Model` from pixels to logits (batch, num_classes), or to features. Layers are named `conv1` to `conv5`,
        `pool1`, `pool2`, `pool5`, `fc1`, `fc2` and `output`; ReLUs `conv1_relu` and so on.

    Raises:
        ZooError: a value that is not named above, or images that are too small.

    Differences from the paper:
        - Of 224 pixels and no padding, 11 x 11 with stride 4 makes 54, not the paper's 55: three rows and columns of
          zeros are added, two before and one behind.
        - The middle of the range is subtracted from pixels, not the training set's mean image.
        - Response normalisation sees the channels of both towers, as in the paper's formula.
        - In training kept units are doubled; the paper halves all of them in the test.
        - Weights start as in He et al. 2015 unless `initializer` says otherwise. Behind the paper's, pictures hardly
          differ at first, and training starts late. Behind He's, on pixels of -1..1, response normalisation is little
          more than a division by 2^0.75 until activations have grown.

    torchvision's weights fit the single tower; its dropout stands before the dense layers, here behind them as in the
    paper. It averages maps of more than 6 x 6 to 6 x 6 before them; in the other forms, and for smaller images, the
    first dense layer fits the size that it is built for.

    Example:
        >>> import zoo
        >>> zoo.build("alexnet_small", num_classes=10).output_shape
        (None, 10)
    """
    plan = FORMS[choose("form", form, tuple(FORMS))]
    choose("initializer", initializer, ("paper", "he"))
    require(isinstance(batch_normalization, bool), "batch_normalization", batch_normalization, "True or False")
    require(_inputs.number("width", width) > 0, "width", width, "a number > 0")
    _inputs.number("momentum", momentum, below=1)
    _inputs.number("epsilon", epsilon)
    towers = max(plan.groups)
    inputs, x = _entrance(input_shape, resize, plan)
    x = _inputs.affine(x, *((1.0, -127.5) if initializer == "paper" else (1 / 127.5, -1.0)))
    x = keras.layers.ZeroPadding2D((plan.zeros, plan.zeros), name="conv1_pad")(x)
    for number, (filters, size, groups) in enumerate(zip(plan.channels, plan.sizes, plan.groups, strict=True), 1):
        name = f"conv{number}"
        first = number == 1
        x = (keras.layers.Conv2D if groups == 1 else GroupedConv2D)(
            towers * max(1, round(width * filters / towers)),
            size,
            strides=plan.stride if first else 1,
            padding="valid" if first else "same",
            groups=groups,
            use_bias=not batch_normalization,
            name=name,
            **_start(initializer, ones=number in ONES),
        )(x)
        if batch_normalization:
            x = BatchNormalization(momentum=momentum, epsilon=epsilon, name=f"{name}_norm")(x)
        x = keras.layers.ReLU(name=f"{name}_relu")(x)
        if plan.local_response and not batch_normalization and number in RESPONDING:
            x = LocalResponseNormalization(name=f"{name}_response")(x)
        if number in POOLED:
            x = keras.layers.MaxPooling2D(3, 2, name=f"pool{number}")(x)
    if plan.adaptive and include_top is True and min(x.shape[1:3]) >= 6 and x.shape[1:3] != (6, 6):
        # Smaller maps would have to be enlarged, which Keras' layer cannot do on TensorFlow.
        x = keras.layers.AdaptiveAveragePooling2D(6, name="average")(x)
    hidden, output = _start(initializer, ones=True), _start(initializer, output=True)
    return _dense_top.classifier(
        inputs, x, num_classes, include_top, pooling, "alexnet", dense, dropout, hidden, output
    )


def _entrance(input_shape, resize, plan):
    input_shape = _inputs.shape(input_shape)
    sides = input_shape[:2] if resize is None else (_inputs.integer("resize", resize, 1),)
    # Three poolings need 15 pixels behind the first convolution to leave one.
    least = 14 * plan.stride + plan.sizes[0] - sum(plan.zeros)
    if min(sides) < least:
        raise ZooError(
            f"this form of AlexNet needs images of at least {least} x {least} pixels, or resized to that. "
            f"Received: input_shape={input_shape!r}, resize={resize!r}"
        )
    inputs, x = _inputs.images(input_shape)
    if resize is not None:
        x = keras.layers.Resizing(resize, resize, interpolation="bilinear", dtype="float32", name="resizing")(x)
    return inputs, x


def _start(initializer, ones=False, output=False):
    """The initialisers of a layer, as keyword arguments."""
    if initializer == "paper":
        kernel = keras.initializers.RandomNormal(stddev=0.01)
        return {"kernel_initializer": kernel, "bias_initializer": "ones" if ones else "zeros"}
    return {"kernel_initializer": "glorot_uniform" if output else "he_normal"}
