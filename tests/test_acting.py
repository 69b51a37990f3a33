"""Acting, inside the graph and outside: what is remembered, resumed, judged and refused."""

import copy

import gymnasium
import keras
import numpy as np
import pytest

import zoo
from callbacks import Schedule, linear
from zoo import state
from zoo.acting import Acting
from zoo.data.experience import Episodes, states
from zoo.errors import ZooError
from zoo.in_graph import InGraph
from zoo.playing import play


class Breaking(gymnasium.Env):
    """Counts to `breaks`, and then raises."""

    observation_space = gymnasium.spaces.Box(-1, 1, (2,), "float32")
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, breaks=50):
        self.left = breaks

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        return self.np_random.random(2, "float32"), {}

    def step(self, action):
        self.left -= 1
        if not self.left:
            raise RuntimeError("the rope tore")
        return self.np_random.random(2, "float32"), float(action), False, False, {}


gymnasium.register("zoo-test/Breaking-v0", entry_point=Breaking, max_episode_steps=20)


def agent(**options):
    keras.utils.set_random_seed(0)
    model = zoo.build("dqn", observation_shape=(4,), actions=2, hidden=(8,))
    model.compile(keras.optimizers.Adam(0.01), **dict(gamma=0.9, target_every=3, jit_compile=True) | options)
    return model


def experience(engine, **options):
    options = dict(steps=3, rounds=4, train_every=4, count=2, warmup=60, memory=300, gamma=0.9, seed=0) | options
    return zoo.data.experience("CartPole-v1", batch_size=8, engine=engine, episodes=2, **options)


def fitted(model, data, epochs=2, first=0, more=()):
    stream = data.train
    return model.fit(
        stream.open(first),
        epochs=epochs,
        initial_epoch=first,
        steps_per_epoch=stream.steps,
        shuffle=False,
        verbose=0,
        validation_data=data.validation.once(),
        callbacks=[stream.acting, *more],
    )


class Kept(keras.callbacks.Callback):
    """Collects the state at the end of an epoch, or puts one back at the start."""

    def __init__(self, holders, restored=None):
        super().__init__()
        self.holders, self.restored, self.states = holders, restored, []

    def on_train_begin(self, logs=None):
        if self.restored:
            state.restore(self.model, self.holders, self.restored)

    def on_epoch_end(self, epoch, logs=None):
        self.states.append(copy.deepcopy(state.collect(self.model, self.holders)))  # the memory's own arrays


@pytest.mark.parametrize("engine, options", [("tensor", {}), ("gymnasium", dict(n_step=2, priority=0.6))])
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(engine, options):
    whole, data = agent(), experience(engine, **options)
    kept = Kept([data.train.acting])
    history = fitted(whole, data, epochs=2, more=[Schedule("epsilon", linear(1.0, 0.1)), kept])
    assert {"loss", "td_error", "gradient_norm", "q", "action_gap", "failures", "train_return"} <= set(history.history)
    assert {"episodes", "val_return", "val_length", "epsilon"} <= set(history.history)

    model, data = agent(), experience(engine, **options)
    again = Kept([data.train.acting], kept.states[0])
    fitted(model, data, epochs=2, first=1, more=[Schedule("epsilon", linear(1.0, 0.1)), again])
    for one, two in zip(kept.states[1]["variables"], again.states[0]["variables"], strict=True):
        np.testing.assert_array_equal(one, two)
    if engine == "gymnasium":
        one, two = (each[0][1]["replay"]["held"] for each in (kept.states[1]["holders"], again.states[0]["holders"]))
        for name in one:
            np.testing.assert_array_equal(one[name], two[name])


def test_what_is_remembered_in_the_graph_is_what_gymnasium_does():
    model, data = agent(), experience("tensor", n_step=2, memory=200)
    fitted(model, data, epochs=1)
    acting = data.train.acting
    random = np.random.default_rng(0).random((2, 8)).astype("float32")
    acting.batch_size = 8
    drawn = acting._drawn({name: each.value for name, each in acting.held.items()}, random)
    drawn = {name: np.array(value) for name, value in drawn.items()}
    real = gymnasium.make("CartPole-v1").unwrapped
    held = {name: np.array(each) for name, each in acting.held.items()}
    for index in range(8):
        if not drawn["weight"][index]:
            continue
        seen, total, factor, over = drawn["observation"][index], 0.0, 1.0, False
        [[row, column]] = np.argwhere((held["observation"] == seen).all(-1))
        for _ in range(2):
            real.reset()
            real.state, real.steps_beyond_terminated = seen.astype("float64"), None
            seen, reward, over, _, _ = real.step(int(held["action"][row, column]))
            total, factor, row = total + factor * reward, factor * 0.9, (row + 1) % len(held["void"])
            if over or held["void"][row, column]:
                break
        np.testing.assert_allclose(drawn["next"][index], seen, atol=1e-5)
        assert drawn["reward"][index] == pytest.approx(total)
        assert drawn["discount"][index] == pytest.approx(0 if over else factor)


def test_it_learns_what_the_pole_needs():
    """A learnable toy, within seconds."""
    model = agent(gamma=0.99, target_every=100, epsilon=0.1)
    options = dict(steps=12, rounds=500, train_every=1, count=1, warmup=500, memory=10_000, gamma=0.99)
    data = zoo.data.experience("CartPole-v1", engine="tensor", seed=0, **options)
    history = fitted(model, data, epochs=1)
    assert history.history["train_return"][0] > 40  # chance holds it for 22 steps
    assert history.history["val_return"][0] > 60


def test_episodes_are_the_same_each_time():
    model = agent()
    one, two = (model.evaluate(Episodes("CartPole-v1", range(4)).once()) for _ in range(2))
    assert one == two
    played = play(model, "CartPole-v1", [3, 4])
    assert [episode.total for episode in play(model, "CartPole-v1", [4])] == [played[1].total]
    assert len(played[0].observations) == played[0].length + 1 and not played[0].frames


def test_states_stay_the_same():
    np.testing.assert_array_equal(states("CartPole-v1"), states.__wrapped__("CartPole-v1"))
    assert states("FrozenLake-v1").shape == (64,) and len(set(states("FrozenLake-v1").tolist())) > 4


def test_an_environment_that_raises_is_named():
    keras.utils.set_random_seed(0)
    model = zoo.build("dqn", observation_shape=(2,), actions=2, hidden=(4,))
    model.compile(gamma=0.9, run_eagerly=True)
    data = zoo.data.experience("zoo-test/Breaking-v0", 2, 4, warmup=20, gamma=0.9, rounds=40, seed=0)
    with pytest.raises(ZooError, match="Breaking-v0 raised RuntimeError.*the rope tore"):
        fitted(model, data, epochs=1)


def test_bad_settings_are_refused():
    with pytest.raises(ZooError, match="no twin.*engine='gymnasium'"):
        zoo.data.experience("zoo-test/Breaking-v0", engine="tensor")
    with pytest.raises(ZooError, match="multiple of the 3"):
        experience("gymnasium", count=3, rounds=1)
    with pytest.raises(ZooError, match="priority.*tensor"):
        experience("tensor", priority=0.5)
    with pytest.raises(ZooError, match="gamma"):
        fitted(agent(gamma=0.5), experience("tensor"))
    with pytest.raises(ZooError, match="shape \\(4,\\).*FrozenLake"):
        play(agent(), "FrozenLake-v1", [0])
    with pytest.raises(ZooError, match="warmup"):
        Acting("CartPole-v1", warmup=0)
    with pytest.raises(ZooError, match="memory"):
        InGraph("CartPole-v1", memory=1)


def test_frames_that_are_kept_once_give_the_stacks_that_were_seen(monkeypatch):
    acting = Acting("ALE/Pong-v5?max_episode_steps=7", count=2, train_every=2, warmup=40, memory=400, clip_rewards=True)
    seen, newest = [], Acting._newest

    def noted(self, frames):
        seen.append(frames.copy())
        return newest(self, frames)

    monkeypatch.setattr(Acting, "_newest", noted)
    acting._warm_up()
    acting._close()
    assert acting.replay.held["observation"].shape[2:] == (84, 84, 1) and acting.replay.held["void"].sum() > 2
    for row, frames in enumerate(seen):
        for column in range(2):
            stack = acting.replay._seen(np.array(row), np.array(column))
            np.testing.assert_array_equal(stack, frames[column])


def test_prioritised_replay_is_told_the_errors_of_its_batches():
    model, data = agent(), experience("gymnasium", priority=1.0, steps=1)
    fitted(model, data, epochs=1, more=[Schedule("world.beta", linear(0.4, 1.0))])
    acting = data.train.acting
    rows, columns = acting._place
    errors = np.array(acting.errors)
    held = acting.replay.held["priority"][rows[-1, -1], columns[-1, -1]]
    assert errors.shape == (4, 8) and (errors > 0).mean() > 0.9 and held == pytest.approx(errors[-1, -1] + 1e-6)
    assert float(acting.beta.numpy()) == pytest.approx(0.4)  # before the first of one steps
