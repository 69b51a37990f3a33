"""Training anew on training and validation data together, for as many steps as early stopping found best."""

import dataclasses
from pathlib import Path

from callbacks import Schedule, StopAt
from zoo import runs
from zoo.errors import ZooError, require


def retrain(folder, *, to=None, verbose="auto"):
    """Trains the recipe of a finished run again, from new weights, on its training and validation data together.

    Goodfellow, Bengio and Courville 2016, algorithm 7.2: the validation data chose when to stop, and is now learned
    from. The new run takes exactly as many optimizer steps as the run had taken when its weights were best; a curve of
    the learning rate runs as it did. Early stopping and whatever else watches validation metrics has no part in it.

    Args:
        folder: a finished run with `callbacks.EarlyStopping`.
        to: the new run's folder; by default the next free `runs/NAME/<n>`.
        verbose: as in `zoo.train`.

    Returns:
        A `zoo.Result`; the test data is evaluated once more.

    Raises:
        ZooError: not a finished run, one without early stopping, or one without validation data.
    """
    from zoo import preparation, trainer

    folder = Path(folder)
    record, metrics = runs.read(folder), runs.metrics(folder)
    if metrics is None:
        raise ZooError(f"the run {folder} is not finished: zoo resume {folder}")
    if "best_step" not in metrics:
        raise ZooError(
            f"the run {folder} does not know its best number of steps: its recipe has no callbacks.EarlyStopping"
        )
    stem = Path(record["recipe"]).stem
    return trainer.train(
        folder / "recipe.py",
        seed=record["seed"],
        folder=to or runs.new_folder(f"{stem}_retrained"),
        export=record["export"],
        precision=record["execution"]["precision"],
        jit_compile=record["execution"]["jit_compile"],
        strategy=record["execution"].get("strategy", "none"),
        verbose=verbose,
        retrain=metrics["best_step"],
        **preparation.tuples(record["hyper"]),
    )


def with_validation_data(built, steps):
    """A recipe changed for retraining.

    Args:
        built: a `zoo.Recipe` with validation data.
        steps: optimizer steps to take, at least 1.

    Returns:
        A `zoo.Recipe` without validation data, which stops after the steps.

    Raises:
        ZooError: there is no validation data, or no step to take.
    """
    require(isinstance(steps, int) and steps >= 1, "retrain", steps, "a number of steps, at least 1")
    if built.data.validation is None:
        raise ZooError("retraining adds the validation data to the training data, and this recipe has none")
    if not hasattr(built.data.train, "joined"):
        raise ZooError("an agent is judged by episodes, and they are no data to learn from: there is nothing to add")
    planned = built.epochs * built.data.train.steps
    data = dataclasses.replace(built.data, train=built.data.train.joined(built.data.validation), validation=None)
    kept = []
    for callback in built.callbacks:
        if isinstance(callback, Schedule):
            # The curve spans the steps that it spanned, in epochs of another length.
            callback.epochs = (callback.epochs or built.epochs) * planned / built.epochs / data.train.steps
        if not str(getattr(callback, "monitor", "")).startswith("val_"):
            kept.append(callback)
    return dataclasses.replace(
        built,
        data=data,
        epochs=-(-steps // data.train.steps),
        callbacks=(*kept, StopAt(steps=steps)),
        objective=("loss", "min"),
    )
