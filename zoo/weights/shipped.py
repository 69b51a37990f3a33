"""Weights that the zoo trained and brings along: small files, checked by their SHA-256 before they are opened."""

import inspect
from pathlib import Path
from typing import NamedTuple

from zoo import registry
from zoo.weights import put

FOLDER = Path(__file__).parent / "files"
# Arguments without a part in what a trained network answers.
TRAINING = ("dropout", "initializer", "momentum", "zero_gamma")


class Shipped(NamedTuple):
    """What is known of a file of weights without opening it.

    Args:
        file: its name in `zoo/weights/files`, an .npz file of one float32 array for each `variable.path`.
        sha256: what its SHA-256 must be.
        arguments: the arguments of `zoo.build` that make the network it fits.
        labels: names of the classes, in the order of the logits.
        recipe: the call that trained it.
        number: what it reached, and on what.
    """

    file: str
    sha256: str
    arguments: dict
    labels: tuple
    recipe: str
    number: str


# (model, weights) -> the file. `zoo.weights.packing.pack` makes the rows.
SHIPPED = {}


def names(entry):
    """The names of the weights that the zoo brings along for a model."""
    return [weights for model, weights in SHIPPED if model == entry.name]


def required(entry, weights):
    """The arguments that the weights fix: all but those that matter in training only.

    A file of arrays does not show an epsilon or an activation, and would fit a network with another one.
    """
    known = inspect.signature(registry.builder(entry.name)).parameters
    fixed = {name: parameter.default for name, parameter in known.items() if name not in TRAINING}
    return {**fixed, **entry.preset, **SHIPPED[entry.name, weights].arguments}


def assign(model, entry, weights):
    """Sets the weights of a model that was just built.

    Args:
        model: a `keras.Model`.
        entry: its `zoo.Entry`.
        weights: one of `names(entry)`.

    Raises:
        ZooError: a file that is missing, or has another SHA-256 than the table's, or a layer that it does not fit.
    """
    from zoo.weights import state_files

    row = SHIPPED[entry.name, weights]
    works = f"input_shape={required(entry, weights).get('input_shape')!r} would fit"
    put(model, state_files.read(FOLDER / row.file, row.sha256), f"the {weights} weights of {entry.name}", works)
