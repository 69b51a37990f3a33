"""Speed of convolutional networks on a CPU: the zoo against PyTorch, in training and in inference.

python benchmarks/convnets.py --csv convnets.csv

Every contender has the same network with the same weights, in a process of its own that stays, and they take turns.
With --profile, where a training step spends its time, by kind of operation, instead.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import rounds
import workers

HERE = Path(__file__).parent
# Pixels (height, width, channels), number of training images, classes: those of CIFAR-10 and of ImageNet, of whose
# images there are some only, for memory's sake.
IMAGES = {
    "resnet20": ((32, 32, 3), 45_000, 10),
    "vgg11_small": ((32, 32, 3), 45_000, 10),
    "googlenet_small": ((32, 32, 3), 45_000, 10),
    "resnet50": ((224, 224, 3), 1024, 1000),
}
TRAINING = {"resnet20": 128, "vgg11_small": 128, "googlenet_small": 64, "resnet50": 16}
INFERENCE = {"resnet20": (128,), "vgg11_small": (128,), "googlenet_small": (64,), "resnet50": (1, 16)}
TORCH = {
    "torch eager": "eager",
    "torch channels_last": "channels_last",
    "torch compile": "compile",
    "torch bfloat16": "bfloat16",
    "torch bfloat16 compile": "bfloat16 compile",
}
ZOO = {
    "train": {"zoo": "float32", "zoo bfloat16": "bfloat16"},
    "infer": {"zoo": "litert", "zoo savedmodel": "savedmodel", "zoo savedmodel bfloat16": "savedmodel bfloat16"},
}
WHAT = {"train": "training", "infer": "inference"}


def main():
    names = dict.fromkeys([*ZOO["train"], *ZOO["infer"], *TORCH])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", nargs="+", choices=IMAGES, default=list(IMAGES), help="which networks")
    parser.add_argument("--what", nargs="+", choices=WHAT, default=list(WHAT), help="training, inference")
    parser.add_argument("--contender", nargs="+", choices=names, default=list(names), help="who takes part")
    parser.add_argument("--batch", type=int, nargs="+", help="images a step or call, instead of the network's own")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each turn is measured")
    parser.add_argument("--patience", type=float, default=rounds.PATIENCE, help="seconds to wait for a quiet machine")
    parser.add_argument("--torch-python", default=sys.executable, help="a Python that has PyTorch, if not this one")
    parser.add_argument("--profile", action="store_true", help="kinds of operations in training, instead of speed")
    parser.add_argument("--csv", help="file to write the table to")
    parser.add_argument("--json", help="file to write the table to, with every round")
    arguments = parser.parse_args()
    rows, single = [], []
    for network in arguments.network:
        with tempfile.TemporaryDirectory() as folder:
            run(convnets_zoo("reference", network, "", 0, folder))
            if arguments.profile:
                profile(arguments, network, folder)
                continue
            for what in arguments.what:
                own = [TRAINING[network]] if what == "train" else INFERENCE[network]
                for batch in arguments.batch or own:
                    found = measured(arguments, what, network, batch, folder)
                    reference = {name: base(name, what) for name in found}
                    fixed = {"what": WHAT[what], "network": network, "batch": batch}
                    rows += rounds.table(found, reference, **fixed)
                    single += [{**fixed, "contender": name, "rounds": each} for name, each in found.items()]
    if rows:
        rounds.show(rows, arguments.csv)
        print("\n".join(["", *markdown(rows)]))
        print("Images a second; in brackets, how many times as fast the zoo is in the same precision.")
        if any(row["disturbed rounds"] for row in rows):
            print("* disturbed by other processes in one round at least: no evidence")
    if rows and arguments.json:
        Path(arguments.json).write_text(json.dumps({"table": rows, "rounds": single}, indent=2) + "\n")


def measured(arguments, what, network, batch, folder):
    """The results of all contenders, as `rounds.take_turns` returns them.

    Those that are compared with each other take turns; not all at once, for each holds its memory meanwhile.
    """
    commands = contenders(arguments, what, what, network, batch, folder)
    found = {}
    for reference in dict.fromkeys(base(name, what) for name in commands):
        print(f"\n{WHAT[what]}, {network}, batch {batch}, compared with {reference}", flush=True)
        group = {name: command for name, command in commands.items() if base(name, what) == reference}
        found |= workers.take_turns(group, arguments)
    return found


def contenders(arguments, what, job, network, batch, folder):
    """The commands of those who take part, by name."""
    wanted = {**ZOO[what], **TORCH}
    return {
        name: convnets_zoo(job, network, form, batch, folder)
        if name in ZOO[what]
        else [arguments.torch_python, str(HERE / "convnets_torch.py"), job, network, form, str(batch), folder]
        for name, form in wanted.items()
        if name in arguments.contender
    }


def convnets_zoo(job, network, form, batch, folder):
    return [sys.executable, str(HERE / "convnets_zoo.py"), job, network, form, str(batch), folder]


def run(command):
    """Starts a worker that has one answer only, and returns that."""
    worker = workers.Worker(command)
    worker.end()
    return worker.first


def base(contender, what):
    """Whom a contender is compared with: the zoo in the same precision."""
    if "bfloat16" not in contender:
        return "zoo"
    return "zoo bfloat16" if what == "train" else "zoo savedmodel bfloat16"


def profile(arguments, network, folder):
    """Prints, for each contender, the kinds of operations that take most of a training step."""
    batch = (arguments.batch or [TRAINING[network]])[0]
    for name, command in contenders(arguments, "train", "profile", network, batch, folder).items():
        rows = run(command)["kinds"]
        total = sum(time for _, time, _ in rows)
        print(f"\n{name}, {network}, batch {batch}: {total:.1f} ms a step, summed over threads")
        print(f"{'ms':>9}  {'share':>6}  {'times':>6}  kind of operation")
        for kind, time, count in sorted(rows, key=lambda row: -row[1])[:25]:
            print(f"{time:9.2f}  {time / total:6.1%}  {count:6.0f}  {kind}", flush=True)


def markdown(rows):
    """The table for a README: a line for each network, a column for each contender, with the zoo's advantage."""
    for what in dict.fromkeys(row["what"] for row in rows):
        mine = [row for row in rows if row["what"] == what]
        names = list(dict.fromkeys(row["contender"] for row in mine))
        yield f"| {what}, batch | {' | '.join(names)} |"
        yield "|---" * (len(names) + 1) + "|"
        for network, batch in dict.fromkeys((row["network"], row["batch"]) for row in mine):
            cells = {row["contender"]: row for row in mine if (row["network"], row["batch"]) == (network, batch)}
            line = [f"{network}, {batch}"]
            for name in names:
                row = cells.get(name)
                line.append("" if row is None else _cell(row))
            yield f"| {' | '.join(line)} |"
        yield ""


def _cell(row):
    median = f"{row['median']:,}".replace(",", " ") + ("*" if row["disturbed rounds"] else "")
    own = row["contender"].startswith("zoo")
    return median if own else f"{median} ({row['zoo / this']})"


if __name__ == "__main__":
    main()
