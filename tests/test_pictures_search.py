"""What mattered in a search, against functions whose answer is known; and what its pictures show."""

import math

import numpy as np
import pytest
from matplotlib.colors import to_rgba

import zoo
from zoo import search_importance
from zoo.pictures import search
from zoo.search_importance import importances, measure

MAX, MIN = ("val_accuracy", "max"), ("val_loss", "min")


@pytest.fixture
def few(monkeypatch):
    """Fewer forests, where means matter and their spread does not."""
    monkeypatch.setattr(search_importance, "FORESTS", 3)


def _trial(number, values, score, status="complete"):
    return {"id": f"{number:02d}", "values": values, "score": score, "status": status}


def _trials(count, score, seed=0):
    """Trials of independent values, and their scores."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        values = {
            "noise": random.random(),
            "rate": 10 ** random.uniform(-4, -1),
            "kind": ["a", "b", "c"][random.integers(3)],
            "fixed": 3,
        }
        found.append(_trial(number, values, score(values)))
    return found


def test_a_score_of_one_hyper_parameter_gives_all_importance_to_it():
    found = importances(_trials(100, lambda v: abs(math.log10(v["rate"]) + 2.5)), MIN)
    (first, (mean, deviation)), *rest = found.items()
    # As a share of the variance it would be 1; forests are a little smoother than the function.
    assert first == "rate" and 0.8 < mean < 1.2 and 0 < deviation < 0.2
    assert all(abs(mean) < 0.02 for _, (mean, _) in rest)
    assert found["fixed"] == (0.0, 0.0)


def test_a_score_of_a_category_gives_all_importance_to_it(few):
    found = importances(_trials(60, lambda v: {"a": 0.1, "b": 0.9, "c": 0.5}[v["kind"]]), MAX)
    assert next(iter(found)) == "kind" and found["kind"][0] == pytest.approx(1, abs=0.15)
    assert abs(found["rate"][0]) < 0.02 and abs(found["noise"][0]) < 0.02


def test_the_shares_of_a_sum_are_those_of_its_variance(few):
    """A sum of independent values x + y/2, uniform: variances as 4 to 1, of scores and, nearly, of their ranks."""
    random = np.random.default_rng(0)
    values = [{"x": x, "y": y} for x, y in random.random((200, 2))]
    found = importances([_trial(i, v, v["x"] + v["y"] / 2) for i, v in enumerate(values)], MAX)
    assert found["x"][0] == pytest.approx(0.8, abs=0.1) and found["y"][0] == pytest.approx(0.2, abs=0.06)


def test_noise_earns_nothing():
    random = np.random.default_rng(1)
    found = measure(_trials(60, lambda v: random.random()), MAX)
    assert all(mean < 0.08 for mean, _ in found.shares.values())
    assert found.explained < 0.1 and found.trials == 60


def test_importances_are_of_the_order_of_trials_and_not_of_one_that_is_very_bad(few):
    trials = _trials(60, lambda v: -v["noise"])
    # Twelve failures, all at the highest rates: failing is the worst that a trial can do.
    by_rate = sorted(trials, key=lambda trial: trial["values"]["rate"])
    trials[3]["score"] = -1e9
    before = importances(trials, MAX)
    assert before["noise"][0] > 0.7 and before["rate"][0] < 0.1
    for trial in by_rate[-12:]:
        trial.update(score=None, status="failed")
    after = importances(trials, MAX)
    assert after["rate"][0] > 0.3 > before["rate"][0]


def test_importances_follow_the_seed_alone_and_want_ten_complete_trials(few):
    trials = _trials(12, lambda v: v["rate"])
    assert importances(trials, MAX, seed=1) == importances(trials, MAX, seed=1) != importances(trials, MAX, seed=2)
    assert importances(trials[:9], MAX) is None
    for trial in trials[:3]:
        trial.update(score=math.nan)
    assert importances(trials, MAX) is None
    with pytest.raises(zoo.ZooError, match="direction must be one of 'max', 'min'. Received: .*'maximum'"):
        importances(trials, ("val_accuracy", "maximum"))


def test_hyper_parameters_that_only_some_trials_have_are_taken(few):
    trials = _trials(30, lambda v: v["rate"])
    for trial in trials[::3]:
        del trial["values"]["noise"], trial["values"]["kind"]
    found = importances(trials, MAX)
    assert next(iter(found)) == "rate" and set(found) == {"rate", "noise", "kind", "fixed"}
    lines = search.parallel_coordinates(trials, MAX).axes[0].lines
    assert sum(np.isnan(line.get_ydata()[2:4]).all() for line in lines if len(line.get_ydata()) == 5) == 10


def _axes(figure):
    """The host, and for each axis its ticks: a dict from text to place."""
    host, *beside = figure.axes
    return host, [dict(zip((t.get_text() for t in a.get_yticklabels()), a.get_yticks(), strict=True)) for a in beside]


def test_parallel_coordinates_put_values_where_their_axis_says():
    values = [{"rate": r, "kind": k, "width": w} for r, k, w in ((1e-4, "b", 1), (1e-2, "a", 5), (1e-3, "b", 3))]
    trials = [_trial(i, v, s) for i, (v, s) in enumerate(zip(values, (0.7, 0.9, 0.8), strict=True))]
    host, axes = _axes(search.parallel_coordinates(trials, MAX, {"rate": "log"}, "a title"))
    assert [label.get_text() for label in host.get_xticklabels()] == ["rate", "kind", "width"]
    rate, kind, width, score = axes
    assert rate == pytest.approx({"0.0001": 0, "0.001": 0.5, "0.01": 1}) and list(kind) == ["a", "b"]
    assert width == pytest.approx({"1": 0, "2": 0.25, "3": 0.5, "4": 0.75, "5": 1})
    assert score["0.7"] == 0 and score["0.9"] == 1
    best = next(line for line in host.lines if line.get_label().startswith("best"))
    assert best.get_label() == "best: trial 01, 0.9" and best.get_color() == search.BEST
    np.testing.assert_allclose(best.get_ydata(), [1, kind["a"], 1, 1])
    middle = next(line for line in host.lines if np.isclose(line.get_ydata()[-1:], 0.5).any())
    np.testing.assert_allclose(middle.get_ydata()[[0, 2, 3]], 0.5, atol=1e-12)
    assert abs(middle.get_ydata()[1] - kind["b"]) < 0.15


def test_the_best_lies_on_top_and_what_failed_is_thin_and_ends_before_the_score():
    trials = _trials(12, lambda v: v["noise"])
    trials[4].update(score=None, status="failed")
    trials[5].update(score=0.01, status="stopped")
    best = min((t for t in trials if t["status"] == "complete"), key=lambda trial: trial["score"])
    host, _ = _axes(search.parallel_coordinates(trials, MIN))
    lines = [line for line in host.lines if len(line.get_ydata()) == 5]
    top = max(lines, key=lambda line: line.get_zorder())
    assert top.get_label() == f"best: trial {best['id']}, {best['score']:.6g}" and top.get_ydata()[-1] == 0
    grey = [line for line in lines if line.get_color() == search.GREY]
    assert len(grey) == 2 and all(line.get_linewidth() < 1 for line in grey)
    assert sorted(math.isnan(line.get_ydata()[-1]) for line in grey) == [False, True]
    coloured = sorted((line for line in lines if line not in (*grey, top)), key=lambda line: line.get_ydata()[-1])
    shades = [sum(to_rgba(line.get_color())[:3]) for line in coloured]
    assert len(shades) == 9 and shades[0] < shades[-1]  # of losses the small ones are dark
    assert "1 stopped, 1 failed" in [line.get_label() for line in host.lines]


def test_a_score_far_behind_stands_at_the_edge_and_the_axis_says_so():
    trials = [_trial(i, {"rate": i}, 0.9 + i / 100) for i in range(8)] + [_trial(8, {"rate": 0}, 0.1)]
    host, axes = _axes(search.parallel_coordinates(trials, MAX))
    assert axes[-1]["≤ 0.9"] == 0
    figure = search.progress(trials, MAX)
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines["complete, beyond the axis"].get_xdata()) == [8]
    assert lines["the default: 0.9"].get_xdata() == [0]
    np.testing.assert_allclose(lines["best"].get_ydata(), [*(0.9 + i / 100 for i in range(8)), 0.97])


def test_progress_is_of_complete_trials_in_the_direction_of_the_objective():
    scores = ((0.5, "complete"), (0.2, "stopped"), (None, "failed"), (0.4, "complete"), (0.45, "complete"))
    trials = [_trial(i, {"rate": 1}, *each) for i, each in enumerate(scores)]
    lines = {line.get_label(): line for line in search.progress(trials, MIN).axes[0].lines}
    np.testing.assert_allclose(lines["best"].get_ydata(), [0.5, 0.5, 0.5, 0.4, 0.4])
    assert list(lines["without a score"].get_xdata()) == [2]
    assert "the default: 0.5" in lines and list(lines["stopped, beyond the axis"].get_xdata()) == [1]


def test_searches_in_which_nothing_came_out_are_drawn_too():
    trials = [_trial(i, {"rate": 0.1 + i, "kind": "a"}, None, "failed") for i in range(3)]
    host, axes = _axes(search.parallel_coordinates(trials, MAX, {"rate": "log"}))
    assert not any(line.get_label().startswith("best") for line in host.lines)
    assert "3 failed" in [line.get_label() for line in host.lines]
    assert search.progress(trials, MAX).axes[0].get_ylabel() == "validation accuracy"
    assert "0 complete trials are too few" in search.importance(trials, MAX).axes[0].get_title()


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(zoo.ZooError, match="trials must be a list of at least one trial"):
        search.parallel_coordinates([], MAX)
    trials = [_trial(0, {"rate": 0.0}, 0.5)]
    with pytest.raises(zoo.ZooError, match="values of rate on a log scale must be above 0. Received: .*0.0"):
        search.parallel_coordinates(trials, MAX, {"rate": "log"})
    with pytest.raises(
        zoo.ZooError, match="scale of rate must be one of 'log', 'linear', 'choice'.*Did you mean 'log'"
    ):
        search.parallel_coordinates(trials, MAX, {"rate": "logs"})
    with pytest.raises(zoo.ZooError, match="direction"):
        search.progress(trials, ("val_loss", "down"))
