"""The U-Net's weight map against closed forms and a computation pixel by pixel."""

import numpy as np
import pytest
from scipy import ndimage

from zoo.data import borders
from zoo.errors import ZooError


def _cells(seed, height=26, width=31):
    """A mask of a few blobs of two classes, some of them touching."""
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(2, height, width)), (0, 2, 2))
    return np.where(smooth[0] > 0.05, 1 + (smooth[1] > 0), 0)


def _by_pixels(mask, w0, sigma):
    """Equation 2 without w_c, from the distances of each pixel to all pixels of each cell."""
    cells = []
    for kind in (1, 2):
        labelled, count = ndimage.label(mask == kind)
        cells += [np.argwhere(labelled == k + 1) for k in range(count)]
    weights = np.zeros(mask.shape)
    for place in np.argwhere(mask == 0):
        nearest = sorted(np.sqrt(((cell - place) ** 2).sum(1)).min() for cell in cells)
        weights[tuple(place)] = w0 * np.exp(-((nearest[0] + nearest[1]) ** 2) / (2 * sigma**2))
    return weights, len(cells)


@pytest.mark.parametrize("seed, sigma", [(0, 5.0), (1, 3.0), (2, 1.0)])
def test_it_is_the_equation_of_the_paper_pixel_by_pixel(seed, sigma):
    mask = _cells(seed)
    expected, count = _by_pixels(mask, 10.0, sigma)
    found = borders.weight_map(mask, 10.0, sigma, class_weights=False)
    assert count > 4 and found.dtype == np.float32 and found.max() > 2
    # What lies beyond 6 sigma is left out.
    np.testing.assert_allclose(found, 1 + expected, rtol=1e-5, atol=10 * np.exp(-18))


@pytest.mark.parametrize("gap", [1, 2, 5, 12])
def test_between_two_half_planes_it_is_constant(gap):
    mask = np.ones((9, 40), "uint8")
    mask[:, 14 : 14 + gap] = 0
    found = borders.weight_map(mask, 8.0, 4.0, class_weights=False)
    np.testing.assert_allclose(found[mask == 0], 1 + 8 * np.exp(-((gap + 1) ** 2) / 32), rtol=1e-6)
    assert (found[mask == 1] == 1).all()
    np.testing.assert_array_equal(borders.weight_map(mask.T, 8.0, 4.0, class_weights=False), found.T)


def test_cells_that_touch_at_a_corner_or_are_of_two_classes_are_two():
    corner = np.array([[1, 0], [0, 1]])
    both = np.array([[1, 2], [0, 0]])
    one = np.array([[1, 1], [0, 1]])
    weight = [borders.weight_map(mask, class_weights=False)[1, 0] for mask in (corner, both, one)]
    distances = (1 + 1, 1 + np.sqrt(2))
    np.testing.assert_allclose(weight[:2], [1 + 10 * np.exp(-(d**2) / 50) for d in distances], rtol=1e-6)
    assert weight[2] == 1


@pytest.mark.parametrize("mask", [np.zeros((5, 6), int), np.pad([[1]], 4), np.ones((5, 6), int)])
def test_with_fewer_than_two_cells_only_the_classes_count(mask):
    np.testing.assert_array_equal(borders.weight_map(mask), borders.balance(mask)[mask])


def test_far_from_two_cells_there_is_no_weight():
    mask = np.zeros((3, 200), int)
    mask[:, 0], mask[:, 199] = 1, 1
    assert (borders.weight_map(mask, class_weights=False) == 1).all()


def test_class_weights_balance_the_classes_over_all_masks():
    masks = np.stack([_cells(seed) for seed in range(3)])
    found = borders.weight_map(masks, w0=0)
    assert found.mean() == pytest.approx(1, rel=1e-5)
    totals = [found[masks == k].sum() for k in range(3)]
    np.testing.assert_allclose(totals, masks.size / 3, rtol=1e-4)
    own = [borders.weight_map(mask, class_weights=borders.balance(masks)) for mask in masks]
    np.testing.assert_array_equal(np.stack(own), borders.weight_map(masks))
    given = borders.weight_map(masks, w0=0, class_weights=(1, 2, 3))
    np.testing.assert_array_equal(given, 1 + masks)
    np.testing.assert_allclose(borders.balance(np.array([0, 0, 0, 2]), 4), [2 / 3, 1, 2, 1])


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(mask=np.zeros((4, 4))), "mask must be integers >= 0.*float64"),
        (dict(mask=np.full((4, 4), -1)), "mask must be integers >= 0"),
        (dict(mask=np.zeros(4, int)), r"mask must be .*\(4,\)"),
        (dict(mask=np.eye(4, dtype=int), w0=-1), "w0 must be"),
        (dict(mask=np.eye(4, dtype=int), sigma=0), "sigma must be"),
        (dict(mask=np.eye(4, dtype=int), class_weights=(1.0,)), "one number for each class"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ZooError, match=message):
        borders.weight_map(**arguments)
