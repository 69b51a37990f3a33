"""Augmentations: vectorised, stateless, exact."""

import numpy as np
import pytest
import tensorflow as tf

from zoo.data import Stream, affine, crop, cutout, elastic, flip, randaugment, shift
from zoo.errors import ZooError

ALL = {
    "shift": shift(2),
    "crop": crop(2),
    "crop_reflect": crop(2, "reflect"),
    "flip": flip(),
    "cutout": cutout(4),
    "affine": affine(rotation=30, zoom=0.3, shear=0.2, translate=0.2),
    "elastic": elastic(12, 2),
    "randaugment": randaugment(2, 20),
}


def _images(height=9, width=7, channels=1, count=5):
    return np.random.default_rng(0).integers(0, 256, (count, height, width, channels), np.uint8)


def _with(*numbers):
    """The draws of every example."""
    return lambda count: np.tile(np.float32(numbers), (5, 1))[:, :count]


def _random(count_of_images, seed=0):
    def draws(count):
        return np.random.default_rng(seed).random((count_of_images, count), np.float32)

    return draws


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("channels", [1, 3])
def test_shape_and_type_stay_and_tensors_give_the_bytes_of_arrays(name, channels):
    images = _images(channels=channels, count=64)
    changed = ALL[name](images, _random(64))
    assert changed.shape == images.shape and changed.dtype == np.uint8
    assert (changed != images).any(axis=(1, 2, 3)).mean() > 0.3

    @tf.function
    def graph(images):
        return ALL[name](images, lambda count: tf.constant(_random(64)(count)))

    np.testing.assert_array_equal(graph(tf.constant(images)), changed)


@pytest.mark.parametrize("op", [shift(0), crop(0), crop(0, "reflect"), affine(), elastic(alpha=0)])
@pytest.mark.parametrize("channels", [1, 3])
def test_zero_strength_changes_nothing(op, channels):
    images = _images(channels=channels)
    np.testing.assert_array_equal(op(images, _random(5)), images)


@pytest.mark.parametrize("op", [shift(2), crop(2)])
def test_known_shifts(op):
    images = _images()
    down_right = op(images, _with(0.0, 0.0))
    np.testing.assert_array_equal(down_right[:, 2:, 2:], images[:, :-2, :-2])
    assert not down_right[:, :2].any() and not down_right[:, :, :2].any()
    np.testing.assert_array_equal(op(images, _with(0.5, 0.5)), images)
    up = op(images, _with(0.99, 0.5))
    np.testing.assert_array_equal(up[:, :-2], images[:, 2:])
    assert not up[:, -2:].any()


def test_all_shifts_are_equally_likely():
    stream = Stream((np.zeros((5000, 5, 5, 1), np.uint8), np.zeros(5000)), 5000, 0, shuffle=False, augment=shift(1))
    stream.arrays[0][:, 2, 2] = 255
    moved = stream.batch(0, 0)[0][..., 0]
    counts = (moved == 255).sum(axis=0)
    assert counts[1:4, 1:4].sum() == 5000
    assert np.abs(counts[1:4, 1:4] - 5000 / 9).max() < 4 * np.sqrt(5000 / 9)


def test_crop_reflects_at_the_border():
    images = _images(channels=3)
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), "reflect")
    np.testing.assert_array_equal(crop(2, "reflect")(images, _with(0.0, 0.99)), padded[:, :9, 4:])


def test_flip_mirrors_below_one_half():
    images = _images(channels=3)
    draws = np.float32([[0.0], [0.49], [0.5], [0.99], [0.2]])
    flipped = flip()(images, lambda count: draws)
    np.testing.assert_array_equal(flipped[[0, 1, 4]], images[[0, 1, 4], :, ::-1])
    np.testing.assert_array_equal(flipped[[2, 3]], images[[2, 3]])


def test_affine_moves_by_whole_and_half_pixels():
    images = _images(8, 8)
    half = 0.5
    down = affine(translate=1 / 8)(images, _with(half, half, half, 1.0, half))
    np.testing.assert_array_equal(down[:, 1:], images[:, :-1])
    assert not down[:, 0].any()
    left = affine(translate=1 / 16)(images, _with(half, half, half, half, 0.0))
    mean = (images[:, :, :-1].astype(int) + images[:, :, 1:] + 1) // 2
    np.testing.assert_array_equal(left[:, :, :-1], mean)


@pytest.mark.parametrize("size", [7, 8])
def test_affine_turns_by_quarters(size):
    images = _images(size, size, 3)
    turned = affine(rotation=90)(images, _with(1.0, 0.5, 0.5, 0.5, 0.5))
    back = affine(rotation=90)(turned, _with(0.0, 0.5, 0.5, 0.5, 0.5))
    np.testing.assert_array_equal(turned, np.rot90(images, 1, axes=(1, 2)))
    np.testing.assert_array_equal(back, images)
    upside_down = affine(rotation=180)(images, _with(1.0, 0.5, 0.5, 0.5, 0.5))
    np.testing.assert_array_equal(upside_down, images[:, ::-1, ::-1])


def test_affine_slants_rows_about_the_middle_one():
    images = _images(7, 7)
    slanted = affine(shear=1.0)(images, _with(0.5, 0.5, 1.0, 0.5, 0.5))
    np.testing.assert_array_equal(slanted[:, 3], images[:, 3])
    np.testing.assert_array_equal(slanted[:, 4, :-1], images[:, 4, 1:])
    np.testing.assert_array_equal(slanted[:, 1, 2:], images[:, 1, :-2])


def test_affine_halves_the_size():
    images = _images(8, 8)
    small = affine(zoom=0.5)(images, _with(0.5, 0.0, 0.5, 0.5, 0.5))
    blocks = images.reshape(5, 4, 2, 4, 2, 1).mean(axis=(2, 4))
    np.testing.assert_allclose(small[:, 2:6, 2:6], blocks, atol=0.5)
    assert not small[:, :2].any() and not small[:, 6:].any()


def test_elastic_displaces_by_the_deviation_of_the_paper():
    # On a ramp of 4 values a pixel the change in the middle is the displacement.
    ramp = np.tile(np.arange(64, dtype=np.uint8) * 4, (400, 64, 1))[..., None]
    moved = elastic(alpha=34, sigma=4)(ramp, _random(400)).astype(float)
    displacement = (moved - ramp)[:, 24:40, 24:40] / 4
    assert displacement.std() == pytest.approx(34 / (6.14 * 4), rel=0.05)
    assert abs(displacement.mean()) < 0.1
    # Smooth: neighbours move alike, pixels four sigma apart do not.
    near = np.corrcoef(displacement[:, :, :-1].ravel(), displacement[:, :, 1:].ravel())[0, 1]
    far = np.corrcoef(displacement[:, :, 0].ravel(), displacement[:, :, 15].ravel())[0, 1]
    assert near > 0.95 and abs(far) < 0.2


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: shift(-1), "pixels must be a whole number of pixels >= 0"),
        (lambda: shift(0.5), "pixels must be"),
        (lambda: crop(1.5), "padding must be"),
        (lambda: crop(2, "reflekt"), "mode must be one of 'zeros', 'reflect'.*Did you mean 'reflect'"),
        (lambda: affine(rotation=270), "rotation must be an angle of 0 to 180 degrees"),
        (lambda: affine(zoom=1.0), "zoom must be"),
        (lambda: affine(shear=-0.1), "shear must be"),
        (lambda: affine(translate=4), "translate must be a share of the side"),
        (lambda: elastic(alpha=-1), "alpha must be"),
        (lambda: elastic(sigma=0.5), "sigma must be"),
    ],
)
def test_bad_strengths_are_refused(make, message):
    with pytest.raises(ZooError, match=message):
        make()


def test_cutout_covers_a_square_and_at_the_border_a_part_of_it():
    images = _images(count=5) | 1  # nothing is 0 before
    covered = cutout(3, fill=0)(images, _with(0.5, 0.5))
    rows, columns = np.nonzero(covered[0, :, :, 0] == 0)
    assert set(rows) == {3, 4, 5} and set(columns) == {2, 3, 4} and len(rows) == 9
    corner = cutout(3, fill=0)(images, _with(0.0, 0.0))
    assert (corner[0, :2, :2] == 0).all() and (corner == 0).sum() == 5 * 4
    np.testing.assert_array_equal(covered[covered != 0], images[covered != 0])


@pytest.mark.parametrize("arguments", [dict(size=0), dict(size=2.5), dict(size=3, fill=256)], ids=str)
def test_an_impossible_square_is_refused(arguments):
    with pytest.raises(ZooError, match="must be an integer"):
        cutout(**arguments)
