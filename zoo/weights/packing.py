"""Makes the files of weights that the zoo brings along, for those who work on it."""

import hashlib
import io
import pprint
import zipfile
from pathlib import Path

import numpy as np

from zoo.checkpoint import write_atomically
from zoo.errors import ZooError, require
from zoo.weights import put, shipped, values


def pack(run, **arguments):
    """Writes the weights of a finished run into `zoo/weights/files`.

    The weights are named after what the recipe's name says behind the model's: `"cifar10"` for `resnet20_cifar10`. The
    file has the same bytes for the same weights. Before it is written, a model is built from it and must answer random
    pixels as the run's does.

    Args:
        run: a run folder whose model is one of the zoo's.
        **arguments: those of `zoo.build` that make the network of the run.

    Returns:
        The row for `zoo.weights.shipped.SHIPPED`, as text; `ruff format` brings it into shape.

    Raises:
        ZooError: not a finished run, not a model of the zoo's, or arguments that do not make its network.
    """
    from zoo import registry, runs
    from zoo.loading import load

    record, scores = runs.read(run), runs.metrics(run)
    require(scores, "run", str(run), "a finished run: it has no metrics.json")
    model = load(run)
    entry = registry.entry(model.name)
    name = Path(record["recipe"]).stem.removeprefix(f"{entry.name}_")
    twin = _built(entry, record, arguments)
    found = {**_constants(model, twin), **values(model)}
    put(twin, found, f"the weights of {run}")
    _compare(run, model, twin, arguments)
    content = _bytes(found)
    row = shipped.Shipped(
        file=f"{entry.name}_{name}.npz",
        sha256=hashlib.sha256(content).hexdigest(),
        arguments=arguments,
        labels=tuple(record["labels"] or ()),
        recipe=_call(record),
        number=", ".join(f"{key} {value:.4f}" for key, value in scores.items() if key.startswith("test_")),
    )
    shipped.FOLDER.mkdir(exist_ok=True)
    write_atomically(shipped.FOLDER / row.file, content)
    fields = ",\n".join(
        f"{field}={pprint.pformat(value, width=100, compact=True)}" for field, value in row._asdict().items()
    )
    return f"({entry.name!r}, {name!r}): Shipped(\n{fields},\n),"


def _built(entry, record, arguments):
    """The network that the arguments make, in the precision of the run."""
    import keras

    from zoo import registry

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(record["execution"]["precision"])
    try:
        return registry.build(entry.name, **arguments)
    finally:
        keras.config.set_dtype_policy(policy)


def _constants(model, twin):
    """The scaling of a model that was saved when it stood in the configuration, as the variables that it is now."""
    import keras

    found = {}
    for variable in twin.weights:
        layer, _, name = variable.path.rpartition("/")
        before = {each.name: each for each in model.layers}.get(layer)
        if isinstance(before, keras.layers.Rescaling):
            found[variable.path] = np.full(variable.shape, getattr(before, name), "float32")
    return found


def _compare(run, model, twin, arguments):
    """Refuses arguments that make another network than the run's."""
    import keras

    pixels = np.random.default_rng(0).integers(0, 256, (4, *model.input_shape[1:])).astype("float32")
    theirs, ours = ([np.array(part, "float32") for part in keras.tree.flatten(each(pixels))] for each in (model, twin))
    if [part.shape for part in theirs] != [part.shape for part in ours] or not all(map(_close, theirs, ours)):
        built = ", ".join(f"{key}={value!r}" for key, value in arguments.items()) or "no arguments"
        raise ZooError(
            f"zoo.build({twin.name!r}) with {built} answers otherwise than the model of {run}. Pass the arguments that "
            "its recipe builds it with"
        )


def _close(theirs, ours):
    return np.allclose(theirs, ours, rtol=0, atol=1e-5 * np.abs(theirs).max())


def _bytes(found):
    """An .npz file that depends on the arrays alone: no dates, no compression, whose bytes vary with its version."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in sorted(found.items()):
            member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980
            member.create_system = 3  # Unix, wherever this runs
            with archive.open(member, "w") as file:
                np.lib.format.write_array(file, np.asarray(array, "<f4", order="C"), (1, 0), allow_pickle=False)
    return content.getvalue()


def _call(record):
    """What trains such a run, as Python."""
    options = {"seed": record["seed"], "precision": record["execution"]["precision"], **record["hyper"]}
    return f"zoo.train({record['recipe']!r}, {', '.join(f'{key}={value!r}' for key, value in options.items())})"
