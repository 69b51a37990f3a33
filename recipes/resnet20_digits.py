"""ResNet-20 on scikit-learn's handwritten digits: the twin of `resnet20_cifar10` for a first try.

zoo train resnet20_digits     # 99.54 % ± 0.32 of the test images (n=3), 12 s on 2 cores
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
        learning_rate=hp.Float("learning_rate", 0.02, 0.5, sampling="log", default=0.1),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        momentum=hp.Choice("momentum", [0.8, 0.9, 0.95], default=0.9),
        weight_decay=hp.Choice("weight_decay", [0.0, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02], default=0.0),
        smoothing=hp.Float("smoothing", 0.0, 0.2, default=0.0),
        shortcut=hp.Choice("shortcut", ["A", "B", "C"], default="A"),
        rotation=hp.Float("rotation", 0.0, 20.0, default=10.0),
        translate=hp.Float("translate", 0.0, 0.15, default=0.08),
        zoom=hp.Float("zoom", 0.0, 0.25, default=0.1),
    )


def recipe(
    epochs=30,
    batch_size=64,
    learning_rate=0.1,
    schedule="cosine",
    warmup=0.05,
    momentum=0.9,
    weight_decay=0.0,
    smoothing=0.0,
    shortcut="A",
    rotation=10.0,
    translate=0.08,
    zoom=0.1,
):
    """The paper's network on images of 8 x 8: its stages see 8, 4 and 2 pixels.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Nesterov momentum's rate at its highest.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        momentum: share of the velocity that stays at each step.
        weight_decay: share of the weights of convolutions and the last layer that is taken off, times the rate.
        smoothing: share of the targets that is spread over all classes (Szegedy et al. 2015).
        shortcut: A, B or C, where the number of channels grows.
        rotation: augmentation, degrees at most either way.
        translate: augmentation, share of the image's side at most either way.
        zoom: augmentation, share larger or smaller at most.
    """
    augment = affine(rotation=rotation, translate=translate, zoom=zoom)
    data = images("digits", batch_size, augment=augment)
    model = zoo.build("resnet20", input_shape=(8, 8, 1), shortcut=shortcut)
    optimizer = keras.optimizers.SGD(learning_rate, momentum, nesterov=True, weight_decay=weight_decay or None)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(optimizer, crossentropy(smoothing), metrics=["accuracy"])
    rate = Schedule("learning_rate", curve(schedule, learning_rate, warmup))
    return zoo.Recipe(model, data, epochs, [rate], objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
