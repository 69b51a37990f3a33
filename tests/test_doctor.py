"""The doctor: each mistake is found, each with its fix, and a sound recipe is not scolded."""

import keras
import numpy as np
import pytest

import zoo
from callbacks import Schedule, constant
from zoo import doctor
from zoo.data import Stream

LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
PROBABILITIES = keras.losses.SparseCategoricalCrossentropy(from_logits=False)


def network(units=10, softmax=False, scale=1 / 255, again=1.0, batch_norm=None):
    inputs = x = keras.Input((8, 8, 1))
    if scale:
        x = keras.layers.Rescaling(scale)(x)
    if again != 1.0:
        x = keras.layers.Rescaling(again)(x)
    x = keras.layers.Dense(8, activation="relu", name="hidden")(keras.layers.Flatten()(x))
    if batch_norm is not None:
        x = keras.layers.BatchNormalization(name="norm")(x, training=batch_norm)
    return keras.Model(inputs, keras.layers.Dense(units, activation="softmax" if softmax else None)(x))


def recipe(model, loss=LOGITS, callbacks=(), labels=None, rate=0.1, validation=True, objective=("val_loss", "min")):
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (64, 8, 8, 1), dtype=np.uint8)
    classes = np.arange(64, dtype=np.int32) % 10 if labels is None else np.asarray(labels, np.int32)
    stream = Stream((images, classes), 16)
    model.compile(keras.optimizers.SGD(rate), loss)
    data = zoo.Data(stream, stream if validation else None, labels=tuple("0123456789"))
    return zoo.Recipe(model, data, 1, callbacks, objective)


def found(built, level):
    return [finding for finding in doctor.inspect(built) if finding.level == level]


def test_a_sound_recipe_is_not_scolded():
    assert doctor.inspect(recipe(network())) == []


@pytest.mark.parametrize(
    "built, words",
    [
        (lambda: recipe(network(softmax=True)), "takes logits"),
        (lambda: recipe(network(), PROBABILITIES), "takes probabilities"),
        (lambda: recipe(network(), "sparse_categorical_crossentropy"), "takes probabilities"),
        (lambda: recipe(network(scale=None)), "unscaled"),
        (lambda: recipe(network(again=1 / 255)), "scaled twice"),
        (lambda: recipe(network(units=5)), "the labels run from 0 to 9, but the model has 5 outputs"),
        (lambda: recipe(network(), labels=[-1] * 64), "from -1 to -1"),
        (lambda: recipe(network(units=12)), "names 10 classes"),
        (
            lambda: recipe(
                network(),
                callbacks=[keras.callbacks.ReduceLROnPlateau(), Schedule("learning_rate", constant(0.1))],
            ),
            "both set the learning rate",
        ),
        (lambda: recipe(network(), validation=False), "no validation data"),
        (lambda: recipe(network(), objective=("val_loss", "smaller")), "direction is 'smaller'"),
    ],
)
def test_what_is_wrong_is_refused_with_a_fix(built, words):
    refusals = found(built(), "refuse")
    assert len(refusals) == 1 and words in refusals[0].what and refusals[0].fix
    with pytest.raises(zoo.ZooError, match=words[:20]):
        doctor.act(refusals[0], print)


def test_a_frozen_normalisation_in_training_mode_is_refused():
    model = network(batch_norm=True)
    model.get_layer("norm").trainable = False
    (refusal,) = found(recipe(model), "refuse")
    assert "norm" in refusal.what and "statistics" in refusal.what


def test_a_trained_normalisation_behind_a_frozen_layer_is_doubtful():
    model = network(batch_norm=False)
    model.get_layer("hidden").trainable = False
    (warning,) = found(recipe(model), "warn")
    assert "behind the frozen layer hidden" in warning.what


def test_a_schedule_in_the_optimizer_is_doubtful_and_with_a_plateau_refused():
    decay = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    assert "carries a schedule" in found(recipe(network(), rate=decay), "warn")[0].what
    both = recipe(network(), rate=decay, callbacks=[keras.callbacks.ReduceLROnPlateau()])
    assert found(both, "refuse")


@pytest.mark.parametrize("name", ["lenet_digits", "lenet5_digits", "mlp_digits", "ensemble_digits"])
def test_the_recipes_of_the_zoo_are_sound(name):
    from zoo import recipe as recipes

    assert doctor.inspect(recipes.find(name).module.recipe()) == []
