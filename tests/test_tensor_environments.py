"""Environments in tensor operations against gymnasium's, step by step, and in one compiled loop."""

import gymnasium
import keras
import numpy as np
import pytest
import tensorflow as tf
from gymnasium.envs.classic_control import CartPoleEnv

from zoo import envs
from zoo.envs import registration
from zoo.envs.tabular import Tabular

COUNT = 200
# Uniform in the middle of each range; wider than what an episode reaches.
STATES = {
    "CartPole-v1": [3.0, 4.0, 0.3, 4.0],
    "CartPole-v1?sutton_barto_reward=true": [3.0, 4.0, 0.3, 4.0],
    "MountainCar-v0": [1.2, 0.07],
    "MountainCar-v0?goal_velocity=0.03": [1.2, 0.07],
    "Acrobot-v1": [np.pi, np.pi, 4 * np.pi, 9 * np.pi],
}
TABLES = ["FrozenLake-v1", "FrozenLake-v1?success_rate=0.8&map_name=8x8", "FrozenLake-v1?is_slippery=false"]
TABLES += ["CliffWalking-v1", "CliffWalkingSlippery-v1", "Taxi-v4", "Taxi-v4?is_rainy=true"]
TABLES += [name for name, _, _ in registration.OWN if "Bandit" not in name] + ["zoo/RandomWalk-v0?states=19"]


def _uniform(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def _states(env):
    high = np.array(STATES[env])
    states = _uniform(COUNT, len(high)) * 2 * high - high
    if env.startswith("MountainCar"):
        states[:, 0] = np.clip(states[:, 0] - 0.1, -1.2, 0.6)
    return states


@pytest.mark.parametrize("env", STATES)
def test_a_step_equals_gymnasiums(env):
    made, twin, states = envs.make(env).unwrapped, envs.tensor(env), _states(env)
    made.reset(seed=0)
    assert twin.state_shape == states.shape[1:]
    assert twin.step_draws == 0
    ends = []
    for action in range(twin.actions):
        found = twin.step(states, np.full(COUNT, action, "int32"), np.zeros((COUNT, 0)))
        assert [tensor.dtype.name for tensor in found] == ["float64", "float32", "bool"]
        theirs = []
        for state in states:
            made.state = state.copy()
            made.steps_beyond_terminated = None
            seen, reward, terminated, _, _ = made.step(action)
            theirs.append((np.array(made.state), reward, terminated, seen))
        after, reward, terminated, seen = map(np.array, zip(*theirs, strict=True))
        np.testing.assert_allclose(found[0], after, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(found[1], reward)
        np.testing.assert_array_equal(found[2], terminated)
        observed = np.array(twin.observe(found[0]))
        np.testing.assert_allclose(observed, seen, rtol=0, atol=1e-5)
        assert (observed.dtype, observed.shape[1:]) == (twin.dtype, twin.shape)
        ends.extend(terminated)
    assert 0.02 < np.mean(ends) < 0.98


def test_angles_of_the_acrobot_are_wrapped_and_speeds_clipped():
    """The states of the test before cover it: some leave -pi..pi within a step, and some would be too fast."""
    states = _states("Acrobot-v1")
    after, _, _ = envs.tensor("Acrobot-v1").step(states, np.zeros(COUNT, "int32"), np.zeros((COUNT, 0)))
    turned = np.abs(np.array(after)[:, :2] - states[:, :2]) > np.pi
    assert turned.any(axis=0).all()
    assert (np.abs(after[:, 2]) == 4 * np.pi).any()
    assert np.abs(after[:, :2]).max() <= np.pi


@pytest.mark.parametrize(
    ("env", "low", "high"),
    [
        ("CartPole-v1", [-0.05] * 4, [0.05] * 4),
        ("MountainCar-v0", [-0.6, 0], [-0.4, 0]),
        ("Acrobot-v1", [-0.1] * 4, [0.1] * 4),
    ],
)
def test_resets_fill_gymnasiums_ranges(env, low, high):
    twin, made = envs.tensor(env), envs.make(env).unwrapped
    np.testing.assert_allclose(twin.reset(np.zeros((1, twin.reset_draws)))[0], low, atol=1e-12)
    np.testing.assert_allclose(twin.reset(np.ones((1, twin.reset_draws)))[0], high, atol=1e-12)
    for seed in range(20):
        made.reset(seed=seed)
        assert (np.array(low) - 1e-7 <= made.state).all() and (made.state <= np.array(high) + 1e-7).all()
    assert twin.reset(np.zeros((3, twin.reset_draws), "float32")).dtype == "float32"
    assert twin.limit == envs.describe(env).limit


def _in_the_middle(probabilities):
    """A draw for each outcome, in the middle of its share; and those just beside its borders."""
    sums = np.concatenate([[0], np.cumsum(probabilities)])
    return (sums[:-1] + sums[1:]) / 2, sums[:-1] + 1e-9, sums[1:] - 1e-9


@pytest.mark.parametrize("env", TABLES)
def test_the_distribution_of_transitions_is_the_tables(env):
    made, twin = envs.make(env).unwrapped, envs.tensor(env)
    rows = []
    for state, actions in made.P.items():
        for action, outcomes in actions.items():
            happen = [outcome for outcome in outcomes if outcome[0] > 0]
            for draws in _in_the_middle([outcome[0] for outcome in happen]):
                for draw, (_, *outcome) in zip(draws, happen, strict=True):
                    rows.append((state, action, draw, *outcome))
    state, action, draws, after, reward, terminated = map(np.array, zip(*rows, strict=True))
    assert twin.actions == made.action_space.n
    found = twin.step(state.astype("int32"), action.astype("int32"), draws[:, None][:, : twin.step_draws])
    assert [tensor.dtype.name for tensor in found] == ["int32", "float32", "bool"]
    for tensor, expected in zip(found, (after, reward, terminated), strict=True):
        np.testing.assert_array_equal(tensor, expected.astype(tensor.dtype.name))
    assert twin.step_draws == (len(np.unique(draws.round(6))) > 3)
    seen = np.array(twin.observe(found[0]))
    np.testing.assert_array_equal(seen, after if twin.dtype == "int32" else made.features[after])
    assert (seen.dtype, seen.shape[1:]) == (twin.dtype, twin.shape)


@pytest.mark.parametrize("env", TABLES)
def test_starts_are_distributed_as_the_tables(env):
    made, twin = envs.make(env).unwrapped, envs.tensor(env)
    (starts,) = np.nonzero(made.initial_state_distrib)
    for draws in _in_the_middle(made.initial_state_distrib[starts]):
        found = np.array(twin.reset(draws[:, None][:, : twin.reset_draws]))
        np.testing.assert_array_equal(found, starts)
        assert found.dtype == twin.state_dtype == "int32"
    assert twin.reset_draws == (len(starts) > 1)


def test_rounding_makes_nothing_happen_that_cannot():
    """Ten tenths sum to less than the largest draw there is; what never happens comes last."""
    outcomes = [(0.1, state, 0.0, False) for state in range(10)] + [(0.0, 10, 0.0, True)]
    twin = Tabular("mine", 5, {state: {0: outcomes} for state in range(11)}, np.eye(11)[0])
    largest = 1 - 2.0**-53
    assert np.cumsum([0.1] * 10)[-1] <= largest
    assert int(twin.step(np.array([0]), np.array([0]), np.array([[largest]]))[0][0]) == 9
    certain = envs.tensor("FrozenLake-v1?success_rate=1.0")
    assert certain.step_draws == 0
    assert int(certain.step(np.array([14]), np.array([2]), np.zeros((1, 0)))[0][0]) == 15


def test_bandit():
    twin, made = envs.tensor("zoo/Bandit-v0?k=3"), envs.make("zoo/Bandit-v0?k=3").unwrapped
    assert np.array(twin.reset(np.zeros((2, 0)))).tolist() == [0, 0]
    for arm in range(3):
        draws = _uniform(4000, 2, seed=arm)
        state, reward, terminated = twin.step(np.zeros(4000, "int32"), np.full(4000, arm), draws)
        noise = np.array(reward) - made.means[arm]
        assert abs(noise.mean()) < 4 / np.sqrt(4000)
        assert noise.std() == pytest.approx(1, abs=0.05)
        assert (np.abs(noise) < 1).mean() == pytest.approx(0.6827, abs=0.03)
        assert not np.array(terminated).any() and not np.array(twin.observe(state)).any()
    worst = np.array([[0, 0], [1 - 2.0**-24, 0]], "float32")
    assert np.isfinite(twin.step(np.zeros(2, "int32"), np.zeros(2, "int32"), worst)[1]).all()


class _Heavier(CartPoleEnv):
    pass


def _punished():
    return gymnasium.wrappers.TransformReward(CartPoleEnv(), lambda reward: -reward)


@pytest.mark.parametrize("entry", [_Heavier, _punished])
def test_what_may_do_something_else_has_no_twin(entry, monkeypatch):
    monkeypatch.setitem(gymnasium.registry, "Other-v0", gymnasium.envs.registration.EnvSpec("Other-v0", entry))
    assert envs.make("Other-v0").reset(seed=0)[0].shape == (4,)
    assert envs.tensor("Other-v0") is None


def test_what_is_not_in_its_table_or_has_none_has_no_twin():
    assert envs.tensor("Taxi-v4?fickle_passenger=true") is None
    assert envs.tensor("FlappyBird-v0") is None


@pytest.mark.parametrize("env", ["CartPole-v1", "FrozenLake-v1"])
def test_a_whole_loop_is_one_compiled_call(env):
    """Steps, restarts and draws within one `tf.while_loop` under XLA, against the same steps one by one."""
    twin, n, steps = envs.tensor(env), 3, 12
    draws = _uniform(steps + 1, n, twin.step_draws + twin.reset_draws).astype("float32")
    actions = (_uniform(steps, n, seed=1) * twin.actions).astype("int32")

    def body(step, state, total, ends):
        state, reward, terminated = twin.step(state, actions_of(step), draws_of(step)[:, : twin.step_draws])
        fresh = twin.reset(draws_of(step)[:, twin.step_draws :])
        anew = keras.ops.reshape(terminated, (n,) + (1,) * len(twin.state_shape))
        ends = ends + keras.ops.cast(terminated, "int32")
        return step + 1, keras.ops.where(anew, fresh, state), total + reward, ends

    def start(draws):
        zeros = np.zeros(n, "float32"), np.zeros(n, "int32")
        return (0, twin.reset(draws[:, twin.step_draws :]), *zeros)

    def actions_of(step):
        return keras.ops.take(actions, step, axis=0)

    def draws_of(step):
        return keras.ops.take(draws, step, axis=0)

    @tf.function(jit_compile=True)
    def compiled():
        return tf.while_loop(lambda step, *_: step < steps, body, start(draws[steps]))

    one_by_one = start(draws[steps])
    for _ in range(steps):
        one_by_one = body(*one_by_one)
    found = compiled()
    for expected, tensor in zip(one_by_one, found, strict=True):
        np.testing.assert_allclose(tensor, expected, rtol=1e-4, atol=1e-5)
    assert int(found[0]) == steps
    if env == "FrozenLake-v1":
        assert int(keras.ops.sum(found[3])) > 0
