"""What a generating model makes while it learns: a small picture an epoch, of the same noise or the same inputs."""

import functools
import io
import itertools
import math
import re
from pathlib import Path

import keras
import numpy as np

from zoo.adversarial import noise
from zoo.checkpoint import write_atomically
from zoo.data import feeding
from zoo.errors import ZooError
from zoo.pictures.sample_sheets import png, rows, sheet
from zoo.pixel_affine import rounded
from zoo.tasks import task_of

FILES = 100
# Images in a row; fewer, where the row would be wider than so many pixels. Classes that have a row.
ACROSS, WIDEST = 8, 768
CLASSES = 16
POINTS = 1000
# Of walks between codes, and of the classes.
WALKS, STEPS = 6, 10
CODES = 10


class Samples(keras.callbacks.Callback):
    """Writes a PNG file of what the model makes, `epoch-0001.png` and so on, at the ends of epochs.

    Of a model that makes images from noise, it is a grid of the same 64 codes each time, and of fewer where images are
    large; where the model is told the class, each class has a row. Of one that makes images from images, it has three
    rows: the same inputs each time, what the model makes of them, and what is right. Points, of models of vectors, are
    drawn among the real ones. Pixels are written as they are.

    Nothing that training depends on is touched: the model is called with `training=False`, and the codes come from
    seed 0, not from a global state. Nothing is written when a loss is no longer finite. Of long trainings, at most 100
    epochs have a file (`due`); the last epoch has one, also when training is stopped early.

    Args:
        folder: where the files go; made when the first is written. Files that are there are replaced one by one.
        data: a `zoo.Data`; needed by models from image to image, whose inputs are the first of its test part, or else
            of its validation or training part. Of models of vectors, its points are drawn behind those generated.

    Raises:
        ZooError: when training begins, a model that is neither for "generation" nor for "translation"
            (`zoo.tasks.task_of`), or one for "translation" without data.
    """

    def __init__(self, folder, data=None):
        super().__init__()
        self.folder = Path(folder)
        self.data = data

    def on_train_begin(self, logs=None):
        self._task = task_of(self.model)
        if self._task not in ("generation", "translation"):
            raise ZooError(f"Samples are of models for generation or translation. Received one for {self._task}")
        self._pair = None
        if self._task == "translation":
            if self.data is None:
                raise ZooError("Samples of a model for translation need data: Samples(folder, data)")
            self._pair = pairs(self.data)

    def on_epoch_end(self, epoch, logs=None):
        if not (due(epoch + 1, self.params["epochs"]) or self.model.stop_training):
            return
        if all(math.isfinite(value) for name, value in (logs or {}).items() if name.endswith("loss")):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / f"epoch-{epoch + 1:04d}.png", self._picture())

    def _picture(self):
        """The bytes of a PNG file."""
        if self._task == "translation":
            return png(rows(self._pair[0], translated(self.model, self._pair[0]), self._pair[1]))
        if len(self.model.output_shape) == 4:
            return png(sheet(*fixed(self.model)))
        from zoo.pictures.generation import points

        real = None if self.data is None else self.data.train.arrays[0][:POINTS]
        content = io.BytesIO()
        points(real, self.model.sample(POINTS, seed=0), "").savefig(content, format="png", dpi=80)
        return content.getvalue()


def due(epoch, epochs):
    """Whether an epoch has a file, so that at most 100 have one, evenly spread.

    Args:
        epoch: its number, from 1.
        epochs: of the whole training.

    Returns:
        A bool; true for the first and the last epoch.

    Example:
        >>> [epoch for epoch in range(1, 1001) if due(epoch, 1000)][:4]
        [1, 11, 21, 31]
        >>> sum(due(epoch, 1000) for epoch in range(1, 1001))
        100
    """
    spread = FILES - 1
    return epoch == 1 or epoch * spread // epochs != (epoch - 1) * spread // epochs


def written(folder, kind="png"):
    """The files that `Samples`, or `zoo.written_samples.WrittenSamples`, wrote.

    Args:
        folder: a path.
        kind: "png", or "txt" for texts.

    Returns:
        A list of pairs of epoch and path, by epoch; empty where there is no such folder.
    """
    paths = Path(folder).glob(f"epoch-*.{kind}")
    found = ((re.fullmatch(rf"epoch-(\d+)\.{kind}", path.name), path) for path in paths)
    return sorted((int(match[1]), path) for match, path in found if match)


def fixed(model, seed=0):
    """The samples by which a model is watched.

    Args:
        model: one that makes images from noise.
        seed: of the noise.

    Returns:
        uint8 images (n, height, width, channels), and how many stand in a row. Where the model is told the class, each
        row is of one class, from the first on.
    """
    across = max(1, min(ACROSS, WIDEST // max(model.output_shape[1:3])))
    if model.classes:
        labels = np.repeat(np.arange(min(model.classes, CLASSES)), across)
        return model.sample(len(labels), seed=seed, label=labels), across
    return model.sample(across * across, seed=seed), across


def slerp(start, end, share):
    """Spherical interpolation of codes: along the great circle between their directions.

    Normal codes of many numbers lie near a sphere: their lengths vary little. The middle of the straight line between
    two of them is shorter by about a third, and so is a code that the network was hardly ever given; on the circle it
    is as long as they are. (Shoemake 1985, Animating rotation with quaternion curves; White 2016, Sampling generative
    networks, arXiv:1609.04468, section 2.1.)

    Args:
        start, end: (..., numbers) arrays, neither zero.
        share: of the way, 0..1; it is broadcast with them.

    Returns:
        An array (..., numbers).

    Example:
        >>> slerp(np.array([2.0, 0.0]), np.array([0.0, 2.0]), 1 / 3).round(3).tolist()
        [1.732, 1.0]
    """
    one, other = (each / np.linalg.norm(each, axis=-1, keepdims=True) for each in (start, end))
    angle = np.arccos((one * other).sum(-1, keepdims=True).clip(-1, 1))
    flat = np.sin(angle) < 1e-6  # the same direction, or the opposite one: there is no circle, or no single one
    sine = np.where(flat, 1, np.sin(angle))
    before = np.where(flat, 1 - share, np.sin((1 - share) * angle) / sine)
    after = np.where(flat, share, np.sin(share * angle) / sine)
    return before * start + after * end


def between(model, seed=0):
    """What a network makes of walks between codes (`slerp`).

    Args:
        model: an `Adversarial` from noise to images.
        seed: of the codes.

    Returns:
        uint8 images (6, 10, height, width, channels); where the model is told the class, each row is of another one.
    """
    ends = keras.ops.convert_to_numpy(noise(2 * WALKS, model.latent, seed)).reshape(2, WALKS, 1, -1)
    codes = slerp(*ends, np.linspace(0, 1, STEPS)[:, None])
    return _made(model, codes, np.arange(WALKS)[:, None] % model.classes if model.classes else None)


def by_class(model, seed=0):
    """What a conditional network makes of the same codes for each class, at most 16.

    Args:
        model: an `Adversarial` that is told the class.
        seed: of the codes.

    Returns:
        uint8 images (classes, 10, height, width, channels).
    """
    labels = np.arange(min(model.classes, CLASSES))[:, None]
    codes = keras.ops.convert_to_numpy(noise(CODES, model.latent, seed))
    return _made(model, np.stack([codes] * len(labels)), labels)


def pairs(data):
    """The first inputs of a `zoo.Data` from image to image, and their targets, not augmented where it has other parts.

    Args:
        data: a `zoo.Data` with elements (x, y), raw images.

    Returns:
        Two arrays, of at most 8 images each, and of fewer where they are large.
    """
    part = data.test or data.validation
    batches = feeding.held_out(part) if part else map(functools.partial(data.train.batch, 0), range(data.train.steps))
    elements = ((x, y) for batch in batches for x, y in zip(*batch[:2], strict=True))
    x, y = next(elements)
    more = itertools.islice(elements, min(ACROSS, WIDEST // max(y.shape[:2])) - 1)
    return tuple(np.stack(arrays) for arrays in zip((x, y), *more, strict=True))


def translated(model, images):
    """What a model from image to image makes of images, as in evaluation.

    Args:
        model: a `keras.Model`.
        images: raw pixels (n, height, width, channels).

    Returns:
        A uint8 array of as many images.
    """
    return rounded(keras.ops.convert_to_numpy(model(images, training=False)))


def _made(model, codes, labels=None):
    """Images of codes (rows, columns, numbers), and of labels that are broadcast to (rows, columns)."""
    shape = codes.shape[:2]
    given = keras.ops.convert_to_tensor(codes.reshape(-1, codes.shape[-1]), "float32")
    if labels is not None:
        given = [given, keras.ops.convert_to_tensor(np.broadcast_to(labels, shape).reshape(-1), "int32")]
    images = rounded(keras.ops.convert_to_numpy(model(given, training=False)))
    return images.reshape(*shape, *images.shape[1:])
