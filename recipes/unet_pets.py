"""U-Net on the Oxford-IIIT pets: pet, background, outline (Parkhi et al. 2012; after Ronneberger et al. 2015).

zoo train unet_pets     # not measured: needs a download of 0.8 GB and a GPU
"""

import keras

import zoo
from callbacks import Schedule
from zoo.curves import curve
from zoo.data import paired, segmentation
from zoo.segmentation_losses import SegmentationLoss
from zoo.segmentation_metrics import SegmentationMetrics


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [8, 16, 32], default=16),
        learning_rate=hp.Float("learning_rate", 0.0003, 0.01, sampling="log", default=0.001),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        weight_decay=hp.Choice("weight_decay", [0.0, 0.001, 0.003, 0.01, 0.03, 0.1], default=0.0),
        width=hp.Choice("width", [16, 32, 64], default=32),
        dropout=hp.Float("dropout", 0.0, 0.4, default=0.0),
        dice=hp.Float("dice", 0.0, 2.0, default=1.0),
        rotation=hp.Float("rotation", 0.0, 30.0, default=10.0),
        zoom=hp.Float("zoom", 0.0, 0.4, default=0.2),
        brightness=hp.Float("brightness", 0.0, 0.3, default=0.1),
        contrast=hp.Float("contrast", 0.0, 0.5, default=0.2),
    )


def recipe(
    epochs=20,
    batch_size=16,
    learning_rate=0.001,
    schedule="cosine",
    warmup=0.05,
    weight_decay=0.0,
    size=128,
    width=32,
    dropout=0.0,
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
        learning_rate: Adam's rate at its highest.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        weight_decay: share of the convolutions' weights that is taken off at each step, times the rate: above 0, Adam
            is AdamW.
        size: pixels to which images and masks are brought, a multiple of 16.
        width: channels of the network's first stage.
        dropout: the part that is dropped behind the last two stages of the contracting path.
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
