"""Small images and the large ones they were made of: the data of super-resolution."""

import re
from pathlib import Path

import numpy as np

from zoo.data import pixels, split, tfds
from zoo.data.images import images, means_folder
from zoo.data.stream import Stream
from zoo.errors import ZooError, require, suggest
from zoo.recipe import Data
from zoo.seeding import check_seed

# Photographs in colour that scikit-image and scikit-learn bring along. Whole ones are held out.
PHOTOGRAPHS = {
    "train": ("astronaut", "flower", "hubble_deep_field", "motorcycle", "rocket"),
    "validation": ("coffee",),
    "test": ("chelsea", "china"),
}
PATCH = 96


def super_resolution(
    source="cifar10",
    batch_size=16,
    *,
    factor=4,
    patch=None,
    channels=None,
    mix=(),
    validation=0.1,
    examples=None,
    seed=None,
):
    """Pairs of a small image and the large one it was made of, as training, validation and test streams.

    Small images are made as in Ledig et al. 2017, arXiv:1609.04802, section 3: by bicubic interpolation, antialiased
    (Pillow's), of the whole image, before patches are cut.

    Args:
        source: one of
            - "digits", or a name of TensorFlow Datasets such as "cifar10": the images of `zoo.data.images`, with its
              parts, and without their labels;
            - "photographs": eight in colour that scikit-image and scikit-learn carry; nothing is downloaded;
            - the path of a folder of PNG or JPEG files of any sizes, also in folders inside. With folders `train` and
              `test`, and maybe `validation`, these are the parts; otherwise a fifth of the files is the test part.
        batch_size: pairs a batch, >= 1.
        factor: integer >= 2, how many times higher and wider the large images are.
        patch: side in pixels of the large images' patches, a multiple of `factor`. None takes 96 for photographs and
            folders, and whole images of sets. Training patches lie half a patch apart, as far as `factor` allows; those
            of the other parts side by side.
        channels: 1 (grey) or 3 (RGB); None keeps what there is, of folders 3.
        mix: operations on pairs for the training part, such as `zoo.data.paired.flips`.
        validation: share of the training images to validate on, 0 <= validation < 1, by `seed`: of a folder without a
            validation part whole files. Photographs have one of their own.
        examples: how many training pairs to keep, by `seed`; None keeps them all.
        seed: integer for the split, the order and the augmentation; None takes the current seed.

    Returns:
        A `zoo.Data` with elements (x, y), both uint8: small `(batch, side / factor, side / factor, channels)` and large
        `(batch, side, side, channels)`, raw values 0..255; without labels. `statistics` has `source` and `factor`.

    Raises:
        ZooError: an unknown source, one that cannot be had, an image that cannot be read or is smaller than a patch
            (the message names it), too few images to split, a value out of range.

    Example:
        >>> data = super_resolution("digits", 32, factor=2, seed=0)
        >>> x, y = data.train.batch(epoch=0, step=0)
        >>> x.shape, y.shape, y.dtype.name
        ((32, 4, 4, 1), (32, 8, 8, 1), 'uint8')
    """
    _check("factor", factor, 2)
    seed = check_seed(seed)
    if patch is not None:
        _check("patch", patch, factor)
        works = f"a multiple of factor={factor}, such as {patch - patch % factor + factor}"
        require(patch % factor == 0, "patch", patch, works)
    source = str(source)
    if source == "photographs":
        require(channels in (None, 3), "channels", channels, "3 or None: the photographs are in colour")
        parts = {part: [(name, _photograph(name)) for name in names] for part, names in PHOTOGRAPHS.items()}
        patch = _default(patch, factor)
    elif _is_folder(source):
        parts = _files(Path(source).expanduser(), 3 if channels is None else channels, validation, seed)
        patch = _default(patch, factor)
    else:
        known = images(source, batch_size, channels=channels, validation=validation, seed=seed)
        parts = {
            part: [(f"image {k} of {source}", image) for k, image in enumerate(stream.arrays[0])]
            for part, stream in known.parts.items()
        }
    streams = {}
    for part, named in parts.items():
        pairs = _pairs(named, factor, patch, part == "train")
        if part == "train" and examples is not None:
            kept = split.sample(np.zeros(len(pairs[0])), examples, seed)
            pairs = [array[kept] for array in pairs]
        streams[part] = Stream(pairs, batch_size, seed, mix=mix if part == "train" else ())
    return Data(**streams, statistics={"source": source, "factor": factor})


def shrink(image, factor):
    """A small image of a large one.

    Args:
        image: uint8 (height, width, channels), sides that `factor` divides.
        factor: integer >= 1.

    Returns:
        uint8 (height / factor, width / factor, channels), bicubic and antialiased.

    Example:
        >>> shrink(np.full((8, 12, 3), 7, "uint8"), 4).shape
        (2, 3, 3)
    """
    return _resized(image, image.shape[0] // factor, image.shape[1] // factor, "BICUBIC")


def enlarge(image, factor, method="bicubic"):
    """A large image of a small one, as a picture viewer makes it: what super-resolution is measured against.

    Args:
        image: uint8 (height, width, channels).
        factor: integer >= 1.
        method: "bicubic" or "nearest".

    Returns:
        uint8 (factor * height, factor * width, channels).

    Example:
        >>> enlarge(np.array([[[0], [9]]], "uint8"), 2, "nearest")[..., 0].tolist()
        [[0, 0, 9, 9], [0, 0, 9, 9]]
    """
    return _resized(image, image.shape[0] * factor, image.shape[1] * factor, method.upper())


def _resized(image, height, width, method):
    from PIL import Image

    grey = image.shape[2] == 1
    opened = Image.fromarray(image[..., 0] if grey else image)
    found = np.asarray(opened.resize((width, height), Image.Resampling[method]))
    return found[..., None] if grey else found


def _check(name, value, least):
    whole = isinstance(value, int) and not isinstance(value, bool)
    require(whole and value >= least, name, value, f"an integer >= {least}")


def _default(patch, factor):
    return PATCH - PATCH % factor if patch is None else patch


def _is_folder(source):
    """Whether a path is meant, by the rule of `zoo.data.images`."""
    if means_folder(source):
        path = Path(source).expanduser()
        if not path.is_dir():
            raise ZooError(f"there is no folder {path}")
        return True
    word = re.fullmatch(r"\w+", source) is not None
    known = ("digits", "photographs", *tfds.names()) if word else ()
    if word and source not in known:
        raise ZooError(
            f"there is no set named {source!r}.{suggest(source, known)} Images come from 'digits', 'photographs', a "
            "set of TensorFlow Datasets by its name, or a folder by its path"
        )
    return False


def _photograph(name):
    if name in ("china", "flower"):
        from sklearn.datasets import load_sample_image

        return load_sample_image(f"{name}.jpg")
    from skimage import data

    return data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()


def _files(root, channels, validation, seed):
    """The images of a folder by part, each with its path."""
    require(channels in (1, 3), "channels", channels, "1 (grey), 3 (RGB) or None")
    require(0 <= validation < 1, "validation", validation, "a share in 0 <= validation < 1")
    if (root / "train").is_dir():
        found = {part: _listed(root / part) for part in ("train", "validation", "test") if (root / part).is_dir()}
    else:
        found = {"train": _listed(root)}
    for part, share, by in (("test", split.TEST_FRACTION, split.TEST_SEED), ("validation", validation, seed)):
        if part not in found and share:
            files = found["train"]
            kept, taken = split.stratified(np.zeros(len(files)), share, by)
            if not len(kept) or not len(taken):
                raise ZooError(
                    f"{root}: {len(files)} images are too few to hold {share:.0%} of them back as {part} images. More "
                    f"of them work, or a folder {root / part} beside {root / 'train'}"
                )
            found["train"], found[part] = ([files[k] for k in np.sort(places)] for places in (kept, taken))
    return {part: [(path, pixels.read(path, None, channels)) for path in paths] for part, paths in found.items()}


def _listed(folder):
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in pixels.SUFFIXES)
    files = [path for path in files if not any(name.startswith(".") for name in path.relative_to(folder).parts)]
    if not files:
        raise ZooError(f"{folder} has no {' or '.join(pixels.SUFFIXES)} file")
    return files


def _pairs(named, factor, patch, close):
    """Small and large arrays of the patches of named images."""
    low, high = [], []
    for name, image in named:
        height, width = (side - side % factor for side in image.shape[:2])
        if min(height, width) < (patch or factor):
            raise ZooError(
                f"{name} has {image.shape[0]} x {image.shape[1]} pixels, too few for a patch of {patch or factor} at "
                f"factor={factor}. Leave it out, or take a smaller patch"
            )
        large = image[:height, :width]
        small = shrink(large, factor)
        for top in _places(height, patch, factor, close):
            for left in _places(width, patch, factor, close):
                high.append(_cut(large, top, left, patch))
                low.append(_cut(small, top // factor, left // factor, patch and patch // factor))
    sizes = {image.shape for image in high}
    if len(sizes) > 1:
        raise ZooError(
            f"images of different sizes, such as {' and '.join(map(str, sorted(sizes)[:2]))}: cut them into patches of "
            f"one size with patch={PATCH - PATCH % factor}"
        )
    return [np.stack(low), np.stack(high)]


def _cut(image, top, left, side):
    return image if side is None else image[top : top + side, left : left + side]


def _places(length, patch, factor, close):
    """Where patches begin along a side: at whole pixels of the small image."""
    if patch is None:
        return (0,)
    step = max(patch // 2 // factor, 1) * factor if close else patch
    return range(0, length - patch + 1, step)
