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
SHIPPED = {
    ("resnet20", "cifar10"): Shipped(
        file="resnet20_cifar10.npz",
        sha256="86c90c824659d506ffc30256f4e112b20c17d5dc92541cb9e096adc8b954417f",
        arguments={},
        labels=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        recipe=(
            "zoo.train('resnet20_cifar10', seed=0, precision='mixed_bfloat16', epochs=90, batch_size=128, "
            "learning_rate=0.1, momentum=0.9, weight_decay=0.005, padding=4, square=0, shortcut='A', validation=0.1)"
        ),
        number="test_accuracy 0.8759, test_loss 0.4580, on a JPEG copy of CIFAR-10",
    ),
}


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
