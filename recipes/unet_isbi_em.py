"""U-Net on the electron micrographs of the ISBI challenge of 2012: cells and their membranes (Ronneberger et al. 2015).

zoo train unet_isbi_em     # pixel error 0.051 ± 0.007 on held-out slices (3 splits), 12 min on 2 cores (in use)

The 30 labelled slices of 512 x 512 (Drosophila larva ventral nerve cord, Cardona et al. 2010; Arganda-Carreras et al.
2015; brainiac2.mit.edu/isbi_challenge) are PNG files in two folders, `isbi_em/image` and `isbi_em/label`, or where
`--images` and `--masks` say: one for each slice of the stacks train-volume.tif and train-labels.tif. 0 is a membrane,
255 the inside of a cell. The challenge's own test labels are hidden. Here 24 slices train, and 6 are held out
as one block, slices 6 k to 6 k + 5 with `--split k`, k from 0 to 4: neighbouring slices are nearly alike, and a random
split would test on what was seen. `zoo compare unet_isbi_em --vary split=0,2,4 --seeds 1 --test` gives that number, the
challenge's pixel error (1 - the maximal F-score of cells), and with it a Rand error of 0.029 ± 0.013, an information
error of 0.018 ± 0.003, an IoU of cells of 0.902 ± 0.012 and a share of wrong pixels of 0.080 ± 0.008. On the
challenge's test slices Ronneberger et al. have a pixel error of 0.0611 and a Rand error of 0.0382. About half of the
wrong pixels are within one pixel of the edge of a membrane (slices 6 to 8, held out while the settings were chosen).
"""

import functools

import keras

import zoo
from callbacks import Schedule
from zoo.curves import curve
from zoo.data import paired, segmentation
from zoo.data.borders import weight_map
from zoo.errors import require
from zoo.segmentation_losses import SegmentationLoss
from zoo.segmentation_metrics import SegmentationMetrics
from zoo.segmentation_scores import foreground_error, iou, partition_errors, pixel_error
from zoo.tiling import segment


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [2, 4, 8], default=4),
        learning_rate=hp.Float("learning_rate", 0.0003, 0.01, sampling="log", default=0.003),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        weight_decay=hp.Choice("weight_decay", [0.0, 0.001, 0.003, 0.01, 0.03, 0.1], default=0.0),
        width=hp.Choice("width", [8, 16, 32], default=16),
        dropout=hp.Float("dropout", 0.0, 0.5, default=0.2),
        border=hp.Float("border", 0.0, 10.0, default=0.0),
        dice=hp.Float("dice", 0.0, 2.0, default=0.0),
        rotation=hp.Float("rotation", 0.0, 45.0, default=15.0),
        elastic=hp.Float("elastic", 0.0, 8.0, default=3.0),
        brightness=hp.Float("brightness", 0.0, 0.3, default=0.1),
        contrast=hp.Float("contrast", 0.0, 0.5, default=0.2),
    )


def measure(model, data, part):
    """The challenge's errors on whole slices, put together from overlapping tiles, the mean over eight symmetries."""
    slices, masks = data.parts[part].arrays[:2]
    inside = segment(model, slices, symmetries=True)[..., 1]
    errors = partition_errors(masks, inside)
    return {
        "challenge_pixel_error": foreground_error(masks, inside),
        "slice_pixel_error": pixel_error(masks, inside >= 0.5),
        "slice_iou_cell": iou(masks, inside >= 0.5, 2)[1],
        "rand_error": errors.rand,
        "information_error": errors.information,
    }


def recipe(
    epochs=30,
    batch_size=4,
    learning_rate=0.003,
    schedule="cosine",
    warmup=0.05,
    weight_decay=0.0,
    images="isbi_em/image",
    masks="isbi_em/label",
    split=0,
    validation=0,
    window=192,
    repeats=16,
    width=16,
    dropout=0.2,
    border=0.0,
    dice=0.0,
    rotation=15.0,
    elastic=3.0,
    brightness=0.1,
    contrast=0.2,
):
    """Adam on weighted cross-entropy, windows that are turned, mirrored and bent, a cosine schedule.

    Args:
        epochs: passes over the windows.
        batch_size: windows a step.
        learning_rate: Adam's rate at its highest.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        weight_decay: share of the convolutions' weights that is taken off at each step, times the rate: above 0, Adam
            is AdamW.
        images: the folder of the slices.
        masks: the folder of their labels.
        split: which block of six slices is held out, 0 to 4.
        validation: slices of the other 24 to validate on, those behind the block: to choose hyper-parameters by.
        window: side of the training windows in pixels, a multiple of 16.
        repeats: windows that an epoch takes from each slice.
        width: channels of the network's first stage; the paper has 64.
        dropout: the part that is dropped behind the last two stages of the contracting path.
        border: how much more pixels between two cells count at most, w0 of the paper's equation 2; 10 there.
        dice: weight of the Dice loss; that of the cross-entropy is 1.
        rotation: augmentation, degrees at most either way, beside quarter turns.
        elastic: augmentation, standard deviation in pixels of the displacement of the 3 x 3 nodes.
        brightness: augmentation, share of the range at most.
        contrast: augmentation, largest relative change.
    """
    require(split in range(5), "split", split, "a block of six of the 30 slices, 0 to 4")
    held_out = range(6 * split, 6 * split + 6)
    behind = [(held_out[-1] + 1 + k) % 30 for k in range(validation)]
    mix = [
        paired.warp(window, rotation=rotation, sigma=elastic),
        paired.flips(horizontal=True, turns=True),
        paired.intensity(brightness, contrast),
    ]
    data = segmentation(
        (images, masks),
        batch_size,
        channels=1,
        values=(0, 255),
        labels=("membrane", "cell"),
        test=held_out,
        validation=behind or 0,
        mix=mix,
        weights=functools.partial(weight_map, w0=border, class_weights=False) if border else False,
        repeats=repeats,
    )
    model = zoo.build(
        "unet_same",
        input_shape=(window, window, 1),
        width=width,
        batch_normalization=True,
        dropout=dropout,
    )
    metrics = [SegmentationMetrics(data.labels)]
    optimizer = keras.optimizers.Adam(learning_rate, weight_decay=weight_decay or None)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(optimizer, SegmentationLoss(dice=dice), metrics=metrics)
    rate = Schedule("learning_rate", curve(schedule, learning_rate, warmup))
    objective = ("val_pixel_error", "min") if validation else ("pixel_error", "min")
    return zoo.Recipe(model, data, epochs, [rate], objective=objective, measures=(measure,))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
