"""Scores of whole images: overlaps by hand, both errors of the ISBI challenge against counting pairs of pixels."""

import itertools
import math

import numpy as np
import pytest

from zoo.errors import ZooError
from zoo.segmentation_scores import (
    THRESHOLDS,
    confusion,
    dice,
    foreground_error,
    information_error,
    iou,
    partition_errors,
    pixel_error,
    rand_error,
)

TRUTH = np.array([[0, 0, 1], [1, 1, 2]])
PREDICTED = np.array([[0, 1, 1], [1, 0, 2]])


def test_overlaps_by_hand():
    np.testing.assert_array_equal(
        confusion(TRUTH, PREDICTED, 4), np.diag([1, 2, 1, 0]) + np.eye(4)[[1, 0, 3, 3]] * [[1], [1], [0], [0]]
    )
    np.testing.assert_allclose(iou(TRUTH, PREDICTED, 4), [1 / 3, 2 / 4, 1, np.nan])
    np.testing.assert_allclose(dice(TRUTH, PREDICTED, 4), [2 / 4, 4 / 6, 1, np.nan])
    assert pixel_error(TRUTH, PREDICTED) == 2 / 6


def test_true_pixels_without_a_class_are_left_out():
    truth = TRUTH.astype("uint8").copy()
    truth[0, 1] = 255
    np.testing.assert_array_equal(confusion(truth, PREDICTED, 3), [[1, 0, 0], [1, 2, 0], [0, 0, 1]])
    assert confusion(np.full((2, 2), 255), np.zeros((2, 2), int), 2).sum() == 0


def test_images_that_do_not_belong_together_are_refused():
    for score in (pixel_error, partition_errors, lambda a, b: iou(a, b, 3)):
        with pytest.raises(ZooError, match=r"the same shape. Received: \(2, 3\) and \(3, 2\)"):
            score(TRUTH, PREDICTED.T)
    with pytest.raises(ZooError, match=r"predicted must be classes 0..1. Received: 0..2"):
        confusion(TRUTH.clip(0, 1), PREDICTED, 2)


def _image(*rows):
    """`#` is border, all else inside."""
    return np.array([[character != "#" for character in row] for row in rows]).astype(int)


TWO = _image("..#..", "..#..", "..#..")
ONE = _image(".....", ".....", ".....")


def _pairs(truth, found):
    """V_Rand, counted over all pairs of inside pixels."""
    together = in_truth = in_found = 0
    for (a, b), (c, d) in itertools.combinations(zip(truth, found, strict=True), 2):
        together += a == c and b == d
        in_truth += a == c
        in_found += b == d
    return 2 * together / (in_truth + in_found)


def _information(truth, found):
    """V_Info from the definition of mutual information."""

    def share(pixels):
        return {value: pixels.count(value) / len(pixels) for value in pixels}

    t, s, both = share(truth), share(found), share(list(zip(truth, found, strict=True)))
    mutual = sum(p * math.log(p / (t[a] * s[b])) for (a, b), p in both.items())
    entropies = [-sum(p * math.log(p) for p in each.values()) for each in (t, s)]
    return mutual / (sum(entropies) / 2)


def test_a_merge_by_hand():
    # Two regions of six pixels become one of twelve: 2 * 15 pairs are rightly together, of 2 * 15 true and 66 found.
    errors = partition_errors(TWO, ONE)
    assert errors.rand == pytest.approx(1 - 2 * 30 / (30 + 66))
    assert errors.information == pytest.approx(1.0)  # one region says nothing of two


def test_a_split_by_hand():
    truth, found = _image("........#...."), _image("..##....#....")
    # The cut goes to both sides: of eight pixels three and five are together.
    pixels = [1] * 8 + [2] * 4, [1] * 3 + [3] * 5 + [2] * 4
    errors = partition_errors(truth, found)
    assert errors.rand == pytest.approx(1 - 2 * (3 + 10 + 6) / ((28 + 6) + (3 + 10 + 6)))
    assert errors.rand == pytest.approx(1 - _pairs(*pixels))
    assert errors.information == pytest.approx(1 - _information(*pixels))


def test_the_width_of_borders_costs_nothing():
    narrow, wide = _image("....#....", "....#...."), _image("..#####..", "..#####..")
    assert partition_errors(narrow, wide)[:2] == (0, 0)
    assert partition_errors(wide, narrow)[:2] == (0, 0)
    assert partition_errors(TWO, TWO)[:2] == (0, 0)
    assert partition_errors(ONE, ONE)[:2] == (0, 0)


def test_regions_touch_along_sides_only():
    corners = _image("..##", "..##", "##..", "##..")
    assert partition_errors(corners, corners)[:2] == (0, 0)
    assert partition_errors(corners, np.ones((4, 4))).rand == pytest.approx(1 - 2 * 12 / (12 + 28))


def test_numbers_of_regions_separate_what_touches():
    numbered = np.array([[1, 1, 2, 2]])
    assert rand_error(numbered, np.ones((1, 4))) == pytest.approx(1 - 2 * 2 / (2 + 6))


@pytest.mark.parametrize("seed", range(8))
def test_pairs_and_mutual_information_of_random_partitions(seed):
    # Where the prediction is inside wherever the truth is, nothing that counts has grown: regions are its components.
    draw = np.random.default_rng(seed)
    truth = (draw.random((8, 9)) < 0.55).astype(int)
    interior = np.maximum(truth, draw.random((8, 9)) < 0.1)
    regions, found = _components(truth), _components(interior)
    inside = truth > 0
    errors = partition_errors(truth, interior)
    pixels = regions[inside].tolist(), found[inside].tolist()
    assert errors.rand == pytest.approx(1 - _pairs(*pixels))
    assert errors.information == pytest.approx(1 - _information(*pixels))


def _components(interior):
    """Numbers of the 4-connected components, by walking."""
    numbers = np.zeros(interior.shape, int)
    for start in zip(*np.nonzero(interior), strict=True):
        if numbers[start]:
            continue
        waiting, number = [start], numbers.max() + 1
        while waiting:
            row, column = waiting.pop()
            inside = 0 <= row < interior.shape[0] and 0 <= column < interior.shape[1]
            if inside and interior[row, column] and not numbers[row, column]:
                numbers[row, column] = number
                waiting += [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
    return numbers


def test_the_best_threshold_is_found():
    # The border is seen with 0.35, the regions with 0.75: thresholds from 0.4 to 0.7 part them, lower ones do not.
    probability = np.where(TWO, 0.75, 0.35)
    errors = partition_errors(TWO, probability)
    assert errors == (0, 0, 0.4, 0.4)
    assert partition_errors(TWO, probability, thresholds=[0.1, 0.7]).rand_threshold == 0.7
    assert rand_error(TWO, probability, [0.1]) == rand_error(TWO, ONE) > 0
    assert information_error(TWO, probability, [0.1]) == information_error(TWO, ONE) > 0
    assert rand_error(TWO, probability, [0.8]) == information_error(TWO, probability, [0.8]) == 1  # no region is left
    assert len(THRESHOLDS) == 10


def test_several_images_share_a_threshold():
    low, high = np.where(TWO, 0.3, 0.1), np.where(TWO, 0.9, 0.7)
    assert rand_error(TWO, low) == rand_error(TWO, high) == 0
    both = partition_errors(np.stack([TWO, TWO]), np.stack([low, high]))
    # At 0.1 and 0.2 the second image is one region; from 0.3 on the first has none.
    assert both.rand == pytest.approx(rand_error(TWO, ONE) / 2)


@pytest.mark.parametrize(
    ("truth", "probability", "said"),
    [
        (np.zeros((3, 3), int), np.ones((3, 3)), "truth must have two pixels of one region"),
        (np.eye(3, dtype=int), np.ones((3, 3)), "truth must have two pixels of one region"),
        (TWO, 2.0 * TWO, "probability must be numbers 0..1"),
        (TWO, np.where(TWO, np.nan, 0), "probability must be numbers 0..1"),
        (TWO[0], TWO[0], "truth must be of shape"),
    ],
)
def test_what_cannot_be_scored(truth, probability, said):
    with pytest.raises(ZooError, match=said):
        partition_errors(truth, probability)


@pytest.mark.parametrize("thresholds", [[], [1.0], [-0.1, 0.5]])
def test_thresholds_out_of_range(thresholds):
    with pytest.raises(ZooError, match="thresholds must be numbers 0 <= threshold < 1"):
        rand_error(TWO, TWO, thresholds)


def test_the_challenges_pixel_error_is_of_the_foreground():
    random = np.random.default_rng(0)
    truth, probability = random.integers(0, 3, (2, 9, 7)), random.random((2, 9, 7))
    best = 0.0
    for threshold in (0.2, 0.5, 0.8):
        found, true = probability > threshold, truth > 0
        precision, recall = (found & true).sum() / found.sum(), (found & true).sum() / true.sum()
        best = max(best, 2 * precision * recall / (precision + recall))
    assert foreground_error(truth, probability, (0.2, 0.5, 0.8)) == pytest.approx(1 - best)
    assert foreground_error(truth, (truth > 0) * 1.0) == 0
    # Nothing found at all scores nothing.
    assert foreground_error(truth, np.zeros(truth.shape), (0.5,)) == 1
    with pytest.raises(ZooError, match="labels with foreground"):
        foreground_error(np.zeros((3, 3), int), np.zeros((3, 3)))
