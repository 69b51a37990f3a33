r"""A plain recurrent network that learns to write like any text of yours: the twin of `lstm_text`.

    zoo train simple_rnn_text --data any.txt

not measured: needs a text of the user's; `simple_rnn_pydoc` is measured. A course book learns 10 000 Chinese
characters by heart:

    zoo train simple_rnn_text --data chinese.txt --characters 10000 --epochs 250 --length 35 --dropout 0 --clip 0.01 \
        --no-shifted --validation-share 0 --test-share 0 --precision float32

On the Chinese messages of GNU coreutils 9.1 (Chinese characters and their punctuation alone, 595 different ones) that
ends at a perplexity of 1.015 on the training text (n=1), in 125 s; the book, on another text, at 1.02. On the first 10
000 characters of the embedded English text (no `--data`) it ends at 1.18, in 40 s. Slices that begin elsewhere in each
epoch (the default) are harder to learn by heart: 1.12 and 1.30.
"""

import keras

import zoo
from callbacks import EarlyStopping
from zoo.data import text
from zoo.language_scores import Perplexity, carried_over
from zoo.optimizers import optimizer as by_name


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [16, 32, 64], default=32),
        length=hp.Choice("length", [32, 64, 128], default=64),
        learning_rate=hp.Float("learning_rate", 0.0002, 0.01, sampling="log", default=0.001),
        clip=hp.Float("clip", 0.1, 10.0, sampling="log", default=1.0),
        units=hp.Int("units", 128, 512, step=128, default=256),
        layers=hp.Int("layers", 1, 3, default=1),
        dropout=hp.Float("dropout", 0.0, 0.6, default=0.2),
        recurrent_dropout=hp.Float("recurrent_dropout", 0.0, 0.5, default=0.0),
    )


def recipe(
    epochs=30,
    data="pydoc",
    characters=None,
    level="character",
    words=None,
    order="consecutive",
    batch_size=32,
    length=64,
    units=256,
    layers=1,
    embedding=None,
    dropout=0.2,
    recurrent_dropout=0.0,
    optimizer="adam",
    learning_rate=0.001,
    clip=1.0,
    validation_share=0.1,
    test_share=0.1,
    patience=5,
    shifted=True,
):
    """Early stopping by the validation text; without one, as when a short text is learned by heart, all epochs.

    Args:
        epochs: passes over the training text, at most.
        data: a text file or a folder of .txt files in UTF-8; or pydoc, Python's own language reference.
        characters: only the first so many of the text; all by default.
        level: character or word.
        words: for level word, the most frequent that the vocabulary has; all by default.
        order: consecutive, with states that are carried from slice to slice, or random, with states that start from
            zeros.
        batch_size: stretches, or slices, of the text that are read side by side.
        length: symbols of a slice, through which the gradient goes back.
        units: width of each layer.
        layers: recurrent layers.
        embedding: numbers that a symbol is turned into; one-hot by default.
        dropout: part of each layer's outputs that is dropped in training.
        recurrent_dropout: part of the state that is dropped before it is multiplied with, the same for all of a slice.
        optimizer: a name of `zoo.optimizers`.
        learning_rate: its rate.
        clip: the norm that the whole gradient is cut back to.
        validation_share: share of the text that training is watched on, 0 for none.
        test_share: share of the text at its end that is looked at once, 0 for none.
        patience: epochs without a better validation loss after which training stops.
        shifted: whether the slices begin elsewhere in each epoch; without, a text is learned by heart sooner.
    """
    carry = batch_size if order == "consecutive" else 0
    parts = dict(validation=validation_share, test=test_share)
    data = text(data, length, batch_size, order, level, words, characters, **parts, shifted=shifted)
    vocabulary = data.statistics["vocabulary"]
    size = dict(units=units, layers=layers, embedding=embedding, dropout=dropout, recurrent_dropout=recurrent_dropout)
    model = zoo.build("simple_rnn", vocabulary=vocabulary, carry=carry, **size)
    model.compile(
        by_name(optimizer, learning_rate, global_clipnorm=clip),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy", Perplexity()],
    )
    scored = dict(scores=("train", "validation", "test"), measures=[carried_over])
    if data.validation is None:
        return zoo.Recipe(model, data, epochs, objective=("loss", "min"), **scored)
    return zoo.Recipe(model, data, epochs, [EarlyStopping("val_loss", patience=patience)], **scored)


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
