"""Pictures of a network from images to images: inputs, outputs, targets and what differs; how the outputs grew."""

from pathlib import Path

import numpy as np

from zoo.pictures.sample_sheets import film
from zoo.report import panels, save
from zoo.samples import written
from zoo.translating import held_out

SHOWN = 6
# Images that are looked at, and their pixels.
MOST, PIXELS = 100, 2**22


def draw(folder, model, data):
    """Draws the pictures of a run of a network from images to images.

    Args:
        folder: the run folder; `growth.gif` is made of what `zoo.samples.Samples` left in its `samples`.
        model: the trained network.
        data: the run's data; the test part is shown, or the validation part: of its first images at most 100, and fewer
            where they are large, six from the best to the worst.

    Returns:
        The paths: `translations.png`, and `growth.gif` where there are samples.
    """
    folder, part = Path(folder), data.test or data.validation
    height, width = model.output_shape[1:3]
    inputs, outputs, targets = held_out(model, part, max(2, min(MOST, PIXELS // ((height or 256) * (width or 256)))))
    errors = np.abs(outputs.astype("float32") - targets).mean((1, 2, 3))
    order = np.argsort(errors, kind="stable")
    shown = order[np.unique(np.linspace(0, len(order) - 1, SHOWN).round().astype(int))]
    figure = translations(inputs[shown], outputs[shown], targets[shown])
    grown = written(folder / "samples")
    return [
        save(figure, folder / "translations.png"),
        *([film(grown, folder / "growth.gif")] if grown else []),
    ]


def translations(inputs, outputs, targets):
    """Input, output, target and the difference of the last two, one example a row.

    Args:
        inputs: raw pixels (n, height, width, channels), of any size.
        outputs, targets: raw pixels (n, height, width, channels).

    Returns:
        A matplotlib figure. Differences are absolute, the mean over the channels; under each stands its mean.
    """
    from matplotlib.patches import Rectangle

    differences = np.abs(np.asarray(outputs, np.float32) - targets).mean(-1)
    height, width = targets.shape[1:3]
    figure, axes = panels(4, len(inputs), 2.0, 2.0 * height / width + 0.25)
    # A few pixels that differ most must not darken all others.
    most = max(1.0, float(np.quantile(differences, 0.995)))
    for row, images in enumerate(zip(inputs, outputs, targets, differences, strict=True)):
        of_row = axes[4 * row : 4 * row + 4]
        for axis, image in zip(of_row, images[:3], strict=False):
            axis.imshow(_shares(image), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        drawn = of_row[3].imshow(images[3], cmap="magma", vmin=0, vmax=most, interpolation="nearest")
        under = dict(ha="center", va="top", fontsize=8, transform=of_row[3].transAxes)
        of_row[3].text(0.5, -0.03, f"mean {images[3].mean():.1f}", **under)
        for axis, name in zip(of_row, ("input", "output", "target", "difference"), strict=True):
            axis.axis("off")
            axis.add_patch(Rectangle((0, 0), 1, 1, transform=axis.transAxes, fill=False, color="gray"))
            if row == 0:
                axis.set_title(name, fontsize=9)
    bar = dict(location="bottom", shrink=0.6, aspect=40, pad=0.02, extend="max")
    figure.colorbar(drawn, ax=axes, label="absolute difference of pixels 0..255", **bar)
    figure.suptitle("Held-out examples, from the best to the worst", fontsize=10)
    return figure


def _shares(image):
    """Raw pixels as 0..1, grey ones without their channel."""
    image = np.asarray(image, np.float32) / 255
    return image[..., 0] if image.shape[-1] == 1 else image
