"""The adding problem: where the marks are, what the answer is, and what may be known without memory."""

import numpy as np
import pytest

from zoo.data.long_range import CONSTANT, adding
from zoo.errors import ZooError


@pytest.mark.parametrize("length", [2, 3, 51])
def test_one_number_of_each_half_is_marked_and_their_sum_is_the_answer(length):
    data = adding(16, length=length, examples=2000, seed=0)
    assert [stream.size for stream in data.parts.values()] == [2000, 200, 200]
    for stream in data.parts.values():
        x, y = stream.arrays
        assert x.dtype == y.dtype == np.float32
        assert x.shape[1:] == (length, 2) and y.shape[1:] == (1,)
        values, marks = x[..., 0], x[..., 1]
        assert set(np.unique(marks)) <= {0, 1}
        half = length // 2
        assert (marks[:, :half].sum(1) == 1).all() and (marks[:, half:].sum(1) == 1).all()
        np.testing.assert_allclose((values * marks).sum(1), y[:, 0], atol=1e-6)
        assert values.min() >= 0 and values.max() < 1


def test_marks_are_anywhere_in_their_half_and_numbers_are_uniform():
    (x, _) = adding(16, length=10, examples=50_000, seed=3).train.arrays
    counts = x[..., 1].sum(0)
    assert np.abs(counts - 10_000).max() < 4 * np.sqrt(50_000 * 0.2 * 0.8)
    assert x[..., 0].mean() == pytest.approx(0.5, abs=4 / np.sqrt(12 * 500_000))
    assert x[..., 0].var() == pytest.approx(1 / 12, abs=4 * np.sqrt((1 / 80 - 1 / 144) / 500_000))


def test_the_constant_answer_has_the_variance_of_the_sum():
    (_, y) = adding(16, length=4, examples=50_000, seed=0).train.arrays
    # The fourth moment of the sum of two uniform numbers about its mean is 1 / 15.
    error = np.sqrt((1 / 15 - 1 / 36) / 50_000)
    assert np.square(y - 1).mean() == pytest.approx(CONSTANT, abs=4 * error)
    assert y.var() == pytest.approx(CONSTANT, abs=4 * error)


def test_the_seed_makes_the_training_and_validation_sequences_and_leaves_the_test_alone():
    one, same, other = (adding(16, length=6, examples=100, seed=seed) for seed in (0, 0, 1))
    for part in ("train", "validation", "test"):
        first, again, differs = (data.parts[part].fingerprint for data in (one, same, other))
        assert first == again and (first != differs) == (part != "test")
    drawn = [one.parts[part].arrays[0][:10] for part in one.parts]
    assert not any((a == b).all() for a, b in [(drawn[0], drawn[1]), (drawn[1], drawn[2]), (drawn[0], drawn[2])])


@pytest.mark.parametrize(
    "wrong, message",
    [
        (dict(length=1), "length must be an integer >= 2. Received: length=1"),
        (dict(length=True), "length must be an integer >= 2"),
        (dict(length=10.0), "length must be an integer >= 2"),
        (dict(examples=9), "examples must be an integer >= 10"),
        (dict(seed=-1), "seed must be an integer"),
        (dict(batch_size=0), "batch_size must be a whole number >= 1"),
    ],
)
def test_what_is_refused(wrong, message):
    with pytest.raises(ZooError, match=message):
        adding(**wrong)
