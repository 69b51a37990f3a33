"""Pictures of densities of codes: how likely held-out codes are, and what is decoded from drawn ones."""

import math

from zoo.pictures.convnets import mosaic
from zoo.report import panels

SIDE = 0.42


def likelihoods(mixture, kernels):
    """The log-likelihood of training and of held-out codes against the number of components.

    Args:
        mixture: a `zoo.densities.Density` of kind "gmm".
        kernels: one of kind "kde", of the same codes, which is a line.

    Returns:
        A matplotlib figure.
    """
    figure, (axis,) = panels(1, 1, 6.4, 4.2)
    numbers = [each.setting for each in mixture.tried]
    axis.plot(numbers, [each.training for each in mixture.tried], "o-", color="C0", label="mixture, training codes")
    axis.plot(numbers, [each.held_out for each in mixture.tried], "s-", color="C1", label="mixture, held-out codes")
    axis.axvline(mixture.chosen.setting, color="C1", linestyle=":", linewidth=1)
    axis.axhline(
        kernels.chosen.held_out,
        color="C2",
        linestyle="--",
        label=f"kernel density, held-out codes (bandwidth {kernels.chosen.setting:.3g})",
    )
    axis.set_xscale("log")
    axis.set_xticks(numbers, [f"{number:g}" for number in numbers])
    axis.minorticks_off()
    axis.set_xlabel("components of the Gaussian mixture")
    axis.set_ylabel("log-likelihood, nats a code")
    axis.set_title(
        f"Held-out codes choose {mixture.chosen.setting:g} components: {mixture.chosen.held_out:.2f} nats a code",
        fontsize=10,
    )
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    return figure


def samples(panes):
    """Images side by side, one mosaic for each density that they came from.

    Args:
        panes: list of pairs: a title, and images (n, height, width, channels) of values 0..1.

    Returns:
        A matplotlib figure.
    """
    across = max(math.ceil(math.sqrt(len(images))) for _, images in panes)
    down = max(-(-len(images) // across) for _, images in panes)
    figure, axes = panels(len(panes), 1, max(3.6, SIDE * across), SIDE * down + 0.35)
    for axis, (title, images) in zip(axes, panes, strict=True):
        axis.imshow(mosaic(images.clip(0, 1), across), cmap="gray", vmin=0, vmax=1)
        axis.set_title(title, fontsize=10)
        axis.axis("off")
    return figure
