"""torchvision's names and layouts: where each array of a PyTorch state dict belongs in a network here.

PyTorch has convolutions as (out, in, height, width), dense layers as (out, in), and maps as (channels, height, width)
where a dense layer reads them.
"""

import re
from typing import NamedTuple

import keras
import numpy as np

CLASSIFIERS = {
    "alexnet": {"fc1": "classifier.1", "fc2": "classifier.4", "output": "classifier.6"},
    "vgg": {"fc1": "classifier.0", "fc2": "classifier.3", "output": "classifier.6"},
}
INCEPTION = {
    "conv1": "conv1",
    "conv2_reduce": "conv2",
    "conv2": "conv3",
    "1x1": "branch1",
    "3x3_reduce": "branch2.0",
    "3x3": "branch2.1",
    "5x5_reduce": "branch3.0",
    "5x5": "branch3.1",
    "pool_proj": "branch4.1",
    "conv": "conv",
    "output": "fc",
    "aux1_fc": "aux1.fc1",
    "aux2_fc": "aux2.fc1",
    "aux1": "aux1.fc2",
    "aux2": "aux2.fc2",
}


class Slot(NamedTuple):
    """The place of one array of a state dict.

    Args:
        layer: name of the layer here.
        variable: the variable that takes the array.
        shape: the array's shape in the state dict.
        convert: function from the array to the variable's layout.
    """

    layer: str
    variable: keras.Variable
    shape: tuple
    convert: object


def table(model, entry):
    """Where each array of a state dict belongs.

    Args:
        model: a model of `entry`; its variables need no values.
        entry: a `zoo.registry.Entry` that torchvision has, too.

    Returns:
        A dict from torchvision's name to its `Slot`.

    Example:
        >>> model = zoo.build("alexnet_single", width=1 / 16, dense=8)
        >>> slot = table(model, zoo.registry.entry("alexnet_single"))["features.0.weight"]
        >>> slot.variable.path, slot.shape
        ('conv1/kernel', (4, 3, 11, 11))
    """
    slots = {}
    for layer, prefix in _NAMED[entry.family](model, entry.family):
        slots |= {f"{prefix}.{part}": slot for part, slot in _slots(layer)}
    return slots


# Names


def _sequential(model, family):
    """AlexNet and VGG number all layers of their convolutional part."""
    counted = keras.layers.Conv2D, keras.layers.BatchNormalization, keras.layers.ReLU, keras.layers.MaxPooling2D
    number = 0
    for layer in model.layers:
        if layer.name in CLASSIFIERS[family]:
            yield layer, CLASSIFIERS[family][layer.name]
        elif isinstance(layer, counted):
            yield layer, f"features.{number}"
            number += 1


def _inception(model, _):
    for layer in _weighted(model):
        name = layer.name.removesuffix("_norm")
        kind = "bn" if name != layer.name else "conv"
        module = re.fullmatch(r"inception_(\d\w)_(.+)|(aux\d)_(conv)", name)
        if isinstance(layer, keras.layers.Dense):
            yield layer, INCEPTION[name]
        elif module:
            place, part = (f"inception{module[1]}", module[2]) if module[1] else (module[3], module[4])
            yield layer, f"{place}.{INCEPTION[part]}.{kind}"
        else:
            yield layer, f"{INCEPTION[name]}.{kind}"


def _residual(model, _):
    named = {"stem_conv": "conv1", "stem_norm": "bn1", "output": "fc"}
    kinds = {"conv": "conv", "norm": "bn"}
    for layer in _weighted(model):
        if layer.name in named:
            yield layer, named[layer.name]
            continue
        stage, block, part, kind = re.fullmatch(r"stage(\d)_block(\d+)_(\d|short)_(conv|norm)", layer.name).groups()
        last = f"downsample.{list(kinds).index(kind)}" if part == "short" else f"{kinds[kind]}{part}"
        yield layer, f"layer{stage}.{int(block) - 1}.{last}"


_NAMED = {"alexnet": _sequential, "vgg": _sequential, "googlenet": _inception, "resnet": _residual}


def _weighted(model):
    return (layer for layer in model.layers if layer.weights and layer.name != "scaling")


# Layouts


def _slots(layer):
    def slot(variable, shape=None, convert=np.asarray):
        return Slot(layer.name, variable, tuple(shape or variable.shape), convert)

    if isinstance(layer, keras.layers.Conv2D):
        height, width, inputs, outputs = layer.kernel.shape
        yield "weight", slot(layer.kernel, (outputs, inputs, height, width), lambda array: array.transpose(2, 3, 1, 0))
    elif isinstance(layer, keras.layers.Dense):
        yield "weight", slot(layer.kernel, layer.kernel.shape[::-1], _dense(layer))
    elif isinstance(layer, keras.layers.BatchNormalization):
        yield "weight", slot(layer.gamma)
        yield "bias", slot(layer.beta)
        yield "running_mean", slot(layer.moving_mean)
        yield "running_var", slot(layer.moving_variance)
    if getattr(layer, "bias", None) is not None:
        yield "bias", slot(layer.bias)


def _dense(layer):
    before = layer.input._keras_history.operation
    if not isinstance(before, keras.layers.Flatten):
        return np.transpose
    height, width, channels = before.input.shape[1:]

    def convert(array):
        # (out, C, HW) to (HW, C, out); in this order of steps a large kernel is copied once.
        return array.T.reshape(channels, height * width, -1).swapaxes(0, 1).reshape(-1, len(array))

    return convert
