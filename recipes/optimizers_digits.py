r"""One small network on scikit-learn's handwritten digits under each optimizer and each schedule.

zoo train optimizers_digits     # 97.78 % ± 1.00 of the test images (n=3), 2 s on 2 cores

    zoo compare optimizers_digits --seeds 5 --vary \
        optimizer=sgd,momentum,nesterov,adagrad,adadelta,rmsprop,rmsprop_nesterov,adam,amsgrad,adamax,nadam,adamw,lion,muon
    zoo compare optimizers_digits --seeds 5 --vary \
        schedule=constant,step,linear,polynomial,inverse_time,exponential,natural_exponential,cosine
    zoo compare optimizers_digits --seeds 5 --vary \
        schedule=constant,cosine_restarts,warmup,warmup_cosine,triangular,triangular2,exp_range,one_cycle
"""

import keras

import zoo
from callbacks import Schedule
from callbacks.presets import PRESETS, curve
from zoo.data import images
from zoo.errors import choose
from zoo.optimizers import optimizer as by_name

# For this network and 15 epochs at a constant rate: of 3 to 8 rates for each optimizer, about a factor of 2 apart, the
# one with the highest mean validation accuracy over 5 seeds, and of equals the one with the lowest validation loss.
RATES = {
    "sgd": 0.3,
    "momentum": 0.03,
    "nesterov": 0.1,
    "adagrad": 0.2,
    "adadelta": 10.0,
    "rmsprop": 0.003,
    "rmsprop_nesterov": 0.0003,
    "adam": 0.005,
    "amsgrad": 0.005,
    "adamax": 0.03,
    "nadam": 0.003,
    "adamw": 0.005,
    "lion": 0.0005,
    "muon": 0.005,
}


def search(hp):
    optimizer = hp.Choice("optimizer", list(RATES), default="sgd")
    # Its rate, as a multiple of the one that suits it here.
    factor = hp.Float("factor", 0.1, 10.0, sampling="log", default=1.0)
    width, layers = hp.Int("width", 32, 256, step=32, default=64), hp.Int("layers", 1, 3, default=2)
    # Each layer is as wide as the one before, or half as wide.
    taper = hp.Choice("taper", [1, 2], default=2)
    return dict(
        optimizer=optimizer,
        schedule=hp.Choice("schedule", list(PRESETS), default="constant"),
        learning_rate=factor * RATES[optimizer],
        batch_size=hp.Choice("batch_size", [16, 32, 64], default=32),
        hidden=tuple(width // taper**k for k in range(layers)),
    )


def recipe(
    optimizer="sgd",
    schedule="constant",
    learning_rate: "float | None" = None,
    epochs=15,
    batch_size=32,
    hidden=(64, 32),
):
    """A multilayer perceptron; everything but the optimizer and its rate stays as it is.

    Args:
        optimizer: sgd, momentum, nesterov, adagrad, adadelta, rmsprop, rmsprop_nesterov, adam, amsgrad, adamax, nadam,
            adamw, lion or muon, or one of these behind lookahead_.
        schedule: constant, step, linear, polynomial, inverse_time, exponential, natural_exponential, cosine,
            cosine_restarts, warmup, warmup_cosine, triangular, triangular2, exp_range or one_cycle.
        learning_rate: the schedule's highest rate; none takes the one that suits the optimizer here.
        epochs: passes over the training images.
        batch_size: images a step.
        hidden: widths of the hidden layers.
    """
    choose("schedule", schedule, PRESETS)
    rate = RATES.get(optimizer.removeprefix("lookahead_")) if learning_rate is None else learning_rate
    model = zoo.build("mlp", input_shape=(8, 8, 1), hidden=hidden)
    model.compile(
        by_name(optimizer, rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    callbacks = [Schedule("learning_rate", curve(schedule, rate))]
    return zoo.Recipe(model, images("digits", batch_size), epochs, callbacks, objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
