"""The pictures of agents: maps and arrows of grid worlds, planes of values, an episode, and the seeds of a study."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from matplotlib.colors import to_hex

import zoo
from zoo import envs, runs
from zoo.data.experience import Episodes
from zoo.pictures import agents, grid_maps, grid_worlds, seed_bands, value_surface
from zoo.playing import Episode

LAKE = "FrozenLake-v1?is_slippery=false"
MOVES = ("left", "down", "right", "up")


def test_the_lake_s_map():
    (found,) = grid_maps.maps(LAKE)
    assert ["".join(letter or "." for letter in row) for row in found.letters] == ["S...", ".H.H", "...H", "H..G"]
    assert found.states.tolist() == np.arange(16).reshape(4, 4).tolist()
    assert found.states[found.ends].tolist() == [5, 7, 11, 12, 15]
    assert found.walls == ()


def test_the_cliff_s_map():
    (found,) = grid_maps.maps("CliffWalking-v1")
    assert ["".join(letter or "." for letter in row) for row in found.letters] == ["." * 12] * 3 + ["SCCCCCCCCCCG"]
    assert found.ends.sum() == 11 and not found.ends[3, 0]


def test_the_taxi_s_maps_are_told_by_its_own_code():
    found = grid_maps.maps("Taxi-v4")
    inner = envs.make("Taxi-v4").unwrapped
    assert [each.title for each in found][:2] == ["waits at R, to G", "waits at G, to Y"]
    assert [each.title for each in found][4:] == [f"aboard, to {place}" for place in "RGYB"]
    for number, each in enumerate(found):
        told = [(state, *inner.decode(state)) for state in each.states.ravel()]
        assert [place[1:3] for place in told] == [(row, column) for row in range(5) for column in range(5)]
        assert {place[3] for place in told} == {min(number, 4)}
        assert {place[4] for place in told} == {(number + 1) % 4 if number < 4 else number - 4}
        assert not each.ends.any()
    # A wall is where going east changes nothing, and the map does not end.
    east = {(state // 100, state // 20 % 5) for state in range(500) if inner.P[state][2][0][1] == state}
    assert set(found[0].walls) == {place for place in east if place[1] < 4}


def test_rows_and_what_has_no_map():
    (found,) = grid_maps.maps("zoo/RandomWalk-v0")
    assert found.states.tolist() == [list(range(7))] and found.ends.tolist() == [[True, *[False] * 5, True]]
    assert grid_maps.maps("zoo/Corridor-v0?length=50") == []  # too wide
    assert grid_maps.maps("zoo/RecyclingRobot-v0") == grid_maps.maps("CartPole-v1") == []


def _drawn(axis):
    """What stands in the cells of a map: by cell, the steps of its arrows, its dot, and its words."""
    found = {}
    for text in axis.texts:
        if getattr(text, "arrow_patch", None) is None:
            x, y = text.get_position()
            found.setdefault((int(y), int(x)), []).append(text.get_text())
        else:
            (x, y), (to_x, to_y) = text.xyann, text.xy
            step = tuple(int(value) for value in np.sign(np.round([to_x - x, to_y - y], 6)))
            found.setdefault((int(y), int(x)), []).append(step)
    for line in axis.lines:
        (x,), (y,) = line.get_xdata(), line.get_ydata()
        found.setdefault((int(y), int(x)), []).append("dot")
    return {cell: [each for each in what if each] for cell, what in found.items()}


def test_arrows_are_the_best_actions():
    values = np.zeros((16, 4))
    values[1, 2] = 1.0
    values[2, [0, 3]] = 2.0
    values[4] = [0, 3.0, 0, 3.0 - 1e-9]
    values[6, 1] = -1.0
    found = _drawn(grid_worlds.page(grid_maps.maps(LAKE), values, MOVES, "t").axes[0])
    assert found[0, 0] == ["dot", "S"] or found[0, 0] == ["S", "dot"]
    assert found[0, 1] == [(1, 0)]
    assert found[0, 2] == [(-1, 0), (0, -1)]
    assert found[1, 0] == [(0, 1), (0, -1)]
    assert found[1, 2] == [(-1, 0), (1, 0), (0, -1)]
    assert found[1, 1] == ["H"] and found[3, 3] == ["G"]


def test_actions_without_a_direction_are_letters_and_values_of_states_are_numbers():
    actions = envs.describe("Taxi-v4").action_names
    values = np.zeros((500, 6))
    inner = envs.make("Taxi-v4").unwrapped
    values[inner.encode(0, 0, 4, 0), 5] = 1.0
    axes = grid_worlds.page(grid_maps.maps("Taxi-v4"), values, actions, "t").axes
    letters = [text.get_text() for text in axes[4].texts if text.get_position() == (0.5, 0.5)]
    assert letters == ["D"]
    walk = grid_worlds.page(grid_maps.maps("zoo/RandomWalk-v0"), np.linspace(0, 1.2, 7)[:, None], ("value",), "t")
    said = [text.get_text() for text in walk.axes[0].texts if text.get_text() not in ("", "T")]
    assert said == ["0.2", "0.4", "0.6", "0.8", "1"]
    best, worst = (walk.axes[0].patches[index].get_facecolor() for index in (5, 1))
    assert to_hex(best) == "#fde725" and to_hex(worst) == "#440154"  # the ends of the scale are no end of the walk


def test_the_table_has_a_part_for_each_direction():
    values = np.arange(64.0).reshape(16, 4)
    (found,) = grid_maps.maps(LAKE)
    axis = grid_worlds.table(found, values, MOVES, "t").axes[0]
    parts = [patch for patch in axis.patches if len(patch.get_path().vertices) == 4]  # closed triangles
    assert len(parts) == 4 * 11
    middles = {tuple(np.floor(patch.get_path().vertices.mean(0) * 1e6) / 1e6): patch for patch in parts}
    assert len(middles) == 44
    # The right part of state 14 is its third action's, of value 58; above 59 there is none.
    top = [patch for patch in parts if to_hex(patch.get_facecolor()) == "#fde725"]
    assert len(top) == 1 and top[0].get_path().vertices[:, 1].min() == 3  # state 14: up, which is value 59
    numbers = [text.get_text() for text in axis.texts]
    assert numbers.count("58") == 1 and "20" not in numbers  # state 5 is a hole
    row = grid_worlds.table(*grid_maps.maps("zoo/Corridor-v0"), np.arange(12.0).reshape(6, 2), ("left", "right"), "t")
    halves = [patch.get_path().vertices for patch in row.axes[0].patches if len(patch.get_path().vertices) == 5]
    left = [half for half in halves if np.ptp(half[:, 0]) == 0.5 and half[:, 0].min() % 1 == 0]
    assert len(left) == 5


def test_few_states_frame_the_best_action():
    figure = grid_worlds.few_states(np.array([[1.0, 3.0], [5.0, 2.0]]), ("search", "wait"), "t")
    assert [patch.get_xy() for patch in figure.axes[0].patches] == [(1 - 0.46, -0.46), (-0.46, 1 - 0.46)]


def spec(**changes):
    known = dict(env="X-v0", id="X-v0", actions=2, action_names=("a", "b"), states=None, shape=(2,), dtype="float32")
    return envs.Spec(**{**known, "low": (-1.0, -2.0), "high": (1.0, 2.0), "limit": 9, **changes})


def test_planes():
    (whole,) = value_surface.planes(envs.describe("MountainCar-v0"))
    assert whole.names == ("position", "velocity") and whole.places is not None
    np.testing.assert_allclose(whole.box, [(-1.2, 0.6), (-0.07, 0.07)], rtol=1e-6)
    a, b = np.array([0.1, 0.2]), np.array([3.0, 4.0])
    assert whole.observe(a, b).tolist() == [[0.1, 3.0], [0.2, 4.0]]
    angle, place = value_surface.planes(envs.describe("CartPole-v1"))
    assert angle.observe(a, b).tolist() == [[0, 0, 0.1, 3.0], [0, 0, 0.2, 4.0]]
    assert place.observe(a, b).tolist() == [[0.1, 3.0, 0, 0], [0.2, 4.0, 0, 0]]
    assert angle.box[0] == (-0.2095, 0.2095) and place.box[0] == (-2.4, 2.4) and angle.places is None
    (turns,) = value_surface.planes(envs.describe("Acrobot-v1"))
    np.testing.assert_allclose(turns.observe(a, b)[0], [np.cos(0.1), np.sin(0.1), np.cos(3), np.sin(3), 0, 0])
    assert [plane.box for plane in value_surface.planes(spec())] == [((-1, 1), (-2, 2))]
    assert value_surface.planes(spec(low=None, high=None)) == value_surface.planes(spec(shape=(3,), low=(0,) * 3)) == []


def test_surfaces_show_the_values_where_they_are():
    plane = value_surface.planes(spec())
    figure = value_surface.surfaces(plane, lambda seen: np.stack([seen[:, 0], seen[:, 1]], -1), ("a", "b"), "t")
    chosen, surface = figure.axes
    assert surface.name == "3d" and surface.get_zlim()[0] <= -2
    best = chosen.collections[0].get_array().reshape(82, 82)  # rows along the second axis
    assert best[81, 0] == 1 and best[0, 81] == 0
    flat = [dataclasses.replace(plane[0], places=None)]
    figure = value_surface.surfaces(flat, lambda seen: seen[:, :1] + 10 * seen[:, 1:], ("value",), "t")
    values = figure.axes[0].collections[0].get_array().reshape(82, 82)
    assert values[81, 0] == pytest.approx(19) and values[0, 81] == pytest.approx(-19)
    assert [axis.get_label() for axis in figure.axes].count("<colorbar>") == 1 and len(figure.axes) == 2


def test_an_episode_is_drawn_against_what_came():
    episode = Episode(0, [1.0, 1.0, 1.0], [0, 1, 2, 3], [0, 1, 0], terminated=False)
    values = np.array([[1.0, 2], [3, 1], [0, 1], [8, 4]])
    above, middle, below = agents.strip(episode, values, 0.5, ("left", "right"), "t").axes
    lines = {line.get_label(): line.get_ydata().tolist() for line in above.lines}
    # The time limit cut it off: what was seen last is worth 8.
    assert lines == {"value of the best action": [2, 3, 1], "return from there on": [2.75, 3.5, 5]}
    assert below.lines[0].get_ydata().tolist() == [0, 1, 0] and below.get_yticks().tolist() == [0, 1]
    assert middle.lines[0].get_ydata().tolist() == [1, 1, 1, 1]
    episode.terminated = True
    above = agents.strip(episode, values, 0.5, ("left", "right"), "t").axes[0]
    assert above.lines[1].get_ydata().tolist() == [1.75, 1.5, 1]


def test_health_marks_collapses_and_leaves_out_what_was_not_logged():
    rows = [{"epoch": e, "val_return": float(e), "q": 10.0**e, "collapses": float(e > 3)} for e in range(1, 6)]
    figure = agents.health(rows, "t")
    assert [axis.get_title() for axis in figure.axes] == ["return", "mean value on fixed states"]
    assert [axis.get_yscale() for axis in figure.axes] == ["linear", "log"]
    for axis in figure.axes:
        assert axis.lines[-1].get_xdata() == [4, 4]


def test_seeds_are_drawn_with_their_median_and_quartiles():
    group = [[{"epoch": e, "step": 5 * e, "val_return": float(seed * e)} for e in (1, 2, 3)] for seed in range(5)]
    group[4] = group[4][:2]
    group[0][1]["collapses"] = 1.0
    figure = seed_bands.returns({"a": group, "b": [group[1]]}, "t")
    first, second = figure.axes
    assert first.get_title() == "a\nn = 5, 1 collapsed" and second.get_title() == "b\nn = 1"
    assert [line.get_ydata().tolist() for line in first.lines][-1] == [2, 4, 4.5]
    assert first.lines[-1].get_xdata().tolist() == [5, 10, 15] and len(first.lines) == 6
    band = first.collections[0].get_paths()[0].vertices
    assert band[band[:, 0] == 10, 1].min() == 2 and band[band[:, 0] == 10, 1].max() == 6
    assert first.get_ylim() == second.get_ylim()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps({"recipe": "/home/me/mine.py", "seed": 3}))
    runs.write_history(tmp_path, [{"epoch": 1, "val_return": 1.0, "q": 0.5}])
    return tmp_path


def model(name, actions=2, **options):
    keras.utils.set_random_seed(0)
    built = zoo.build(name, actions=actions, **options)
    built.compile("sgd", gamma=0.9, **(dict(rule="evaluation", trace=0.0) if actions == 1 else {}))
    return built


@pytest.mark.parametrize(
    "env, made, expected",
    [
        (LAKE, lambda: model("q_table", 4, states=16), ["health", "episode", "policy", "q_table"]),
        ("Taxi-v4", lambda: model("q_table", 6, states=500), ["health", "episode", "policy"]),
        ("zoo/RecyclingRobot-v0", lambda: model("q_table", 3, states=2), ["health", "episode", "q_table"]),
        ("zoo/RandomWalk-v0", lambda: model("q_table", 1, states=7), ["health", "policy"]),
        (
            "MountainCar-v0",
            lambda: model("dqn", 3, observation_shape=(2,), hidden=(4,)),
            ["health", "episode", "values"],
        ),
        ("zoo/Baird-v0", lambda: model("dqn", 2, observation_shape=(8,), hidden=(4,)), ["health", "episode"]),
    ],
)
def test_draw_makes_the_pictures_that_apply(env, made, expected, folder, monkeypatch):
    said = {}
    monkeypatch.setattr(agents, "save", lambda figure, path: said.update({path.stem: figure}) or path)
    drawn = agents.draw(folder, made(), zoo.Data(None, test=Episodes(env, [5, 6])))
    assert [path.name for path in drawn] == [f"{name}.png" for name in expected]
    assert all(figure.get_suptitle().startswith("mine, seed 3") for figure in said.values())
