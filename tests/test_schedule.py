"""Schedule: any variable along a curve, exactly, at every step, whatever the execution."""

import keras
import numpy as np
import pytest

from callbacks import Schedule, constant, cosine, linear, warmup

STEPS, EPOCHS = 8, 3


@keras.saving.register_keras_serializable("zoo_test")
class Rates(keras.optimizers.SGD):
    """SGD that writes down the rate of each step."""

    def build(self, variables):
        super().build(variables)
        self.seen = keras.Variable(np.zeros(STEPS * EPOCHS, "float32"), trainable=False, name="seen")

    def update_step(self, gradient, variable, learning_rate):
        here = keras.ops.one_hot(self.iterations, STEPS * EPOCHS, dtype="float32")
        self.seen.assign(self.seen * (1 - here) + here * learning_rate)
        super().update_step(gradient, variable, learning_rate)


def fit(k, callbacks, epochs=EPOCHS, model=None, initial_epoch=0):
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    if model is None:
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile(Rates(0.1), "mse", steps_per_execution=k)
    x = np.random.default_rng(0).normal(size=(STEPS * 2, 3)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(2).repeat()
    history = model.fit(
        data,
        steps_per_epoch=STEPS,
        epochs=epochs,
        initial_epoch=initial_epoch,
        callbacks=callbacks,
        verbose=0,
        shuffle=False,
    )
    return model, history


@pytest.mark.parametrize("k", [1, 4, 8])
def test_every_step_has_the_rate_of_the_curve(k):
    curve = warmup(0.25, cosine(0.2))
    model, history = fit(k, [Schedule("learning_rate", curve)])
    expected = [float(curve(np.float32(step / (STEPS * EPOCHS)))) for step in range(STEPS * EPOCHS)]
    np.testing.assert_allclose(model.optimizer.seen.numpy(), expected, atol=1e-7)
    np.testing.assert_allclose(history.history["learning_rate"], expected[STEPS - 1 :: STEPS], atol=1e-7)


def test_weights_do_not_depend_on_the_execution():
    weights = [fit(k, [Schedule("learning_rate", cosine(0.2))])[0].get_weights() for k in (1, 8)]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_leaves_nothing_behind():
    model, _ = fit(4, [Schedule("learning_rate", linear(0.2, 0.1))])
    assert "train_step" not in vars(model) and model.train_function is None
    last = float(model.optimizer.learning_rate.numpy())
    fit(4, [], epochs=1, model=model)
    assert float(model.optimizer.learning_rate.numpy()) == last


def test_after_ctrl_c_the_next_fit_has_the_models_own_step():
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(Rates(0.1), "mse", steps_per_execution=4)
    with pytest.raises(KeyboardInterrupt):
        fit(4, [Schedule("learning_rate", constant(0.5)), Stop()], model=model)
    model.optimizer.learning_rate = 0.25
    fit(4, [], epochs=1, model=model)
    np.testing.assert_allclose(model.optimizer.seen.numpy()[STEPS : 2 * STEPS], 0.25)
    assert "make_train_function" not in vars(model)


def test_another_variable_of_the_model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.epsilon = keras.Variable(1.0, trainable=False, name="epsilon")
    model.compile(Rates(0.1), "mse", steps_per_execution=4)
    _, history = fit(4, [Schedule("epsilon", linear(1.0, 0.0)), Schedule("learning_rate", constant(0.05))], model=model)
    np.testing.assert_allclose(history.history["epsilon"], [1 - 7 / 24, 1 - 15 / 24, 1 - 23 / 24], atol=1e-6)
    np.testing.assert_allclose(model.optimizer.seen.numpy(), 0.05, atol=1e-8)


def test_a_curve_in_steps_knows_how_many_there_are():
    seen = []

    def curve(progress, steps):
        seen.append(steps)
        return 0.1 / (1 + progress * steps)

    model, _ = fit(4, [Schedule("learning_rate", curve)])
    np.testing.assert_allclose(model.optimizer.seen.numpy(), 0.1 / (1 + np.arange(STEPS * EPOCHS)), rtol=1e-6)
    assert set(seen) == {STEPS * EPOCHS}


def test_a_curve_may_span_other_epochs_than_the_fit():
    model, _ = fit(4, [Schedule("learning_rate", linear(0.2, 0.1), epochs=1.5)])
    expected = 0.2 - 0.1 * np.minimum(np.arange(STEPS * EPOCHS) / (STEPS * 1.5), 1)
    np.testing.assert_allclose(model.optimizer.seen.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "curve, what",
    [
        (linear(0.1, -0.1), "'learning_rate' the value -0.000199.* at progress 0.501; .* at least 0"),
        (lambda progress: progress / 0, "the value nan at progress 0.000"),
    ],
)
def test_a_curve_that_leaves_what_is_possible_is_refused_before_the_first_step(curve, what):
    with pytest.raises(ValueError, match=what):
        fit(1, [Schedule("learning_rate", curve)])


def test_two_schedules_of_one_variable_are_refused():
    with pytest.raises(ValueError, match="two schedules set 'learning_rate'"):
        fit(1, [Schedule("learning_rate", constant(0.1)), Schedule("learning_rate", constant(0.2))])


def test_an_optimizer_that_carries_a_schedule_is_refused():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)), "mse")
    with pytest.raises(ValueError, match="carries a schedule of its own, ExponentialDecay.*Compile with a float"):
        fit(1, [Schedule("learning_rate", constant(0.1))], model=model)


def test_the_length_of_the_training_must_be_known():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    batches = ((np.ones((2, 3)), np.ones((2, 1))) for _ in range(3))
    with pytest.raises(ValueError, match="steps_per_epoch"):
        model.fit(batches, callbacks=[Schedule("learning_rate", constant(0.1))], verbose=0, shuffle=False)


@pytest.mark.parametrize("target, what", [("epsilon", "absent"), ("name", "str"), ("optimizer.nothing", "absent")])
def test_a_target_that_is_no_variable_is_refused(target, what):
    with pytest.raises(ValueError, match=f"{target}.*{what}"):
        fit(1, [Schedule(target, constant(1.0))])
