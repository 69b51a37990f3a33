"""TD(lambda) on the random walk: one agent, many tables side by side, and the figure of the book."""

import keras
import numpy as np
import pytest

import zoo
from zoo import ZooError, td_lambda
from zoo.data.experience import Experience, states
from zoo.envs.finite import Finite
from zoo.online import Online
from zoo.pictures import td_lambda as picture

WALK = "zoo/RandomWalk-v0?states=19"


@pytest.fixture
def steps(monkeypatch):
    """What the zoo's own environments do while the test runs: (state, next, reward, ended)."""
    states(WALK)  # walks there, once
    happened, step = [], Finite.step

    def recorded(self, action):
        before = self.s
        seen, reward, ended, *rest = step(self, action)
        happened.append((before, self.s, reward, ended))
        return seen, reward, ended, *rest

    monkeypatch.setattr(Finite, "step", recorded)
    return happened


def _walked(steps):
    """Recorded steps as one run of `td_lambda.walks`."""
    columns = zip(("state", "next", "reward", "ended"), zip(*steps, strict=True), strict=True)
    walked = {name: np.array(column)[None] for name, column in columns}
    return walked | {"real": np.ones((1, len(steps)), bool)}


def _last(ways):
    *_, (_, _, values) = ways
    return values[0, 0, 0]


@pytest.mark.parametrize("update", ["step", "episode"])
def test_tables_side_by_side_learn_as_the_agent_does(update, steps):
    model = zoo.build("q_table", states=21, actions=1)
    options = dict(rule="evaluation", trace=0.8, update=update, gamma=1.0)
    model.compile(keras.optimizers.SGD(0.1), "squared", **options)
    world = Online(WALK, episodes=3, seed=0, engine="gymnasium")
    model.fit(Experience(WALK, 1, 1, world, 0).open(), steps_per_epoch=1, callbacks=[world], verbose=0, shuffle=False)
    assert sum(ended for *_, ended in steps) == 3
    values = _last(td_lambda.with_traces(_walked(steps), 21, [0.8], [0.1], update))
    assert np.abs(values).max() > 0.1
    np.testing.assert_allclose(model.network.get_weights()[0][:, 0], values, atol=1e-6)


def _lambda_returns(episode, values, decay):
    """Equation 12.3 as it stands: n-step returns, each with its weight."""
    rewards, states, end = [step[2] for step in episode], [step[1] for step in episode], len(episode)
    found = []
    for t in range(end):
        n_step = [sum(rewards[t : t + n]) + values[states[t + n - 1]] for n in range(1, end - t)]
        rest = decay ** (end - t - 1) * sum(rewards[t:])
        found.append((1 - decay) * sum(decay**n * target for n, target in enumerate(n_step)) + rest)
    return found


def test_the_forward_view_moves_each_state_to_its_lambda_return():
    walked = td_lambda.walks(2, episodes=3, seed=1)
    every = [[walked[name][run][walked["real"][run]] for name in walked] for run in range(2)]
    *_, (_, _, found) = td_lambda.with_returns(walked, 21, [0.0, 0.7, 1.0], [0.3])
    for run, (index, decay) in ((run, each) for run in range(2) for each in enumerate((0.0, 0.7, 1.0))):
        values, episode = np.zeros(21), []
        for step in zip(*every[run], strict=True):
            episode.append(step)
            if step[3]:
                for (state, *_), target in zip(episode, _lambda_returns(episode, values.copy(), decay), strict=True):
                    values[state] += 0.3 * (target - values[state])
                episode = []
        np.testing.assert_allclose(found[index, 0, run], values, atol=1e-12)


@pytest.mark.parametrize("decay", [0.0, 0.6, 1.0])
def test_the_increments_of_an_episode_have_the_same_sum_in_both_views(decay):
    walked = td_lambda.walks(1, episodes=1, seed=2)
    values = np.zeros(21)
    episode = list(zip(*(walked[name][0] for name in walked), strict=True))
    for (state, *_), target in zip(episode, _lambda_returns(episode, np.zeros(21), decay), strict=True):
        values[state] += 0.01 * target
    np.testing.assert_allclose(_last(td_lambda.with_traces(walked, 21, [decay], [0.01], "episode")), values, atol=1e-12)


def test_the_figure_of_the_book():
    walked = td_lambda.walks(40)
    lambdas, rates = (0.0, 0.4, 0.8, 0.9, 1.0), (0.0, 0.01, 0.05, 0.1, 0.2, 0.35, 0.6, 0.9, 1.0)
    shares = []
    found = td_lambda.errors(walked, lambdas, rates, progress=shares.append)
    assert shares[-1] == 1
    # Nothing is learned: the root of the mean square of -0.9, -0.8, ..., 0.9.
    np.testing.assert_allclose(found[:, 0], np.sqrt(0.3), atol=1e-12)
    least = dict(zip(lambdas, found.min(1), strict=True))
    assert 0.24 < least[0.8] < 0.29 and 0.24 < least[0.4] < 0.30 and 0.26 < least[0.9] < 0.32
    assert 0.32 < least[0.0] < 0.38 and least[1.0] > 0.4
    assert rates[found[2].argmin()] in (0.2, 0.35) and rates[found[0].argmin()] in (0.6, 0.9)
    # A valley: down to the least error, and up again; with lambda 1 beyond all bounds.
    for curve in found:
        best = curve.argmin()
        assert (np.diff(curve[: best + 1]) < 0).all() and (np.diff(curve[best:][np.isfinite(curve[best:])]) > 0).all()
    assert found[-1, -1] > 1e6

    forward = td_lambda.errors(walked, (0.8, 0.9, 1.0), (0.25, 0.4), "returns")
    assert 0.24 < forward[0, 1] < 0.30 and forward[2, 0] < 1
    summed = td_lambda.errors(walked, (0.8,), (0.1, 0.15, 0.4), "offline")
    assert 0.31 < summed[0, :2].min() < 0.40 and summed[0, 2] > 1


def test_views_are_named():
    with pytest.raises(ZooError, match="view must be one of 'online', 'returns', 'offline'. Received: view='on'"):
        td_lambda.errors(td_lambda.walks(1, 1), (0.0,), (0.1,), "on")


def test_the_page_draws_a_curve_for_each_lambda():
    found = {view: np.full((len(picture.LAMBDAS), len(picture.RATES)), 0.4) for view in td_lambda.VIEWS}
    found["returns"][2, 20] = 0.25
    figure = picture.page(found=found)
    assert [axis.get_title().rpartition("\n")[2] for axis in figure.axes] == [
        "(least: 0.400)",
        "(least: 0.250)",
        "(least: 0.400)",
    ]
    curves, dot = figure.axes[1].lines[:-1], figure.axes[1].lines[-1]
    assert len(curves) == len(picture.LAMBDAS) and curves[2].get_ydata().min() == 0.25
    assert dot.get_xdata().item() == picture.RATES[20] and dot.get_color() == curves[2].get_color()
    np.testing.assert_array_equal(curves[0].get_xdata(), picture.RATES)
