"""A U-Net on your own images and masks: two folders of files with the same names (after Ronneberger et al. 2015).

    zoo train masks --images path/to/images --masks path/to/masks     # not measured: needs your images

Masks are PNG files of one number a pixel; each number is a class, the smallest one the background. Images of any size
are cut into windows for training; the SavedModel takes images of any size. Without folders it trains on handwritten
digits on a cluttered canvas.
"""

import keras

import zoo
from callbacks import Schedule
from zoo.curves import curve
from zoo.data import paired, segmentation
from zoo.errors import ZooError
from zoo.segmentation_losses import SegmentationLoss
from zoo.segmentation_metrics import SegmentationMetrics


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [4, 8, 16], default=8),
        learning_rate=hp.Float("learning_rate", 0.0003, 0.01, sampling="log", default=0.002),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        weight_decay=hp.Choice("weight_decay", [0.0, 0.001, 0.003, 0.01, 0.03, 0.1], default=0.0),
        width=hp.Choice("width", [8, 16, 32], default=16),
        depth=hp.Int("depth", 2, 4, default=3),
        dropout=hp.Float("dropout", 0.0, 0.4, default=0.0),
        dice=hp.Float("dice", 0.0, 2.0, default=1.0),
        rotation=hp.Float("rotation", 0.0, 45.0, default=10.0),
        zoom=hp.Float("zoom", 0.0, 0.3, default=0.1),
        elastic=hp.Float("elastic", 0.0, 6.0, default=2.0),
        brightness=hp.Float("brightness", 0.0, 0.3, default=0.1),
        contrast=hp.Float("contrast", 0.0, 0.5, default=0.2),
    )


def recipe(
    images: "str | None" = None,
    masks: "str | None" = None,
    epochs=20,
    batch_size=8,
    learning_rate=0.002,
    schedule="cosine",
    warmup=0.05,
    weight_decay=0.0,
    size: "int | None" = None,
    window=64,
    repeats: "int | None" = None,
    labels=(),
    width=16,
    depth=3,
    dropout=0.0,
    dice=1.0,
    rotation=10.0,
    zoom=0.1,
    elastic=2.0,
    brightness=0.1,
    contrast=0.2,
):
    """Adam on cross-entropy and Dice loss, windows that are turned, scaled and bent, a cosine schedule.

    Args:
        images: the folder of the images, PNG or JPEG.
        masks: the folder of the masks, PNG.
        epochs: passes over the training images.
        batch_size: windows a step.
        learning_rate: Adam's rate at its highest.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        weight_decay: share of the convolutions' weights that is taken off at each step, times the rate: above 0, Adam
            is AdamW.
        size: pixels to bring images and masks to first; None keeps them as they are.
        window: side of the training windows in pixels, a multiple of 2**depth.
        repeats: windows that an epoch takes from each image; none takes as many as cover it.
        labels: names of the classes in the order of the masks' values; none takes the values.
        width: channels of the network's first stage; the paper has 64.
        depth: how often the network halves the image; 4 in the paper.
        dropout: the part that is dropped behind the last two stages of the contracting path.
        dice: weight of the Dice loss; that of the cross-entropy is 1.
        rotation: augmentation, degrees at most either way.
        zoom: augmentation, share larger or smaller at most.
        elastic: augmentation, standard deviation in pixels of the displacement of 3 x 3 nodes.
        brightness: augmentation, share of the range at most.
        contrast: augmentation, largest relative change.
    """
    if (images is None) != (masks is None):
        raise ZooError(
            f"images and masks are two folders, and belong together. Received: images={images!r}, masks={masks!r}"
        )
    data = segmentation(
        "digits_canvas" if images is None else (images, masks),
        batch_size,
        size=size,
        labels=labels or None,
        repeats=repeats,
        mix=[paired.warp(window, rotation=rotation, zoom=zoom, sigma=elastic), paired.intensity(brightness, contrast)],
    )
    model = zoo.build(
        "unet_same",
        num_classes=len(data.labels),
        input_shape=data.train.input_shape,
        width=width,
        depth=depth,
        batch_normalization=True,
        dropout=dropout,
    )
    metrics = [SegmentationMetrics(data.labels)]
    optimizer = keras.optimizers.Adam(learning_rate, weight_decay=weight_decay or None)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(optimizer, SegmentationLoss(dice=dice), metrics=metrics)
    rate = Schedule("learning_rate", curve(schedule, learning_rate, warmup))
    return zoo.Recipe(model, data, epochs, [rate], objective=("val_mean_iou", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
