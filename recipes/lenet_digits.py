"""The practical LeNet on scikit-learn's handwritten digits.

zoo train lenet_digits     # 99.26 % ± 0.16 of the test images (n=3), 5 s on 2 cores
"""

import keras

import zoo
from callbacks import Schedule
from zoo.curves import curve
from zoo.data import affine, images
from zoo.losses import crossentropy


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [16, 32, 64, 128], default=32),
        learning_rate=hp.Float("learning_rate", 5e-4, 2e-2, sampling="log", default=0.003),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        activation=hp.Choice("activation", ["relu", "tanh"], default="relu"),
        pooling=hp.Choice("pooling", ["max", "average"], default="max"),
        weight_decay=hp.Choice("weight_decay", [0.0, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3], default=0.0),
        smoothing=hp.Float("smoothing", 0.0, 0.2, default=0.0),
        rotation=hp.Float("rotation", 0.0, 20.0, default=10.0),
        translate=hp.Float("translate", 0.0, 0.15, default=0.08),
        zoom=hp.Float("zoom", 0.0, 0.25, default=0.1),
    )


def recipe(
    epochs=40,
    batch_size=32,
    learning_rate=0.003,
    schedule="cosine",
    warmup=0.05,
    activation="relu",
    pooling="max",
    weight_decay=0.0,
    smoothing=0.0,
    rotation=10.0,
    translate=0.08,
    zoom=0.1,
):
    """LeNet with augmentation and a cosine schedule.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Adam's rate at its highest.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        activation: sigmoid, tanh or relu.
        pooling: max or average.
        weight_decay: share of the weights that is taken off at each step, times the rate: above 0, Adam is AdamW.
        smoothing: share of the targets that is spread over all classes (Szegedy et al. 2015).
        rotation: augmentation, degrees at most either way.
        translate: augmentation, share of the image's side at most either way.
        zoom: augmentation, share larger or smaller at most.
    """
    data = images("digits", batch_size, augment=affine(rotation=rotation, translate=translate, zoom=zoom))
    model = zoo.build("lenet", input_shape=(8, 8, 1), upsample=4, activation=activation, pooling=pooling)
    model.compile(
        keras.optimizers.Adam(learning_rate, weight_decay=weight_decay or None),
        crossentropy(smoothing),
        metrics=["accuracy"],
    )
    rate = Schedule("learning_rate", curve(schedule, learning_rate, warmup))
    return zoo.Recipe(model, data, epochs, [rate], objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
