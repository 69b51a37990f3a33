"""What converges and what does not: Baird's star and the spiral, and the table of the course."""

import dataclasses

import keras
import numpy as np
import pytest

import zoo
from zoo import convergence, convergence_cells, envs
from zoo.convergence import Found
from zoo.convergence_cells import CELLS, CHATTERS, NO, YES
from zoo.data.experience import Experience, states
from zoo.envs.finite import Finite
from zoo.envs.spiral import turning
from zoo.online import Online
from zoo.pictures import convergence as picture
from zoo.spiral import spiral

BY_NAME = {cell.name: cell for cell in CELLS}
BAIRD = "zoo/Baird-v0"
START = np.array([1.0, 1, 1, 1, 1, 1, 10, 1])
DASHED = np.array([6 / 7, 1 / 7])
SOLID = np.array([0.0, 1.0])
# Silver's lecture 6: MC, TD(0), TD(lambda) on policy and off, and control by MC, Sarsa and Q-learning.
LECTURE = {
    "on-policy": [[YES, YES, YES], [YES, YES, NO], [YES, YES, NO]],
    "off-policy": [[YES, YES, YES], [YES, NO, NO], [YES, NO, NO]],
    "control": [[YES, CHATTERS, NO], [YES, CHATTERS, NO], [YES, NO, NO]],
}


def test_theory_is_that_of_the_lecture():
    for part, rows in LECTURE.items():
        cells = [cell for cell in CELLS if cell.part == part]
        assert [cell.theory for cell in cells] == sum(rows, [])
        assert [cell.kind for cell in cells] == ["table", "linear", "neural"] * 3


def _stepped(weights, happened, followed, rate, gamma=0.99):
    """Semi-gradient off-policy TD(0), equation 11.2 with ratios: rho (r + gamma v' - v) x."""
    features = envs.make(BAIRD).unwrapped.features.astype("float64")
    for state, action, after in happened:
        ratio = followed[action] / DASHED[action]
        error = gamma * features[after] @ weights - features[state] @ weights
        weights = weights + rate * ratio * error * features[state]
    return weights


def _swept(weights, followed, rate, sweeps, gamma=0.99):
    """The expected update: all states alike, and what follows on average under the policy that is valued."""
    features = envs.make(BAIRD).unwrapped.features.astype("float64")
    ahead = followed[0] * features[:6].mean(0) + followed[1] * features[6]
    for _ in range(sweeps):
        errors = gamma * ahead @ weights - features @ weights
        weights = weights + rate / 7 * errors @ features
    return weights


@pytest.mark.parametrize("off", [True, False])
def test_off_policy_td_grows_without_bound_on_bairds_star(off, monkeypatch):
    states(BAIRD)  # walks there, once
    happened, step = [], Finite.step

    def recorded(self, action):
        before = self.s
        found = step(self, action)
        happened.append((before, int(action), self.s))
        return found

    monkeypatch.setattr(Finite, "step", recorded)
    model = zoo.build("q_linear", low=[0] * 8, high=[3] * 8, actions=1, features="identity")
    model.network.set_weights([START[:, None]])
    followed = SOLID if off else DASHED
    options = dict(rule="evaluation", trace=0.0, gamma=0.99, behaviour=DASHED, followed=followed)
    model.compile(keras.optimizers.SGD(0.02), "squared", **options)
    world = Online(BAIRD, steps=400, seed=0, engine="gymnasium")
    model.fit(Experience(BAIRD, 1, 1, world, 0).open(), steps_per_epoch=1, callbacks=[world], verbose=0, shuffle=False)
    found, start = model.network.get_weights()[0][:, 0], np.linalg.norm(START)
    assert len(happened) == 400
    expected = _stepped(START, happened, followed, 0.02)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    expected = _swept(START, followed, 0.02, 400)
    if off:
        assert np.linalg.norm(found) > 10 * start and np.linalg.norm(expected) > 5 * start
        assert np.linalg.norm(_swept(START, followed, 0.02, 4000)) > 1e6 * start
    else:
        assert np.linalg.norm(found) < start and np.linalg.norm(expected) < start


def test_the_expected_update_of_baird_is_the_mean_of_the_steps():
    probabilities = [(s, a, t, DASHED[a] * p) for s in range(7) for a in (0, 1) for p, t in _outcomes(a)]
    moves = [p / 7 * (_stepped(START, [(s, a, t)], SOLID, 0.01) - START) for s, a, t, p in probabilities]
    np.testing.assert_allclose(START + np.sum(moves, 0), _swept(START, SOLID, 0.01, 1), atol=1e-12)


def _outcomes(action):
    return [(1.0, 6)] if action else [(1 / 6, state) for state in range(6)]


def test_seven_actions_at_random_are_the_behaviour_of_the_star():
    star, baird = envs.make("zoo/Star-v0").unwrapped, envs.make(BAIRD).unwrapped
    np.testing.assert_array_equal(star.features, baird.features)
    assert [star.P[3][to] for to in range(7)] == [[(1.0, to, 0.0, False)] for to in range(7)]
    twin = envs.tensor("zoo/Star-v0")
    assert twin.actions == 7 and twin.step_draws == 0


def _values(model, theta):
    model.network.set_weights([np.float32(theta)])
    return model.values(envs.make("zoo/Spiral-v0").unwrapped.features)[:, 0].astype("float64")


def test_the_spiral_turns_and_grows_as_its_equation_says():
    model = spiral(growth=0.1)
    np.testing.assert_allclose(_values(model, 0.0), [1, -0.7, -0.3], atol=1e-7)
    for theta in (0.3, 2.0, 5.0):
        values = _values(model, theta)
        slope = (_values(model, theta + 0.01) - _values(model, theta - 0.01)) / 0.02
        np.testing.assert_allclose(slope, turning() @ values + 0.1 * values, atol=1e-4)
        assert abs(values.sum()) < 1e-6
    again = keras.Model.from_config(model.network.get_config())
    assert again.get_layer("spiral").growth == 0.1


def test_expected_td_climbs_the_spiral_and_monte_carlo_goes_down():
    model = spiral()
    walk = 0.5 * np.eye(3) + 0.5 * np.roll(np.eye(3), -1, 1)
    table = envs.make("zoo/Spiral-v0?end=0.0").unwrapped.P
    np.testing.assert_array_equal(
        walk, [[np.mean([of[a][0][1] == t for a in of]) for t in range(3)] for of in table.values()]
    )
    for theta in np.linspace(0, 7, 8):
        values = _values(model, theta)
        slope = turning() @ values + 0.1 * values
        assert slope @ (0.9 * walk @ values - values) > 0.2 * values @ values
        # All returns are 0.
        assert slope @ (0 - values) == pytest.approx(-0.1 * values @ values, rel=1e-3)


@pytest.mark.parametrize("method, grows", [("TD(0)", True), ("MC", False)])
def test_the_spiral_by_experiment(method, grows):
    found = convergence.run(BY_NAME[f"on-policy {method} neural"], points=6)
    assert len(found.steps) == len(found.curve) == 7
    assert found.curve[0] == pytest.approx(np.sqrt((1 + 0.49 + 0.09) / 3), abs=1e-6)
    assert found.curve[-1] > 1.05 * found.curve[0] if grows else found.curve[-1] < 0.7 * found.curve[0]


def test_a_run_that_leaves_all_bounds_is_stopped():
    cell = dataclasses.replace(BY_NAME["on-policy TD(0) neural"], rate=1.0)
    found = convergence.run(cell, points=40)
    assert convergence.verdict(cell, found) == "diverges"
    assert np.isinf(found.curve[-1]) and len(found.curve) < 20


def test_control_of_a_table_finds_the_best_values():
    cell = BY_NAME["control Q-learning table"]
    found = convergence.run(cell, points=8)
    assert convergence.verdict(cell, found) == "converges"
    # From the five states 0.9 ** 4, ..., 1 under the best policy, of which nothing is known at first.
    assert found.curve[0] == pytest.approx(np.sqrt(np.mean(0.81 ** np.arange(5))), abs=1e-6)


@pytest.mark.parametrize(
    "name, curve, changed, seen",
    [
        ("on-policy MC table", [1.0, 0.5, 0.1, 0.1], 0, "converges"),
        ("on-policy MC table", [1.0, 5.0, 0.5, 0.5], 0, "stays away"),
        ("on-policy MC table", [1.0, 11.0, 0.1, 0.1], 0, "diverges"),
        ("on-policy MC table", [1.0, 2.0, np.inf], 0, "diverges"),
        ("control Sarsa linear", [-1000, -200, -150], 0.07, "learns, 7% of actions change"),
        ("control Sarsa linear", [-200, -180, -190], 0, "does not learn, 0% of actions change"),
        ("control MC neural", [10, 40, 12], 0.5, "learns, forgets, 50% of actions change"),
    ],
)
def test_verdicts(name, curve, changed, seen):
    found = Found(np.arange(len(curve)), np.array(curve, float), changed)
    assert convergence.verdict(BY_NAME[name], found) == seen


def test_the_page_tells_what_was_seen():
    cells = [BY_NAME[f"off-policy TD(0) {kind}"] for kind in convergence_cells.KINDS]
    curves = ([1.0, 0.1, 0.1], [1.0, 9.0, np.inf], [1.0, 0.9, 0.9])
    found = {cell.name: Found(np.arange(3), np.array(curve)) for cell, curve in zip(cells, curves, strict=True)}
    figure = picture.page(found, cells)
    assert [axis.get_title().partition("\n")[2] for axis in figure.axes] == [
        "theory: converges; seen: converges",
        "theory: no guarantee; seen: diverges",
        "theory: no guarantee; seen: stays away",
    ]
    assert figure.axes[1].lines[0].get_ydata().tolist() == [1.0, 9.0] and len(figure.axes[1].lines) == 2
