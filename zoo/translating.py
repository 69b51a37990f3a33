"""Images from images, by a trained network: `zoo predict RUN FILE...` where RUN translates, and its held-out images."""

from pathlib import Path

import numpy as np

from zoo import registry, runs
from zoo.errors import ZooError


def translates(run):
    """Whether a path is a run folder of the zoo whose model makes images of images; TensorFlow is not imported.

    Args:
        run: a path.

    Example:
        >>> translates(folder)
        False
    """
    if not (Path(run) / "recipe.json").is_file():
        return False
    name = runs.read(run)["model"]
    return name in registry.list_models() and registry.entry(name).task == "translation"


def images(run, files, to=None):
    """Writes what a network makes of each image file, as PNG.

    Files are turned grey or RGB as the network takes them. They are not resized: what a network makes of an image
    depends on the size of what is in it.

    Args:
        run: a finished run folder of a network from images to images.
        files: paths of image files; of the size that the network takes, or of any where it takes any.
        to: the folder of the new images, made when missing; by default `translations` in the run folder. Each is named
            after its image; one that is there is replaced.

    Returns:
        A list of the new paths.

    Raises:
        ZooError: not a finished run, a missing file, one that is no image or of another size, two images whose
            translations would have one name, or one that would be replaced by its own. Nothing is written then.
    """
    from zoo.checkpoint import write_atomically
    from zoo.data import pixels
    from zoo.loading import load
    from zoo.pictures.sample_sheets import png
    from zoo.samples import translated

    files = [Path(file) for file in files]
    folder = Path(to) if to else Path(run) / "translations"
    paths = [folder / f"{file.stem}.png" for file in files]
    for path in paths:
        if paths.count(path) > 1:
            raise ZooError(f"two images would become {path.name}: give them different names, or one folder at a time")
        if path.resolve() in [file.resolve() for file in files]:
            raise ZooError(f"{path} would be replaced by what is made of it. Name another folder with --to")
    model = load(run)
    *size, channels = model.input_shape[1:]
    found = [pixels.read(file, channels=channels) for file in files]
    for file, image in zip(files, found, strict=True):
        if any(own not in (None, side) for own, side in zip(size, image.shape[:2], strict=True)):
            has, takes = ("{} x {}".format(*each) for each in (image.shape[:2], size))
            raise ZooError(
                f"{file} is {has} (height x width), and the model of {run} takes {takes}: cut or resize it to that"
            )
    folder.mkdir(parents=True, exist_ok=True)
    for image, path in zip(found, paths, strict=True):
        made = translated(model, image[None])[0]
        write_atomically(path, png(made[..., 0] if made.shape[-1] == 1 else made))
    return paths


def held_out(model, stream, most=None):
    """What a network makes of a part of its data, beside what it should make.

    Args:
        model: a `keras.Model` from images to images.
        stream: a `zoo.data.Stream` with elements (x, y) of raw images; each is taken once, not augmented.
        most: number of examples; None takes all.

    Returns:
        Three uint8 arrays (n, height, width, channels): inputs, outputs as files would have them, and targets.

    Example:
        >>> model = zoo.build("pix2pix", input_shape=(32, 32, 1), channels=1, width=2, levels=2, patch=16)
        >>> [part.shape for part in held_out(model, zoo.data.translation().test, most=5)]
        [(5, 32, 32, 1), (5, 32, 32, 1), (5, 32, 32, 1)]
    """
    from zoo.data import feeding
    from zoo.samples import translated

    batches, count = [], 0
    for x, y, *_ in feeding.held_out(stream):
        x, y = x[: None if most is None else most - count], y[: None if most is None else most - count]
        batches.append((x, translated(model, x), y))
        count += len(x)
        if count == most:
            break
    return tuple(np.concatenate(parts) for parts in zip(*batches, strict=True))


def mean_absolute_error(outputs, targets):
    """The mean difference of pixels, 0..255, either way.

    Args:
        outputs, targets: uint8 arrays of the same shape.

    Example:
        >>> mean_absolute_error(np.uint8([[3, 255]]), np.uint8([[5, 255]]))
        1.0
    """
    return float(np.abs(outputs.astype("float32") - targets).mean())
