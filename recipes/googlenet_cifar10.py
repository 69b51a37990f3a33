"""GoogLeNet for small images on CIFAR-10 (Szegedy et al. 2014), with its auxiliary classifiers and RandAugment.

zoo train googlenet_cifar10     # not measured: needs a GPU, or about a day on 2 cores
"""

import keras

import zoo
from callbacks import Schedule
from zoo.curves import curve
from zoo.data import crop, flip, images, randaugment, repeated
from zoo.losses import crossentropy


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [64, 128, 256], default=128),
        learning_rate=hp.Float("learning_rate", 0.02, 0.5, sampling="log", default=0.1),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        momentum=hp.Choice("momentum", [0.8, 0.9, 0.95], default=0.9),
        weight_decay=hp.Float("weight_decay", 0.0005, 0.02, sampling="log", default=0.005),
        smoothing=hp.Float("smoothing", 0.0, 0.2, default=0.0),
        auxiliary=hp.Float("auxiliary", 0.0, 1.0, default=0.3),
        width=hp.Choice("width", [0.5, 0.75, 1.0], default=1.0),
        dropout=hp.Float("dropout", 0.0, 0.6, default=0.4),
        padding=hp.Int("padding", 0, 6, default=4),
        operations=hp.Int("operations", 1, 3, default=2),
        magnitude=hp.Int("magnitude", 0, 15, step=3, default=9),
    )


def recipe(
    epochs=40,
    batch_size=128,
    learning_rate=0.1,
    schedule="cosine",
    warmup=0.05,
    momentum=0.9,
    weight_decay=0.005,
    smoothing=0.0,
    auxiliary=0.3,
    width=1.0,
    dropout=0.4,
    padding=4,
    operations=2,
    magnitude=9,
    validation=0.1,
):
    """Trained as published, by three losses, on images that RandAugment changes.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Nesterov momentum's rate at its highest.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        momentum: share of the velocity that stays at each step.
        weight_decay: share of the weights of convolutions and dense layers that is taken off, times the rate. It acts
            beside momentum: 0.005 is what 0.0005 in the loss is.
        smoothing: share of the targets that is spread over all classes (Szegedy et al. 2015).
        auxiliary: weight of the losses of the two auxiliary classifiers; the main one's is 1.
        width: factor on the channels.
        dropout: share of the averaged features that is dropped in training.
        padding: augmentation, pixels that an image may move either way; half of the images are mirrored too.
        operations: augmentation, how many of RandAugment's operations an image passes through.
        magnitude: augmentation, how strong they are, 0 to 30.
        validation: share of the training images that is held back.
    """
    weights = {"logits": 1.0, "aux1": auxiliary, "aux2": auxiliary}
    augment = [crop(padding), flip(), randaugment(operations, magnitude)]
    data = repeated(images("cifar10", batch_size, augment=augment, validation=validation), list(weights))
    model = zoo.build("googlenet_small", width=width, dropout=dropout, aux=True)
    optimizer = keras.optimizers.SGD(learning_rate, momentum, nesterov=True, weight_decay=weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(
        optimizer,
        {name: crossentropy(smoothing) for name in weights},
        loss_weights=weights,
        metrics={"logits": ["accuracy"]},
    )
    rate = Schedule("learning_rate", curve(schedule, learning_rate, warmup))
    return zoo.Recipe(model, data, epochs, [rate], objective=("val_logits_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
