"""Masks for image files, from a trained segmentation network: `zoo predict RUN FILE...` where RUN segments."""

from pathlib import Path

import numpy as np

from zoo import registry, runs
from zoo.errors import ZooError

# Far from each other; the first class, the background, is black.
COLOURS = (
    (0, 0, 0),
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)


def segments(run):
    """Whether a path is a run folder of a segmentation network of the zoo; TensorFlow is not imported.

    Args:
        run: a path.

    Example:
        >>> segments(folder)
        False
    """
    if not (Path(run) / "recipe.json").is_file():
        return False
    name = runs.read(run)["model"]
    return name in registry.list_models() and registry.entry(name).task == "segmentation"


def masks(run, files, to=None):
    """Writes a mask for each image file.

    A mask is a PNG file of palette colours whose numbers are the classes, in the order of the run's labels. Images of
    any size will do: they are segmented tile by tile (`zoo.tiling.segment`).

    Args:
        run: a finished run folder of a segmentation network.
        files: paths of image files.
        to: the folder of the masks, made when missing; by default `masks` in the run folder. A mask is named after its
            image; one that is there is replaced.

    Returns:
        A list of pairs: the path of the mask, and a dict from label to its share of the pixels, without those of 0.

    Raises:
        ZooError: not a finished run, a missing file, one that is no image, or two images whose masks would have one
            name. Nothing is written then.
    """
    from zoo.data import pixels
    from zoo.loading import load
    from zoo.tiling import predicted, segment

    files = [Path(file) for file in files]
    names = [f"{file.stem}.png" for file in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ZooError(f"two images would have the mask {twice[0]}: give them different names, or one folder at a time")
    model, labels = load(run), runs.read(run)["labels"]
    images = [pixels.read(file, channels=model.input_shape[-1]) for file in files]
    folder = Path(to) if to else Path(run) / "masks"
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for image, name in zip(images, names, strict=True):
        mask = predicted(segment(model, image[None]))[0].astype("uint8")
        _save(mask, folder / name)
        shares = np.bincount(mask.ravel(), minlength=len(labels)) / mask.size
        written.append(
            (folder / name, {label: float(share) for label, share in zip(labels, shares, strict=True) if share})
        )
    return written


def _save(mask, path):
    from PIL import Image

    image = Image.fromarray(mask)
    image.putpalette([value for k in range(256) for value in COLOURS[(k - 1) % 7 + 1 if k else 0]])
    image.save(path)
