"""A model of your choice on images of your own: a folder with one folder of image files for each class.

    zoo train images --model lenet --data path/to/folder

not measured: needs images of the user's.
"""

import keras

import zoo
from callbacks import Schedule, cosine, warmup
from zoo import data as sources


def search(hp):
    return dict(learning_rate=hp.Float("learning_rate", 1e-4, 1e-2, sampling="log"))


def recipe(
    data="digits",
    model="mlp",
    epochs=20,
    batch_size=32,
    learning_rate=0.001,
    size: "int | None" = None,
    channels: "int | None" = None,
    validation=0.1,
    on_error="stop",
):
    """Trains a classifier by name on a folder of class folders, or on an image set of tensorflow-datasets.

    Args:
        data: path of a folder with one folder of PNG or JPEG files a class (or with train and test folders of such),
            digits, or the name of an image set of tensorflow-datasets.
        model: name of a classification model: see zoo list --task classification.
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Adam's rate at its highest; it rises for 5 % of the training and falls to 0 as a cosine.
        size: side in pixels to which every image is brought; none keeps the files' own, which must then be one.
        channels: 1 for grey, 3 for colour; none takes what the files have.
        validation: share of the training images that is held out.
        on_error: stop at a file that cannot be read, or skip it.
    """
    found = sources.images(data, batch_size, size=size, channels=channels, validation=validation, on_error=on_error)
    network = zoo.build(model, input_shape=found.train.input_shape, num_classes=len(found.labels))
    network.compile(
        keras.optimizers.Adam(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    schedule = Schedule("learning_rate", warmup(0.05, cosine(learning_rate)))
    return zoo.Recipe(network, found, epochs, [schedule], objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
