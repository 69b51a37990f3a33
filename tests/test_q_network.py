"""Models of action values: their sizes, how they start, what they refuse, and which fits an environment."""

import keras
import numpy as np
import pytest

import zoo
from zoo import ZooError, envs, registry
from zoo.plain import plain
from zoo.q_fitting import build_for, fits
from zoo.tasks import task_of

MODELS = ("q_table", "q_linear", "dqn", "nature_dqn", "dueling_dqn")
FEATURES = ("tiles", "identity", "polynomial", "rbf", "fourier")


def test_the_zoo_s_agents():
    assert zoo.list_models(task="q_learning") == sorted(MODELS)


@pytest.mark.parametrize("actions", [1, 4, 18])
def test_parameters_of_the_network_for_frames(actions):
    with keras.StatelessScope(initialize_variables=False):
        count = zoo.build("nature_dqn", actions=actions).network.count_params()
    convolutions = (8 * 8 * 4 + 1) * 32 + (4 * 4 * 32 + 1) * 64 + (3 * 3 * 64 + 1) * 64
    assert count == convolutions + (7 * 7 * 64 + 1) * 512 + 513 * actions == 1_684_128 + 513 * actions


def test_two_streams_double_the_dense_layer_of_the_network_for_frames():
    with keras.StatelessScope(initialize_variables=False):
        model = zoo.build("dueling_dqn", observation_shape=(84, 84, 4), actions=6)
    assert model.network.count_params() == 77_984 + 2 * 1_606_144 + 513 * (1 + 6)
    names = [layer.name for layer in model.network.layers]
    assert {"convolution1", "convolution2", "convolution3"} < set(names) and "dense1" not in names


def test_frames_are_bytes_that_are_scaled_first():
    model = zoo.build("nature_dqn", observation_shape=(36, 40, 1), actions=2, hidden=3)
    frames = np.random.default_rng(0).integers(0, 256, (2, 36, 40, 1), dtype=np.uint8)
    assert model.inputs[0].dtype == "uint8"
    _, scaling, first = model.network.layers[:3]
    np.testing.assert_allclose(scaling(frames), frames / 255, rtol=1e-6)
    assert (first.filters, first.kernel_size, first.strides) == (32, (8, 8), (4, 4))
    np.testing.assert_array_equal(model(frames), model(frames.astype("float32")))


def test_equation_9_of_wang():
    model = zoo.build("dueling_dqn", actions=3)
    streams = [model.network.get_layer(name).output for name in ("value", "advantage")]
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    value, advantage = map(np.asarray, keras.Model(model.network.inputs[0], streams)(x))
    wanted = value + advantage - advantage.mean(1, keepdims=True)
    np.testing.assert_allclose(model(x), wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.mean(model(x), axis=1), value[:, 0], rtol=1e-5, atol=1e-6)


def test_a_table_is_the_weights_of_its_last_layer():
    model = zoo.build("q_table", states=3, actions=2)
    table = np.arange(6.0).reshape(3, 2)
    model.network.get_layer("values").set_weights([table])
    np.testing.assert_array_equal(model(np.array([2, 0, 2])), table[[2, 0, 2]])


def test_the_identity_has_no_constant():
    model = zoo.build("q_linear", low=(0,) * 3, high=(9,) * 3, features="identity", actions=1)
    model.network.get_layer("values").set_weights([np.array([[1.0], [10.0], [100.0]])])
    assert model(np.array([[1, 2, -3], [0, 0, 0]], "float32")).numpy().tolist() == [[-279], [0]]


@pytest.mark.parametrize("features", ["table", *FEATURES])
def test_what_every_action_is_worth_at_first(features):
    if features in ("identity", "rbf"):
        with pytest.raises(ZooError, match=f"initial must be 0 with features='{features}', which have no constant"):
            zoo.build("q_linear", features=features, initial=1.5)
        return
    x = np.random.default_rng(0).uniform(-2, 1, (20, 2)).astype("float32")
    if features == "table":
        model, x = zoo.build("q_table", initial=1.5), np.arange(16)
    else:
        model = zoo.build("q_linear", features=features, initial=1.5)
    np.testing.assert_allclose(model.network(x), 1.5, rtol=1e-6)
    np.testing.assert_array_equal(model.target(x), model.network(x))


@pytest.mark.parametrize("name, states", [("q_table", True), ("q_linear", False), ("dqn", False)])
def test_one_output_values_states(name, states):
    model = zoo.build(name, actions=1)
    model.compile("sgd", rule="evaluation", trace=0.5)
    assert task_of(model) == "q_learning" and model.actions == 1
    with pytest.raises(ZooError, match="values states"):
        model.compile("sgd")


@pytest.mark.parametrize(
    "name, options, message",
    [
        ("q_table", dict(initial=float("nan")), "initial must be a finite number"),
        ("q_linear", dict(features="tile"), "Did you mean 'tiles'"),
        ("q_linear", dict(low=(0,)), "high must be of 1 numbers"),
        ("q_linear", dict(tiles=0), "tiles must be an integer >= 1"),
        ("dqn", dict(observation_shape=(84, 84, 4)), r"observation_shape must be \(numbers,\)"),
        ("dqn", dict(hidden=64), "hidden must be a list of widths"),
        ("dqn", dict(hidden=(0,)), "each width in hidden must be an integer >= 1"),
        ("dqn", dict(activation="rely"), "Did you mean 'relu'"),
        ("nature_dqn", dict(observation_shape=(35, 84, 4)), "sides of 36 or more"),
        ("nature_dqn", dict(hidden=0), "hidden must be an integer >= 1"),
        ("dueling_dqn", dict(actions=1), "actions must be an integer >= 2"),
        ("dueling_dqn", dict(stream=0), "stream must be an integer >= 1"),
        ("dueling_dqn", dict(observation_shape=(4, 4)), r"\(numbers,\) or \(height, width, frames\)"),
    ],
)
def test_bad_values(name, options, message):
    with pytest.raises(ZooError, match=message):
        zoo.build(name, **options)


def transitions(count=8):
    state = np.arange(count, dtype="int32")
    happened = dict(action=state % 4, reward=np.float32(state), next=(state + 1) % 16)
    return state, {**happened, "discount": np.full(count, 0.9, "float32")}


def test_a_file_keeps_the_target_the_optimizer_and_how_it_learns(tmp_path):
    model = zoo.build("q_table")
    model.compile(keras.optimizers.Adam(0.1), gamma=0.9, double=True, target_every=2, epsilon=0.25, run_eagerly=True)
    for _ in range(3):
        model.train_on_batch(*transitions())
    held, learnt = (part.get_weights()[0] for part in (model.target, model.network))
    assert np.abs(held).max() > 0 and (held != learnt).any()
    model.save(tmp_path / "model.keras")
    again = zoo.load(tmp_path / "model.keras")
    assert type(again) is type(model) and again.settings == model.settings and float(again.epsilon) == 0.25
    np.testing.assert_array_equal(again.target.get_weights()[0], held)
    again.run_eagerly = True
    for each in (model, again):
        each.train_on_batch(*transitions())
    for mine, other in zip(model.variables, again.variables, strict=True):
        np.testing.assert_array_equal(mine, other)
    assert again.optimizer.iterations == 4


def test_a_copy_from_its_configuration():
    model = zoo.build("q_linear", features="polynomial", initial=2.0)
    again = type(model).from_config(model.get_config())
    again.set_weights(model.get_weights())
    x = np.zeros((1, 2), "float32")
    np.testing.assert_array_equal(again(x), model(x))
    np.testing.assert_array_equal(again.target(x), model.target(x))


@pytest.mark.parametrize("name", ["q_table", "dueling_dqn"])
def test_it_can_be_written_in_layers_of_keras(name):
    model = zoo.build(name)
    model.set_weights([np.random.default_rng(i).normal(size=w.shape) for i, w in enumerate(model.get_weights())])
    copy = plain(model)
    assert type(copy).__module__.startswith("keras.")
    x = np.arange(3) if name == "q_table" else np.eye(4, dtype="float32")
    np.testing.assert_allclose(copy(x), model(x), rtol=1e-5, atol=1e-6)


def test_features_of_the_zoo_are_no_layers_of_keras():
    with pytest.raises(ZooError, match="q_linear cannot be written in layers of Keras alone: it has TileCoding"):
        plain(zoo.build("q_linear"))


# --- which fits an environment -------------------------------------------------------------------------------------

FRAMES = envs.Spec("Game-v0", "Game-v0", 5, tuple("abcde"), None, (40, 36, 4), "uint8", None, None, 100)
FAR = envs.Spec("Far-v0", "Far-v0", 2, ("a", "b"), None, (3,), "float32", None, None, 100)


def described(monkeypatch, spec):
    """Lets an environment be described by `spec`."""
    monkeypatch.setattr(envs, "describe", lambda env: spec)


@pytest.mark.parametrize(
    "name, env, shape, actions",
    [
        ("q_table", "FrozenLake-v1?map_name=8x8", (), 4),
        ("dqn", "CartPole-v1", (4,), 2),
        ("dueling_dqn", "MountainCar-v0", (2,), 3),
        ("q_linear", "MountainCar-v0", (2,), 3),
    ],
)
def test_a_model_for_an_environment(name, env, shape, actions):
    model = build_for(name, env)
    assert model.input_shape[1:] == shape and model.actions == actions
    if name == "q_table":
        assert model.network.get_layer("values").kernel.shape == (64, 4)
    if name == "q_linear":
        tiles = model.network.get_layer("tiles")
        np.testing.assert_allclose((tiles.low, tiles.high), ((-1.2, -0.07), (0.6, 0.07)), rtol=1e-6)
    assert build_for(name, env, actions=7).actions == 7


def test_frames_of_a_game(monkeypatch):
    described(monkeypatch, FRAMES)
    assert fits(FRAMES) == ("nature_dqn", "dueling_dqn")
    for name in fits(FRAMES):
        model = build_for(name, "Game-v0")
        assert model.input_shape[1:] == (40, 36, 4) and model.inputs[0].dtype == "uint8" and model.actions == 5


@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_does_not_take_what_is_shown(name, monkeypatch):
    small = envs.Spec("Odd-v0", "Odd-v0", 2, ("a", "b"), None, (7, 7, 3), "uint8", None, None, 100)
    lake = envs.Spec("Lake-v0", "Lake-v0", 2, ("a", "b"), 9, (), "int32", None, None, 100)
    for spec, shows in (
        (FRAMES, r"uint8 observations of shape \(40, 36, 4\), which {} does not take. nature_dqn or dueling_dqn would"),
        (small, r"uint8 observations of shape \(7, 7, 3\), which {} does not take. None of the zoo's does: flatten it"),
        (FAR, r"float32 observations of shape \(3,\), which {} does not take. dqn or dueling_dqn or q_linear would"),
        (lake, "one of 9 states, which {} does not take. q_table would"),
    ):
        described(monkeypatch, spec)
        if name not in fits(spec):
            with pytest.raises(ZooError, match=f"{spec.env} shows {shows.format(name)}"):
                build_for(name, spec.env)


def test_a_range_that_has_no_end(monkeypatch):
    class Made:
        observation_space = type("Box", (), dict(low=np.float32([0, -np.inf, -3e38]), high=np.float32([1, 2, 3e38])))
        close = staticmethod(lambda: None)

    described(monkeypatch, FAR)
    monkeypatch.setattr(envs, "make", lambda env: Made())
    with pytest.raises(ZooError, match="Far-v0 has none for the numbers at 1, 2 of its 3. Give low= and high=, 3 fini"):
        build_for("q_linear", "Far-v0")
    assert build_for("q_linear", "Far-v0", features="identity").input_shape == (None, 3)
    given = build_for("q_linear", "Far-v0", low=(0, 0, 0), high=(1, 2, 3), tiles=2)
    assert given.network.get_layer("tiles").high == (1.0, 2.0, 3.0)


def test_models_of_other_tasks_do_not_act():
    with pytest.raises(ZooError, match="lenet is a model for classification.*one of: dqn, dueling_dqn"):
        build_for("lenet", "CartPole-v1")


def test_a_model_of_one_s_own(monkeypatch):
    monkeypatch.setattr(registry, "_entries", dict(registry._table()))
    monkeypatch.setattr(registry, "_functions", dict(registry._functions))
    mine = dict(family="own", task="q_learning", paper="none", input="a state", parameters=0, summary="s")

    @zoo.register(zoo.Entry("mine", **mine))
    def mine_function(states=2, actions=2):
        return zoo.build("q_table", states=states, actions=actions, initial=3.0)

    assert build_for("mine", "FrozenLake-v1")(np.array([15])).numpy().tolist() == [[3.0] * 4]
