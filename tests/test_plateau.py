"""A plateau on top of a curve: the rest of the curve is scaled, exactly, and survives resume."""

import keras
import numpy as np
import pytest

from callbacks import ReduceOnPlateau, Schedule, constant, linear

STEPS = 4


def fit(callbacks, epochs=6, k=2, rate=1e-30):
    """A rate so small that the loss stands still."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse", steps_per_execution=k)
    ones = np.ones((STEPS, 1), "float32")
    return model.fit(ones, ones, batch_size=1, epochs=epochs, verbose=0, shuffle=False, callbacks=callbacks).history


@pytest.mark.parametrize("k", [1, 4])
def test_the_rest_of_the_curve_is_multiplied(k):
    curve = linear(6e-30, 0.0)
    rates = fit(
        [Schedule("learning_rate", curve), ReduceOnPlateau(monitor="loss", factor=0.5, patience=2, min_delta=1e-6)],
        k=k,
    )["learning_rate"]
    # The first epoch is the best; the reductions come at the ends of epochs 3 and 5.
    factors = [1, 1, 1, 0.5, 0.5, 0.25]
    expected = [f * float(curve((STEPS * (e + 1) - 1) / (STEPS * 6))) for e, f in enumerate(factors)]
    np.testing.assert_allclose(rates, expected, rtol=1e-5)


def test_alone_it_is_keras_callback():
    ours, keras_own = (
        fit([kind(monitor="loss", factor=0.5, patience=1, min_lr=3e-31)])["learning_rate"]
        for kind in (ReduceOnPlateau, keras.callbacks.ReduceLROnPlateau)
    )
    np.testing.assert_allclose(ours, keras_own, rtol=1e-6)


def test_the_lowest_rate_is_respected_at_the_reduction():
    calls = [
        Schedule("learning_rate", constant(1e-30)),
        ReduceOnPlateau(monitor="loss", factor=0.1, patience=1, min_lr=5e-31),
    ]
    np.testing.assert_allclose(fit(calls)["learning_rate"][2:], 5e-31, rtol=1e-5)


def test_a_second_fit_begins_anew():
    schedule = Schedule("learning_rate", constant(1e-30))
    fit([schedule, ReduceOnPlateau(monitor="loss", factor=0.5, patience=1)])
    np.testing.assert_allclose(fit([schedule])["learning_rate"], 1e-30, rtol=1e-6)
