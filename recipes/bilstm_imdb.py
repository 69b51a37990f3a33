"""A bidirectional LSTM that tells good film reviews from bad ones (Maas et al. 2011; Schuster and Paliwal 1997).

zoo train bilstm_imdb     # not measured: needs a download of 80 MB

Reviews of one's own are read from a folder with a folder of text files for each class: `--data ./letters`.
"""

import keras

import zoo
from callbacks import EarlyStopping, Schedule
from zoo.curves import curve
from zoo.data import reviews


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [32, 64, 128], default=64),
        learning_rate=hp.Float("learning_rate", 0.0003, 0.01, sampling="log", default=0.002),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        clip=hp.Float("clip", 0.1, 10.0, sampling="log", default=1.0),
        length=hp.Choice("length", [200, 400, 800], default=400),
        words=hp.Choice("words", [5000, 10000, 20000], default=10000),
        embedding=hp.Choice("embedding", [32, 64, 128], default=64),
        units=hp.Int("units", 32, 128, step=32, default=64),
        layers=hp.Int("layers", 1, 2, default=1),
        dropout=hp.Float("dropout", 0.0, 0.6, default=0.5),
    )


def recipe(
    data="imdb_reviews",
    epochs=10,
    batch_size=64,
    learning_rate=0.002,
    schedule="cosine",
    warmup=0.05,
    clip=1.0,
    length=400,
    level="word",
    words=10000,
    embedding=64,
    units=64,
    layers=1,
    dropout=0.5,
    patience=3,
):
    """Words, an embedding of each, an LSTM forth and one back; the class is told from both their last states.

    Args:
        data: imdb_reviews, another set of TensorFlow Datasets with a text and a class, or a folder of class folders.
        epochs: passes over the training texts at most.
        batch_size: texts a step.
        learning_rate: Adam's rate at its highest.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        clip: the norm that each variable's gradient is cut back to.
        length: symbols that are read of each text, from its beginning; blanks count, so that 400 are about 200 words.
        level: word or character.
        words: how many of the most frequent words are known.
        embedding: numbers that stand for a word.
        units: width of the state, in each direction.
        layers: recurrent layers on top of each other.
        dropout: share of each layer's output that is dropped.
        patience: epochs without a better validation loss before training stops; the best weights are kept.
    """
    found = reviews(data, length, batch_size, level, words)
    model = zoo.build(
        "lstm",
        vocabulary=found.statistics["vocabulary"],
        num_classes=len(found.labels),
        embedding=embedding,
        units=units,
        layers=layers,
        bidirectional=True,
        dropout=dropout,
    )
    model.compile(
        keras.optimizers.Adam(learning_rate, clipnorm=clip),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    rate = Schedule("learning_rate", curve(schedule, learning_rate, warmup))
    stop = EarlyStopping("val_loss", patience=patience)
    return zoo.Recipe(model, found, epochs, [rate, stop], objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
