"""LeNet-5 as published, on scikit-learn's handwritten digits (LeCun et al. 1998, section II).

    zoo train lenet5_digits          # not measured yet
"""

import keras

import zoo
from callbacks import Schedule, cosine, warmup
from zoo.data import affine, images
from zoo.losses import MaximumAPosteriori


def search(hp):
    return dict(
        learning_rate=hp.Float("learning_rate", 1e-3, 1e-2, sampling="log"),
        rotation=hp.Float("rotation", 0.0, 20.0),
        translation=hp.Float("translation", 0.0, 0.15),
    )


def recipe(epochs=30, batch_size=32, learning_rate=0.003, rotation=10.0, translation=0.08, zoom=0.1):
    """LeNet-5 with the paper's loss, augmentation, and a cosine schedule.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Adam's rate at its highest; it rises for 5 % of the training and falls to 0 as a cosine.
        rotation: augmentation, at most so many degrees either way.
        translation: augmentation, at most this share of the image's side either way.
        zoom: augmentation, at most this share larger or smaller.
    """
    data = images("digits", batch_size, augment=[affine(rotation=rotation, translation=translation, zoom=zoom)])
    model = zoo.build("lenet5", input_shape=(8, 8, 1), upsample=3)
    model.compile(keras.optimizers.Adam(learning_rate), MaximumAPosteriori(), metrics=["accuracy"])
    schedule = Schedule("learning_rate", warmup(0.05, cosine(learning_rate)))
    return zoo.Recipe(model, data, epochs, [schedule], objective=("val_accuracy", "max"))


if __name__ == "__main__":
    zoo.cli.main(["train", __file__])
