"""Momentum, beta_1, weight decay and dropout rate under a schedule, at every step; saved as Keras' own classes."""

import keras
import numpy as np
import pytest

from callbacks import Schedule, constant, linear, schedulable

X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
OPTIMIZERS = [
    keras.optimizers.SGD(0.01, momentum=0.9, weight_decay=1e-3),
    keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    keras.optimizers.RMSprop(0.01, momentum=0.5),
    *(
        getattr(keras.optimizers, name)(0.01, weight_decay=1e-3)
        for name in ("Adam", "AdamW", "Adamax", "Nadam", "Lion")
    ),
]


def model(change=None, dropout=0.5):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dropout(dropout, name="drop")]
    plain = keras.Sequential([*layers, keras.layers.Dense(1)])
    return keras.models.clone_model(plain, clone_function=change) if change else plain


def fit(network, optimizer, callbacks=(), k=2, epochs=2):
    network.compile(optimizer, "mse", steps_per_execution=k)
    return network.fit(
        X, X[:, :1], batch_size=2, epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks)
    ).history


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda each: each.name)
def test_without_a_schedule_nothing_is_different(optimizer):
    kind, config = type(optimizer), optimizer.get_config()
    plain, changed = model(), model()
    fit(plain, kind.from_config(config))
    fit(changed, schedulable(kind.from_config(config)))
    for a, b in zip(plain.get_weights(), changed.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_follows_its_curve_at_every_step(k, nesterov):
    """One weight, gradient 1 at every step: the published update, with a momentum that changes."""
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    network.compile(
        schedulable(keras.optimizers.SGD(0.1, momentum=0.9, nesterov=nesterov)),
        lambda true, predicted: predicted,
        steps_per_execution=k,
    )
    curve = linear(0.9, 0.0)
    ones = np.ones((8, 1), "float32")
    network.fit(ones, ones, batch_size=1, verbose=0, shuffle=False, callbacks=[Schedule("momentum", curve)])
    weight = velocity = 0.0
    for step in range(8):
        momentum = float(curve(step / 8))
        velocity = momentum * velocity - 0.1
        weight += momentum * velocity - 0.1 if nesterov else velocity
    np.testing.assert_allclose(network.get_weights()[0], weight, rtol=1e-5)


def test_weight_decay_and_beta_follow_their_curves():
    optimizer = schedulable(keras.optimizers.AdamW(0.01, weight_decay=0.1))
    history = fit(
        model(), optimizer, [Schedule("weight_decay", linear(0.1, 0.0)), Schedule("beta_1", linear(0.9, 0.5))]
    )
    np.testing.assert_allclose(history["weight_decay"], [0.1 * (1 - 7 / 16), 0.1 * (1 - 15 / 16)], rtol=1e-5)
    np.testing.assert_allclose(history["beta_1"], [0.9 - 0.4 * 7 / 16, 0.9 - 0.4 * 15 / 16], rtol=1e-5)


def test_the_dropout_rate_is_what_the_schedule_says():
    layer = schedulable(keras.layers.Dropout(0.5, name="drop", seed=1))
    ones = np.ones((200, 200), "float32")
    for rate in (0.5, 0.2, 0.0):
        layer(ones[:1])
        layer.rate.assign(rate)
        kept = keras.ops.convert_to_numpy(layer(ones, training=True))
        assert abs((kept == 0).mean() - rate) < 0.01
        np.testing.assert_allclose(kept[kept != 0], 1 / (1 - rate), rtol=1e-6)
        np.testing.assert_array_equal(layer(ones, training=False), ones)
    network = model(schedulable)
    history = fit(network, "sgd", [Schedule("drop.rate", linear(0.5, 0.1))])
    np.testing.assert_allclose(history["drop.rate"], [0.5 - 0.4 * 7 / 16, 0.5 - 0.4 * 15 / 16], rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_noise_shape_and_precision_are_kept(dtype):
    layer = schedulable(keras.layers.Dropout(0.5, noise_shape=(None, 1, 3), dtype=dtype))
    kept = keras.ops.convert_to_numpy(keras.ops.cast(layer(np.ones((4, 5, 3)), training=True), "float32"))
    assert (kept == kept[:, :1]).all() and set(np.unique(kept)) == {0.0, 2.0}
    assert layer(np.ones((4, 5, 3))).dtype == ("float32" if dtype == "float32" else "bfloat16")


def test_a_file_holds_keras_own_classes(tmp_path):
    network = model(schedulable)
    fit(network, schedulable(keras.optimizers.SGD(0.01, momentum=0.9)), [Schedule("momentum", linear(0.9, 0.8))])
    network.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.optimizer) is keras.optimizers.SGD and type(again.get_layer("drop")) is keras.layers.Dropout
    assert again.optimizer.momentum == pytest.approx(0.80625)
    np.testing.assert_array_equal(again(X), network(X))
    for a, b in zip(again.optimizer.momentums, network.optimizer.momentums, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_cannot_be_changed_is_said():
    with pytest.raises(ValueError, match="schedulable takes a layer, or an optimizer SGD, .*Received: .*Muon"):
        schedulable(keras.optimizers.Muon())
    used = keras.optimizers.SGD(momentum=0.9)
    used.build([keras.Variable(1.0)])
    with pytest.raises(ValueError, match="built already"):
        schedulable(used)
    for optimizer in (keras.optimizers.SGD(momentum=0.9), schedulable(keras.optimizers.SGD(momentum=0.0))):
        with pytest.raises(ValueError, match="'momentum', which is a float. .*callbacks.schedulable"):
            fit(model(), optimizer, [Schedule("momentum", constant(0.5))])
