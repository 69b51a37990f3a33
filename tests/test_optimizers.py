"""Every optimizer by name, step by step against its published update in NumPy; errors; saving."""

import ast
import re
from collections import defaultdict
from inspect import signature

import keras
import numpy as np
import pytest

import zoo
from zoo.optimizers import NAMES, optimizer
from zoo.optimizers.by_name import TABLE

# The updates. `x` is a parameter, `g` its gradient, `s` what the optimizer remembers of it (0 at first), `t` counts
# from 1. Each is written as Keras computes it; where the paper has another form, a comment says so.


def sgd(x, g, s, t, rate):
    return x - rate * g


def momentum(x, g, s, t, rate, gamma=0.9):
    # The courses write v = gamma v + rate g and x - v: the same with the sign of v turned.
    s["v"] = gamma * s["v"] - rate * g
    return x + s["v"]


def nesterov(x, g, s, t, rate, gamma=0.9):
    # Sutskever et al. take the gradient at x + gamma v. Here `x` is that point itself (Bengio et al. 2013), at the end
    # too: Keras does not move it back.
    s["v"] = gamma * s["v"] - rate * g
    return x + gamma * s["v"] - rate * g


def adagrad(x, g, s, t, rate, epsilon=1e-7):
    # Duchi et al. begin with a sum of 0 and have epsilon outside the root.
    s["r"] = (s["r"] if t > 1 else 0.1) + g**2
    return x - rate * g / np.sqrt(s["r"] + epsilon)


def adadelta(x, g, s, t, rate, rho=0.95, epsilon=1e-7):
    # Zeiler has no rate (it is 1) and epsilon 1e-6.
    s["r"] = rho * s["r"] + (1 - rho) * g**2
    step = -np.sqrt(s["d"] + epsilon) / np.sqrt(s["r"] + epsilon) * g
    s["d"] = rho * s["d"] + (1 - rho) * step**2
    return x + rate * step


def rmsprop(x, g, s, t, rate, rho=0.9, epsilon=1e-7):
    s["r"] = rho * s["r"] + (1 - rho) * g**2
    return x - rate * g / np.sqrt(s["r"] + epsilon)


def adam(x, g, s, t, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
    # Kingma & Ba's algorithm 1 has m / (1 - beta_1^t) over sqrt(v / (1 - beta_2^t)) + 1e-8. The corrections are moved
    # into the rate, as at the end of their section 2, and epsilon is then added to the root of the uncorrected v.
    s["m"] = beta_1 * s["m"] + (1 - beta_1) * g
    s["v"] = beta_2 * s["v"] + (1 - beta_2) * g**2
    # Reddi et al. take the maximum too of the uncorrected v, but correct neither moment.
    s["max"] = np.maximum(s["max"], s["v"])
    corrected = rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return x - corrected * s["m"] / (np.sqrt(s["max"] if amsgrad else s["v"]) + epsilon)


def amsgrad(x, g, s, t, rate, beta_2=0.999, epsilon=1e-7):
    return adam(x, g, s, t, rate, beta_2=beta_2, epsilon=epsilon, amsgrad=True)


def adamax(x, g, s, t, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    # The paper has no epsilon.
    s["m"] = beta_1 * s["m"] + (1 - beta_1) * g
    s["u"] = np.maximum(beta_2 * s["u"], np.abs(g))
    return x - rate / (1 - beta_1**t) * s["m"] / (s["u"] + epsilon)


def nadam(x, g, s, t, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    # Dozat leaves the sequence mu open; this one is from his report, with 0.96^t for 0.96^(t/250).
    now, following = (beta_1 * (1 - 0.5 * 0.96**i) for i in (t, t + 1))
    s["product"] = (s["product"] if t > 1 else 1.0) * now
    s["m"] = beta_1 * s["m"] + (1 - beta_1) * g
    s["v"] = beta_2 * s["v"] + (1 - beta_2) * g**2
    m = following * s["m"] / (1 - s["product"] * following) + (1 - now) * g / (1 - s["product"])
    return x - rate * m / (np.sqrt(s["v"] / (1 - beta_2**t)) + epsilon)


def adamw(x, g, s, t, rate, decay=0.004, epsilon=1e-7):
    # In the paper the decay is multiplied by a schedule's factor alone; here by the rate.
    return adam(x - rate * decay * x, g, s, t, rate, epsilon=epsilon)


def lion(x, g, s, t, rate, beta_1=0.9, beta_2=0.99):
    direction = np.sign(beta_1 * s["m"] + (1 - beta_1) * g)
    s["m"] = beta_2 * s["m"] + (1 - beta_2) * g
    return x - rate * direction


def muon(x, g, s, t, rate, gamma=0.95, decay=0.004, epsilon=1e-7):
    if x.ndim != 2:
        return adamw(x, g, s, t, rate, decay, epsilon)
    s["m"] = gamma * s["m"] + g
    u = g + gamma * s["m"]
    u = u / (np.linalg.norm(u) + 1e-7)
    # Newton-Schulz: a polynomial that sends every singular value towards 1, so that u becomes nearly orthogonal. Jordan
    # et al. chose its coefficients for speed: the values end between 0.7 and 1.2.
    for _ in range(5):
        square = u @ u.T
        u = 3.4445 * u + (-4.7750 * square + 2.0315 * square @ square) @ u
    # Jordan et al. scale by sqrt(max(1, rows / columns)); Liu et al. so that the step is as large as AdamW's.
    return x - rate * decay * x - rate * 0.2 * np.sqrt(max(x.shape)) * u


UPDATES = {
    function.__name__: function
    for function in (
        *(sgd, momentum, nesterov, adagrad, adadelta, rmsprop),
        *(adam, amsgrad, adamax, nadam, adamw, lion, muon),
    )
}

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(20, 3)), RANDOM.normal(size=(20, 4))
W, B = RANDOM.normal(size=(3, 4)), RANDOM.normal(size=4)


def gradients(w, b):
    """Of half the mean squared length of X w + b - Y."""
    error = X @ w + b - Y
    return X.T @ error / len(X), error.mean(axis=0)


def assert_same_walk(made, update, steps=12, **options):
    """A Keras optimizer and an update reach the same points, step by step."""
    # Keras' Muon multiplies by a number of single precision.
    dtype = "float32" if isinstance(made, keras.optimizers.Muon) else "float64"
    variables = [keras.Variable(value, dtype=dtype) for value in (W, B)]
    rate = float(made.learning_rate)
    theta, memory = [W, B], [defaultdict(float), defaultdict(float)]
    for t in range(1, steps + 1):
        made.apply([keras.ops.cast(g, dtype) for g in gradients(*(v.numpy() for v in variables))], variables)
        theta = [update(*held, t, rate, **options) for held in zip(theta, gradients(*theta), memory, strict=True)]
        for variable, mine, start in zip(variables, theta, (W, B), strict=True):
            way = np.abs(mine - start).max()
            assert way > 1e-6
            # Keras holds the rate and the decays in single precision.
            np.testing.assert_allclose(variable.numpy(), mine, rtol=0, atol=1e-4 * way)


def test_every_name_is_tested():
    assert {*UPDATES, "rmsprop_nesterov"} == set(NAMES)


@pytest.mark.parametrize("name", UPDATES)
def test_each_step_is_the_published_update(name):
    assert_same_walk(optimizer(name, 0.05), UPDATES[name])


@pytest.mark.parametrize(
    "name, options",
    [
        ("momentum", {"gamma": 0.5}),
        ("nesterov", {"gamma": 0.99}),
        # Large, so that it shows where it is added.
        *((name, {"epsilon": 0.3}) for name, update in UPDATES.items() if "epsilon" in signature(update).parameters),
        ("adadelta", {"rho": 0.5}),
        ("rmsprop", {"rho": 0.5}),
        ("adam", {"beta_1": 0.5, "beta_2": 0.9}),
        ("amsgrad", {"beta_2": 0.5}),  # short of memory, so that the maximum is in the past
        ("nadam", {"beta_1": 0.5, "beta_2": 0.9}),
        ("adamw", {"decay": 0.5}),
        ("lion", {"beta_1": 0.5}),
    ],
)
def test_each_option_has_its_place(name, options):
    names = {"gamma": "momentum", "decay": "weight_decay"}
    made = optimizer(name, 0.05, **{names.get(key, key): value for key, value in options.items()})
    assert_same_walk(made, UPDATES[name], **options)


def test_options_of_every_optimizer():
    def decayed(x, g, s, t, rate):
        return x - rate * 0.5 * x - rate * g

    def clipped(x, g, s, t, rate):
        return x - rate * g * min(1, 0.1 / np.linalg.norm(g))

    assert_same_walk(optimizer("sgd", 0.05, weight_decay=0.5), decayed)
    assert_same_walk(optimizer("sgd", 0.05, clipnorm=0.1), clipped)


def test_muon_makes_matrices_orthogonal_and_leaves_the_rest_to_adamw():
    """What it does to each kind of variable, by their paths and shapes."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Embedding(10, 3),
            keras.layers.Conv1D(2, 2, name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(5, name="attention_output"),
            keras.layers.Dense(2, name="output"),
        ],
        name="sequential",
    )
    made = optimizer("muon", 0.1, weight_decay=None, adam_weight_decay=None)
    before = {v.path: v.numpy() for v in model.trainable_variables}
    gradient = {path: np.random.default_rng(1).normal(size=value.shape) for path, value in before.items()}
    made.apply([keras.ops.cast(gradient[v.path], "float32") for v in model.trainable_variables], model.variables)
    orthogonal = set()
    for variable in model.trainable_variables:
        step = (variable.numpy() - before[variable.path]).astype("float64")
        # The first step of AdamW goes by the rate in every direction.
        if not np.allclose(np.abs(step), 0.1, rtol=1e-3):
            orthogonal.add(variable.path)
            singular = np.linalg.svd(step, compute_uv=False) / (0.1 * 0.2 * np.sqrt(max(step.shape)))
            assert 0.6 < singular.min() and singular.max() < 1.3
    assert orthogonal == {"sequential/attention_output/kernel"}


@pytest.mark.parametrize("name", [*NAMES, "lookahead_adam", "lookahead_muon", "lookahead_rmsprop_nesterov"])
def test_it_trains_and_a_saved_model_goes_on_to_the_same_bits(name):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    model.compile(optimizer(name), "mse", run_eagerly=True)
    losses = model.fit(X, Y, batch_size=10, epochs=3, verbose=0, shuffle=False).history["loss"]
    assert losses[2] < losses[0]
    model.save("model.keras")
    again = keras.models.load_model("model.keras")
    assert type(again.optimizer) is type(model.optimizer)
    assert again.optimizer.get_config() == model.optimizer.get_config()
    for each in (model, again):
        each.fit(X, Y, batch_size=10, epochs=1, verbose=0, shuffle=False)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", [*NAMES, *(f"lookahead_{name}" for name in NAMES)])
def test_serialisation_there_and_back(name):
    made = optimizer(name, 0.25, clipnorm=2.0)
    config = keras.optimizers.serialize(made)
    again = keras.optimizers.deserialize(config)
    assert type(again) is type(made)
    assert keras.optimizers.serialize(again) == keras.optimizers.serialize(made)
    assert float(again.learning_rate) == 0.25
    assert getattr(again, "inner_optimizer", again).clipnorm == 2.0


def test_the_documented_table_is_the_table():
    rows = re.findall(r"^    \| `(\w+)` \| (.+) \| ([\d.]+) \| ([\d.]+|none) \| (.+) \|$", optimizer.__doc__, re.M)
    assert [row[0] for row in rows] == list(NAMES)
    for name, kind, rate, keras_rate, source in rows:
        row = TABLE[name]
        assert float(rate) == row.learning_rate and source == row.source
        assert kind.startswith(f"`{row.kind.__name__}`")
        made = optimizer(name)
        assert float(made.learning_rate) == np.float32(rate)
        if keras_rate != "none":
            assert float(row.kind().learning_rate) == np.float32(keras_rate)
        for option, value in re.findall(r"`(\w+)=([^`]+)`", kind):
            assert getattr(made, option) == ast.literal_eval(value)


@pytest.mark.parametrize("name", ["adm", "lookahead_", "Adam", "lookahead_lookahead_sgd", None, keras.optimizers.SGD])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(zoo.ZooError, match="optimizer must be one of 'sgd', .*behind 'lookahead_'. Received"):
        optimizer(name)


@pytest.mark.parametrize(
    "name, meant", [("adm", "'adam'"), ("lookahed_adam", "'lookahead_adam'"), ("nesterof", "'nesterov'")]
)
def test_close_names_are_suggested(name, meant):
    with pytest.raises(zoo.ZooError, match=f"Did you mean .*{meant}"):
        optimizer(name)


@pytest.mark.parametrize(
    "name, option",
    [
        ("sgd", "beta_1"),
        ("adam", "amsgrad"),
        ("nesterov", "nesterov"),
        ("adam", "k"),
        ("lookahead_adam", "optimizer"),
        ("adam", "kwargs"),
        ("rmsprop_nesterov", "options"),
        ("rmsprop_nesterov", "centered"),
    ],
)
def test_an_option_it_does_not_have_is_refused(name, option):
    with pytest.raises(zoo.ArgumentError, match=rf"{name}' has no option '{option}'.*It takes: .*clipnorm, .*\.$"):
        optimizer(name, **{option: 1})


def test_close_options_are_suggested():
    with pytest.raises(zoo.ArgumentError, match="Did you mean 'weight_decay'"):
        optimizer("rmsprop_nesterov", weight_deca=0.1)


@pytest.mark.parametrize("rate", [0, -0.1, float("nan"), float("inf"), "0.1", lambda: 0.1])
def test_a_rate_that_is_no_positive_number_is_refused(rate):
    with pytest.raises(zoo.ZooError, match="learning_rate must be a number above 0"):
        optimizer("adam", rate)


def test_a_whole_number_is_a_rate():
    assert float(optimizer("adadelta", 1).learning_rate) == 1.0
