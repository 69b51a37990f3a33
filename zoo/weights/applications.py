"""The ImageNet weights that Keras distributes for VGG and for residual networks, in the zoo's layers.

`keras.applications` downloads them and checks the hash that it publishes with each. Raw pixels go in: the mean colour
that these networks were trained without stands in the first layer, and the order of colours, blue before red, in the
first kernel.
"""

import re

from zoo.errors import ZooError
from zoo.weights import put

FUNCTIONS = {
    "vgg16": "VGG16",
    "vgg19": "VGG19",
    "resnet50": "ResNet50",
    "resnet101": "ResNet101",
    "resnet152": "ResNet152",
}
# Of red, green and blue in ImageNet's training images; Caffe's constants, which Keras took over.
MEAN = (123.68, 116.779, 103.939)
REQUIRED = {
    "vgg": {"width": 1.0, "batch_normalization": False},
    "resnet": {
        "stem": "imagenet",
        "shortcut": "B",
        "strides_in": "1x1",
        "preactivation": False,
        "epsilon": 1.001e-5,
    },
}
CLASSES = 1000
# VGG's first dense layer sees 7 x 7 maps of 512 channels.
FLAT = 7 * 7 * 512
DENSE = 4096
FULL = "input_shape=(224, 224, 3) with dense=4096 would fit, or include_top=False, or dense=0 with other classes"


def names(entry):
    """The names of the weights for a model: `["imagenet"]`, or none."""
    return ["imagenet"] if entry.name in FUNCTIONS else []


def required(entry):
    """The arguments that the weights fix: those of the network that Keras trained."""
    return {**entry.preset, **REQUIRED[entry.family]}


def assign(model, entry, weights):
    """Sets the weights of a model that was just built.

    Args:
        model: a `keras.Model`, built with what `required` gives.
        entry: its `zoo.Entry`.
        weights: "imagenet".

    Raises:
        ZooError: images or dense layers that the weights do not fit (before anything is fetched), no connection, or a
            file whose hash is wrong.
    """
    layers = {layer.name: layer for layer in model.layers}
    origin = f"the {weights} weights of {entry.name}"
    if model.input_shape[-1] != 3:
        raise ZooError(f"{origin} are for images of 3 channels. Received: input_shape={model.input_shape[1:]!r}")
    if entry.family == "vgg" and "output" in layers:
        first = layers.get("fc1", layers["output"])
        wanted, found = (FLAT, DENSE), tuple(first.kernel.shape)
        # A single dense layer for other classes is a head of its own.
        if found != wanted and (first.name == "fc1" or first.units == CLASSES):
            raise ZooError(
                f"the first dense layer of {origin} has shape {wanted}, and {found} in {model.name} as built. {FULL}"
            )
    top = "fc1" in layers or ("output" in layers and layers["output"].units == CLASSES)
    source = _fetched(entry.name, include_top=top)
    put(model, converted(source), origin, FULL)


def _fetched(name, include_top):
    import keras

    function = getattr(keras.applications, FUNCTIONS[name])
    try:
        # Without its top a network takes any size; with it Keras insists on 224 x 224.
        return function(weights="imagenet", include_top=include_top, input_shape=None if include_top else (32, 32, 3))
    except Exception as error:  # what Keras raises when a download fails is of no narrower class
        raise ZooError(
            f"the weights that Keras distributes for {name} could not be fetched whole. {type(error).__name__}: "
            f"{error}. Try again with a connection, or put that file into ~/.keras/models ($KERAS_HOME/models), where "
            "it is checked and needs no connection. Paths of runs and of files need none either"
        ) from error


def converted(source):
    """The weights of one of Keras' networks, for the zoo's.

    Args:
        source: a model of `keras.applications`: VGG16, VGG19, ResNet50, ResNet101 or ResNet152, with its top or
            without, whatever its weights.

    Returns:
        A dict from `variable.path` to float32 array, for `zoo.weights.put`. The network that takes them answers raw
        RGB pixels 0..255 as `source` does those that `preprocess_input` went over.

    Example:
        >>> found = converted(keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3)))
        >>> found["scaling/offset"].tolist()
        [-123.68000030517578, -116.77899932861328, -103.93900299072266]
    """
    import numpy as np

    found = {"scaling/scale": np.ones(3, "float32"), "scaling/offset": -np.array(MEAN, "float32")}
    weighted = [layer for layer in source.layers if layer.weights]
    for layer in weighted:
        name = _renamed(layer.name)
        for variable in layer.weights:
            found[f"{name}/{variable.name}"] = np.array(variable, "float32")
    first = f"{_renamed(weighted[0].name)}/kernel"
    found[first] = found[first][:, :, ::-1]
    for path in [path for path in found if path.endswith("_conv/bias")]:
        # (x + bias - mean) / deviation: the zoo's convolutions before a normalisation have no bias.
        found[path.replace("_conv/bias", "_norm/moving_mean")] -= found.pop(path)
    return found


def _renamed(name):
    """The zoo's name for a layer of Keras' networks; VGG's have the same ones."""
    if name == "predictions":
        return "output"
    place = re.fullmatch(r"conv(\d)_(?:block(\d+)_(\d)_)?(conv|bn)", name)
    if not place:
        return name
    stage, block, number, kind = place.groups()
    kind = {"conv": "conv", "bn": "norm"}[kind]
    if block is None:
        return f"stem_{kind}"
    return f"stage{int(stage) - 1}_block{block}_{'short' if number == '0' else number}_{kind}"
