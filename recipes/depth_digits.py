"""Deep and thin against shallow and wide at equal parameters, on scikit-learn's handwritten digits.

zoo train depth_digits     # 98.44 % ± 0.15 of the test images (n=5), 5 s on 2 cores

Seide, Li, Yu 2011, Conversational speech transcription using context-dependent deep neural networks, find depth far
better than width for speech. Digits of 8 x 8 pixels need none of it: all of these have about 20 000 parameters.

    zoo compare depth_digits --vary layers=1,2,3,5,8 --seeds 5 --test

    | layers | width | test images right |
    |---|---|---|
    | 1 | 267 | 98.56 % ± 0.36 |
    | 2 | 108 | 98.78 % ± 0.15 |
    | 3 | 83 | 98.44 % ± 0.15 |
    | 5 | 62 | 98.22 % ± 0.15 |
    | 8 | 48 | 97.89 % ± 0.50 |
"""

import math

import keras

import zoo
from callbacks import Schedule
from zoo.curves import curve
from zoo.data import images
from zoo.errors import ZooError, require

PIXELS, CLASSES = 64, 10


def search(hp):
    # What is compared here has equal parameters, so the width follows.
    return dict(
        batch_size=hp.Choice("batch_size", [16, 32, 64, 128], default=32),
        learning_rate=hp.Float("learning_rate", 0.0003, 0.01, sampling="log", default=0.003),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        layers=hp.Int("layers", 1, 8, default=3),
        activation=hp.Choice("activation", ["relu", "elu", "tanh"], default="relu"),
    )


def recipe(
    layers=3,
    parameters=20000,
    epochs=40,
    batch_size=32,
    learning_rate=0.003,
    schedule="cosine",
    warmup=0.05,
    activation="relu",
):
    """A multilayer perceptron of equal layers, as wide as the number of parameters allows.

    Args:
        layers: number of hidden layers.
        parameters: weights and biases in all; the width is the one that comes nearest.
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Adam's rate at its highest.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        activation: sigmoid, tanh, relu, leaky_relu, prelu, elu or softplus.
    """
    hidden = (width(layers, parameters),) * layers
    model = zoo.build("mlp", input_shape=(8, 8, 1), hidden=hidden, activation=activation)
    model.compile(
        keras.optimizers.Adam(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    rate = Schedule("learning_rate", curve(schedule, learning_rate, warmup))
    data = images("digits", batch_size)
    return zoo.Recipe(model, data, epochs, [rate], objective=("val_accuracy", "max"))


def width(layers, parameters):
    """The width at which so many equal hidden layers have nearest to so many parameters."""
    require(isinstance(layers, int) and layers >= 1, "layers", layers, "a whole number >= 1")
    # (layers - 1) w^2 + linear w + CLASSES = parameters, for the width w.
    linear = PIXELS + layers + CLASSES
    square, rest = layers - 1, parameters - CLASSES
    exact = 2 * rest / (linear + math.sqrt(max(0, linear**2 + 4 * square * rest)))
    found = min(math.floor(exact), math.ceil(exact), key=lambda w: abs(square * w * w + linear * w - rest))
    if found < 1:
        raise ZooError(
            f"{layers} layers of one unit have {square + linear + CLASSES} parameters. Received: "
            f"parameters={parameters!r}. More parameters or fewer layers work"
        )
    return found


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
