"""Linear regression on a table by gradient descent: what batch size and momentum do, where the optimum is known.

zoo train linear_table     # root mean squared error 52.9 ± 1.8 of the test rows (n=3), 1 s on 2 cores

The course book's experiment on airfoil noise (Dive into Deep Learning, "Minibatch Stochastic Gradient Descent" and
after) needs its 1 500 rows as a CSV file: `--data FILE --target COLUMN`. Training loss, mean of 3 seeds:

    --epochs 10 --learning-rate 1 --batch-size 1500                               0.246 ± 0.005
    --epochs 2 --learning-rate 0.005 --batch-size 1                               0.245 ± 0.002
    --epochs 2 --learning-rate 0.05                                               0.245 ± 0.002
    --epochs 2 --learning-rate 0.02 --optimizer momentum --momentum 0.5           0.244 ± 0.003
    --epochs 2 --learning-rate 0.02 --optimizer momentum --momentum 0.9           0.267 ± 0.015
    --epochs 2 --learning-rate 0.005 --optimizer momentum --momentum 0.9          0.246 ± 0.004
    --epochs 2 --learning-rate 0.01 --optimizer adam                              0.245 ± 0.004

The first of these is on its way out: descent on all rows at once diverges at rates above 2 / the largest eigenvalue of
the features' correlations, which is 2.1 there. It begins so near the optimum in that direction that 10 steps do not
show it; after 40 the loss is 3.2 (seed 0).

    zoo compare linear_table --vary batch_size=1,10,100,1500 --seeds 5
"""

import keras

import zoo
from zoo import data as sources
from zoo.optimizers import optimizer as by_name


def search(hp):
    return dict(
        optimizer=hp.Choice("optimizer", ["sgd", "momentum", "nesterov", "adam"], default="sgd"),
        learning_rate=hp.Float("learning_rate", 0.001, 1.0, sampling="log", default=0.05),
        batch_size=hp.Choice("batch_size", [1, 10, 100, 1500], default=10),
    )


def recipe(
    data="diabetes",
    target="target",
    optimizer="sgd",
    momentum: "float | None" = None,
    learning_rate=0.05,
    batch_size=10,
    epochs=10,
    validation=0.1,
):
    """One linear layer on standardised features and target.

    The loss is half the squared error of the standardised target: a model that always says the mean has 0.5. Learning
    rates mean the same on every table. The root mean squared error is in the target's units.

    Args:
        data: path of a CSV file, or diabetes, which comes with scikit-learn.
        target: name of the column to predict; all others are numeric features.
        optimizer: sgd, momentum, nesterov, adagrad, adadelta, rmsprop, adam, or another of zoo.optimizers.
        momentum: of an optimizer that has one; none takes the optimizer's own.
        learning_rate: the optimizer's rate.
        batch_size: rows a step; as many as there are, or more, is gradient descent on the whole.
        epochs: passes over the training rows.
        validation: share of the training rows to validate on; 0 trains on all but the test rows.
    """
    found = sources.table(data, target, batch_size, task="regression", validation=validation)
    normalization, target_units = found.statistics["normalization"], found.statistics["target"]
    model = zoo.build(
        "mlp",
        input_shape=found.train.input_shape,
        num_classes=None,
        hidden=(),
        initializer="gaussian",
        initializer_scale=0.01,
        normalization=normalization,
        target=target_units,
    )
    model.compile(
        by_name(optimizer, learning_rate, **({} if momentum is None else {"momentum": momentum})),
        "mean_squared_error",
        loss_weights=0.5 / target_units[1] ** 2,
        metrics=[keras.metrics.RootMeanSquaredError()],
    )
    objective = ("val_loss" if found.validation else "loss", "min")
    return zoo.Recipe(model, found, epochs, objective=objective, scores=("train", "validation", "test"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
