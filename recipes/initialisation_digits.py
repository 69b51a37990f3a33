"""What the first weights do to a deep network: signals and gradients, layer by layer, that vanish or explode.

zoo train initialisation_digits     # 96.30 % ± 0.70 of the test images (n=3), 1 s on 2 cores
zoo compare initialisation_digits --seeds 1 --vary depth=10,30 --vary activation=sigmoid,tanh,relu --vary initializer=\
zero,constant-0.01,gaussian-0.01,gaussian-0.1,gaussian-0.5,uniform,glorot,he,orthogonal

In the study only those learn whose signals and gradients keep their size: of 30 layers, ReLU from He's weights, and
tanh from those of Glorot and He, orthogonal ones, and gaussian ones that happen to be as wide (0.1; Glorot's is 0.088).
Orthogonal weights suit ReLU with the factor sqrt(2), orthogonal-1.41, which makes up for the half that it takes away.
None carries sigmoids through 30 layers. From constant weights all logits are alike: what comes back is rounding alone.
"""

from pathlib import Path

import keras

import zoo
from zoo import preparation, runs
from zoo.data import images
from zoo.errors import ZooError
from zoo.pictures import layers
from zoo.report import save


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [16, 32, 64, 128], default=32),
        learning_rate=hp.Float("learning_rate", 0.001, 0.1, sampling="log", default=0.003),
        initializer=hp.Choice("initializer", ["he", "glorot", "orthogonal", "gaussian-0.1"], default="he"),
        activation=hp.Choice("activation", ["relu", "tanh", "sigmoid"], default="relu"),
        depth=hp.Int("depth", 2, 30, default=10),
        width=hp.Choice("width", [64, 128, 256], default=128),
    )


def recipe(initializer="he", activation="relu", depth=10, width=128, epochs=10, batch_size=32, learning_rate=0.003):
    """Equal layers, trained by momentum: its steps are as long as the gradients are, where Adam's would not show it.

    Args:
        initializer: zero, constant, gaussian, uniform, glorot, he or orthogonal; constant, gaussian, uniform and
            orthogonal may have their scale behind a hyphen: gaussian-0.01.
        activation: sigmoid, tanh, relu, leaky_relu, prelu, elu or softplus.
        depth: number of hidden layers.
        width: units of each.
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: of gradient descent with momentum 0.9.
    """
    name, _, scale = initializer.partition("-")
    try:
        scale = float(scale) if scale else None
    except ValueError:
        raise ZooError(
            f"a number must stand behind the hyphen, as in gaussian-0.01. Received: initializer={initializer!r}"
        ) from None
    model = zoo.build(
        "mlp",
        input_shape=(8, 8, 1),
        hidden=(width,) * depth,
        activation=activation,
        initializer=name,
        initializer_scale=scale,
    )
    model.compile(
        keras.optimizers.SGD(learning_rate, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return zoo.Recipe(model, images("digits", batch_size), epochs, objective=("val_accuracy", "max"))


def pictures(found, folder):
    """Draws what passes the layers of each setting's first run: before the first step, and after the last.

    Args:
        found: pairs of a setting and its run folders.
        folder: where the pictures go.

    Returns:
        The paths.
    """
    before, after = [], []
    for _, (first, *_) in found:
        hyper = runs.read(first)["hyper"]
        # The record holds the seed: this is the model as it was before training.
        built = preparation.rebuild(first)
        batch = built.data.train.batch(epoch=0, step=0)
        key = hyper["initializer"], hyper["activation"], hyper["depth"]
        before.append(layers.Signals(*key, *layers.measure(built.model, *batch)))
        # A run that diverged left no model.
        if (Path(first) / "model.keras").is_file():
            after.append(layers.Signals(*key, *layers.measure(zoo.load(first), *batch)))
    drawn = [save(layers.multiples(before, "Before the first step, one batch"), Path(folder) / "layers-before.png")]
    if after:
        drawn.append(save(layers.multiples(after, "After training, one batch"), Path(folder) / "layers-after.png"))
    return drawn


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
