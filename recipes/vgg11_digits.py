"""A narrow VGG-11 on scikit-learn's handwritten digits.

zoo train vgg11_digits     # 99.44 % ± 0.28 of the test images (n=3), 7 s on 2 cores
"""

import keras

import zoo
from callbacks import Schedule, cosine, warmup
from zoo.data import affine, images


def search(hp):
    return dict(
        learning_rate=hp.Float("learning_rate", 3e-4, 1e-2, sampling="log"),
        width=hp.Choice("width", [0.125, 0.25, 0.5]),
    )


def recipe(
    epochs=15,
    batch_size=64,
    learning_rate=0.003,
    width=0.25,
    rotation=10.0,
    translate=0.08,
    zoom=0.1,
):
    """Configuration A with batch normalisation and one dense layer, on images enlarged to 32 x 32.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Adam's rate at its highest; it rises for 5 % of the training and falls to 0 as a cosine.
        width: factor on the channels.
        rotation: augmentation, degrees at most either way.
        translate: augmentation, share of the image's side at most either way.
        zoom: augmentation, share larger or smaller at most.
    """
    augment = affine(rotation=rotation, translate=translate, zoom=zoom)
    data = images("digits", batch_size, size=32, augment=augment)
    model = zoo.build("vgg11_small", input_shape=(32, 32, 1), width=width)
    model.compile(
        keras.optimizers.Adam(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    schedule = Schedule("learning_rate", warmup(0.05, cosine(learning_rate)))
    return zoo.Recipe(model, data, epochs, [schedule], objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
