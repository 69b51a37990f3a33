"""A narrow AlexNet on scikit-learn's handwritten digits.

zoo train alexnet_digits     # 98.89 % ± 0.48 of the test images (n=3), 16 s on 2 cores
"""

import keras

import zoo
from callbacks import Schedule
from zoo.curves import curve
from zoo.data import affine, images
from zoo.losses import crossentropy


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [32, 64, 128], default=64),
        learning_rate=hp.Float("learning_rate", 0.0003, 0.01, sampling="log", default=0.002),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        width=hp.Choice("width", [0.25, 0.5, 1.0], default=0.5),
        dense=hp.Choice("dense", [128, 256, 512], default=256),
        dropout=hp.Float("dropout", 0.0, 0.6, default=0.5),
        weight_decay=hp.Choice("weight_decay", [0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3], default=0.0),
        smoothing=hp.Float("smoothing", 0.0, 0.2, default=0.0),
        rotation=hp.Float("rotation", 0.0, 20.0, default=10.0),
        translate=hp.Float("translate", 0.0, 0.15, default=0.08),
        zoom=hp.Float("zoom", 0.0, 0.25, default=0.1),
    )


def recipe(
    epochs=25,
    batch_size=64,
    learning_rate=0.002,
    schedule="cosine",
    warmup=0.05,
    width=0.5,
    dense=256,
    dropout=0.5,
    weight_decay=0.0,
    smoothing=0.0,
    rotation=10.0,
    translate=0.08,
    zoom=0.1,
):
    """The form for small images, which it enlarges to 32 x 32 itself.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Adam's rate at its highest.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        width: factor on the channels.
        dense: units of the two hidden dense layers.
        dropout: share of those units that is dropped in training.
        weight_decay: share of the weights of convolutions and dense layers that is taken off at each step, times the
            rate: above 0, Adam is AdamW.
        smoothing: share of the targets that is spread over all classes (Szegedy et al. 2015).
        rotation: augmentation, degrees at most either way.
        translate: augmentation, share of the image's side at most either way.
        zoom: augmentation, share larger or smaller at most.
    """
    augment = affine(rotation=rotation, translate=translate, zoom=zoom)
    data = images("digits", batch_size, augment=augment)
    model = zoo.build("alexnet_small", input_shape=(8, 8, 1), resize=32, width=width, dense=dense, dropout=dropout)
    optimizer = keras.optimizers.Adam(learning_rate, weight_decay=weight_decay or None)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(optimizer, crossentropy(smoothing), metrics=["accuracy"])
    rate = Schedule("learning_rate", curve(schedule, learning_rate, warmup))
    return zoo.Recipe(model, data, epochs, [rate], objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
