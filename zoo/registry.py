"""Names for models: `build`, `list_models`, `describe`, and `register` for models of one's own.

A model is a function of plain values that returns a `keras.Model`. What is known of it without building it stands in
the literal table of `zoo/catalogue.py`, so that nothing here imports Keras until `build` is called.
"""

import fnmatch
import importlib
import inspect
from dataclasses import dataclass, field

from zoo.errors import ArgumentError, ZooError, suggest

TASKS = (
    "classification",
    "regression",
    "segmentation",
    "autoencoding",
    "generation",
    "translation",
    "language",
    "transduction",
    "q_learning",
    "optimization",
)


@dataclass(frozen=True)
class Entry:
    """What is known of a model without building it.

    Args:
        name: the name that `build` takes.
        family: the module of `zoo.models` that holds its function: one family, one file, one paper.
        task: one of `TASKS`.
        paper: authors, year, title, section.
        input: the raw input, in words with shape and range.
        parameters: trainable parameters at the default arguments (and `preset`); a test counts them.
        summary: one line.
        function: name of the function in the family's module; by default the model's own name.
        preset: keyword arguments that make the variant; what the caller passes wins.
        tiny: keyword arguments that make a small one, for tests.
    """

    name: str
    family: str
    task: str
    paper: str
    input: str
    parameters: int
    summary: str
    function: str = ""
    preset: dict = field(default_factory=dict)
    tiny: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.task not in TASKS:
            raise ZooError(f"task of {self.name!r} must be one of {', '.join(TASKS)}. Received: {self.task!r}")
        if not self.function:
            object.__setattr__(self, "function", self.name)


_entries = {}
_functions = {}


def _table():
    if not _entries:
        from zoo.catalogue import ENTRIES

        for entry in ENTRIES:
            _add(entry)
    return _entries


def _add(entry):
    if entry.name in _entries:
        raise ZooError(
            f"a model named {entry.name!r} is registered already ({_entries[entry.name].summary}). "
            "Names are never overwritten: choose another one."
        )
    _entries[entry.name] = entry


def register(what):
    """Makes a function buildable by name.

    In the zoo's own modules it stands bare above a function whose entry is in the catalogue, and checks one against
    the other. For a model of your own, give it the entry.

    Args:
        what: the function (bare use), or an `Entry` to add before the function that follows.

    Returns:
        The function, unchanged.

    Raises:
        ZooError: a name that is taken, a function without an entry, or a preset that the function cannot take.

    Example:
        >>> import keras, zoo
        >>> @zoo.register(zoo.Entry("two_layers", family="mine", task="classification", paper="none", parameters=67,
        ...                         input="4 features", summary="a small network"))
        ... def two_layers(width=8):
        ...     x = keras.Input((4,))
        ...     return keras.Model(x, keras.layers.Dense(3)(keras.layers.Dense(width)(x)))
        >>> zoo.build("two_layers").count_params()
        67
    """
    if isinstance(what, Entry):
        _table()
        entry = what

        def add(function):
            if _functions.get((entry.family, entry.function)):
                raise ZooError(f"the function {entry.family}.{entry.function} is registered already")
            _check(entry, function)
            _add(entry)
            _functions[entry.family, entry.function] = function
            return function

        return add

    function = what
    family = function.__module__.rpartition(".")[2]
    mine = [e for e in _table().values() if (e.family, e.function) == (family, function.__name__)]
    if not mine:
        raise ZooError(
            f"{function.__module__}.{function.__name__} has no entry in zoo/catalogue.py. Add one, or register with "
            "@zoo.register(zoo.Entry(...))"
        )
    if (family, function.__name__) in _functions:
        raise ZooError(f"the function {family}.{function.__name__} is registered already")
    for entry in mine:
        _check(entry, function)
    _functions[family, function.__name__] = function
    return function


def _check(entry, function):
    known = inspect.signature(function).parameters
    for values in (entry.preset, entry.tiny):
        for key in values:
            if key not in known:
                raise ZooError(f"the entry of {entry.name!r} sets {key!r}, which {function.__name__} does not take")


def entry(name):
    """The `Entry` of a model.

    Raises:
        ZooError: an unknown name, answered with close matches.
    """
    table = _table()
    if name not in table:
        raise ZooError(f"there is no model named {name!r}.{suggest(name, table)} `zoo list` shows all {len(table)}.")
    return table[name]


def builder(name):
    """The function behind a model's name, its module imported when it must be."""
    found = entry(name)
    key = found.family, found.function
    if key not in _functions:
        importlib.import_module(f"zoo.models.{found.family}")
    return _functions[key]


def build(name, weights=None, **arguments):
    """Builds a model by name.

    With `weights` it starts from what was trained before, preprocessing included: the model takes raw pixels 0..255
    whatever its weights were trained on. Arguments that such weights fix, such as `epsilon`, are set by themselves. The
    last layer, and auxiliary ones, come along when they are for as many classes; with another `num_classes` they keep
    their random start, which is where fine-tuning begins. With `include_top=False` only the trunk is taken.

    Args:
        name: a name of `list_models()`.
        weights: None for the random start that each model's docstring describes, or

            - `"imagenet"` for vgg16, vgg19, resnet50, resnet101 and resnet152: what `keras.applications` distributes.
              It is downloaded once into `~/.keras/models` and checked by the hash that Keras publishes. Raw RGB pixels
              give the probabilities that Keras' network gives behind its `preprocess_input`. VGG's dense layers need
              images of 224 x 224;
            - the name of weights that the zoo brings along (`zoo.weights.shipped.SHIPPED`), checked by their SHA-256;
            - the path of a `.safetensors` or `.npz` file: a PyTorch state dict of torchvision's network;
            - the path of a run folder, or of a `.keras` file that the zoo saved: the same network, trained on the same
              classes or on others.
        **arguments: the model's own arguments, all plain values; `describe(name)` lists them.

    Returns:
        A `keras.Model`, not compiled, whose `name` is the registry's: a Functional graph from raw inputs to outputs.

    Raises:
        ZooError: an unknown name, a value that the model cannot take, weights that it cannot take or that could not be
            fetched or verified, or an argument that contradicts them.
        ArgumentError: an argument that the model does not have.

    Example:
        >>> model = zoo.build("lenet", num_classes=10)
        >>> model.output_shape
        (None, 10)
        >>> model.save("lenet.keras")
        >>> again = zoo.build("lenet", weights="lenet.keras", num_classes=3)  # another head
        >>> bool((again.get_weights()[0] == model.get_weights()[0]).all())
        True
    """
    found = entry(name)
    function = builder(name)
    known = inspect.signature(function).parameters
    for key, value in arguments.items():
        if key not in known:
            raise ArgumentError(
                f"the model {name!r} has no argument {key!r} (received: {key}={value!r}).{suggest(key, known)} "
                f"It takes: {', '.join(known)}."
            )
    if weights is not None:
        from zoo.weights import build as build_with

        return build_with(found, function, arguments, weights)
    model = function(**{**found.preset, **arguments})
    model.name = name
    return model


def list_models(pattern="*", task=None):
    """The names of the models, sorted.

    Args:
        pattern: a shell pattern, such as `"lenet*"`.
        task: only models of this task (one of `zoo.registry.TASKS`).

    Returns:
        A list of names.

    Raises:
        ZooError: an unknown task.

    Example:
        >>> zoo.list_models("lenet*")
        ['lenet', 'lenet5']
    """
    if task is not None and task not in TASKS:
        raise ZooError(f"task must be one of {', '.join(TASKS)}. Received: task={task!r}.{suggest(task, TASKS)}")
    return sorted(
        e.name for e in _table().values() if fnmatch.fnmatch(e.name, pattern) and (task is None or e.task == task)
    )


def describe(name):
    """What is known of a model, without importing Keras.

    Args:
        name: a model's name.

    Returns:
        A dict: `name`, `summary`, `task`, `paper`, `input`, `parameters`, `preset`, `arguments` (the text of the
        function's signature), `weights` (names that `build` takes), `variants` (names of the same family),
        `recipes` (names of the recipes that train it) and `shipped` (a dict from those of the weights that the zoo
        brings along to `number`, `recipe`, `build`, `file`, `bytes` and `sha256`).

    Raises:
        ZooError: an unknown name.
    """
    from zoo import sources, weights
    from zoo.weights import shipped

    found = entry(name)
    # A model of the user's own is registered with its function; the zoo's are read from their source.
    written = _functions.get((found.family, found.function)) if found.family not in sources.families() else None
    return {
        "name": found.name,
        "summary": found.summary,
        "task": found.task,
        "paper": found.paper,
        "input": found.input,
        "parameters": found.parameters,
        "preset": dict(found.preset),
        "arguments": str(inspect.signature(written))[1:-1] if written else sources.signature(found),
        "weights": weights.names(found),
        "variants": sorted(e.name for e in _table().values() if e.family == found.family and e.name != name),
        "recipes": sources.recipes_of(name),
        "shipped": shipped.told(found),
    }
