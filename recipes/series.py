"""A recurrent network on a CSV file of your own: forecasts of a column, or the answer to each of many sequences.

    zoo train series --data measurements.csv --target temperature --horizon 24
    zoo train series --data movements.csv --target gesture --sequence trial --steps 100

not measured: needs a file of the user's.
"""

import keras

import zoo
from callbacks import EarlyStopping
from zoo import data as sources
from zoo.errors import choose

CELLS = ("simple_rnn", "lstm", "gru")


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [16, 32, 64, 128], default=32),
        learning_rate=hp.Float("learning_rate", 0.0001, 0.01, sampling="log", default=0.003),
        clip=hp.Float("clip", 0.1, 10.0, sampling="log", default=1.0),
        weight_decay=hp.Choice("weight_decay", [0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3], default=0.0),
        cell=hp.Choice("cell", ["simple_rnn", "lstm", "gru"], default="lstm"),
        units=hp.Int("units", 16, 256, step=16, default=64),
        layers=hp.Int("layers", 1, 3, default=1),
        bidirectional=hp.Boolean("bidirectional", default=False),
        dropout=hp.Float("dropout", 0.0, 0.5, default=0.0),
    )


def recipe(
    data="series.csv",
    target="target",
    sequence: "str | None" = None,
    time: "str | None" = None,
    task: "str | None" = None,
    steps=24,
    horizon=1,
    cell="lstm",
    epochs=50,
    batch_size=32,
    learning_rate=0.003,
    clip=1.0,
    weight_decay=0.0,
    units=64,
    layers=1,
    bidirectional=False,
    dropout=0.0,
    patience=10,
):
    """Features and target are standardised in the model: its answers are in the target's units.

    Args:
        data: path of a CSV file whose first line names the columns; rows are in the order of time.
        target: name of the column to predict.
        sequence: name of the column that says which sequence a row belongs to; none makes the file one series.
        time: name of a column to leave out, such as a time stamp.
        task: of sequences, classification or regression; none decides by the target's values.
        steps: rows that the network sees.
        horizon: how many rows ahead the value lies that is forecast.
        cell: simple_rnn, lstm or gru.
        epochs: passes over the training rows at most.
        batch_size: examples a step.
        learning_rate: Adam's rate.
        clip: the norm that each variable's gradient is cut back to.
        weight_decay: share of the weights that is taken off at each step, times the rate: above 0, Adam is AdamW.
        units: width of the state.
        layers: recurrent layers on top of each other.
        bidirectional: whether the rows are read from the end, too.
        dropout: share of each layer's output that is dropped.
        patience: epochs without a better validation loss before training stops; the best weights are kept.
    """
    choose("cell", cell, CELLS)
    found = sources.series(data, target, steps, batch_size, horizon=horizon, sequence=sequence, time=time, task=task)
    model = zoo.build(
        cell,
        input_shape=found.train.input_shape,
        num_classes=len(found.labels) if found.labels else 1,
        units=units,
        layers=layers,
        bidirectional=bidirectional,
        dropout=dropout,
        normalization=found.statistics["normalization"],
        target=found.statistics.get("target"),
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if found.labels else "mean_squared_error"
    metrics = ["accuracy"] if found.labels else ["mean_absolute_error"]
    model.compile(
        keras.optimizers.Adam(learning_rate, clipnorm=clip, weight_decay=weight_decay or None), loss, metrics=metrics
    )
    stop = EarlyStopping("val_loss", patience=patience)
    return zoo.Recipe(model, found, epochs, [stop], objective=("val_loss", "min"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
