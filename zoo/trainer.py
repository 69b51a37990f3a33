"""`train`, `resume` and `evaluate`: the only place that seeds, fits, evaluates and saves, in that order."""

import json
import math
import sys
from pathlib import Path

import keras

from zoo import checkpoint, doctor, estimate, preparation, recipe, runs
from zoo import hosts as machines
from zoo import strategy as strategies
from zoo.data import feeding
from zoo.data.ops import has_tensorflow
from zoo.data.shards import failures_told
from zoo.errors import ZooError, require
from zoo.recorder import Recorder, finish_what_is_written
from zoo.tasks import task_of


class Diverged(ZooError):
    """The loss became infinite or NaN."""


def train(
    name,
    *,
    seed=0,
    folder=None,
    overwrite=False,
    export=True,
    pictures=True,
    precision="auto",
    steps_per_execution="auto",
    jit_compile="auto",
    verbose="auto",
    retrain=None,
    until=None,
    test=True,
    strategy="none",
    hosts=None,
    host=None,
    **hyper,
):
    """Trains a recipe and leaves a run folder.

    Args:
        name: a recipe's name, or the path of a recipe file.
        seed: seeds weights, data order, augmentation and the validation split; a whole number of at least 0.
        folder: the run folder; by default the next free `runs/NAME/<n>`.
        overwrite: replace a run that is there already.
        export: whether to leave `savedmodel/` and `model.tflite` too.
        pictures: whether to draw; `zoo report` does it later, too.
        precision: `"float32"`, `"mixed_bfloat16"`, `"mixed_float16"`, or `"auto"`.
        steps_per_execution: steps that one call into the graph takes; it divides the steps of an epoch.
        jit_compile: whether XLA compiles the step; `"auto"` does where it was measured to pay.
        verbose: 0 silent, 1 progress bar, 2 a line an epoch; `"auto"` is 1 on a terminal and 2 elsewhere.
        retrain: a number of steps: train on training and validation data together for exactly so many; `zoo.retrain`
            takes the number from a run that stopped early.
        until: stop after so many epochs as Ctrl-C would, with a checkpoint; `zoo.resume` goes on. None runs to the end.
        test: whether the run may look at the test data. A search says no, and then nothing of it is ever evaluated.
        strategy: `"mirrored"` shares each batch between all devices of this machine; `"none"` takes one.
        hosts, host: machines that train together, on the JAX backend, and the number of this one: see `zoo.hosts.read`.
            Each calls this function with the same arguments, but for `host`.
        **hyper: the recipe's own hyper-parameters.

    Returns:
        A `zoo.Result`; on hosts other than 0, None.

    Raises:
        ZooError: what was asked for cannot be done; nothing was written.
        zoo.recorder.Interrupted: Ctrl-C, or the end of epoch `until`; `zoo.resume(folder)` goes on.

    Example:
        >>> result = zoo.train("mlp_digits", epochs=1, export=False, verbose=0)
        >>> result.metrics["epochs"], result.metrics["parameters"]
        (1, 17226)
    """
    _check_until(until, 0)
    machines.join(hosts, host)
    folder = Path(folder) if folder else runs.new_folder(name)
    if machines.first():
        runs.check_free(folder, overwrite)
    folder = machines.own_folder(folder)
    verbose = verbose if machines.first() else 0
    tell = print if verbose else lambda *_: None
    source, hyper, built, chosen = preparation.prepare(
        name, hyper, seed, precision, steps_per_execution, jit_compile, retrain, strategy
    )
    for finding in doctor.inspect(built):
        doctor.act(finding, tell)
    for key, (value, why) in chosen.items():
        tell(f"{key}: {value} ({why})")
    record = {
        "recipe": source.name,
        "hyper": hyper,
        "seed": seed,
        "model": built.model.name,
        "epochs": built.epochs,
        "steps": built.data.train.steps,
        "objective": list(built.objective),
        "labels": list(built.data.labels) if built.data.labels else None,
        "features": built.data.statistics.get("features"),
        "execution": {key: value for key, (value, _) in chosen.items()},
        "retrain": retrain,
        "export": export,
        "pictures": pictures,
        "test": test,
        "backend": keras.backend.backend(),
        "versions": runs.versions(),
        "data": preparation.fingerprints(built.data),
        "began": runs.now(),
    }
    text = Path(source.module.__file__).read_text(encoding="utf-8")
    machines.agree(record, text)
    runs.create(folder, record, text)
    return _fit(built, folder, record, None, verbose, tell, until)


def resume(folder, *, verbose="auto", until=None, hosts=None, host=None):
    """Continues a run that was stopped at any moment; the result is the one of a run never stopped.

    Args:
        folder: a run folder.
        verbose, until, hosts, host: as in `train`. Host 0 has the run folder, and gives the others what they need of
            it; how many hosts there were before does not matter.

    Returns:
        A `zoo.Result`; on hosts other than 0, None. A run that is complete already is read back.

    Raises:
        ZooError: not a run folder, or the data is no longer what the run was begun with.
    """
    folder = Path(folder)
    machines.join(hosts, host)
    if machines.first():
        runs.read(folder)
    folder = machines.own_folder(folder)
    machines.copied(folder)
    record = runs.read(folder)
    verbose = verbose if machines.first() else 0
    tell = print if verbose else lambda *_: None
    done = runs.metrics(folder)
    if done is not None:
        first = machines.first()
        machines.leave()
        if not first:
            return None
        from zoo.loading import load

        tell(f"The run {folder} is complete; nothing is left to do.")
        return recipe.Result(load(folder), done, folder)
    built = preparation.rebuild(folder, training=True)
    restored = checkpoint.newest(folder / "checkpoints", tell)
    if restored is None:
        tell("There is no checkpoint yet: training begins anew.")
    else:
        tell(f"Resuming after epoch {len(restored['rows'])} of {built.epochs}.")
    return _fit(built, folder, record, restored, verbose, tell, until)


@failures_told()
def evaluate(folder, *, verbose=0):
    """Evaluates a finished run again, on its validation and test data.

    Args:
        folder: a run folder.
        verbose: whether to say whose features distances between images are of.

    Returns:
        A dict of floats, `val_*` and `test_*` (and `train_*` if the recipe asks): those that `metrics.json` holds.

    Raises:
        ZooError: not a finished run, or its data has changed.
    """
    from zoo.loading import load

    built = preparation.rebuild(folder)
    built.model.set_weights(load(folder).get_weights())
    if verbose:
        _name_judge(built, print)
    return _scores(built, runs.read(folder)["test"])


@failures_told()
def _fit(built, folder, record, restored, verbose, tell, until):
    """Everything from the first step to the last file."""
    model, data = built.model, built.data
    bar = _bar(verbose)
    recorder = Recorder(
        folder,
        built.callbacks,
        restored,
        built.epochs,
        lambda: tell(estimate.estimate(built, recorder.initial_epoch, batches)),
        until,
    )
    first = recorder.initial_epoch
    _check_until(until, first)
    callbacks = [*built.callbacks, *_always(folder, built, tell), recorder]
    spread = strategies.of(model)
    batches = spread.feed(data.train, first)
    try:
        with finish_what_is_written(recorder), machines.failures_told():
            model.fit(
                batches,
                epochs=first if recorder.stopped else built.epochs,
                initial_epoch=first,
                steps_per_epoch=data.train.steps,
                validation_data=spread.feed_once(data.validation) if data.validation else None,
                callbacks=callbacks,
                shuffle=False,
                verbose=bar,
            )
        spread.settle(model)
        _check_finite(recorder, folder, model)
        result = _finish(built, folder, record, recorder, tell) if machines.first() else None
        machines.leave()
        return result
    except KeyboardInterrupt:
        if recorder.initial_epoch == until:  # All hosts stop there.
            machines.leave()
        tell(f"\nStopped. To continue: zoo resume {folder}")
        raise


def _check_until(until, done):
    fits = until is None or (isinstance(until, int) and until > done)
    require(fits, "until", until, f"a whole number of epochs above the {done} that are done")


def _finish(built, folder, record, recorder, tell):
    """After the last step: evaluates once, and writes what came out; `metrics.json` last, for it says "complete"."""
    from zoo import report, savedmodel

    model, data = built.model, built.data
    metrics = {
        **_scores(built, record["test"]),
        "epochs": recorder.initial_epoch,
        "seconds": recorder.seconds,
        "parameters": int(sum(keras.ops.size(w) for w in model.trainable_weights)),
        **_best(built.callbacks),
    }
    savedmodel.export(model, folder / "model.keras", format="keras", overwrite=True)
    if record["pictures"]:
        report.draw(folder, model=model, data=data)
        table = report.table(folder)
        if table:
            tell(table)
    exported = None
    if record["export"] and keras.backend.backend() == "tensorflow":
        exported = savedmodel.export_all(
            model, folder, labels=data.labels, features=record["features"], batch=_sample(model, data), overwrite=True
        )
    elif record["export"]:
        tell("A SavedModel needs the TensorFlow backend: export was skipped.")
    checkpoint.write_atomically(folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    tell(_summary(metrics, folder))
    _name_judge(built, tell)
    if exported is not None:
        tell(exported)
    return recipe.Result(model, metrics, folder)


def _always(folder, built, tell):
    """The callbacks of every run, and of every run of a model that makes images or writes text."""
    from zoo.samples import Samples
    from zoo.written_samples import WrittenSamples

    always = [keras.callbacks.TerminateOnNaN()]
    if has_tensorflow():
        always.append(keras.callbacks.TensorBoard(str(folder / "tensorboard"), write_graph=False))
    else:
        tell("TensorFlow is not installed: there will be no files for TensorBoard.")
    if task_of(built.model) in ("generation", "translation"):
        always.append(Samples(folder / "samples", built.data))
    if task_of(built.model) == "language" and keras.backend.backend() == "tensorflow":
        always.append(WrittenSamples(folder / "samples", data=built.data))
    return always


def _scores(built, test=True):
    """Loss and metrics on the parts of the data that the recipe names, as floats, with their prefixes."""
    found = {}
    for name, stream in built.data.parts.items():
        if name in built.scores and (test or name != "test"):
            prefix = {"validation": "val"}.get(name, name)
            scores = built.model.evaluate(feeding.feed_once(stream), return_dict=True, verbose=0)
            for measure in built.measures:
                scores |= measure(built.model, built.data, name)
            found.update({f"{prefix}_{key}": float(value) for key, value in scores.items()})
    return found


def _name_judge(built, tell):
    """Says whose features the distances between real and generated images are of, if any."""
    from zoo.generation_measures import judged_by

    name = judged_by(built.measures)
    if name:
        tell(f"Frechet and kernel distances are between features of {name}; they are not Inception's.")


def _best(callbacks):
    """Where early stopping found the best weights: optimizer steps and epochs done by then."""
    for callback in callbacks:
        if getattr(callback, "best_step", None) is not None:
            return {"best_step": int(callback.best_step), "best_epoch": int(callback.best_epoch) + 1}
    return {}


def _check_finite(recorder, folder, model):
    rows = recorder.rows
    loss = rows[-1].get("loss", 0.0) if rows else 0.0
    if not math.isfinite(loss):
        player = getattr(model, "broken", None)
        whose = f"the {player}'s numbers were the first that broke, and the loss" if player else "the loss"
        raise Diverged(
            f"{whose} became {'NaN' if math.isnan(loss) else 'infinite'} in epoch {len(rows)}; training was stopped. "
            f"The history is in {folder}. A smaller learning rate, or clipping of the gradient's norm, usually helps"
        )


def _bar(verbose):
    if verbose == "auto":
        return 1 if sys.stdout.isatty() else 2
    return verbose


def _sample(model, data):
    """A few raw examples, to compare an exported model on."""
    if task_of(model) == "translation":  # of one size, where what is stored is larger
        held = data.test or data.validation
        return next(feeding.held_out(held))[0][:8] if held else data.train.batch(0, 0)[0][:8]
    stream = data.test or data.validation or data.train
    if hasattr(stream, "text_symbols"):
        return stream.text_symbols[None, :1000]
    return stream.arrays[0][:8]


def _summary(metrics, folder):
    shown = [f"{key} {value:.4f}" for key, value in metrics.items() if key.startswith(("train_", "val_", "test_"))]
    lines = [
        ", ".join(shown),
        f"{metrics['epochs']} epochs in {estimate.duration(metrics['seconds'])}. Run folder: {folder}",
    ]
    return "\n".join(lines)
