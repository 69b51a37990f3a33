r"""One small network on scikit-learn's diabetes table, a regression, under each optimizer and each schedule.

zoo train optimizers_diabetes     # root mean squared error 54.5 ± 1.2 of the test rows (n=3), 2 s on 2 cores

    zoo compare optimizers_diabetes --seeds 5 --vary \
        optimizer=sgd,momentum,nesterov,adagrad,adadelta,rmsprop,rmsprop_nesterov,adam,amsgrad,adamax,nadam,adamw,lion,muon
    zoo compare optimizers_diabetes --seeds 5 --vary \
        schedule=constant,step,linear,polynomial,inverse_time,exponential,natural_exponential,cosine
    zoo compare optimizers_diabetes --seeds 5 --vary \
        schedule=constant,cosine_restarts,warmup,warmup_cosine,triangular,triangular2,exp_range,one_cycle
"""

import keras

import zoo
from callbacks import Schedule
from callbacks.presets import PRESETS, curve
from zoo.data import table
from zoo.errors import choose
from zoo.optimizers import optimizer as by_name

# For this network and 20 epochs at a constant rate: of 3 to 8 rates for each optimizer, about a factor of 2 apart, the
# one with the lowest mean error on the validation part over 5 seeds.
RATES = {
    "sgd": 0.1,
    "momentum": 0.02,
    "nesterov": 0.02,
    "adagrad": 0.1,
    "adadelta": 8.0,
    "rmsprop": 0.005,
    "rmsprop_nesterov": 0.001,
    "adam": 0.02,
    "amsgrad": 0.02,
    "adamax": 0.05,
    "nadam": 0.01,
    "adamw": 0.02,
    "lion": 0.003,
    "muon": 0.01,
}


def search(hp):
    optimizer = hp.Choice("optimizer", list(RATES), default="sgd")
    # Its rate, as a multiple of the one that suits it here.
    factor = hp.Float("factor", 0.1, 10.0, sampling="log", default=1.0)
    width, layers = hp.Int("width", 8, 64, step=8, default=16), hp.Int("layers", 1, 2, default=1)
    return dict(
        optimizer=optimizer,
        schedule=hp.Choice("schedule", list(PRESETS), default="constant"),
        learning_rate=factor * RATES[optimizer],
        batch_size=hp.Choice("batch_size", [16, 32, 64], default=32),
        hidden=(width,) * layers,
    )


def recipe(
    optimizer="sgd", schedule="constant", learning_rate: "float | None" = None, epochs=20, batch_size=32, hidden=(16,)
):
    """A multilayer perceptron; everything but the optimizer and its rate stays as it is.

    The loss is half the squared error of the standardised target: a model that always says the mean has 0.5, and
    learning rates are of the usual size. The root mean squared error is in the target's units.

    Args:
        optimizer: sgd, momentum, nesterov, adagrad, adadelta, rmsprop, rmsprop_nesterov, adam, amsgrad, adamax, nadam,
            adamw, lion or muon, or one of these behind lookahead_.
        schedule: constant, step, linear, polynomial, inverse_time, exponential, natural_exponential, cosine,
            cosine_restarts, warmup, warmup_cosine, triangular, triangular2, exp_range or one_cycle.
        learning_rate: the schedule's highest rate; none takes the one that suits the optimizer here.
        epochs: passes over the training rows.
        batch_size: rows a step.
        hidden: widths of the hidden layers.
    """
    choose("schedule", schedule, PRESETS)
    rate = RATES.get(optimizer.removeprefix("lookahead_")) if learning_rate is None else learning_rate
    data = table("diabetes", batch_size=batch_size)
    normalization, target = data.statistics["normalization"], data.statistics["target"]
    model = zoo.build(
        "mlp", num_classes=None, input_shape=(10,), hidden=hidden, normalization=normalization, target=target
    )
    model.compile(
        by_name(optimizer, rate),
        "mean_squared_error",
        loss_weights=0.5 / target[1] ** 2,
        metrics=[keras.metrics.RootMeanSquaredError()],
    )
    callbacks = [Schedule("learning_rate", curve(schedule, rate))]
    return zoo.Recipe(model, data, epochs, callbacks, objective=("val_root_mean_squared_error", "min"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
