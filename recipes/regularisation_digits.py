"""Eight ways against over-fitting, on 200 images of handwritten digits: errors in training and in the test.

zoo train regularisation_digits     # 94.07 % ± 1.81 of the test images (n=3), 5 s on 2 cores
zoo compare regularisation_digits --seeds 5 --vary method=\
none,l1,l2,dropout,l2_dropout,noise,augmentation,early_stopping,bagging

A seed draws the 200 images, too, so a good part of the spread is common to all methods: the picture's thin lines join
the runs of a seed. The strengths are the best of three or four on the validation images of five seeds; with 144 images
a seed they tell differences of a per cent or two, not less.
"""

from pathlib import Path

import keras
import numpy as np

import zoo
from callbacks import EarlyStopping
from zoo import preparation, runs
from zoo.data import affine, bootstrap, feeding, images
from zoo.errors import choose
from zoo.pictures import regularisation as drawing
from zoo.report import save, softmax

METHODS = ("none", "l1", "l2", "dropout", "l2_dropout", "noise", "augmentation", "early_stopping", "bagging")


def search(hp):
    width, layers = hp.Int("width", 32, 256, step=32, default=128), hp.Int("layers", 1, 3, default=2)
    # Each layer is as wide as the one before, or half as wide.
    taper = hp.Choice("taper", [1, 2], default=2)
    # The strengths are those of the default method: `zoo compare --vary method=...` compares methods.
    return dict(
        batch_size=hp.Choice("batch_size", [10, 20, 40], default=20),
        learning_rate=hp.Float("learning_rate", 0.0003, 0.01, sampling="log", default=0.001),
        hidden=tuple(width // taper**k for k in range(layers)),
        l2=hp.Float("l2", 1e-05, 0.1, sampling="log", default=0.0003),
        dropout=hp.Float("dropout", 0.0, 0.7, default=0.3),
    )


def recipe(
    method="l2_dropout",
    examples=200,
    epochs=150,
    batch_size=20,
    learning_rate=0.001,
    hidden=(128, 64),
    l1=0.0001,
    l2=0.0003,
    dropout=0.3,
    noise=0.3,
    rotation=10.0,
    zoom=0.1,
    translate=0.1,
    patience=10,
    members=10,
):
    """One network, and one way of keeping it from learning 200 images by heart.

    Args:
        method: none, l1, l2, dropout, l2_dropout, noise, augmentation, early_stopping or bagging.
        examples: training images.
        epochs: passes over them.
        batch_size: images a step.
        learning_rate: Adam's rate.
        hidden: widths of the hidden layers.
        l1: weight of the sum of the weights' absolute values, for l1.
        l2: weight of the sum of the squared weights, for l2 and l2_dropout.
        dropout: share of the hidden units that is dropped, for dropout and l2_dropout.
        noise: standard deviation of the noise on pixels of 0 to 1, for noise.
        rotation: largest turn in degrees, for augmentation.
        zoom: largest relative change of size, for augmentation.
        translate: largest move as a share of the image's side, for augmentation.
        patience: epochs without a lower validation loss, for early_stopping.
        members: networks, each trained on its own bootstrap resample, for bagging.
    """
    choose("method", method, METHODS)
    augment = affine(rotation=rotation, zoom=zoom, translate=translate) if method == "augmentation" else ()
    data = images("digits", batch_size, augment=augment, examples=examples)
    options = {
        "l1": {"l1": l1},
        "l2": {"l2": l2},
        "dropout": {"dropout": dropout},
        "l2_dropout": {"l2": l2, "dropout": dropout},
        "noise": {"input_noise": noise},
    }
    arguments = dict(input_shape=(8, 8, 1), hidden=hidden, **options.get(method, {}))
    optimizer, loss = keras.optimizers.Adam(learning_rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    scores = ("train", "validation", "test")
    if method == "bagging":
        model = zoo.build("ensemble", members=("mlp",) * members, arguments=arguments, member_outputs=True)
        losses = {f"member_{k}": loss for k in range(members)}
        model.compile(optimizer, losses, metrics={"logits": ["accuracy"]})
        objective = ("val_logits_accuracy", "max")
        return zoo.Recipe(model, bootstrap(data, members), epochs, objective=objective, scores=scores)

    model = zoo.build("mlp", **arguments)
    model.compile(optimizer, loss, metrics=["accuracy"])
    stop = [EarlyStopping("val_loss", patience=patience)] if method == "early_stopping" else []
    return zoo.Recipe(model, data, epochs, stop, objective=("val_accuracy", "max"), scores=scores)


def pictures(found, folder):
    """Draws and tabulates the errors of each method, and for bagging those of the mean of 1, 2, 3, ... members.

    Args:
        found: pairs of a setting and its run folders.
        folder: where the pictures go.

    Returns:
        The paths: `errors.png` and `errors.md` of complete runs, `bagging.png` where there is any.
    """
    folder = Path(folder)
    rows, committees = [], []
    for setting, homes in found:
        method = runs.read(homes[0])["hyper"]["method"]
        others = [f"{key} {value}" for key, value in setting.items() if key != "method"]
        metrics = [each for each in map(runs.metrics, homes) if each is not None]
        if metrics:
            key = "logits_accuracy" if method == "bagging" else "accuracy"
            parts = ([1 - each[f"{part}_{key}"] for each in metrics] for part in ("train", "test"))
            rows.append((", ".join([method, *others]), *parts))
        if method == "bagging":
            committees += [_committee(home) for home in homes if (Path(home) / "model.keras").is_file()]
    drawn = []
    if rows:
        drawn.append(save(drawing.errors(rows), folder / "errors.png"))
        drawn.append(folder / "errors.md")
        drawn[-1].write_text(drawing.table(rows) + "\n", encoding="utf-8")
    if committees and len({len(squared) for squared, *_ in committees}) == 1:
        drawn.append(save(drawing.bagging(committees), folder / "bagging.png"))
    return drawn


def _committee(home):
    """How the members of a run do on its test images."""
    test = preparation.rebuild(home).data.test
    answers = zoo.load(home).predict(feeding.feed_once(test), verbose=0)
    members = [softmax(answers[name]) for name in sorted(answers) if name != "logits"]
    return drawing.committees(np.stack(members), test.arrays[1])


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
