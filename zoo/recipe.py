"""What a recipe speaks with: `Data` and `Recipe` go in, a `Result` comes out; and how a recipe is found and called."""

import importlib
import importlib.util
import inspect
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo import sources
from zoo.errors import ArgumentError, ZooError, suggest


@dataclass(frozen=True)
class Data:
    """The streams of one task.

    Args:
        train: a `zoo.data.Stream`.
        validation: a `Stream`, or None.
        test: a `Stream`, or None; it is looked at once, after training.
        labels: names of the classes, in the order of the logits; None where there are none (regression).
        statistics: what a model may want to know of the training part: for tables `features` (their names),
            `normalization` (means and variances of the features) and, in regression, `target` (mean and standard
            deviation); for texts `vocabulary`, `level` and `length`; for series `columns`.
    """

    train: Any
    validation: Any = None
    test: Any = None
    labels: tuple | None = None
    statistics: dict = field(default_factory=dict)

    @property
    def parts(self):
        """The streams there are, by name."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: stream for name, stream in named.items() if stream is not None}


@dataclass(frozen=True)
class Recipe:
    """One fit: everything that training needs.

    Args:
        model: a compiled `keras.Model`; its learning rate is a float (a curve belongs into a `Schedule` callback).
        data: a `Data`.
        epochs: passes over the training data, at least 1.
        callbacks: `keras.callbacks.Callback` objects.
        objective: the monitored quantity and its direction: `("val_accuracy", "max")`.
        scores: the parts of the data whose loss and metrics are what came out, out of `"train"`, `"validation"` and
            `"test"`: a study of over-fitting wants the training part too.
        measures: functions `measure(model, data, part)` of the trained model, the `Data` and the name of a part, that
            return a dict from name to float: what a metric that sees one batch at a time cannot know. They are called
            for each part in `scores` when training has ended.
    """

    model: Any
    data: Data
    epochs: int
    callbacks: tuple = ()
    objective: tuple = ("val_loss", "min")
    scores: tuple = ("validation", "test")
    measures: tuple = ()


@dataclass(frozen=True)
class Result:
    """What a run left.

    Args:
        model: the trained `keras.Model`.
        metrics: a dict of floats: `test_*`, `val_*`, `seconds`, `epochs`, `parameters`.
        folder: a `pathlib.Path`, the run folder.
    """

    model: Any
    metrics: dict
    folder: Path

    def __repr__(self):
        from zoo import notebook

        return notebook.text(self)

    def _repr_html_(self):
        """What a notebook shows."""
        from zoo import notebook

        return notebook.page(self)


@dataclass(frozen=True)
class Source:
    """A recipe that was found: its module and what its signature says.

    Args:
        name: the recipe's name, or the path it was found by.
        module: the imported module with `recipe` and, optionally, `search`.
    """

    name: str
    module: Any

    @property
    def defaults(self):
        """Hyper-parameters and their defaults, in the order of the signature."""
        return {p.name: p.default for p in inspect.signature(self.module.recipe).parameters.values()}

    def arguments(self, hyper):
        """All hyper-parameters: the defaults, with `hyper` over them.

        Raises:
            ArgumentError: a hyper-parameter that the recipe does not have.
        """
        defaults = self.defaults
        for key, value in hyper.items():
            if key not in defaults:
                raise ArgumentError(
                    f"the recipe {self.name} has no hyper-parameter {key!r} (received: {key}={value!r})."
                    f"{suggest(key, defaults)} It takes: {', '.join(defaults)}."
                )
        return {**defaults, **hyper}


def find(name):
    """Finds a recipe by its name or by the path of a Python file.

    Args:
        name: a name of `zoo.sources.recipes()`, or a path that ends in `.py`.

    Returns:
        A `Source`.

    Raises:
        ZooError: no such recipe, or a file without a `recipe` function of plain keyword arguments.
    """
    path = sources.path_of(name)
    if str(name).endswith(".py"):
        module = _import_path(path)
        name = str(path.resolve())
    else:
        module = importlib.import_module(f"recipes.{name}")
    if not callable(getattr(module, "recipe", None)):
        raise ZooError(f"{name} defines no function `recipe(**hyper)` that returns a zoo.Recipe")
    for parameter in inspect.signature(module.recipe).parameters.values():
        if parameter.default is inspect.Parameter.empty:
            raise ZooError(
                f"every argument of a recipe has a default, which is its flag's. {name}: {parameter.name!r} has none"
            )
    return Source(name, module)


def _import_path(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
