"""AlexNet for small images on CIFAR-10 (Krizhevsky et al. 2012), with a moving average of the weights.

zoo train alexnet_cifar10     # not measured: needs half an hour on 2 cores
"""

import keras

import zoo
from callbacks import Schedule, cosine, warmup
from zoo.data import crop, flip, images


def search(hp):
    return dict(
        learning_rate=hp.Float("learning_rate", 0.01, 0.2, sampling="log"),
        weight_decay=hp.Float("weight_decay", 5e-4, 2e-2, sampling="log"),
        dropout=hp.Float("dropout", 0.0, 0.6),
    )


def recipe(
    epochs=30,
    batch_size=128,
    learning_rate=0.05,
    momentum=0.9,
    weight_decay=0.005,
    average=0.998,
    dropout=0.3,
    padding=4,
    validation=0.1,
):
    """One tower at stride 1 with batch normalisation; what is evaluated and kept is the average of its weights.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Nesterov momentum's rate at its highest; it rises for 5 % of the training and falls as a cosine.
        momentum: share of the velocity that stays at each step.
        weight_decay: share of the weights of convolutions and dense layers that is taken off, times the rate. It acts
            beside momentum: 0.005 is the paper's 0.0005 in the loss.
        average: share of the averaged weights that stays at each step, 0 to 1: 0.998 looks back over 500 steps.
        dropout: share of the units of the two hidden dense layers that is dropped in training.
        padding: augmentation, pixels that an image may move either way; half of the images are mirrored too.
        validation: share of the training images that is held back.
    """
    data = images("cifar10", batch_size, augment=[crop(padding), flip()], validation=validation)
    model = zoo.build("alexnet_small", dropout=dropout)
    optimizer = keras.optimizers.SGD(
        learning_rate, momentum, nesterov=True, weight_decay=weight_decay, use_ema=True, ema_momentum=average
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    schedule = Schedule("learning_rate", warmup(0.05, cosine(learning_rate)))
    averaged = keras.callbacks.SwapEMAWeights()
    return zoo.Recipe(model, data, epochs, [schedule, averaged], objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
