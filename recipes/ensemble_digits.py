"""Bagging: multilayer perceptrons, each trained on its own bootstrap resample of the digits (Breiman 1996).

zoo train ensemble_digits     # 98.80 % ± 0.16 of the test images (n=3), 3 s on 2 cores
"""

import keras

import zoo
from zoo.data import bootstrap, images


def search(hp):
    return dict(
        batch_size=hp.Choice("batch_size", [16, 32, 64, 128], default=32),
        learning_rate=hp.Float("learning_rate", 0.0001, 0.01, sampling="log", default=0.001),
        weight_decay=hp.Choice("weight_decay", [0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3], default=0.0),
        count=hp.Int("count", 2, 20, default=10),
    )


def recipe(epochs=30, batch_size=32, learning_rate=0.001, weight_decay=0.0, model="mlp", count=10):
    """One fit trains all members, each with the weights of its own resample; their mean probability answers.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: Adam's rate.
        weight_decay: share of the weights that is taken off at each step, times the rate: above 0, Adam is AdamW.
        model: name of the model that every member is.
        count: number of members.
    """
    data = bootstrap(images("digits", batch_size), count)
    ensemble = zoo.build(
        "ensemble", members=(model,) * count, arguments=dict(input_shape=(8, 8, 1)), member_outputs=True
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ensemble.compile(
        keras.optimizers.Adam(learning_rate, weight_decay=weight_decay or None),
        loss={f"member_{k}": loss for k in range(count)},
        metrics={"logits": ["accuracy"]},
    )
    return zoo.Recipe(ensemble, data, epochs, objective=("val_logits_accuracy", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
