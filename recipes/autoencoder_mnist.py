"""The 784-1000-500-250-30 autoencoder of Hinton and Salakhutdinov 2006 on MNIST, with and without pretraining.

zoo train autoencoder_mnist     # squared error 2.30 a test image (n=1), 15 min on 2 cores (machine in use)

The squared error of an image, its pixels from 0 to 1, is summed over the 784 of them; 30 principal components, fitted
to the same training images, have 13.87. Hinton and Salakhutdinov have 3.00 and 13.87. With `--activation sigmoid
--pretrain-epochs 10` the units are the paper's, and each layer learns as a restricted Boltzmann machine first: 2.69
(n=1), 4 min of pretraining and 16 min; without pretraining the same units end at 9.10 (n=1).
"""

import keras

import zoo
from callbacks import Schedule
from zoo.curves import curve
from zoo.data import images, reconstruction, shift
from zoo.pretraining import GreedyPretraining
from zoo.reconstruction import PSNR, SquaredError


def search(hp):
    width, layers = hp.Int("width", 500, 1500, step=250, default=1000), hp.Int("layers", 2, 4, default=3)
    # Each layer is as wide as the one before, or half as wide.
    taper = hp.Choice("taper", [1, 2], default=2)
    # Not the code's length: a longer one always has the smaller error.
    # Nor the penalties: they are part of the loss that runs are compared by.
    return dict(
        batch_size=hp.Choice("batch_size", [64, 128, 256, 512], default=256),
        learning_rate=hp.Float("learning_rate", 0.0002, 0.005, sampling="log", default=0.001),
        schedule=hp.Choice("schedule", ["cosine", "linear", "step"], default="cosine"),
        warmup=hp.Float("warmup", 0.0, 0.2, default=0.05),
        weight_decay=hp.Choice("weight_decay", [0.0, 0.001, 0.003, 0.01, 0.03, 0.1], default=0.0),
        hidden=tuple(width // taper**k for k in range(layers)),
        activation=hp.Choice("activation", ["elu", "relu", "tanh", "softplus"], default="elu"),
        pixels=hp.Int("pixels", 0, 2, default=1),
    )


def recipe(
    epochs=100,
    batch_size=256,
    learning_rate=0.001,
    schedule="cosine",
    warmup=0.05,
    weight_decay=0.0,
    hidden=(1000, 500, 250),
    code=30,
    activation="elu",
    code_activation="linear",
    contractive=0.0,
    sparse=0.0,
    sparse_target=0.05,
    pixels=1,
    pretrain_epochs=0,
    left_out: str | None = None,
):
    """Adam on the summed squared error, images moved about by a pixel, a cosine schedule.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Adam's rate at its highest.
        schedule: how it falls from there: cosine, linear, step, or another of callbacks.presets.
        warmup: share of the training over which it rises to there.
        weight_decay: share of the weights that is taken off at each step, times the rate: above 0, Adam is AdamW.
        hidden: widths of the encoder's hidden layers; the decoder has them in reverse.
        code: length of the code.
        activation: of the hidden layers: elu, sigmoid (the paper's), tanh, relu, softplus, linear.
        code_activation: of the code, one of the same.
        contractive: weight of the contractive penalty.
        sparse: weight of the sparsity penalty, which needs --code-activation sigmoid.
        sparse_target: wanted mean activity of a unit of the code.
        pixels: augmentation, whole pixels an image is moved at most.
        pretrain_epochs: epochs for each layer as a restricted Boltzmann machine, before the first of `epochs`.
        left_out: a digit that is kept out of training and validation, to see what the network makes of it.
    """
    data = images("mnist", batch_size, augment=shift(pixels))
    data = reconstruction(data, left_out=left_out)
    model = zoo.build(
        "autoencoder",
        input_shape=data.train.input_shape,
        hidden=hidden,
        code=code,
        activation=activation,
        code_activation=code_activation,
        contractive=contractive,
        sparse=sparse,
        sparse_target=sparse_target,
    )
    model.compile(
        keras.optimizers.Adam(learning_rate, weight_decay=weight_decay or None), SquaredError(), metrics=[PSNR()]
    )
    before = [GreedyPretraining(data.train.arrays[0], pretrain_epochs)] if pretrain_epochs else []
    rate = Schedule("learning_rate", curve(schedule, learning_rate, warmup))
    return zoo.Recipe(model, data, epochs, [*before, rate])


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
