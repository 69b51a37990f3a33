"""The adding problem: two marked numbers of a long sequence, their sum at its end (Hochreiter and Schmidhuber 1997).

zoo train adding     # squared error 0.00074 ± 0.00002 of the test sequences (n=3), 22 s on 2 cores in use

An answer without memory has an error of 1/6 = 0.167. Training ends when the validation error is `enough`, or after all
epochs. Where each cell stops learning shows at growing lengths:

    zoo compare adding --seeds 3 --vary cell=simple_rnn,lstm,gru --vary length=10,30,100

    | squared error of validation sequences | 10 steps | 30 steps | 100 steps |
    |---|---|---|---|
    | simple_rnn | 0.0025 ± 0.0015 | 0.0076 ± 0.0019 | 0.1637 ± 0.0041 |
    | lstm | 0.0006, in 4 epochs | 0.0006, in 7 | 0.0008, in 12 |
    | gru | 0.0006, in 3 epochs | 0.0006, in 4 | 0.0007, in 6 |

The plain network takes all 15 epochs, and has learned nothing of 100 steps: of the gradient at its last step, a part of
1e-8 comes back to the first ones (`gates.png`, where that of the trained LSTM and GRU hardly shrinks).
"""

import math

import keras

import zoo
from callbacks import StopAt
from zoo import preparation, runs
from zoo.data.long_range import CONSTANT, adding
from zoo.errors import choose
from zoo.pictures import long_range, through_time
from zoo.report import save
from zoo.through_time import gradient_norms, together, typical

CELLS = ("simple_rnn", "lstm", "gru")
# Test sequences that the gradients are a mean over.
SEQUENCES = 64


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [32, 64, 128], default=64),
        learning_rate=hp.Float("learning_rate", 0.0003, 0.02, sampling="log", default=0.005),
        clip=hp.Float("clip", 0.1, 10.0, sampling="log", default=1.0),
        cell=hp.Choice("cell", ["simple_rnn", "lstm", "gru"], default="lstm"),
        units=hp.Choice("units", [16, 32, 64, 128], default=32),
        layers=hp.Int("layers", 1, 2, default=1),
        forget_bias=hp.Float("forget_bias", 0.0, 5.0, default=1.0),
    )


def recipe(
    cell="lstm",
    length=50,
    units=32,
    layers=1,
    forget_bias=1.0,
    epochs=15,
    batch_size=64,
    learning_rate=0.005,
    clip=1.0,
    examples=10000,
    enough=0.001,
):
    """Adam on the squared error, with the gradient's norm clipped.

    Args:
        cell: simple_rnn, lstm or gru.
        length: steps of a sequence.
        units: width of each recurrent layer.
        layers: number of recurrent layers.
        forget_bias: where the bias of an LSTM's forget gate starts.
        epochs: passes over the training sequences, at most.
        batch_size: sequences a step.
        learning_rate: Adam's rate.
        clip: what the norm of the whole gradient is cut back to.
        examples: training sequences; a tenth as many are validation and test sequences each.
        enough: the squared error of the validation sequences at which training ends.
    """
    choose("cell", cell, CELLS)
    model = zoo.build(cell, input_shape=(length, 2), num_classes=1, units=units, layers=layers, forget_bias=forget_bias)
    model.compile(keras.optimizers.Adam(learning_rate, global_clipnorm=clip), "mean_squared_error")
    data = adding(batch_size, length=length, examples=examples)
    stop = StopAt(monitor="val_loss", target=enough)
    return zoo.Recipe(model, data, epochs, [stop], objective=("val_loss", "min"))


def pictures(found, folder):
    """Draws gradients through time, and of a study errors against the length.

    Args:
        found: pairs of a setting and its run folders.
        folder: where the pictures go.

    Returns:
        The paths: `gates.png`, of a run before and after training, of a study the trained first seed of each
        setting, a panel for each length; and of a study `lengths.png`.
    """
    panes, errors = {}, {}
    for setting, folders in found:
        hyper = runs.read(folders[0])["hyper"]
        others = {key: value for key, value in setting.items() if key not in ("cell", "length")}
        label = ", ".join([hyper["cell"], *(f"{key} {value}" for key, value in others.items())])
        # A run that diverged left no model.
        if (folders[0] / "model.keras").is_file():
            untrained, trained = _norms(folders[0])
            if setting:
                panes.setdefault(f"length {hyper['length']}, trained", {})[label] = trained
            else:
                panes[f"{label}, length {hyper['length']}"] = {"untrained": untrained, "trained": trained}
        last = [runs.history(each)[-1].get("val_loss", math.nan) for each in folders]
        if any(map(math.isfinite, last)):
            errors.setdefault(label, []).append((hyper["length"], [error for error in last if math.isfinite(error)]))
    drawn = [save(through_time.distances(list(panes.items())), folder / "gates.png")] if panes else []
    if found[0][0] and errors:
        drawn.append(save(long_range.lengths(errors, CONSTANT, hyper["enough"]), folder / "lengths.png"))
    return drawn


def _norms(folder):
    """Norms of the gradient in a run's network, before and after training."""
    built = preparation.rebuild(folder)
    x, y = (array[:SEQUENCES] for array in built.data.test.arrays)
    return [typical(together(gradient_norms(model, x, y))) for model in (built.model, zoo.load(folder))]


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
