"""Layer-wise pretraining: contrastive divergence against its statistics, and where the weights go."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import ZooError
from zoo.data import images
from zoo.pretraining import BoltzmannMachine, GreedyPretraining
from zoo.reconstruction import SquaredError


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


@pytest.mark.parametrize("hidden", ["sigmoid", "linear"])
def test_the_gradient_is_that_of_contrastive_divergence(hidden):
    machine = BoltzmannMachine(4, hidden, weight_cost=0.0)
    v0 = np.random.default_rng(0).uniform(size=(5, 6)).astype("float32")
    machine(v0)
    with tf.GradientTape() as tape:
        h0, v1 = machine(v0)
        loss = sum(machine.losses)
    gradients = tape.gradient(loss, [machine.kernel.value, machine.visible_bias.value, machine.hidden_bias.value])
    h1 = v1 @ machine.kernel.value + machine.hidden_bias.value
    h1 = tf.sigmoid(h1) if hidden == "sigmoid" else h1
    statistics = [tf.transpose(v1) @ h1 - tf.transpose(v0) @ h0, tf.reduce_sum(v1 - v0, 0), tf.reduce_sum(h1 - h0, 0)]
    for gradient, expected in zip(gradients, statistics, strict=True):
        np.testing.assert_allclose(gradient, expected / 5, rtol=1e-4, atol=1e-6)


def test_the_free_energy_sums_the_hidden_units_out():
    machine = BoltzmannMachine(3, "sigmoid")
    v = np.float32([[0.2, 0.9]])
    machine(v)
    for variable in (machine.kernel, machine.visible_bias, machine.hidden_bias):
        variable.assign(np.random.default_rng(0).normal(size=variable.shape))
    w, a, b = (np.asarray(each) for each in (machine.kernel, machine.visible_bias, machine.hidden_bias))
    states = np.stack(np.meshgrid(*[[0, 1]] * 3), -1).reshape(-1, 3)
    energies = -(v @ a) - states @ b - (v @ w @ states.T)[0]
    np.testing.assert_allclose(machine.free_energy(v), [-np.log(np.exp(-energies).sum())], rtol=1e-5)


def test_the_encoder_gets_the_weights_and_the_decoder_their_transposes(capsys):
    model = zoo.build("autoencoder", input_shape=(8, 8, 1), hidden=(12, 6), code=2)
    model.compile(keras.optimizers.SGD(0.0), SquaredError())
    x = images("digits", 32, seed=0).train.arrays[0][:200]
    before = GreedyPretraining(x, epochs=1)
    model.fit(x, x / np.float32(255), epochs=1, verbose=0, callbacks=[before])
    said = capsys.readouterr().out.splitlines()
    assert [line.split(",")[1] for line in said] == [
        f" layer {k} of 3: {pair}" for k, pair in ((1, "64 to 12"), (2, "12 to 6"), (3, "6 to 2"))
    ]
    up = [layer for layer in model.encoder.layers if layer.weights]
    down = [layer for layer in model.decoder.layers if layer.weights][::-1]
    for one, other in zip(up, down, strict=True):
        np.testing.assert_array_equal(one.kernel, np.transpose(other.kernel))
        assert np.abs(one.kernel).std() > 0.01
    assert before.seconds > 0


def test_it_is_a_better_start():
    x = images("digits", 32, seed=0).train.arrays[0]
    losses = []
    for epochs in (0, 10):
        keras.utils.set_random_seed(0)
        model = zoo.build("autoencoder", input_shape=(8, 8, 1), hidden=(32, 16), code=4)
        model.compile(keras.optimizers.Adam(0.001), SquaredError())
        before = GreedyPretraining(x, epochs, verbose=False)
        losses.append(model.fit(x, x / np.float32(255), epochs=3, verbose=0, callbacks=[before]).history["loss"][-1])
    assert losses[1] < 0.8 * losses[0]


def test_a_training_that_goes_on_is_not_begun_anew():
    model = zoo.build("autoencoder", input_shape=(8, 8, 1), hidden=(6,), code=2)
    model.compile(keras.optimizers.SGD(0.0), SquaredError())
    x = images("digits", 32, seed=0).train.arrays[0][:64]
    weights = model.get_weights()
    before = GreedyPretraining(x, epochs=1, verbose=False)
    model.fit(x, x / np.float32(255), initial_epoch=1, epochs=2, verbose=0, callbacks=[before])
    for old, new in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("arguments", [dict(activation="elu"), dict(activation="linear"), dict(code_activation="tanh")])
def test_other_units_are_no_machines(arguments):
    model = zoo.build("autoencoder", input_shape=(8, 8, 1), hidden=(6,), code=2, **arguments)
    model.compile("sgd", SquaredError())
    x = np.zeros((8, 8, 8, 1), "uint8")
    with pytest.raises(ZooError, match="dense autoencoders of sigmoid units"):
        model.fit(x, x, verbose=0, callbacks=[GreedyPretraining(x)])


def test_epochs_are_a_whole_number():
    with pytest.raises(ZooError, match="epochs must be a whole number >= 0"):
        GreedyPretraining(np.zeros((1, 2, 2, 1)), epochs=1.5)
