"""A model of your choice on images of your own: a folder with one folder of image files for each class.

    zoo train images --model lenet --data path/to/folder
    zoo train images --model resnet50 --data path/to/folder --size 224 --streaming    # a set larger than memory

not measured: needs images of the user's.
"""

import keras

import zoo
from callbacks import Schedule
from zoo import data as sources
from zoo.curves import curve
from zoo.losses import crossentropy


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [16, 32, 64, 128], default=32),
        learning_rate=hp.Float("learning_rate", 0.0001, 0.01, sampling="log", default=0.001),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        weight_decay=hp.Choice("weight_decay", [0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3], default=0.0),
        smoothing=hp.Float("smoothing", 0.0, 0.2, default=0.0),
        mirror=hp.Boolean("mirror", default=False),
        rotation=hp.Float("rotation", 0.0, 20.0, default=0.0),
        translate=hp.Float("translate", 0.0, 0.15, default=0.0),
        zoom=hp.Float("zoom", 0.0, 0.25, default=0.0),
    )


def recipe(
    data="digits",
    model="mlp",
    epochs=20,
    batch_size=32,
    learning_rate=0.001,
    schedule="cosine",
    warmup=0.05,
    weight_decay=0.0,
    smoothing=0.0,
    mirror=False,
    rotation=0.0,
    translate=0.0,
    zoom=0.0,
    size: "int | None" = None,
    channels: "int | None" = None,
    validation=0.1,
    on_error="stop",
    streaming=False,
    cache: "str | None" = None,
):
    """Trains a classifier by name on a folder of class folders, or on an image set of tensorflow-datasets.

    Args:
        data: path of a folder with one folder of PNG or JPEG files a class (or with train and test folders of such), or
            of TFRecord shards, digits, or the name of an image set of tensorflow-datasets.
        model: name of a classification model: see zoo list --task classification.
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Adam's rate at its highest.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        weight_decay: share of the weights, without biases and those of normalisation, that is taken off at each step,
            times the rate: above 0, Adam is AdamW.
        smoothing: share of the targets that is spread over all classes (Szegedy et al. 2015).
        mirror: augmentation, whether half of the images are mirrored left to right.
        rotation: augmentation, degrees at most either way.
        translate: augmentation, share of the image's side at most either way.
        zoom: augmentation, share larger or smaller at most.
        size: side in pixels to which every image is brought; none keeps the files' own, which must then be one.
        channels: 1 for grey, 3 for colour; none takes what the files have.
        validation: share of the training images that is held out.
        on_error: stop at a file that cannot be read, or skip it.
        streaming: read the images from the disk as they are needed, for sets larger than memory.
        cache: with streaming, memory or the path of a folder, where decoded images are kept; none decodes them each
            time.
    """
    turned = sources.affine(rotation=rotation, translate=translate, zoom=zoom)
    augment = [*([sources.flip()] if mirror else []), *([turned] if rotation or translate or zoom else [])]
    found = sources.images(
        data,
        batch_size,
        size=size,
        channels=channels,
        augment=augment,
        validation=validation,
        on_error=on_error,
        streaming=streaming,
        cache=cache,
    )
    network = zoo.build(model, input_shape=found.train.input_shape, num_classes=len(found.labels))
    optimizer = keras.optimizers.Adam(learning_rate, weight_decay=weight_decay or None)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    network.compile(
        optimizer,
        crossentropy(smoothing),
        metrics=["accuracy"],
    )
    rate = Schedule("learning_rate", curve(schedule, learning_rate, warmup))
    return zoo.Recipe(network, found, epochs, [rate], objective=("val_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
