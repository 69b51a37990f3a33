"""Characters a second in writing: `zoo.write` against `model.predict` in a loop and against PyTorch, on a CPU.

python benchmarks/writing.py --csv writing.csv

One prompt, LSTMs of 98 characters. Each contender writes in a process of its own; they take turns.
"""

import argparse
import os
import sys
from pathlib import Path

import rounds

HERE = Path(__file__).parent
CONTENDERS = ("zoo", "zoo savedmodel", "predict whole text", "predict window", "torch")
# Layers x units.
SIZES = ("1x256", "1x512", "2x512")
# What stands before the text that is measured, and what a window holds.
BEFORE, WINDOW = 400, 100
PIECE = 640


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", nargs="+", choices=SIZES, default=SIZES, help="layers x units")
    parser.add_argument("--contender", nargs="+", choices=CONTENDERS, default=CONTENDERS, help="who takes part")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each turn is measured")
    parser.add_argument("--torch-python", default=sys.executable, help="a Python that has PyTorch, if not this one")
    parser.add_argument("--csv", help="file to write the table to")
    parser.add_argument("--turn", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.turn:
        turn(arguments.contender[0], *map(int, arguments.size[0].split("x")), arguments.seconds)
        return
    rows = []
    for size in arguments.size:
        print(f"\n{size}")
        turns = {
            name: rounds.process(command(name, size, arguments.seconds, arguments.torch_python))
            for name in arguments.contender
        }
        rows += rounds.table(rounds.take_turns(turns, arguments.rounds), "zoo", size=size)
    rounds.show(rows, arguments.csv, "Characters")


def command(contender, size, seconds, torch_python):
    """The command line of one turn."""
    if contender == "torch":
        return [torch_python, str(HERE / "writing_torch.py"), *size.split("x"), "98", str(seconds)]
    return [
        *(sys.executable, str(HERE / "writing.py"), "--turn", "--contender", contender),
        *("--size", size, "--seconds", str(seconds)),
    ]


def turn(contender, layers, units, seconds):
    """One turn of a contender on TensorFlow, in this process."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import zoo

    model = zoo.build("lstm", units=units, layers=layers)
    call, characters = {
        "zoo": written,
        "zoo savedmodel": served,
        "predict whole text": lambda model: predicted(model, None),
        "predict window": lambda model: predicted(model, WINDOW),
    }[contender](model)
    rates, meter = rounds.timed(call, characters, seconds)
    rounds.report(rates, meter, ["tensorflow", "keras"])


def written(model):
    """`zoo.write`, and how many characters a call writes."""
    import zoo

    return lambda: zoo.write(model, "a", length=PIECE), PIECE


def served(model):
    """The exported signature."""
    import tempfile

    import tensorflow as tf

    import zoo

    with tempfile.TemporaryDirectory() as folder:
        serve = tf.saved_model.load(zoo.export(model, Path(folder) / "served").path).signatures["serving_default"]
    numbers = dict(length=tf.constant(PIECE), temperature=tf.constant(1.0), top_k=tf.constant(0), seed=tf.constant(0))
    return lambda: serve(prompt=tf.constant(["a"]), **numbers)["text"].numpy(), PIECE


def predicted(model, window):
    """A call of `predict` a character, on all of the text or on its end, as in tutorials; the text keeps its length."""
    import numpy as np

    random, text = np.random.default_rng(0), np.full((1, window or BEFORE), 97, "int32")

    def call():
        logits = model.predict(text, verbose=0)[0, -1, 2:].astype("float64")
        weights = np.exp(logits - logits.max())
        place = random.choice(len(weights), p=weights / weights.sum())
        text[0] = np.append(text[0, 1:], ord(model.symbols.vocabulary[place]))

    return call, 1


if __name__ == "__main__":
    main()
