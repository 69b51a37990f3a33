"""Everything before the first step: a recipe is found, called with its seed and precision, and told how it runs."""

import json
import math
from pathlib import Path

import keras

from zoo import execution, recipe, retraining, runs, seeding
from zoo import strategy as strategies
from zoo.data import check_fits
from zoo.errors import ZooError


def prepare(
    name,
    hyper,
    seed,
    precision="auto",
    steps_per_execution="auto",
    jit_compile="auto",
    retrain=None,
    strategy="none",
):
    """Everything before the first step: finds a recipe, calls it, and decides how it runs.

    Args:
        name: a recipe's name or path.
        hyper: dict of hyper-parameters that differ from the defaults.
        seed, precision, steps_per_execution, jit_compile, retrain, strategy: as in `train`.

    Returns:
        `(source, hyper, recipe, chosen)`: the `Source`, all hyper-parameters, the `Recipe`, and a dict from
        execution option to a pair of value and reason.

    Raises:
        ZooError: as `train`.
    """
    source = recipe.find(name)
    hyper = source.arguments(hyper)
    try:
        json.dumps(hyper)
    except TypeError as error:
        raise ZooError(
            f"hyper-parameters of a recipe are plain values (numbers, strings, lists), so that a run can be repeated "
            f"from its record. {source.name}: {error}"
        ) from None
    built, chosen = _build(source, hyper, seed, precision, steps_per_execution, jit_compile, retrain, strategy)
    return source, hyper, built, chosen


def rebuild(folder, training=False):
    """The `Recipe` of a run, made from its own record and its own copy of the source.

    Args:
        folder: a run folder.
        training: whether it is to be trained, spread over devices as the run was; one device is enough for the rest.

    Returns:
        A `Recipe` with the untrained model.

    Raises:
        ZooError: the data is no longer what the run was begun with, or the backend differs.
    """
    record = runs.read(folder)
    if record["backend"] != keras.backend.backend():
        raise ZooError(
            f"the run {folder} was made with the {record['backend']} backend; this process uses "
            f"{keras.backend.backend()}. Set KERAS_BACKEND={record['backend']}"
        )
    chosen = dict(record["execution"])
    if not training:
        chosen.pop("strategy", None)
    _, _, built, _ = prepare(
        Path(folder) / "recipe.py", tuples(record["hyper"]), record["seed"], **chosen, retrain=record["retrain"]
    )
    found = fingerprints(built.data)
    if found != record["data"]:
        parts = [part for part in record["data"] if found.get(part) != record["data"][part]]
        raise ZooError(
            f"the data has changed since the run {folder} was begun: {', '.join(parts)}. A run is continued and "
            "evaluated on its own data only; restore it, or train anew"
        )
    return built


def _build(source, hyper, seed, precision, steps_per_execution, jit_compile, retrain, strategy):
    """Calls the recipe with everything set that its weights depend on. Returns the recipe and what was chosen."""
    policy, _ = execution.precision(precision)
    spread = strategies.find(strategy)
    built = _called(source, hyper, seed, policy, spread)
    # Whether bfloat16 pays depends on the network, which had to be built to be known.
    chosen = {"precision": execution.precision(precision, built.model)}
    if chosen["precision"][0] != policy:
        built = _called(source, hyper, seed, chosen["precision"][0], spread)
    check_fits(built.data, built.model)
    if retrain is not None:
        built = retraining.with_validation_data(built, retrain)
    spread.take(built)
    if strategy != "none" or spread.devices > 1:
        chosen["strategy"] = strategy, spread.why
    model, steps = built.model, built.data.train.steps
    # The execution that ends the training must not run beyond it either.
    steps = math.gcd(steps, retrain or steps)
    chosen["steps_per_execution"] = spread.steps_per_execution(steps_per_execution) or execution.steps_per_execution(
        steps_per_execution, steps, built.data.train.batch_size, model
    )
    chosen["jit_compile"] = spread.jit_compile(jit_compile) or execution.jit_compile(jit_compile, model)
    model.steps_per_execution = chosen["steps_per_execution"][0]
    model.jit_compile = chosen["jit_compile"][0]
    with spread.scope():
        execution.build_metrics(model, built.data.train)
    return built, chosen


def _called(source, hyper, seed, policy, spread):
    """The recipe as its function makes it from the seed, under a dtype policy."""
    before = keras.config.dtype_policy()
    seeding.seed_everything(seed)
    keras.config.set_dtype_policy(policy)
    try:
        with spread.scope():
            built = source.module.recipe(**hyper)
    finally:
        keras.config.set_dtype_policy(before)
    if not isinstance(built, recipe.Recipe):
        raise ZooError(f"the function recipe() of {source.name} must return a zoo.Recipe. Received: {built!r}")
    if not isinstance(built.epochs, int) or built.epochs < 1:
        raise ZooError(f"epochs must be a whole number of at least 1. Received: epochs={built.epochs!r}")
    return built


def tuples(hyper):
    """Hyper-parameters as JSON gave them back, with the tuples that it made lists of."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in hyper.items()}


def fingerprints(data):
    """The SHA-256 of each part of the data, by the part's name."""
    return {name: stream.fingerprint for name, stream in data.parts.items()}
