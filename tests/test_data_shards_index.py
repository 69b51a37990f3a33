"""Shards on the disk: how they are written, found and indexed, and what is wrong with those that cannot be used."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from zoo.data import images, shards_index, shards_writing, write_shards
from zoo.data import tfds as sets
from zoo.errors import ZooError


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


def _pair(size=40, channels=1):
    x = np.random.default_rng(0).integers(0, 256, (size, 6, 5, channels), np.uint8)
    return x, np.arange(size) % 3


def _shards(root, **named):
    return write_shards(_pair(), root / "set", shards=4, **named)


def _opened(folder, **named):
    return images(str(folder), 8, streaming=True, seed=0, **named)


def _files(folder):
    return sorted(folder.glob("*.tfrecord*"))


def _all(data):
    arrays = [np.concatenate([np.asarray(p.arrays[k]) for p in data.parts.values()]) for k in (0, 1)]
    return {image.tobytes(): int(label) for image, label in zip(*arrays, strict=True)}


@pytest.mark.parametrize("form", ["png", "raw", "jpeg"])
def test_what_is_written_is_read(tmp_path, form):
    data = images("digits", 32, seed=0, examples=50)
    folder = write_shards(data, tmp_path / "set", shards=3, format=form)
    found = _opened(folder)
    assert found.labels == data.labels and [p.size for p in found.parts.values()] == [50, 144, 360]
    for part, stream in found.parts.items():
        (x, y), (before, labels) = stream.arrays, data.parts[part].arrays
        x = np.asarray(x)
        assert (y != labels).any()  # in another order
        if form == "jpeg":
            sums = [np.sort(each.sum((1, 2, 3), dtype=int)) for each in (x, before)]
            assert 0 < np.abs(sums[0] - sums[1]).mean() < 100
        else:
            read, given = zip(x, y, strict=True), zip(before, labels, strict=True)
            assert sorted((i.tobytes(), int(k)) for i, k in read) == sorted((i.tobytes(), int(k)) for i, k in given)


def test_stored_images_are_written_again_with_another_size(tmp_path):
    for k in range(12):
        path = tmp_path / "pets" / "ab"[k % 2] / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((7 + k, 9), 20 * k, np.uint8)).save(path)
    data = images(tmp_path / "pets", 4, streaming=True, size=6, seed=0)
    again = _opened(write_shards(data, tmp_path / "set", shards=2))
    assert _all(again) == _all(data) == _all(images(tmp_path / "pets", 4, size=6, seed=0))
    assert again.train.input_shape == (6, 6, 1) and again.labels == ("a", "b")


def test_files_appear_when_all_are_written(tmp_path, monkeypatch):
    encoded = shards_writing._encoded
    monkeypatch.setattr(
        shards_writing, "_encoded", lambda f, q, x, y: encoded(f, q, x, y) if y < 2 else (_ for _ in ()).throw(OSError)
    )
    with pytest.raises(OSError):
        _shards(tmp_path)
    assert not list(tmp_path.iterdir())


def test_only_shards_are_replaced(tmp_path):
    folder = _shards(tmp_path, labels="abc")
    _opened(folder)
    with pytest.raises(ZooError, match="set is there already.*overwrite=True"):
        _shards(tmp_path)
    assert _opened(_shards(tmp_path, overwrite=True, format="raw")).labels == ("0", "1", "2")
    (folder / "notes").write_text("mine")
    with pytest.raises(ZooError, match="holds more than shards: it is not replaced"):
        _shards(tmp_path, overwrite=True)
    assert (folder / "notes").is_file() and len(_files(folder)) == 4


@pytest.mark.parametrize(
    "source, named, message",
    [
        (None, dict(shards=0), "shards must be a whole number >= 1"),
        (None, dict(shards=41), "shards must be at most 40, the number of images"),
        (None, dict(format="pgn"), "format must be one of 'png', 'jpeg', 'raw'.*Did you mean 'png'"),
        (None, dict(quality=0), "quality must be a whole number, 1 to 100"),
        (None, dict(labels=["a", "b"]), "labels outside the range: 2 classes"),
        ((np.zeros((3, 2, 2, 1)), np.zeros(3, int)), {}, "uint8 images .* Received float64"),
        ((np.zeros((3, 2, 2, 4), "uint8"), np.zeros(3, int)), {}, r"1 or 3 channels. Received uint8 of shape \(3, 2"),
        ((np.zeros((3, 2, 2, 1), "uint8"), np.zeros(3)), {}, "y must hold one integer >= 0 for each of the 3 images"),
        ((np.zeros((3, 2, 2, 1), "uint8"), np.arange(3) - 1), {}, "y must hold one integer >= 0"),
        (7, {}, r"pairs \(x, y\), of a Stream of such, or of a zoo.Data. Received: 7"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, source, named, message):
    with pytest.raises(ZooError, match=message):
        write_shards(source or _pair(), tmp_path / "set", **named)
    assert not list(tmp_path.iterdir())


def test_a_set_is_read_once_and_a_changed_file_again(tmp_path, monkeypatch):
    folder = _shards(tmp_path)
    first, read, scan = _opened(folder), [], shards_index._scan_shard
    monkeypatch.setattr(shards_index, "_scan_shard", lambda *given: read.append(given[-1]) or scan(*given))
    assert _opened(folder).train.fingerprint == first.train.fingerprint and not read
    os.utime(_files(folder)[2], (1, 1))
    assert _opened(folder).train.fingerprint == first.train.fingerprint and read == [_files(folder)[2]]
    (folder / ".zoo-index-train.npz").write_bytes(b"half an index")
    assert _opened(folder).train.fingerprint == first.train.fingerprint and len(read) == 5


def test_the_index_goes_to_the_users_cache_where_the_folder_cannot_be_written(tmp_path, monkeypatch):
    folder = _shards(tmp_path)
    (folder / ".zoo-index-train.npz").mkdir()  # stands in for a folder without permission, which root does not know
    first = _opened(folder)
    assert len(list((tmp_path / "user-cache" / "keras-zoo").iterdir())) == 1
    monkeypatch.setattr(shards_index, "_scan_shard", lambda *given: pytest.fail("read again"))
    assert _opened(folder).train.fingerprint == first.train.fingerprint


def test_the_fingerprint_sees_pixels_labels_and_how_they_are_spread(tmp_path):
    def fingerprint(pair, name, shards=4, **named):
        return whole(_opened(write_shards(pair, tmp_path / name, shards=shards, seed=0), **named))

    def whole(data):
        return tuple(part.fingerprint for part in data.parts.values())

    x, y = _pair()
    same = fingerprint((x, y), "a")
    shutil.copytree(tmp_path / "a", tmp_path / "moved", copy_function=shutil.copy)
    assert whole(_opened(tmp_path / "moved")) == same
    other, swapped = x.copy(), y.copy()
    other[7, 3, 3] ^= 1
    swapped[[0, 1]] = y[[1, 0]]
    others = [fingerprint((other, y), "b"), fingerprint((x, swapped), "c"), fingerprint((x, y), "d", shards=5)]
    others += [fingerprint((x, y), "e", shuffle_buffer=3), fingerprint((x, y), "f", size=4)]
    assert len({same, *others}) == 6


def _record(**features):
    def feature(value):
        if isinstance(value[0], int):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=value))
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=value))

    named = tf.train.Features(feature={name: feature(value) for name, value in features.items()})
    return tf.train.Example(features=named).SerializeToString()


@pytest.mark.parametrize(
    "record, message",
    [
        (b"\xff\xff", "is no tf.train.Example. Shards hold one"),
        (_record(photo=[b"1"], kind=[1]), "has no feature 'image'; its features: 'kind', 'photo'. Shards hold"),
        (_record(image=[b"1"], kind=[1]), "has no feature 'label'"),
        (_record(image=[b"1", b"2"], label=[1]), "has 2 byte strings as 'image'"),
        (_record(image=[b"1"], label=[b"cat"]), r"the integers \[\] as 'label'"),
        (_record(image=[b"1"], label=[-1]), r"the integers \[-1\] as 'label'"),
        (_record(image=[b"no image"], label=[1]), "cannot be read as an image .*cannot identify"),
        (_record(image=[b"\0" * 30], shape=[6, 5, 1], label=[7]), "has the label 7, and 3 classes have the labels"),
        (_record(image=[b"\0" * 31], shape=[6, 5, 1], label=[1]), "cannot be read as an image"),
        (_record(image=[b"\0" * 35], shape=[7, 5, 1], label=[1]), r"sizes .*record 0 of .*02-of.* is 7 x 5. .*--s"),
    ],
    ids=["other", "names", "label", "two", "text", "negative", "junk", "class", "shape", "size"],
)
def test_a_record_that_is_no_labelled_image_is_named(tmp_path, record, message):
    folder = _shards(tmp_path, labels="abc")
    with tf.io.TFRecordWriter(str(_files(folder)[2])) as writer:
        writer.write(record)
    with pytest.raises(ZooError, match=message) as caught:
        _opened(folder)
    assert "record 0 of" in str(caught.value) and "00002-of-00004" in str(caught.value)


def test_a_file_that_is_broken_is_named_with_its_record(tmp_path, monkeypatch):
    folder = _shards(tmp_path)
    broken = _files(folder)[1]
    content = broken.read_bytes()
    broken.write_bytes(content[:-30])
    with pytest.raises(ZooError, match="record 9 of .*00001-of-00004 is cut short. Make the file anew") as caught:
        _opened(folder)
    assert caught.value.__suppress_context__
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    broken.write_bytes(changed)
    with pytest.raises(ZooError, match=r"record [45] of .* is not what was written: its checksum differs"):
        _opened(folder)
    broken.write_bytes(b"text, and no shard")
    with pytest.raises(ZooError, match="record 0 of .*no TFRecord file, or a compressed one"):
        _opened(folder)
    broken.write_bytes(content)
    read, scan = [], shards_index._scan_shard
    monkeypatch.setattr(shards_index, "_scan_shard", lambda *given: read.append(given[-1]) or scan(*given))
    assert _opened(folder).train.size == 28 and broken in read and len(read) < 4  # What was read before is known.


def test_folders_without_images_are_refused(tmp_path):
    folder = write_shards(images("digits", 32, seed=0, examples=20), tmp_path / "set", shards=1)
    for file in _files(folder / "test"):
        tf.io.TFRecordWriter(str(file)).close()
    with pytest.raises(ZooError, match="the test part is empty. Its shards hold no record"):
        _opened(folder)
    for file in _files(folder / "test"):
        file.unlink()
    with pytest.raises(ZooError, match="the folder of 'test' holds no TFRecord files"):
        _opened(folder)
    with pytest.raises(ZooError, match="there is no folder .*nowhere"):
        _opened(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ZooError, match="empty has no class folders"):
        _opened(tmp_path / "empty")


@pytest.mark.parametrize(
    "source, named, message",
    [
        ("digits", {}, "streaming must be False for 'digits'"),
        (None, dict(on_error="skip"), "on_error must be 'stop' with streaming"),
        (None, dict(shuffle_buffer=0), "shuffle_buffer must be a whole number of images >= 1"),
        (None, dict(streaming=False, cache="memory"), "cache must be None without streaming"),
    ],
)
def test_bad_arguments_are_refused(tmp_path, source, named, message):
    source = source or str(_shards(tmp_path))
    with pytest.raises(ZooError, match=message):
        images(source, 8, **{"streaming": True, **named})


def test_without_tensorflow_files_and_indexed_shards_are_streamed(tmp_path):
    indexed, other = _shards(tmp_path), write_shards(_pair(), tmp_path / "other", shards=2)
    batch = _opened(indexed).train.batch(1, 2)
    for k in range(12):
        path = tmp_path / "pets" / "ab"[k % 2] / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4), 20 * k, np.uint8)).save(path)
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['tensorflow', 'tensorflow_datasets']))\n"
        "from zoo.data import images\nfrom zoo.errors import ZooError\n"
        f"x, y = images({str(indexed)!r}, 8, streaming=True, seed=0).train.batch(1, 2)\n"
        f"assert (x.sum(), y.sum()) == {int(batch[0].sum()), int(batch[1].sum())}\n"
        f"data = images({str(tmp_path / 'pets')!r}, 3, streaming=True, seed=0)\n"
        "assert data.train.batch(0, 0)[0].shape == (3, 4, 4, 1)\n"
        f"for source in ({str(other)!r}, 'mnist'):\n"
        "    try: images(source, 8, streaming=True, seed=0)\n"
        "    except ZooError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "has no index yet. TensorFlow makes it" in done.stdout and "to stream 'mnist'" in done.stdout


class TinyPhotos(tfds.core.GeneratorBasedBuilder):
    """A set of photographs as TFDS keeps them: JPEG files, of different sizes, with a validation part."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"image": tfds.features.Image(encoding_format="jpeg"), "label": tfds.features.ClassLabel(names="ab")}
        features = tfds.features.FeaturesDict(features)
        return tfds.core.DatasetInfo(builder=self, features=features, supervised_keys=("image", "label"))

    def _split_generators(self, manager):
        return {name: self._generate_examples(count) for name, count in (("train", 20), ("validation", 6), ("test", 8))}

    def _generate_examples(self, count):
        random = np.random.default_rng(count)
        for k in range(count):
            small = Image.fromarray(random.integers(0, 256, (4, 5, 3), np.uint8))
            yield k, {"image": np.asarray(small.resize((20 + k, 16 + k), Image.Resampling.BICUBIC)), "label": k % 2}


def test_a_set_of_tensorflow_datasets_has_the_pixels_that_it_has_in_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "sets"))
    sets._load.cache_clear()
    monkeypatch.setattr("requests.head", None)
    with pytest.raises(ZooError, match="'tiny_photos, train.*different sizes|tiny_photos.*different sizes"):
        images("tiny_photos", 4, streaming=True, seed=0)
    stored, held = images("tiny_photos", 4, size=12, streaming=True, seed=0), images("tiny_photos", 4, size=12, seed=0)
    assert stored.labels == ("a", "b") and [p.size for p in stored.parts.values()] == [20, 6, 8]
    for part, stream in stored.parts.items():
        np.testing.assert_array_equal(np.asarray(stream.arrays[0]), held.parts[part].arrays[0])
        np.testing.assert_array_equal(stream.arrays[1], held.parts[part].arrays[1])
    assert not list((tmp_path / "sets").rglob(".zoo-index*"))  # That folder is TFDS's own.
    with pytest.raises(ZooError, match="no image classification set"):
        sets.shards("imdb_reviews")
