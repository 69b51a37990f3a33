"""Pictures of super-resolution: what interpolation and networks make of small images, beside the originals."""

from pathlib import Path

import numpy as np

from zoo import preparation, runs, score_tables
from zoo import resolution_scores as scores
from zoo.loading import load
from zoo.report import panels, save

SHOWN = 6
# Of the models in the catalogue.
NAMES = {"srresnet": "SRResNet", "srgan": "SRGAN"}


def of_runs(found, folder):
    """Draws the networks of runs beside each other, and writes their scores as `resolution.csv`.

    It is what the recipes of super-resolution have as `pictures(runs, folder)`. A run that began with the weights of
    another one (`init`) is drawn beside that one.

    Args:
        found: pairs of a setting and its run folders, of which the first that is finished counts. Runs on other data
            than the first setting's are left out.
        folder: where the pictures go.

    Returns:
        The paths: `resolution.png` and `resolution.csv`; none where no run has a model.
    """
    chosen = []
    for setting, folders in found:
        # A run that diverged left no model.
        run = next((each for each in folders if (Path(each) / "model.keras").is_file()), None)
        if run is not None:
            chosen.append((setting, run, runs.read(run)))
    models = {}
    for setting, run, record in chosen:
        if record["data"] != chosen[0][2]["data"]:
            continue
        start = record["hyper"].get("init")
        if start:
            model = load(start)
            models.setdefault(_name(model, {}), model)
        model = load(run)
        models[_name(model, setting)] = model
    return draw(folder, models, preparation.rebuild(chosen[0][1]).data) if chosen else []


def draw(folder, models, data):
    """Draws what models make of held-out images, and writes their scores.

    Args:
        folder: where the files go.
        models: dict from name to a `keras.Model` from small to large images.
        data: a `zoo.Data`, as `zoo.data.super_resolution` gives it; its test part is looked at, or its validation part.

    Returns:
        The paths: `resolution.png` and `resolution.csv`.
    """
    folder = Path(folder)
    part = "test" if data.test else "validation"
    rows = scores.table(models, data, part)
    true, found = scores.enlarged(models, data, part)
    shown = np.unique(np.linspace(0, len(true) - 1, SHOWN).round().astype(int))
    figure = columns({name: images[shown] for name, images in found.items()}, true[shown], data.statistics["factor"])
    return [save(figure, folder / "resolution.png"), score_tables.write(rows, folder / "resolution.csv")]


def columns(found, true, factor):
    """Enlarged images beside the originals, one example a row, PSNR and SSIM under each.

    Args:
        found: dict from the name of a way to enlarge to raw pixels (n, height, width, channels); the first is that of
            the pixels as blocks, "nearest".
        true: the originals, of the same shape.
        factor: how many times higher and wider they are than the small images.

    Returns:
        A matplotlib figure.
    """
    height, width = true.shape[1:3]
    names = [*found, "original"]
    figure, axes = panels(len(names), len(true), 1.6, 1.6 * height / width + 0.25)
    similar = {name: scores.ssim(true, images) for name, images in found.items()}
    decibels = {name: scores.psnr(true, images) for name, images in found.items()}
    for position, axis in enumerate(axes):
        row, name = position // len(names), names[position % len(names)]
        image = np.asarray({**found, "original": true}[name][row], np.float32) / 255
        shown = image[..., 0] if image.shape[-1] == 1 else image
        axis.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axis.axis("off")
        if row == 0:
            axis.set_title("low-res (nearest)" if name == "nearest" else name, fontsize=9)
        if name in found:
            other = "" if similar[name] is None else f", {similar[name][row]:.3f}"
            said = f"{decibels[name][row]:.1f} dB{other}"
            axis.text(0.5, -0.04, said, transform=axis.transAxes, ha="center", va="top", fontsize=8)
    likeness = "" if any(each is None for each in similar.values()) else " and SSIM"
    size = f"{height // factor} x {width // factor} pixels to {height} x {width}"
    figure.suptitle(f"From {size}; PSNR{likeness} of the luminance", fontsize=10)
    return figure


def _name(model, setting):
    name = NAMES.get(model.name, model.name)
    return ", ".join([name, *(f"{key} {value}" for key, value in setting.items())])
