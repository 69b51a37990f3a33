"""VGG-11 for small images on CIFAR-10 (Simonyan and Zisserman 2015, configuration A), in one cycle.

zoo train vgg11_cifar10     # not measured: needs half an hour on 2 cores
"""

import keras

import zoo
from callbacks import Schedule, one_cycle, schedulable
from zoo.data import crop, cutout, flip, images
from zoo.losses import SmoothedCrossentropy


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [64, 128, 256], default=128),
        learning_rate=hp.Float("learning_rate", 0.02, 0.5, sampling="log", default=0.1),
        cycle=hp.Float("cycle", 0.6, 0.95, default=0.9),
        weight_decay=hp.Float("weight_decay", 0.0005, 0.02, sampling="log", default=0.005),
        smoothing=hp.Float("smoothing", 0.0, 0.2, default=0.1),
        padding=hp.Int("padding", 0, 6, default=4),
        square=hp.Int("square", 0, 16, step=4, default=8),
        width=hp.Choice("width", [0.5, 0.75, 1.0], default=1.0),
    )


def recipe(
    epochs=20,
    batch_size=128,
    learning_rate=0.1,
    cycle=0.9,
    weight_decay=0.005,
    smoothing=0.1,
    padding=4,
    square=8,
    width=1.0,
    validation=0.1,
):
    """Batch normalisation and one dense layer; the rate goes up and down once, and momentum the other way round.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: the highest rate of the cycle (Smith and Topin 2017), whose momentum goes from 0.95 to 0.85.
        cycle: share of the training that the cycle takes; then the rate falls to 0.
        weight_decay: share of the weights of convolutions and the last layer that is taken off, times the rate. It acts
            beside momentum: 0.005 is what 0.0005 in the loss is.
        smoothing: share of the targets that is spread over all classes (Szegedy et al. 2015).
        padding: augmentation, pixels that an image may move either way; half of the images are mirrored too.
        square: augmentation, side of a square that is covered, in pixels; 0 covers nothing.
        width: factor on the channels.
        validation: share of the training images that is held back.
    """
    augment = [crop(padding), flip(), *([cutout(square)] if square else [])]
    data = images("cifar10", batch_size, augment=augment, validation=validation)
    model = zoo.build("vgg11_small", width=width)
    rate, momentum = one_cycle(learning_rate, cycle=cycle)
    optimizer = schedulable(keras.optimizers.SGD(learning_rate, 0.95, nesterov=True, weight_decay=weight_decay))
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(optimizer, SmoothedCrossentropy(smoothing), metrics=["accuracy"])
    callbacks = [Schedule("learning_rate", rate), Schedule("momentum", momentum)]
    return zoo.Recipe(model, data, epochs, callbacks, objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
