"""SRGAN that enlarges CIFAR-10 from 8 x 8 to 32 x 32 pixels (Ledig et al. 2017).

    zoo train srresnet_cifar10 --folder RUN
    zoo train srgan_cifar10 --init RUN     # PSNR 21.51 dB, SSIM 0.560 on test images (n=1), 7 min on 2 cores in use

The paper's generator begins with a trained SRResNet, to stay clear of poor local optima; without `--init` this one
begins with random weights. What the loss compares, beside the pixels, is features of the shipped ResNet-20 of
CIFAR-10, in the place of the paper's VGG-19 of ImageNet. For photographs that is `--data photographs --network vgg19
--weights imagenet --layer block5_conv4_relu --scale 0.0784 --pixels 0`.

The table (`resolution.csv`) and the picture have nearest, bicubic, the SRResNet of RUN and this one side by side: the
squared error is for SRResNet to win, and the looks, by the Frechet distance between features, for SRGAN. These are
the last features of the network that the loss sees earlier ones of: no judge from outside. The distance is 11.0, that
of SRResNet 44.7 (with 23.14 dB and 0.654), that of bicubic interpolation 55.0 (21.93 dB, 0.561).
"""

import keras

import zoo
from callbacks import Schedule
from zoo.curves import curve
from zoo.data import paired, super_resolution
from zoo.models.srgan import begin
from zoo.perceptual import PerceptualLoss
from zoo.pictures import resolution
from zoo.resolution_scores import measure


def search(hp):
    # Not the losses' weights: without the adversarial one the content that runs are compared by is always best, and the
    # others are part of it. Not the generator's size, which is that of --init.
    return dict(
        batch_size=hp.Choice("batch_size", [16, 32, 64], default=32),
        learning_rate=hp.Float("learning_rate", 3e-05, 0.003, sampling="log", default=0.0003),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        discriminator_rate=hp.Float("discriminator_rate", 0.25, 4.0, sampling="log", default=1.0),
        discriminator_filters=hp.Choice("discriminator_filters", [16, 32, 64], default=32),
        dense=hp.Choice("dense", [128, 256, 512], default=256),
    )


def recipe(
    epochs=2,
    batch_size=32,
    learning_rate=0.0003,
    schedule="cosine",
    warmup=0.05,
    discriminator_rate=1.0,
    init="",
    data="cifar10",
    factor=4,
    patch: int | None = None,
    filters=32,
    blocks=6,
    network="resnet20",
    weights="cifar10",
    layer="stage2_block3_relu",
    scale=0.17,
    pixels=1.0,
    adversarial=0.001,
    discriminator_filters=32,
    dense=256,
    examples: int | None = None,
):
    """Adam on the perceptual loss and the adversarial one, a cosine schedule for both players.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Adam's rate at its highest, the generator's. The paper has 0.0001 for 100 000 steps and a
            tenth of it for as many more.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        discriminator_rate: the discriminator's rate, as a multiple of it (Heusel et al. 2017).
        init: a run folder of srresnet_cifar10 with the same data, factor, filters and blocks, whose weights the
            generator begins with; empty for random ones. The run is continued and reported while it is there.
        data: cifar10 or another set of images by its name, photographs, or the path of a folder of image files.
        factor: how many times higher and wider images become: 2, 4 or 8.
        patch: side in pixels of the large images' patches; none takes whole images of sets, and 96 of photographs and
            folders, as the paper does.
        filters: channels of the generator's convolutions; the paper has 64.
        blocks: its residual blocks; the paper has 16.
        network: whose features are compared, a model of the zoo.
        weights: its weights, by name or path.
        layer: its layer.
        scale: what features are multiplied by. The default brings the squared error of bicubic images to the size of
            that of their pixels, where they span -1..1.
        pixels: weight of the squared error of the pixels beside that of features; the paper's best network has 0.
            Features of so small a network hardly see coloured noise from pixel to pixel, and do not keep it away.
        adversarial: weight of the adversarial loss; 0.001 in the paper.
        discriminator_filters: channels of the discriminator's first stage; the paper has 64.
        dense: units of its dense layer; the paper has 1024.
        examples: training images to keep; none keeps all.
    """
    pairs = super_resolution(
        data, batch_size, factor=factor, patch=patch, examples=examples, mix=paired.flips(horizontal=True)
    )
    model = zoo.build(
        "srgan",
        input_shape=(None, None, pairs.train.input_shape[2]),
        factor=factor,
        filters=filters,
        blocks=blocks,
        patch=factor * pairs.train.input_shape[0],
        discriminator_filters=discriminator_filters,
        dense=dense,
    )
    if init:
        begin(model, init)
    model.compile(
        keras.optimizers.Adam(learning_rate),
        adversarial_weight=adversarial,
        content=PerceptualLoss(network, weights, layer, scale=scale, pixels=pixels),
    )
    rates = {"": learning_rate, "discriminator_optimizer.": discriminator_rate * learning_rate}
    schedules = [Schedule(f"{player}learning_rate", curve(schedule, rate, warmup)) for player, rate in rates.items()]
    return zoo.Recipe(model, pairs, epochs, schedules, objective=("val_content", "min"), measures=(measure,))


def pictures(runs, folder):
    """Enlarged test images of both networks beside the originals, and the table of their scores."""
    return resolution.of_runs(runs, folder)


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
