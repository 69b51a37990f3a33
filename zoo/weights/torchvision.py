"""torchvision's weights: a PyTorch state dict for the same networks here, checked as a whole before it is set.

https://pytorch.org/vision/stable/models.html
"""

import re

import keras
import numpy as np

from zoo.errors import ZooError, suggest
from zoo.weights import state_files
from zoo.weights.torchvision_table import table

# The zoo's names and torchvision's.
NETWORKS = {
    "alexnet_single": "alexnet",
    **{f"vgg{layers}{kind}": f"vgg{layers}{kind}" for kind in ("", "_bn") for layers in (11, 13, 16, 19)},
    "googlenet_bn": "googlenet",
    **{f"resnet{layers}": f"resnet{layers}" for layers in (18, 34, 50, 101, 152)},
}
# What decides the answers, and cannot be told from the shapes of the weights.
FIXED = {
    "alexnet": {},
    "vgg": {"epsilon": 1e-5},
    "googlenet": {"stem": "imagenet", "five": "3x3", "last_pool": "2x2", "epsilon": 1e-3},
    "resnet": {"shortcut": "B", "strides_in": "3x3", "preactivation": False, "epsilon": 1e-5},
}
# The mean and the standard deviation of ImageNet's red, green and blue, 0..1.
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])

AUXILIARY = ("aux1", "aux2")
COUNTER = ".num_batches_tracked"  # how many batches batch normalisation has seen: no answer depends on it


def required(entry):
    """The arguments that torchvision's weights need. Dropout is the caller's; in torchvision's GoogLeNet it is 0.2.

    Args:
        entry: a `zoo.registry.Entry`.

    Returns:
        A dict of keyword arguments for the model's function.

    Raises:
        ZooError: torchvision does not have this network.

    Example:
        >>> required(zoo.registry.entry("googlenet_bn"))
        {'stem': 'imagenet', 'five': '3x3', 'last_pool': '2x2', 'epsilon': 0.001}
    """
    if entry.name not in NETWORKS:
        raise ZooError(
            f"torchvision's weights do not fit {entry.name!r}.{suggest(entry.name, NETWORKS)} They fit "
            f"{', '.join(NETWORKS)}."
        )
    return dict(FIXED[entry.family])


def assign(model, entry, weights):
    """Sets a model's weights to those of torchvision's network, and its pixels' scale to what they were trained on.

    Every array of the file and every variable of the model is accounted for before the first one is set. Left out of
    the file: the counters of batch normalisation, and the parts that the model was built without (its top, its
    auxiliary classifiers). Left as they are in the model: the output when the file has another number of classes, and
    auxiliary classifiers that the file does not have or whose sizes differ.

    Pixels 0..255 are taken as torchvision's documented preprocessing takes them: 0..1, less the mean colour of
    ImageNet, divided by its deviation. Its GoogLeNet undoes that (`transform_input=True`, as with its published
    weights) and sees -1..1, which is what `googlenet_bn` gets. For weights trained on another range, assign `scale` and
    `offset` of `model.get_layer("scaling")`. Resizing and cropping to 224 x 224 is the caller's.

    torchvision's VGG has a bias before each batch normalisation, here there is none: the moving mean takes it up.

    torchvision's auxiliary classifiers average maps to 4 x 4 in overlapping windows of 4 x 4, here of 5 x 5 as in the
    paper: with the same weights their logits differ. In torchvision's published weights they are not trained.

    Args:
        model: a freshly built model of `entry`, with the arguments of `required`.
        entry: a `zoo.registry.Entry` whose name is in `NETWORKS`.
        weights: path of the `.safetensors` or `.npz` file of the state dict.

    Raises:
        ZooError: a file that cannot be read, one of another network, weights of another shape, or numbers that are not
            finite. The model is then as it was.
    """
    state = state_files.read(weights)
    for key, array in state.items():
        if not np.isfinite(array).all():
            raise ZooError(f"{weights} is not a trained network: {key} has values that are not finite")
    for slot, array in _fitted(model, entry, _folded(state, entry), weights):
        slot.variable.assign(slot.convert(array))
    scaling = model.get_layer("scaling")
    if entry.family == "googlenet":
        scale, offset = np.full(3, 1 / 127.5), np.full(3, -1.0)
    else:
        scale, offset = 1 / (255 * DEVIATION), -MEAN / DEVIATION
    scaling.scale.assign(scale)
    scaling.offset.assign(offset)


def _folded(state, entry):
    """VGG's biases before batch normalisation, subtracted from the means that are subtracted from them."""
    if entry.family != "vgg":
        return state
    state = dict(state)
    for key in list(state):
        number = re.fullmatch(r"features\.(\d+)\.running_mean", key)
        bias = f"features.{int(number[1]) - 1}.bias" if number else None
        if bias in state and state[bias].shape == state[key].shape:
            state[key] = state[key] - state.pop(bias)
    return state


def _fitted(model, entry, state, path):
    """Pairs of a slot and its array, all checked."""
    slots = table(model, entry)
    layers = {slot.layer for slot in slots.values()}
    gone = [f"{name}." for name in AUXILIARY if name not in layers]
    if "output" not in layers:
        gone += ["classifier.", "fc."]
    gone = tuple(gone)
    given = {key: array for key, array in state.items() if not key.endswith(COUNTER) and not key.startswith(gone)}
    optional = tuple(f"{name}." for name in AUXILIARY)
    missing = [key for key in slots if key not in given and not key.startswith(optional)]
    unexpected = [key for key in given if key not in slots]
    if missing or unexpected:
        raise ZooError(_other_network(entry, state, path, missing, unexpected))
    left = _left(slots, given)
    for key, slot in slots.items():
        if slot.layer not in left and given[key].shape != slot.shape:
            raise ZooError(
                f"{path} does not fit {entry.name}: {key} has the shape {given[key].shape}, the layer {slot.layer!r} "
                f"takes {slot.shape}.{_advice(slot, given[key].shape)}"
            )
    _check_images(model, entry, left)
    return [(slot, given[key]) for key, slot in slots.items() if slot.layer not in left]


def _left(slots, given):
    """The layers that keep their fresh weights."""
    left = set()
    for key, slot in slots.items():
        found = given[key].shape if key in given else None
        if slot.layer.startswith(AUXILIARY) and found != slot.shape:
            left.add(slot.layer)
        # Another number of classes, and nothing else.
        if slot.layer == "output" and key.endswith("weight") and found[1:] == slot.shape[1:] and found != slot.shape:
            left.add(slot.layer)
    return left


def _check_images(model, entry, left):
    """Pixels have three colours, and dense layers read square maps: as many values in another rectangle differ."""
    channels = model.get_layer("scaling").scale.shape[0]
    if channels != 3:
        raise ZooError(
            f"ImageNet's mean and deviation are those of red, green and blue, {entry.name} as built takes {channels} "
            "channels. input_shape=(height, width, 3) fits"
        )
    for layer in model.layers:
        if isinstance(layer, keras.layers.Flatten) and layer.name.replace("flatten", "fc") not in left:
            height, width, _ = layer.input.shape[1:]
            if height != width:
                raise ZooError(
                    f"the dense layers of {entry.name} were trained on square maps, here they read {height} x {width}. "
                    "input_shape=(224, 224, 3) fits, and any shape with include_top=False"
                )


def _other_network(entry, state, path, missing, unexpected):
    parts = []
    if missing:
        parts.append(f"it lacks {_listed(missing)}")
    if unexpected:
        parts.append(f"it holds {_listed(unexpected)}, which the network does not have")
    found = _recognised(state)
    advice = ""
    if found and found != entry.name:
        advice = f" It looks like torchvision's {NETWORKS[found]}: zoo.build({found!r}, ...)."
    elif not unexpected and all(key.startswith(("classifier.", "fc.")) for key in missing):
        advice = " include_top=False takes the rest."
    return f"{path} does not hold the weights of {entry.name}: {' and '.join(parts)}.{advice}"


def _listed(keys):
    return ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")


def _recognised(state):
    """The zoo's name of the network that a state dict is of, or None."""
    if "features.0.weight" in state and "classifier.1.weight" in state:
        return "alexnet_single"
    if "inception3a.branch1.conv.weight" in state:
        return "googlenet_bn"
    name = None
    if "features.0.weight" in state:
        convolutions = sum(key.startswith("features.") and array.ndim == 4 for key, array in state.items())
        name = f"vgg{convolutions + 3}{'_bn' if 'features.1.running_mean' in state else ''}"
    elif "layer1.0.conv1.weight" in state:
        blocks = len({tuple(key.split(".")[:2]) for key in state if key.startswith("layer")})
        name = f"resnet{2 + blocks * (3 if 'layer1.0.conv3.weight' in state else 2)}"
    return name if name in NETWORKS else None


def _advice(slot, found):
    """What would make a layer take an array of the shape `found`, where one argument does."""
    wanted = slot.shape
    if len(found) != len(wanted):
        return ""
    if slot.layer in ("fc1", "fc2"):
        if found[0] != wanted[0]:
            return f" dense={found[0]} would fit."
        return " input_shape=(224, 224, 3) would fit, or include_top=False."
    if slot.layer not in ("conv1", "block1_conv1", "stem_conv") or len(found) < 4:
        return ""
    if found[1] != wanted[1]:
        return f" input_shape=(height, width, {found[1]}) would fit."
    if slot.layer == "stem_conv":
        stem = {(7, 7): "imagenet", (3, 3): "small"}.get(found[2:])
        return f" stem={stem!r} would fit." if stem and found[2:] != wanted[2:] else ""
    return f" width={found[0] / 64:g} would fit." if found[2:] == wanted[2:] else ""
