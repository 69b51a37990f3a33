"""Training of character LSTMs through `zoo.train`, against Keras' own layer and `torch.nn.LSTM`.

python benchmarks/recurrent.py --csv recurrent.csv

One-hot characters of the same text, the same batch and length, Adam, the gradient's norm cut back to 1.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import rounds
import workers

HERE = Path(__file__).parent
# Layers and units.
SIZES = {"1x256": (1, 256), "1x512": (1, 512), "2x512": (2, 512)}
CONTENDERS = ("zoo", "keras", "torch")
PRECISIONS = ("float32", "bfloat16")
PACKAGES = ["tensorflow", "keras"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", nargs="+", choices=SIZES, default=["1x256", "2x512"], help="layers x units")
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--contender", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--batch", type=int, default=64, help="slices of text a step")
    parser.add_argument("--length", type=int, default=64, help="characters of a slice")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contender")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each turn is measured")
    parser.add_argument("--patience", type=float, default=rounds.PATIENCE, help="seconds to wait for a quiet machine")
    parser.add_argument("--torch-python", default=sys.executable, help="the interpreter that has PyTorch")
    parser.add_argument("--csv", help="file to write the table to")
    arguments = parser.parse_args()
    rows = []
    for size in arguments.size:
        for precision in arguments.precision:
            with tempfile.TemporaryDirectory() as folder:
                found = workers.take_turns(commands(size, precision, arguments, folder), arguments)
            rows += rounds.table(found, "zoo", size=size, precision=precision) if found else []
    if not rows:
        raise SystemExit("no contender got to an answer")
    rounds.show(rows, arguments.csv, "Characters")


def commands(size, precision, arguments, folder):
    """The commands of those who take part, by name."""
    layers, units = SIZES[size]
    numbers = [*map(str, (layers, units, arguments.batch, arguments.length)), precision, folder]
    found = {name: [sys.executable, __file__, name, *numbers] for name in ("zoo", "keras")}
    found["torch"] = [arguments.torch_python, str(HERE / "recurrent_torch.py"), *numbers[:-1]]
    return {name: found[name] for name in arguments.contender}


def search(hp):
    return dict(units=hp.Choice("units", [256, 512]))


def recipe(epochs=1000, layers=1, units=256, batch_size=64, length=64):
    """A language model of Python's own language reference: what the zoo's workers train through `zoo.train`.

    Args:
        epochs: passes over the text, at most.
        layers: recurrent layers.
        units: width of each layer.
        batch_size: slices of text a step.
        length: characters of a slice.
    """
    import keras
    from clock import Steps

    import zoo

    data = zoo.data.text("pydoc", length=length, batch_size=batch_size, validation=0)
    model = zoo.build("lstm", vocabulary=data.statistics["vocabulary"], units=units, layers=layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0), loss, metrics=["accuracy"])
    return zoo.Recipe(model, data, epochs, [Steps()], objective=("loss", "min"))


def work(name, layers, units, batch, length, precision, folder):
    """What a worker on TensorFlow does: it trains, and measures when it is its turn."""
    import keras
    from clock import Steps

    import zoo
    from zoo.models import recurrent

    if name == "keras":
        recurrent.LAYERS["lstm"] = keras.layers.LSTM
    Steps.after = workers.Turns(batch * length, PACKAGES)
    size = dict(layers=layers, units=units, batch_size=batch, length=length)
    policy = {"float32": "float32", "bfloat16": "mixed_bfloat16"}[precision]
    quiet = dict(export=False, pictures=False, verbose=0, precision=policy)
    zoo.train(__file__, folder=Path(folder) / name, **size, **quiet)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in CONTENDERS:
        workers.begin()
        work(sys.argv[1], *map(int, sys.argv[2:6]), *sys.argv[6:8])
    else:
        main()
