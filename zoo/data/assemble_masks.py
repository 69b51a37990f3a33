"""From images and masks in memory to a `Data`: the splits, the checks, weights, windows, the streams."""

import functools

import numpy as np

from zoo.data import borders, ops, split
from zoo.data.stream import Stream
from zoo.data.windows import places, windows
from zoo.errors import ZooError, require
from zoo.recipe import Data
from zoo.seeding import check_seed


def from_masks(
    train,
    batch_size,
    *,
    validation=0.1,
    test=None,
    labels=None,
    mix=(),
    weights=False,
    repeats=1,
    examples=None,
    seed=None,
):
    """Makes a `Data` for segmentation of images and masks in memory.

    Args:
        train: `(x, mask)`: x uint8 `(n, height, width, channels)` with raw values 0..255, mask integers
            `(n, height, width)`, the class of each pixel. Images of different sizes are lists of such arrays without
            the first dimension, and need a window in `mix`.
        batch_size: examples a batch, >= 1.
        validation: `(x, mask)`; or the share of the training images to split off at random, by `seed`, 0 <= share < 1;
            or the positions of images in `train`, such as `range(20, 24)`: neighbouring slices of a volume look alike,
            so that a random split of them tells nothing.
        test: as `validation`, without the share; None splits off a fifth at random by a fixed seed.
        labels: names of the classes, the background first where there is one; None counts "0", "1", ....
        mix: an operation of `zoo.data.paired` or a sequence of them, for the training part. When one of them cuts
            windows (`crop`, or `warp` with a size), validation and test are cut by `zoo.data.paired.windows` into the
            same: all parts have the same shapes, and `stream.arrays` the whole images. A batch of them has all the
            windows of an image, or of several as long as they are no more than `batch_size`.
        weights: whether elements of training and validation have a third part, the weights of the pixels: True for
            `zoo.data.borders.weight_map` with the class weights of the training masks, or a function that makes of a
            mask `(height, width)` an array of that shape.
        repeats: how often an epoch has each training image, each time drawn anew by `mix`; None takes as many as it
            takes windows to cover an image.
        examples: how many training images to keep, after all splits, by `seed`; None keeps them all.
        seed: integer for the validation split, the order and `mix`; None takes the current seed.

    Returns:
        A `zoo.Data` of `Stream`s with elements (x uint8 `(batch, height, width, channels)`, mask int32
        `(batch, height', width')`), and float32 weights of the masks' shape. Images of different sizes are cut into
        pieces of the smallest height and width there are, after all splits, that overlap no more than they must;
        nothing is scaled, padded or lost.

    Raises:
        ZooError: arrays that do not belong together, a class without a name, positions that are no images or in both
            parts, too few images to split, different sizes without a window, more than one window.

    Example:
        >>> x, mask = np.zeros((12, 32, 32, 1), "uint8"), np.zeros((12, 32, 32), "uint8")
        >>> data = from_masks((x, mask), 4, labels=("off", "on"), test=range(2), mix=zoo.data.paired.crop(16), seed=0)
        >>> data.train.size, data.validation.size, data.test.size, data.train.input_shape
        (9, 1, 2, (16, 16, 1))
    """
    seed = check_seed(seed)
    mix = (mix,) if callable(mix) else tuple(mix)
    window = window_of(mix)
    parts = _parts({"train": train, "validation": validation, "test": test}, seed)
    labels = _labels(parts, labels)
    if examples is not None:
        kept = split.sample(np.zeros(len(parts["train"][0])), examples, seed)
        parts["train"] = _taken(parts["train"], kept)
    if weights is True:
        balance = borders.balance(np.concatenate([np.ravel(each) for each in parts["train"][1]]), len(labels))
        weights = functools.partial(borders.weight_map, class_weights=balance)
    for name in ("train", "validation"):
        if weights and name in parts:
            parts[name] = (*parts[name], _weighed(weights, parts[name][1], name))
    sizes = {tuple(image.shape[:2]) for x, *_ in parts.values() for image in x}
    if len(sizes) > 1 and window is None:
        listed = ", ".join("{} x {}".format(*size) for size in sorted(sizes)[:4]) + ", ..." * (len(sizes) > 4)
        raise ZooError(
            f"images of {len(sizes)} different sizes (height x width) need a window in mix, such as "
            f"zoo.data.paired.crop(128), or to be brought to one size. Their sizes: {listed}"
        )
    smallest = tuple(np.min(list(sizes), axis=0))
    count = 1
    if window is not None:
        (height, width), margin = window
        count = len(places(smallest[0], height, margin)) * len(places(smallest[1], width, margin))
    streams = {}
    for name, arrays in parts.items():
        arrays = [_pieces(each, smallest) for each in arrays]
        if name == "train":
            repeats = count if repeats is None else repeats
            streams[name] = Stream(arrays, batch_size, seed, map=_element, mix=mix, repeats=repeats)
        elif window is None:
            streams[name] = Stream(arrays, batch_size, seed, map=_element)
        else:
            cut = functools.partial(_cut_element, windows((height, width), margin))
            streams[name] = Stream(arrays, max(1, batch_size // count), seed, map=cut)
    return Data(**streams, labels=labels)


def window_of(mix):
    """The window, `((height, width), margin)`, that one of the operations cuts, or None."""
    found = [op for op in mix if getattr(op, "size", None)]
    require(len(found) < 2, "mix", f"{len(found)} windows", "operations of which one at most cuts a window")
    return (found[0].size, found[0].margin) if found else None


def _parts(given, seed):
    """The three parts as pairs of sequences, checked; parts that are shares or positions come out of "train"."""
    parts = {name: _checked(part, name) for name, part in given.items() if name == "train" or _is_pair(part)}
    count = len(parts["train"][0])
    free, chosen = np.ones(count, bool), {}
    for name in ("test", "validation"):
        part = given[name]
        if name in parts or part is None or isinstance(part, int | float):
            continue
        works = f"a pair (x, mask), or different positions of the {count} images, 0 to {count - 1}"
        chosen[name] = np.asarray(list(part))
        whole = chosen[name].ndim == 1 and len(chosen[name]) and chosen[name].dtype.kind in "iu"
        require(whole and 0 <= chosen[name].min() and chosen[name].max() < count, name, part, works)
        require(len(set(chosen[name].tolist())) == len(chosen[name]), name, part, works)
        taken = chosen[name][~free[chosen[name]]]
        if len(taken):
            raise ZooError(
                f"the images {taken.tolist()} are in both validation and test. Choose others for one of them"
            )
        free[chosen[name]] = False
    if "test" not in parts and "test" not in chosen:
        require(given["test"] is None, "test", given["test"], "a pair (x, mask), positions of images, or None")
        chosen["test"] = _share(free, split.TEST_FRACTION, split.TEST_SEED, "test")
    if "validation" not in parts and "validation" not in chosen:
        share = given["validation"] or 0
        require(0 <= share < 1, "validation", share, "a share in 0 <= validation < 1, positions, or a pair (x, mask)")
        if share:
            chosen["validation"] = _share(free, share, seed, "validation")
    whole = parts["train"]
    parts.update({name: _taken(whole, positions) for name, positions in chosen.items()})
    if not free.any():
        raise ZooError(f"no image is left to train on: all {count} are for validation or test")
    parts["train"] = _taken(whole, np.flatnonzero(free))
    return {name: parts[name] for name in ("train", "validation", "test") if name in parts}


def _is_pair(part):
    """Whether a part is `(x, mask)`, and not two positions."""
    two = isinstance(part, tuple | list) and len(part) == 2
    return two and all(isinstance(each, np.ndarray | list | tuple) for each in part)


def _share(free, fraction, seed, name):
    """Positions of a share of what is free, which are no longer."""
    there = np.flatnonzero(free)
    kept, taken = split.stratified(np.zeros(len(there)), fraction, seed)
    if not len(kept) or not len(taken):
        raise ZooError(
            f"{len(there)} images are too few to split {fraction:.0%} of them off as {name} data. More of them work, "
            f"or a {name} part of your own"
        )
    free[there[taken]] = False
    return there[taken]


def _taken(part, positions):
    return tuple(each[positions] if isinstance(each, np.ndarray) else [each[k] for k in positions] for each in part)


def _checked(part, name):
    if not _is_pair(part):
        raise ZooError(f"{name} must be a pair (x, mask) of images and masks. Received: {type(part).__name__}")
    x, mask = part
    if len(x) != len(mask) or not len(x):
        raise ZooError(f"{name}: each image has a mask. Received {len(x)} images and {len(mask)} masks")
    x, mask = (each if isinstance(each, np.ndarray) else [np.asarray(one) for one in each] for each in (x, mask))
    for k, (image, each) in enumerate(zip(x, mask, strict=True)):
        if image.dtype != np.uint8 or image.ndim != 3 or not image.size or image.shape[2] != x[0].shape[2]:
            raise ZooError(
                f"{name}: images are uint8 (height, width, channels), of one number of channels. Received "
                f"{image.dtype} of shape {image.shape}, image {k}"
            )
        if each.dtype.kind not in "iu" or each.shape != image.shape[:2] or not 0 <= each.min() <= each.max() <= 255:
            raise ZooError(
                f"{name}: a mask has a class, 0 to 255, for each pixel of its image, here {image.shape[:2]}. Received "
                f"{each.dtype} of shape {each.shape}, mask {k}, with values from {each.min()} to {each.max()}"
            )
    return x, mask


def _labels(parts, labels):
    highest = {name: max(int(each.max()) for each in mask) for name, (_, mask) in parts.items()}
    if labels is None:
        labels = map(str, range(max(2, 1 + max(highest.values()))))
    labels = tuple(map(str, labels))
    require(len(labels) > 1, "labels", labels, "the names of two classes or more")
    for name, most in highest.items():
        if most >= len(labels):
            raise ZooError(
                f"a {name} mask has the class {most}, and there are names for the classes 0 to {len(labels) - 1}: "
                f"{', '.join(labels)}"
            )
    return labels


def _weighed(function, masks, name):
    found = []
    for k, mask in enumerate(masks):
        weights = np.asarray(function(mask), "float32")
        if weights.shape != mask.shape or not np.isfinite(weights).all() or (weights < 0).any():
            raise ZooError(
                f"weights must give a number >= 0 for each pixel of a mask, here {mask.shape}. Received an array of "
                f"shape {weights.shape} for {name} mask {k}"
            )
        found.append(weights)
    return found


def _pieces(arrays, size):
    """Arrays of one size stacked, and larger ones cut into pieces of the size."""
    pieces = []
    for array in arrays:
        for top in places(array.shape[0], size[0]):
            for left in places(array.shape[1], size[1]):
                pieces.append(array[top : top + size[0], left : left + size[1]])
    stacked = np.stack(pieces)
    return stacked.astype("uint8") if stacked.dtype.kind in "iu" else stacked


def _element(x, mask, *weights):
    return (x, ops.of(mask).cast(mask, "int32"), *weights)


def _cut_element(cut, x, mask, *weights):
    return _element(*cut(x, mask, *weights))
