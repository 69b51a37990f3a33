"""Images with masks: folders, arrays, sets of TensorFlow Datasets, and the electron microscope's slices."""

import os
import socket
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from zoo.data import borders, from_masks, paired, segmentation, tfds_masks
from zoo.errors import ZooError


def _picture(seed, height=12, width=10, channels=None, values=256):
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(seed).integers(0, values, shape, np.uint8)


def _save(path, pixels, **named):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **named)
    return path


def _folders(root, count=12, **named):
    """Images and masks of 0 and 255, named 1, 2, ..., 12."""
    for k in range(1, count + 1):
        _save(root / "images" / f"{k}.png", _picture(k, **named))
        _save(root / "masks" / f"{k}.png", 255 * _picture(100 + k, values=2))
    return root / "images", root / "masks"


def _arrays(count=10, height=12, width=10, classes=3):
    rng = np.random.default_rng(0)
    mask = rng.integers(0, classes, (count, height, width), np.uint8)
    return rng.integers(0, 256, (count, height, width, 1), np.uint8), mask


def _first_pixels(stream):
    return [int(image[0, 0, 0]) for image in stream.arrays[0]]


def test_two_folders_in_the_order_of_the_numbers(tmp_path):
    folders = _folders(tmp_path)
    (folders[0] / "notes.txt").write_text("not an image")
    (folders[1] / ".hidden.png").write_text("nor this")
    data = segmentation(folders, 3, test=range(2), validation=[11, 2], seed=0)
    of = {
        part: [int(_picture(k + 1)[0, 0]) for k in kept] for part, kept in (("test", [0, 1]), ("validation", [11, 2]))
    }
    assert _first_pixels(data.test) == of["test"] and _first_pixels(data.validation) == of["validation"]
    assert _first_pixels(data.train) == [int(_picture(k + 1)[0, 0]) for k in range(3, 11)]
    for k, mask in zip(range(4, 12), data.train.arrays[1], strict=True):
        np.testing.assert_array_equal(mask, _picture(100 + k, values=2))
    assert data.labels == ("0", "255") and data.train.input_shape == (12, 10, 1)
    assert data.train.arrays[1].dtype == np.uint8
    for stream in data.parts.values():
        assert stream.element_spec == (((None, 12, 10, 1), "uint8"), ((None, 12, 10), "int32"))
    np.testing.assert_array_equal(next(iter(data.test.once()))[1], data.test.arrays[1])


def test_values_are_the_order_of_the_classes(tmp_path):
    folders = _folders(tmp_path)
    plain, turned = (segmentation(folders, 3, values=values, seed=0) for values in ((0, 255), (255, 0)))
    np.testing.assert_array_equal(turned.train.arrays[1], 1 - plain.train.arrays[1])
    more = segmentation(folders, 3, values=(255, 17, 0), labels=("cell", "dirt", "ground"), seed=0)
    assert set(np.unique(more.train.arrays[1])) == {0, 2} and more.labels == ("cell", "dirt", "ground")


def test_masks_of_every_kind_that_keeps_its_numbers(tmp_path):
    images, masks = _folders(tmp_path)
    values = _picture(5, values=2)
    palette = Image.fromarray(values).convert("P")
    palette.putpalette([9, 9, 9, 200, 0, 0])
    palette.save(masks / "1.png")
    Image.fromarray(values.astype(bool)).save(masks / "2.png")
    Image.fromarray(values.astype("uint16") * 999).save(masks / "3.png")
    _save(masks / "4.png", np.repeat(values[..., None], 3, 2))
    data = segmentation((images, masks), 3, values=(0, 1, 999, 255), test=range(4), seed=0)
    np.testing.assert_array_equal(data.test.arrays[1], values * np.array([1, 1, 2, 1])[:, None, None])


def test_size_brings_images_and_masks_to_one_and_a_mask_keeps_its_values(tmp_path):
    images, masks = _folders(tmp_path)
    (
        _save(images / "3.png", _picture(3, 24, 30)),
        _save(masks / "3.png", 255 * np.kron(_picture(1, 8, 6, values=2), np.ones((3, 5), np.uint8))),
    )
    data = segmentation((images, masks), 3, size=(8, 6), test=[2], seed=0)
    np.testing.assert_array_equal(data.test.arrays[1][0], _picture(1, 8, 6, values=2))
    assert data.train.input_shape == (8, 6, 1) and data.train.arrays[1].shape[1:] == (8, 6)


def test_grey_and_colour_files_together_are_colour(tmp_path):
    images, masks = _folders(tmp_path)
    _save(images / "3.png", _picture(3, channels=3))
    assert segmentation((images, masks), 3, seed=0).train.input_shape == (12, 10, 3)
    with pytest.raises(ZooError, match=r"images.3\.png is a colour image, and channels=1 asks for grey. channels=3"):
        segmentation((images, masks), 3, channels=1)
    _save(images / "3.png", np.repeat(_picture(3)[..., None], 3, 2))
    assert segmentation((images, masks), 3, channels=1, seed=0).train.input_shape == (12, 10, 1)


def _without(name):
    return lambda images, masks: (masks / name).unlink()


def _broken(images, masks):
    whole = (masks / "2.png").read_bytes()
    (masks / "2.png").write_bytes(whole[: len(whole) // 2])


def _emptied(images, masks):
    for path in masks.iterdir():
        path.unlink()


BAD = {
    "size of a mask": (
        lambda images, masks: _save(masks / "7.png", _picture(0, 10, 12)),
        {},
        r"masks.7\.png is 10 x 12 \(height x width\) and its image .*images.7\.png is 12 x 10",
    ),
    "unknown value": (
        lambda images, masks: _save(
            masks / "7.png", np.r_[np.zeros((3, 10), np.uint8), np.full((9, 10), 17, np.uint8)]
        ),
        dict(values=(0, 255)),
        r"masks.7\.png has the value 17 at row 3, column 0, which is none of \(0, 255\), and so have 89 more pixels",
    ),
    "no mask": (_without("7.png"), {}, r"images.7\.png has no mask in .*masks. An image and its mask have one name"),
    "no masks": (lambda i, m: [_without(f"{k}.png")(i, m) for k in (7, 9)], {}, r"7\.png has no mask .*nor do 1 more"),
    "no image": (lambda i, m: _without("7.png")(m, i), {}, r"masks.7\.png has no image in .*images"),
    "empty folder": (_emptied, {}, r"masks has no mask: there is no \.png file in it"),
    "half a file": (_broken, {}, r"masks.2\.png cannot be read as an image"),
    "text": (lambda i, m: (i / "2.png").write_text("text"), {}, r"images.2\.png cannot be read as an image"),
    "lossy": (
        lambda images, masks: _save(masks / "7.png", _picture(0)).rename(masks / "7.jpg"),
        {},
        r"masks.7\.jpg is a mask in JPEG, which is lossy",
    ),
    "two of a name": (
        lambda images, masks: _save(images / "7.jpg", _picture(0)),
        {},
        r"images.7\.jpg and .*images.7\.png have one name",
    ),
    "colours": (
        lambda images, masks: _save(masks / "7.png", _picture(0, channels=3)),
        {},
        r"masks.7\.png is a mask in colours \(mode RGB\).*grey or palette PNG",
    ),
    "sizes": (
        lambda i, m: [_save(folder / "7.png", _picture(0, 20, 12, values=2)) for folder in (i, m)],
        {},
        r"images.1 is 12 x 10, .*images.7 is 20 x 12.*--size 10.*mix=zoo.data.paired.crop",
    ),
    "labels": (lambda i, m: None, dict(labels=("one",)), "1 labels for masks of 2 values.*The values: 0, 255"),
    "values": (lambda i, m: None, dict(values=(0, 0)), "values must be a list of 2 to 256 different"),
    "one folder": (lambda i, m: m.rename(m.parent / "elsewhere"), {}, "the folder of masks .*masks does not exist"),
    "shades": (
        lambda i, m: [_save(m / f"{k}.png", np.zeros((12, 10), np.uint8)) for k in range(1, 13)],
        {},
        "masks have 1 different values, from 0 to 0",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_do_not_belong_together_are_named(tmp_path, name):
    spoil, named, message = BAD[name]
    folders = _folders(tmp_path)
    spoil(*folders)
    with pytest.raises(ZooError, match=message):
        segmentation(folders, 3, seed=0, **named)


def test_a_source_that_is_not_there():
    with pytest.raises(ZooError, match="the folder of images nowhere does not exist"):
        segmentation(("nowhere", "masks"))
    with pytest.raises(ZooError, match="source must be a pair of folders"):
        segmentation(("nowhere",))


def test_parts_are_split_by_share_by_position_or_given():
    x, mask = _arrays()
    data = from_masks((x, mask), 4, seed=1)
    assert [part.size for part in data.parts.values()] == [7, 1, 2]
    again = from_masks((x, mask), 4, seed=2)
    np.testing.assert_array_equal(again.test.arrays[0], data.test.arrays[0])
    given = from_masks((x, mask), 4, validation=(x[:3], mask[:3]), test=(x[:1], mask[:1]), seed=0)
    assert [part.size for part in given.parts.values()] == [10, 3, 1]
    few = from_masks((x, mask), 4, validation=0, test=[9], examples=4, seed=0)
    assert [part.size for part in few.parts.values()] == [4, 1]
    assert data.labels == ("0", "1", "2")


@pytest.mark.parametrize(
    "named, message",
    [
        (dict(test=[3, 10]), "test must be a pair .* positions of the 10 images, 0 to 9"),
        (dict(test=[3, 3]), "test must be .*different positions"),
        (dict(test=[]), "test must be"),
        (dict(test=[1.5]), "test must be"),
        (dict(test=0.2), "test must be a pair"),
        (dict(test=range(4), validation=range(3, 6)), r"the images \[3\] are in both validation and test"),
        (dict(test=range(5), validation=range(5, 10)), "no image is left to train on"),
        (dict(validation=1.5), "validation must be a share"),
        (dict(labels=("a", "b")), "mask has the class 2, and there are names for the classes 0 to 1: a, b"),
        (dict(labels=("a",)), "labels must be the names of two classes"),
        (dict(mix=[paired.crop(4), paired.crop(3)]), "mix must be operations of which one"),
        (
            dict(weights=lambda mask: mask[1:]),
            r"weights must give a number >= 0 .*\(12, 10\).*\(11, 10\) for train mask 0",
        ),
        (dict(weights=lambda mask: mask - 1.0), "weights must give a number >= 0"),
        (dict(examples=99), "examples must be a whole number from 1"),
    ],
)
def test_bad_parts_are_refused(named, message):
    with pytest.raises(ZooError, match=message):
        from_masks(_arrays(), 4, **{"seed": 0, **named})


@pytest.mark.parametrize(
    "train, message",
    [
        (5, r"train must be a pair \(x, mask\)"),
        ((_arrays()[0], _arrays(9)[1]), "Received 10 images and 9 masks"),
        ((_arrays()[0] / 255, _arrays()[1]), "images are uint8 .* Received float64 of shape"),
        ((_arrays()[0], _arrays(height=11)[1]), r"here \(12, 10\). Received uint8 of shape \(11, 10\), mask 0"),
        ((_arrays()[0], _arrays()[1] / 2), "Received float64 of shape"),
        ((_arrays()[0], _arrays()[1].astype(int) - 1), "with values from -1 to 1"),
        ((_arrays(2)[0], _arrays(2)[1]), "1 examples are too few|1 images are too few"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(train, message):
    with pytest.raises(ZooError, match=message):
        from_masks(train, 4, seed=0)


def test_a_window_cuts_all_parts_alike_and_leaves_the_arrays_whole():
    mix = [paired.warp(8, 1, rotation=20, sigma=1.0), paired.flips()]
    data = from_masks(_arrays(), 5, mix=mix, weights=True, repeats=4, seed=0)
    assert data.train.input_shape == (8, 8, 1) and data.train.steps == -(-7 * 4 // 5)
    for stream in data.parts.values():
        x, mask = stream.element_spec[:2]
        assert (x, mask) == (((None, 8, 8, 1), "uint8"), ((None, 6, 6), "int32"))
        assert stream.arrays[0].shape[1:] == (12, 10, 1)
    # 12 x 10 pixels are two by two windows of 6 x 6 without their margin: one image is nearly a batch of 5.
    assert (data.validation.batch_size, data.test.batch_size) == (1, 1)
    x, mask = next(iter(data.test.once()))
    assert x.shape == (4, 8, 8, 1) and mask.dtype == tf.int32
    np.testing.assert_array_equal(mask[0], data.test.arrays[1][0, :6, :6])
    np.testing.assert_array_equal(mask[3], data.test.arrays[1][0, 6:, 4:])
    # What is retrained on all of the training images takes the validation's too.
    assert data.train.joined(data.validation).size == 8


def test_weights_are_those_of_the_training_masks():
    x, mask = _arrays()
    data = from_masks((x, mask), 7, weights=True, validation=range(3), test=[3], seed=0)
    balance = borders.balance(mask[4:])
    for stream, kept in ((data.train, slice(4, None)), (data.validation, slice(3))):
        expected = np.stack([borders.weight_map(each, class_weights=balance) for each in mask[kept]])
        np.testing.assert_array_equal(stream.arrays[2], expected)
    assert len(data.test.arrays) == 2
    weights = data.train.batch(0, 0)[2]
    assert weights.shape == (6, 12, 10) and weights.dtype == np.float32
    own = from_masks((x, mask), 7, weights=partial(borders.weight_map, w0=0, class_weights=False), seed=0)
    assert (own.train.arrays[2] == 1).all()


def test_images_of_different_sizes_are_cut_into_pieces_of_the_smallest():
    sizes = [(12, 10), (12, 20), (25, 10), (13, 11), (12, 10)]
    x = [np.arange(h * w).reshape(h, w, 1).astype("uint8") for h, w in sizes]
    mask = [each[..., 0] % 3 for each in x]
    with pytest.raises(ZooError, match=r"images of 4 different sizes.*need a window in mix.*12 x 10, 12 x 20"):
        from_masks((x, mask), 2, validation=0, test=[4], seed=0)
    data = from_masks((x, mask), 2, validation=0, test=[4], mix=paired.crop(8), seed=0)
    pieces = data.train.arrays[0]
    assert pieces.shape == (1 + 2 + 3 + 4, 12, 10, 1) and data.train.arrays[1].dtype == np.uint8
    np.testing.assert_array_equal(pieces[1:3], np.stack([x[1][:, :10], x[1][:, 10:]]))
    np.testing.assert_array_equal(pieces[3:6], np.stack([x[2][k : k + 12] for k in (0, 6, 13)]))
    np.testing.assert_array_equal(data.train.arrays[1], pieces[..., 0] % 3)


def _pets(builder, split, **named):
    """Pictures of different sizes, each with a mask of 1, 2, 3 that follows its grey."""

    def examples():
        for k in range(6):
            image = np.kron(_picture(k, 5, 4 + k % 2), np.ones((4, 4), np.uint8))
            mask = 1 + image // 86
            yield {"image": np.repeat(image[..., None], 3, 2), "segmentation_mask": mask[..., None]}

    return tf.data.Dataset.from_generator(
        examples,
        output_signature={
            "image": tf.TensorSpec((None, None, 3), tf.uint8),
            "segmentation_mask": tf.TensorSpec((None, None, 1), tf.uint8),
        },
    )


@pytest.fixture
def mocked(monkeypatch):
    def refuse(*arguments, **named):
        raise OSError("the network is cut")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
    tfds_masks._load.cache_clear()
    with tfds.testing.mock_data(as_dataset_fn=_pets):
        yield
    tfds_masks._load.cache_clear()


def test_a_set_of_tensorflow_datasets(mocked):
    labels = ("pet", "background", "border")
    data = segmentation("oxford_iiit_pet", 2, size=(10, 8), labels=labels, validation=2 / 6, seed=0)
    assert [part.size for part in data.parts.values()] == [4, 2, 6]
    assert data.train.input_shape == (10, 8, 3) and data.labels == labels
    assert set(np.unique(data.test.arrays[1])) == {0, 1, 2}
    # Every second pixel of squares of 4 x 4: the mask still follows the image.
    small = data.test.arrays[0][0, ::2, ::2, 0].astype(int)
    np.testing.assert_array_equal(data.test.arrays[1][0, ::2, ::2], _picture(0, 5, 4) // 86)
    assert np.abs(small - _picture(0, 5, 4)).mean() < 40
    again = segmentation("oxford_iiit_pet", 2, size=(10, 8), channels=None, values=(3, 2, 1), seed=0)
    np.testing.assert_array_equal(again.test.arrays[1], 2 - data.test.arrays[1])
    with pytest.raises(ZooError, match="train part of 'oxford_iiit_pet' has the value 3 at image 0, row 0, column 4"):
        segmentation("oxford_iiit_pet", 2, size=(10, 8), values=(1, 2))


def test_a_set_that_does_not_fit_is_refused(mocked):
    with pytest.raises(ZooError, match="'oxford_iiit_pet' have different sizes. Give the size .*--size 128"):
        segmentation("oxford_iiit_pet", 2)
    with pytest.raises(ZooError, match="'mnist' is no segmentation set.*Its features: image, label"):
        segmentation("mnist", 2)
    with pytest.raises(ZooError, match="'oxford_iiit_pet' has a test part of its own"):
        segmentation("oxford_iiit_pet", 2, size=8, test=[0])
    with pytest.raises(ZooError, match="no data set named 'oxford_pets'"):
        segmentation("oxford_pets", 2)


def test_the_real_slices():
    root = os.environ.get("ISBI_EM_DIR")
    if not root:
        message = "needs the folder of the 30 slices with image/ and label/ in ISBI_EM_DIR"
        pytest.fail(message) if os.environ.get("ZOO_REQUIRE_DATA") else pytest.skip(message)
    folders = [Path(root) / name for name in ("image", "label")]
    mix = [paired.warp(572, 92, rotation=180, sigma=10.0), paired.flips(), paired.intensity(0.1, 0.1)]
    named = dict(values=(0, 255), labels=("membrane", "cell"), test=range(6, 12), validation=range(12, 15))
    data = segmentation(folders, 1, mix=mix, weights=True, repeats=10, seed=0, **named)
    assert [part.size for part in data.parts.values()] == [21, 3, 6]
    assert data.train.arrays[0].shape[1:] == (512, 512, 1) and data.train.input_shape == (572, 572, 1)
    # 78 % of the pixels are inside of cells.
    assert data.train.arrays[1].mean() == pytest.approx(0.78, abs=0.02)
    assert data.train.batch(0, 0)[1].shape == data.train.batch(0, 0)[2].shape == (1, 388, 388)
    x, mask = next(iter(data.test.once()))
    assert x.shape == (4, 572, 572, 1) and mask.shape == (4, 388, 388)


def test_windows_are_repeated_until_they_cover_an_image():
    x, mask = _arrays()
    height, width = x.shape[1:3]
    data = from_masks((x, mask), 5, mix=paired.crop(8), repeats=None, seed=0)
    assert data.train.repeats == -(-height // 8) * -(-width // 8)
    assert from_masks((x, mask), 5, repeats=None, seed=0).train.repeats == 1
