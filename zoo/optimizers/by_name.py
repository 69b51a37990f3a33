"""Every optimizer of the courses by one name each, for recipes, the command line and the tuner."""

import inspect
import math
from numbers import Real
from typing import NamedTuple

from keras import optimizers

from zoo.errors import ArgumentError, ZooError, require, suggest
from zoo.optimizers.lookahead import Lookahead
from zoo.optimizers.rmsprop_nesterov import RMSpropNesterov


class Row(NamedTuple):
    """What stands behind a name: an option may change what is `given`; what is `fixed` is what the name means."""

    kind: type
    learning_rate: float
    source: str
    given: dict
    fixed: dict


TABLE = {
    "sgd": Row(optimizers.SGD, 0.01, "Robbins & Monro 1951", {}, {}),
    "momentum": Row(optimizers.SGD, 0.01, "Polyak 1964", {"momentum": 0.9}, {"nesterov": False}),
    "nesterov": Row(optimizers.SGD, 0.01, "Sutskever et al. 2013", {"momentum": 0.9}, {"nesterov": True}),
    "adagrad": Row(optimizers.Adagrad, 0.01, "Duchi et al. 2011", {}, {}),
    "adadelta": Row(optimizers.Adadelta, 1.0, "Zeiler 2012", {}, {}),
    "rmsprop": Row(optimizers.RMSprop, 0.001, "Tieleman & Hinton 2012", {}, {}),
    "rmsprop_nesterov": Row(RMSpropNesterov, 0.001, "Goodfellow et al. 2016, algorithm 8.6", {}, {}),
    "adam": Row(optimizers.Adam, 0.001, "Kingma & Ba 2015, algorithm 1", {}, {"amsgrad": False}),
    "amsgrad": Row(optimizers.Adam, 0.001, "Reddi et al. 2018", {}, {"amsgrad": True}),
    "adamax": Row(optimizers.Adamax, 0.002, "Kingma & Ba 2015, algorithm 2", {}, {}),
    "nadam": Row(optimizers.Nadam, 0.001, "Dozat 2016", {}, {}),
    "adamw": Row(optimizers.AdamW, 0.001, "Loshchilov & Hutter 2019", {}, {}),
    "lion": Row(optimizers.Lion, 0.0001, "Chen et al. 2023", {}, {}),
    # The authors leave the last layer to AdamW; in the zoo's models it is called "output".
    "muon": Row(optimizers.Muon, 0.001, "Jordan et al. 2024; Liu et al. 2025", {"exclude_layers": [r"\boutput/"]}, {}),
}
NAMES = tuple(TABLE)
PREFIX = "lookahead_"


def optimizer(name, learning_rate=None, **options):
    r"""An optimizer by its name: Keras' own class wherever Keras has one.

    The default rate is the authors' where they name one, else Keras'; Adagrad's is the customary one (Ruder 2016,
    section 4.3). Every other default is that of the class, unless the table says otherwise.

    | name | class | rate | Keras' rate | source |
    |---|---|---|---|---|
    | `sgd` | `SGD` | 0.01 | 0.01 | Robbins & Monro 1951 |
    | `momentum` | `SGD`, `momentum=0.9` | 0.01 | 0.01 | Polyak 1964 |
    | `nesterov` | `SGD`, `momentum=0.9`, `nesterov=True` | 0.01 | 0.01 | Sutskever et al. 2013 |
    | `adagrad` | `Adagrad` | 0.01 | 0.001 | Duchi et al. 2011 |
    | `adadelta` | `Adadelta` | 1.0 | 0.001 | Zeiler 2012 |
    | `rmsprop` | `RMSprop` | 0.001 | 0.001 | Tieleman & Hinton 2012 |
    | `rmsprop_nesterov` | `RMSpropNesterov` | 0.001 | none | Goodfellow et al. 2016, algorithm 8.6 |
    | `adam` | `Adam` | 0.001 | 0.001 | Kingma & Ba 2015, algorithm 1 |
    | `amsgrad` | `Adam`, `amsgrad=True` | 0.001 | 0.001 | Reddi et al. 2018 |
    | `adamax` | `Adamax` | 0.002 | 0.001 | Kingma & Ba 2015, algorithm 2 |
    | `nadam` | `Nadam` | 0.001 | 0.001 | Dozat 2016 |
    | `adamw` | `AdamW` | 0.001 | 0.001 | Loshchilov & Hutter 2019 |
    | `lion` | `Lion` | 0.0001 | 0.001 | Chen et al. 2023 |
    | `muon` | `Muon`, `exclude_layers=[r"\boutput/"]` | 0.001 | 0.001 | Jordan et al. 2024; Liu et al. 2025 |

    `lookahead_` before any of these names puts `Lookahead` (Zhang et al. 2019) around it.

    Muon orthogonalises matrices only. Vectors, convolution kernels (of four dimensions), variables with "embedding" in
    their path and those whose path matches a pattern of `exclude_layers` are stepped by AdamW at the same rate; its
    authors leave out the last layer, which the zoo's models call "output".

    Args:
        name: a name of the table, with or without the prefix.
        learning_rate: above 0; None takes the table's.
        **options: what the class takes besides (`momentum`, `beta_1`, `weight_decay`, `clipnorm`...), except what the
            name itself says (`nesterov`, `amsgrad`); with the prefix also `k` and `alpha`. Weight decay is decoupled
            from the gradient and multiplied by the rate in all of them, not only in AdamW.

    Returns:
        A `keras.optimizers.Optimizer`, not built.

    Raises:
        ZooError: an unknown name, or a learning rate that is no positive number.
        ArgumentError: an option that the optimizer does not have.

    Example:
        >>> optimizer("nesterov", 0.1, momentum=0.95).get_config()["nesterov"]
        True
        >>> optimizer("lookahead_adam", k=10).inner_optimizer.beta_1
        0.9
    """
    row = TABLE.get(name.removeprefix(PREFIX)) if isinstance(name, str) else None
    if row is None:
        names = ", ".join(map(repr, NAMES))
        close = suggest(name, [*NAMES, *(PREFIX + known for known in NAMES)])
        raise ZooError(
            f"optimizer must be one of {names}, or one of these behind {PREFIX!r}. Received: optimizer={name!r}.{close}"
        )
    rate = row.learning_rate if learning_rate is None else learning_rate
    require(
        isinstance(rate, Real) and 0 < rate < math.inf,
        "learning_rate",
        rate,
        "a number above 0, or None for the optimizer's own (a rate that changes is callbacks.Schedule's)",
    )
    around = {"k", "alpha"} if name.startswith(PREFIX) else set()
    allowed = around | _arguments(row.kind) - set(row.fixed)
    for option, value in options.items():
        if option not in allowed:
            raise ArgumentError(
                f"the optimizer {name!r} has no option {option!r} (received: {option}={value!r})."
                f"{suggest(option, allowed)} It takes: {', '.join(sorted(allowed))}."
            )
    outer = {option: options.pop(option) for option in around & set(options)}
    made = row.kind(float(rate), **{**row.given, **options, **row.fixed})
    return Lookahead(made, **outer) if around else made


def _arguments(kind):
    """The arguments of an optimizer that count as options: its own, and those that all optimizers share."""
    signatures = [inspect.signature(cls.__init__) for cls in kind.__mro__ if "__init__" in vars(cls)]
    named = {n for s in signatures for n, p in s.parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD}
    return named - {"self", "name", "learning_rate"}
