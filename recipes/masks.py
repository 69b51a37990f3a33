"""A U-Net on your own images and masks: two folders of files with the same names (after Ronneberger et al. 2015).

    zoo train masks --images path/to/images --masks path/to/masks     # not measured: needs your images

Masks are PNG files of one number a pixel; each number is a class, the smallest one the background. Images of any size
are cut into windows for training; the SavedModel takes images of any size. Without folders it trains on handwritten
digits on a cluttered canvas.
"""

import keras

import zoo
from callbacks import Schedule, cosine, warmup
from zoo.data import paired, segmentation
from zoo.errors import ZooError
from zoo.segmentation_losses import SegmentationLoss
from zoo.segmentation_metrics import SegmentationMetrics


def search(hp):
    return dict(
        learning_rate=hp.Float("learning_rate", 3e-4, 3e-3, sampling="log"),
        dice=hp.Float("dice", 0.0, 2.0),
    )


def recipe(
    images: "str | None" = None,
    masks: "str | None" = None,
    epochs=20,
    batch_size=8,
    learning_rate=0.002,
    size: "int | None" = None,
    window=64,
    repeats: "int | None" = None,
    labels=(),
    width=16,
    depth=3,
    dice=1.0,
    rotation=10.0,
    zoom=0.1,
    elastic=2.0,
):
    """Adam on cross-entropy and Dice loss, windows that are turned, scaled and bent, a cosine schedule.

    Args:
        images: the folder of the images, PNG or JPEG.
        masks: the folder of the masks, PNG.
        epochs: passes over the training images.
        batch_size: windows a step.
        learning_rate: Adam's rate at its highest; it rises for 5 % of the training and falls to 0 as a cosine.
        size: pixels to bring images and masks to first; None keeps them as they are.
        window: side of the training windows in pixels, a multiple of 2**depth.
        repeats: windows that an epoch takes from each image; none takes as many as cover it.
        labels: names of the classes in the order of the masks' values; none takes the values.
        width: channels of the network's first stage; the paper has 64.
        depth: how often the network halves the image; 4 in the paper.
        dice: weight of the Dice loss; that of the cross-entropy is 1.
        rotation: augmentation, degrees at most either way.
        zoom: augmentation, share larger or smaller at most.
        elastic: augmentation, standard deviation in pixels of the displacement of 3 x 3 nodes.
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
        mix=[paired.warp(window, rotation=rotation, zoom=zoom, sigma=elastic), paired.intensity(0.1, 0.2)],
    )
    model = zoo.build(
        "unet_same",
        num_classes=len(data.labels),
        input_shape=data.train.input_shape,
        width=width,
        depth=depth,
        batch_normalization=True,
    )
    metrics = [SegmentationMetrics(data.labels)]
    model.compile(keras.optimizers.Adam(learning_rate), SegmentationLoss(dice=dice), metrics=metrics)
    schedule = Schedule("learning_rate", warmup(0.05, cosine(learning_rate)))
    return zoo.Recipe(model, data, epochs, [schedule], objective=("val_mean_iou", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
