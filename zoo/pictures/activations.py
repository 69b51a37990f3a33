"""A page of activations, each with its derivative: what flows forward through a unit, and what flows back."""

import functools

import keras
import numpy as np

from zoo.errors import choose
from zoo.layers import scaled_tanh
from zoo.report import panels

# The formula in mathtext, and the function. Slopes are larger than those of `mlp` (0.01 for its leaky_relu): at 0.01
# the curve cannot be told from that of relu.
ACTIVATIONS = {
    "sigmoid": (r"1 / (1 + e^{-x})", keras.activations.sigmoid),
    "tanh": (r"(e^x - e^{-x}) / (e^x + e^{-x})", keras.activations.tanh),
    "scaled_tanh": (r"1.7159\ \tanh(2x / 3)", scaled_tanh),
    "softsign": (r"x / (1 + |x|)", keras.activations.softsign),
    "hard_sigmoid": (r"\min(1,\ \max(0,\ x / 6 + 1 / 2))", keras.activations.hard_sigmoid),
    "hard_tanh": (r"\min(1,\ \max(-1,\ x))", keras.activations.hard_tanh),
    "relu": (r"\max(0,\ x)", keras.activations.relu),
    "leaky_relu": (r"\max(0.2 x,\ x)", functools.partial(keras.activations.leaky_relu, negative_slope=0.2)),
    "prelu": (
        r"\max(a x,\ x)\mathrm{,\ trained}\ a\mathrm{,\ here}\ 0.25",
        functools.partial(keras.activations.leaky_relu, negative_slope=0.25),
    ),
    "elu": (r"x\ \mathrm{if}\ x > 0\mathrm{,\ else}\ e^x - 1", keras.activations.elu),
    "selu": (r"1.0507 x\ \mathrm{if}\ x > 0\mathrm{,\ else}\ 1.7581 (e^x - 1)", keras.activations.selu),
    "softplus": (r"\log(1 + e^x)", keras.activations.softplus),
    "squareplus": (r"(x + \sqrt{x^2 + 4}) / 2", keras.activations.squareplus),
    "gelu": (r"x\ \Phi(x)\mathrm{,\ with\ the\ normal\ integral}\ \Phi", keras.activations.gelu),
    "silu": (r"x / (1 + e^{-x})", keras.activations.silu),
    "hard_silu": (r"x\ \min(1,\ \max(0,\ x / 6 + 1 / 2))", keras.activations.hard_silu),
    "mish": (r"x\ \tanh(\log(1 + e^x))", keras.activations.mish),
}
ALSO = {"silu": "silu (swish)", "hard_silu": "hard_silu (hard swish)"}
POINTS = np.linspace(-4, 4, 401, dtype="float32")


def curve(name, points):
    """An activation and its derivative, as Keras computes them forward and back.

    The points are the weights of a model that adds up their activations. One step of gradient descent at the rate 1
    moves each of them by the derivative at it: differentiation on every backend, with nothing but Keras.

    Args:
        name: a key of `ACTIVATIONS`.
        points: list of numbers.

    Returns:
        Two float32 arrays, as long as `points`: the values and the derivatives. Where the derivative jumps, it is what
        back-propagation uses: 0 for relu at 0.

    Raises:
        ZooError: an unknown activation.

    Example:
        >>> curve("relu", [-1, 0, 1])[1].tolist()
        [0.0, 0.0, 1.0]
    """
    _, function = ACTIVATIONS[choose("name", name, ACTIVATIONS)]
    points = np.asarray(points, "float32")
    indices = np.arange(len(points))
    holder = keras.layers.Embedding(len(points), 1, embeddings_initializer="zeros")
    model = keras.Sequential([holder, keras.layers.Activation(function)])
    model.build((len(points),))
    holder.set_weights([points[:, None]])
    values = keras.ops.convert_to_numpy(model(indices))[:, 0]
    # Eagerly, because a graph would be traced for one step.
    model.compile(keras.optimizers.SGD(1.0), lambda _, activations: keras.ops.sum(activations), run_eagerly=True)
    model.train_on_batch(indices, indices)
    return values, points - holder.get_weights()[0][:, 0]


def page():
    """Draws every activation that the models offer, and Keras' classics, with their derivatives, on one scale.

    Returns:
        A matplotlib figure.

    Example:
        >>> len(page().axes)
        18
    """
    figure, axes = panels(6, 3, 2.7, 2.5)
    for axis, (name, (formula, _)) in zip(axes, ACTIVATIONS.items(), strict=False):
        values, derivatives = curve(name, POINTS)
        axis.axhline(0, color="gray", linewidth=0.8)
        axis.axvline(0, color="gray", linewidth=0.8)
        lines = [
            *axis.plot(POINTS, derivatives, color="tab:orange", linestyle="--", label="derivative $f'(x)$"),
            *axis.plot(POINTS, values, color="tab:blue", linewidth=2, label="activation $f(x)$"),
        ]
        axis.set_title(f"{ALSO.get(name, name)}\n${formula}$", fontsize=10)
        axis.set(xlim=(-4, 4), ylim=(-2, 4.4), xticks=range(-4, 5, 2), yticks=range(-2, 5), aspect="equal")
        axis.grid(alpha=0.3)
    axes[-1].axis("off")
    axes[-1].legend(handles=lines[::-1], loc="center", fontsize=11, title="in every panel")
    figure.supxlabel("input $x$ of the unit")
    figure.supylabel("$f(x)$ and $f'(x)$")
    return figure
