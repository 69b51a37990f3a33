"""What an export is told, checked before any work."""

import numpy as np

from zoo.errors import ZooError, require


def check_finite(*answers):
    """Raises unless a model answers with numbers.

    Raises:
        ZooError: NaN or infinity in one of the arrays.
    """
    if not all(np.isfinite(values).all() for values in answers):
        raise ZooError("the model itself answers with NaN or infinity: its weights are broken. Nothing was written.")


def in_words(shape):
    """A shape in words; a side that is free is "any"."""
    return str(tuple(side or "any" for side in shape)).replace("'", "")


def check_built(model):
    """Raises unless a model is a Functional one.

    Raises:
        ZooError: no inputs or no outputs.
    """
    if not getattr(model, "inputs", None) or getattr(model, "output", None) is None:
        raise ZooError(
            f"{model!r} is not a built Functional model: it has no inputs and outputs yet. Build it with zoo.build, or "
            "as keras.Model(inputs, outputs)."
        )


def input_shape(model):
    """Shape of one raw input of a model.

    Raises:
        ZooError: several inputs, or one of unknown shape.
    """
    inputs = model.inputs
    shape = tuple(inputs[0].shape[1:])
    # Images of any size, and sequences of any length.
    known = None not in shape or len(shape) == 3 or (len(shape) == 2 and shape[1] is not None)
    if len(inputs) > 1 or not known:
        received = [tuple(each.shape) for each in inputs]
        raise ZooError(f"export takes models with one input of known shape. Received: inputs of shape {received}")
    return shape


def check_features(features, shape):
    """The feature names as a tuple of strings; empty where there are none."""
    if features is None:
        return ()
    if shape != (len(features),):
        raise ZooError(f"the model takes input of shape {shape}. Received: {len(features)} names of features")
    return check_lines("features", features)


def check_lines(argument, names):
    """Names as a tuple of strings of one line each."""
    names = tuple(map(str, names))
    for name in names:
        require(name and name.splitlines() == [name], argument, name, "names of one line each")
    return names
