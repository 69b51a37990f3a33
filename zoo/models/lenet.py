"""LeNet: the convolutional networks that read handwritten digits.

LeCun, Bottou, Bengio, Haffner 1998, Gradient-based learning applied to document recognition, Proceedings of the IEEE
86(11), section II.B. `lenet5` is the paper's network, `lenet` the practical form that courses teach.
"""

import keras

from zoo.errors import ZooError, choose
from zoo.layers import ConnectedConv2D, FanInUniform, RadialBasis, Subsampling2D, scaled_tanh
from zoo.models import _inputs
from zoo.registry import register

# The paper's Table I: a row for each map of S2, a column for each map of C3, X where they are connected.
TABLE_1 = """
X...XXX..XXXX.XX
XX...XXX..XXXX.X
XXX...XXX..X.XXX
.XXX..XXXX..X.XX
..XXX..XXXX.XX.X
...XXX..XXXX.XXX
"""

# The targets of F6: the digits 0 to 9 as bitmaps of 7 x 12, ink +1 and paper -1.
BITMAPS = """
.#####.  ...##..  .#####.  .#####.  ....##.  #######  ..####.  #######  .#####.  .#####.
##...##  ..###..  ##...##  ##...##  ...###.  ##.....  .##....  ##...##  ##...##  ##...##
##...##  .####..  .....##  .....##  ..####.  ##.....  ##.....  .....##  ##...##  ##...##
##...##  ...##..  .....##  .....##  .##.##.  ##.....  ##.....  ....##.  ##...##  ##...##
##...##  ...##..  .....##  .....##  ##..##.  ######.  ##.....  ....##.  .##.##.  ##...##
##...##  ...##..  ....##.  ..####.  ##..##.  .....##  ######.  ...##..  ..###..  .######
##...##  ...##..  ...##..  .....##  ##..##.  .....##  ##...##  ...##..  .##.##.  .....##
##...##  ...##..  ..##...  .....##  #######  .....##  ##...##  ...##..  ##...##  .....##
##...##  ...##..  .##....  .....##  ....##.  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...##..  ##.....  .....##  ....##.  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...##..  ##.....  ##...##  ....##.  ##...##  ##...##  ..##...  ##...##  ....##.
.#####.  .######  #######  .#####.  ....##.  .#####.  .#####.  ..##...  .#####.  .####..
"""


def connections():
    """The paper's Table I as one list for each map of C3: the maps of S2 that it sees."""
    rows = TABLE_1.split()
    return [[source for source, row in enumerate(rows) if row[target] == "X"] for target in range(len(rows[0]))]


def bitmaps():
    """The ten digits as lists of 84 numbers, +1 for ink and -1 for paper, row by row."""
    rows = [line.split() for line in BITMAPS.strip().splitlines()]
    return [[1.0 if pixel == "#" else -1.0 for row in rows for pixel in row[digit]] for digit in range(10)]


@register
def lenet5(num_classes=10, input_shape=(32, 32, 1), upsample=1):
    """LeNet-5 as published: LeCun et al. 1998, section II.B and figure 2.

        pixels 32x32x1 -> C1 28x28x6 -> S2 14x14x6 -> C3 10x10x16 -> S4 5x5x16 -> C5 1x1x120 -> F6 84 -> output 10
        trainable            156          12          1 516         32       48 120    10 164             60 000
        connections      122 304       5 880        151 600      2 000       48 120    10 164

    Subsampling has a trainable coefficient and bias for each map, C3 connects only the maps of the paper's Table I, all
    hidden units are squashed by 1.7159 tanh(2x/3), and the outputs are radial basis units on bitmaps of the digits.
    Train it with `zoo.losses.RadialBasisLoss`. `zoo.convolution.connections` counts the connections.

    Args:
        num_classes: integer 2..10: the first so many digits.
        input_shape: (height, width, 1), at most 32 x 32 after enlarging; what is smaller stands in the middle of
            background. Raw pixels: 0 is background, 255 is ink.
        upsample: integer >= 1, the factor by which the images are first enlarged (bilinear): 3 takes the 8 x 8 digits
            of scikit-learn, which have no margin, to 24 x 24, near the 20 x 20 that the paper's digits fill.

    Returns:
        A `keras.Model` from pixels (batch, height, width, 1) to logits (batch, num_classes), which are the negative
        squared distances to the bitmaps: all <= 0. Two bitmaps are between 52 and 260 apart.

    Raises:
        ZooError: more than 10 classes, colour images, images larger than 32 x 32.

    Differences from the paper:
        - The bitmaps are ten digits drawn for the zoo; the paper's show the printable ASCII set (figure 3).
        - The output is the negative of the paper's distance, so that the largest is the answer, as everywhere else.
        - Images are padded inside the model, and background -0.1 and ink 1.175 are made from raw pixels there.
        - Biases start at zero; all other weights are uniform in +-2.4 / fan-in, as in appendix A.

    Example:
        >>> import zoo
        >>> zoo.build("lenet5", input_shape=(28, 28, 1)).count_params()
        60000
    """
    _inputs.integer("num_classes", num_classes, 2)
    if num_classes > 10:
        raise ZooError(
            "lenet5 has a bitmap for each of the ten digits, so num_classes must be 2..10. "
            f"Received: num_classes={num_classes!r}. The model 'lenet' takes any number."
        )
    height, width, channels = _inputs.shape(input_shape)
    if channels != 1:
        raise ZooError(
            f"lenet5 reads grey images: input_shape must be (height, width, 1). Received: input_shape={input_shape!r}. "
            "The model 'lenet' takes any number of channels."
        )
    inputs, x = _inputs.images((height, width, channels), upsample)
    spare = 32 - height * upsample, 32 - width * upsample
    if min(spare) < 0:
        raise ZooError(
            "lenet5 takes images of at most 32 x 32 pixels, after enlarging by upsample. "
            f"Received: input_shape={input_shape!r}, upsample={upsample!r}. "
            "The model 'lenet' takes images of any larger size."
        )

    if any(spare):
        padding = [(total // 2, total - total // 2) for total in spare]
        x = keras.layers.ZeroPadding2D(padding, dtype="float32", name="background")(x)
    x = _inputs.scaled(x, 1.275 / 255, -0.1)

    def weighted(layer, *sizes, name):
        return layer(*sizes, activation=scaled_tanh, kernel_initializer=FanInUniform(), name=name)

    x = weighted(keras.layers.Conv2D, 6, 5, name="c1")(x)
    x = Subsampling2D(activation=scaled_tanh, name="s2")(x)
    x = ConnectedConv2D(connections(), 5, activation=scaled_tanh, name="c3")(x)
    x = Subsampling2D(activation=scaled_tanh, name="s4")(x)
    x = weighted(keras.layers.Conv2D, 120, 5, name="c5")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = weighted(keras.layers.Dense, 84, name="f6")(x)
    outputs = RadialBasis(bitmaps()[:num_classes], dtype="float32", name="output")(x)
    return keras.Model(inputs, outputs, name="lenet5")


@register
def lenet(num_classes=10, input_shape=(28, 28, 1), activation="relu", pooling="max", padding="same", upsample=1):
    """LeNet in the practical form of the courses: two convolutions of 5 x 5, each pooled, and three dense layers.

        pixels 28x28x1 -> conv1 28x28x6 -> pool 14x14x6 -> conv2 10x10x16 -> pool 5x5x16 -> 120 -> 84 -> logits 10
        trainable              156                            2 416                    48 120  10 164  850  (61 706)

    The form of "Dive into Deep Learning" (section "Convolutional Neural Networks (LeNet)") is `activation="sigmoid",
    pooling="average"`, and its starting weights are Keras' default (Glorot). The default here, relu and maximum,
    does not saturate and learns in fewer epochs.

    Args:
        num_classes: integer >= 2.
        input_shape: (height, width, channels), at least 12 x 12 after enlarging (16 x 16 with `padding="valid"`). Raw
            pixels 0..255; dense layers grow with the image.
        activation: of all hidden layers: "sigmoid", "tanh" or "relu".
        pooling: "max" or "average", over 2 x 2 pixels.
        padding: of the first convolution: "same" keeps the size, for images with no margin; "valid" is for images with
            one, such as 32 x 32. The second is always "valid".
        upsample: integer >= 1, the factor by which the images are first enlarged (bilinear).

    Returns:
        A `keras.Model` from pixels (batch, height, width, channels) to logits (batch, num_classes).

    Raises:
        ZooError: a value that is not named above, or an image that is too small.

    Differences from the paper:
        - Pooling is plain, without coefficient, bias and squashing; the second convolution sees all maps.
        - The outputs are a dense layer, trained with cross-entropy.
        - The first dense layer is the paper's C5; both are the same at this size.

    Example:
        >>> import zoo
        >>> zoo.build("lenet", activation="sigmoid", pooling="average").count_params()
        61706
    """
    _inputs.integer("num_classes", num_classes, 2)
    height, width, channels = _inputs.shape(input_shape)
    choose("activation", activation, ("sigmoid", "tanh", "relu"))
    choose("pooling", pooling, ("max", "average"))
    choose("padding", padding, ("same", "valid"))
    inputs, x = _inputs.images((height, width, channels), upsample)
    least = 12 if padding == "same" else 16
    if min(height, width) * upsample < least:
        raise ZooError(
            f"lenet takes images of at least {least} x {least} pixels with padding={padding!r}. "
            f"Received: input_shape={input_shape!r}, upsample={upsample!r}. "
            f"upsample={-(-least // min(height, width))} makes these large enough."
        )
    pool = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[pooling]

    x = _inputs.scaled(x)
    x = keras.layers.Conv2D(6, 5, padding=padding, activation=activation, name="conv1")(x)
    x = pool(2, name="pool1")(x)
    x = keras.layers.Conv2D(16, 5, activation=activation, name="conv2")(x)
    x = pool(2, name="pool2")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(120, activation=activation, name="dense1")(x)
    x = keras.layers.Dense(84, activation=activation, name="dense2")(x)
    outputs = keras.layers.Dense(num_classes, dtype="float32", name="output")(x)
    return keras.Model(inputs, outputs, name="lenet")
