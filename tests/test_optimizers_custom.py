"""RMSpropNesterov and Lookahead in `fit`: against NumPy, and through all that happens to an optimizer there."""

import keras
import numpy as np
import pytest

import zoo
from callbacks import Schedule, constant
from zoo import checkpoint, recorder, runs
from zoo.optimizers import Lookahead, RMSpropNesterov

RANDOM = np.random.default_rng(0)
BATCHES, BATCH = 8, 4
X = RANDOM.normal(size=(BATCHES * BATCH, 3)).astype("float32")
Y = RANDOM.normal(size=(BATCHES * BATCH, 2)).astype("float32")
START = RANDOM.normal(size=(3, 2)).astype("float32")

BOTH = {
    "rmsprop_nesterov": lambda **options: RMSpropNesterov(0.05, momentum=0.8, **options),
    "lookahead": lambda **options: Lookahead(keras.optimizers.Adam(0.05, **options), k=3, alpha=0.4),
}
both = pytest.mark.parametrize("make", BOTH.values(), ids=BOTH)


def compiled(made, **options):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, use_bias=False)])
    model.set_weights([START])
    model.compile(made, "mse", **options)
    return model


def fit(model, epochs=1, batch_size=BATCH, **options):
    """One pass an epoch over the batches, in their order."""
    return model.fit(X, Y, batch_size=batch_size, epochs=epochs, shuffle=False, verbose=0, **options)


def batches(epochs):
    """The gradient of the loss of each batch, as a function of the weights, in double precision."""
    for index in range(epochs * BATCHES):
        part = slice(index % BATCHES * BATCH, (index % BATCHES + 1) * BATCH)
        x, y = X[part].astype("float64"), Y[part].astype("float64")
        yield lambda w, x=x, y=y: 2 * x.T @ (x @ w - y) / y.size


def weights(model):
    return np.array(model.get_weights()[0])


def same_bits(a, b):
    for mine, theirs in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def book(theta, v, r, epochs, rate=0.05, rho=0.9, alpha=0.8, epsilon=1e-7, at_theta=False):
    """Algorithm 8.6, line by line: the parameters apart from the point where the gradient is taken."""
    for step, gradient in enumerate(batches(epochs)):
        ahead = theta if at_theta and step == 0 else theta + alpha * v
        g = gradient(ahead)
        r = rho * r + (1 - rho) * g * g
        v = alpha * v - rate / np.sqrt(r + epsilon) * g
        theta = theta + v
    return theta, v, r


def test_the_parameters_are_those_of_the_book():
    model = compiled(BOTH["rmsprop_nesterov"]())
    seen = []
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(weights(model)))
    fit(model, epochs=2, callbacks=[watch])
    theta, v, r = book(START, 0, 0, epochs=2)
    np.testing.assert_allclose(weights(model), theta, atol=1e-5)
    # Within the fit, the model is at the look-ahead point, which is elsewhere.
    np.testing.assert_allclose(seen[1], theta + 0.8 * v, atol=1e-5)
    assert np.abs(0.8 * v).max() > 0.01
    # A later fit has its first gradient at the parameters; nothing else is lost.
    fit(model, epochs=2)
    np.testing.assert_allclose(weights(model), book(theta, v, r, epochs=2, at_theta=True)[0], atol=1e-5)


def test_weights_set_between_two_fits_are_where_the_next_begins():
    model = compiled(RMSpropNesterov(0.05, rho=0.0, momentum=0.5))
    fit(model)
    model.set_weights([START])
    before = np.array(model.optimizer._velocities[0].numpy())
    model.train_on_batch(X, Y)
    g = 2 * X.T @ (X @ START - Y) / Y.size
    # With rho = 0 a step has the length of the rate in each direction.
    theta = START + 0.5 * before - 0.05 * np.sign(g)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    np.testing.assert_allclose(weights(model), theta, atol=1e-5)


def test_without_momentum_it_is_rmsprop():
    mine, theirs = compiled(RMSpropNesterov(0.05, momentum=0.0)), compiled(keras.optimizers.RMSprop(0.05))
    for model in (mine, theirs):
        fit(model, epochs=3)
    np.testing.assert_allclose(weights(mine), weights(theirs), atol=1e-6)


def test_sparse_gradients_of_an_embedding():
    """On TensorFlow they come as slices; the rows that a batch leaves out move by their momentum all the same."""
    table = RANDOM.normal(size=(4, 2)).astype("float32")
    rows = np.array([0, 2], "int32")
    found = []
    for inputs, layer, x in (
        (keras.Input((), dtype="int32"), keras.layers.Embedding(4, 2), rows),
        (keras.Input((4,)), keras.layers.Dense(2, use_bias=False), np.eye(4, dtype="float32")[rows]),
    ):
        model = keras.Model(inputs, layer(inputs))
        model.set_weights([table])
        model.compile(RMSpropNesterov(0.05), "mse")
        for part in (slice(2), slice(1)):
            model.fit(x[part], np.ones((len(x[part]), 2), "float32"), epochs=3, verbose=0)
        found.append(weights(model))
    np.testing.assert_allclose(*found, atol=1e-6)


def algorithm_1(slow, epochs, k=3, alpha=0.4, rate=0.05):
    """Zhang et al. around Adam, whose moments are kept; the last cycle ends where the steps do."""
    fast, m, v = slow, 0, 0
    path = []
    for step, gradient in enumerate(batches(epochs), start=1):
        g = gradient(fast)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        fast = fast - rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step) * m / (np.sqrt(v) + 1e-7)
        if step % k == 0 or step == epochs * BATCHES:
            slow = slow + alpha * (fast - slow)
            fast = slow
        path.append(fast)
    return slow, path


def test_slow_weights_are_those_of_the_paper():
    slow, path = algorithm_1(START, epochs=2)
    model = compiled(BOTH["lookahead"]())
    for step in range(2 * BATCHES):
        part = slice(step % BATCHES * BATCH, (step % BATCHES + 1) * BATCH)
        model.train_on_batch(X[part], Y[part])
        if step < 2 * BATCHES - 1:
            np.testing.assert_allclose(weights(model), path[step], atol=1e-5)
    # 16 steps end within a cycle of 3: at fast weights, where `fit` goes on to the slow ones.
    assert np.abs(weights(model) - slow).max() > 0.01
    model = compiled(BOTH["lookahead"]())
    fit(model, epochs=2)
    np.testing.assert_allclose(weights(model), slow, atol=1e-5)


def test_going_the_whole_way_is_the_inner_optimizer():
    mine, theirs = compiled(Lookahead(keras.optimizers.Adam(0.05), alpha=1.0)), compiled(keras.optimizers.Adam(0.05))
    for model in (mine, theirs):
        fit(model, epochs=3)
    np.testing.assert_allclose(weights(mine), weights(theirs), atol=1e-6)


@both
def test_weights_do_not_depend_on_the_execution(make):
    one, eight = compiled(make(), steps_per_execution=1), compiled(make(), steps_per_execution=8)
    for model in (one, eight):
        fit(model, epochs=2)
        fit(model, epochs=1)
    same_bits(one, eight)


@both
def test_a_fit_without_a_step_moves_nothing(make):
    model = compiled(make())
    fit(model, epochs=2, initial_epoch=2)
    np.testing.assert_array_equal(weights(model), START)
    fit(model, epochs=2)
    before = weights(model)
    fit(model, epochs=2, initial_epoch=2)
    np.testing.assert_array_equal(weights(model), before)


@both
def test_accumulated_gradients_are_those_of_a_larger_batch(make):
    accumulated, large = compiled(make(gradient_accumulation_steps=2)), compiled(make())
    fit(accumulated, epochs=3)
    fit(large, epochs=3, batch_size=2 * BATCH)
    np.testing.assert_allclose(weights(accumulated), weights(large), atol=1e-5)


@both
def test_scaling_the_loss_changes_nothing(make):
    """A power of two, in float32: the same bits. At the end the outer optimizer hands the swap on to the inner one."""
    plain, scaled = compiled(make()), compiled(keras.optimizers.LossScaleOptimizer(make()))
    inner = compiled(make(loss_scale_factor=8.0))
    for model in (plain, scaled, inner):
        fit(model, epochs=2)
    same_bits(plain, scaled)
    same_bits(plain, inner)


@both
def test_a_network_of_float16_learns(make):
    policy = keras.DTypePolicy("mixed_float16")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype=policy)])
    model.compile(keras.optimizers.LossScaleOptimizer(make(), initial_scale=2.0**8), "mse")
    first = model.evaluate(X, Y, verbose=0)
    fit(model, epochs=5)
    assert model.evaluate(X, Y, verbose=0) < first
    assert all(variable.dtype == "float32" for variable in model.trainable_variables)


@both
def test_a_schedule_drives_its_rate(make):
    scheduled, plain = compiled(make(), steps_per_execution=8), compiled(make())
    scheduled.optimizer.learning_rate = 0.9
    history = fit(scheduled, epochs=2, callbacks=[Schedule("learning_rate", constant(0.05))])
    fit(plain, epochs=2)
    same_bits(scheduled, plain)
    np.testing.assert_allclose(history.history["learning_rate"], [0.05, 0.05])


@both
def test_a_model_saved_within_a_fit_goes_on_to_the_same_bits(make):
    """The file holds the look-ahead point, or the fast weights, and that it does."""
    whole = compiled(make())
    fit(whole, epochs=4, callbacks=[keras.callbacks.ModelCheckpoint("epoch-{epoch}.keras")])
    again = keras.models.load_model("epoch-2.keras")
    fit(again, epochs=4, initial_epoch=2)
    same_bits(again, whole)


RECIPE = '''
import keras

import zoo
from callbacks import Schedule, cosine
from zoo.data import images
from zoo.optimizers import optimizer


def recipe(epochs=3, optimizer_name="lookahead_rmsprop_nesterov"):
    """Seven steps in a cycle, so that no epoch ends where one does."""
    data = images("digits", 64)
    model = zoo.build("mlp", input_shape=(8, 8, 1), hidden=(16,))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer(optimizer_name, k=7), loss, metrics=["accuracy"])
    return zoo.Recipe(model, data, epochs, [Schedule("learning_rate", cosine(0.003))])
'''


class Stop(Exception):
    pass


def test_a_run_that_was_stopped_resumes_to_the_same_bits(tmp_path, monkeypatch):
    (tmp_path / "small.py").write_text(RECIPE)
    whole = zoo.train("small.py", folder=tmp_path / "whole", export=False, pictures=False, verbose=0)
    original = recorder.Recorder.on_epoch_end

    def stop(self, epoch, logs=None):
        original(self, epoch, logs)
        if epoch == 1:
            raise Stop

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(recorder, "SHARE", 1e9)
        patch.setattr(recorder.Recorder, "on_epoch_end", stop)
        zoo.train("small.py", folder=tmp_path / "run", export=False, pictures=False, verbose=0)
    assert checkpoint.newest(tmp_path / "run" / "checkpoints")["rows"]
    resumed = zoo.resume(tmp_path / "run", verbose=0)
    same_bits(resumed.model, whole.model)
    mine, theirs = (
        checkpoint.newest(run / "checkpoints")["state"]["variables"] for run in (tmp_path / "run", whole.folder)
    )
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_array_equal(a, b)
    losses = [[row["loss"] for row in runs.history(run)] for run in (tmp_path / "run", whole.folder)]
    assert losses[0] == losses[1] and losses[0][-1] < losses[0][0]
