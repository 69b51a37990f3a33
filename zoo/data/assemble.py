"""From arrays to a `Data`: the splits that a source does not come with, the checks, the streams."""

import numpy as np

from zoo.data import split
from zoo.data.shards import as_array, only
from zoo.data.stream import Stream
from zoo.errors import ZooError, require
from zoo.recipe import Data
from zoo.seeding import check_seed


def from_arrays(
    train,
    batch_size,
    *,
    validation=0.1,
    test=None,
    labels=None,
    augment=(),
    seed=None,
    statistics=None,
    examples=None,
):
    """Makes a `Data` of arrays in memory.

    Args:
        train: `(x, y)`. For images x is uint8 `(n, height, width, channels)`, raw values 0..255, an array or
            `StoredImages`; for feature vectors float32 `(n, features)`. y is an integer array `(n,)` of classes 0, 1,
            2, ..., or a float array `(n,)` of quantities (regression).
        batch_size: examples a batch, >= 1.
        validation: `(x, y)`, or the share to split from the training data, stratified, by `seed`: 0 <= share < 1, where
            0 means that there is none.
        test: `(x, y)`; None splits a fifth from the data, stratified, by a fixed seed: the same fifth in every run.
        labels: names of the classes; None counts "0", "1", ... up to the largest class.
        augment: an operation of `zoo.data.augment` or a sequence of them, for the training part.
        seed: integer for the validation split, the order and the augmentation; None takes the current seed.
        statistics: `function(x, y)` of the training part that returns `Data.statistics`.
        examples: how many training examples to keep, stratified, by `seed`, after all splits; None keeps them all.

    Returns:
        A `zoo.Data` of `Stream`s. In regression y has the shape `(n, 1)`, as a model's output has.

    Raises:
        ZooError: arrays that do not belong together, labels outside the range of the classes, one class only, too few
            examples to split.

    Example:
        >>> x = np.zeros((40, 8, 8, 1), "uint8")
        >>> data = from_arrays((x, np.arange(40) % 2), batch_size=4, labels=("off", "on"), seed=0)
        >>> data.train.size, data.validation.size, data.test.size
        (28, 4, 8)
    """
    seed = check_seed(seed)
    parts = {"train": train, "validation": validation if isinstance(validation, tuple | list) else None, "test": test}
    parts = {name: _checked(part, name) for name, part in parts.items() if part is not None}
    classes = np.issubdtype(parts["train"][1].dtype, np.integer)
    if classes:
        highest = max(int(y.max()) for _, y in parts.values())
        labels = tuple(str(k) for k in range(highest + 1)) if labels is None else tuple(map(str, labels))
        for name, (_, y) in parts.items():
            check_labels(y, labels, name)
        if len(np.unique(parts["train"][1])) < 2:
            raise ZooError(
                f"all {len(parts['train'][1])} training examples are of one class; a classifier needs two or more"
            )
    else:
        require(labels is None, "labels", labels, "None when y holds quantities: names belong to classes")
        parts = {name: (x, y.astype("float32").reshape(-1, 1)) for name, (x, y) in parts.items()}
    if test is None:
        parts["train"], parts["test"] = _split(parts["train"], classes, split.TEST_FRACTION, split.TEST_SEED, "test")
    if "validation" not in parts:
        require(0 <= validation < 1, "validation", validation, "a share in 0 <= validation < 1, or a pair (x, y)")
        if validation:
            parts["train"], parts["validation"] = _split(parts["train"], classes, validation, seed, "validation")
    if examples is not None:
        x, y = parts["train"]
        kept = split.sample(y if classes else np.zeros(len(y)), examples, seed)
        parts["train"] = only(x, kept), y[kept]
    streams = {
        name: Stream(part, batch_size, seed, augment=augment if name == "train" else ()) for name, part in parts.items()
    }
    found = statistics(*parts["train"]) if statistics else {}
    return Data(**streams, labels=labels if classes else None, statistics=found)


def check_labels(y, labels, name="these"):
    """Checks that every label is the number of a class.

    Args:
        y: integer array.
        labels: the names of the classes.
        name: what the examples are, for the message.

    Raises:
        ZooError: a label below 0 or beyond the last class.
    """
    wrong = np.flatnonzero((y < 0) | (y >= len(labels)))
    if len(wrong):
        raise ZooError(
            f"labels outside the range: {len(labels)} classes have the labels 0 to {len(labels) - 1}, and {len(wrong)} "
            f"of the {name} examples have others. The first: {y[wrong[0]]}, of example {wrong[0]}"
        )


def _checked(part, name):
    if len(part) != 2:
        raise ZooError(f"{name} must be a pair (x, y). Received {len(part)} arrays")
    x, y = (as_array(array) for array in part)
    if y.ndim != 1 or len(x) != len(y):
        raise ZooError(f"{name}: y must hold one number for each of the {len(x)} x. Received y of shape {y.shape}")
    return (x, y.astype("int32")) if np.issubdtype(y.dtype, np.integer) else (x, y)


def _split(part, classes, fraction, seed, name):
    x, y = part
    kept, taken = split.stratified(y if classes else np.zeros(len(y)), fraction, seed)
    if not len(kept) or not len(taken):
        raise ZooError(
            f"{len(y)} examples are too few to split {fraction:.0%} of them off as {name} data. More of them work, or "
            f"a {name} part of your own"
        )
    return (only(x, kept), y[kept]), (only(x, taken), y[taken])
