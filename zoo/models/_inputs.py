"""What the models of images and feature vectors have in common at their entrance: checks, enlarging, scaling."""

import math

import keras

from zoo.errors import require
from zoo.pixel_affine import PixelAffine


def integer(argument, value, least):
    """Returns `value` when it is an integer >= `least`.

    Raises:
        ZooError: when it is not.
    """
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= least
    require(fits, argument, value, f"an integer >= {least}")
    return value


def number(argument, value, below=math.inf):
    """Returns `value` when it is a number of 0 or more, and less than `below`.

    Raises:
        ZooError: when it is not.
    """
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < below
    require(fits, argument, value, "a number >= 0" + (f" and < {below}" if below < math.inf else ""))
    return value


def shape(input_shape, vectors=False, name="input_shape"):
    """Checks the shape of one example.

    Args:
        input_shape: (height, width, channels), integers >= 1; with `vectors` also (features,).
        vectors: whether a feature vector will do.
        name: of the argument.

    Returns:
        The shape as a tuple.

    Raises:
        ZooError: anything else.
    """
    works = "(height, width, channels)" + (" or (features,)" if vectors else "") + ", integers >= 1"
    require(isinstance(input_shape, list | tuple), name, input_shape, works)
    sizes = all(isinstance(size, int) and not isinstance(size, bool) and size >= 1 for size in input_shape)
    require(sizes and len(input_shape) in ((1, 3) if vectors else (3,)), name, input_shape, works)
    return tuple(input_shape)


def images(input_shape, upsample=1):
    """The input of an image model, enlarged when asked.

    Args:
        input_shape: a checked (height, width, channels).
        upsample: integer >= 1, the factor by which height and width grow (bilinear).

    Returns:
        The input, and raw pixels 0..255 of shape (batch, height * upsample, width * upsample, channels).

    Raises:
        ZooError: `upsample` that is not an integer >= 1.
    """
    integer("upsample", upsample, 1)
    inputs = x = keras.Input(input_shape, name="pixels")
    if upsample > 1:
        x = keras.layers.UpSampling2D(upsample, interpolation="bilinear", dtype="float32", name="enlarging")(x)
    return inputs, x


def scaled(x, scale=1 / 255, offset=0.0):
    """Raw pixels to `pixel * scale + offset`, by default 0..1."""
    # float32 under every precision policy: later layers cast what they need, after the range is small.
    return keras.layers.Rescaling(scale, offset, dtype="float32", name="scaling")(x)


def affine(x, scale=1 / 127.5, offset=-1.0):
    """Raw pixels to `pixel * scale + offset`, by default -1..1, by variables that are saved with weights."""
    return PixelAffine(scale, offset, name="scaling")(x)


def normalized(x, features, normalization):
    """Features standardised by the training data's statistics.

    Args:
        x: (batch, ..., features).
        features: their number.
        normalization: (means, variances), two lists of one number for each feature. One of variance 0 is only centred.

    Returns:
        A tensor of the same shape.

    Raises:
        ZooError: no such lists.
    """
    works = f"(means, variances), two lists of {features} finite numbers, no variance below 0"
    fits = isinstance(normalization, list | tuple) and len(normalization) == 2
    fits = fits and all(numbers(part) and len(part) == features for part in normalization)
    require(fits and min(normalization[1]) >= 0, "normalization", normalization, works)
    means, variances = normalization
    # Keras divides a feature of variance 0 by 1e-7: one that was constant in training and is not in use would
    # drown all others.
    variances = [float(variance) or 1.0 for variance in variances]
    means = [float(mean) for mean in means]
    return keras.layers.Normalization(mean=means, variance=variances, dtype="float32", name="normalization")(x)


def in_units(x, target):
    """An output on the scale of 1 in the units of what is predicted.

    Args:
        x: (batch, 1).
        target: (mean, standard deviation) of what is predicted.

    Returns:
        A tensor of the same shape, float32.

    Raises:
        ZooError: no such pair.
    """
    fits = isinstance(target, list | tuple) and len(target) == 2 and numbers(target) and target[1] > 0
    require(fits, "target", target, "(mean, standard deviation), the deviation above 0")
    mean, deviation = target
    return keras.layers.Rescaling(float(deviation), float(mean), dtype="float32", name="target_units")(x)


def numbers(values):
    """Whether this is a list of finite numbers."""
    return isinstance(values, list | tuple) and all(
        isinstance(value, int | float) and math.isfinite(value) for value in values
    )


def check_top(num_classes, include_top, pooling):
    """Checks what a network ends in, before it is built: a deep one takes seconds.

    Args:
        num_classes: integer >= 2.
        include_top: whether the model ends in logits.
        pooling: without the top None, "avg" or "max"; with it None.

    Raises:
        ZooError: anything else.
    """
    integer("num_classes", num_classes, 2)
    require(isinstance(include_top, bool), "include_top", include_top, "True or False")
    if include_top:
        require(pooling is None, "pooling", pooling, "None with include_top=True: the top has its own")
    require(pooling in (None, "avg", "max"), "pooling", pooling, "None, 'avg' or 'max'")


def classifier(inputs, x, num_classes, include_top, pooling, name):
    """Ends a convolutional network: averaged over the image into logits, or in features.

    Args:
        inputs: the model's input.
        x: the last feature maps (batch, height, width, channels).
        num_classes, include_top, pooling: as in `check_top`.
        name: of the model.

    Returns:
        A `keras.Model`.

    Raises:
        ZooError: a value that is not named above, or a pooling with the top.
    """
    check_top(num_classes, include_top, pooling)
    if include_top:
        x = keras.layers.GlobalAveragePooling2D(name="average")(x)
        x = keras.layers.Dense(num_classes, dtype="float32", name="output")(x)
        return keras.Model(inputs, x, name=name)
    return keras.Model(inputs, pooled(x, pooling), name=name)


def pooled(x, pooling):
    """Feature maps as they are, or pooled over the image, by a pooling that `check_top` let pass."""
    layers = {"avg": keras.layers.GlobalAveragePooling2D, "max": keras.layers.GlobalMaxPooling2D}
    return layers[pooling](name="pooling", dtype="float32")(x) if pooling else x
