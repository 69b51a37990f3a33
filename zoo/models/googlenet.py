"""GoogLeNet: inception modules, which look at an image through filters of several sizes at once.

Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich 2014, Going deeper with convolutions,
arXiv:1409.4842: table 1 and figures 2 and 3. With batch normalisation: Ioffe, Szegedy 2015, arXiv:1502.03167.
"""

import keras

from zoo.errors import ZooError, choose, require
from zoo.local_response import LocalResponseNormalization
from zoo.models import _inputs
from zoo.normalization import BatchNormalization
from zoo.registry import register

# Table 1: the filters of each module in the columns "#1x1", "#3x3 reduce", "#3x3", "#5x5 reduce", "#5x5", "pool proj".
TABLE_1 = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
POOLED = {"3b": "pool3", "4e": "pool4"}  # the modules with pooling behind them
AUXILIARY = {"4a": "aux1", "4d": "aux2"}  # the modules with a classifier at their side
KERNELS = {"2x2": 2, "3x3": 3, "5x5": 5}


@register
def googlenet(
    num_classes=1000,
    input_shape=(224, 224, 3),
    include_top=True,
    pooling=None,
    aux=False,
    stem="imagenet",
    width=1.0,
    five="5x5",
    last_pool="3x3",
    dropout=0.4,
    batch_normalization=False,
    momentum=0.9,
    epsilon=1e-5,
):
    """GoogLeNet: 22 layers with weights, most of them in nine inception modules (Szegedy et al. 2014, table 1).

        pixels 224x224x3 -> conv1 112x112x64 -> pool 56 -> conv2 56x56x192 -> pool 28 -> 3a, 3b 28x28x480 -> pool 14
        -> 4a 14x14x512 -> 4b, 4c, 4d, 4e 14x14x832 -> pool 7 -> 5a, 5b 7x7x1024 -> average -> logits
              \\-> aux1           \\-> aux2

        a module -> 1x1 --------------------\\
                 -> 1x1 reduce -> 3x3 -------> one behind the other
                 -> 1x1 reduce -> 5x5 ------/
                 -> 3x3 max pool -> 1x1 ---/

    `googlenet` is the paper's, with local response normalisation around conv2; `googlenet_bn` has batch normalisation
    behind every convolution instead; `googlenet_small`, for images of about 32 x 32, also begins with one 3 x 3
    convolution, so that the modules see 32, 16 and 8 pixels.

    With `aux=True` the model trains as published: two classifiers at its side bring gradients to the lower layers.
    Compile each output's loss under its key, with `loss_weights={"logits": 1.0, "aux1": 0.3, "aux2": 0.3}`, and give
    each its targets with `zoo.data.repeated`. Exported files have the logits only.

    torchvision's variant, which its weights fit, is `googlenet_bn` with `five="3x3"`, `last_pool="2x2"`, `dropout=0.2`
    and `epsilon=1e-3`: 6 624 904 parameters.

    Args:
        num_classes: integer >= 2.
        input_shape: (height, width, channels) of raw pixels 0..255, at least 32 x 32 with the ImageNet stem, 8 x 8 with
            the small one; with `aux` 79 x 79 and 10 x 10.
        include_top: whether the model ends in logits; without it, in what `pooling` says.
        pooling: without the top: None for the last feature maps (batch, 7, 7, 1024) of 224 x 224 pixels, "avg" or "max"
            over the image for (batch, 1024). With the top it must be None.
        aux: whether the output is a dict of "logits" and those of the two auxiliary classifiers, "aux1" and "aux2".
        stem: "imagenet", or "small" for images of about 32 x 32: one 3 x 3 convolution with stride 1, no pooling.
        width: number > 0, the factor on the channels of all convolutions, and on the 1024 units of the auxiliary
            classifiers.
        five: "5x5", or "3x3" for filters of that size in the place of the 5 x 5.
        last_pool: "3x3" or "2x2", the window of the last pooling, whose stride is 2.
        dropout: number >= 0 and < 1, the part of the averaged features that is dropped in training. The auxiliary
            classifiers drop 0.7 of their hidden units.
        batch_normalization: whether each convolution is normalised before its ReLU; it then has no bias, and local
            response normalisation is left out.
        momentum: of the moving statistics, 0..1: the share that stays at each step.
        epsilon: added to variances, > 0.

    Returns:
        A `keras.Model` from pixels to logits (batch, num_classes), to a dict of three such, or to features. Layers are
        named `conv1`, `conv2_reduce`, `conv2`, `pool1` to `pool4`, `inception_3a` to `inception_5b` (all of a module's
        channels), `inception_3a_1x1`, `_3x3_reduce`, `_3x3`, `_5x5_reduce`, `_5x5`, `_pool_proj` and so on after the
        columns of the table, and `output`; ReLUs `conv1_relu` and so on.

    Raises:
        ZooError: a value that is not named above, or images that are too small.

    Differences from the paper:
        - Of 224 pixels and no padding, 7 x 7 with stride 2 makes 109, and 3 x 3 pooling with stride 2 makes 55 of 112.
          The paper's 112, 56, 28, 14 and 7 come from three zeros on every side of the image, and one behind each row
          and column before pooling, as in Caffe and torchvision.
        - The filters and the operations in the table agree with each other, but for the first convolution and 5a; its
          parameters do so less often. Printed for conv1, 4c and 5a are 2.7K, 463K and 1072K; their filters make 9K,
          498K and 1018K.
        - The paper does not give the constants of response normalisation: they are those of AlexNet, which it cites.
        - Weights start as in He et al. 2015, arXiv:1502.01852. Pixels are scaled to -1..1 inside the model.
        - Batch normalisation came later than the paper. Ioffe and Szegedy have two layers of 3 x 3 for each 5 x 5.

    Example:
        >>> import zoo
        >>> model = zoo.build("googlenet_small", aux=True, width=0.25)
        >>> sorted(model.output)
        ['aux1', 'aux2', 'logits']
    """
    _inputs.integer("num_classes", num_classes, 2)
    require(isinstance(aux, bool), "aux", aux, "True or False")
    require(not aux or include_top is True, "aux", aux, "False with include_top=False: features have no classifiers")
    choose("stem", stem, ("imagenet", "small"))
    choose("last_pool", last_pool, ("2x2", "3x3"))
    _inputs.number("dropout", dropout, below=1)
    build = _Layers(width, five, batch_normalization, momentum, epsilon)
    inputs, x = _entrance(input_shape, stem, aux)
    if stem == "imagenet":
        # "same" would pad an even image by two and three; the paper's sizes need three on both sides.
        x = keras.layers.ZeroPadding2D(3, name="conv1_pad")(x)
        x = build.pool(build.convolution(x, 64, 7, 2, name="conv1"), name="pool1")
        x = build.convolution(build.response(x, "pool1"), 64, 1, name="conv2_reduce")
        x = build.convolution(x, 192, 3, name="conv2")
        x = build.pool(build.response(x, "conv2"), name="pool2")
    else:
        x = build.convolution(x, 192, 3, name="conv1")
    outputs = {}
    for module, filters in TABLE_1.items():
        x = build.inception(x, filters, f"inception_{module}")
        if aux and module in AUXILIARY:
            name = AUXILIARY[module]
            outputs[name] = build.auxiliary(x, num_classes, name)
        if module in POOLED:
            x = build.pool(x, KERNELS[last_pool] if module == "4e" else 3, name=POOLED[module])
    return _end(inputs, x, num_classes, include_top, pooling, dropout, outputs)


def _entrance(input_shape, stem, aux):
    input_shape = _inputs.shape(input_shape)
    # An auxiliary classifier begins with a window of 5 x 5 at a sixteenth, or half, of the image's side.
    least = (79 if aux else 32) if stem == "imagenet" else (10 if aux else 8)
    if min(input_shape[:2]) < least:
        raise ZooError(
            f"images must be at least {least} x {least} pixels with stem={stem!r} and aux={aux}. "
            f"Received: input_shape={input_shape!r}"
        )
    inputs, x = _inputs.images(input_shape)
    return inputs, _inputs.affine(x)


def _end(inputs, x, num_classes, include_top, pooling, dropout, outputs):
    _inputs.check_top(num_classes, include_top, pooling)
    if not include_top:
        return _inputs.classifier(inputs, x, num_classes, include_top, pooling, "googlenet")
    x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    x = keras.layers.Dense(num_classes, dtype="float32", name="output")(x)
    if outputs:
        # Keras names the loss of an output after its layer, and its metrics after the key.
        outputs["logits"] = keras.layers.Identity(dtype="float32", name="logits")(x)
    return keras.Model(inputs, outputs or x, name="googlenet")


class _Layers:
    """Builds what the network consists of, all with the same options."""

    def __init__(self, width, five, batch_normalization, momentum, epsilon):
        require(_inputs.number("width", width) > 0, "width", width, "a number > 0")
        require(isinstance(batch_normalization, bool), "batch_normalization", batch_normalization, "True or False")
        self.width = width
        self.five = KERNELS[choose("five", five, ("5x5", "3x3"))]
        self.batch_normalization = batch_normalization
        self.momentum = _inputs.number("momentum", momentum, below=1)
        self.epsilon = _inputs.number("epsilon", epsilon)

    def scaled(self, filters):
        return max(1, round(self.width * filters))

    def convolution(self, x, filters, size, stride=1, *, name):
        x = keras.layers.Conv2D(
            self.scaled(filters),
            size,
            stride,
            "same" if stride == 1 else "valid",
            use_bias=not self.batch_normalization,
            kernel_initializer="he_normal",
            name=name,
        )(x)
        if self.batch_normalization:
            x = BatchNormalization(momentum=self.momentum, epsilon=self.epsilon, name=f"{name}_norm")(x)
        return keras.layers.ReLU(name=f"{name}_relu")(x)

    def pool(self, x, size=3, *, name):
        # One row and column more count windows upwards, Caffe's and torchvision's "ceil mode". Behind a ReLU zeros are
        # as good as the minus infinity that pooling pads with.
        x = keras.layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}_pad")(x)
        return keras.layers.MaxPooling2D(size, 2, name=name)(x)

    def response(self, x, name):
        return x if self.batch_normalization else LocalResponseNormalization(name=f"{name}_response")(x)

    def inception(self, x, filters, name):
        one, three_reduce, three, five_reduce, five, projected = filters
        before = x
        branches = [self.convolution(before, one, 1, name=f"{name}_1x1")]
        x = self.convolution(before, three_reduce, 1, name=f"{name}_3x3_reduce")
        branches.append(self.convolution(x, three, 3, name=f"{name}_3x3"))
        x = self.convolution(before, five_reduce, 1, name=f"{name}_5x5_reduce")
        branches.append(self.convolution(x, five, self.five, name=f"{name}_5x5"))
        x = keras.layers.MaxPooling2D(3, 1, "same", name=f"{name}_pool")(before)
        branches.append(self.convolution(x, projected, 1, name=f"{name}_pool_proj"))
        return keras.layers.Concatenate(name=name)(branches)

    def auxiliary(self, x, num_classes, name):
        """Section 5: of 14 x 14 pixels, windows of 5 x 5 three apart make 4 x 4; 128 filters of 1 x 1; 1024 units."""
        x = keras.layers.AveragePooling2D(5, 3, name=f"{name}_pool")(x)
        x = self.convolution(x, 128, 1, name=f"{name}_conv")
        x = keras.layers.Flatten(name=f"{name}_flatten")(x)
        x = keras.layers.Dense(self.scaled(1024), kernel_initializer="he_normal", name=f"{name}_fc")(x)
        x = keras.layers.ReLU(name=f"{name}_fc_relu")(x)
        x = keras.layers.Dropout(0.7, name=f"{name}_dropout")(x)
        return keras.layers.Dense(num_classes, dtype="float32", name=name)(x)
