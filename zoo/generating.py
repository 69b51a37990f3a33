"""`zoo generate RUN`: new examples from a trained model, for the tasks whose models can make some."""

import io
import math
from pathlib import Path

import numpy as np

from zoo import _staging, densities, runs
from zoo.errors import ZooError, choose, require, suggest
from zoo.seeding import check_seed

MOST = 1024
# Generated images are enlarged by the largest whole number that leaves their longer side within so many pixels.
LONGER = 96
# Up to so many classes in turn stand in a row.
CLASSES = 20


def generate(run, n=64, density=None, components=None, label=None, seed=0, to=None, overwrite=False, verbose=1):
    """Generates examples from a run's model, and writes them into one picture.

    From an autoencoder: a density is fitted to the codes of its training images, codes are drawn from it, and decoded.
    From an adversarial network: codes are drawn from the normal distribution; the picture has the pixels as they are,
    small images enlarged by a whole number. Vectors are drawn as points.

    Args:
        run: a finished run folder.
        n: examples, 1 to 1024.
        density: of an autoencoder's codes: "gmm" (what None is), a mixture of Gaussians, or "kde", a kernel density.
        components: Gaussians of the mixture; None takes as many as give held-out codes the highest likelihood.
        label: of a network that is told the class: the name of a class of the run's, or its number; None takes the
            classes in turn. A string is looked for among the names first.
        seed: of the fit and of the draws: the same seed gives the same picture.
        to: PNG file, by default `generated.png` in the run folder; folders that are missing are made.
        overwrite: whether a file that is there is replaced.
        verbose: 0 says nothing of what was drawn.

    Returns:
        The path of the picture.

    Raises:
        ZooError: not a finished run, a model that generates nothing, an argument out of range or of no use for the
            run's model, a file that is there already; nothing was written.
    """
    densities.check_count(n, MOST)
    if density is not None:
        choose("density", density, densities.KINDS)
    seed = check_seed(seed)
    folder = Path(run)
    runs.read(folder)
    path = folder / "generated.png" if to is None else Path(to)
    require(path.suffix.lower() == ".png", "to", str(path), "the path of a .png file")
    _staging.refuse_existing([path], overwrite)

    from zoo.loading import load
    from zoo.tasks import task_of

    model = load(folder)
    task = task_of(model)
    if task == "translation":
        raise ZooError(
            f"the run {folder} is of a model that makes images of images, not of noise. Give it some: "
            f"zoo predict {folder} IMAGE.png"
        )
    if task not in GENERATORS:
        raise ZooError(
            f"the run {folder} is of a model for {task}, which generates nothing. Models that do are those for "
            f"{', '.join(GENERATORS)}"
        )
    draw, known = GENERATORS[task]
    given = {"density": density, "components": components, "label": label}
    for name, value in given.items():
        if value is not None and name not in known:
            raise ZooError(
                f"{name} is of no use for the run {folder}, whose model is for {task}: leave it out. "
                f"Received: {name}={value!r}. What it takes: {', '.join(known)}"
            )
    content, said = draw(folder, model, n, seed, **{name: given[name] for name in known})
    with _staging.staged([path]) as scratch:
        (scratch / path.name).write_bytes(content)
    if verbose:
        print(said)
    return path


def from_codes(folder, model, n, seed, density, components):
    """Images decoded from codes that a density of the training codes gave.

    Args:
        folder: the run folder, for its data.
        model: its autoencoder.
        n, seed, density, components: as in `generate`.

    Returns:
        The bytes of a PNG file, and a sentence on the density.
    """
    from zoo import codes, preparation
    from zoo.pictures.densities import samples

    coded = codes.Coded(model, preparation.rebuild(folder).data)
    fitted = densities.fit(
        coded.train_codes, density or densities.KINDS[0], components, held_out=coded.validation_codes, seed=seed
    )
    images = codes.decode(model, fitted.sample(n, seed))
    return _drawn(samples([(str(fitted).replace("; ", "\n"), images)])), str(fitted)


def from_noise(folder, model, n, seed, label):
    """What an adversarial network makes of noise: images, pixel by pixel, or points.

    Args:
        folder: the run folder, for the names of its classes.
        model: its `zoo.adversarial.Adversarial`.
        n, seed, label: as in `generate`.

    Returns:
        The bytes of a PNG file, and a sentence on what is in it.
    """
    from zoo.pictures.generation import points
    from zoo.pictures.sample_sheets import png, sheet

    names = runs.read(folder)["labels"] if model.classes else None
    number = None if label is None else class_of(label, model, names)
    made = model.sample(n, seed=seed, label=number)
    said = f"{n} examples of {model.name}, seed {seed}"
    across = math.ceil(math.sqrt(n))
    if number is not None:
        said += f", all of class {number}" + (f" ({names[number]})" if names else "")
    elif model.classes:
        said += f", of its {model.classes} classes in turn"
        across = model.classes if model.classes <= min(n, CLASSES) else across
    if made.ndim < 4:
        return _drawn(points(None, made, said)), said
    return png(sheet(made, across, max(1, LONGER // max(made.shape[1:3])))), said


def class_of(label, model, names):
    """The number of a class.

    Args:
        label: a class's name or its number, as a number or in words.
        model: an `Adversarial`.
        names: of its classes, or None.

    Returns:
        An integer.

    Raises:
        ZooError: a model that is not told the class, or no such class.
    """
    if not model.classes:
        raise ZooError(
            f"{model.name!r} was not trained with classes: it cannot be told which to make, and takes no label. "
            f"Received: label={label!r}. Models that are told, such as 'cgan', take one"
        )
    names = list(names or [])
    if isinstance(label, str) and label in names:
        return names.index(label)
    number = int(label) if isinstance(label, str) and label.isdecimal() else label
    whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if whole and 0 <= number < model.classes:
        return int(number)
    known = f" The names: {', '.join(names)}." if names else ""
    raise ZooError(
        f"label must be the name of a class or its number, 0 to {model.classes - 1}. Received: label={label!r}."
        f"{suggest(label, names)}{known}"
    )


def _drawn(figure):
    """A matplotlib figure as the bytes of a PNG file."""
    from zoo.report import save

    content = io.BytesIO()
    save(figure, content)
    return content.getvalue()


# What generates, by task: `function(folder, model, n, seed, **options)` returns the picture and a sentence; and the
# options it takes.
GENERATORS = {
    "autoencoding": (from_codes, ("density", "components")),
    "generation": (from_noise, ("label",)),
}
