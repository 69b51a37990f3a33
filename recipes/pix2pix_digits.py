"""pix2pix from outlines to handwritten digits (after Isola et al. 2017).

    zoo train pix2pix_digits     # mean absolute error 6.08 ± 0.05 of 255 on test images (n=3), 31 s on 2 cores

Nothing is downloaded: the images are scikit-learn's digits, enlarged to 32 x 32. Of an outline the network must tell
which side is ink, and how dark. Beside the mean absolute error of pixels 0..255 on held-out digits stands that of the
mean training image. `test_same_class` is the share of the generated digits in which the zoo's classifier of digits sees
the class that it sees in the real one: 0.995 ± 0.004; the mean training image has an error of 43.74 ± 0.01.
"""

import keras
import numpy as np

import zoo
from zoo.data import translation
from zoo.judging import judge
from zoo.translating import held_out, mean_absolute_error


def search(hp):
    return dict(
        learning_rate=hp.Float("learning_rate", 1e-4, 1e-3, sampling="log"),
        l1=hp.Float("l1", 10.0, 200.0, sampling="log"),
    )


def measure(model, data, part):
    """Errors of pixels, the floor they are compared with, and whether the digit is the same."""
    _, outputs, targets = held_out(model, data.parts[part])
    mean = data.train.arrays[1].mean(0).round().astype("uint8")
    # The classifier knows digits of 8 x 8.
    seen, real = (judge("digits").classes(_small(each)) for each in (outputs, targets))
    return {
        "mean_absolute_error": mean_absolute_error(outputs, targets),
        "mean_image_error": mean_absolute_error(np.broadcast_to(mean, targets.shape), targets),
        "same_class": float((seen == real).mean()),
    }


def _small(images):
    return images.reshape(-1, 8, 4, 8, 4, 1).mean((2, 4))


def recipe(
    epochs=20,
    batch_size=16,
    learning_rate=0.0005,
    width=16,
    levels=5,
    patch=16,
    dropout=0.0,
    normalization="instance",
    adversarial_weight=1.0,
    l1=100.0,
):
    """Adam on the conditional adversarial loss and the L1 loss.

    Args:
        epochs: passes over the training pairs.
        batch_size: pairs a step; the paper has 1 to 10.
        learning_rate: Adam's rate, of both players; 0.0002 in the paper.
        width: channels of the first stage of both networks; the paper has 64.
        levels: how often the generator halves the image; 5 leave one pixel.
        patch: side of what one logit of the discriminator sees: 1, 16 or 70.
        dropout: the part that is dropped in the first three decoder stages; 0.5 in the paper.
        normalization: instance or batch.
        adversarial_weight: of the generator's adversarial loss; 0 leaves the L1 loss alone.
        l1: weight of the L1 loss of pixels -1..1; the paper has 100.
    """
    data = translation("digits_edges", batch_size)
    model = zoo.build(
        "pix2pix",
        input_shape=data.train.input_shape,
        channels=1,
        width=width,
        levels=levels,
        normalization=normalization,
        dropout=dropout,
        patch=patch,
    )
    model.compile(
        keras.optimizers.Adam(learning_rate, beta_1=0.5),
        adversarial_weight=adversarial_weight,
        content=keras.losses.MeanAbsoluteError(),
        # The loss is of raw pixels 0..255: a unit of the paper's -1..1 is 127.5 of them.
        content_weight=l1 / 127.5,
    )
    return zoo.Recipe(model, data, epochs, objective=("val_content", "min"), measures=(measure,))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
