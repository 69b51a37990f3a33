"""AlexNet for small images on CIFAR-10 (Krizhevsky et al. 2012), with a moving average of the weights.

zoo train alexnet_cifar10     # not measured: needs half an hour on 2 cores
"""

import keras

import zoo
from callbacks import Schedule
from zoo.curves import curve
from zoo.data import crop, flip, images
from zoo.losses import crossentropy


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [64, 128, 256], default=128),
        learning_rate=hp.Float("learning_rate", 0.01, 0.2, sampling="log", default=0.05),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        momentum=hp.Choice("momentum", [0.8, 0.9, 0.95], default=0.9),
        weight_decay=hp.Float("weight_decay", 0.0005, 0.02, sampling="log", default=0.005),
        average=hp.Choice("average", [0.99, 0.995, 0.998, 0.999], default=0.998),
        dropout=hp.Float("dropout", 0.0, 0.6, default=0.3),
        smoothing=hp.Float("smoothing", 0.0, 0.2, default=0.0),
        padding=hp.Int("padding", 0, 6, default=4),
    )


def recipe(
    epochs=30,
    batch_size=128,
    learning_rate=0.05,
    schedule="cosine",
    warmup=0.05,
    momentum=0.9,
    weight_decay=0.005,
    average=0.998,
    dropout=0.3,
    smoothing=0.0,
    padding=4,
    validation=0.1,
):
    """One tower at stride 1 with batch normalisation; what is evaluated and kept is the average of its weights.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Nesterov momentum's rate at its highest.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        momentum: share of the velocity that stays at each step.
        weight_decay: share of the weights of convolutions and dense layers that is taken off, times the rate. It acts
            beside momentum: 0.005 is the paper's 0.0005 in the loss.
        average: share of the averaged weights that stays at each step, 0 to 1: 0.998 looks back over 500 steps.
        dropout: share of the units of the two hidden dense layers that is dropped in training.
        smoothing: share of the targets that is spread over all classes (Szegedy et al. 2015).
        padding: augmentation, pixels that an image may move either way; half of the images are mirrored too.
        validation: share of the training images that is held back.
    """
    data = images("cifar10", batch_size, augment=[crop(padding), flip()], validation=validation)
    model = zoo.build("alexnet_small", dropout=dropout)
    optimizer = keras.optimizers.SGD(
        learning_rate, momentum, nesterov=True, weight_decay=weight_decay, use_ema=True, ema_momentum=average
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(optimizer, crossentropy(smoothing), metrics=["accuracy"])
    rate = Schedule("learning_rate", curve(schedule, learning_rate, warmup))
    averaged = keras.callbacks.SwapEMAWeights()
    return zoo.Recipe(model, data, epochs, [rate, averaged], objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
