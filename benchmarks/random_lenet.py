"""LeNet on random images of the size and number of Fashion-MNIST: a recipe to measure speed with, not to learn from.

not measured: needs real images; `benchmarks/lenet_training.py` trains it.
"""

import keras
import numpy as np
from clock import Clock

import zoo
from callbacks import Schedule, cosine, warmup
from zoo.data import from_arrays

# What the validation split leaves of Fashion-MNIST's 60 000 training images.
IMAGES = 54_000


def images(count=IMAGES):
    """Random images and labels.

    Args:
        count: how many.

    Returns:
        uint8 array (count, 28, 28, 1) and int32 array (count,).
    """
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, 28, 28, 1), np.uint8), random.integers(0, 10, count).astype(np.int32)


def search(hp):
    return dict(batch_size=hp.Choice("batch_size", [64, 256]))


def recipe(epochs=1000, batch_size=256, activation="relu", pooling="max", seconds=4.0):
    """LeNet, Adam, a cosine schedule; no validation, as none of those it is compared with has one.

    Args:
        epochs: passes over the images, at most.
        batch_size: images a step.
        activation: sigmoid, tanh or relu.
        pooling: max or average.
        seconds: training ends after the epoch in which they are over.
    """
    model = zoo.build("lenet", activation=activation, pooling=pooling)
    model.compile(
        keras.optimizers.Adam(0.001),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    x, y = images()
    data = from_arrays((x, y), batch_size, validation=0, test=(x[:256], y[:256]))
    schedule = Schedule("learning_rate", warmup(0.1, cosine(0.001)))
    return zoo.Recipe(model, data, epochs, [schedule, Clock(len(x), seconds)], objective=("accuracy", "max"))
