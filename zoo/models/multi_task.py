"""Multi-task networks: one trunk that all tasks share, and a head for each.

Caruana 1997, Multitask Learning, Machine Learning 28.
"""

import keras

from zoo.errors import ZooError, require
from zoo.models import _inputs
from zoo.registry import build, entry, register

HEADS = {"logits": 10, "parity": 2}  # the digit, and whether it is odd


@register
def multi_task(trunk="lenet", heads=None, arguments=None):
    """A classification network whose last layer is replaced by one for each task (Caruana 1997, section 2).

        pixels -> trunk without its last layer -> features -> logits
                                                          \\-> parity
                                                          \\-> ...

    The features learn from all tasks: what one knows of the input is a hint for the others. Compile a loss for each
    name, weighed by `loss_weights`, and let the data give a dict of targets with all of them (`Stream.mapped`).
    Exported files answer with the logits only.

    Args:
        trunk: name of a classification model that ends in one layer from features to logits: any but `ensemble`.
        heads: dict from a task's name to its number of classes, an integer >= 2, or 1 for a quantity. One is "logits",
            the main task, whose answers export and reports show. By default the digit and its parity: {"logits": 10,
            "parity": 2}.
        arguments: dict of the trunk's own arguments, such as `input_shape`, without `num_classes`.

    Returns:
        A `keras.Model` from the trunk's input to a dict of (batch, classes), one for each head. Its layers are those of
        the trunk, and heads named as their tasks.

    Raises:
        ZooError: a trunk that is no such network, heads without "logits" or with the name of one of the trunk's layers,
            or arguments that the trunk cannot take.

    Differences from the paper:
        - Caruana's nets share one hidden layer, and train on squared errors.

    Example:
        >>> import zoo
        >>> model = zoo.build("multi_task", trunk="resnet20", heads={"logits": 10, "vehicle": 2})
        >>> {name: tuple(output.shape) for name, output in model.output.items()}
        {'logits': (None, 10), 'vehicle': (None, 2)}
    """
    heads = HEADS if heads is None else heads
    works = 'a dict from names to numbers of classes, with "logits" among them'
    require(isinstance(heads, dict) and "logits" in heads, "heads", heads, works)
    for name, units in heads.items():
        require(isinstance(name, str) and name.isidentifier(), "each name of heads", name, "a word")
        _inputs.integer(f"heads[{name!r}]", units, 1)
    require(arguments is None or isinstance(arguments, dict), "arguments", arguments, "a dict")
    given = arguments or {}
    require(
        "num_classes" not in given, "arguments", given, "without num_classes: heads says how many classes there are"
    )
    require(entry(trunk).task == "classification", "trunk", trunk, "the name of a classification model")
    model = build(trunk, **given)
    last, features = _end(model)
    taken = {layer.name for layer in model.layers if layer is not last} & set(heads)
    require(not taken, "heads", heads, f"named otherwise than layers of {trunk}: {', '.join(sorted(taken))}")
    outputs = {name: keras.layers.Dense(units, dtype="float32", name=name)(features) for name, units in heads.items()}
    return keras.Model(model.inputs[0], outputs, name="multi_task")


def _end(model):
    """The last layer of a classifier, and what it sees."""
    output = model.output
    last = output._keras_history.operation if isinstance(output, keras.KerasTensor) else None
    features = getattr(last, "input", None)
    ranks = [len(each.shape) for each in (features, output) if isinstance(each, keras.KerasTensor)]
    if ranks != [2, 2]:
        raise ZooError(
            "the trunk must end in one layer from features (batch, n) to logits (batch, classes). "
            f"Received: {model.name!r} with the output {output}"
        )
    return last, features
