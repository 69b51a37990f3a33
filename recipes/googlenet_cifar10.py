"""GoogLeNet for small images on CIFAR-10 (Szegedy et al. 2014), with its auxiliary classifiers and RandAugment.

zoo train googlenet_cifar10     # not measured: needs a GPU, or about a day on 2 cores
"""

import keras

import zoo
from callbacks import Schedule, cosine, warmup
from zoo.data import crop, flip, images, randaugment, repeated


def search(hp):
    return dict(
        learning_rate=hp.Float("learning_rate", 0.02, 0.5, sampling="log"),
        auxiliary=hp.Float("auxiliary", 0.0, 1.0),
        magnitude=hp.Int("magnitude", 0, 15, step=3),
    )


def recipe(
    epochs=40,
    batch_size=128,
    learning_rate=0.1,
    momentum=0.9,
    weight_decay=0.005,
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
        learning_rate: Nesterov momentum's rate at its highest; it rises for 5 % of the training and falls as a cosine.
        momentum: share of the velocity that stays at each step.
        weight_decay: share of the weights of convolutions and dense layers that is taken off, times the rate. It acts
            beside momentum: 0.005 is what 0.0005 in the loss is.
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
        {name: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for name in weights},
        loss_weights=weights,
        metrics={"logits": ["accuracy"]},
    )
    schedule = Schedule("learning_rate", warmup(0.05, cosine(learning_rate)))
    return zoo.Recipe(model, data, epochs, [schedule], objective=("val_logits_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
