"""What the benchmarks share: contenders take turns, each in a process of its own, and a table says who was how fast.

Nothing but the standard library is imported, so that a contender can run in an environment without Keras.
"""

import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

# Cores that other processes may use while a contender is measured. Above, the round is repeated: two busy threads that
# wait for each other, as OpenMP's do, lose far more than the share that was taken.
SPARE = 0.2
REPEATS = 3
PATIENCE = 120


class Meter:
    """Measures how many cores this process used inside a `with`, and how many all others did (None if unknown)."""

    def __enter__(self):
        self._wall, self._own, self._all = time.perf_counter(), time.process_time(), _busy()
        return self

    def __exit__(self, *failure):
        wall = time.perf_counter() - self._wall
        self.own = (time.process_time() - self._own) / wall
        busy = _busy()
        self.others = None if busy is None else max(0.0, (busy - self._all) / wall - self.own)


def _busy():
    """Seconds that the machine's cores have worked since it started; None where that cannot be read."""
    try:
        fields = Path("/proc/stat").read_text().split(maxsplit=9)
    except OSError:
        return None
    return sum(map(int, (*fields[1:4], *fields[6:8]))) / os.sysconf("SC_CLK_TCK")


def timed(call, images, seconds):
    """Calls again and again.

    Args:
        call: a function without arguments.
        images: images that one call answers for.
        seconds: how long to measure, after some calls that are not.

    Returns:
        A list of images a second, one for each call, and the `Meter` that was open meanwhile.
    """
    for _ in range(20):
        call()
    rates = []
    with Meter() as meter:
        began = now = time.perf_counter()
        while now - began < seconds:
            before = now
            call()
            now = time.perf_counter()
            rates.append(images / (now - before))
    return rates, meter


class Failed(Exception):
    """A contender did not get to an answer; the message is the last that it said."""


def result(rates, meter, packages):
    """The result of one contender's turn.

    Args:
        rates: list of images a second, one for each epoch or call measured.
        meter: the `Meter` that was open meanwhile.
        packages: names of the packages whose versions matter.

    Returns:
        A dict of plain values: "memory" is the most that the process has used, in GiB, None where that is not known.
    """
    return {
        "median": statistics.median(rates),
        "best": max(rates),
        "own": meter.own,
        "others": meter.others,
        "memory": _peak(),
        "versions": {package: metadata.version(package) for package in packages},
    }


def _peak():
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)


def report(rates, meter, packages):
    """Prints `result` as the last line, for `process` to read."""
    print(json.dumps(result(rates, meter, packages)))


def process(command):
    """A turn in a process of its own.

    Args:
        command: list of strings; what it runs ends with `report`.

    Returns:
        A function without arguments that runs it and returns the result.
    """

    def turn():
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            raise Failed(lines[-1] if lines else f"exit status {done.returncode}")
        return json.loads(done.stdout.strip().splitlines()[-1])

    return turn


def take_turns(contenders, count, patience=PATIENCE):
    """Runs every contender once a round, A B C A B C, so that what slows the machine for a while slows all of them.

    Args:
        contenders: a dict from name to a function without arguments that returns a `result`, or raises `Failed`.
        count: rounds.
        patience: seconds to wait for a quiet machine, at most, before each turn.

    Returns:
        A dict from name to a list of results. A contender that fails is named and left out.
    """
    results = {name: [] for name in contenders}
    for turn in range(count):
        for name, contender in contenders.items():
            if name not in results:
                continue
            try:
                results[name].append(_quietest(contender, patience))
            except Failed as error:
                print(f"{name} is left out: {error}")
                del results[name]
                continue
            print(f"round {turn + 1} of {count}: {name} {_described(results[name][-1])}", flush=True)
    return results


def _quietest(contender, patience):
    """The first result that others did not disturb, or, after some, the one that they disturbed least."""
    tries = []
    while len(tries) < REPEATS:
        wait_for_quiet(patience)
        tries.append(contender())
        if (tries[-1]["others"] or 0) <= SPARE:
            return tries[-1]
    return min(tries, key=lambda result: result["others"])


def wait_for_quiet(patience=PATIENCE):
    """Waits until other processes leave the machine alone for a second, or for at most so many seconds."""
    began = time.monotonic()
    while time.monotonic() - began < patience:
        with Meter() as meter:
            time.sleep(1)
        if (meter.others or 0) <= SPARE:
            return


def _described(result):
    others = "" if (result["others"] or 0) <= SPARE else f" (others used {result['others']:.1f} cores)"
    return f"{_rate(result['median']):,} a second{others}"


def table(results, reference, **fixed):
    """Rows for a CSV file and for people: medians over the rounds, and how many times as fast the reference is.

    Args:
        results: what `take_turns` returned.
        reference: the contender that all are compared with, or a dict from contender to that which it is compared with.
        **fixed: further columns, equal for all rows.

    Returns:
        A list of dicts.
    """
    rows = []
    middle = {name: statistics.median(result["median"] for result in found) for name, found in results.items()}
    for name, found in results.items():
        base = reference if isinstance(reference, str) else reference[name]
        rows.append(
            {
                **fixed,
                "contender": name,
                "median": _rate(middle[name]),
                "best": _rate(max(result["best"] for result in found)),
                "zoo / this": round(middle[base] / middle[name], 2) if base in middle else "",
                "cores used": round(statistics.median(result["own"] for result in found), 2),
                "GiB": round(max(result["memory"] or 0 for result in found), 1) or "",
                "rounds": len(found),
                "disturbed rounds": sum((result["others"] or 0) > SPARE for result in found),
                "machine": machine(),
                "versions": " ".join(f"{key} {value}" for key, value in found[0]["versions"].items()),
            }
        )
    return rows


def _rate(value):
    return round(value) if value >= 100 else round(value, 1)


def machine():
    """The processor's name and the number of cores that this process may use."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name}, {cores()} cores"


def cores():
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def show(rows, file=None, what="Images"):
    """Prints rows as a table, and writes them all, with machine and versions, to a CSV file."""
    hidden = {"machine", "versions", "rounds"}
    columns = [column for column in rows[0] if column not in hidden]
    cells = [columns, *([_cell(row[column]) for column in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    print()
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    print(f"\n{what} a second; medians over {rows[0]['rounds']} rounds. {rows[0]['machine']}.")
    if file:
        with open(file, "w", newline="") as target:
            writer = csv.DictWriter(target, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        print(f"Written to {file}", file=sys.stderr)


def _cell(value):
    return f"{value:,}" if isinstance(value, int) else str(value)
