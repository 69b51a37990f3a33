"""Pairs of images: outlines of digits, two folders, arrays; parts, windows, and what is moved together."""

import numpy as np
import pytest
from PIL import Image

from zoo.data import images, paired
from zoo.data.translation import outlines, translation
from zoo.errors import ZooError


def _picture(seed, height=12, width=10, channels=None):
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def _save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def _folders(root, count=12):
    """Grey conditions and colour images, named 1, 2, ..., 12."""
    for k in range(1, count + 1):
        _save(root / "labels" / f"{k}.png", _picture(k))
        _save(root / "photos" / f"{k}.png", _picture(100 + k, channels=3))
    return root / "labels", root / "photos"


def _arrays(count=20, height=12, width=10):
    """The second image says of each pixel whose it is and where, and the first says the same another way."""
    y = np.arange(count * height * width).reshape(count, height, width, 1) % 251
    return (250 - y).astype("uint8"), y.repeat(3, 3).astype("uint8")


def _assert_pairs(x, y):
    assert x.dtype == y.dtype == np.uint8
    np.testing.assert_array_equal(250 - x.astype(int), y[..., :1])
    np.testing.assert_array_equal(y, y[..., :1].repeat(3, 3))


def test_digits_and_their_outlines():
    data = translation(seed=0)
    of_digits = images("digits", 64, seed=0)
    assert [part.size for part in data.parts.values()] == [1293, 144, 360] and data.labels is None
    for name, part in data.parts.items():
        edges, digits = part.arrays
        assert edges.shape == digits.shape == (part.size, 32, 32, 1) and digits.dtype == np.uint8
        np.testing.assert_array_equal(edges, outlines(digits))
        # Reduced again they are the digits of 8 x 8, in the same order: no digit is in two parts.
        small = digits.reshape(-1, 8, 4, 8, 4).mean((2, 4))
        assert np.abs(small - of_digits.parts[name].arrays[0][..., 0]).mean() < 13
    assert 0.05 < (data.train.arrays[0] == 255).mean() < 0.2


def test_other_sizes_and_channels_of_digits():
    data = translation(size=16, channels=3, swap=True, examples=50, validation=0, seed=0)
    digits, edges = data.train.arrays
    assert digits.shape == (50, 16, 16, 3) and set(data.parts) == {"train", "test"}
    np.testing.assert_array_equal(edges, outlines(digits[..., :1]).repeat(3, 3))


def test_an_outline_is_bright_itself_and_lies_within():
    image = np.zeros((1, 6, 6, 1), "uint8")
    image[0, 1:, :5] = 128
    expected = np.zeros((6, 6), int)
    expected[[1, 5], :5] = 255
    expected[1:, [0, 4]] = 255
    np.testing.assert_array_equal(outlines(image)[0, ..., 0], expected)
    assert not outlines(np.full((1, 4, 4, 1), 127, "uint8")).any()


def test_two_folders_in_the_order_of_the_numbers_and_back(tmp_path):
    folders = _folders(tmp_path)
    (folders[0] / "notes.txt").write_text("not an image")
    data, back = (translation(folders, 3, test=range(2), validation=[11], swap=swap, seed=0) for swap in (False, True))
    kept = {"test": [1, 2], "validation": [12], "train": range(3, 12)}
    for name, numbers in kept.items():
        x, y = data.parts[name].arrays
        np.testing.assert_array_equal(x[..., 0], [_picture(k) for k in numbers])
        np.testing.assert_array_equal(y, [_picture(100 + k, channels=3) for k in numbers])
        for mine, theirs in zip((y, x), back.parts[name].arrays, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        spec = data.parts[name].element_spec
        assert spec == (((None, 12, 10, 1), "uint8"), ((None, 12, 10, 3), "uint8"))


def test_folders_are_brought_to_a_size_and_to_grey(tmp_path):
    folders = _folders(tmp_path, 6)
    _save(folders[0] / "3.png", _picture(3, 24, 30, 3))
    _save(folders[1] / "3.png", _picture(3, 20, 20))
    data = translation(folders, 3, size=(8, 6), test=[0], validation=0, seed=0)
    # One colour file among grey ones makes all of them colour.
    assert [array.shape for array in data.train.arrays] == [(5, 8, 6, 3), (5, 8, 6, 3)]
    grey = translation(folders, 3, size=(8, 6), channels=1, test=[0], validation=0, seed=0)
    assert [array.shape for array in grey.train.arrays] == [(5, 8, 6, 1), (5, 8, 6, 1)]


@pytest.mark.parametrize(
    "spoil, message",
    [
        (
            lambda x, y: (y / "7.png").unlink(),
            r"labels.7\.png has no partner in .*photos. Both files of a pair have one",
        ),
        (
            lambda x, y: [(x / f"{k}.png").unlink() for k in (7, 8)],
            r"photos.7\.png has no partner in .*, nor do 1 more",
        ),
        (lambda x, y: [path.unlink() for path in y.iterdir()], "photos has no image"),
        (lambda x, y: y.rename(y.parent / "elsewhere"), "photos does not exist"),
        (lambda x, y: (y / "7.png").write_text("text"), r"photos.7\.png cannot be read as an image"),
        (
            lambda x, y: _save(y / "7.png", _picture(0, 20, 12)),
            r"labels.1\.png is 12 x 10, .*photos.7\.png is 20 x 12. Bring all to one size with --size 10",
        ),
    ],
)
def test_files_that_do_not_belong_together_are_named(tmp_path, spoil, message):
    folders = _folders(tmp_path)
    spoil(*folders)
    with pytest.raises(ZooError, match=message):
        translation(folders, 3, seed=0)


def test_shares_are_drawn_by_the_seed_and_the_test_part_never_changes():
    data, again = (translation(_arrays(), 4, validation=0.25, seed=seed) for seed in (0, 1))
    assert [part.size for part in data.parts.values()] == [12, 4, 4]
    np.testing.assert_array_equal(data.test.arrays[0], again.test.arrays[0])
    assert (data.validation.arrays[0] != again.validation.arrays[0]).any()
    found = np.concatenate([part.arrays[1] for part in data.parts.values()])
    assert len(np.unique(found[:, 0, :, 0], axis=0)) == 20
    few = translation(_arrays(), 4, validation=range(3), examples=5, seed=0)
    assert [part.size for part in few.parts.values()] == [5, 3, 4]


def test_windows_flips_and_turns_move_both_images_alike():
    mix = [paired.crop(8), paired.flips(vertical=True, turns=True)]
    data = translation(_arrays(), 6, mix=mix, repeats=3, test=[4], validation=[5, 6], seed=0)
    assert data.train.input_shape == (8, 8, 1) and data.train.steps == -(-17 * 3 // 6)
    x, y = data.train.batch(1, 2)
    _assert_pairs(x, y)
    for mine, theirs in zip((x, y), next(iter(data.train.open(1, 2))), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    # 12 x 10 pixels are two by two windows: one image is nearly a batch of six.
    assert data.test.batch_size == 1 and data.test.arrays[0].shape == (1, 12, 10, 1)
    ((x, y),) = data.test.once().as_numpy_iterator()
    _assert_pairs(x, y)
    np.testing.assert_array_equal(y[[0, 3]], [_arrays()[1][4, :8, :8], _arrays()[1][4, 4:, 2:]])
    assert data.train.joined(data.validation).size == 19


@pytest.mark.parametrize(
    "source, named, message",
    [
        ("digits_edge", {}, "source must be 'digits_edges', a pair of folders"),
        (("one",), {}, "source must be"),
        (_arrays(), dict(test=[3, 20]), "test must be different positions of the 20 pairs, 0 to 19"),
        (_arrays(), dict(test=[3, 3]), "test must be different positions"),
        (_arrays(), dict(test=[]), "test must be different positions"),
        (_arrays(), dict(test=0.2), "test must be positions, or None"),
        (_arrays(), dict(validation=1.5), "validation must be a share"),
        (_arrays(), dict(test=range(4), validation=range(3, 6)), r"the pairs \[3\] are in both validation and test"),
        (_arrays(), dict(test=range(10), validation=range(10, 20)), "no pair is left to train on"),
        (_arrays(1), {}, "1 pairs are too few to split 20% of them off as test data"),
        (_arrays(), dict(mix=paired.crop(8, margin=2)), "mix must be windows without one"),
        (_arrays(), dict(channels=2), "channels must be 1, 3 or None"),
        (_arrays(), dict(swap=1), "swap must be True or False"),
        (_arrays(), dict(examples=99), "examples must be a whole number from 1"),
        ((_arrays()[0], _arrays()[1][1:]), {}, r"pairs are of equal size. Received arrays of shapes \(20, "),
        ((_arrays()[0], _arrays()[1] / 255), {}, "images are uint8 arrays .* Received float64 of shape"),
        ((_arrays()[0], [1, 2]), {}, "images are uint8 arrays .* Received list"),
    ],
)
def test_what_is_refused(source, named, message):
    with pytest.raises(ZooError, match=message):
        translation(source, 4, **{"seed": 0, **named})
