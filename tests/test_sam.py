"""SAM: its steps against the paper's formulas, at any execution, with any optimizer, and what it leaves alone."""

import keras
import numpy as np
import pytest

from callbacks.freeze import Freeze
from callbacks.sam import SAM
from callbacks.schedule import Schedule

RATE, RHO = 0.1, 0.3
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(32, 3)).astype("float32"), rng.normal(size=(32, 1)).astype("float32")
START = np.array([0.5, -1.0, 0.25], "float32"), np.float32(0.1)


def linear(optimizer, k=1):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.set_weights([START[0][:, None], START[1][None]])
    model.compile(optimizer, "mse", steps_per_execution=k)
    return model


def fit(model, callbacks, epochs=2):
    """8 steps an epoch, of 4 rows each."""
    return model.fit(X, Y, batch_size=4, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks).history


def gradient(weights, x, y):
    error = x @ weights[:3] + weights[3] - y[:, 0]
    return np.concatenate([2 * x.T @ error, [2 * error.sum()]]) / len(x)


def sgd(weights, g, t, state):
    return weights - RATE * g


def adam(weights, g, t, state):
    """Kingma and Ba 2015, algorithm 1, with epsilon where Keras has it."""
    state[0] = 0.9 * state[0] + 0.1 * g
    state[1] = 0.999 * state[1] + 0.001 * g * g
    rate = RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return weights - rate * state[0] / (np.sqrt(state[1]) + 1e-7)


def expected(update, rho=RHO, epochs=2, start=START):
    """Foret et al. 2021, algorithm 1 with p = 2: weights after training, and the loss at the weights before a step."""
    weights, state, losses = np.append(*start).astype("float64"), [0.0, 0.0], []
    for t in range(1, 8 * epochs + 1):
        rows = slice((t - 1) % 8 * 4, (t - 1) % 8 * 4 + 4)
        x, y = X[rows].astype("float64"), Y[rows].astype("float64")
        losses.append(np.mean((x @ weights[:3] + weights[3] - y[:, 0]) ** 2))
        g = gradient(weights, x, y)
        climbed = weights + rho * g / np.linalg.norm(g)
        weights = update(weights, gradient(climbed, x, y), t, state)
    return weights, np.mean(losses[-8:])


OPTIMIZERS = {"sgd": (keras.optimizers.SGD, sgd), "adam": (keras.optimizers.Adam, adam)}


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_steps_are_those_of_the_paper(name, k):
    optimizer, update = OPTIMIZERS[name]
    model = linear(optimizer(RATE), k)
    history = fit(model, [SAM(RHO)])
    weights, loss = expected(update)
    assert np.abs(weights - expected(update, rho=0.0)[0]).max() > 0.01
    np.testing.assert_allclose(np.concatenate([w.ravel() for w in model.get_weights()]), weights, atol=2e-5)
    np.testing.assert_allclose(history["loss"][-1], loss, rtol=1e-5)
    assert int(model.optimizer.iterations.numpy()) == 16


def network(k, dropout=0.3):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01, weight_decay=0.01), "mse", metrics=["mae"], steps_per_execution=k)
    return model


def state(model):
    return [keras.ops.convert_to_numpy(v.value) for v in model.variables + model.optimizer.variables]


def test_a_climb_of_no_length_is_training_without_it_to_the_bit():
    plain, sam = network(4), network(4)
    assert fit(plain, []) == fit(sam, [SAM(0.0)])
    for a, b in zip(state(plain), state(sam), strict=True):
        np.testing.assert_array_equal(a, b)


def test_statistics_seeds_and_metrics_are_those_of_one_pass_at_the_weights():
    plain, sam = network(1), network(1)
    first = {"x": X, "y": Y, "batch_size": 32, "verbose": 0, "shuffle": False}
    assert plain.fit(**first).history == sam.fit(**first, callbacks=[SAM(RHO)]).history
    for a, b in zip(plain.non_trainable_variables, sam.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert any(np.any(a != b) for a, b in zip(plain.get_weights(), sam.get_weights(), strict=True))


def test_both_passes_have_the_same_dropout_mask():
    n = 100
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((n,)), keras.layers.Dropout(0.5), dense])
    model.compile(keras.optimizers.SGD(1e-3), "mse")
    model.fit(np.ones((1, n)), np.zeros((1, 1)), verbose=0, callbacks=[SAM(5.0)])
    moved = model.get_weights()[0][:, 0] - 1
    kept = np.count_nonzero(moved)
    assert 25 < kept < 75
    # Kept inputs are doubled: the output is 2 k, the climb adds rho / sqrt(k) to k weights, if they are the same k.
    np.testing.assert_allclose(moved[moved != 0], -1e-3 * 2 * 2 * 2 * (kept + 5.0 * np.sqrt(kept)), rtol=1e-4)


def test_a_scaled_loss_changes_nothing():
    fixed, dynamic = keras.optimizers.SGD(RATE, loss_scale_factor=1024.0), keras.optimizers.SGD(RATE)
    for optimizer in (fixed, keras.optimizers.LossScaleOptimizer(dynamic)):
        model = linear(optimizer)
        fit(model, [SAM(RHO)])
        np.testing.assert_allclose(model.get_weights()[0][:, 0], expected(sgd)[0][:3], atol=2e-5)


def test_a_gradient_that_overflows_skips_the_step():
    model = linear(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(RATE), initial_scale=3e38))
    model.fit(X[:4], 100 + Y[:4], batch_size=4, verbose=0, callbacks=[SAM(RHO)])
    np.testing.assert_array_equal(model.get_weights()[0][:, 0], START[0])
    np.testing.assert_allclose(float(model.optimizer.dynamic_scale.numpy()), 1.5e38, rtol=1e-6)


def test_a_gradient_in_slices_has_the_norm_of_the_whole():
    model = keras.Sequential(
        [
            keras.Input((2,), dtype="int32"),
            keras.layers.Embedding(4, 1, embeddings_initializer="ones"),
            keras.layers.GlobalAveragePooling1D(),
        ]
    )
    model.compile(keras.optimizers.SGD(RATE), "mse")
    model.fit(np.array([[1, 1]]), np.zeros((1, 1)), verbose=0, callbacks=[SAM(0.5)])
    np.testing.assert_allclose(model.get_weights()[0][:, 0], [1, 1 - RATE * 2 * 1.5, 1, 1], rtol=1e-6)


@pytest.mark.parametrize("first", [True, False])
def test_together_with_a_schedule_and_frozen_layers_in_any_order(first):
    model = linear(keras.optimizers.SGD(0.7), 4)
    calls = [SAM(RHO), Schedule("learning_rate", lambda p: RATE + 0 * p)]
    history = fit(model, calls if first else calls[::-1])
    np.testing.assert_allclose(history["learning_rate"], RATE, rtol=1e-6)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], expected(sgd)[0][:3], atol=2e-5)
    model = network(4)
    before = model.layers[0].get_weights()
    fit(model, [SAM(RHO), Freeze(model.layers[0].name)])
    for a, b in zip(before, model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_leaves_nothing_behind():
    model = linear(keras.optimizers.SGD(RATE), 4)
    fit(model, [SAM(RHO)])
    assert "train_step" not in vars(model) and "apply" not in vars(model.optimizer)
    start = [w.ravel() for w in model.get_weights()]
    fit(model, [])
    np.testing.assert_allclose(model.get_weights()[0][:, 0], expected(sgd, 0.0, 2, start)[0][:3], atol=2e-5)


@pytest.mark.parametrize("rho", [-0.1, float("nan"), float("inf")])
def test_an_impossible_climb_is_refused(rho):
    with pytest.raises(ValueError, match="at least 0 and finite"):
        SAM(rho)


def test_what_it_cannot_run_with_is_refused():
    model = linear(keras.optimizers.SGD(RATE))
    model.second = keras.optimizers.SGD(RATE)
    with pytest.raises(ValueError, match="several"):
        fit(model, [SAM()])


class Twice(keras.Sequential):
    """Takes two steps in one."""

    def train_step(self, data):
        super().train_step(data)
        return super().train_step(data)


def test_a_step_that_is_two_is_refused():
    model = Twice([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="optimizer once. Received: one that does 2 times"):
        fit(model, [SAM()])
