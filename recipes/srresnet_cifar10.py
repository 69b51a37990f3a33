"""SRResNet that enlarges CIFAR-10 from 8 x 8 to 32 x 32 pixels (Ledig et al. 2017, figure 4).

    zoo train srresnet_cifar10     # PSNR 23.14 dB, SSIM 0.654 on test images (n=1), 16 min on 2 cores in use
    zoo train srresnet_cifar10 --data photographs --batch-size 16 --epochs 40

The loss is the squared error of pixels 0..255. PSNR and SSIM are of the luminance, without a border of 4 pixels, of
the first 1000 images of a part, beside bicubic interpolation and nearest pixels. The Frechet distance is between
features of the shipped ResNet-20, of the enlarged images and of the originals: it says what the squared error cannot
see, that the image that is right on average is too smooth. Bicubic interpolation has 21.93 dB, 0.561 and a distance
of 55.0, nearest pixels 20.74 dB, 0.492 and 47.1, this network's distance is 44.7. `srgan_cifar10` begins where this
run ends.
"""

import keras

import zoo
from callbacks import Schedule
from zoo.curves import curve
from zoo.data import paired, super_resolution
from zoo.pictures import resolution
from zoo.resolution_scores import measure


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [16, 32, 64], default=32),
        learning_rate=hp.Float("learning_rate", 0.0001, 0.003, sampling="log", default=0.001),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        filters=hp.Choice("filters", [16, 32, 64], default=32),
        blocks=hp.Int("blocks", 2, 12, step=2, default=6),
    )


def recipe(
    epochs=8,
    batch_size=32,
    learning_rate=0.001,
    schedule="cosine",
    warmup=0.05,
    data="cifar10",
    factor=4,
    patch: int | None = None,
    filters=32,
    blocks=6,
    examples: int | None = None,
):
    """Adam on the squared error, a cosine schedule; half of the images are mirrored.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Adam's rate at its highest. The paper has 0.0001, for a million steps.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        data: cifar10 or another set of images by its name, photographs (eight that come with the zoo's libraries, whole
            ones held out), or the path of a folder of image files.
        factor: how many times higher and wider images become: 2, 4 or 8.
        patch: side in pixels of the large images' patches; none takes whole images of sets, and 96 of photographs and
            folders, as the paper does.
        filters: channels of the convolutions; the paper has 64.
        blocks: residual blocks; the paper has 16.
        examples: training images to keep; none keeps all.
    """
    pairs = super_resolution(
        data, batch_size, factor=factor, patch=patch, examples=examples, mix=paired.flips(horizontal=True)
    )
    channels = pairs.train.input_shape[2]
    model = zoo.build("srresnet", input_shape=(None, None, channels), factor=factor, filters=filters, blocks=blocks)
    model.compile(keras.optimizers.Adam(learning_rate), keras.losses.MeanSquaredError())
    rate = Schedule("learning_rate", curve(schedule, learning_rate, warmup))
    return zoo.Recipe(model, pairs, epochs, [rate], measures=(measure,))


def pictures(runs, folder):
    """Enlarged test images beside the originals, and the table of their scores."""
    return resolution.of_runs(runs, folder)


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
