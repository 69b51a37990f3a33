"""The README's table of test accuracies, from records of `zoo compare` runs: one small file a row, in `results/`.

python benchmarks/results.py                      # writes the table between the two marks in README.md
python benchmarks/results.py --check              # says what differs, and exits with 1
python benchmarks/results.py add STUDY [--against "91.25 % (He et al. 2015)"]

`add` makes a record of a study's folder whose seeds alone vary, or of a single run's, on the machine that trained it.
If that was not idle, say so (`--busy`), or give the time of an idle one (`--seconds 9 --note "..."`).
"""

import argparse
import difflib
import json
import statistics
import subprocess
import sys
from pathlib import Path

from rounds import machine

from zoo import flags, runs, sources
from zoo.checkpoint import write_atomically
from zoo.errors import ZooError, require, suggest

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- results: python benchmarks/results.py -->", "<!-- end of results -->"
HEAD = ("recipe", "test accuracy (n = 3)", "epochs", "time", "held against")
# What a table of accuracies shows of a run; several heads have one each, and the first of them is the main one.
METRICS = ("test_accuracy", "test_logits_accuracy")
USUAL = 3
EXECUTION = ("precision", "steps_per_execution", "jit_compile", "strategy")


def main(arguments=None, root=ROOT):
    """Runs the command; returns its exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        return _add(parsed, root) if parsed.command == "add" else _write(parsed.check, root)
    except ZooError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where README.md differs")
    add = parser.add_subparsers(dest="command").add_parser("add", help="make a record")
    add.add_argument("folder", type=Path, help="a study's folder, or a run's")
    add.add_argument("--name", help="of the record's file (default: the recipe's name)")
    add.add_argument("--title", help="what the table calls it (default: the recipe's name as code)")
    add.add_argument("--metric", help=f"an accuracy on test data (default: {' or '.join(METRICS)})")
    add.add_argument("--against", default="", help="a published number to hold it against, with its source")
    add.add_argument("--seconds", type=float, help="time of a run's epochs (default: the runs' mean)")
    add.add_argument("--busy", action="store_true", help="the machine was in use")
    add.add_argument("--note", default="", help="anything else, kept in the record")
    return parser


def record(folder, metric=None):
    """What the runs of a folder say.

    Args:
        folder: the folder of a study that varies seeds alone, or of one run.
        metric: the metric that the table shows; None is an accuracy on test data.

    Returns:
        A dict, ready for JSON.

    Raises:
        ZooError: a folder that is neither, a study that varies more than seeds, a run that is not finished, runs that
            differ in more than their seeds, or have no such metric.
    """
    study, options = folder / "study.json", {}
    if study.is_file():
        known = json.loads(study.read_text(encoding="utf-8"))
        require(not known["vary"], "the study", known["vary"], "of one setting: a row of the table is")
        # Hyper-parameters are read from the runs; what is automatic needs no flag.
        options = {key: known["options"].get(key, "auto") for key in EXECUTION}
        options = {key: value for key, value in options.items() if value != "auto"}
        homes = sorted(runs.folders(folder), key=lambda home: runs.read(home)["seed"])
        require(homes, "the study", str(folder), "one with runs in it")
    else:
        homes = [folder]
    told = [runs.read(home) for home in homes]
    metrics = [runs.metrics(home) for home in homes]
    for home, found in zip(homes, metrics, strict=True):
        if found is None:
            raise ZooError(f"the run {home} is not finished: it has no metrics.json")
    first = told[0]
    for each in told[1:]:
        for key in ("recipe", "hyper", "execution", "versions", "data"):
            # The validation part is another one with each seed, the test part is not.
            one, other = (each[key]["test"], first[key]["test"]) if key == "data" else (each[key], first[key])
            require(one == other, f"{key} of the runs", one, f"the same, {other!r},")
    if metric is None:
        metric = next((name for name in METRICS if name in metrics[0]), METRICS[0])
    if metric not in metrics[0]:
        raise ZooError(
            f"the runs have no metric {metric!r}.{suggest(metric, metrics[0])} They have: {', '.join(metrics[0])}"
        )
    name = Path(first["recipe"]).stem
    return {
        "recipe": name,
        "command": command({**first, "options": options}, len(told) if study.is_file() else None),
        "options": options,
        "metric": metric,
        "hyper": first["hyper"],
        "execution": first["execution"],
        "runs": [{"seed": each["seed"], **found} for each, found in zip(told, metrics, strict=True)],
        "versions": first["versions"],
        "machine": machine(),
        "date": first["began"][:10],
        "commit": commit(),
    }


def command(known, seeds=None):
    """The command that repeats a run, or the study that it is of.

    Args:
        known: a record, or a run's `recipe.json`; `options` are of its execution, as far as they were asked for.
        seeds: of a study, how many; None is of a single run.

    Returns:
        A string.
    """
    defaults = {key: default for key, (default, *_) in flags.signature(sources.path_of(known["recipe"])).items()}
    words = ["zoo", "train" if seeds is None else "compare", known["recipe"]]
    words += ["--seed", str(known["seed"])] if seeds is None else ["--seeds", str(seeds)]
    for key, value in known["hyper"].items():
        if key not in defaults or _plain(defaults[key]) != value:
            words += _flag(key, value)
    for key, value in known.get("options", {}).items():
        text = ("no", "yes")[value] if isinstance(value, bool) else str(value)
        words += ["--" + key.replace("_", "-"), text]
    return " ".join(words)


def commit():
    """The commit of the zoo that ran, "-dirty" where files differ from it; None without git."""
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return said.stdout.strip()


def read(folder):
    """The records in a folder: a list of pairs of a name and a dict, by name."""
    return [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json"))]


def table(records):
    """The records as a Markdown table.

    Args:
        records: what `read` returns.

    Returns:
        A string of lines, without one at its end.
    """
    lines = [HEAD, ["---"] * len(HEAD)]
    lines += [[title(known), accuracy(known), epochs(known), duration(known), known["against"]] for _, known in records]
    return "\n".join(" ".join(["|", *(f"{cell} |" if cell else "|" for cell in cells)]) for cells in lines)


def title(known):
    """What the table calls a record."""
    return known.get("title") or f"`{known['recipe']}`"


def accuracy(known):
    """Mean and deviation over seeds, and how many there are where it is not the usual number."""
    values = [100 * each[known["metric"]] for each in known["runs"]]
    count = len(values)
    text = f"{statistics.fmean(values):.2f} %" + (f" ± {statistics.stdev(values):.2f}" if count > 1 else "")
    return text if count == USUAL else f"{text} (n = {count})"


def epochs(known):
    """Epochs of a run, on average; fewer than asked for mean early stopping."""
    done = statistics.fmean(each["epochs"] for each in known["runs"])
    return f"{done:.0f}" + (" (early stopping)" if done < known["hyper"].get("epochs", done) else "")


def duration(known):
    """Time of the epochs of a run, and whether the machine was in use."""
    seconds = known.get("seconds") or statistics.fmean(each["seconds"] for each in known["runs"])
    text = f"{max(1, round(seconds))} s" if seconds < 100 else f"{seconds / 60:.0f} min"
    return text + " (machine in use)" * known.get("busy", False)


def filled(text, content):
    """A text with what stands between the two marks replaced.

    Args:
        text: of README.md.
        content: the table.

    Returns:
        A string.

    Raises:
        ZooError: not exactly one pair of marks.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ZooError(f"README.md needs the line {BEGIN!r} once, and {END!r} once behind it")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{content}\n{END}{rest.partition(END)[2]}"


def _write(check, root):
    path = root / "README.md"
    text = path.read_text(encoding="utf-8")
    wanted = filled(text, table(read(root / "benchmarks" / "results")))
    if not check:
        write_atomically(path, wanted)
        return 0
    differing = difflib.unified_diff(text.splitlines(), wanted.splitlines(), "README.md", "records", lineterm="", n=0)
    print("\n".join(differing), end="\n" * (text != wanted))
    return int(text != wanted)


def _add(parsed, root):
    known = record(parsed.folder, parsed.metric)
    require(parsed.seconds is None or parsed.seconds > 0, "--seconds", parsed.seconds, "a number above 0")
    given = {"title": parsed.title, "seconds": parsed.seconds, "busy": parsed.busy, "note": parsed.note}
    known |= {"against": parsed.against, **{key: value for key, value in given.items() if value}}
    path = root / "benchmarks" / "results" / f"{parsed.name or known['recipe']}.json"
    write_atomically(path, json.dumps(known, indent=2, ensure_ascii=False) + "\n")
    print(f"{path}: {title(known)} {accuracy(known)}, {epochs(known)} epochs, {duration(known)}")
    return 0


def _plain(value):
    """A value as JSON gives it back."""
    return json.loads(json.dumps(value))


def _flag(key, value):
    flag = "--" + key.replace("_", "-")
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag[2:]}"]
    return [flag, ",".join(map(str, value)) if isinstance(value, list) else str(value)]


if __name__ == "__main__":
    raise SystemExit(main())
