"""The practical LeNet on scikit-learn's handwritten digits.

zoo train lenet_digits     # 99.17 % ± 0.28 of the test images (n=3), 5 s on 2 cores
"""

import keras

import zoo
from callbacks import Schedule, cosine, warmup
from zoo.data import affine, images


def search(hp):
    return dict(
        learning_rate=hp.Float("learning_rate", 1e-3, 1e-2, sampling="log"),
        activation=hp.Choice("activation", ["relu", "tanh"]),
        pooling=hp.Choice("pooling", ["max", "average"]),
    )


def recipe(
    epochs=40,
    batch_size=32,
    learning_rate=0.003,
    activation="relu",
    pooling="max",
    rotation=10.0,
    translate=0.08,
    zoom=0.1,
):
    """LeNet with augmentation and a cosine schedule.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Adam's rate at its highest; it rises for 5 % of the training and falls to 0 as a cosine.
        activation: sigmoid, tanh or relu.
        pooling: max or average.
        rotation: augmentation, degrees at most either way.
        translate: augmentation, share of the image's side at most either way.
        zoom: augmentation, share larger or smaller at most.
    """
    data = images("digits", batch_size, augment=affine(rotation=rotation, translate=translate, zoom=zoom))
    model = zoo.build("lenet", input_shape=(8, 8, 1), upsample=4, activation=activation, pooling=pooling)
    model.compile(
        keras.optimizers.Adam(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    schedule = Schedule("learning_rate", warmup(0.05, cosine(learning_rate)))
    return zoo.Recipe(model, data, epochs, [schedule], objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
