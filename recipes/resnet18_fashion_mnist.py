"""ResNet-18 with the small stem on Fashion-MNIST (He et al. 2015), with mixup.

zoo train resnet18_fashion_mnist     # not measured: needs an hour or more on 2 cores, or a GPU
"""

import keras

import zoo
from callbacks import Schedule
from zoo.curves import curve
from zoo.data import crop, flip, images, mixup
from zoo.losses import SmoothedCrossentropy


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [64, 128, 256], default=128),
        learning_rate=hp.Float("learning_rate", 0.02, 0.5, sampling="log", default=0.1),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        momentum=hp.Choice("momentum", [0.8, 0.9, 0.95], default=0.9),
        weight_decay=hp.Float("weight_decay", 0.0005, 0.02, sampling="log", default=0.005),
        mixed=hp.Float("mixed", 0.05, 1.0, sampling="log", default=0.2),
        smoothing=hp.Float("smoothing", 0.0, 0.2, default=0.1),
        padding=hp.Int("padding", 0, 4, default=2),
        zero_gamma=hp.Boolean("zero_gamma", default=True),
    )


def recipe(
    epochs=15,
    batch_size=128,
    learning_rate=0.1,
    schedule="cosine",
    warmup=0.05,
    momentum=0.9,
    weight_decay=0.005,
    mixed=0.2,
    smoothing=0.1,
    padding=2,
    zero_gamma=True,
    validation=0.1,
):
    """The ImageNet network behind a 3 x 3 stem, on pairs of images that are mixed.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Nesterov momentum's rate at its highest.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        momentum: share of the velocity that stays at each step.
        weight_decay: share of the weights of convolutions and the last layer that is taken off, times the rate. It acts
            beside momentum: 0.005 is what 0.0005 in the loss is.
        mixed: augmentation, mixup's alpha (Zhang et al. 2017), above 0: the larger, the more of the other image.
        smoothing: share of the targets that is spread over all classes (Szegedy et al. 2015).
        padding: augmentation, pixels that an image may move either way; half of the images are mirrored too.
        zero_gamma: whether each block starts as the identity (Goyal et al. 2017).
        validation: share of the training images that is held back.
    """
    augment = [crop(padding), flip()]
    data = mixup(images("fashion_mnist", batch_size, augment=augment, validation=validation), mixed)
    model = zoo.build("resnet18", num_classes=10, input_shape=(28, 28, 1), stem="small", zero_gamma=zero_gamma)
    optimizer = keras.optimizers.SGD(learning_rate, momentum, nesterov=True, weight_decay=weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(optimizer, SmoothedCrossentropy(smoothing), metrics=["accuracy"])
    rate = Schedule("learning_rate", curve(schedule, learning_rate, warmup))
    return zoo.Recipe(model, data, epochs, [rate], objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
