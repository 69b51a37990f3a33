"""AlexNet at 224 x 224 pixels on Fashion-MNIST: the form and the settings of the courses.

zoo train alexnet_fashion_mnist     # not measured: needs hours on 2 cores, or a GPU

A course book has 90.2 % after five epochs of about 130 s on a GPU, with these settings.
"""

import keras

import zoo
from zoo.data import images


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [32, 64, 128, 256], default=128),
        learning_rate=hp.Float("learning_rate", 0.001, 0.1, sampling="log", default=0.01),
        momentum=hp.Choice("momentum", [0.0, 0.5, 0.9], default=0.0),
        weight_decay=hp.Choice("weight_decay", [0.0, 0.0005, 0.001, 0.002, 0.005, 0.01], default=0.0),
        dropout=hp.Float("dropout", 0.0, 0.6, default=0.5),
        initializer=hp.Choice("initializer", ["he", "paper"], default="he"),
    )


def recipe(
    epochs=5,
    batch_size=128,
    learning_rate=0.01,
    momentum=0.0,
    weight_decay=0.0,
    dropout=0.5,
    initializer="he",
    size=224,
    validation=0.1,
):
    """The paper's channels in one tower, 46.8 million parameters, by plain gradient descent at a constant rate.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: of stochastic gradient descent.
        momentum: share of the velocity that stays at each step; 0 is plain descent.
        weight_decay: share of the weights that is taken off at each step, times the rate.
        dropout: share of the units of the two hidden dense layers that is dropped in training.
        initializer: the distribution of the first weights, he or paper.
        size: pixels to which the model enlarges the images of 28 x 28, at least 65.
        validation: share of the training images that is held back.
    """
    data = images("fashion_mnist", batch_size, validation=validation)
    model = zoo.build("alexnet_fashion", input_shape=(28, 28, 1), resize=size, dropout=dropout, initializer=initializer)
    model.compile(
        keras.optimizers.SGD(learning_rate, momentum, weight_decay=weight_decay or None),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return zoo.Recipe(model, data, epochs, objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
