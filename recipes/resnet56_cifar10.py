"""ResNet-56 on CIFAR-10 (He et al. 2015, section 4.2): three times the depth of ResNet-20.

zoo train resnet56_cifar10     # not measured: needs two to three hours on 2 cores, or a GPU, for each seed

The paper's number is 93.03 %.
"""

import keras

import zoo
from callbacks import Schedule, cosine, warmup
from zoo.data import crop, cutout, flip, images


def search(hp):
    return dict(
        learning_rate=hp.Float("learning_rate", 0.02, 0.5, sampling="log"),
        weight_decay=hp.Float("weight_decay", 5e-4, 2e-2, sampling="log"),
        square=hp.Int("square", 0, 16, step=4),
    )


def recipe(
    epochs=90,
    batch_size=128,
    learning_rate=0.1,
    momentum=0.9,
    weight_decay=0.005,
    padding=4,
    square=0,
    shortcut="A",
    validation=0.1,
):
    """The paper's network and augmentation, with a cosine instead of its steps, so that fewer epochs do.

    Args:
        epochs: passes over the training images; the paper has about 180.
        batch_size: images a step.
        learning_rate: Nesterov momentum's rate at its highest; it rises for 5 % of the training and falls as a cosine.
        momentum: share of the velocity that stays at each step.
        weight_decay: share of the weights of convolutions and the last layer that is taken off, times the rate. It acts
            beside momentum: 0.005 is the paper's 0.0005 in the loss.
        padding: augmentation, pixels that an image may move either way; half of the images are mirrored too.
        square: augmentation, side of a square that is covered, in pixels; 0 covers nothing.
        shortcut: A, B or C.
        validation: share of the training images that is held back.
    """
    augment = [crop(padding), flip(), *([cutout(square)] if square else [])]
    data = images("cifar10", batch_size, augment=augment, validation=validation)
    model = zoo.build("resnet56", shortcut=shortcut)
    optimizer = keras.optimizers.SGD(learning_rate, momentum, nesterov=True, weight_decay=weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    schedule = Schedule("learning_rate", warmup(0.05, cosine(learning_rate)))
    return zoo.Recipe(model, data, epochs, [schedule], objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
