"""Numbers in English words to digits, or back, with additive attention (Bahdanau, Cho, Bengio 2015).

zoo train seq2seq_numbers                         # all of 1 000 numbers never seen, ± 0 (n=3), 1 min on 2 cores
zoo train seq2seq_numbers --no-attention          # 90.2 % (n=1)
zoo train seq2seq_numbers --swap                  # 67.5 % (n=1), 2 min: from digits to words
zoo train seq2seq_numbers --swap --no-attention   # 0.2 % (n=1)

Seeds from 0 on, in 8 epochs. Attention counts for more, the longer what is written is: up to 6 digits, up to 72
letters.
"""

import keras

import zoo
from callbacks import Schedule
from zoo.curves import curve
from zoo.data import text_pairs
from zoo.transduction_scores import SymbolAccuracy, exact_match


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [32, 64, 128], default=64),
        learning_rate=hp.Float("learning_rate", 0.001, 0.02, sampling="log", default=0.005),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.3, default=0.1),
        clip=hp.Float("clip", 0.1, 10.0, sampling="log", default=1.0),
        cell=hp.Choice("cell", ["gru", "lstm"], default="gru"),
        bidirectional=hp.Boolean("bidirectional", default=True),
        units=hp.Choice("units", [32, 64, 128], default=64),
        layers=hp.Int("layers", 1, 2, default=1),
        embedding=hp.Choice("embedding", [16, 32, 64], default=32),
        dropout=hp.Float("dropout", 0.0, 0.4, default=0.0),
    )


def recipe(
    epochs=8,
    batch_size=64,
    learning_rate=0.005,
    schedule="cosine",
    warmup=0.1,
    clip=1.0,
    swap=False,
    attention=True,
    bidirectional=True,
    cell="gru",
    units=64,
    layers=1,
    embedding=32,
    dropout=0.0,
    examples=8000,
):
    """Numbers below a million, of any number of digits alike as far as there are enough of them.

    Args:
        epochs: passes over the training pairs.
        batch_size: pairs a step.
        learning_rate: Adam's rate at its highest.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        clip: the norm that each variable's gradient is cut back to.
        swap: whether digits are given and words are written.
        attention: whether the decoder looks at what was read; without, it knows the encoder's last state alone.
        bidirectional: whether the encoder reads from both ends.
        cell: "gru", "lstm" or "simple_rnn".
        units: of each recurrent layer, and of the attention.
        layers: recurrent layers of the encoder and of the decoder.
        embedding: numbers for each character.
        dropout: the part that is dropped before each layer.
        examples: numbers to train and to validate on.
    """
    data = text_pairs("numbers", batch_size, swap=swap, examples=examples)
    model = zoo.build(
        "seq2seq",
        **data.statistics,
        units=units,
        cell=cell,
        layers=layers,
        embedding=embedding,
        attention=attention,
        bidirectional=bidirectional,
        dropout=dropout,
    )
    model.compile(
        keras.optimizers.Adam(learning_rate, clipnorm=clip),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0),
        metrics=[SymbolAccuracy()],
    )
    rate = Schedule("learning_rate", curve(schedule, learning_rate, warmup))
    return zoo.Recipe(model, data, epochs, [rate], measures=[exact_match])


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
