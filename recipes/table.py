"""A multilayer perceptron or a linear model on a table of your own: a CSV file with a header and a target column.

    zoo train table --data measurements.csv --target price

not measured: needs a table of the user's.
"""

import keras

import zoo
from callbacks import EarlyStopping
from zoo import data as sources


def search(hp):
    width, layers = hp.Int("width", 16, 256, step=16, default=64), hp.Int("layers", 1, 3, default=2)
    # Each layer is as wide as the one before, or half as wide.
    taper = hp.Choice("taper", [1, 2], default=2)
    return dict(
        batch_size=hp.Choice("batch_size", [16, 32, 64, 128], default=32),
        learning_rate=hp.Float("learning_rate", 0.0001, 0.01, sampling="log", default=0.003),
        hidden=tuple(width // taper**k for k in range(layers)),
        activation=hp.Choice("activation", ["relu", "elu", "tanh"], default="relu"),
        dropout=hp.Float("dropout", 0.0, 0.5, default=0.0),
        weight_decay=hp.Choice("weight_decay", [0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3], default=0.0),
    )


def recipe(
    data="wine",
    target="target",
    task: "str | None" = None,
    epochs=100,
    batch_size=32,
    learning_rate=0.003,
    hidden=(64, 32),
    activation="relu",
    dropout=0.0,
    weight_decay=0.0,
    patience=15,
):
    """Classification of names or whole numbers, regression of other numbers; features are standardised in the model.

    Args:
        data: path of a CSV file, or wine, breast_cancer or diabetes, which come with scikit-learn.
        target: name of the column to predict; all others are numeric features.
        task: classification or regression; none decides by the target's values.
        epochs: passes over the training rows at most.
        batch_size: rows a step.
        learning_rate: Adam's rate.
        hidden: widths of the hidden layers; an empty list is a linear model.
        activation: sigmoid, tanh, relu, leaky_relu, prelu, elu or softplus.
        dropout: share of the hidden units that is dropped.
        weight_decay: share of the weights that is taken off at each step, times the rate: above 0, Adam is AdamW.
        patience: epochs without a better validation loss before training stops; the best weights are kept.
    """
    found = sources.table(data, target, batch_size, task=task)
    model = zoo.build(
        "mlp",
        input_shape=found.train.input_shape,
        num_classes=len(found.labels) if found.labels else None,
        hidden=hidden,
        activation=activation,
        dropout=dropout,
        normalization=found.statistics["normalization"],
        target=found.statistics.get("target"),
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if found.labels else "mean_squared_error"
    metrics = ["accuracy"] if found.labels else ["mean_absolute_error"]
    model.compile(keras.optimizers.Adam(learning_rate, weight_decay=weight_decay or None), loss, metrics=metrics)
    stop = EarlyStopping("val_loss", patience=patience)
    return zoo.Recipe(model, found, epochs, [stop], objective=("val_loss", "min"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
