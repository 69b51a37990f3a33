"""Sets that TensorFlow Datasets has prepared, read without it: the same examples in the same order."""

import json

import numpy as np
import pytest

from zoo.data import prepared, text_sources
from zoo.errors import ZooError

# The sizes of the files of a part: more than are open at a time, longer and shorter than a block, and an empty one.
SHARDS = [16, 40, 3, 17, 0, 33, 16, 5, 64, 1, 2, 18, 31, 32, 7, 15, 20, 48, 11, 35]
KINDS = {"image": "image_feature.Image", "label": "class_label_feature.ClassLabel", "text": "text_feature.Text"}


def _written(home, name, parts, features, version="1.0.0"):
    """A prepared set of parts: a dict from name to lists of examples, one a file."""
    import tensorflow as tf

    folder = home / name / version
    folder.mkdir(parents=True)
    splits = []
    for part, shards in parts.items():
        for number, examples in enumerate(shards):
            path = folder / f"{name}-{part}.tfrecord-{number:05}-of-{len(shards):05}"
            with tf.io.TFRecordWriter(str(path)) as file:
                for example in examples:
                    file.write(_serialised(example))
        lengths = [str(len(examples)) for examples in shards]
        named = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
        splits.append({"name": part, "shardLengths": lengths, "numBytes": "1", "filepathTemplate": named})
    info = {"name": name, "version": version, "fileFormat": "tfrecord", "splits": splits}
    if "image" in features:
        info["supervisedKeys"] = {"tuple": {"items": [{"featureKey": "image"}, {"featureKey": "label"}]}}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    place = "tensorflow_datasets.core.features."
    kinds = {key: {"pythonClassName": place + KINDS[key], **said} for key, said in features.items()}
    held = {"features": kinds}
    said = {"pythonClassName": f"{place}features_dict.FeaturesDict", "featuresDict": held}
    (folder / "features.json").write_text(json.dumps(said))
    return folder


def _serialised(example):
    from tensorflow import train

    features = {
        key: train.Feature(bytes_list=train.BytesList(value=[value]))
        if isinstance(value, bytes)
        else train.Feature(int64_list=train.Int64List(value=[value]))
        for key, value in example.items()
    }
    return train.Example(features=train.Features(feature=features)).SerializeToString()


def _images(counts):
    """Images of 2 x 3 pixels that know their number, and labels of one and of several bytes."""
    import io

    from PIL import Image

    number = 0
    for count in counts:
        shard = []
        for _ in range(count):
            file = io.BytesIO()
            pixels = np.array([[number % 256, number // 256, 3], [4, 5, 6]], "uint8")
            Image.fromarray(pixels).save(file, "PNG")
            shard.append({"image": file.getvalue(), "label": number * 7 % 300})
            number += 1
        yield shard


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    return tmp_path


IMAGES = {
    "image": {"image": {"dtype": "uint8", "shape": {"dimensions": ["2", "3", "1"]}}},
    "label": {"classLabel": {"numClasses": "300"}},
}


def test_images_have_the_bytes_and_the_order_of_tensorflow_datasets(home):
    import tensorflow_datasets as tfds

    parts = {"train": list(_images(SHARDS)), "test": list(_images([4]))}
    folder = _written(home, "numbered", parts, IMAGES)
    read, labels = prepared.images("numbered")
    assert labels == tuple(map(str, range(300)))
    builder = tfds.builder_from_directory(folder)
    for part in parts:
        x, y = next(builder.as_dataset(split=part, as_supervised=True).batch(1000).as_numpy_iterator())
        np.testing.assert_array_equal(read[part][0], x)
        np.testing.assert_array_equal(read[part][1], y)
        assert read[part][1].dtype == np.int32
    assert not (np.diff(read["train"][0][:, 0, 0, 0]) == 1).all()  # The files are mixed.
    larger, _ = prepared.images("numbered:1.0.0", (4, 6), 3)
    assert larger["test"][0].shape == (4, 4, 6, 3)


def test_texts_are_read_and_the_newest_version_is_taken(home):
    features = {"text": {"text": {}}, "label": {"classLabel": {"numClasses": "2"}}}
    old = [[{"text": b"old", "label": 0}]]
    new = [[{"text": "né".encode(), "label": 1}, {"text": b"two\r\nlines", "label": 0}]]
    _written(home, "said", {"train": old}, features, "9.0.0")
    folder = _written(home, "said", {"train": new}, features, "10.0.0")
    (folder / "label.labels.txt").write_text("no\nyes\n")
    assert text_sources._prepared_texts("said") == {"train": "né\ntwo\nlines"}
    parts, labels = text_sources._prepared_examples("said")
    assert labels == ("no", "yes")
    assert parts["train"][0] == ["né".encode(), b"two\r\nlines"] and parts["train"][1].tolist() == [1, 0]
    assert text_sources._prepared_texts("said:9.0.0") == {"train": "old"}
    assert prepared.names() == ["said"]
    with pytest.raises(ZooError, match="no image classification set.*label, text"):
        prepared.images("said")


def test_what_cannot_be_read_is_said(home):
    with pytest.raises(ZooError, match="'nmber' is not in .*, where there is: nothing.*takes TensorFlow"):
        prepared.images("nmber")
    folder = _written(home, "number", {"train": list(_images([3]))}, IMAGES)
    with pytest.raises(ZooError, match="where there is: number. Did you mean 'number'"):
        prepared.images("nmber")
    with pytest.raises(ZooError, match="has not one Text in each example"):
        text_sources._prepared_texts("number")
    path = folder / "number-train.tfrecord-00000-of-00001"
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with pytest.raises(ZooError, match="00001 ends in the middle of a record"):
        prepared.images("number")
    path.write_bytes(whole[:12] + b"\xff" * (len(whole) - 12))
    with pytest.raises(ZooError, match="record 0 of .* is damaged|middle of a record"):
        prepared.images("number")
    path.unlink()
    with pytest.raises(ZooError, match="cannot be read"):
        prepared.images("number")
    info = folder / "dataset_info.json"
    info.write_text(info.read_text().replace('"tfrecord"', '"array_record"'))
    with pytest.raises(ZooError, match="has train in the format array_record"):
        prepared.images("number")
