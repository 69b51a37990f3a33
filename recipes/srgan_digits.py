"""A small SRGAN that enlarges scikit-learn's digits from 4 x 4 to 8 x 8 pixels (after Ledig et al. 2017).

    zoo train srgan_digits     # PSNR 19.95 ± 0.14 dB on test images (n=3), 16 s on 2 cores

Nothing is downloaded: the features that are compared are those of the shipped LeNet of the same digits. The images are
too small for SSIM. Bicubic interpolation has 13.18 dB; the Frechet distance is 10.4 ± 1.1, there 573.9.
"""

import keras

import zoo
from callbacks import Schedule
from zoo.curves import curve
from zoo.data import super_resolution
from zoo.models.srgan import begin
from zoo.perceptual import PerceptualLoss
from zoo.pictures import resolution
from zoo.resolution_scores import measure


def search(hp):
    # Not the losses' weights: without the adversarial one the content that runs are compared by is always best, and the
    # others are part of it.
    return dict(
        batch_size=hp.Choice("batch_size", [16, 32, 64], default=32),
        learning_rate=hp.Float("learning_rate", 0.0003, 0.01, sampling="log", default=0.002),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        discriminator_rate=hp.Float("discriminator_rate", 0.25, 4.0, sampling="log", default=1.0),
        filters=hp.Choice("filters", [8, 16, 32], default=16),
        blocks=hp.Int("blocks", 1, 4, default=2),
    )


def recipe(
    epochs=20,
    batch_size=32,
    learning_rate=0.002,
    schedule="cosine",
    warmup=0.05,
    discriminator_rate=1.0,
    init="",
    filters=16,
    blocks=2,
    adversarial=0.001,
    scale=1.0,
    pixels=1.0,
):
    """Adam on the errors of features and pixels and the adversarial loss, a cosine schedule for both players.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Adam's rate at its highest, the generator's.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        discriminator_rate: the discriminator's rate, as a multiple of it (Heusel et al. 2017).
        init: a run folder of srresnet_cifar10 with data digits, factor 2 and the same filters and blocks, whose weights
            the generator begins with; empty for random ones.
        filters: channels of the generator's convolutions.
        blocks: its residual blocks.
        adversarial: weight of the adversarial loss.
        scale: what features are multiplied by.
        pixels: weight of the squared error of the pixels beside that of features: what makes up for random weights.
    """
    data = super_resolution("digits", batch_size, factor=2)
    model = zoo.build(
        "srgan",
        input_shape=(None, None, 1),
        factor=2,
        filters=filters,
        blocks=blocks,
        patch=8,
        discriminator_filters=16,
        dense=64,
    )
    if init:
        begin(model, init)
    model.compile(
        keras.optimizers.Adam(learning_rate),
        adversarial_weight=adversarial,
        content=PerceptualLoss("lenet", "digits", "conv1", scale=scale, pixels=pixels),
    )
    rates = {"": learning_rate, "discriminator_optimizer.": discriminator_rate * learning_rate}
    schedules = [Schedule(f"{player}learning_rate", curve(schedule, rate, warmup)) for player, rate in rates.items()]
    return zoo.Recipe(model, data, epochs, schedules, objective=("val_content", "min"), measures=(measure,))


def pictures(runs, folder):
    """Enlarged test images beside the originals, and the table of their scores."""
    return resolution.of_runs(runs, folder)


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
