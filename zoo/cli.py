"""The command `zoo`: each subcommand is a function of the library, with flags.

Nothing here imports TensorFlow or Keras at the top: `zoo list` answers at once.
"""

import argparse
import os
import sys
import traceback

from zoo import commands, flags, registry, sources
from zoo.errors import ZooError
from zoo.quiet import native_logs_hidden

NEED_KERAS = {"train", "resume", "retrain", "compare", "evaluate", "report", "export", "doctor", "draw"}
NEED_KERAS |= {"generate", "play"}


def main(arguments=None):
    """Runs the command line.

    Args:
        arguments: list of strings; by default those of the process.

    Returns:
        The exit status: 0, or 2 for what the user can mend, 130 after Ctrl-C.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        parsed = _parser(arguments).parse_args(arguments)
        if hasattr(parsed, "hosts"):
            status = _on_hosts(parsed, arguments)
            if status is not None:
                return status
        if parsed.command in NEED_KERAS or _needs_tensorflow(parsed):
            _import_keras()
        if parsed.command == "tune":
            with native_logs_hidden():
                import keras_tuner  # noqa: F401  # and no look at the devices, which are the trials'
        parsed.run(parsed)
    except ZooError as error:
        print(f"zoo: {error}", file=sys.stderr)
        return _ended(getattr(error, "status", 2))
    except KeyboardInterrupt:
        return _ended(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:
        hosts = sys.modules.get("zoo.hosts")
        if hosts is None or not hosts.connected():
            raise
        traceback.print_exc()
        return _ended(1)
    return 0


def train(path):
    """The main function of a recipe file: `python my_recipe.py --epochs 3` is `zoo train my_recipe.py --epochs 3`.

    Args:
        path: the file, `__file__`.

    Returns:
        The exit status.
    """
    return main(["train", path, *sys.argv[1:]])


def _on_hosts(parsed, arguments):
    """Joins the other hosts, if there are any; or has that done by a process of its own, and returns how it ended."""
    from zoo import hosts

    addresses, number = hosts.read(parsed.hosts, parsed.host)
    if addresses is None or len(addresses) == 1:
        return None
    if getattr(parsed, "find_lr", False):
        raise ZooError("a rate is looked for on one host: leave out --hosts")
    if not hosts.supervises():
        return hosts.supervised(arguments, addresses, number)
    hosts.join(addresses, number)
    return None


def _ended(status):
    """The exit status. A host that failed does not wait for the others."""
    hosts = sys.modules.get("zoo.hosts")
    return hosts.end(status) if hosts else status


def _needs_tensorflow(parsed):
    """Whether masks or images are to be written, or texts read, which takes TensorFlow; labels of images do not."""
    if parsed.command != "predict":
        return False
    from zoo import segmenting, translating
    from zoo.serving import reading

    run = parsed.folder
    return segmenting.segments(run) or translating.translates(run) or reading.reads(run)


def _import_keras():
    """Imports Keras and its backend, and finds the devices, without a dozen log lines of native libraries."""
    from zoo.importing import import_keras

    try:
        import_keras()
    except ModuleNotFoundError as error:
        raise ZooError(
            f"Keras finds no backend: {error}. Install TensorFlow; or install JAX, and set KERAS_BACKEND=jax"
        ) from None


def _parser(arguments):
    parser = argparse.ArgumentParser(
        prog="zoo", description="The classics of deep learning: build by name, train by recipe, export from raw input."
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, run, summary, *names):
        sub = subparsers.add_parser(name, help=summary, description=summary)
        sub.set_defaults(run=run)
        for positional, text in names:
            sub.add_argument(positional, help=text)
        return sub

    listing = command("list", commands.listing, "list the models, or the recipes")
    listing.add_argument("pattern", nargs="?", default="*", help="a shell pattern, such as 'lenet*'")
    listing.add_argument("--task", help=f"only models of this task: {', '.join(registry.TASKS)}")
    listing.add_argument("--recipes", action="store_true", help="list the recipes instead")

    command("show", commands.show, "show what is known of a model", ("model", "a model's name"))

    for name, run, summary in (
        ("train", commands.train, "train a recipe and leave a run folder"),
        ("doctor", commands.doctor, "look at a recipe for mistakes, without training it"),
        ("compare", commands.compare, "train a recipe over values and seeds: one table, one picture"),
        ("tune", commands.tune, "search for a recipe's hyper-parameters, on validation data"),
    ):
        sub = command(name, run, summary, ("recipe", "a recipe's name, or the path of a recipe file"))
        wanted = _recipe_in(arguments, name)
        _execution_flags(sub)
        if name == "train":
            sub.add_argument(
                "--seed", type=int, default=0, help="seed of weights, order, augmentation and split (default: 0)"
            )
            sub.add_argument("--folder", help="run folder (default: the next free runs/NAME/<n>)")
            sub.add_argument("--overwrite", action="store_true", help="replace the run in the folder")
            _host_flags(sub)
            sub.add_argument("--no-export", dest="export", action="store_false", help="leave no SavedModel")
            sub.add_argument(
                "--find-lr", action="store_true", help="do not train: try rates from tiny to huge, draw, suggest one"
            )
        if name == "compare":
            sub.add_argument(
                "--vary",
                action="append",
                default=[],
                metavar="KEY=A,B,C",
                help="values to try; may be given several times",
            )
            sub.add_argument("--seeds", type=int, default=3, help="seeds 0..n-1 for each (default: 3)")
            sub.add_argument("--test", action="store_true", help="show test metrics too, where something varies")
            sub.add_argument("--folder", help="folder of the study (default: runs/compare/NAME-<what varies>)")
        if name == "tune":
            _search_flags(sub)
        if wanted:
            flags.add(sub, sources.path_of(wanted))

    resume = command("resume", commands.resume, "continue a run that was stopped", ("folder", "a run folder"))
    _host_flags(resume)
    retrain = command(
        "retrain",
        commands.retrain,
        "train anew on training and validation data, for as many steps as were best",
        ("folder", "a finished run folder"),
    )
    retrain.add_argument("--to", help="the new run's folder (default: the next free runs/NAME/<n>)")

    command("evaluate", commands.evaluate, "evaluate a finished run again", ("folder", "a run folder"))
    command("report", commands.report, "draw the pictures of a run again", ("folder", "a run folder"))

    predict = command("predict", commands.predict, "label files with a trained model", ("folder", "a run folder"))
    predict.add_argument("files", nargs="*", metavar="FILE", help="image files, text files, or a CSV file of features")
    predict.add_argument("--text", action="append", help="a text itself, for models that take text; may be repeated")
    predict.add_argument("--to", help="folder for masks or translated images (default: masks or translations in RUN)")

    generate = command(
        "generate", commands.generate, "new images, or text, from a trained model", ("folder", "a run folder")
    )
    generate.add_argument("-n", type=int, help="images, 1 to 1024 (default: 64)")
    generate.add_argument("--label", help="class to make, its name or number (default: all in turn)")
    generate.add_argument("--density", help="of an autoencoder's codes: gmm or kde (default: gmm)")
    generate.add_argument("--components", type=int, help="Gaussians of the mixture (default: held-out codes choose)")
    generate.add_argument("--prompt", action="append", help="text to continue; may be repeated (default: a new line)")
    generate.add_argument("--length", type=int, help="symbols of text to write (default: 400)")
    generate.add_argument("--temperature", type=float, help="below 1 more likely text, 0 the likeliest (default: 1)")
    generate.add_argument("--top-k", type=int, help="draw among so many symbols, the likeliest; 0: all (default: 0)")
    generate.add_argument("--seed", type=int, default=0, help="seed of the fit and of the draws (default: 0)")
    generate.add_argument("--to", help="PNG file (default: generated.png in the run folder), or a file for text")
    generate.add_argument("--overwrite", action="store_true", help="replace the file")

    play = command("play", commands.play, "let a trained agent play, and film it", ("folder", "a run folder"))
    play.add_argument("--episodes", type=int, default=5, help="how many (default: 5)")
    play.add_argument("--record", metavar="FILE", help="film of the episodes, a .gif or .mp4 file (default: none)")
    play.add_argument("--env", help="another environment (default: the run's)")
    play.add_argument("--seed", type=int, default=0, help="seed of the first episode (default: 0)")
    play.add_argument("--fps", type=int, help="steps of the film in a second (default: the environment's)")
    play.add_argument("--overwrite", action="store_true", help="replace the file")

    export = command("export", commands.export, "export a run's model", ("folder", "a run folder"))
    export.add_argument(
        "--format", default="savedmodel", help="savedmodel, onnx, litert or keras (default: savedmodel)"
    )
    export.add_argument("--to", help="where (default: in the run folder)")
    export.add_argument("--overwrite", action="store_true", help="replace what is there")

    drawing = command("draw", commands.draw, "draw a page that teaches", ("name", "what to draw; 'list' names all"))
    drawing.add_argument("--to", help="PNG file (default: NAME.png)")
    drawing.add_argument("--overwrite", action="store_true", help="replace the file")

    bench = command("bench", commands.bench, "measure what models cost on this machine: a table, a picture")
    bench.add_argument("models", nargs="*", metavar="MODEL", help="names or patterns (default: some of all kinds)")
    bench.add_argument("--batches", type=flags.converter((1,)), help="sizes, as 1,32 (default: the best is searched)")
    bench.add_argument("--seconds", type=float, default=0.2, help="how long a round is, of three (default: 0.2)")
    bench.add_argument("--precision", default="float32", help="as of train (default: float32)")
    bench.add_argument("--limit", type=float, default=300, help="seconds for one model (default: 300)")
    bench.add_argument("--to", default=".", help="folder for bench.csv and bench.png (default: this one)")
    bench.add_argument("--overwrite", action="store_true", help="replace them")

    runs = command("runs", commands.runs, "list the runs")
    runs.add_argument("under", nargs="?", help="folder to look in (default: runs)")
    return parser


def _recipe_in(arguments, command):
    """The recipe named on the command line, whose flags are to be added."""
    if not arguments or arguments[0] != command:
        return None
    return arguments[1] if len(arguments) > 1 and not arguments[1].startswith("-") else None


def _execution_flags(sub):
    from_text = flags.converter(None, "int | None")
    sub.add_argument("--precision", default="auto", help="float32, mixed_bfloat16, mixed_float16 (default: auto)")
    sub.add_argument(
        "--steps-per-execution",
        type=lambda text: text if text == "auto" else from_text(text),
        default="auto",
        help="steps that one call into the graph takes (default: auto)",
    )
    sub.add_argument("--jit-compile", choices=("auto", "yes", "no"), default="auto", help="XLA (default: auto)")
    sub.add_argument(
        "--strategy", default="none", help="mirrored shares each batch between this machine's devices (default: none)"
    )


def _host_flags(sub):
    sub.add_argument("--hosts", help="machines that train together: address:port of each, host 0 first; or slurm")
    sub.add_argument("--host", type=int, help="which of them this is, from 0 (default: as Kubernetes or Slurm say)")


def _search_flags(sub):
    sub.add_argument("--trials", type=int, help="how many at most (default: 30; hyperband and grid: all)")
    sub.add_argument("--tuner", default="random", help="random, bayesian, hyperband or grid (default: random)")
    sub.add_argument("--seed", type=int, default=0, help="seed of the proposals and of each trial (default: 0)")
    sub.add_argument("--parallel", type=int, help="trials at a time (default: 1)")
    sub.add_argument("--budget", help="time for all trials, as 30m or 1h (default: no end)")
    sub.add_argument("--limit", help="time for one trial, as 90s or 10m (default: no end)")
    sub.add_argument("--keep", type=int, help="trials whose models are kept, the best (default: 3)")
    sub.add_argument("--stop", help="median: give up what is worse than the others' median; none (default: median)")
    sub.add_argument("--folder", help="folder of the search (default: the next free runs/tune/NAME-<n>)")
    sub.add_argument("--resume", action="store_true", help="go on with the search in the folder, or with the newest")


if __name__ == "__main__":
    sys.exit(main())
