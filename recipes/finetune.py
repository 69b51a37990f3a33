"""Fine-tuning: a network that was trained on other images, with a new head for yours.

    zoo train finetune --data path/to/folder --weights RUN     # not measured: needs images of the user's
    zoo train finetune --data path/to/folder --weights imagenet --model resnet50
    zoo compare finetune --data path/to/folder --weights RUN --vary scratch=no,yes --seeds 3

RUN is a run of any recipe for images. The last line tells what its weights are worth.

First the new head alone learns on features that stand still, then the network as well, at a smaller rate: the large
gradients of a head that knows nothing yet would spoil what is trained already. Both are one fit, so that it resumes,
compares and exports like any other. How far features transfer: Yosinski et al. 2014, arXiv:1411.1792.

What it can be worth: of scikit-learn's digits, each put somewhere on an image of 12 x 12, a ResNet-8 trained on 0 to 4
learns 5 to 9 from 50 images to 71.4 % ± 3.7 (n=10), and a new one to 43.2 % ± 4.6, both with `--batch-size 10
--learning-rate 0.01 --body-rate 0.003`. What it cannot: of the digits as they are, in the middle of 8 x 8, 30 images
teach a new network as much, 90.0 % ± 2.6 against 88.7 % ± 3.8 (n=3), each at the best of the rates tried.
"""

import fnmatch
from pathlib import Path

import keras

import zoo
from callbacks import EarlyStopping, Freeze, Schedule, chain, cosine, layers, warmup
from zoo import data as sources
from zoo.errors import ZooError, require, suggest
from zoo.surgery import replace_head


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [16, 32, 64], default=32),
        learning_rate=hp.Float("learning_rate", 0.0003, 0.01, sampling="log", default=0.003),
        body_rate=hp.Float("body_rate", 1e-05, 0.003, sampling="log", default=0.0003),
        head=hp.Float("head", 0.1, 1.0, default=0.3),
        weight_decay=hp.Choice("weight_decay", [0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3], default=0.0),
        freeze_normalization=hp.Boolean("freeze_normalization", default=True),
        mirror=hp.Boolean("mirror", default=False),
        rotation=hp.Float("rotation", 0.0, 20.0, default=0.0),
        translate=hp.Float("translate", 0.0, 0.15, default=0.0),
        zoom=hp.Float("zoom", 0.0, 0.25, default=0.0),
    )


def recipe(
    data="digits",
    weights="cifar10",
    model: str | None = None,
    epochs=20,
    head=0.3,
    batch_size=32,
    learning_rate=0.003,
    body_rate=0.0003,
    weight_decay=0.0,
    train=("*",),
    freeze_normalization=True,
    scratch=False,
    classes=(),
    examples: int | None = None,
    size: int | None = None,
    validation=0.1,
    mirror=False,
    rotation=0.0,
    translate=0.0,
    zoom=0.0,
    patience=10,
    on_error="stop",
):
    """Two phases in one fit: the head on a network that is frozen, then both. Images are brought to what it takes.

    Args:
        data: path of a folder with one folder of PNG or JPEG files a class (or with train and test folders of such),
            digits, or the name of an image set of tensorflow-datasets.
        weights: a run folder or a .keras file, whose network is taken as it is, or the name of weights of a model. A
            run of this recipe is resumed and evaluated while they are where they were.
        model: name of the model whose weights are named; none is resnet20. A run or a file brings its own.
        epochs: passes over the training images at most, both phases together.
        head: share of the epochs in which the head trains alone, 0 to 1; with 1 nothing else ever trains. Where there
            are two phases, each gets one epoch or more.
        batch_size: images a step.
        learning_rate: Adam's rate for the head alone; it falls to 0 as a cosine.
        body_rate: Adam's rate at its highest in the second phase, for all that trains; it rises for a fifth of it, in
            which Adam gets to know gradients that it has not seen before, and falls to 0 as a cosine.
        weight_decay: share of the weights, without biases and those of normalisation, that is taken off at each step,
            times the rate: above 0, Adam is AdamW.
        train: names of the layers, or shell patterns such as stage3*, that train in the second phase beside the head.
        freeze_normalization: whether batch normalisation keeps statistics, scales and offsets in both phases: a few
            images have worse statistics than those that it was trained on.
        scratch: train the same network from new weights instead, everything at learning_rate in all epochs: the
            comparison that says what the trained weights are worth.
        classes: names of the classes to train on, in the order of the logits; an empty list takes all.
        examples: training images to keep, drawn by class, to see what few of them do; none keeps all.
        size: side in pixels to which every image is brought; none takes the network's own. Another one works for
            networks that pool over the image before the head. Channels are the network's: grey images are coloured, or
            colour made grey.
        validation: share of the training images that is held out; with 0 nothing stops early.
        mirror: augmentation, whether half of the images are mirrored left to right.
        rotation: augmentation, degrees at most either way.
        translate: augmentation, share of the image's side at most either way.
        zoom: augmentation, share larger or smaller at most.
        patience: epochs without a better validation loss before training stops, counted from the last epoch of the
            first phase; the best weights are kept.
        on_error: stop at a file that cannot be read, or skip it.
    """
    phase = _first_phase(epochs, head)
    source = _source(weights, model)
    shape = source.inputs[0].shape[1:]
    require(len(shape) == 3, "weights", weights, f"of a network for images; {source.name} takes {shape}")
    shape = (*((size, size) if size else shape[:2]), shape[2])
    turned = sources.affine(rotation=rotation, translate=translate, zoom=zoom)
    augment = [*([sources.flip()] if mirror else []), *([turned] if rotation or translate or zoom else [])]
    found = sources.images(
        data,
        batch_size,
        size=shape[:2],
        channels=shape[2],
        augment=augment,
        validation=validation,
        examples=examples,
        classes=classes or None,
        on_error=on_error,
    )
    network = replace_head(source, len(found.labels), shape, trained=not scratch)
    optimizer = keras.optimizers.Adam(learning_rate, weight_decay=weight_decay or None)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    network.compile(
        optimizer,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    if scratch:
        phase, freezing = 0, []
        curve = warmup(0.05, cosine(learning_rate))
    else:
        freezing = _freezing(network, phase, epochs, train, freeze_normalization)
        curve = _curve(phase / epochs, learning_rate, body_rate)
    callbacks = [*freezing, Schedule("learning_rate", curve)]
    if found.validation is None:
        return zoo.Recipe(network, found, epochs, callbacks, objective=("accuracy", "max"))
    # The last epoch of the head alone counts: where the second phase only does harm, its weights come back.
    first = phase - 1 if 0 < phase < epochs else 0
    callbacks.append(EarlyStopping("val_loss", patience=patience, start_from_epoch=first))
    return zoo.Recipe(network, found, epochs, callbacks, objective=("val_accuracy", "max"))


def _first_phase(epochs, head):
    """How many epochs the head trains alone."""
    require(isinstance(epochs, int) and epochs >= 1, "epochs", epochs, "a whole number >= 1")
    require(isinstance(head, int | float) and 0 <= head <= 1, "head", head, "a share, 0 to 1")
    if head in (0, 1):
        return int(head * epochs)
    return min(max(round(head * epochs), 1), max(epochs - 1, 1))


def _source(weights, model):
    """The trained network."""
    require(isinstance(weights, str) and weights, "weights", weights, "a run folder, a .keras file or a name")
    path = Path(weights)
    if path.is_dir() or path.suffix == ".keras":
        require(model is None, "model", model, f"none: {weights} brings its own network")
        return zoo.load(path)
    return zoo.build(model or "resnet20", weights=weights)


def _freezing(network, phase, epochs, train, freeze_normalization):
    """The callbacks that hold layers still: some throughout, the body in the first phase."""
    body = {
        name: layer
        for name, layer in layers.named(network)
        if layer.trainable_weights and layer is not network.layers[-1] and not isinstance(layer, keras.Model)
    }
    for pattern in train:
        if not fnmatch.filter(body, pattern):
            raise ZooError(
                f"no layer of {network.name} that could train is named {pattern!r}.{suggest(pattern, body)} There are: "
                f"{', '.join(body)}"
            )
    never = [
        name
        for name, layer in body.items()
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in train)
        or (freeze_normalization and isinstance(layer, keras.layers.BatchNormalization))
    ]
    if not body or phase == epochs:
        return [Freeze(list(body))] if body else []
    return [*([Freeze(never)] if never else []), *([Freeze(list(body), end=phase)] if phase else [])]


def _curve(share, learning_rate, body_rate):
    """The rate in both phases, by the share of the first."""
    first, second = cosine(learning_rate), warmup(0.2, cosine(body_rate))
    if share in (0, 1):
        return first if share else second
    return chain((share, first), (1 - share, second))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
