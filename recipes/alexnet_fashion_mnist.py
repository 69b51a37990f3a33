"""AlexNet at 224 x 224 pixels on Fashion-MNIST: the form and the settings of the courses.

zoo train alexnet_fashion_mnist     # not measured: needs hours on 2 cores, or a GPU

A course book has 90.2 % after five epochs of about 130 s on a GPU, with these settings.
"""

import keras

import zoo
from zoo.data import images


def search(hp):
    return dict(
        learning_rate=hp.Float("learning_rate", 1e-3, 1e-1, sampling="log"),
        dropout=hp.Float("dropout", 0.0, 0.6),
    )


def recipe(epochs=5, batch_size=128, learning_rate=0.01, dropout=0.5, initializer="he", size=224, validation=0.1):
    """The paper's channels in one tower, 46.8 million parameters, by plain gradient descent at a constant rate.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: of plain stochastic gradient descent.
        dropout: share of the units of the two hidden dense layers that is dropped in training.
        initializer: the distribution of the first weights, he or paper.
        size: pixels to which the model enlarges the images of 28 x 28, at least 65.
        validation: share of the training images that is held back.
    """
    data = images("fashion_mnist", batch_size, validation=validation)
    model = zoo.build("alexnet_fashion", input_shape=(28, 28, 1), resize=size, dropout=dropout, initializer=initializer)
    model.compile(
        keras.optimizers.SGD(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return zoo.Recipe(model, data, epochs, objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
