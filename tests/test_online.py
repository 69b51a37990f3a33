"""Learning from each step: every rule against the textbook's update, computed by hand along what happened."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from callbacks import Schedule, linear
from zoo import checkpoint, envs, state, true_values
from zoo.data.experience import of
from zoo.envs.tabular import Tabular
from zoo.online import Online
from zoo.online_gymnasium import Played

ALPHA, GAMMA = 0.5, 0.9


class Told:
    """An environment that tells what happened in it, while steps run one by one."""

    def __init__(self, inner):
        self.inner, self.happened = inner, []

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def step(self, state, action, draws):
        after, reward, terminated, *cut = self.inner.step(state, action, draws)
        seen, ahead = (np.array(self.inner.observe(each))[0] for each in (state, after))
        self.happened.append((seen, int(action[0]), float(reward[0]), ahead, bool(terminated[0])))
        return after, reward, terminated, *cut


def agent(model, env, steps=None, episodes=None, twin=None, rate=ALPHA, engine="auto", **compiled):
    """A model and a world in which it has lived one step of Keras; what happened is in `world.twin.happened`."""
    model.compile(keras.optimizers.SGD(rate), gamma=compiled.pop("gamma", GAMMA), run_eagerly=True, **compiled)
    world = Online(env, steps=steps, episodes=episodes, seed=3, engine=engine)
    world.twin = Told(twin or world.twin)
    live(model, world)
    return world


def live(model, world, step=0):
    world.set_model(model)
    world.on_train_begin()
    world.on_epoch_begin(0)
    return {name: float(value) for name, value in model.train_step((tf.constant(0), tf.constant(step))).items()}


def row(*rewards):
    """A world of states in a row: each action leads on, and pays what it says; the last ends."""
    table = {s: {a: [(1.0, s + 1, r, s + 1 == len(rewards))] for a in (0, 1)} for s, r in enumerate(rewards)}
    table[len(rewards)] = {a: [(1.0, len(rewards), 0.0, True)] for a in (0, 1)}
    return Tabular("zoo/RandomWalk-v0", 100, table, np.eye(len(rewards) + 1)[0])


def values_of(model):
    return model.network.get_weights()[0].astype("float64")


def table_for(env, actions=None, initial=0.0):
    spec = envs.describe(env)
    return zoo.build("q_table", states=spec.states, actions=actions or spec.actions, initial=initial)


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        # Rewards 1, 2, 4 from values 0. TD(0): each value goes half way to its reward.
        (0.0, [0.5, 1.0, 2.0]),
        # TD(1/2): z = (1, 0, 0), (.45, 1, 0), (.2025, .45, 1) times the differences 1, 2, 4, and half of it.
        (0.5, [0.5 + 0.45 + 0.405, 1.0 + 0.9, 2.0]),
    ],
)
def test_three_steps_of_td_by_hand(trace, expected):
    model = zoo.build("q_table", states=7, actions=1)
    agent(model, "zoo/RandomWalk-v0", episodes=1, twin=row(1.0, 2.0, 4.0), rule="evaluation", trace=trace)
    np.testing.assert_allclose(values_of(model)[:3, 0], expected, rtol=1e-6)


def test_monte_carlo_by_hand():
    model = zoo.build("q_table", states=7, actions=1)
    options = dict(rule="evaluation", trace=1.0, update="episode")
    agent(model, "zoo/RandomWalk-v0", episodes=1, twin=row(1.0, 2.0, 4.0), **options)
    returns = [1 + 0.9 * (2 + 0.9 * 4), 2 + 0.9 * 4, 4]
    np.testing.assert_allclose(values_of(model)[:3, 0], 0.5 * np.array(returns), rtol=1e-6)


def forward_view(happened, values, lam, rate, ratios=None):
    """What an episode makes of a table of state values: each goes towards its lambda-return.

    Sutton, Barto 2018, equation 12.2 written as a recursion; off-policy with the control variate of equation 12.22.
    """
    values, change, mixed = values[:, 0], np.zeros(len(values)), None
    for t, (seen, _, reward, after, ended) in reversed(list(enumerate(happened))):
        worth = 0.0 if ended else values[after]
        mixed = worth if mixed is None else (1 - lam) * worth + lam * mixed
        error = (1.0 if ratios is None else ratios[t]) * (reward + GAMMA * mixed - values[seen])
        mixed = values[seen] + error
        change[seen] += rate * error
    return (values + change)[:, None]


def episodes_of(happened):
    found = [[]]
    for each in happened:
        found[-1].append(each)
        if each[-1]:
            found.append([])
    return [episode for episode in found if episode]


@pytest.mark.parametrize("lam", [0.0, 0.6, 1.0])
def test_traces_until_the_end_of_the_episode_are_the_forward_view(lam):
    model = table_for("zoo/RandomWalk-v0", actions=1, initial=0.5)
    before = values_of(model)
    options = dict(rule="evaluation", trace=lam, update="episode", rate=0.1)
    world = agent(model, "zoo/RandomWalk-v0", episodes=3, **options)
    for episode in episodes_of(world.twin.happened):
        before = forward_view(episode, before, lam, 0.1)
    np.testing.assert_allclose(values_of(model), before, atol=1e-6)


@pytest.mark.parametrize("lam", [0.0, 0.7, 1.0])
def test_importance_sampling_is_the_forward_view_with_control_variates(lam):
    model = table_for("zoo/RandomWalk-v0", actions=1, initial=0.5)
    before, behaviour, followed = values_of(model), np.array([0.5, 0.5]), np.array([0.2, 0.8])
    options = dict(rule="evaluation", trace=lam, update="episode", rate=0.1, followed=followed.tolist())
    world = agent(model, "zoo/RandomWalk-v0", episodes=3, **options)
    for episode in episodes_of(world.twin.happened):
        ratios = [(followed / behaviour)[action] for _, action, *_ in episode]
        before = forward_view(episode, before, lam, 0.1, ratios)
    np.testing.assert_allclose(values_of(model), before, atol=1e-6)


def textbook(happened, last, values, rule, lam, epsilon, replacing):
    """The algorithms of control of Sutton and Barto on a table, along what happened; `last` is the action after it."""
    values, traces = values.copy(), np.zeros_like(values)
    choices = [action for _, action, *_ in happened[1:]] + [last]
    for (seen, action, reward, after, ended), chosen in zip(happened, choices, strict=True):
        shares = np.full(values.shape[1], epsilon / values.shape[1])
        shares[values[after].argmax()] += 1 - epsilon
        best = values[after].max()
        worth = {"q_learning": best, "sarsa": values[after, chosen], "expected_sarsa": shares @ values[after]}[rule]
        error = reward + GAMMA * (0.0 if ended else worth) - values[seen, action]
        cut = rule == "q_learning" and values[seen, action] < values[seen].max()
        traces *= 0.0 if cut else GAMMA * lam
        traces[seen, action] = 1.0 if replacing else traces[seen, action] + 1
        values += ALPHA * error * traces
        traces *= not ended
    return values


@pytest.mark.parametrize(
    ("rule", "lam", "traces"),
    [
        ("sarsa", 0.0, "accumulating"),
        ("sarsa", 0.8, "accumulating"),
        ("sarsa", 0.8, "replacing"),
        ("q_learning", 0.0, "accumulating"),
        ("q_learning", 0.8, "accumulating"),
        ("expected_sarsa", 0.0, "accumulating"),
        ("expected_sarsa", 0.8, "accumulating"),
    ],
)
def test_control_is_the_textbook_along_what_happened(rule, lam, traces):
    env = "CliffWalking-v1"
    model = table_for(env)
    model.network.layers[-1].kernel.assign(np.random.default_rng(1).normal(size=(48, 4)))
    before = values_of(model)
    world = agent(model, env, steps=40, rule=rule, trace=lam, traces=traces, epsilon=0.5)
    happened, last = world.twin.happened, int(world.held["action"].numpy()[0])
    assert len({action for _, action, *_ in happened}) == 4
    expected = textbook(happened, last, before, rule, lam, 0.5, traces == "replacing")
    np.testing.assert_allclose(values_of(model), expected, atol=1e-4)


def test_watkins_traces_end_where_an_action_was_not_the_best():
    table = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    found = {}
    for second in (0, 1):
        happened = [(0, 1, 0.0, 1, False), (1, second, 0.0, 2, False), (2, 1, 8.0, 0, True)]
        found[second] = textbook(happened, 0, table, "q_learning", 1.0, 0.1, False)[0, 1]
    # After an exploring step, the first state hears nothing of the 8.
    assert found[0] == pytest.approx(0.5 + 0.5 * 0.9) and found[1] > 3


@pytest.mark.parametrize(
    ("name", "options"), [("dqn", dict(hidden=(3,), activation="tanh")), ("q_linear", dict(features="rbf", centres=2))]
)
def test_a_networks_step_is_the_difference_times_its_gradient(name, options):
    model = zoo.build_for(name, "MountainCar-v0", **options)
    random = np.random.default_rng(0)
    for weight in model.network.trainable_variables:
        weight.assign(random.normal(size=weight.shape))
    before = model.network.get_weights()
    world = agent(model, "MountainCar-v0", steps=1, rule="q_learning", trace=0.5, epsilon=1.0)
    moved = [after - old for after, old in zip(model.network.get_weights(), before, strict=True)]
    ((seen, action, reward, after, _),) = world.twin.happened

    def value(weights, where):
        model.network.set_weights(weights)
        return np.array(model.network(where[None]), "float64")[0]

    error = reward + GAMMA * value(before, after).max() - value(before, seen)[action]
    for index, weight in enumerate(before):
        for place in np.ndindex(weight.shape):
            sides = []
            for distance in (1e-2, -1e-2):
                nudged = [each.copy() for each in before]
                nudged[index][place] += distance
                sides.append(value(nudged, seen)[action])
            slope = (sides[0] - sides[1]) / 2e-2
            assert moved[index][place] == pytest.approx(ALPHA * error * slope, abs=2e-3)


def test_a_time_limit_is_no_end():
    env = "zoo/Corridor-v0?max_episode_steps=2"
    model = table_for(env, initial=1.0)
    world = agent(model, env, steps=4, rule="q_learning", trace=1.0, epsilon=0.0)
    assert not any(ended for *_, ended in world.twin.happened)
    assert [seen for seen, *_ in world.twin.happened][2] == 0
    # Each step is worth .9 of the 1 ahead, at the limit too; traces do not reach over it.
    expected = textbook(world.twin.happened[:2], 0, np.ones((6, 2)), "q_learning", 1.0, 0.0, False)
    expected = textbook(world.twin.happened[2:], 0, expected, "q_learning", 1.0, 0.0, False)
    np.testing.assert_allclose(values_of(model), expected, atol=1e-6)


def test_off_policy_td_diverges_on_bairds_star_and_on_policy_does_not():
    weights = []
    for followed in ([0.0, 1.0], None):
        model = zoo.build_for("q_linear", "zoo/Baird-v0", actions=1, features="identity")
        model.network.set_weights([np.array([1, 1, 1, 1, 1, 1, 10, 1.0]).reshape(model.network.weights[0].shape)])
        policies = dict(behaviour=[6 / 7, 1 / 7], followed=followed)
        model.compile(keras.optimizers.SGD(0.01), gamma=0.99, rule="evaluation", trace=0.0, **policies)
        world = Online("zoo/Baird-v0", steps=1000, seed=0)
        data = of("zoo/Baird-v0", 2, 1, world).train
        model.fit(data.open(), steps_per_epoch=2, callbacks=[world], verbose=0, shuffle=False)
        weights.append(np.abs(model.network.get_weights()[0]).max())
    # Figure 11.2: after 1000 steps several hundred; here after 2000.
    assert weights[0] > 200 > 15 > weights[1]


def fitted(seed=5, epochs=1, first=0, engine="auto", jit_compile=False, epsilon=0.3, callbacks=()):
    """A table that lived four steps of Keras an epoch, its world, and the history."""
    env, steps = "CliffWalking-v1?max_episode_steps=20", 4
    model = table_for(env)
    model.network.layers[-1].kernel.assign(np.random.default_rng(1).normal(size=(48, 4)))
    options = dict(rule="sarsa", trace=0.5, epsilon=epsilon, jit_compile=jit_compile)
    model.compile(keras.optimizers.SGD(0.25), **options)
    world = Online(env, steps=60, seed=seed, engine=engine)
    called = [world, Schedule("learning_rate", linear(0.25, 0.0), epochs=2), *(make(world) for make in callbacks)]
    rounds = of(env, steps, 1, world, seed=0).train.open(epoch=first)
    common = dict(steps_per_epoch=steps, verbose=0, shuffle=False, epochs=epochs, initial_epoch=first)
    return model, world, model.fit(rounds, callbacks=called, **common).history


def test_compiled_or_not_the_same_is_learned():
    # Of what is best: chance has other numbers where XLA compiles.
    plain, compiled = (fitted(epsilon=0.0, jit_compile=jit)[0] for jit in (False, True))
    np.testing.assert_allclose(values_of(plain), values_of(compiled), atol=1e-4)


def test_seeds_matter_and_schedules_count_steps_of_keras():
    (one, world, history), (same, *_), (other, *_) = fitted(), fitted(), fitted(seed=6)
    assert np.array_equal(values_of(one), values_of(same))
    assert np.abs(values_of(one) - values_of(other)).max() > 1e-3
    # Half of a line from .25 to 0 is over, at its fourth of eight steps; the last value set is the third's.
    assert history["learning_rate"] == [pytest.approx(0.25 * 5 / 8)]
    assert int(one.optimizer.iterations.numpy()) == 4 and int(world.updates.numpy()) == 240
    assert history["episodes"] == [12.0] and history["train_return"][0] <= -20
    assert {"loss", "td_error", "gradient_norm", "q", "action_gap"} <= set(history)


def test_a_run_that_was_stopped_between_two_epochs_goes_on_as_if_not(tmp_path):
    class Save(keras.callbacks.Callback):
        def __init__(self, world):
            super().__init__()
            self.world = world

        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                checkpoint.save(tmp_path, 1, state.collect(self.model, [self.world]))

    class Restore(Save):
        def on_train_begin(self, logs=None):
            state.restore(self.model, [self.world], checkpoint.newest(tmp_path))

        def on_epoch_end(self, epoch, logs=None):
            pass

    whole, world, _ = fitted(epochs=2, callbacks=[Save])
    again, second, _ = fitted(epochs=2, first=1, callbacks=[Restore])
    assert np.array_equal(values_of(whole), values_of(again))
    assert second.get_state() == world.get_state() == {"updates": 480, "finished": 24}


def test_gymnasiums_own_environment_learns_by_the_same_loop():
    model, world, history = fitted(engine="gymnasium", jit_compile=True)
    assert isinstance(world.twin, Played) and np.isfinite(history["loss"]).all()
    assert model.jit_compile is True and history["episodes"] == [12.0]
    env = "CliffWalking-v1"
    model = table_for(env)
    world = agent(model, env, steps=30, rule="q_learning", trace=0.8, epsilon=0.5, engine="gymnasium")
    happened, last = world.twin.happened, int(world.held["action"].numpy()[0])
    expected = textbook(happened, last, np.zeros((48, 4)), "q_learning", 0.8, 0.5, False)
    np.testing.assert_allclose(values_of(model), expected, atol=1e-4)


def test_an_environment_that_raises_is_said_without_a_traceback(monkeypatch):
    model = table_for("FrozenLake-v1")
    model.compile(keras.optimizers.SGD(0.1), trace=0.0)
    world = Online("FrozenLake-v1", steps=5, engine="gymnasium")
    made = envs.make("FrozenLake-v1")
    monkeypatch.setattr(made, "step", lambda action: 1 / 0)
    monkeypatch.setattr(envs, "make", lambda env: made)
    data = of("FrozenLake-v1", 1, 1, world).train
    opened = data.open()
    with pytest.raises(zoo.ZooError, match="FrozenLake-v1 raised ZeroDivisionError"):
        model.fit(opened, steps_per_epoch=1, callbacks=[world], verbose=0, shuffle=False)


def test_actions_are_counted():
    model = table_for("FrozenLake-v1")
    world = agent(model, "FrozenLake-v1", steps=30, rule="q_learning", trace=0.0, epsilon=1.0)
    told = np.bincount([action for _, action, *_ in world.twin.happened], minlength=4)
    assert world.taken.tolist() == told.tolist()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (dict(episodes=1, steps=1), "one of episodes and steps"),
        (dict(), "one of episodes and steps"),
        (dict(steps=0), "steps must be a whole number >= 1"),
        (dict(steps=1, engine="fast"), "engine must be one of"),
    ],
)
def test_what_a_world_is_not(options, said):
    with pytest.raises(zoo.ZooError, match=said):
        Online("FrozenLake-v1", **options)


@pytest.mark.parametrize(
    ("compiled", "said"),
    [
        (dict(trace=None), "compile the model with trace"),
        (dict(behaviour=[0.5, 0.6]), "behaviour must be probabilities that sum to 1"),
        (dict(behaviour=[[0.5, 0.5], [1.0]]), "behaviour must be probabilities"),
        (dict(behaviour=[1.0, 0.0], followed=[0.5, 0.5]), "above 0 wherever followed is"),
        (dict(followed=[0.5, 0.25, 0.25]), r"of shape \(2,\) or \(7, 2\)"),
    ],
)
def test_what_cannot_be_learned_online(compiled, said):
    evaluates = "trace" not in compiled
    model = table_for("zoo/RandomWalk-v0", actions=1 if evaluates else 2)
    model.compile("sgd", **({"rule": "evaluation", "trace": 0.0} if evaluates else {}), **compiled)
    world = Online("zoo/RandomWalk-v0", steps=1)
    world.set_model(model)
    with pytest.raises(zoo.ZooError, match=said):
        world.on_train_begin()


def test_a_policy_for_each_state():
    model = table_for("zoo/Corridor-v0", actions=1)
    right = np.tile([0.0, 1.0], (6, 1)).tolist()
    world = agent(model, "zoo/Corridor-v0", episodes=2, rule="evaluation", trace=0.0, behaviour=right)
    assert [seen for seen, *_ in world.twin.happened] == [0, 1, 2, 3, 4] * 2


def test_state_values_are_what_evaluation_is_judged_by():
    stream = true_values.StateValues("zoo/RandomWalk-v0", [0.5, 0.5], 1.0)
    np.testing.assert_allclose(stream.truth, np.arange(1, 6) / 6, rtol=1e-6)
    model = table_for("zoo/RandomWalk-v0", actions=1, initial=0.5)
    model.compile("sgd", "squared", rule="evaluation", trace=0.0)
    scores = model.evaluate(stream.once(), return_dict=True, verbose=0)
    assert scores["loss"] == pytest.approx(0.5 * np.mean((stream.truth - 0.5) ** 2), rel=1e-5)
    with pytest.raises(zoo.ZooError, match="not finite"):
        true_values.of_policy("zoo/RecyclingRobot-v0", [1.0, 0.0, 0.0], 1.0)
    with pytest.raises(zoo.ZooError, match="no table"):
        true_values.optimal("CartPole-v1", 0.9)
