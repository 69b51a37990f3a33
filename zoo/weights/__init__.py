"""Weights from elsewhere: which source is meant, which arguments it fixes, and how weights are put into a model.

A source is a module with two functions. `required` gives the arguments that its weights fix, by name;
`assign(model, entry, weights)` sets the variables of the model that was just built.
"""

import os
import re
from pathlib import Path

from zoo.errors import ZooError, require, suggest

# What the caller may always choose: the head is then born anew, and convolutions take images of any size.
FREE = ("num_classes", "input_shape", "include_top", "pooling")
# Layers that give logits. One for other classes than the weights' stays as it was born.
CLASSIFIERS = re.compile(r"(output|aux\d)")
# Layers that weights may bring without the model having them: a head that was left out.
HEADS = re.compile(r"(output|fc\d|aux\d\w*)")


def build(entry, function, arguments, weights):
    """Builds a model and sets its weights.

    Args:
        entry: the `zoo.Entry` of the model.
        function: the function behind it.
        arguments: dict, the caller's own arguments.
        weights: as in `zoo.build`.

    Returns:
        A `keras.Model`, named after the entry.

    Raises:
        ZooError: weights that the model cannot take, an argument that contradicts them, or weights for other classes
            where no number of classes was asked for.
    """
    required, assign = _source(entry, weights)
    for key, value in required.items():
        if key in arguments and key not in FREE and not _same(arguments[key], value):
            raise ZooError(
                f"weights={str(weights)!r} were trained with {key}={value!r} and answer wrongly with another value. "
                f"Received: {key}={arguments[key]!r}. Leave {key} out, or build without weights"
            )
    model = function(**{**entry.preset, **required, **arguments})
    model.name = entry.name
    before = _head(model)
    assign(model, entry, weights)
    if before and "num_classes" not in arguments and all(map(_equal, before, _head(model))):
        classes = model.get_layer("output").kernel.shape[-1]
        raise ZooError(
            f"the last layer of weights={str(weights)!r} is for other classes than the {classes} of {entry.name}, and "
            f"would stay untrained. Give num_classes: the weights' own number, or num_classes={classes} to train it"
        )
    return model


def names(entry):
    """The names of weights, as opposed to paths, that a model can take.

    Example:
        >>> from zoo import registry
        >>> names(registry.entry("vgg16"))
        ['imagenet']
    """
    from zoo.weights import applications, shipped

    return sorted({*shipped.names(entry), *applications.names(entry)})


def values(model):
    """The weights of a model, as they are put into another.

    Returns:
        A dict from `variable.path` to float32 array.

    Example:
        >>> sorted(values(zoo.build("perceptron", input_shape=(2,), num_classes=3)))
        ['output/bias', 'output/kernel']
    """
    import keras
    import numpy as np

    return {
        variable.path: np.array(keras.ops.convert_to_numpy(variable.value), "float32") for variable in model.weights
    }


def put(model, found, origin, works=""):
    """Sets every weight of a model, or none.

    The last layer, and auxiliary ones, keep their start when the weights are for another number of classes.

    Args:
        model: a built `keras.Model`.
        found: dict from `variable.path` to array.
        origin: where the arrays come from, as the object of a sentence.
        works: which arguments would fit, as the last sentence of a message.

    Raises:
        ZooError: a layer that the weights do not fit, that they lack, or that the model lacks. Nothing is set then.

    Example:
        >>> small = dict(input_shape=(2,), num_classes=3)
        >>> model, other = zoo.build("perceptron", **small), zoo.build("perceptron", **small)
        >>> put(model, values(other), "the other model")
        >>> bool((model.get_weights()[0] == other.get_weights()[0]).all())
        True
    """
    works = f" {works}" if works else ""
    own = {variable.path: variable for variable in model.weights}
    layers = {_layer(path) for path in own}
    fresh = {layer for layer in layers if CLASSIFIERS.fullmatch(layer) and _other_classes(layer, own, found)}
    for path, variable in own.items():
        layer, name = _layer(path), path.rpartition("/")[2]
        shape = tuple(variable.shape)
        if layer in fresh:
            continue
        if path not in found:
            raise ZooError(f"{origin} have no {name} for the layer {layer}, which {model.name} has as built.{works}")
        if found[path].shape != shape:
            raise ZooError(
                f"the {name} of the layer {layer} has shape {shape} in {model.name} as built, and "
                f"{found[path].shape} in {origin}.{works}"
            )
    for layer in sorted({_layer(path) for path in found} - layers):
        if not HEADS.fullmatch(layer):
            raise ZooError(f"{origin} have a layer {layer}, which {model.name} as built has not.{works}")
    for path, variable in own.items():
        if _layer(path) not in fresh:
            variable.assign(found[path])


def _layer(path):
    return path.rpartition("/")[0]


def _other_classes(layer, own, found):
    """Whether weights have nothing for a layer of logits, or other classes, which are on its last axis."""
    pairs = [
        (variable.shape[-1:], found[path].shape[-1:])
        for path, variable in own.items()
        if _layer(path) == layer and path in found
    ]
    return all(mine != theirs for mine, theirs in pairs)


def _head(model):
    """The values of the last layer, of a model that has its head."""
    return [value for path, value in values(model).items() if _layer(path) == "output"]


def _equal(one, other):
    return (one == other).all()


def _same(received, fixed):
    """Whether two plain values are the same, be they lists or tuples."""
    if isinstance(received, list | tuple) and isinstance(fixed, list | tuple):
        return list(received) == list(fixed)
    return received == fixed


def _source(entry, weights):
    """The arguments that weights fix, and the function that sets them."""
    works = "a name, or the path of a run folder, a .keras, a .safetensors or an .npz file"
    require(isinstance(weights, str | os.PathLike) and str(weights), "weights", weights, works)
    from zoo.weights import applications, shipped, state_files

    path = Path(weights)
    if weights in shipped.names(entry):
        return shipped.required(entry, weights), shipped.assign
    if weights in applications.names(entry):
        return applications.required(entry), applications.assign
    if path.suffix.lower() in (".safetensors", ".npz", *state_files.PICKLES):  # which refuses the last, saying why
        from zoo.weights import torchvision

        return torchvision.required(entry), torchvision.assign
    if path.suffix == ".keras" or path.is_dir():
        from zoo.weights import trained

        return trained.required(entry, weights), trained.assign
    raise ZooError(_unknown(entry, str(weights), path))


def _unknown(entry, weights, path):
    known = names(entry)
    takes = f"{entry.name} takes {', '.join(map(repr, known))}" if known else f"There are none by name for {entry.name}"
    if path.exists():
        what = f"{weights} is neither a run folder nor a .keras, .safetensors or .npz file"
    elif len(path.parts) > 1:
        what = f"there is no file or folder {weights}"
    else:
        what = f"the model {entry.name!r} has no weights named {weights!r}"
    return (
        f"{what}.{suggest(weights, known)} {takes}; weights are also taken from a run folder, a .keras, .safetensors "
        "or .npz file"
    )
