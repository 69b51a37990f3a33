"""Watching a policy: when a collapse is said, what is named as its cause, and what a resumed training knows of it."""

import math

import pytest

from zoo import checkpoint, state
from zoo.errors import ZooError
from zoo.policy_watch import PolicyWatch

GOOD = dict(failures=0.05, action_gap=1.0, q=10.0)


def watched(returns, verbose=1, interrupted=None, more=None, **options):
    """What stands in the logs of epochs with these returns; optionally resumed after one."""

    def begun():
        watch = PolicyWatch(**{"patience": 2, **options})
        watch.set_params({"verbose": verbose})
        watch.on_train_begin()
        return watch

    watch, rows = begun(), []
    for epoch, value in enumerate(returns):
        watch.on_epoch_begin(epoch)
        logs = {"val_return": value, **(more(epoch) if more else GOOD)}
        watch.on_epoch_end(epoch, logs)
        rows.append(logs["collapses"])
        if epoch == interrupted:
            checkpoint.save("kept", epoch, {"watch": state._state_of(watch)})
            watch = begun()
            watch.set_state(checkpoint.newest("kept")["watch"])
    watch.on_train_end()
    return rows, watch


SCRIPTS = [
    ([10, 100, 400, 500, 480], []),
    ([10, 500, 10, 500, 10, 500], []),  # below for less than the patience
    ([10, 500, 260, 256, 255.5], []),  # above the midpoint, 255
    ([10, 500, 254, 254], [(4, 254, 500, 2)]),
    ([10, 500, 10, 10, 10, 10], [(4, 10, 500, 2)]),  # once
    ([10, 500, 10, 20, 300, 30, 40], [(4, 20, 500, 2), (7, 40, 500, 2)]),  # and again after recovery
    ([10, 9, 10, 9, 9, 9], []),  # nothing was learned that could collapse
    ([-200, -110, -200, -190], [(4, -190, -110, 2)]),
    ([0, 0.5, 0.74, 0.1, 0.1], [(5, 0.1, 0.74, 3)]),
    ([500, 10, 10], [(3, 10, 500, 1)]),
    ([10, 500, 10, math.nan, 10], [(5, 10, 500, 2)]),  # an epoch that was not measured neither counts nor heals
    ([0, 0, 0], []),
]


@pytest.mark.parametrize("returns, expected", SCRIPTS, ids=range(len(SCRIPTS)))
def test_a_collapse_is_said_once_in_a_line_and_counted(capsys, returns, expected):
    lines = [f"Policy collapse in epoch {e}: return {r:.4g}, it was {b:.4g} in epoch {w}" for e, r, b, w in expected]
    rows, watch = watched(returns)
    assert capsys.readouterr().out.splitlines() == lines
    assert watch.collapses == [[epoch, line] for (epoch, *_), line in zip(expected, lines, strict=True)]
    assert rows == [float(sum(e <= epoch for e, *_ in expected)) for epoch in range(1, len(returns) + 1)]
    assert watched(returns, verbose=0)[1].collapses == watch.collapses
    assert capsys.readouterr().out == ""
    for moment in range(len(returns)):
        assert watched(returns, interrupted=moment)[0] == rows
        assert capsys.readouterr().out.splitlines() == lines


def test_a_collapse_is_said_before_the_next_epoch_begins(capsys):
    watch = PolicyWatch(patience=1)
    watch.set_params({"verbose": 2})
    watch.on_train_begin()
    for epoch, value in enumerate((10.0, 500.0, 10.0)):
        watch.on_epoch_begin(epoch)
        watch.on_epoch_end(epoch, {"val_return": value})
        assert capsys.readouterr().out == ""  # the line of the epoch is still open
    watch.on_epoch_begin(3)
    assert "Policy collapse in epoch 3" in capsys.readouterr().out


MEMORY, GAP = "the memory ran out of failures", "the best action is worth hardly more than the next"


@pytest.mark.parametrize(
    "then, causes",
    [
        (GOOD, []),
        ({**GOOD, "failures": 0.0051}, []),
        ({**GOOD, "failures": 0.0049}, [MEMORY]),
        ({**GOOD, "action_gap": 0.09}, [GAP]),
        ({**GOOD, "action_gap": 0.09, "q": -8.0}, []),
        ({**GOOD, "action_gap": 0.05, "q": -8.0}, [GAP]),
        ({**GOOD, "failures": 0.0, "action_gap": 0.0}, [MEMORY, GAP]),
        ({}, []),
    ],
)
def test_the_cause_is_what_was_low_when_the_fall_began(then, causes):
    line = watched([10, 500, 10, 10], more=lambda epoch: then if epoch == 2 else GOOD)[1].collapses[0][1]
    parts = line.split("; ")[1:]
    assert len(parts) == len(causes) and all(part.startswith(cause) for part, cause in zip(parts, causes, strict=True))
    # What it was like later is no cause.
    assert "; " not in watched([10, 500, 10, 10], more=lambda epoch: then if epoch == 3 else GOOD)[1].collapses[0][1]


def test_thresholds_are_where_they_are_set():
    for patience, epoch in ((1, 3), (3, 5)):
        assert watched([10, 500, 10, 10, 10], patience=patience)[1].collapses[0][0] == epoch
    for least, said in ((0.1, 1), (0.11, 0)):
        assert len(watched([100, 90, 90], least=least)[1].collapses) == said
    for options, words in ((dict(rare=0.5), MEMORY), (dict(close=0.2), GAP)):
        later = lambda epoch: {**GOOD, "failures": 0.02, "action_gap": 1.5} if epoch else GOOD  # noqa: E731
        assert words in watched([10, 500, 10, 10], more=later, **options)[1].collapses[0][1]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"patience": 0}, "patience must be an integer >= 1"),
        ({"patience": True}, "patience must be an integer >= 1"),
        ({"least": 1.5}, "least must be a number in 0 <= least <= 1"),
        ({"rare": -0.1}, "rare must be"),
        ({"close": "near"}, "close must be"),
    ],
)
def test_what_cannot_be_watched_for_is_refused(arguments, message):
    with pytest.raises(ZooError, match=message):
        PolicyWatch(**arguments)


def test_a_training_without_evaluation_is_refused():
    with pytest.raises(ZooError, match="no 'val_return' in the logs.*Logged: loss"):
        PolicyWatch().on_epoch_end(0, {"loss": 1.0})
