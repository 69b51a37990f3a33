"""Stratified splits, and `from_arrays`, which makes those that a source does not come with."""

import numpy as np
import pytest

from zoo.data import check_labels, from_arrays
from zoo.data.split import sample, stratified
from zoo.errors import ZooError


def test_each_class_is_split_in_the_same_proportion():
    labels = np.repeat([0, 1, 2], [100, 50, 10])[np.random.default_rng(0).permutation(160)]
    first, second = stratified(labels, 0.1, seed=1)
    np.testing.assert_array_equal(np.sort(np.concatenate([first, second])), np.arange(160))
    np.testing.assert_array_equal(np.bincount(labels[second]), [10, 5, 1])
    assert (np.diff(first) > 0).all() and (np.diff(second) > 0).all()


def test_the_total_is_exact_and_the_largest_remainders_get_the_rest():
    # Shares of 4.2, 4.8 and 5.5: 14.5 is rounded up to 15, and the two last classes have the largest remainders.
    labels = np.repeat([0, 1, 2], [42, 48, 55])
    _, second = stratified(labels, 0.1, seed=0)
    np.testing.assert_array_equal(np.bincount(labels[second]), [4, 5, 6])


def test_small_classes_are_in_both_parts_when_they_can_be():
    labels = np.repeat([0, 1, 2, 3], [100, 2, 1, 3])
    first, second = stratified(labels, 0.1, seed=0)
    assert np.bincount(labels[second], minlength=4)[[1, 2, 3]].tolist() == [1, 0, 1]
    first, second = stratified(labels, 0.9, seed=0)
    assert np.bincount(labels[first], minlength=4)[[1, 2, 3]].tolist() == [1, 1, 1]


def test_the_split_is_a_function_of_the_seed():
    labels = np.arange(200) % 4
    same = [stratified(labels, 0.3, seed)[1] for seed in (5, 5, 6)]
    np.testing.assert_array_equal(same[0], same[1])
    assert len(np.intersect1d(same[0], same[2])) < 40


def test_a_sample_is_exact_and_has_every_class():
    labels = np.repeat([0, 1, 2], [20, 20, 1])
    for examples in range(3, 42):
        drawn = sample(labels, examples, seed=0)
        counts = np.bincount(labels[drawn], minlength=3)
        assert len(set(drawn)) == counts.sum() == examples
        assert abs(counts[0] - counts[1]) <= 1 and counts[2] == 1
    with pytest.raises(ZooError, match="examples must be a whole number from 3, one of each class, to 41, all of them"):
        sample(labels, 2, seed=0)


def test_the_test_part_is_the_same_for_every_seed_and_no_example_is_in_two_parts():
    x = np.arange(100, dtype="float32")[:, None]
    both = [from_arrays((x, np.arange(100) % 2), 8, seed=seed) for seed in (0, 1)]
    tests = [data.test.arrays[0] for data in both]
    np.testing.assert_array_equal(*tests)
    assert (both[0].validation.arrays[0] != both[1].validation.arrays[0]).any()
    everything = np.concatenate([part.arrays[0] for part in both[0].parts.values()])
    np.testing.assert_array_equal(np.sort(everything[:, 0]), x[:, 0])
    assert [part.size for part in both[0].parts.values()] == [72, 8, 20]


def test_parts_of_ones_own_are_kept_and_validation_can_be_left_out():
    x, y = np.zeros((10, 2), "float32"), np.arange(10) % 2
    data = from_arrays((x, y), 4, validation=(x[:3], y[:3]), test=(x[:4], y[:4]), labels=("a", "b"))
    assert [part.size for part in data.parts.values()] == [10, 3, 4] and data.labels == ("a", "b")
    data = from_arrays((x, y), 4, validation=0, test=(x, y))
    assert data.validation is None and data.labels == ("0", "1")


def test_quantities_make_a_column():
    data = from_arrays((np.zeros((20, 2), "float32"), np.linspace(0, 1, 20)), 4)
    assert data.labels is None and data.train.batch(0, 0)[1].shape == (4, 1)
    assert data.train.arrays[1].dtype == np.float32


def test_labels_outside_the_range_are_named():
    with pytest.raises(
        ZooError, match=r"outside the range: 3 classes have the labels 0 to 2, and 2 .* 3, of example 1"
    ):
        check_labels(np.array([0, 3, -1, 2]), ("a", "b", "c"))
    x = np.zeros((20, 2), "float32")
    with pytest.raises(ZooError, match="outside the range.*test examples"):
        from_arrays((x, np.arange(20) % 2), 4, test=(x, np.arange(20) % 3), labels=("a", "b"))


@pytest.mark.parametrize(
    "y, named, message",
    [
        (np.zeros(20, int), {}, "of one class"),
        (np.arange(20) % 2, dict(validation=1.0), "validation must be a share"),
        (np.arange(19), {}, "one number for each of the 20 x"),
        (np.zeros(20), dict(labels=("a",)), "labels must be None"),
        (np.arange(20) % 2, dict(test=(np.zeros(3),)), "a pair"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(y, named, message):
    with pytest.raises(ZooError, match=message):
        from_arrays((np.zeros((20, 2), "float32"), y), 4, **named)


def test_too_few_examples_are_refused():
    with pytest.raises(ZooError, match="too few to split"):
        from_arrays((np.zeros((2, 2), "float32"), np.arange(2)), 1)
