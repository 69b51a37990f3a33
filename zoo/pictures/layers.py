"""Signals and gradients, layer by layer: how they vanish and explode on their way through a deep network."""

from dataclasses import dataclass

import keras
import numpy as np

from callbacks.gradient_statistics import statistics
from zoo.report import panels

# What is smaller than this is drawn here: zeros too, which a logarithmic axis has no place for.
FLOOR = 1e-16
MARKS = "osD^vPX<>"


@dataclass(frozen=True)
class Signals:
    """What passes the layers of a network.

    Args:
        initializer: what its weights began as; each has a line of its own.
        activation: of its hidden layers; each has a row of panels.
        depth: number of hidden layers; each has columns of its own.
        activations: list of numbers, one for each hidden layer.
        gradients: list of numbers, one for each layer with weights.
    """

    initializer: str
    activation: str
    depth: int
    activations: list
    gradients: list


def measure(model, x, y):
    """Measures how much of a batch arrives in each layer of an `mlp`, and how much of the loss comes back.

    Args:
        model: a compiled model of `zoo.build("mlp")`, without dropout.
        x: a batch of raw inputs.
        y: their labels.

    Returns:
        Two lists of floats. For each hidden layer, how far the activations of a unit differ from example to example:
        their standard deviation over the batch, as a root mean square over the units. (A deviation over examples and
        units together stays large where all examples look alike.) And for each layer with weights, the Euclidean norm
        of the loss' gradient.

    Example:
        >>> model = zoo.build("mlp", input_shape=(2,), num_classes=2, hidden=(4, 4), initializer="zero")
        >>> model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> activations, gradients = measure(model, np.eye(2), np.array([0, 1]))
        >>> activations, gradients
        ([0.0, 0.0], [0.0, 0.0, 0.0])
    """
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    # Where the next dense layer looks: behind the activation.
    hidden = keras.Model(model.input, [layer.input for layer in dense[1:]])
    values = [np.asarray(keras.ops.convert_to_numpy(value), np.float64) for value in hidden(x)]
    with np.errstate(invalid="ignore"):  # What has exploded beyond float32 is infinite, or no number.
        activations = [float(np.sqrt(value.var(axis=0).mean())) for value in values]
        norms = statistics(model, x, y)["gradient_norm"]
    return activations, [norms[layer.name] for layer in dense]


def multiples(found, title):
    """Draws activations and gradients against the layer, on a logarithmic axis.

    Args:
        found: a list of `Signals`.
        title: the figure's title.

    Returns:
        A matplotlib figure: a row for each activation; columns for activations and for gradients, at each depth; a line
        for each initialiser. What is 0, or smaller than the axis reaches, lies on its floor; what is infinite is left
        out. Differences below about 1e-8 of an activation are float32's rounding.
    """
    names, functions, depths = (
        list(dict.fromkeys(getattr(each, key) for each in found)) for key in ("initializer", "activation", "depth")
    )
    kinds = {"activations": "standard deviation of\nactivations between images", "gradients": "norm of the gradient"}
    columns = [(kind, depth) for kind in kinds for depth in depths]
    figure, axes = panels(len(columns), len(functions), 3.4, 2.9)
    figure.set_size_inches(figure.get_figwidth() + 1.5, figure.get_figheight())
    for place, axis in enumerate(axes):
        function, (kind, depth) = functions[place // len(columns)], columns[place % len(columns)]
        for each in found:
            if (each.activation, each.depth) == (function, depth):
                _line(axis, getattr(each, kind), names.index(each.initializer), each.initializer)
        axis.set_title(f"{function}, {depth} layers", fontsize=10)
        if depth == depths[0]:
            axis.set_ylabel(kinds[kind])
        if place >= len(axes) - len(columns):
            axis.set_xlabel("hidden layer" if kind == "activations" else "layer, the last is the output")
    for kind in kinds:
        _scale([axis for place, axis in enumerate(axes) if columns[place % len(columns)][0] == kind])
    handles = {line.get_label(): line for axis in axes for line in axis.get_lines()}
    figure.legend(handles.values(), handles, loc="outside right center", title="initialiser")
    figure.suptitle(title)
    return figure


def _line(axis, values, number, label):
    values = np.asarray(values)
    places = np.arange(1, len(values) + 1)
    style = {"color": f"C{number % 10}", "marker": MARKS[number % len(MARKS)], "markersize": 3.5}
    axis.plot(places, np.maximum(values, FLOOR), linewidth=1.2, label=label, **style)


def _scale(axes):
    """One logarithmic axis for all: from what is there, or from the floor, which is then named."""
    values = np.concatenate([line.get_ydata() for axis in axes for line in axis.get_lines()])
    values = values[np.isfinite(values)]
    low, high = (values.min() / 30, values.max() * 30) if len(values) else (1.0, 10.0)
    for axis in axes:
        axis.set_yscale("log")
        axis.set_ylim(low, high)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        if low < FLOOR:
            powers = np.arange(round(np.log10(FLOOR)), np.log10(high), 4).astype(int)
            axis.set_yticks(10.0**powers, [f"$\\leq 10^{{{powers[0]}}}$", *(f"$10^{{{each}}}$" for each in powers[1:])])
