"""The gates on four points: what one layer cannot learn, and two can (Minsky and Papert 1969; Rumelhart et al. 1986).

zoo train mlp_xor     # 4 of the 4 points ± 0 (n=5), 2 s on 2 cores

    zoo compare mlp_xor --vary gate=and,or,nand,xor --vary hidden=,4 --seeds 5
    zoo compare mlp_xor --vary hidden=,2,4 --seeds 5

Two hidden units suffice for XOR, but one seed of five ends in a local minimum with 2 points of 4; with four units all
five learn it.
"""

from pathlib import Path

import keras
import numpy as np

import zoo
from zoo import runs as run_folders
from zoo.data import from_arrays
from zoo.errors import choose
from zoo.optimizers import optimizer as by_name
from zoo.pictures.decision import regions
from zoo.report import save

POINTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
GATES = {"and": (0, 0, 0, 1), "or": (0, 1, 1, 1), "nand": (1, 1, 1, 0), "xor": (0, 1, 1, 0)}


def search(hp):
    units, layers = hp.Int("units", 2, 16, default=4), hp.Int("layers", 1, 2, default=1)
    return dict(
        learning_rate=hp.Float("learning_rate", 0.01, 1.0, sampling="log", default=0.1),
        optimizer=hp.Choice("optimizer", ["adam", "momentum", "rmsprop"], default="adam"),
        hidden=(units,) * layers,
        activation=hp.Choice("activation", ["tanh", "sigmoid", "relu"], default="tanh"),
    )


def recipe(gate="xor", hidden=(4,), activation="tanh", optimizer="adam", learning_rate=0.1, epochs=100):
    """All four points are one batch, and are training, validation and test data at once: there are no others.

    Args:
        gate: and, or, nand or xor.
        hidden: widths of the hidden layers; an empty list is the perceptron, whose boundary is a line.
        activation: of the hidden layers: sigmoid, tanh, relu, leaky_relu, prelu, elu or softplus.
        optimizer: sgd, momentum, adam, or another of zoo.optimizers.
        learning_rate: the optimizer's rate.
        epochs: steps, each on the four points.
    """
    labels = np.array(GATES[choose("gate", gate, GATES)], "int32")
    data = from_arrays((POINTS, labels), 4, validation=(POINTS, labels), test=(POINTS, labels), labels=("0", "1"))
    model = zoo.build(
        "mlp", input_shape=(2,), num_classes=2, hidden=hidden, activation=activation, initializer="glorot"
    )
    model.compile(
        by_name(optimizer, learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return zoo.Recipe(model, data, epochs, objective=("val_loss", "min"))


def pictures(runs, folder):
    """The plane as the first seed's model of each setting divides it."""
    panes = []
    for _, folders in runs:
        # A run that diverged left no model.
        first = next((run for run in folders if (Path(run) / "model.keras").is_file()), None)
        if first is not None:
            panes.append(_pane(zoo.load(first), run_folders.read(first)["hyper"]))
    return [save(regions(panes), Path(folder) / "regions.png")] if panes else []


def _pane(model, hyper):
    answers = np.array(GATES[hyper["gate"]])
    right = int((model.predict(POINTS, verbose=0).argmax(1) == answers).sum())
    hidden = ",".join(map(str, hyper["hidden"])) or "none"
    return f"{hyper['gate']}, hidden {hidden}: {right} of 4 right", model, POINTS, answers


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
