"""pix2pix on the ISBI challenge of 2012: electron micrographs from membranes, and membranes from micrographs.

    zoo train pix2pix_isbi_em --judge RUN         # judged pixel error 0.051 (n=1), 14 min on 2 cores in use
    zoo train pix2pix_isbi_em --direction back --epochs 20    # pixel error 0.072 (n=1), 16 min on 2 cores in use

After Isola et al. 2017, who draw maps from photographs, and photographs from maps. The 30 labelled slices of 512 x 512
are those of the recipe `unet_isbi_em`, in the folders `isbi_em/image` and `isbi_em/label`, or where `--images` and
`--masks` say; six of them are held out as one block. The network is for windows: each held-out slice is cut into as
many as cover it, 16 of 128 x 128.

Forth, a label says where membranes are, and the network has to invent the rest, where a mean absolute error rewards
what is blurred. So `--judge RUN`, a run of `unet_isbi_em` with the same `--split`, segments what was generated, as the
paper's FCN score does: `judged_pixel_error` is the challenge's pixel error of that, and `real_pixel_error` that of the
real micrographs in the same windows, its floor. Back, `challenge_pixel_error` is that of the generated labels
themselves, whose grey is taken for the probability of a cell; for labels the paper finds the L1 loss alone to be better
(section 4.4: `--adversarial-weight 0`). With `--split 0`, forth: the U-Net has an error of 0.051 on generated
micrographs and 0.063 on real ones, whose labels the generator was told; the mean absolute error of pixels 0..255 is
35.4. Back: 0.072, where the U-Net, on whole slices and the mean over eight symmetries, has 0.051 ± 0.007.
"""

import functools

import keras

import zoo
from callbacks import Schedule, linear
from zoo import registry, runs
from zoo.data import paired, translation
from zoo.errors import choose, require
from zoo.segmentation_scores import foreground_error
from zoo.tiling import segment
from zoo.translating import held_out, mean_absolute_error

DIRECTIONS = ("forth", "back")


def search(hp):
    # Not the weights of the losses: by the error of pixels L1 alone is always best.
    return dict(
        batch_size=hp.Choice("batch_size", [2, 4, 8], default=4),
        learning_rate=hp.Float("learning_rate", 5e-05, 0.001, sampling="log", default=0.0002),
        discriminator_rate=hp.Float("discriminator_rate", 0.25, 4.0, sampling="log", default=1.0),
        width=hp.Choice("width", [16, 32, 64], default=32),
        patch=hp.Choice("patch", [1, 16, 70], default=70),
        dropout=hp.Float("dropout", 0.0, 0.5, default=0.5),
        normalization=hp.Choice("normalization", ["instance", "batch"], default="instance"),
        smoothing=hp.Choice("smoothing", [0.0, 0.05, 0.1, 0.2], default=0.0),
        instance_noise=hp.Float("instance_noise", 0.0, 0.2, default=0.0),
    )


def measure_images(model, data, part, judge=None):
    """The mean absolute error of pixels, and how well a U-Net segments what was generated, beside what is real."""
    labels, outputs, micrographs = held_out(model, data.parts[part])
    found = {"mean_absolute_error": mean_absolute_error(outputs, micrographs)}
    if judge is not None:
        network = zoo.load(judge)
        for name, windows in (("judged", outputs), ("real", micrographs)):
            found[f"{name}_pixel_error"] = foreground_error(_cells(labels), segment(network, windows)[..., 1])
    return found


def measure_labels(model, data, part):
    """The mean absolute error of pixels, and the challenge's pixel error of the generated labels."""
    _, outputs, labels = held_out(model, data.parts[part])
    return {
        "mean_absolute_error": mean_absolute_error(outputs, labels),
        "challenge_pixel_error": foreground_error(_cells(labels), outputs[..., 0] / 255),
    }


def _cells(labels):
    return (labels[..., 0] > 127).astype("uint8")


def recipe(
    epochs=30,
    batch_size=4,
    learning_rate=0.0002,
    discriminator_rate=1.0,
    direction="forth",
    images="isbi_em/image",
    masks="isbi_em/label",
    split=0,
    validation=0,
    window=128,
    repeats=16,
    width=32,
    levels=7,
    patch=70,
    dropout=0.5,
    normalization="instance",
    adversarial_weight=1.0,
    l1=100.0,
    smoothing=0.0,
    instance_noise=0.0,
    judge: "str | None" = None,
):
    """Adam on the conditional adversarial loss and the L1 loss, windows that are turned and mirrored.

    Args:
        epochs: passes over the windows.
        batch_size: windows a step; the paper has 1 to 10.
        learning_rate: Adam's rate, the generator's.
        discriminator_rate: the discriminator's rate, as a multiple of it (Heusel et al. 2017).
        direction: forth makes micrographs from labels, back labels from micrographs.
        images: the folder of the slices.
        masks: the folder of their labels.
        split: which block of six slices is held out, 0 to 4.
        validation: slices of the other 24 to validate on, those behind the block: to choose hyper-parameters by.
        window: side of the windows in pixels, a multiple of 2**levels.
        repeats: windows that an epoch takes from each slice.
        width: channels of the first stage of both networks; the paper has 64.
        levels: how often the generator halves the window; 7 leave one pixel of 128.
        patch: side of what one logit of the discriminator sees: 1, 16, 70 or 286.
        dropout: the part that is dropped in the first three decoder stages.
        normalization: instance or batch.
        adversarial_weight: of the generator's adversarial loss; 0 leaves the L1 loss alone.
        l1: weight of the L1 loss of pixels -1..1.
        smoothing: what the discriminator's target for real examples falls short of 1 by (Salimans et al. 2016).
        instance_noise: standard deviation of the noise on all that the discriminator sees, of values -1..1, at first;
            it falls to 0 over the training (Sonderby et al. 2017).
        judge: a run folder of a segmentation of these slices, trained with the same split; forth only.
    """
    require(split in range(5), "split", split, "a block of six of the 30 slices, 0 to 4")
    choose("direction", direction, DIRECTIONS)
    measure = measure_labels if direction == "back" else functools.partial(measure_images, judge=judge)
    if judge is not None:
        _check_judge(judge, split, direction)
    held = range(6 * split, 6 * split + 6)
    data = translation(
        (masks, images),
        batch_size,
        swap=direction == "back",
        channels=1,
        test=held,
        validation=[(held[-1] + 1 + k) % 30 for k in range(validation)] or 0,
        mix=[paired.crop(window), paired.flips(horizontal=True, turns=True)],
        repeats=repeats,
    )
    model = zoo.build(
        "pix2pix",
        input_shape=data.train.input_shape,
        channels=1,
        width=width,
        levels=levels,
        normalization=normalization,
        dropout=dropout,
        patch=patch,
    )
    players = [keras.optimizers.Adam(rate, beta_1=0.5) for rate in (learning_rate, discriminator_rate * learning_rate)]
    model.compile(
        *players,
        adversarial_weight=adversarial_weight,
        content=keras.losses.MeanAbsoluteError(),
        # The loss is of raw pixels 0..255: a unit of the paper's -1..1 is 127.5 of them.
        content_weight=l1 / 127.5,
        label_smoothing=smoothing,
        instance_noise=instance_noise,
    )
    noise = [Schedule("instance_noise", linear(instance_noise, 0.0))] if instance_noise else []
    objective = ("val_content", "min") if validation else ("content", "min")
    return zoo.Recipe(model, data, epochs, noise, objective=objective, measures=(measure,))


def _check_judge(run, split, direction):
    """Raises before training unless a run can judge what is generated: it must not have seen what is held out here."""
    require(direction == "forth", "judge", run, "left out with direction='back'")
    record = runs.read(run)
    finished = record["model"] in registry.list_models(task="segmentation") and runs.metrics(run) is not None
    require(
        finished and record["hyper"].get("split") == split,
        "judge",
        run,
        f"a finished run of unet_isbi_em with --split {split}",
    )


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
