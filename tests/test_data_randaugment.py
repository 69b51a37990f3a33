"""RandAugment: each operation against Pillow's, drawn with equal probability."""

from collections import Counter

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from zoo.data import Stream, randaugment
from zoo.data.randaugment import MOVES, OPERATIONS, apply
from zoo.errors import ZooError

ENHANCED = ("brightness", "contrast", "color", "sharpness")
SETTINGS = [(magnitude, channels) for magnitude in (4, 9, 30) for channels in (1, 3)]


def _images(channels, height=21, width=32, count=8):
    """Smooth pictures, noise, a picture of few values, and one of a single value."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, height, width, channels), np.uint8)
    y, x = np.mgrid[:height, :width]
    for k in range(count - 4):
        waves = np.stack([np.sin(y / rng.uniform(3, 9) + x / rng.uniform(3, 9)) for _ in range(channels)], -1)
        images[k] = 120 + 90 * waves + images[k] / 16
    images[-2] = images[-2] // 64 * 40 + 50
    images[-1] = 77
    return images


def _applied(images, name, magnitude, sign=1, fill=128):
    kind = np.full(len(images), OPERATIONS.index(name))
    return apply(images, kind, np.full(len(images), sign), magnitude, fill)


def _pillow(images, function):
    def changed(image):
        grey = image.shape[2] == 1
        result = np.asarray(function(Image.fromarray(image[..., 0] if grey else image)))
        return result[..., None] if grey else result

    return np.stack([changed(image) for image in images])


@pytest.mark.parametrize("magnitude, channels", SETTINGS)
def test_posterize_solarize_and_equalize_are_those_of_pillow(magnitude, channels):
    images = _images(channels)
    bits, threshold = 8 - round(4 * magnitude / 30), round(256 - 256 * magnitude / 30)
    for name, function in {
        "posterize": lambda image: ImageOps.posterize(image, bits),
        "solarize": lambda image: ImageOps.solarize(image, threshold),
        "equalize": ImageOps.equalize,
        "identity": lambda image: image,
    }.items():
        np.testing.assert_array_equal(_applied(images, name, magnitude), _pillow(images, function), err_msg=name)


@pytest.mark.parametrize("channels", [1, 3])
def test_autocontrast_is_exact_where_pillow_rounds_down(channels):
    images = _images(channels)
    images[:4] = images[:4] // 2 + np.arange(4, dtype=np.uint8)[:, None, None, None] * 17
    low, high = (function(images.astype(int), axis=(1, 2), keepdims=True) for function in (np.min, np.max))
    exact = np.where(high > low, (images - low) * 255 // np.maximum(high - low, 1), images)
    changed = _applied(images, "autocontrast", 9)
    np.testing.assert_array_equal(changed, exact)
    assert changed[:-1].min() == 0 and changed[:-1].max() == 255 and (changed[-1] == 77).all()
    below = changed.astype(int) - _pillow(images, ImageOps.autocontrast)
    assert set(np.unique(below)) <= {0, 1} and (below != 0).mean() < 0.05


@pytest.mark.parametrize("name", ENHANCED)
@pytest.mark.parametrize("magnitude, channels", SETTINGS)
def test_enhancements_are_those_of_pillow(name, magnitude, channels):
    images = _images(channels)
    for sign in (0, 1):
        factor = 1 + (2 * sign - 1) * 0.9 * magnitude / 30
        expected = _pillow(images, lambda image: getattr(ImageEnhance, name.title())(image).enhance(factor))  # noqa: B023
        changed = _applied(images, name, magnitude, sign)
        # Pillow's float32 may fall short of a whole number.
        difference = changed.astype(int) - expected
        assert set(np.unique(difference)) <= {0, 1} and (difference != 0).mean() < 0.02
        assert (changed == images).all() == (name == "color" and channels == 1)


def _matrix(name, magnitude, sign, height, width):
    """Pillow's coefficients: the place that a pixel of the result comes from."""
    share = (2 * sign - 1) * magnitude / 30
    return {
        "shear_x": (1, 0.3 * share, 0, 0, 1, 0),
        "shear_y": (1, 0, 0, 0.3 * share, 1, 0),
        "translate_x": (1, 0, int(150 / 331 * width * share), 0, 1, 0),
        "translate_y": (1, 0, 0, 0, 1, int(150 / 331 * height * share)),
    }[name]


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("magnitude, channels", [(9, 3), (30, 1)])
def test_moves_are_those_of_pillow(name, magnitude, channels):
    images = _images(channels)
    height, width = images.shape[1:3]
    for sign in (0, 1):

        def moved(image, sign=sign):
            if name == "rotate":
                return image.rotate((2 * sign - 1) * magnitude, Image.Resampling.BILINEAR)
            matrix = _matrix(name, magnitude, sign, height, width)
            return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)

        changed, expected = _applied(images, name, magnitude, sign, fill=0), _pillow(images, moved)
        # At its border Pillow repeats pixels, where here they fade into what lies outside.
        inside, outside = (_applied(np.full_like(images, 255), name, magnitude, sign, fill=fill) for fill in (0, 255))
        assert (outside == 255).all() and 0.5 < (inside == 255).mean() < 1
        difference = np.abs(changed.astype(int) - expected)
        assert difference[inside == 255].max() <= (0 if "translate" in name else 2)
        np.testing.assert_array_equal(changed[inside == 0], expected[inside == 0])
        filled = _applied(images, name, magnitude, sign, fill=99)
        assert (filled[inside == 0] == 99).all()
        np.testing.assert_array_equal(filled[inside == 255], changed[inside == 255])


def test_at_magnitude_zero_only_the_two_without_a_magnitude_do_anything():
    images = _images(3)
    for name in OPERATIONS:
        for sign in (0, 1):
            still = (_applied(images, name, 0, sign) == images).all()
            assert still == (name not in ("autocontrast", "equalize")), name


def test_each_image_gets_its_own_operation():
    images = _images(3, count=28)
    kind, sign = np.repeat(np.arange(14), 2), np.tile([0, 1], 14)
    together = apply(images, kind, sign, 9)
    alone = [apply(images[k : k + 1], kind[k : k + 1], sign[k : k + 1], 9)[0] for k in range(28)]
    np.testing.assert_array_equal(together, alone)


def test_operations_and_directions_are_equally_likely_and_drawn_independently():
    image = _images(3, 20, 20, 5)[:1] // 2
    kind, sign = np.repeat(np.arange(14), 2), np.tile([0, 1], 14)
    once = apply(np.repeat(image, 28, 0), kind, sign, 30)
    # Five have no direction; the others' are seen apart.
    assert len(np.unique(once.reshape(28, -1), axis=0)) == 5 + 9 * 2
    twice = apply(np.repeat(once, 28, 0), np.tile(kind, 28), np.tile(sign, 28), 30)
    size = 5600
    arrays = np.repeat(image, size, 0), np.arange(size)
    for operations, equally_likely in ((1, once), (2, twice)):
        drawn = Stream(arrays, size, 1, augment=randaugment(operations, 30)).batch(0, 0)[0]
        expected, found = (Counter(each.tobytes() for each in images) for images in (equally_likely, drawn))
        assert set(found) <= set(expected)
        share = size / len(equally_likely)
        statistic = sum((found[each] - share * count) ** 2 / (share * count) for each, count in expected.items())
        # Chi-squared with as many degrees of freedom as there are outcomes, less one.
        freedom = len(expected) - 1
        assert abs(statistic - freedom) < 4 * np.sqrt(2 * freedom)


def test_the_largest_number_there_is_draws_the_last_operation():
    images = _images(1)
    largest = np.full((len(images), 2), 1 - 2**-24, "float32")
    changed = randaugment(1, 9)(images, lambda count: largest)
    np.testing.assert_array_equal(changed, _applied(images, OPERATIONS[-1], 9))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(operations=0), "operations must be an integer 1..100"),
        (dict(magnitude=31), "magnitude must be an integer 0..30"),
        (dict(magnitude=4.5), "magnitude must be an integer"),
        (dict(fill=-1), "fill must be an integer 0..255"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ZooError, match=message):
        randaugment(**arguments)


@pytest.mark.parametrize("shape", [(2, 8, 8, 2), (2, 1, 8, 3)])
def test_images_it_cannot_change_are_refused(shape):
    with pytest.raises(ZooError, match="1 or 3 channels"):
        randaugment()(np.zeros(shape, np.uint8), None)
