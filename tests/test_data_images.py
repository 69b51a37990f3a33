"""Images: the digits, folders of files, single files."""

import numpy as np
import pytest
from PIL import Image

from zoo.data import images, read_image
from zoo.errors import ZooError


def _write(path, pixels, **named):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **named)
    return path


def _picture(seed, height=6, width=5, channels=None):
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def _folder(root, classes=("cat", "dog"), count=10, **named):
    for k, name in enumerate(classes):
        for i in range(count):
            _write(root / name / f"{i}.png", _picture(100 * k + i, **named))
    return root


def _all(data):
    parts = data.parts.values()
    return np.concatenate([part.arrays[0] for part in parts]), np.concatenate([part.arrays[1] for part in parts])


def test_digits_are_scaled_and_split_as_documented():
    data = images("digits", 32, seed=0)
    assert [part.size for part in data.parts.values()] == [1293, 144, 360]
    assert data.labels == tuple("0123456789") and data.train.input_shape == (8, 8, 1)
    x, y = _all(data)
    assert x.dtype == np.uint8 and x.min() == 0 and x.max() == 255 and len(np.unique(x)) == 17
    np.testing.assert_array_equal(np.bincount(y), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    test = np.bincount(data.test.arrays[1])
    assert test.min() >= 35 and test.max() <= 37
    np.testing.assert_array_equal(images("digits", 64, seed=1).test.arrays[0], data.test.arrays[0])


def test_a_training_set_cut_short_keeps_proportions_and_the_other_parts():
    whole, cut, other = images("digits", 32, seed=0), *(images("digits", 32, seed=k, examples=200) for k in (0, 1))
    assert [part.size for part in cut.parts.values()] == [200, 144, 360]
    for part in ("validation", "test"):
        np.testing.assert_array_equal(cut.parts[part].arrays[0], whole.parts[part].arrays[0])
    counts = np.bincount(cut.train.arrays[1])
    assert np.abs(counts - np.bincount(whole.train.arrays[1]) * 200 / 1293).max() < 1
    all_images = {image.tobytes() + bytes([y]) for image, y in zip(*whole.train.arrays, strict=True)}
    kept = [image.tobytes() + bytes([y]) for image, y in zip(*cut.train.arrays, strict=True)]
    assert len(set(kept)) == 200 and set(kept) <= all_images
    np.testing.assert_array_equal(images("digits", 32, seed=0, examples=200).train.arrays[0], cut.train.arrays[0])
    assert (other.train.arrays[0] != cut.train.arrays[0]).any()
    assert images("digits", 32, seed=0, examples=1293).train.fingerprint == whole.train.fingerprint


def test_a_cut_training_set_has_all_its_classes(tmp_path):
    _folder(tmp_path / "train", count=20)
    _folder(tmp_path / "train", classes=("yak",), count=1)
    _folder(tmp_path / "test", classes=("cat", "dog"), count=2)
    data = images(tmp_path, 4, validation=0, seed=0, examples=5)
    assert np.bincount(data.train.arrays[1]).tolist() == [2, 2, 1]


def test_only_training_images_are_augmented():
    seen = []
    data = images("digits", 32, augment=lambda x, draws: seen.append(len(x)) or x, seed=0)
    assert data.train.augment and not data.validation.augment and not data.test.augment


def test_size_and_channels_are_brought_to_what_was_asked():
    data = images("digits", 32, size=(12, 10), channels=3, seed=0)
    assert data.train.input_shape == (12, 10, 3)
    x = data.train.arrays[0]
    np.testing.assert_array_equal(x[..., 0], x[..., 2])


def test_a_folder_of_classes(tmp_path):
    root = _folder(tmp_path / "pets")
    (root / "cat" / "notes.txt").write_text("not an image")
    (root / ".hidden").mkdir()
    data = images(root, 4, seed=0)
    assert data.labels == ("cat", "dog") and data.train.input_shape == (6, 5, 1)
    assert [part.size for part in data.parts.values()] == [14, 2, 4]
    x, y = _all(data)
    for label in (0, 1):
        wanted = sorted(_picture(100 * label + i).tobytes() for i in range(10))
        assert sorted(image.tobytes() for image in x[y == label]) == wanted


@pytest.mark.parametrize("validation", [None, "validation", "val"])
def test_a_folder_with_its_own_parts(tmp_path, validation):
    for part in filter(None, ("train", "test", validation)):
        _folder(tmp_path / part, count=4 if part == "train" else 2)
    data = images(tmp_path, 4, validation=0.25, seed=0)
    sizes = [part.size for part in data.parts.values()]
    assert sizes == ([8, 4, 4] if validation else [6, 2, 4])


def test_grey_and_colour_files_together_are_colour(tmp_path):
    _folder(tmp_path, count=5)
    _write(tmp_path / "dog" / "colour.jpg", _picture(7, channels=3), quality=95)
    data = images(tmp_path, 4, seed=0)
    assert data.train.input_shape == (6, 5, 3)
    assert images(tmp_path, 4, channels=1, seed=0).train.input_shape == (6, 5, 1)


def test_images_of_different_sizes_need_a_size(tmp_path):
    _folder(tmp_path, count=5)
    _write(tmp_path / "dog" / "3.png", _picture(1, 9, 8))
    with pytest.raises(ZooError, match=r"0\.png is 6 x 5, .*3\.png is 9 x 8.*--size 5"):
        images(tmp_path, 4)
    assert images(tmp_path, 4, size=7, seed=0).train.input_shape == (7, 7, 1)


def test_an_unreadable_image_stops_the_run_or_is_skipped(tmp_path, capsys):
    _folder(tmp_path, count=5)
    (tmp_path / "cat" / "broken.png").write_bytes(b"not a picture")
    whole = (tmp_path / "dog" / "1.png").read_bytes()
    (tmp_path / "dog" / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ZooError, match=r"cat.broken\.png cannot be read as an image.*on_error='skip'"):
        images(tmp_path, 4)
    data = images(tmp_path, 4, on_error="skip", seed=0)
    assert sum(part.size for part in data.parts.values()) == 10
    said = capsys.readouterr().out
    assert "broken.png" in said and "cut.png" in said and len(said.splitlines()) == 2
    for path in (tmp_path / "cat").glob("[0-9].png"):
        path.unlink()
    with pytest.raises(ZooError, match="none of the images of class 'cat'"):
        images(tmp_path, 4, on_error="skip")


def test_folders_that_hold_no_classes_are_refused(tmp_path):
    with pytest.raises(ZooError, match="there is no folder .*nowhere"):
        images(tmp_path / "nowhere", 4)
    with pytest.raises(ZooError, match="has no class folders. Put the images"):
        images(tmp_path, 4)
    _write(tmp_path / "0.png", _picture(0))
    with pytest.raises(ZooError, match="has images, but no class folders: move them"):
        images(tmp_path, 4)
    _folder(tmp_path, classes=("cat",))
    with pytest.raises(ZooError, match="one class only \\('cat'\\)"):
        images(tmp_path, 4)
    (tmp_path / "dog").mkdir()
    with pytest.raises(ZooError, match="dog is empty"):
        images(tmp_path, 4)


def test_a_test_class_without_training_images_is_refused(tmp_path):
    _folder(tmp_path / "train")
    _folder(tmp_path / "test", classes=("cat", "horse"))
    with pytest.raises(ZooError, match="class 'horse' of 'test' has no folder in 'train'"):
        images(tmp_path, 4)


@pytest.mark.parametrize(
    "named, message",
    [
        (dict(size=0), "size must be a number of pixels"),
        (dict(size=(1, 2, 3)), "size must be a number of pixels"),
        (dict(channels=2), "channels must be one of 1, 3"),
        (dict(validation=1.5), "validation must be a share"),
        (dict(examples=9), "from 10, one of each class, to 1293, all of them. Received: examples=9"),
        (dict(examples=1294), "examples must be a whole number from 10"),
        (dict(examples=0.5), "examples must be a whole number from 10"),
    ],
)
def test_bad_arguments_are_refused(named, message):
    with pytest.raises(ZooError, match=message):
        images("digits", 32, **named)


def test_on_error_is_stop_or_skip(tmp_path):
    with pytest.raises(ZooError, match="on_error must be one of 'stop', 'skip'"):
        images(tmp_path, 4, on_error="ignore")


def test_a_set_that_memory_cannot_hold_is_refused_before_it_is_read(tmp_path):
    _folder(tmp_path)
    with pytest.raises(ZooError, match=r"20 images of 1000000 x 1000000 need \d+ GiB of memory.*--size"):
        images(tmp_path, 4, size=10**6)


def test_read_image_gives_what_the_model_takes(tmp_path):
    grey, colour = _picture(0), _picture(1, channels=3)
    path = _write(tmp_path / "grey.png", grey)
    np.testing.assert_array_equal(read_image(path, (6, 5, 1))[..., 0], grey)
    np.testing.assert_array_equal(read_image(path, (6, 5, 3))[..., 2], grey)
    path = _write(tmp_path / "colour.png", colour)
    np.testing.assert_array_equal(read_image(path, (6, 5, 3)), colour)
    expected = np.asarray(Image.fromarray(colour).convert("L").resize((4, 4), Image.Resampling.BILINEAR))
    small = read_image(path, (4, 4, 1))
    assert small.dtype == np.uint8
    np.testing.assert_array_equal(small[..., 0], expected)


def test_read_image_knows_transparency_depth_and_orientation(tmp_path):
    pixels = np.dstack([_picture(0, channels=3), np.full((6, 5), 255, np.uint8)])
    pixels[0, 0] = (0, 0, 0, 0)
    read = read_image(_write(tmp_path / "a.png", pixels), (6, 5, 3))
    assert read[0, 0].tolist() == [255, 255, 255]
    np.testing.assert_array_equal(read[1:], pixels[1:, :, :3])
    deep = _picture(0).astype("uint16") * 257
    np.testing.assert_array_equal(read_image(_write(tmp_path / "b.png", deep), (6, 5, 1))[..., 0], _picture(0))
    bits = _picture(0) > 127
    np.testing.assert_array_equal(read_image(_write(tmp_path / "c.png", bits), (6, 5, 1))[..., 0], bits * np.uint8(255))
    exif = Image.Exif()
    exif[0x0112] = 6  # The camera was turned: to be shown turned clockwise by a quarter.
    turned = _write(tmp_path / "d.jpg", np.repeat([[0], [255]], 8, axis=0).repeat(8, axis=1).astype("uint8"), exif=exif)
    read = read_image(turned, (8, 16, 1))[..., 0]
    assert read[:, :7].min() > 200 and read[:, 9:].max() < 50


def test_read_image_names_the_file_it_cannot_read(tmp_path):
    with pytest.raises(ZooError, match="there is no file .*absent.png"):
        read_image(tmp_path / "absent.png", (8, 8, 1))
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(ZooError, match="text.png cannot be read as an image"):
        read_image(tmp_path / "text.png", (8, 8, 1))
