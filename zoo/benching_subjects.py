"""What `zoo bench` measures: networks, random examples for them, and how they are compiled for training."""

import contextlib
import functools

import keras
import numpy as np

from callbacks.replace import replaced
from zoo import execution, recipe, sources
from zoo.data.stream import Stream
from zoo.errors import ZooError
from zoo.language_model import LanguageModel
from zoo.losses import Value

# Sides of an image where the network takes any: those of the parts that SRGAN's paper trains on.
SIDE = 24
# Images of the sets that recipes ask for: their shape. Random ones stand in for them, which nothing here can tell.
SETS = {"mnist": (28, 28, 1), "fashion_mnist": (28, 28, 1), "cifar10": (32, 32, 3)}
COUNT = 2000


def inputs(model, n, seed=0):
    """Random examples of what a model takes.

    Args:
        model: a built model of the zoo.
        n: how many.
        seed: of the numbers.

    Returns:
        A list of an array (n, ...) for each input: bytes for images, small letters for texts, 0 for classes and states,
        normal numbers for all else. Texts have 64 symbols, images of any size 24 x 24 pixels.
    """
    random = np.random.default_rng(seed)
    return [_random(random, tensor, n) for tensor in model.inputs]


def _random(random, tensor, n):
    shape = tuple(tensor.shape[1:])
    if keras.backend.is_int_dtype(tensor.dtype) and len(shape) < 3:
        if not shape:
            return np.zeros(n, "int32")
        return random.integers(ord("a"), ord("z") + 1, (n, *(side or execution.STEPS for side in shape)), "int32")
    if len(shape) == 3:
        return random.integers(0, 256, (n, *(side or SIDE for side in shape)), "uint8")
    return random.standard_normal((n, *shape), "float32")


def stream(model, task, n):
    """Batches of n random examples, as the model's `fit` takes them.

    Args:
        model: a model of the zoo.
        task: its task.
        n: examples of a batch.

    Returns:
        A `zoo.data.Stream`, which gives the same batch without end.

    Raises:
        ZooError: an agent, which learns from an environment.
    """
    if task == "q_learning":
        raise ZooError("an agent learns in an environment, whose time it would be; see benchmarks/agents.py")
    random = np.random.default_rng(1)
    xs = inputs(model, n)
    if hasattr(model, "discriminator"):
        if model.translates:
            return _repeated(n, xs[0], random.integers(0, 256, (n, *_made(model, xs)), "uint8"))
        shape = model.outputs[0].shape[1:]
        real = random.integers(0, 256, (n, *shape), "uint8")
        return _repeated(n, real if len(shape) == 3 else real.astype("float32"), *xs[1:])
    if task == "autoencoding":
        return _repeated(n, xs[0], (xs[0] / 255).astype("float32"))
    if task == "translation":
        return _repeated(n, xs[0], random.integers(0, 256, (n, *_made(model, xs)), "uint8"))
    if task == "optimization":
        return _repeated(n, xs[0], np.zeros(n, "float32"))
    outputs = model.output if isinstance(model.output, dict) else {"": model.outputs[0]}
    steps = (execution.STEPS,) if task in ("language", "transduction") else None
    ys = [random.integers(0, o.shape[-1], (n, *(steps or o.shape[1:-1])), "int32") for o in outputs.values()]
    return _named(model, n, xs, ys, list(outputs))


def _made(model, xs):
    """The shape of what comes out for these inputs, without the first dimension."""
    return tuple(model.compute_output_shape((1, *xs[0].shape[1:])))[1:]


def _repeated(n, *arrays):
    return Stream(arrays, n, seed=0, shuffle=False)


def _named(model, n, xs, ys, names):
    """A stream whose elements have the structure of a model's inputs, and of its outputs by these names."""

    def parts(*arrays):
        x, y = arrays[: len(xs)], arrays[len(xs) :]
        x = keras.tree.pack_sequence_as(model.input, x)
        return x, y[0] if names == [""] else dict(zip(names, y, strict=True))

    return Stream([*xs, *ys], n, seed=0, shuffle=False, map=parts)


def built(name):
    """A recipe as `zoo train` would begin it, with random images for its data where those need a download.

    Args:
        name: a recipe's name.

    Returns:
        A `zoo.Recipe`.

    Raises:
        ZooError: its data is none that comes with the zoo or that random images can stand in for.
    """
    import zoo.data.tfds

    source = recipe.find(name)
    with replaced(zoo.data.tfds, "load", _stand_in), replaced(zoo.data.tfds, "read_set", _absent):
        return source.module.recipe(**source.arguments({}))


def _stand_in(name, size=None, channels=None):
    if name not in SETS:
        _absent(name)
    random = np.random.default_rng(0)
    shape = (*(size or SETS[name][:2]), channels or SETS[name][2])
    parts = {
        part: (random.integers(0, 256, (COUNT, *shape), "uint8"), np.arange(COUNT, dtype="int32") % 10)
        for part in ("train", "test")
    }
    return parts, tuple("0123456789")


def _absent(name, *_):
    raise ZooError(f"{name} is a set that would have to be downloaded")


def compilations(model, entry):
    """Ways to compile a model for training, the best first.

    Args:
        model: the built model.
        entry: its `zoo.Entry`.

    Returns:
        A list of pairs: whose it is, the name of a recipe or "standard"; and a function that compiles the model so. One
        of a recipe is from the first that can be built, and may not fit the model, as the recipe may build it with
        other outputs.
    """
    found = []
    # One that is named for the model is nearer to it than a study that uses it.
    for name in sorted(sources.recipes_of(entry.name), key=lambda name: not name.startswith(entry.name)):
        with contextlib.suppress(ZooError, ImportError):
            theirs = built(name).model
            if theirs.name == entry.name and len(theirs.outputs) == len(model.outputs):
                found.append((name, functools.partial(model.compile_from_config, theirs.get_compile_config())))
                break
    return [*found, ("standard", functools.partial(_standard, model, entry.task))]


def _standard(model, task):
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if hasattr(model, "discriminator"):
        content = dict(content=keras.losses.MeanAbsoluteError()) if model.translates else {}
        model.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), **content)
    elif isinstance(model, LanguageModel) or task == "transduction":
        model.compile(keras.optimizers.Adam(0.001), crossentropy)
    elif task in ("autoencoding", "translation"):
        model.compile(keras.optimizers.Adam(0.001), keras.losses.MeanSquaredError())
    elif task == "optimization":
        model.compile(keras.optimizers.SGD(0.001), Value())
    else:
        names = model.output if isinstance(model.output, dict) else None
        model.compile(keras.optimizers.SGD(0.01, 0.9), dict.fromkeys(names, crossentropy) if names else crossentropy)
