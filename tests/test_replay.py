"""The memory: what is drawn from it is what happened."""

import numpy as np
import pytest

from zoo.errors import ZooError
from zoo.replay import Replay

GAMMA = 0.5


def filled(steps, length=4, count=2, capacity=1000, ends="terminated", **options):
    """Episodes of `length` steps: states 10 * episode + step, rewards equal to the state, both environments alike."""
    replay = Replay(capacity, count, options.pop("shape", ()), "int32", gamma=GAMMA, **options)
    state, over = 0, False
    for _ in range(steps):
        last = state % 10 == length - 1 and not over
        observation = np.full((count, *replay.held["observation"].shape[2:]), state)
        ended = last and ends == "terminated"
        replay.add(observation, [state % 3] * count, [0 if over else state] * count, [ended] * count, [over] * count)
        if over:
            state, over = (state // 10 + 1) * 10, False
        else:
            state, over = state + 1, last
    return replay


def drawn(replay, n=400):
    found = replay.draw((n,), np.random.default_rng(0))
    del found["place"]
    return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]


def test_one_step_transitions_are_the_ones_that_happened():
    rows = drawn(filled(30))
    assert {int(row["observation"]) for row in rows if row["weight"]} == {s for s in range(54) if s % 10 < 4}
    for row in (row for row in rows if row["weight"]):
        state = row["observation"]
        assert row["reward"] == state and row["action"] == state % 3 and row["next"] == state + 1
        assert row["discount"] == (0 if state % 10 == 3 else GAMMA)


def test_what_was_seen_last_is_no_transition():
    rows = drawn(filled(30))
    assert {bool(row["weight"]) for row in rows if row["observation"] % 10 == 4} == {False}


def test_a_time_limit_is_no_end_of_the_world():
    rows = drawn(filled(30, ends="truncated"))
    last = [row for row in rows if row["observation"] % 10 == 3]
    assert last and all(row["discount"] == GAMMA and row["next"] == row["observation"] + 1 for row in last)


@pytest.mark.parametrize("ends", ["terminated", "truncated"])
def test_steps_are_added_up_to_the_end_of_the_episode(ends):
    for row in (row for row in drawn(filled(60, n_step=3, ends=ends)) if row["weight"]):
        state = int(row["observation"])
        steps = min(3, 4 - state % 10)
        assert row["reward"] == sum(GAMMA**k * (state + k) for k in range(steps))
        ended = state % 10 + steps == 4 and ends == "terminated"
        assert row["discount"] == (0 if ended else GAMMA**steps)
        assert ended or row["next"] == state + steps


def test_a_ring_that_is_full_forgets_the_oldest():
    replay = filled(95, capacity=40)  # twenty rows of two environments; the newest state is 184
    states = {int(row["observation"]) for row in drawn(replay) if row["weight"]}
    assert replay.size == 20 and min(states) >= 150 and max(states) <= 184


def test_stacked_frames_begin_with_the_episode():
    for row in (row for row in drawn(filled(60, stack=4, shape=(1,))) if row["weight"]):
        newest = int(row["observation"][-1])
        first = newest // 10 * 10
        assert row["observation"].tolist() == [max(newest - k, first) for k in (3, 2, 1, 0)]
        if row["discount"]:
            assert row["next"].tolist() == [max(newest + 1 - k, first) for k in (3, 2, 1, 0)]


def test_prioritised_draws_follow_the_errors_and_weights_undo_it():
    replay = filled(6, length=9, count=1, priority=1.0)
    replay.rate((np.arange(5), np.zeros(5, int)), np.array([1.0, 0, 0, 0, 3.0]) - 1e-6)
    found = replay.draw((20_000,), np.random.default_rng(0), beta=1.0)
    counts = np.bincount(found["observation"], minlength=5) / 20_000
    np.testing.assert_allclose(counts, [0.25, 0, 0, 0, 0.75], atol=0.01)
    assert np.unique(found["weight"][found["observation"] == 4]) == pytest.approx(1 / 3)
    assert np.unique(replay.draw((100,), np.random.default_rng(0), beta=0.0)["weight"]) == 1


def test_void_rows_have_no_priority():
    replay = filled(30, priority=0.5)
    assert all(row["weight"] > 0 for row in drawn(replay))


def test_failures_are_counted():
    assert filled(30).failures == pytest.approx(6 / 24)
    assert filled(30, ends="truncated").failures == 0


def test_state_goes_on_where_it_was():
    replay, other = filled(33, n_step=2, capacity=40), Replay(40, 2, (), "int32", gamma=GAMMA, n_step=2)
    other.set_state(replay.get_state())
    for one in (replay, other):
        one.add([7, 7], [1, 1], [1, 1], [False, False], [False, False])
    for name in replay.held:
        np.testing.assert_array_equal(replay.held[name], other.held[name])
    one, two = (each.draw((9,), np.random.default_rng(1)) for each in (replay, other))
    np.testing.assert_array_equal(one["observation"], two["observation"])


def test_a_frame_is_kept_once():
    replay = Replay(1_000_000, 8, (84, 84, 1), "uint8", stack=4)  # zeros that nobody wrote to take no memory
    assert replay.nbytes < 8e9
    assert replay.nbytes == 1_000_000 * (84 * 84 + 4 + 4 + 1 + 1 + 1)


def test_bad_numbers_are_refused():
    with pytest.raises(ZooError, match="capacity.*at least"):
        Replay(3, 2, (), "int32")
    with pytest.raises(ZooError, match="priority"):
        Replay(30, 2, (), "int32", priority=2)
    with pytest.raises(ZooError, match="warmup"):
        Replay(30, 2, (), "int32").draw((3,), np.random.default_rng(0))
