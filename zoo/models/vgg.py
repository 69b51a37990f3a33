"""VGG: very deep networks of nothing but 3 x 3 convolutions, for ImageNet and for small images.

Simonyan, Zisserman 2015, Very deep convolutional networks for large-scale image recognition, arXiv:1409.1556.
"""

import keras

from zoo.errors import ZooError, choose, require
from zoo.models import _dense_top, _inputs
from zoo.normalization import BatchNormalization
from zoo.registry import register

# The columns of the paper's table 1 that have 3 x 3 convolutions only: the channels in each of the five blocks, between
# which the image is halved. With the three dense layers they have 11, 13, 16 and 19 layers with weights.
TABLE_1 = {
    "A": ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    "B": ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    "D": ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
    "E": ((64, 64), (128, 128), (256, 256, 256, 256), (512, 512, 512, 512), (512, 512, 512, 512)),
}


@register
def vgg(
    configuration="D",
    num_classes=1000,
    input_shape=(224, 224, 3),
    include_top=True,
    pooling=None,
    width=1.0,
    dense=4096,
    dropout=0.5,
    batch_normalization=False,
    momentum=0.9,
    epsilon=1e-5,
):
    """Five blocks of 3 x 3 convolutions, each ending in 2 x 2 max pooling, and dense layers (Simonyan et al. 2015).

        pixels 224x224x3 -> block1 112x112x64 -> block2 56x56x128 -> block3 28x28x256 -> block4 14x14x512
        -> block5 7x7x512 -> 4096 -> 4096 -> logits

    `vgg11`, `vgg13`, `vgg16` and `vgg19` are the paper's, `vgg11_bn` and so on have batch normalisation. `vgg11_small`
    and so on are for images of about 32 x 32: batch normalisation, and behind block5 one dense layer 512 -> classes,
    which makes 9, 11, 14 and 17 layers with weights.

    torchvision's weights fit; its convolutions have a bias before batch normalisation, which the moving mean takes up.

    Args:
        configuration: "A", "B", "D" or "E", the column of the paper's table 1: 8, 10, 13 or 16 convolutions.
        num_classes: integer >= 2.
        input_shape: (height, width, channels) of raw pixels 0..255, at least 32 x 32. The first dense layer has
            (height // 32) * (width // 32) * 512 inputs: it fits the size that it is built for.
        include_top: whether the model ends in logits; without it, in what `pooling` says.
        pooling: without the top: None for the last feature maps (batch, height // 32, width // 32, 512), "avg" or "max"
            over the image for (batch, 512). With the top it must be None.
        width: number > 0, the factor on the channels of all convolutions: 0.25 makes the courses' network for
            Fashion-MNIST.
        dense: integer >= 1, the units of each of the two hidden dense layers; or 0 for the compact end of small images:
            the average over the image, and one dense layer.
        dropout: number >= 0 and < 1, the part of the hidden dense layers' units that is dropped in training. It has no
            effect where there are none.
        batch_normalization: whether each convolution is normalised before its ReLU; it then has no bias.
        momentum: of the moving statistics, 0..1: the share that stays at each step.
        epsilon: added to variances, > 0.

    Returns:
        A `keras.Model` from pixels to logits (batch, num_classes), or to features. Layers are named `block1_conv1`,
        `block1_conv1_relu`, ..., `block5_pool`, `fc1`, `fc2` and `output`.

    Raises:
        ZooError: a value that is not named above, or images smaller than 32 x 32.

    Differences from the paper:
        - Pixels are scaled to -1..1 inside the model; the paper subtracts the training set's mean colour.
        - Weights start as in He et al. 2015, arXiv:1502.01852, with which even 19 layers train from scratch; the paper
          starts the deep networks from the trained layers of A.
        - Batch normalisation, and the compact end, came later than the paper.

    Example:
        >>> import zoo
        >>> zoo.build("vgg11_small", num_classes=10).output_shape
        (None, 10)
    """
    blocks = TABLE_1[choose("configuration", configuration, tuple(TABLE_1))]
    require(isinstance(batch_normalization, bool), "batch_normalization", batch_normalization, "True or False")
    _inputs.number("momentum", momentum, below=1)
    _inputs.number("epsilon", epsilon)
    require(_inputs.number("width", width) > 0, "width", width, "a number > 0")
    _inputs.integer("dense", dense, 0)
    _inputs.number("dropout", dropout, below=1)
    input_shape = _inputs.shape(input_shape)
    if min(input_shape[:2]) < 32:
        raise ZooError(f"images must be at least 32 x 32 pixels. Received: input_shape={input_shape!r}")
    inputs, x = _inputs.images(input_shape)
    x = _inputs.affine(x)
    for block, channels in enumerate(blocks, start=1):
        for number, filters in enumerate(channels, start=1):
            name = f"block{block}_conv{number}"
            x = keras.layers.Conv2D(
                max(1, round(width * filters)),
                3,
                padding="same",
                use_bias=not batch_normalization,
                kernel_initializer="he_normal",
                name=name,
            )(x)
            if batch_normalization:
                x = BatchNormalization(momentum=momentum, epsilon=epsilon, name=f"{name}_norm")(x)
            x = keras.layers.ReLU(name=f"{name}_relu")(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    if dense == 0:
        return _inputs.classifier(inputs, x, num_classes, include_top, pooling, "vgg")
    hidden = {"kernel_initializer": "he_normal"}
    return _dense_top.classifier(inputs, x, num_classes, include_top, pooling, "vgg", dense, dropout, hidden, output={})
