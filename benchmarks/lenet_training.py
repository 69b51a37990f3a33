"""Training speed of LeNet: `zoo.train` against plain `model.fit` and against PyTorch, all in memory, on a CPU.

python benchmarks/lenet_training.py --csv lenet_training.csv

Every contender trains the same network with Adam on 54 000 random images of 28 x 28, in a process of its own; they take
turns. Rates are those of whole epochs without the first, in which everything is compiled.
"""

import argparse
import itertools
import os
import sys
import tempfile
from pathlib import Path

import rounds

HERE = Path(__file__).parent
NETWORKS = {"relu-max": ("relu", "max"), "sigmoid-average": ("sigmoid", "average")}
KERAS = ("zoo", "zoo bfloat16", "model.fit")
TORCH = ("torch eager", "torch compile", "torch bfloat16")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, nargs="+", default=[256, 64], help="images a step")
    parser.add_argument("--network", nargs="+", choices=NETWORKS, default=["relu-max"], help="activation and pooling")
    parser.add_argument("--contender", nargs="+", choices=KERAS + TORCH, default=KERAS + TORCH, help="who takes part")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each turn is measured")
    parser.add_argument("--torch-python", default=sys.executable, help="a Python that has PyTorch, if not this one")
    parser.add_argument("--csv", help="file to write the table to")
    parser.add_argument("--turn", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.turn:
        turn(arguments.contender[0], arguments.batch[0], *NETWORKS[arguments.network[0]], arguments.seconds)
        return
    rows = []
    for network, batch in itertools.product(arguments.network, arguments.batch):
        print(f"\n{network}, batch {batch}")
        turns = {
            name: rounds.process(command(name, batch, network, arguments.seconds, arguments.torch_python))
            for name in arguments.contender
        }
        found = rounds.take_turns(turns, arguments.rounds)
        rows += rounds.table(found, "zoo", network=network, batch=batch)
    rounds.show(rows, arguments.csv)


def command(contender, batch, network, seconds, torch_python):
    """The command line of one turn."""
    if contender in TORCH:
        return [
            *(torch_python, str(HERE / "lenet_torch.py"), "train", contender.removeprefix("torch ")),
            *(str(batch), *NETWORKS[network], str(seconds)),
        ]
    return [
        *(sys.executable, str(HERE / "lenet_training.py"), "--turn", "--contender", contender),
        *("--batch", str(batch), "--network", network, "--seconds", str(seconds)),
    ]


def turn(contender, batch, activation, pooling, seconds):
    """One turn of a Keras contender, in this process."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from clock import Clock

    if contender == "model.fit":
        train_plain(batch, activation, pooling, seconds)
    else:
        train_zoo(batch, activation, pooling, seconds, "mixed_bfloat16" if "bfloat16" in contender else "float32")
    rounds.report(Clock.latest.rates, Clock.latest.meter, ["tensorflow", "keras"])


def train_zoo(batch, activation, pooling, seconds, precision):
    """What `zoo train` does: stream, schedule, history, TensorBoard, checkpoints."""
    import zoo

    with tempfile.TemporaryDirectory() as folder:
        zoo.train(
            str(HERE / "random_lenet.py"),
            folder=Path(folder) / "run",
            export=False,
            verbose=0,
            precision=precision,
            batch_size=batch,
            activation=activation,
            pooling=pooling,
            seconds=seconds,
        )


def train_plain(batch, activation, pooling, seconds):
    """What a tutorial does: float32 arrays in 0..1, and the defaults of `compile` and `fit`."""
    import keras
    from clock import Clock
    from keras import layers
    from random_lenet import images

    x, y = images()
    x = x.astype("float32") / 255
    pool = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D}[pooling]
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation=activation),
            pool(),
            layers.Conv2D(16, 5, activation=activation),
            pool(),
            layers.Flatten(),
            layers.Dense(120, activation=activation),
            layers.Dense(84, activation=activation),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    model.fit(x, y, batch_size=batch, epochs=1000, verbose=0, callbacks=[Clock(len(x), seconds)])


if __name__ == "__main__":
    main()
