"""Gradients against the distance in time: what reaches a step long ago, and what gates do for it."""

from pathlib import Path

import keras
import numpy as np

import zoo
from zoo import seeding
from zoo.data import feeding
from zoo.data.long_range import adding
from zoo.report import panels, save
from zoo.tasks import task_of
from zoo.through_time import gradient_norms, reads_forwards, together, typical

# Sequences over which a run's picture is taken, and the share of them that its bands leave out at either end.
EXAMPLES = 64
TAIL = 0.1
# The networks of the page: a name, the model, its arguments.
CELLS = (
    ("simple_rnn", "simple_rnn", {}),
    ("lstm, forget bias 0", "lstm", {"forget_bias": 0.0}),
    ("lstm, forget bias 1", "lstm", {"forget_bias": 1.0}),
    ("gru", "gru", {}),
)
UNITS = 32
BATCH = 64
RATE = 0.005


def distances(panes, title=""):
    """Draws norms against the distance in time, on one logarithmic axis.

    Args:
        panes: a list of pairs: a panel's title, and a dict from a line's label to an array (steps,): the norm k steps
            before the last. What is 0 is left out.
        title: the figure's title.

    Returns:
        A matplotlib figure. Each line is divided by its first number, so that it begins at 1: how large the error is
        does not matter, how much of it arrives does.
    """
    figure, axes = panels(len(panes), 1, 5.0 if len(panes) < 3 else 3.8, 3.9)
    for axis, (name, lines) in zip(axes, panes, strict=True):
        for label, norms in lines.items():
            axis.plot(_positive(norms / norms[0]), label=label, linewidth=1.4)
        _name(axis, name)
    axes[0].set_ylabel("norm of the gradient,\nrelative to the last step's")
    _same_heights(axes)
    figure.suptitle(title)
    return figure


def of_model(model, x, y):
    """Draws the norm of the gradient in each state of a model against the distance in time.

    Args:
        model, x, y: as in `zoo.through_time.gradient_norms`.

    Returns:
        A matplotlib figure: geometric means over the sequences, and bands from the tenth to the ninetieth percentile. A
        layer has a colour; the cell of an LSTM is dashed.
    """
    figure, (axis,) = panels(1, 1, 6.0, 4.0)
    colours = {}
    for label, norms in gradient_norms(model, x, y).items():
        layer, _, state = label.partition("/")
        colour = colours.setdefault(layer, f"C{len(colours) % 10}")
        mean = typical(norms)
        low, high = np.nanquantile(norms[:, : len(mean)], (TAIL, 1 - TAIL), axis=0)
        style = "--" if state == "c" else "-"
        axis.plot(_positive(mean), style, color=colour, label=f"{layer}: {state}", linewidth=1.4)
        axis.fill_between(range(len(mean)), _positive(low), _positive(high), color=colour, alpha=0.12, linewidth=0)
    _name(axis, f"{len(x)} sequences: geometric mean, 10th to 90th percentile")
    axis.set_ylabel("norm of the gradient of the last step's loss")
    return figure


def draw(folder, model, data):
    """Draws a run's gradients through time.

    Args:
        folder: where the picture goes.
        model: the trained model.
        data: the run's `zoo.Data`: the first examples of its test part, or of the validation part, are looked at.

    Returns:
        The paths; none for a model without recurrent layers, or with one that reads backwards.
    """
    part = data.test or data.validation
    if part is None or task_of(model) not in ("classification", "regression", "language") or not reads_forwards(model):
        return []
    x, y = _first(part, EXAMPLES)
    return [save(of_model(model, x, y), Path(folder) / "through_time.png")]


def page(length=60, steps=800):
    """Draws why gates: what of the last step's loss reaches each step before it, untrained and trained.

    Plain RNN, LSTM and GRU of the zoo learn the adding problem, whose answer needs numbers from `length` / 2 steps ago
    and more. It takes about 40 s of processor time, and sets the seed to 0.

    Args:
        length: steps of a sequence, an integer >= 2.
        steps: training steps of each network, on 64 sequences each, an integer >= 1.

    Returns:
        A matplotlib figure of two panels.
    """
    data = adding(BATCH, length=length, seed=0)
    x, y = _first(data.test, BATCH)
    before, after = {}, {}
    for label, name, arguments in CELLS:
        seeding.seed_everything(0)
        model = zoo.build(name, input_shape=(length, 2), num_classes=1, units=UNITS, **arguments)
        before[label] = typical(together(gradient_norms(model, x, y)))
        model.compile(keras.optimizers.Adam(RATE, global_clipnorm=1.0), "mean_squared_error", jit_compile=False)
        model.fit(feeding.feed(data.train), steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)
        sequences, sums = data.test.arrays
        error = np.square(keras.ops.convert_to_numpy(model(sequences)) - sums).mean()
        after[f"{label}: error {error:.2g}"] = typical(together(gradient_norms(model, x, y)))
    panes = [("before training", before), (f"after {steps} steps on the adding problem, length {length}", after)]
    return distances(panes, "Gradients through time (without memory the squared error is 1/6 = 0.17)")


def _first(part, count):
    """The first examples of a stream, as they are given to the model."""
    found, have = [], 0
    for x, y, *_ in feeding.held_out(part):
        found.append((x, y))
        have += len(x)
        if have >= count:
            break
    return tuple(np.concatenate(arrays)[:count] for arrays in zip(*found, strict=True))


def _positive(values):
    """What a logarithmic axis has a place for; NaN for the rest."""
    return np.where(values > 0, values, np.nan)


def _name(axis, title):
    axis.set_yscale("log")
    axis.set_xlabel("distance to the last step")
    axis.set_title(title, fontsize=10)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)


def _same_heights(axes):
    ends = [axis.get_ylim() for axis in axes]
    for axis in axes:
        axis.set_ylim(min(low for low, _ in ends), max(high for _, high in ends))
