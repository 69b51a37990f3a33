"""U-Net on the Oxford-IIIT pets: pet, background, outline (Parkhi et al. 2012; after Ronneberger et al. 2015).

zoo train unet_pets     # not measured: needs a download of 0.8 GB and a GPU
"""

import keras

import zoo
from callbacks import Schedule, cosine, warmup
from zoo.data import paired, segmentation
from zoo.segmentation_losses import SegmentationLoss
from zoo.segmentation_metrics import SegmentationMetrics


def search(hp):
    return dict(
        learning_rate=hp.Float("learning_rate", 3e-4, 3e-3, sampling="log"),
        dice=hp.Float("dice", 0.0, 2.0),
    )


def recipe(
    epochs=20,
    batch_size=16,
    learning_rate=0.001,
    size=128,
    width=32,
    dice=1.0,
    rotation=10.0,
    zoom=0.2,
    brightness=0.1,
    contrast=0.2,
):
    """Adam on cross-entropy and Dice loss, a cosine schedule.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Adam's rate at its highest; it rises for 5 % of the training and falls to 0 as a cosine.
        size: pixels to which images and masks are brought, a multiple of 16.
        width: channels of the network's first stage.
        dice: weight of the Dice loss; that of the cross-entropy is 1.
        rotation: augmentation, degrees at most either way.
        zoom: augmentation, share larger or smaller at most.
        brightness: augmentation, share of the range at most.
        contrast: augmentation, largest relative change.
    """
    mix = [paired.warp(rotation=rotation, zoom=zoom), paired.flips(), paired.intensity(brightness, contrast)]
    data = segmentation(
        "oxford_iiit_pet", batch_size, size=size, values=(2, 1, 3), labels=("background", "pet", "outline"), mix=mix
    )
    model = zoo.build(
        "unet_same",
        num_classes=len(data.labels),
        input_shape=data.train.input_shape,
        width=width,
        batch_normalization=True,
    )
    metrics = [SegmentationMetrics(data.labels)]
    model.compile(keras.optimizers.Adam(learning_rate), SegmentationLoss(dice=dice), metrics=metrics)
    schedule = Schedule("learning_rate", warmup(0.05, cosine(learning_rate)))
    return zoo.Recipe(model, data, epochs, [schedule], objective=("val_mean_iou", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
