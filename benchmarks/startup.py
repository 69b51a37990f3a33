"""The time from the command to the first training step, by what it is spent on.

python benchmarks/startup.py --rounds 5

`zoo train RECIPE` is run up to its first step and ended there, in turns with `python -c "import tensorflow, keras"`,
which nothing of the zoo's can be faster than without leaving out a part of it: the last line has both and their ratio.
Seconds of the processor are beside those of the clock, for they say the same thing on a machine that is in use.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rounds

FLOOR = "import tensorflow, keras"
# What a phase ends with, in the order in which they come.
PHASES = ("interpreter", "command line", "Keras and TensorFlow", "recipe", "checks and record", "fit begins")
PHASES += ("first trace, estimate", "first step")
TOTAL = "until the first step"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", nargs="?", default="lenet5_digits", help="a recipe's name (default: lenet5_digits)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (default: 5)")
    parser.add_argument("--patience", type=float, default=0, help="seconds to wait for a quiet machine before each")
    parser.add_argument("--against", help="the folder of another copy of the zoo, to take turns with this one")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments, rest = parser.parse_known_args()
    if arguments.child:
        return first_step(arguments.recipe, rest)
    homes = {"zoo": None} | ({"the other": arguments.against} if arguments.against else {})
    found = {name: [] for name in ("floor", *homes)}
    for turn in range(arguments.rounds):
        rounds.wait_for_quiet(arguments.patience)
        found["floor"].append(floor())
        for name, home in homes.items():
            found[name].append(started(arguments.recipe, home))
        print(f"round {turn + 1} of {arguments.rounds} done", file=sys.stderr, flush=True)
    for name in homes:
        show(found[name], found["floor"], name)


def floor():
    """Seconds of the clock and of the processor that importing TensorFlow and Keras alone takes."""
    began, before = time.perf_counter(), os.times()
    subprocess.run([sys.executable, "-c", FLOOR], check=True, capture_output=True)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return {"floor": (time.perf_counter() - began, used)}


def started(recipe, home):
    """The marks of one run: a dict from the phase that ends there to seconds of clock and processor since its start."""
    path = os.pathsep.join(filter(None, (home and str(Path(home).resolve()), os.environ.get("PYTHONPATH"))))
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, recipe, "--child", str(time.time()), f"{folder}/run"]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    if done.returncode:
        raise SystemExit(done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def first_step(recipe, rest):
    """Runs `zoo train` up to its first step, and prints when what was done."""
    began, folder = float(rest[0]), rest[1]
    marks = {}

    def mark(phase):
        marks[phase] = time.time() - began, time.process_time()

    def marked(module, name, phase):
        """Marks that a function has returned, the first time."""
        inner = getattr(module, name)

        def outer(*arguments, **named):
            result = inner(*arguments, **named)
            if phase not in marks:
                mark(phase)
            return result

        setattr(module, name, outer)

    mark("interpreter")
    import zoo.cli

    imported = zoo.cli._import_keras

    def import_keras():
        mark("command line")
        imported()
        mark("Keras and TensorFlow")
        import keras

        import zoo.trainer

        marked(zoo.trainer.preparation, "prepare", "recipe")
        marked(zoo.trainer.runs, "create", "checks and record")
        marked(keras.callbacks.CallbackList, "on_train_begin", "fit begins")
        marked(zoo.trainer.estimate, "estimate", "first trace, estimate")
        keras.callbacks.CallbackList.on_train_batch_begin = ended

    def ended(*_):
        mark("first step")
        print(json.dumps(marks), flush=True)
        os._exit(0)

    zoo.cli._import_keras = import_keras
    raise SystemExit(zoo.cli.main(["train", recipe, "--folder", folder]))


def show(runs, floors, name):
    """Prints the medians of the phases, and the whole beside the floor."""
    print(f"\n{name}\n{'seconds':>9} {'processor':>10}")
    passed = [(0.0, 0.0)] * len(runs)
    for phase in PHASES:
        here = [run[phase] for run in runs]
        spent = [[end - begin for begin, end in zip(*pair, strict=True)] for pair in zip(passed, here, strict=True)]
        print(_row(phase, spent))
        passed = here
    whole = [run["first step"] for run in runs]
    lowest = [run["floor"] for run in floors]
    print(_row(TOTAL, whole))
    print(_row(f'python -c "{FLOOR}"', lowest))
    ratios = [[ours / theirs for ours, theirs in zip(*pair, strict=True)] for pair in zip(whole, lowest, strict=True)]
    print(_row("ratio", ratios))
    print(f"Medians of {len(runs)} rounds. {rounds.machine()}")


def _row(label, pairs):
    clock, processor = (statistics.median(column) for column in zip(*pairs, strict=True))
    return f"{clock:9.2f} {processor:10.2f}  {label}"


if __name__ == "__main__":
    main()
