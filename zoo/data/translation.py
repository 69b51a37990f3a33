"""`translation`: pairs of images of one scene, brought to one form, for models that make the one of the other."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from zoo.data import assemble_masks, digits, mask_folder, pixels, split
from zoo.data.stream import Stream
from zoo.data.windows import places, windows
from zoo.errors import ZooError, require
from zoo.recipe import Data
from zoo.seeding import check_seed

# What is more than this is ink.
INK = 127
DIGITS_SIZE = 32


def translation(
    source="digits_edges",
    batch_size=16,
    *,
    swap=False,
    size=None,
    channels=None,
    validation=0.1,
    test=None,
    mix=(),
    repeats=1,
    examples=None,
    seed=None,
):
    """Pairs of images as training, validation and test streams: a condition, and the real image that belongs to it.

    Args:
        source: one of
            - "digits_edges": scikit-learn's handwritten digits, enlarged to 32 x 32 (bicubic), as real images, and
              their outlines (`outlines`) as conditions; nothing is downloaded. The test part has the digits that
              `zoo.data.images("digits")` tests on;
            - `(conditions, images)`: two folders of PNG or JPEG files; both files of a pair have the same name but for
              the ending, and the same size. They come in the order of the numbers in their names;
            - `(conditions, images)`: two uint8 arrays (n, height, width, channels), which may differ in channels.
        batch_size: pairs a batch, >= 1.
        swap: whether to translate the other way: what is second in the source is the condition.
        size: pixels, one number or (height, width), to resize both images to (bilinear, antialiased); None keeps what
            there is; for "digits_edges", 32.
        channels: 1 (grey) or 3 (RGB) for both; None keeps what there is, which may differ between the two folders.
        validation: share of the training pairs to validate on, 0 <= share < 1, by `seed`; or positions of pairs, such
            as `range(6, 9)`.
        test: positions of the pairs to test on; None takes a fifth by a fixed seed.
        mix: an operation of `zoo.data.paired` or a sequence of them, for the training part: `crop` and `flips`, which
            keep pixels as they are. (`warp` interpolates the condition, and takes nearest pixels of the image;
            `intensity` changes the condition alone.) With a window, validation and test are cut into the same by
            `zoo.data.paired.windows`: all parts have the same shapes, and `stream.arrays` the whole images. A batch of
            them has all the windows of a pair, or of several as long as they are no more than `batch_size`.
        repeats: how often an epoch has each training pair, each time drawn anew by `mix`.
        examples: how many training pairs to keep, after all splits, by `seed`; None keeps them all.
        seed: integer for the validation split, the order and `mix`; None takes the current seed.

    Returns:
        A `zoo.Data` of `Stream`s with elements (x uint8, the condition, y uint8, the real image), both
        `(batch, height, width, channels)` of raw values 0..255; `labels` is None.

    Raises:
        ZooError: an unknown source, a folder that is empty or whose files do not belong together (the message names the
            file), images of different sizes without `size`, arrays of another kind, positions that are no pairs or in
            both parts, too few pairs to split.

    Example:
        >>> data = zoo.data.translation("digits_edges", 16, mix=zoo.data.paired.crop(28), seed=0)
        >>> data.train.size, data.test.size, data.train.element_spec[1]
        (1293, 360, ((None, 28, 28, 1), 'uint8'))
    """
    seed, size = check_seed(seed), pixels.check_size(size)
    require(channels in (None, 1, 3), "channels", channels, "1, 3 or None")
    require(isinstance(swap, bool), "swap", swap, "True or False")
    mix = (mix,) if callable(mix) else tuple(mix)
    x, y, strata = _load(source, size, channels)
    if swap:
        x, y = y, x
    parts = _split(strata, validation, test, seed)
    if examples is not None:
        parts["train"] = parts["train"][split.sample(strata[parts["train"]], examples, seed)]
    window = assemble_masks.window_of(mix)
    options = dict(batch_size=batch_size)
    if window is not None:
        (height, width), margin = window
        require(not margin, "mix", f"a window with a margin of {margin}", "windows without one: both images have all")
        count = len(places(x.shape[1], height)) * len(places(x.shape[2], width))
        options = dict(batch_size=max(1, batch_size // count), map=windows((height, width)))
    streams = {
        name: Stream((x[part], y[part]), batch_size, seed, mix=mix, repeats=repeats)
        if name == "train"
        else Stream((x[part], y[part]), seed=seed, **options)
        for name, part in parts.items()
    }
    return Data(**streams)


def outlines(images):
    """The outlines of what is bright: pixels above 127 that have one of their four neighbours not above it.

    Args:
        images: uint8 (n, height, width, 1). Beyond the border nothing is bright.

    Returns:
        uint8 array of the same shape, 255 on an outline and 0 elsewhere.

    Example:
        >>> image = np.zeros((1, 5, 5, 1), "uint8")
        >>> image[:, 1:4, 1:4] = 200
        >>> (outlines(image)[0, 1:4, 1:4, 0] // 255).tolist()
        [[1, 1, 1], [1, 0, 1], [1, 1, 1]]
    """
    ink = images > INK
    around = np.pad(ink, ((0, 0), (1, 1), (1, 1), (0, 0)))
    inside = around[:, :-2, 1:-1] & around[:, 2:, 1:-1] & around[:, 1:-1, :-2] & around[:, 1:-1, 2:]
    return 255 * (ink & ~inside).astype("uint8")


def _load(source, size, channels):
    """Both arrays, and the classes by which shares are split."""
    if source == "digits_edges":
        return _digits(size or (DIGITS_SIZE, DIGITS_SIZE), channels)
    pair = isinstance(source, tuple | list) and len(source) == 2
    works = "'digits_edges', a pair of folders, or a pair of uint8 arrays: (conditions, images)"
    require(pair, "source", source, works)
    if any(isinstance(each, np.ndarray) for each in source):
        both = [_checked(each, size, channels) for each in source]
        if both[0].shape[:3] != both[1].shape[:3]:
            raise ZooError(f"pairs are of equal size. Received arrays of shapes {both[0].shape} and {both[1].shape}")
    else:
        both = _folders(*map(Path, source), size, channels)
    return *both, np.zeros(len(both[0]), int)


def _digits(size, channels):
    from PIL import Image

    x, labels = digits.load()[0]["train"]
    height, width = size
    large = [Image.fromarray(each[..., 0]).resize((width, height), Image.Resampling.BICUBIC) for each in x]
    images = np.stack([np.asarray(each) for each in large])[..., None]
    return *(np.repeat(each, channels or 1, axis=3) for each in (outlines(images), images)), labels


def _checked(array, size, channels):
    fits = isinstance(array, np.ndarray) and array.dtype == np.uint8 and array.ndim == 4 and array.size
    if not fits or array.shape[3] not in (1, 3):
        had = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise ZooError(f"images are uint8 arrays (n, height, width, 1 or 3). Received {had}")
    return np.stack([pixels.conform(each, size, channels) for each in array])


def _folders(conditions, images, size, channels):
    """Two stacked arrays of the files with equal names in two folders."""
    here, there = (mask_folder.listed(folder, "image") for folder in (conditions, images))
    for some, others, folder in ((here, there, images), (there, here, conditions)):
        alone = [path for stem, path in some.items() if stem not in others]
        if alone:
            more = f", nor do {len(alone) - 1} more" if len(alone) > 1 else ""
            raise ZooError(
                f"{alone[0]} has no partner in {folder}{more}. Both files of a pair have one name: "
                f"{conditions / '07.png'} and {images / '07.png'}"
            )
    names = sorted(here, key=mask_folder.by_number)
    # Decoding and resizing run outside Python's lock.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        pairs = list(
            pool.map(lambda name: [pixels.read(files[name], size, channels) for files in (here, there)], names)
        )
    first = pairs[0][0].shape[:2]
    for name, pair in zip(names, pairs, strict=True):
        for files, image in zip((here, there), pair, strict=True):
            if image.shape[:2] != first:
                one, other = ("{} x {}".format(*each) for each in (first, image.shape[:2]))
                raise ZooError(
                    f"images of different sizes (height x width): {here[names[0]]} is {one}, {files[name]} is {other}. "
                    f"Bring all to one size with --size {min(first)}, or size=(height, width) in Python"
                )
    return [_stacked(images) for images in zip(*pairs, strict=True)]


def _stacked(images):
    """One array; grey images are turned RGB where others are."""
    channels = max(image.shape[2] for image in images)
    return np.stack([pixels.conform(image, channels=channels) for image in images])


def _split(strata, validation, test, seed):
    """Positions of the pairs of each part, sorted where they were drawn, as given where they were given."""
    parts, left = {}, np.arange(len(strata))
    wanted = {
        "test": (split.TEST_FRACTION if test is None else test, split.TEST_SEED),
        "validation": (0 if validation is None else validation, seed),
    }
    # Positions first: a share is one of what they leave.
    for name, (part, drawn_by) in sorted(wanted.items(), key=lambda item: isinstance(item[1][0], int | float)):
        if not isinstance(part, int | float):
            parts[name] = _positions(name, part, len(strata), left)
        elif part:
            works = "a share in 0 <= validation < 1, or positions" if name == "validation" else "positions, or None"
            require(name == "validation" or test is None, name, part, works)
            require(0 < part < 1, name, part, works)
            kept, taken = split.stratified(strata[left], part, drawn_by)
            if not len(kept) or not len(taken):
                raise ZooError(
                    f"{len(left)} pairs are too few to split {part:.0%} of them off as {name} data. More of them work, "
                    f"or positions of your own with {name}=(...)"
                )
            parts[name] = left[taken]
        left = np.setdiff1d(left, parts.get(name, ()))
    if not len(left):
        raise ZooError(f"no pair is left to train on: all {len(strata)} are for validation or test")
    parts["train"] = left
    return {name: parts[name] for name in ("train", "validation", "test") if name in parts}


def _positions(name, part, count, left):
    """Checked positions of `count` pairs, out of those that are left."""
    found = np.asarray(list(part))
    whole = found.ndim == 1 and len(found) and found.dtype.kind in "iu" and len(set(found.tolist())) == len(found)
    require(
        whole and 0 <= found.min() and found.max() < count,
        name,
        part,
        f"different positions of the {count} pairs, 0 to {count - 1}",
    )
    taken = found[~np.isin(found, left)]
    if len(taken):
        raise ZooError(f"the pairs {taken.tolist()} are in both validation and test. Choose others for one of them")
    return found
