"""The weights of a run, or of a `.keras` file of the zoo: the same network again, for other classes or another size.

Such a file holds the whole network, not its weights alone. So what is compared is the networks: layers, names, shapes,
what each layer is set to, and what it reads. A network with another activation or another epsilon has the same shapes,
takes the same weights, and answers wrongly without a word.
"""

import contextlib
import inspect
import json
import re
import reprlib
from pathlib import Path

from zoo import loading, runs
from zoo.errors import ZooError
from zoo.tasks import task_of

# Settings of a layer that have no part in what it answers: those of the training, and of the machine.
IDLE = ("name", "trainable", "dtype", "momentum", "activity_regularizer", "synchronized", "units", "filters")
IDLE_ENDS = ("_initializer", "_regularizer", "_constraint")
# The argument that decides over a layer, by the layer's name.
DECIDING = (
    (r".*_(short\w*|add)", "shortcut"),
    (r"stage\d_block\d+_(1|2)_(conv|pad)", "strides_in"),
    (r"stage\d_block\d+_\w+", "blocks"),
    (r"fc\d|dense\d", "dense"),
    (r"fc\d|dense\d", "hidden"),
    (r"stem_\w+|scaling|conv1|dense1|fc1", "input_shape"),
    (r"stem_\w+|conv1\w*|conv2_reduce", "stem"),
    (r"(block\d_)?conv\d(_norm)?|inception\w+", "width"),
    (r"(block\d_)?conv\d(_norm)?|inception\w+", "batch_normalization"),
    (r"\w+_0_norm|stem_norm|last_norm", "preactivation"),
    (r"pool\d?", "pooling"),
)


def required(entry, weights):
    """What the file says of the arguments: the shape of the images, the number of classes, epsilon of a normalisation.

    Args:
        entry: the `zoo.Entry` of the model that is to be built.
        weights: a run folder or a `.keras` file.

    Returns:
        A dict with `input_shape`, `num_classes` and `epsilon`, where the model takes them and the file has them.

    Raises:
        ZooError: no such file, or a damaged one.
    """
    from zoo import registry

    path = loading._file(Path(weights))
    layers = loading._config(path, path).get("config", {}).get("layers", [])
    found = {}
    for layer in layers:
        kind, settings = layer.get("class_name"), layer.get("config", {})
        if kind == "InputLayer":
            found["input_shape"] = tuple(settings["batch_shape"][1:])
        elif kind == "BatchNormalization":
            found["epsilon"] = settings["epsilon"]
        elif settings.get("name") == "output" and "units" in settings:
            found["num_classes"] = settings["units"] if settings["units"] > 1 else None
        elif settings.get("name") == "output" and "filters" in settings:
            found["num_classes"] = settings["filters"]
    known = inspect.signature(registry.builder(entry.name)).parameters
    return {key: value for key, value in found.items() if key in known}


def assign(model, entry, weights):
    """Sets the weights of a model that was just built.

    The head keeps its fresh start when it is for another number of classes, and auxiliary classifiers that the file
    does not have keep theirs. Everything else must be the same network; layers in front of `"scaling"`, which bring
    images to their size, and layers that work in training only, may differ.

    Args:
        model: a `keras.Model`, built by the entry's function.
        entry: its `zoo.Entry`.
        weights: a run folder, whose `model.keras` is meant, or a `.keras` file.

    Raises:
        ZooError: a file that cannot be loaded, or another network: the message names the first layer that differs, and
            the argument that would fit as far as it can be known. Nothing is set then.
    """
    path = Path(weights)
    source = loading.load(path)
    try:
        pairs = list(_pairs(model, source))
    except _Differs as found:
        raise ZooError(
            f"{path} does not fit {entry.name} as built: {found}.{_hints(found, entry, source, path)}"
        ) from None
    for layer, values in pairs:
        layer.set_weights(values)
    if task_of(model) == "q_learning":
        model.target.set_weights(model.network.get_weights())


class _Differs(Exception):
    """The first difference between two networks.

    Args:
        text: what differs.
        layer: the layer's name.
        setting: name and value of what it is set to in the file, where that is the difference.
    """

    def __init__(self, text, layer, setting=None):
        super().__init__(text)
        self.layer = layer
        self.setting = setting


def _pairs(model, source, prefix=""):
    """The layers of a model with weights, each with the arrays of the layer in the other model.

    Raises:
        _Differs: the two are not the same network.
    """
    import keras

    mine, theirs = _Network(model), _Network(source)
    for name, layer in mine.layers.items():
        shown = f"{prefix}{name}"
        other = theirs.layers.get(name)
        if name in mine.heads and (other is None or layer.output.shape[-1] != other.output.shape[-1]):
            continue
        if other is None:
            if name in mine.main and name not in mine.end:
                raise _Differs(f"the file has no layer {shown!r}", name)
            continue
        if isinstance(layer, keras.Model) and isinstance(other, keras.Model):
            yield from _pairs(layer, other, f"{shown}/")
        elif name not in mine.end:
            yield from _compared(layer, other, shown)
        if name not in mine.heads and name != "scaling" and mine.reads[name] != theirs.reads[name]:
            places = (" and ".join(map(repr, each.reads[name])) or "nothing" for each in (theirs, mine))
            raise _Differs("the layer {!r} reads {} in the file, and {} in the model".format(shown, *places), name)


def _compared(layer, other, shown):
    """A layer with the arrays of another one, if the two compute the same."""
    import numpy as np

    from zoo.pixel_affine import PixelAffine

    if isinstance(layer, PixelAffine) and type(other).__name__ == "Rescaling":
        # Before these were variables, they were constants.
        yield layer, [np.full(layer.scale.shape, value, "float32") for value in (other.scale, other.offset)]
        return
    shapes = _shapes(other), _shapes(layer)
    if shapes[0] != shapes[1]:
        places = (", ".join(f"{name} {shape}" for name, shape in each.items()) or "no weights" for each in shapes)
        raise _Differs("the layer {!r} has {} in the file, and {} in the model".format(shown, *places), layer.name)
    kinds = type(other).__name__, type(layer).__name__
    if kinds[0] != kinds[1]:
        raise _Differs("the layer {!r} is {} in the file, and {} in the model".format(shown, *kinds), layer.name)
    settings = _settings(other), _settings(layer)
    for key in settings[1]:
        if settings[0].get(key) != settings[1][key]:
            values = (f"{key}={reprlib.repr(each.get(key))}" for each in settings)
            text = "the layer {!r} has {} in the file, and {} in the model".format(shown, *values)
            raise _Differs(text, layer.name, (key, settings[0].get(key)))
    if layer.weights:
        yield layer, other.get_weights()


class _Network:
    """What is compared of a model.

    Attributes:
        layers: dict from name to layer, in the order of the computation, without the input, what stands in front of
            the scaling, and what works in training only.
        reads: dict from name to the names of the layers that it reads, those left out being passed through.
        heads: names of the layers that give logits.
        main: names of what the main output needs.
        end: names of layers without weights that nothing but a head follows: another way to pool, say.
    """

    def __init__(self, model):
        import keras

        from zoo.surgery import nodes

        passed = (keras.layers.Dropout, keras.layers.GaussianNoise, keras.layers.GaussianDropout)
        calls = {name: found[0] for name, found in nodes(model).items()}
        everything = {
            name: [t._keras_history.operation.name for t in node.input_tensors] for name, node in calls.items()
        }
        entrance = self._before(everything, everything["scaling"]) if "scaling" in everything else set()
        entrance |= {name for name, node in calls.items() if node.is_input}
        skipped = {name for name, node in calls.items() if isinstance(node.operation, passed)}

        def through(name):
            return [far for near in everything[name] for far in through(near)] if name in skipped else [name]

        self.layers = {
            name: node.operation for name, node in calls.items() if name not in entrance and name not in skipped
        }
        self.reads = {
            name: [far for near in everything[name] for far in through(near) if far not in entrance]
            for name in self.layers
        }
        outputs = model.output if isinstance(model.output, dict) else {}
        self.heads = {name for name in ("output", *outputs) if name in self.layers}
        self.heads = {name for name in self.heads if not isinstance(self.layers[name], keras.Model)}
        main = outputs.get("logits", None) if outputs else model.output
        ends = [
            t._keras_history.operation.name for t in ([main] if main is not None else keras.tree.flatten(model.output))
        ]
        self.main = self._before(everything, ends)
        weighted = [name for name, layer in self.layers.items() if layer.weights and name not in self.heads]
        self.end = set(self.layers) - self._before(everything, weighted) - self.heads

    @staticmethod
    def _before(reads, names):
        """These names, and those of everything that they read."""
        found, waiting = set(), list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(reads[name])
        return found


def _shapes(layer):
    return {variable.name: tuple(variable.shape) for variable in layer.weights}


def _settings(layer):
    """What a layer is set to, as far as it has a part in what it answers, in JSON's types."""
    held = {variable.name for variable in layer.weights}  # a setting of that name is its value at the start
    return {
        key: json.loads(json.dumps(value, default=repr))
        for key, value in layer.get_config().items()
        if key not in IDLE and key not in held and not key.endswith(IDLE_ENDS)
    }


def _hints(found, entry, source, path):
    """What is known of the arguments that would fit."""
    from zoo import registry

    known = inspect.signature(registry.builder(entry.name)).parameters
    hints = []
    if source.name != entry.name and source.name in registry.list_models():
        hints.append(f"The file holds the network {source.name!r}")
    key, value = found.setting or (None, None)
    if key in known:
        hints.append(f"{key}={reprlib.repr(value)} would fit")
    else:
        deciding = [argument for place, argument in DECIDING if argument in known and re.fullmatch(place, found.layer)]
        if deciding:
            hints.append(f"What decides over this layer is {' or '.join(deciding)}")
    folder = path if path.is_dir() else path.parent
    with contextlib.suppress(ZooError):  # a file on its own, in no run's folder
        hyper = runs.read(folder)["hyper"]
        chosen = ", ".join(f"{key}={value!r}" for key, value in hyper.items() if key in known)
        if chosen:
            hints.append(f"Its recipe was called with {chosen}")
    if "input_shape" in known:
        hints.append(f"Its images are {tuple(source.inputs[0].shape[1:])}")
    return "".join(f" {hint}." for hint in hints)
