"""The command `zoo`: each subcommand is a function of the library, with flags.

Nothing here imports TensorFlow or Keras at the top: `zoo list` answers at once.
"""

import argparse
import os
import sys

from zoo import flags, registry, sources
from zoo.errors import ZooError, choose
from zoo.quiet import native_logs_hidden

NEED_KERAS = {"train", "resume", "compare", "evaluate", "report", "export", "doctor"}


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
        if parsed.command in NEED_KERAS:
            _import_keras()
        parsed.run(parsed)
    except ZooError as error:
        print(f"zoo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


def train(path):
    """The main function of a recipe file: `python my_recipe.py --epochs 3` is `zoo train my_recipe.py --epochs 3`.

    Args:
        path: the file, `__file__`.

    Returns:
        The exit status.
    """
    return main(["train", path, *sys.argv[1:]])


def _import_keras():
    """Imports Keras and its backend, and finds the devices, without a dozen log lines of native libraries."""
    with native_logs_hidden():
        import keras

        keras.distribution.list_devices()


def _parser(arguments):
    parser = argparse.ArgumentParser(
        prog="zoo", description="The classics of deep learning: build by name, train by recipe, export from raw input."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, run, summary, *names):
        sub = commands.add_parser(name, help=summary, description=summary)
        sub.set_defaults(run=run)
        for positional, text in names:
            sub.add_argument(positional, help=text)
        return sub

    listing = command("list", _list, "list the models, or the recipes")
    listing.add_argument("pattern", nargs="?", default="*", help="a shell pattern, such as 'lenet*'")
    listing.add_argument("--task", help=f"only models of this task: {', '.join(registry.TASKS)}")
    listing.add_argument("--recipes", action="store_true", help="list the recipes instead")

    command("show", _show, "show what is known of a model", ("model", "a model's name"))

    for name, run, summary in (
        ("train", _train, "train a recipe and leave a run folder"),
        ("doctor", _doctor, "look at a recipe for mistakes, without training it"),
        ("compare", _compare, "train a recipe over values and seeds: one table, one picture"),
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
            sub.add_argument("--no-export", dest="export", action="store_false", help="leave no SavedModel")
        if name == "compare":
            sub.add_argument(
                "--vary",
                action="append",
                default=[],
                metavar="KEY=A,B,C",
                help="values to try; may be given several times",
            )
            sub.add_argument("--seeds", type=int, default=3, help="seeds 0..n-1 for each (default: 3)")
            sub.add_argument("--folder", help="folder of the study (default: runs/compare/NAME-<what varies>)")
        if wanted:
            flags.add(sub, sources.path_of(wanted))

    command("resume", _resume, "continue a run that was stopped", ("folder", "a run folder"))
    command("evaluate", _evaluate, "evaluate a finished run again", ("folder", "a run folder"))
    command("report", _report, "draw the pictures of a run again", ("folder", "a run folder"))

    predict = command("predict", _predict, "label files with a trained model", ("folder", "a run folder"))
    predict.add_argument("files", nargs="+", metavar="FILE", help="image files, or one CSV file of features")

    export = command("export", _export, "export a run's model", ("folder", "a run folder"))
    export.add_argument(
        "--format", default="savedmodel", help="savedmodel, onnx, litert or keras (default: savedmodel)"
    )
    export.add_argument("--to", help="where (default: in the run folder)")
    export.add_argument("--overwrite", action="store_true", help="replace what is there")

    runs = command("runs", _runs, "list the runs")
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


def _execution(parsed):
    jit = {"auto": "auto", "yes": True, "no": False}[parsed.jit_compile]
    return dict(precision=parsed.precision, steps_per_execution=parsed.steps_per_execution, jit_compile=jit)


def _hyper(parsed):
    known = flags.signature(sources.path_of(parsed.recipe))
    return {key: value for key, value in vars(parsed).items() if key in known}


def _list(parsed):
    if parsed.recipes:
        import fnmatch

        names = fnmatch.filter(sources.recipes(), parsed.pattern)
        rows = [(name, sources.claim(name)) for name in names]
    else:
        names = registry.list_models(parsed.pattern, parsed.task)
        rows = [(name, f"{registry.entry(name).parameters:>12,}  {registry.entry(name).summary}") for name in names]
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        print(f"{name:<{width}}  {text}")


def _show(parsed):
    known = registry.describe(parsed.model)
    known["parameters"] = f"{known['parameters']:,} trainable"
    for key, value in known.items():
        if isinstance(value, dict):
            value = ", ".join(f"{k}={v!r}" for k, v in value.items())
        if isinstance(value, list):
            value = ", ".join(value)
        if value:
            print(f"{key:<11} {value}")


def _train(parsed):
    from zoo import trainer

    trainer.train(
        parsed.recipe,
        seed=parsed.seed,
        folder=parsed.folder,
        overwrite=parsed.overwrite,
        export=parsed.export,
        **_execution(parsed),
        **_hyper(parsed),
    )


def _doctor(parsed):
    from zoo import doctor, trainer

    source, _, built, chosen = trainer.prepare(parsed.recipe, _hyper(parsed), 0, **_execution(parsed))
    for key, (value, why) in chosen.items():
        print(f"{key}: {value} ({why})")
    found = doctor.inspect(built)
    for finding in found:
        print(f"{finding.level}: {finding}")
    refused = [finding for finding in found if finding.level == "refuse"]
    if refused:
        raise ZooError(f"{source.name} would be refused: {len(refused)} of the findings above are errors")
    print(f"{source.name} can be trained.")


def _compare(parsed):
    from zoo import comparison

    known = flags.signature(sources.path_of(parsed.recipe))
    vary = {}
    for text in parsed.vary:
        key, equals, values = text.partition("=")
        key = key.replace("-", "_")
        if not equals:
            raise ZooError(f"--vary takes KEY=A,B,C. Received: {text}")
        choose("--vary's key", key, tuple(known))
        default, annotation, _ = known[key]
        if isinstance(default, (tuple, list)):
            convert = flags.converter(default, annotation)
            vary[key] = [convert(part.replace("-", ",")) for part in values.split(",")]
        elif isinstance(default, bool):
            vary[key] = [choose(key, part, ("yes", "no")) == "yes" for part in values.split(",")]
        else:
            vary[key] = [flags.converter(default, annotation)(part) for part in values.split(",")]
    comparison.compare(
        parsed.recipe, vary=vary, seeds=parsed.seeds, folder=parsed.folder, **_execution(parsed), **_hyper(parsed)
    )


def _resume(parsed):
    from zoo import trainer

    trainer.resume(parsed.folder)


def _evaluate(parsed):
    from zoo import trainer

    for key, value in trainer.evaluate(parsed.folder).items():
        print(f"{key:<16} {value:.6f}")


def _report(parsed):
    from zoo import report

    for path in report.redraw(parsed.folder):
        print(path)


def _predict(parsed):
    from zoo import predictor

    answers = predictor.predict(parsed.folder, parsed.files)
    width = max(len(str(answer["file"])) for answer in answers)
    for answer in answers:
        if "value" in answer:
            print(f"{answer['file']!s:<{width}}  {answer['value']:.6g}")
        else:
            print(f"{answer['file']!s:<{width}}  {answer['label']}  {answer['probability']:.4f}")


def _export(parsed):
    from zoo import savedmodel

    print(savedmodel.export_run(parsed.folder, parsed.format, to=parsed.to, overwrite=parsed.overwrite))


def _runs(parsed):
    from zoo import runs

    found = runs.folders(parsed.under)
    if not found:
        print(f"no runs under {parsed.under or runs.root()}")
    width = max((len(str(folder)) for folder in found), default=0)
    for folder in found:
        metrics = runs.metrics(folder)
        record = runs.read(folder)
        if metrics is None:
            text = f"stopped after epoch {len(runs.history(folder))} of {record['epochs']}: zoo resume {folder}"
        else:
            text = ", ".join(f"{k} {v:.4f}" for k, v in metrics.items() if k.startswith("test_"))
        print(f"{folder!s:<{width}}  {record['began']}  {text}")


if __name__ == "__main__":
    sys.exit(main())
