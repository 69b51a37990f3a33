"""What gates cost: training time of LSTM and GRU against the plain recurrent network, as language models of characters.

python benchmarks/cells.py --csv cells.csv

All three have the same units, batch and length, each in a process of its own that stays, and they take turns.
"""

import argparse
import csv
import os
import statistics
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import rounds
import workers

CELLS = ("simple_rnn", "lstm", "gru")
# Whom the others are compared with.
PLAIN = CELLS[0]
PACKAGES = ["tensorflow", "keras"]
# Weights that a layer's state is multiplied with, over the square of its units: the ratio of the arithmetic alone.
PRODUCTS = {"simple_rnn": 1, "gru": 3, "lstm": 4}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cell", nargs="+", choices=CELLS, default=list(CELLS), help="which cells")
    parser.add_argument("--units", type=int, default=256, help="width of each layer")
    parser.add_argument("--layers", type=int, default=1, help="recurrent layers")
    parser.add_argument("--batch", type=int, default=64, help="slices of text a step")
    parser.add_argument("--length", type=int, default=64, help="characters of a slice")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contender")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each turn is measured")
    parser.add_argument("--patience", type=float, default=rounds.PATIENCE, help="seconds to wait for a quiet machine")
    parser.add_argument("--csv", help="file to write the table to")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = workers.take_turns(commands(arguments, folder), arguments)
    if not found:
        raise SystemExit("no contender got to an answer")
    rows = table(found, arguments)
    show(rows)
    if arguments.csv:
        with open(arguments.csv, "w", newline="") as target:
            writer = csv.DictWriter(target, rows[0])
            writer.writeheader()
            writer.writerows(rows)


def commands(arguments, folder):
    """The commands of the workers, by cell."""
    size = (arguments.units, arguments.layers, arguments.batch, arguments.length)
    return {cell: [sys.executable, __file__, cell, *map(str, size), folder] for cell in arguments.cell}


def table(found, arguments):
    """A row for each cell: characters a second, time of a step, and that time over the plain network's."""
    rate = {cell: statistics.median(result["median"] for result in results) for cell, results in found.items()}
    return [
        {
            "cell": cell,
            "units": arguments.units,
            "layers": arguments.layers,
            "batch": arguments.batch,
            "length": arguments.length,
            "characters a second": round(rate[cell]),
            "best round": round(max(result["best"] for result in results)),
            "ms a step": round(1000 * arguments.batch * arguments.length / rate[cell], 1),
            f"times {PLAIN}": round(rate[PLAIN] / rate[cell], 2) if PLAIN in rate else "",
            "weights / units^2": PRODUCTS[cell],
            "rounds": len(results),
            "disturbed rounds": sum((result["others"] or 0) > rounds.SPARE for result in results),
            "machine": rounds.machine(),
            "versions": " ".join(f"{key} {value}" for key, value in results[0]["versions"].items()),
        }
        for cell, results in found.items()
    ]


def show(rows):
    """Prints the rows as a Markdown table."""
    hidden = {"machine", "versions", "units", "layers", "batch", "length"}
    columns = [column for column in rows[0] if column not in hidden]
    first = rows[0]
    print(f"\n{first['layers']} x {first['units']} units, batch {first['batch']}, length {first['length']}\n")
    print("\n".join(["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]))
    for row in rows:
        print("| " + " | ".join(f"{row[column]}" for column in columns) + " |")
    print(f"\nMedians over {first['rounds']} rounds. {first['machine']}. {first['versions']}.")
    if any(row["disturbed rounds"] for row in rows):
        print("Other processes disturbed some rounds: no evidence.")


def search(hp):
    return dict(cell=hp.Choice("cell", list(CELLS)))


def recipe(epochs=1000, cell="lstm", units=256, layers=1, batch_size=64, length=64):
    """A language model of Python's own language reference: what the workers train through `zoo.train`.

    Args:
        epochs: passes over the text, at most.
        cell: simple_rnn, lstm or gru.
        units: width of each layer.
        layers: recurrent layers.
        batch_size: slices of text a step.
        length: characters of a slice.
    """
    import keras
    from clock import Steps

    import zoo

    data = zoo.data.text("pydoc", length=length, batch_size=batch_size, validation=0)
    model = zoo.build(cell, vocabulary=data.statistics["vocabulary"], units=units, layers=layers)
    model.compile(
        keras.optimizers.Adam(1e-3, global_clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return zoo.Recipe(model, data, epochs, [Steps()], objective=("loss", "min"))


def work(cell, units, layers, batch, length, folder):
    """What a worker does: it trains, and measures when it is its turn."""
    from clock import Steps

    import zoo

    Steps.after = workers.Turns(batch * length, PACKAGES)
    size = dict(units=units, layers=layers, batch_size=batch, length=length)
    quiet = dict(export=False, pictures=False, verbose=0, precision="float32")
    zoo.train(__file__, folder=Path(folder) / cell, cell=cell, **size, **quiet)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in CELLS:
        workers.begin()
        work(sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6])
    else:
        main()
