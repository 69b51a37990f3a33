"""Recurrent layers in LiteRT files, which have no loops over any number of examples: their steps stand one by one."""

import contextlib

import keras

from zoo.errors import ZooError
from zoo.through_time import recurrent_layers

# Each step of each layer is some twenty operations of the file, and takes the converter 10 ms or more.
MOST_STEPS = 256


def unrolls(model):
    """Whether a LiteRT file can be written of a model: its recurrent layers, if any, take a fixed count of steps."""
    sequences = (keras.tree.flatten(layer.input)[0] for layer in recurrent_layers(model))
    return all(1 <= (each.shape[1] or 0) <= MOST_STEPS for each in sequences)


def check_unrolls(model, formats):
    """Raises where a LiteRT file is wanted of a recurrent model whose sequences are of any length, or too long.

    Raises:
        ZooError: saying which formats there are.
    """
    if "litert" in formats and not unrolls(model):
        raise ZooError(
            f"litert files hold the steps of a recurrent layer one by one, {MOST_STEPS} at most, and those of "
            f"{model.name} are more, or of any count: export a SavedModel, or ONNX"
        )


@contextlib.contextmanager
def unrolled(model):
    """Lets the recurrent layers of a model be traced step by step, inside a `with` block."""
    # Also those inside of a layer around them: Keras has no public way to all of them.
    found = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.RNN)]
    layers = [layer for layer in found if not layer.unroll]
    for layer in layers:
        layer.unroll = True
    try:
        yield
    finally:
        for layer in layers:
            layer.unroll = False
