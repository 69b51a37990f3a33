"""Convolutional networks on random images of the size of CIFAR-10's or ImageNet's: a recipe to measure speed with.

not measured: needs real images; `benchmarks/convnets.py` trains it.
"""

import keras
import numpy as np
from clock import Steps
from convnets import IMAGES

import zoo
from callbacks import Schedule, cosine, warmup
from zoo.data import from_arrays


def search(hp):
    return dict(network=hp.Choice("network", list(IMAGES)))


def recipe(epochs=1000, network="resnet20", batch_size=128):
    """SGD with momentum, a cosine schedule; no validation, as none of those it is compared with has one.

    Args:
        epochs: passes over the images, at most.
        network: one of `convnets.IMAGES`.
        batch_size: images a step.
    """
    shape, count, classes = IMAGES[network]
    model = zoo.build(network)
    model.compile(
        keras.optimizers.SGD(0.01, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (count, *shape), np.uint8)
    y = random.integers(0, classes, count).astype(np.int32)
    labels = [str(label) for label in range(classes)]
    data = from_arrays((x, y), batch_size, validation=0, test=(x[:batch_size], y[:batch_size]), labels=labels)
    schedule = Schedule("learning_rate", warmup(0.05, cosine(0.01)))
    return zoo.Recipe(model, data, epochs, [schedule, Steps()], objective=("accuracy", "max"))
