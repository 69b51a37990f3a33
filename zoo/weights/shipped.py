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
    ("lenet", "digits"): Shipped(
        file="lenet_digits.npz",
        sha256="fe5bb4735659a731548cec1397061e8e8eb2dfb2517556777300065d0c6ab133",
        arguments={"input_shape": (8, 8, 1), "upsample": 4},
        labels=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
        recipe=(
            "zoo.train('lenet_digits', seed=0, precision='float32', epochs=40, batch_size=32, "
            "learning_rate=0.003, activation='relu', pooling='max', rotation=10.0, translate=0.08, zoom=0.1)"
        ),
        number="test_accuracy 0.9944, test_loss 0.0265",
    ),
    ("lenet", "mnist"): Shipped(
        file="lenet_mnist.npz",
        sha256="b461cbe62ecdfaaeb9058145f0262b15de7445f077be3fe7c2654a8723d3a949",
        arguments={},
        labels=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
        recipe=(
            "zoo.train('lenet_mnist', seed=0, precision='float32', epochs=20, batch_size=128, "
            "learning_rate=0.003, activation='relu', pooling='max', rotation=10.0, translate=0.06, zoom=0.1, "
            "shear=0.1)"
        ),
        number="test_accuracy 0.9935, test_loss 0.0187",
    ),
    ("lenet", "fashion_mnist"): Shipped(
        file="lenet_fashion_mnist.npz",
        sha256="a1d16eb67fc0ecfb38f798735147d33e5b66c3725bee6036693eb1f40f5b19c8",
        arguments={"pooling": "average"},
        labels=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        recipe=(
            "zoo.train('lenet_fashion_mnist', seed=0, precision='float32', epochs=20, batch_size=64, "
            "learning_rate=0.004, activation='relu', pooling='average', weight_decay=0.01, mirror=False, "
            "pixels=1)"
        ),
        number="test_accuracy 0.9191, test_loss 0.2371",
    ),
}


def names(entry):
    """The names of the weights that the zoo brings along for a model."""
    return [weights for model, weights in SHIPPED if model == entry.name]


def told(entry):
    """What is known of the weights that the zoo brings along for a model.

    Args:
        entry: a `zoo.Entry`.

    Returns:
        A dict from the weights' name to a dict: `number` (what they reached), `recipe` (the call that trained them),
        `build` (the call that gives them), `file`, `bytes` and `sha256`.

    Example:
        >>> told(registry.entry("lenet"))["digits"]["build"]
        "zoo.build('lenet', weights='digits', input_shape=(8, 8, 1), upsample=4)"
    """
    found = {}
    for weights in sorted(names(entry)):
        row = SHIPPED[entry.name, weights]
        given = "".join(f", {key}={value!r}" for key, value in row.arguments.items())
        found[weights] = {
            "number": row.number,
            "recipe": row.recipe,
            "build": f"zoo.build({entry.name!r}, weights={weights!r}{given})",
            "file": row.file,
            "bytes": (FOLDER / row.file).stat().st_size,
            "sha256": row.sha256,
        }
    return found


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
