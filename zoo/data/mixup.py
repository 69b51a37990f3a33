"""Mixup and CutMix: training on mixtures of two examples, labels included."""

import dataclasses
import functools

import numpy as np

from zoo.data import ops
from zoo.errors import ZooError, require

# Shares are whole multiples of 1/256: mixing bytes is exact then, and the labels' share is the pixels' own.
STEPS = 256


def mixup(data, alpha=0.2):
    """Mixes each training example with another one: `share x + (1 - share) x'`, and the labels alike.

    Source: Zhang, Cisse, Dauphin, Lopez-Paz 2017, mixup: beyond empirical risk minimization (arXiv:1710.09412). The
    share comes from Beta(alpha, alpha), rounded to 1/256, anew for each example; the paper's code draws one a batch.

    An example's share is a function of (seed, epoch, example). Its partner is the next example of the batch, behind
    augmentation, and the last one's is the first: the order is new in each epoch, so the partner is too, and it depends
    on the batch size. An example alone in its batch stays as it is.

    Labels become rows of probabilities, in all parts of the data, so that one loss and one accuracy serve them all:
    compile with `keras.losses.CategoricalCrossentropy(from_logits=True)` or `zoo.losses.SmoothedCrossentropy()`. The
    accuracy of the training is then that of naming the class with the larger share. Validation and test are not mixed,
    and `stream.arrays` keeps the integer labels.

    Args:
        data: a `zoo.Data` with elements (x, y), for a classifier: uint8 images stay uint8, float features stay float.
            Names for several outputs come after it: `repeated(mixup(data), names)`.
        alpha: positive number. Small values leave most examples almost as they are, 1 draws all shares alike.

    Returns:
        A `zoo.Data` with elements (x, y float32 `(batch, classes)`).

    Raises:
        ZooError: `alpha` that is not positive; data without classes, with weights, or with several targets.

    Example:
        >>> data = mixup(zoo.data.images("digits", 32, seed=0), alpha=0.2)
        >>> x, y = data.train.batch(epoch=0, step=0)
        >>> x.dtype, y.shape, y.sum(axis=1).tolist() == [1.0] * 32
        (dtype('uint8'), (32, 10), True)
    """
    edges = _edges(alpha)

    def mix(x, y, draws):
        xp = ops.of(x)
        share = xp.searchsorted(edges, draws(1)[:, 0])
        flat, other = (xp.reshape(each, (-1, int(np.prod(x.shape[1:])))) for each in (x, _partners(x)))
        if x.dtype == "uint8":
            # 255 * 256 + 128 fits into 16 bits.
            flat, other, part = (xp.cast(each, "uint16") for each in (flat, other, share[:, None]))
            mixed = xp.cast(xp.shift_right(flat * part + other * (STEPS - part) + 128, 8), "uint8")
        else:
            part = xp.cast(share[:, None], x.dtype) * (1 / STEPS)
            mixed = flat * part + other * (1.0 - part)
        return xp.reshape(mixed, (-1, *x.shape[1:])), _mixed_labels(y, xp.cast(share, "float32") * (1 / STEPS))

    return _mixing(data, mix)


def cutmix(data, alpha=1.0):
    """Replaces a rectangle of each training image by the same part of another one; labels by the share of the area.

    Source: Yun, Han, Oh, Chun, Choe, Yoo 2019, CutMix: regularization strategy to train strong classifiers with
    localizable features (arXiv:1905.04899), section 3.1. The rectangle has the image's proportions and its centre
    anywhere in the image; its part of the area, before the image's border cuts it, is 1 - share, with a share from
    Beta(alpha, alpha) rounded to 1/256. The labels' share is that of the pixels that are left.

    Shares, partners, labels and losses are as in `mixup`: share and place are functions of (seed, epoch, example), the
    partner is the next example of the batch. `cutmix(mixup(data))` does one after the other.

    Args:
        data: a `zoo.Data` with elements (x, y), of uint8 images, for a classifier.
        alpha: positive number; 1, the paper's, draws all areas alike.

    Returns:
        A `zoo.Data` with elements (x, y float32 `(batch, classes)`).

    Raises:
        ZooError: `alpha` that is not positive; data that are not images, without classes, with weights, or with several
            targets.

    Example:
        >>> data = cutmix(zoo.data.images("digits", 32, seed=0))
        >>> data.train.element_spec
        (((None, 8, 8, 1), 'uint8'), ((None, 10), 'float32'))
    """
    edges = _edges(alpha)
    shape = data.train.input_shape
    fits = len(shape) == 3 and data.train.arrays[0].dtype == np.uint8
    require(fits, "data", data.train, "uint8 images (n, height, width, channels), for cutmix")
    # Looked up: square roots may differ in the last bit, and TensorFlow turns a division into a multiplication.
    sides = [np.int32(length * np.sqrt(1 - np.arange(STEPS + 1) / STEPS) + 0.5) for length in shape[:2]]
    area = shape[0] * shape[1]
    left = np.float32(1 - np.arange(area + 1) / area)

    def mix(x, y, draws):
        xp = ops.of(x)
        numbers = draws(3)
        share = xp.searchsorted(edges, numbers[:, 0])
        inside, covered = [], 1
        for axis, length in enumerate(shape[:2]):
            side = xp.take(sides[axis], share)[:, None]
            first = xp.cast(numbers[:, 1 + axis] * length, "int32")[:, None] - side // 2
            place = xp.arange(length)[None, :]
            within = xp.cast((place >= first) & (place < first + side), "int32")
            covered = covered * xp.reduce_sum(within, 1)
            inside.append(xp.cast(within, "uint8") * 255)
        hole = (inside[0][:, :, None] & inside[1][:, None, :])[..., None]
        changed = x ^ ((x ^ _partners(x)) & hole)
        return changed, _mixed_labels(y, xp.take(left, covered))

    return _mixing(data, mix)


def _edges(alpha):
    """The ends of the shares' intervals, seen from uniform numbers: share k / 256 lies between edges k - 1 and k."""
    from scipy.special import betainc

    require(isinstance(alpha, int | float) and 0 < alpha < np.inf, "alpha", alpha, "a positive number")
    return betainc(alpha, alpha, (np.arange(STEPS) + 0.5) / STEPS).astype("float32")


def _partners(values):
    xp = ops.of(values)
    count = xp.shape(values)[0]
    return xp.take(values, (xp.arange(count) + 1) % count)


def _mixed_labels(rows, share):
    return rows * share[:, None] + _partners(rows) * (1.0 - share[:, None])


def _mixing(data, mix):
    """The data with `mix(x, rows, draws)` behind the augmentation of the training part, and labels as rows."""
    train = data.train
    if data.labels is None:
        raise ZooError("mixing needs the labels of classes, and this data has none: its targets are quantities")
    classes = len(data.labels)
    element = train.element_spec
    fits = isinstance(element, tuple) and len(element) == len(train.arrays) == 2 and isinstance(element[1], tuple)
    if not fits or element[1][0] not in ((None,), (None, classes)):
        raise ZooError(
            f"mixing takes elements (x, y) with one label each, and no weights. Received: {element}. Name several "
            "outputs afterwards: zoo.data.repeated(zoo.data.mixup(data), names)"
        )
    if train.arrays[0].dtype != np.uint8 and train.arrays[0].dtype.kind != "f":
        raise ZooError(f"mixing takes uint8 images or float features. Received x of type {train.arrays[0].dtype}")
    rows = functools.partial(_rows, classes)

    def op(x, y, draws):
        return mix(*rows(x, y), draws)

    parts = {part: stream.mapped(rows) for part, stream in data.parts.items()}
    return dataclasses.replace(data, **{**parts, "train": parts["train"].mixed(op)})


def _rows(classes, x, y):
    if len(y.shape) == 2:  # An earlier mixing made them.
        return x, y
    xp = ops.of(y)
    return x, xp.cast(xp.cast(y, "int32")[:, None] == xp.arange(classes), "float32")
