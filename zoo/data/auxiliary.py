"""Targets for models with several outputs of one meaning, such as auxiliary classifiers."""

import dataclasses
import functools

from zoo.errors import ZooError, require


def repeated(data, names):
    """Gives every named output of a model the same targets.

    Keras wants a target for each key of a model's output, also for those without a loss: a GoogLeNet with its auxiliary
    classifiers takes the labels three times.

    Args:
        data: a `zoo.Data` with elements `(x, y)`, or `(x, y, weights)`.
        names: the names of the outputs, different strings.

    Returns:
        A `zoo.Data` with elements `(x, {name: y})`, or `(x, {name: y}, {name: weights})`; order and augmentation are
        those of `data`.

    Raises:
        ZooError: no names, names that are not different strings, or targets that have names already.

    Example:
        >>> data = repeated(zoo.data.images("digits", 32), ("logits", "aux1", "aux2"))
        >>> x, y = data.train.batch(epoch=0, step=0)
        >>> sorted(y), y["aux1"].shape
        (['aux1', 'aux2', 'logits'], (32,))
    """
    fits = isinstance(names, list | tuple) and names and all(isinstance(name, str) for name in names)
    require(fits and len(set(names)) == len(names), "names", names, "a list of different strings")
    parts = {}
    for part, stream in data.parts.items():
        if isinstance(stream.element_spec[1], dict):
            raise ZooError(
                f"the targets of the {part} data have names already: {', '.join(stream.element_spec[1])}. "
                "Name all outputs at once"
            )
        parts[part] = stream.mapped(functools.partial(_named, tuple(names)))
    return dataclasses.replace(data, **parts)


def _named(names, x, *others):
    return (x, *(dict.fromkeys(names, each) for each in others))
