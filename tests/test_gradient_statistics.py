"""GradientStatistics: numbers worked out by hand, on both backends, and a training that does not notice."""

import keras
import numpy as np
import pytest

from callbacks.gradient_statistics import GradientStatistics, statistics
from callbacks.probe import undone

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(20, 3)).astype("float32"), rng.normal(size=(20, 2)).astype("float32")
KINDS = ["gradient_norm", "update_ratio", "activation_mean", "activation_std", "dead_relu"]


def variables(model):
    held = model.variables + model.optimizer.variables + model.metrics_variables
    return [keras.ops.convert_to_numpy(variable.value) for variable in held]


def assert_same(before, after):
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)


def by_hand():
    """A perceptron with two layers: x -> relu(x A + a) -> B, mean squared error; two of the five units never fire."""
    weights = [rng.normal(size=shape).astype("float32") for shape in ((3, 5), (5,), (5, 2), (2,))]
    weights[1][[1, 4]] = -100
    first, bias, second, last = (w.astype("float64") for w in weights)
    hidden = np.maximum(X @ first + bias, 0)
    out = hidden @ second + last
    error = 2 * (out - Y) / out.size
    back = error @ second.T * (hidden > 0)
    gradients = {"one": [X.T @ back, back.sum(0)], "two": [hidden.T @ error, error.sum(0)]}
    return weights, gradients, {"one": hidden, "two": out}


def norm(arrays):
    return np.sqrt(sum(np.sum(np.square(array)) for array in arrays))


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.1),
        lambda: keras.optimizers.SGD(0.1, loss_scale_factor=1024.0),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)),
    ],
)
def test_the_numbers_of_a_perceptron_by_hand(optimizer):
    weights, gradients, outputs = by_hand()
    layers = [keras.layers.Dense(5, "relu", name="one"), keras.layers.Dense(2, name="two")]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.set_weights(weights)
    model.compile(optimizer(), "mse")
    found = statistics(model, X, Y)
    assert list(found) == KINDS and list(found["gradient_norm"]) == ["one", "two"]
    for name, own in (("one", weights[:2]), ("two", weights[2:])):
        np.testing.assert_allclose(found["gradient_norm"][name], norm(gradients[name]), rtol=1e-5)
        ratio = 0.1 * norm(gradients[name]) / norm(own)
        np.testing.assert_allclose(found["update_ratio"][name], ratio, rtol=1e-3)
        np.testing.assert_allclose(found["activation_mean"][name], np.abs(outputs[name]).mean(), rtol=1e-5)
        np.testing.assert_allclose(found["activation_std"][name], outputs[name].std(), rtol=1e-5)
    assert found["dead_relu"] == {"one": 2 / 5}


def test_dead_channels_of_an_image():
    convolution = keras.layers.Conv2D(4, 3, name="convolution")
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            convolution,
            keras.layers.ReLU(name="relu"),
            keras.layers.LeakyReLU(name="leaky"),
            keras.layers.Activation("relu6", name="six"),
            keras.layers.ReLU(negative_slope=0.1, name="sloped"),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    convolution.bias.assign([-100, 5, -100, -100])
    model.compile("sgd", "mse")
    # A unit that fires at one position of one image lives.
    x = np.zeros((3, 6, 6, 1), "float32")
    x[1, 2, 3] = 1000
    convolution.kernel.assign(np.zeros((3, 3, 1, 4), "float32"))
    kernel = np.zeros((3, 3, 1, 4), "float32")
    kernel[0, 0, 0, 2] = 1
    convolution.kernel.assign(kernel)
    found = statistics(model, x, np.zeros((3, 4)))
    assert found["dead_relu"] == {"relu": 0.5, "six": 0.5}
    assert list(found["activation_std"]) == ["convolution", "relu", "leaky", "six", "sloped"]
    assert list(found["gradient_norm"]) == ["convolution"]


def deep(k=1):
    """Nested models, dicts on both sides, a shared layer, and everything with a state."""
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Dense(4, name="one"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.ReLU(name="relu"),
    ]
    inner = keras.Sequential([keras.Input((4,)), *layers], name="inner")
    shared = keras.layers.Dense(4, "tanh", name="shared")
    rows, tokens = keras.Input((3,), name="rows"), keras.Input((2,), dtype="int32", name="tokens")
    embedded = keras.layers.Flatten()(keras.layers.Embedding(7, 2, name="embedding")(tokens))
    hidden = keras.layers.Dropout(0.3)(keras.layers.Dense(4, name="first")(rows))
    hidden = keras.layers.Concatenate()([inner(shared(shared(hidden))), embedded])
    model = keras.Model(
        {"rows": rows, "tokens": tokens},
        {"logits": keras.layers.Dense(2, name="logits")(hidden), "code": keras.layers.Dense(1, name="code")(hidden)},
    )
    model.compile("nadam", {"logits": "mse", "code": "mae"}, metrics={"logits": ["mse"]}, steps_per_execution=k)
    return model


X2 = {"rows": X, "tokens": rng.integers(0, 7, (20, 2)).astype("int32")}
Y2 = {"logits": Y, "code": Y[:, :1]}
NAMES = ["first", "shared", "inner/one", "inner/norm", "embedding", "logits", "code"]


def test_nested_models_and_dicts():
    model = deep()
    found = statistics(model, X2, Y2)
    assert sorted(found["gradient_norm"]) == sorted(found["update_ratio"]) == sorted(NAMES)
    assert sorted(found["activation_mean"]) == sorted([*NAMES, "inner/relu"])
    assert list(found["dead_relu"]) == ["inner/relu"]
    assert all(np.isfinite(list(each.values())).all() for each in found.values())
    # Nadam's first step moves each weight by about its rate, 0.001.
    assert 1e-4 < found["update_ratio"]["first"] < 1e-2


@pytest.mark.parametrize("trained", [False, True])
def test_nothing_is_changed(trained):
    model = deep()
    if trained:
        model.fit(X2, Y2, verbose=0)
    else:
        model.optimizer.build(model.trainable_variables)
    before = variables(model)
    first, second = statistics(model, X2, Y2), statistics(model, X2, Y2)
    assert first == second  # the random numbers too: dropout masks are the same
    after = variables(model)
    assert_same(before, after[: len(before)])
    assert not any(np.any(array) for array in after[len(before) :])  # metrics that were born are empty
    assert not any("call" in vars(layer) for layer in model.layers)


def test_a_jax_fit_goes_on_where_it_was():
    """The same as below, with a network that JAX compiles in little time."""
    runs = []
    for watching in (False, True):
        keras.utils.set_random_seed(0)
        dense = [keras.layers.Dense(3, "relu", name="one"), keras.layers.Dropout(0.3), keras.layers.Dense(2)]
        model = keras.Sequential([keras.Input((3,)), *dense])
        model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
        callbacks = [GradientStatistics(X, Y)] if watching else []
        history = model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0, callbacks=callbacks).history
        runs.append((model, history))
    assert runs[0][1]["loss"] == runs[1][1]["loss"]
    assert len(set(runs[1][1]["gradient_norm/one"])) == 3
    assert_same(variables(runs[0][0]), variables(runs[1][0]))


def test_an_error_on_the_way_changes_nothing():
    model = deep()
    model.optimizer.build(model.trainable_variables)
    before = variables(model)
    with pytest.raises(ZeroDivisionError), undone(model):
        for variable in model.variables:
            variable.assign(variable.value * 0)
        raise ZeroDivisionError
    assert_same(before, variables(model))


def test_training_is_the_same_with_and_without_it():
    plain, watched = deep(4), deep(4)
    probe = [{name: array[:8] for name, array in part.items()} for part in (X2, Y2)]
    watch = GradientStatistics(*probe, every=2)
    fit = {"x": X2, "y": Y2, "batch_size": 4, "epochs": 3, "shuffle": False, "validation_data": (X2, Y2), "verbose": 0}
    one, two = plain.fit(**fit).history, watched.fit(**fit, callbacks=[watch]).history
    assert all(two[key] == values for key, values in one.items())
    assert_same(variables(plain), variables(watched))
    added = {key: values for key, values in two.items() if key not in one}
    assert {key.partition("/")[0] for key in added} == set(KINDS)
    assert "gradient_norm/inner/one" in added
    assert all(len(values) == 3 and np.isfinite(values).all() for values in added.values())
    # It looks after every second epoch; in between the logs repeat what it saw.
    assert list(watch.history) == [0, 2]
    norms = added["gradient_norm/first"]
    assert norms == [watch.history[epoch]["gradient_norm"]["first"] for epoch in (0, 2, 2)]
    assert len(set(norms)) == 2


def test_a_history_that_is_restored_is_continued():
    model = deep()
    watch, again = GradientStatistics(X2, Y2), GradientStatistics(X2, Y2)
    model.fit(X2, Y2, epochs=1, verbose=0, callbacks=[watch])
    restoring = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: again.set_state(watch.get_state()))
    model.fit(X2, Y2, epochs=2, initial_epoch=1, verbose=0, callbacks=[again, restoring])
    assert list(again.history) == [0, 1, 2]
    assert again.history[0] is watch.history[0]


def test_gradients_vanish_through_sigmoids_and_not_through_relus():
    def shrinking(activation, initializer):
        keras.utils.set_random_seed(0)
        dense = [keras.layers.Dense(16, activation, kernel_initializer=initializer, name=f"d{i}") for i in range(12)]
        model = keras.Sequential([keras.Input((3,)), *dense, keras.layers.Dense(2)])
        model.compile("sgd", "mse")
        norms = statistics(model, X, Y)["gradient_norm"]
        return norms["d0"] / norms["d11"]

    assert shrinking("sigmoid", "glorot_uniform") < 1e-4
    assert 1e-2 < shrinking("relu", "he_normal") < 1e2


def test_weights_of_zero_have_no_ratio():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_initializer="zeros", name="dense")])
    model.compile("sgd", "mse")
    found = statistics(model, X, Y)
    assert np.isnan(found["update_ratio"]["dense"]) and found["gradient_norm"]["dense"] > 0


class Scale(keras.Model):
    """Weights of its own, no layers, no `training` argument."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(), initializer="ones")

    def call(self, x):
        return x * self.scale


def test_a_model_whose_weights_are_its_own():
    model = Scale(name="scale")
    model.build((None, 3))
    model.compile("sgd", "mse")
    found = statistics(model, X, 0 * X)
    np.testing.assert_allclose(found["gradient_norm"]["scale"], 2 * np.mean(X**2), rtol=1e-5)
    assert found["activation_mean"] == {}


@pytest.mark.parametrize("every", [0, -1, 1.5])
def test_an_impossible_interval_is_refused(every):
    with pytest.raises(ValueError, match=f"every={every}"):
        GradientStatistics(X, Y, every=every)


def test_a_model_without_a_step_is_refused():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="compile the model"):
        statistics(model, X, Y)
