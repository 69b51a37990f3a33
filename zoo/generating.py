"""`zoo generate RUN`: new examples from a trained model, for the tasks whose models can make some: images, or text."""

import io
import math
import sys
from pathlib import Path

import numpy as np

from zoo import _staging, densities, runs
from zoo.errors import ZooError, choose, require, suggest
from zoo.seeding import check_seed

MOST = 1024
IMAGES = 64
# Generated images are enlarged by the largest whole number that leaves their longer side within so many pixels.
LONGER = 96
# Up to so many classes in turn stand in a row.
CLASSES = 20


def generate(
    run,
    n=None,
    density=None,
    components=None,
    label=None,
    seed=0,
    to=None,
    overwrite=False,
    verbose=1,
    prompt=None,
    length=None,
    temperature=None,
    top_k=None,
):
    """Generates examples from a run's model, and writes them into one picture, or one text.

    From an autoencoder: a density is fitted to the codes of its training images, codes are drawn from it, and decoded.
    From an adversarial network: codes are drawn from the normal distribution; the picture has the pixels as they are,
    small images enlarged by a whole number. Vectors are drawn as points. A model of language continues prompts, as
    `zoo.write` does: the text is printed as it is written, or goes into a file.

    Args:
        run: a finished run folder.
        n: images or vectors, 1 to 1024; None is 64.
        density: of an autoencoder's codes: "gmm" (what None is), a mixture of Gaussians, or "kde", a kernel density.
        components: Gaussians of the mixture; None takes as many as give held-out codes the highest likelihood.
        label: of a network that is told the class: the name of a class of the run's, or its number; None takes the
            classes in turn. A string is looked for among the names first.
        seed: of the fit and of the draws: the same seed gives the same picture, and the same text.
        to: PNG file, by default `generated.png` in the run folder; folders that are missing are made. Of a model of
            language, any file, which holds the text in UTF-8; by default none.
        overwrite: whether a file that is there is replaced.
        verbose: 0 says nothing of what was drawn or written.
        prompt, length, temperature, top_k: of a model of language, as in `zoo.write`; None is the default there.

    Returns:
        The path of the file; None where there is none.

    Raises:
        ZooError: not a finished run, a model that generates nothing, an argument out of range or of no use for the
            run's model, a file that is there already; nothing was written.
    """
    if n is not None:
        densities.check_count(n, MOST)
    if density is not None:
        choose("density", density, densities.KINDS)
    seed = check_seed(seed)
    folder = Path(run)
    runs.read(folder)

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
    given = {"n": n, "density": density, "components": components, "label": label}
    given |= {"prompt": prompt, "length": length, "temperature": temperature, "top_k": top_k}
    for name, value in given.items():
        if value is not None and name not in known:
            raise ZooError(
                f"{name} is of no use for the run {folder}, whose model is for {task}: leave it out. "
                f"Received: {name}={value!r}. What it takes: {', '.join(known)}"
            )
    images = task != "language"
    path = Path(to) if to is not None else folder / "generated.png" if images else None
    require(not images or path.suffix.lower() == ".png", "to", str(path), "the path of a .png file")
    if path is not None:
        _staging.refuse_existing([path], overwrite)
    given["n"] = n or IMAGES
    options = {name: given[name] for name in known}
    if not images:
        options |= {"show": _show if verbose and path is None else None}
    content, said = draw(folder, model, seed, **options)
    if path is not None:
        with _staging.staged([path]) as scratch:
            (scratch / path.name).write_bytes(content)
    if verbose and said:
        print(said)
    return path


def from_prompts(folder, model, seed, prompt, length, temperature, top_k, show):
    """What a model of language writes: each prompt and its continuation, with an empty line between two.

    Args:
        folder: the run folder.
        model: its `zoo.language_model.LanguageModel`.
        seed, prompt, length, temperature, top_k: as in `generate`.
        show: a function of strings that is called with the text bit by bit, or None.

    Returns:
        The bytes of a text file, and no sentence.
    """
    from zoo.writing import write

    told = {"length": length, "temperature": temperature, "top_k": top_k}
    told = {name: value for name, value in told.items() if value is not None}
    prompt = "" if prompt is None else prompt
    prompt = prompt[0] if isinstance(prompt, list | tuple) and len(prompt) == 1 else prompt
    bits = []

    def add(bit):
        # Only one text can be seen while it grows.
        if not bits:
            bits.append(prompt)
            show(prompt)
        show(bit)

    if isinstance(prompt, str):
        written = [prompt + write(model, prompt, **told, seed=seed, stream=add if show else None)]
    else:
        written = [each + text for each, text in zip(prompt, write(model, prompt, **told, seed=seed), strict=True)]
        if show:
            show("\n\n".join(written))
    if show:
        show("\n")
    return ("\n\n".join(written) + "\n").encode("utf-8", "replace"), None


def _show(text):
    """Prints a bit of a text at once, in what the terminal can show."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), end="", flush=True)


def from_codes(folder, model, seed, n, density, components):
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


def from_noise(folder, model, seed, n, label):
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


# What generates, by task: `function(folder, model, seed, **options)` returns the file's bytes and a sentence; and the
# options it takes.
GENERATORS = {
    "autoencoding": (from_codes, ("density", "components", "n")),
    "generation": (from_noise, ("label", "n")),
    "language": (from_prompts, ("prompt", "length", "temperature", "top_k")),
}
