"""Environments by name: what they are made of, what is refused, and the small ones against their books."""

import os
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from zoo import ZooError, envs
from zoo.envs import off_screen, registration
from zoo.envs.names import parse

MINE = """
import gymnasium, numpy as np
from gymnasium import spaces

class Odd(gymnasium.Env):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 1}
    def __init__(self, counted=True, render_mode=None):
        self.render_mode = render_mode
        self.action_space = spaces.Discrete(2, start=3)
        box = spaces.Box(np.array(0), np.array(9), dtype=np.int64)
        self.observation_space = spaces.Discrete(4, start=5) if counted else box
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self._seen(5), {}
    def step(self, action):
        return self._seen(3 + action), 0.0, False, False, {}
    def _seen(self, number):
        counted = isinstance(self.observation_space, spaces.Discrete)
        return number if counted else np.array(number, np.int64)
    def render(self):
        raise gymnasium.error.DependencyNotInstalled("pencil is not installed")

gymnasium.register("Odd-v0", entry_point=Odd)
"""


@pytest.fixture
def mine(own_folder, monkeypatch):
    """A module of the user's in the present folder; what it registers is gone afterwards."""
    before = dict(gymnasium.registry)
    (own_folder / "odd_world.py").write_text(MINE)
    yield "odd_world:Odd-v0"
    sys.modules.pop("odd_world", None)
    gymnasium.registry.clear()
    gymnasium.registry.update(before)


def test_names_and_options():
    assert parse("CartPole-v1") == ("CartPole-v1", {})
    assert parse("a:B-v0?x=TRUE&y=-1&z=1e-3&word=8x8&none=nan") == (
        "a:B-v0",
        dict(x=True, y=-1, z=1e-3, word="8x8", none="nan"),
    )
    assert [type(value) for value in parse("A?x=1&y=1.0")[1].values()] == [int, float]


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (5, "the name of an environment, such as 'CartPole-v1'. Received: env=5"),
        ([], "the name of an environment"),
        ("", "id with options behind a question mark"),
        ("CartPole-v1?a", "id with options behind a question mark.*Received: env='CartPole-v1.a'"),
        ("CartPole-v1?a b=1", "id with options behind a question mark"),
        ("CartPole-v1?a=1&a=2", "given once"),
        ("CartPole-v1?render_mode=human", "an argument of make"),
        ("CartPole-v9", "no environment named 'CartPole-v9'. Did you mean 'CartPole-v1'"),
        ("frozenlake", "Did you mean 'FrozenLake"),
        ("zoo/Coridor-v0", "Did you mean 'zoo/Corridor-v0'"),
        ("what is this", "no environment named.*'module:ID'"),
        ("CartPole-v1?sutton_barto=true", "no option 'sutton_barto'. Did you mean 'sutton_barto_reward'"),
        ("FrozenLake-v1?map_name=9x9", "FrozenLake-v1.map_name=9x9 cannot be made: KeyError: '9x9'"),
        ("CartPole-v1?max_episode_steps=0", "max_episode_steps must be a whole number >= 1"),
        ("Pendulum-v1", "Discrete space. 'Pendulum-v1' has continuous actions: Box"),
        ("Blackjack-v1", "gives Tuple.*Flatten it: .*FlattenObservation"),
        ("ALE/Pong-v5?continuous=true", "continuous actions"),
        ("ALE/Pong-v5?mode=99", "cannot be made: RuntimeError: Invalid game mode"),
        ("no_such_module:Grid-v0", "module 'no_such_module' cannot be imported: ModuleNotFoundError"),
        ("zoo/Corridor-v0?length=0", "length must be a whole number"),
        ("zoo/RandomWalk-v0?states=4", "states must be an odd number"),
        ("zoo/RandomWalk-v0?left_reward=no", "left_reward must be a number"),
        ("zoo/RecyclingRobot-v0?alpha=2", "0 <= alpha <= 1"),
        ("zoo/RecyclingRobot-v0?r_wait=5", "r_search must be more than r_wait=5"),
        ("zoo/Bandit-v0?k=0", "k must be a whole number >= 1"),
    ],
)
def test_what_is_no_environment_is_refused(env, message):
    with pytest.raises(ZooError, match=message):
        envs.describe(env)


def test_ways_of_drawing_are_checked():
    with pytest.raises(ZooError, match="render_mode must be None or one of 'human', 'rgb_array' for CartPole-v1"):
        envs.make("CartPole-v1", "ansi")
    with pytest.raises(ZooError, match="count must be a whole number >= 1"):
        envs.make_vector("CartPole-v1", 0)


@pytest.mark.parametrize(("env", "package"), [("ALE/Pong-v5", "ale_py"), ("FlappyBird-v0", "flappy_bird_gymnasium")])
def test_a_package_that_is_not_installed_is_named_with_the_extra(env, package, monkeypatch):
    monkeypatch.delitem(gymnasium.registry, env, raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ZooError, match=rf"{env} needs the package {package}.*pip install keras-zoo\[rl\]"):
        envs.make(env)


@pytest.mark.parametrize("missing", ["cv2", "Box2D"])
def test_what_an_environment_itself_needs_is_named(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, "gymnasium.envs.box2d.lunar_lander", raising=False)
    env, message = {
        "cv2": ("ALE/Pong-v5", r"opencv.*pip install keras-zoo\[rl\]"),
        "Box2D": ("LunarLander-v3", r"needs a package that is not installed: Box2D"),
    }[missing]
    with pytest.raises(ZooError, match=message):
        envs.make(env)


KNOWN = {
    "CartPole-v1": (2, ("left", "right"), None, (4,), "float32", 500),
    "MountainCar-v0": (3, ("left", "none", "right"), None, (2,), "float32", 200),
    "Acrobot-v1?max_episode_steps=70": (3, ("-1", "0", "+1"), None, (6,), "float32", 70),
    "FrozenLake-v1?map_name=8x8": (4, ("left", "down", "right", "up"), 64, (), "int32", 100),
    "CliffWalking-v1": (4, ("up", "right", "down", "left"), 48, (), "int32", 1000),
    "Taxi-v4": (6, ("south", "north", "east", "west", "pickup", "dropoff"), 500, (), "int32", 200),
    "zoo/Corridor-v0": (2, ("left", "right"), 6, (), "int32", 100),
    "zoo/RandomWalk-v0?states=19": (2, ("left", "right"), 21, (), "int32", 1000),
    "zoo/Baird-v0": (2, ("dashed", "solid"), None, (8,), "float32", 1000),
    "zoo/RecyclingRobot-v0": (3, ("search", "wait", "recharge"), 2, (), "int32", 100),
    "zoo/Bandit-v0?k=3": (3, ("0", "1", "2"), 1, (), "int32", 1000),
    "FlappyBird-v0": (2, ("none", "flap"), None, (12,), "float32", 1000),
    "ALE/Pong-v5": (6, ("NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"), None, (84, 84, 4), "uint8", 27000),
}


@pytest.mark.parametrize("env", KNOWN)
def test_what_is_known_of_an_environment_and_what_it_gives(env):
    spec = envs.describe(env)
    assert spec is envs.describe(env)
    found = spec.actions, spec.action_names, spec.states, spec.shape, spec.dtype, spec.limit
    assert found == KNOWN[env]
    assert (spec.env, spec.id) == (env, env.partition("?")[0])
    made = envs.make(env)
    seen, _ = made.reset(seed=1)
    for step in range(5):
        assert made.observation_space.contains(seen)
        if spec.states is None:
            assert (seen.shape, seen.dtype) == (spec.shape, spec.dtype)
        else:
            assert 0 <= seen < spec.states
        seen = made.step(step % spec.actions)[0]
    made.close()


def test_bounds_are_finite_or_unknown():
    cart = envs.describe("CartPole-v1")
    assert cart.low == (-2.4, -3.0, -0.2095, -3.5)
    assert cart.high == (2.4, 3.0, 0.2095, 3.5)
    car = envs.describe("MountainCar-v0")
    np.testing.assert_allclose([car.low, car.high], [[-1.2, -0.07], [0.6, 0.07]], rtol=1e-6)
    assert envs.describe("FlappyBird-v0").low == (-1.0,) * 12
    assert envs.describe("FlappyBird-v0?normalize_obs=false").low is None
    for unknown in ("Taxi-v4", "ALE/Pong-v5"):
        assert envs.describe(unknown).low is envs.describe(unknown).high is None


def test_every_environment_ends_at_its_limit():
    cliff = envs.make("CliffWalking-v1")
    cliff.reset(seed=0)
    ends = [cliff.step(0)[2:4] for _ in range(1000)]
    assert ends == [(False, False)] * 999 + [(False, True)]


def test_vectors_reset_with_the_step_after_the_end():
    made = envs.make_vector("zoo/Corridor-v0?length=2", 3)
    assert made.metadata["autoreset_mode"] == gymnasium.vector.AutoresetMode.NEXT_STEP
    seen, _ = made.reset(seed=0)
    assert seen.tolist() == [0, 0, 0]
    right_right_left = np.array([1, 1, 0])
    made.step(right_right_left)
    seen, reward, terminated, _, _ = made.step(right_right_left)
    assert (seen.tolist(), reward.tolist(), terminated.tolist()) == ([2, 2, 0], [1, 1, 0], [True, True, False])
    seen, reward, terminated, _, _ = made.step(right_right_left)
    assert (seen.tolist(), reward.tolist(), terminated.any()) == ([0, 0, 0], [0, 0, 0], False)


def test_an_environment_of_ones_own_is_counted_from_0_and_given_in_float32(mine):
    spec = envs.describe(mine)
    assert (spec.actions, spec.states, spec.limit, spec.action_names, spec.id) == (2, 4, 1000, ("0", "1"), "Odd-v0")
    made = envs.make(mine)
    assert made.reset()[0] == 0
    assert [made.step(action)[0] for action in (0, 1)] == [1, 2]
    made = envs.make(f"{mine}?counted=false")
    seen = made.reset()[0]
    assert (seen.shape, seen.dtype, seen.tolist()) == ((1,), "float32", [5.0])
    assert made.observation_space.contains(seen)
    assert envs.describe(f"{mine}?counted=false").high == (9.0,)
    made = envs.make(mine, "rgb_array")
    made.reset()
    with pytest.raises(ZooError, match=r"Odd-v0 cannot be drawn: pencil is not installed.*keras-zoo\[rl\]"):
        made.render()


def test_a_module_that_fails_says_why(own_folder):
    (own_folder / "broken_world.py").write_text("1 / 0")
    with pytest.raises(ZooError, match="module 'broken_world' cannot be imported: ZeroDivisionError: division by zero"):
        envs.make("broken_world:Grid-v0")


QUIET = """
import sys
from zoo import envs
assert not {"tensorflow", "keras", "pygame"} & set(sys.modules)
for name in ("ALE/Pong-v5", "FlappyBird-v0"):
    envs.make(name).reset(seed=0)
made = envs.make("CartPole-v1", "rgb_array")
made.reset(seed=0)
assert made.render().shape == (400, 600, 3)
assert not {"tensorflow", "keras"} & set(sys.modules)
"""


def test_making_and_drawing_are_light_and_quiet():
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run([sys.executable, "-c", QUIET], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_drawing_looks_for_no_screen_and_leaves_the_settings_alone(monkeypatch):
    monkeypatch.delenv(off_screen.DRIVER, raising=False)
    with off_screen.no_window():
        assert os.environ[off_screen.DRIVER] == "dummy"
    assert off_screen.DRIVER not in os.environ
    monkeypatch.setenv(off_screen.DRIVER, "x11")
    with off_screen.no_window():
        assert os.environ[off_screen.DRIVER] == "x11"
    assert os.environ[off_screen.DRIVER] == "x11"


@pytest.mark.parametrize("env", [name for name, _, _ in registration.OWN])
def test_own_environments_pass_gymnasiums_check(env):
    check_env(envs.make(env).unwrapped)
    spec = gymnasium.spec(env)
    for mode in spec.make().metadata["render_modes"]:
        drawn = envs.make(env, mode)
        drawn.reset(seed=0)
        drawn.step(0)
        picture = drawn.render()
        assert isinstance(picture, str) if mode == "ansi" else (picture.dtype == np.uint8 and picture.shape[2] == 3)


@pytest.mark.parametrize("env", [name for name, _, _ in registration.OWN if "Bandit" not in name])
def test_steps_follow_the_table(env):
    made = envs.make(env).unwrapped
    seen = {}
    made.reset(seed=3)
    assert made.initial_state_distrib.sum() == pytest.approx(1)
    for _ in range(2000):
        state, action = made.s, int(made.np_random.integers(made.action_space.n))
        _, reward, terminated, _, _ = made.step(action)
        outcomes = seen.setdefault((state, action), {})
        outcomes[made.s, reward, terminated] = outcomes.get((made.s, reward, terminated), 0) + 1
        if terminated:
            made.reset()
    for (state, action), outcomes in seen.items():
        table = made.P[state][action]
        assert sum(outcome[0] for outcome in table) == pytest.approx(1)
        expected = {outcome[1:]: outcome[0] for outcome in table}
        assert set(outcomes) <= set(expected)
        count = sum(outcomes.values())
        for outcome, probability in expected.items():
            deviation = np.sqrt(probability * (1 - probability) / count)
            assert outcomes.get(outcome, 0) / count == pytest.approx(probability, abs=4.5 * deviation + 1e-9)


def test_corridor():
    corridor = envs.make("zoo/Corridor-v0", "ansi")
    corridor.reset()
    assert corridor.render() == "x----T"
    assert corridor.step(0)[:3] == (0, 0.0, False)
    walked = [corridor.step(1)[:3] for _ in range(5)]
    assert walked == [(1, 0.0, False), (2, 0.0, False), (3, 0.0, False), (4, 0.0, False), (5, 1.0, True)]
    assert corridor.render() == "-----x"
    assert envs.make("zoo/Corridor-v0?length=2").unwrapped.P[2][0] == [(1.0, 2, 0.0, True)]
    drawn = envs.make("zoo/Corridor-v0", "rgb_array")
    drawn.reset()
    here, there = drawn.render(), (drawn.step(1), drawn.render())[1]
    assert here.shape == (32, 192, 3)
    assert np.unique(np.argwhere((here != there).any(-1))[:, 1] // 32).tolist() == [0, 1]


@pytest.mark.parametrize(("states", "left"), [(5, 0), (19, -1)])
def test_values_of_the_random_walk_are_a_straight_line(states, left):
    """Examples 6.2 and 7.1: 1/6 ... 5/6, and -0.9 ... 0.9."""
    walk = envs.make(f"zoo/RandomWalk-v0?states={states}").unwrapped
    assert walk.initial_state_distrib.argmax() == (states + 1) / 2
    moves, pay = np.zeros((states + 2, states + 2)), np.zeros(states + 2)
    for state in range(1, states + 1):
        for action in (0, 1):
            ((probability, after, reward, terminated),) = walk.P[state][action]
            moves[state, after] += 0.5 * probability * (not terminated)
            pay[state] += 0.5 * probability * reward
    values = np.linalg.solve(np.eye(states + 2) - moves, pay)
    np.testing.assert_allclose(values[1:-1], np.linspace(left, 1, states + 2)[1:-1], atol=1e-12)


def test_baird_is_the_figure_of_the_book():
    star = envs.make("zoo/Baird-v0").unwrapped
    weights = np.arange(1.0, 9.0)
    np.testing.assert_array_equal(star.features @ weights, [2 * w + 8 for w in range(1, 7)] + [7 + 2 * 8])
    for state in range(7):
        assert [(p, s) for p, s, _, _ in star.P[state][0]] == [(1 / 6, s) for s in range(6)]
        assert star.P[state][1] == [(1.0, 6, 0.0, False)]
    seen, _ = star.reset(seed=0)
    seen[:] = 9
    assert star.features.max() == 2


def test_the_robot_is_the_table_of_the_book():
    robot = envs.make("zoo/RecyclingRobot-v0?alpha=0.7&beta=0.2&r_search=3&r_wait=1").unwrapped
    table = {
        (0, 0): [(0.7, 0, 3, False), (0.3, 1, 3, False)],
        (0, 1): [(1, 0, 1, False)],
        (0, 2): [(1, 0, 1, False)],
        (1, 0): [(0.2, 1, 3, False), (0.8, 0, -3, False)],
        (1, 1): [(1, 1, 1, False)],
        (1, 2): [(1, 0, 0, False)],
    }
    for (state, action), expected in table.items():
        np.testing.assert_allclose(np.array(robot.P[state][action], float), np.array(expected, float), atol=1e-12)


def test_bandit():
    bandit = envs.make("zoo/Bandit-v0?k=4&seed=5")
    means = np.random.default_rng(5).standard_normal(4)
    np.testing.assert_array_equal(bandit.unwrapped.means, means)
    bandit.reset(seed=0)
    for arm in range(4):
        steps = [bandit.step(arm) for _ in range(200)]
        rewards = np.array([step[1] for step in steps])
        assert rewards.mean() == pytest.approx(means[arm], abs=4 / np.sqrt(200))
        assert rewards.std() == pytest.approx(1, abs=0.2)
        assert {step[4]["best"] for step in steps} == {bool(arm == means.argmax())}


def test_atari_is_seen_as_the_paper_says():
    stacked, single = envs.make("ALE/Pong-v5"), envs.make_single("ALE/Pong-v5")
    assert (single.observation_space.shape, single.observation_space.dtype) == ((84, 84, 1), np.uint8)
    pictures = [single.reset(seed=7)[0]] * 4
    seen, info = stacked.reset(seed=7)
    assert 1 <= info["episode_frame_number"] <= 30
    np.testing.assert_array_equal(seen, np.concatenate(pictures, -1))
    for action in (2, 2, 3, 3, 3, 1):
        before = info["episode_frame_number"]
        seen, _, _, _, info = stacked.step(action)
        assert info["episode_frame_number"] - before == 4
        pictures = [*pictures[1:], single.step(action)[0]]
        np.testing.assert_array_equal(seen, np.concatenate(pictures, -1))
    assert len(np.unique(seen)) > 3
    assert (seen[..., 0] != seen[..., 3]).any()
    memory = envs.describe("ALE/Pong-v5?obs_type=ram")
    assert (memory.shape, memory.dtype, memory.limit) == ((128,), "uint8", 27000)
    still = envs.make("PongNoFrameskip-v4")
    assert still.unwrapped.ale.getFloat("repeat_action_probability") == 0
    assert still.observation_space.shape == (84, 84, 4)


def test_make_single_changes_nothing_but_atari():
    assert envs.make_single("CartPole-v1").observation_space == envs.make("CartPole-v1").observation_space
