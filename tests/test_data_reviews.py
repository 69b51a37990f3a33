"""Labelled texts: folders of class folders, and sets of TensorFlow Datasets."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from zoo import symbols
from zoo.data import reviews
from zoo.errors import ZooError


def _write(root, texts):
    for name, content in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


@pytest.fixture
def letters(own_folder):
    """Thirty texts of two classes, each with a word of its own."""
    words = {"praise": "good", "complaint": "bad"}
    _write(
        own_folder / "letters",
        {f"{name}/{k:02}.txt": f"{words[name]} {name}{k}, 東京" for name in words for k in range(15)},
    )
    return "./letters"


def _read(data, part):
    layer = symbols.symbols(data.statistics["vocabulary"])
    return [layer.decode(layer.indices(row)) for row in data.parts[part].arrays[0]]


def test_a_folder_of_class_folders(letters):
    data = reviews(letters, 8, 4, seed=0)
    assert data.labels == ("complaint", "praise") and [part.size for part in data.parts.values()] == [21, 3, 6]
    assert data.train.element_spec == (((None, 8), "int32"), ((None,), "int32"))
    for part, stream in data.parts.items():
        for text, label in zip(_read(data, part), stream.arrays[1], strict=True):
            assert text.split()[0] == ("bad", "good")[label]


def test_the_vocabulary_is_of_training_texts_alone(letters):
    data = reviews(letters, 8, 4, words=None, seed=0)
    vocabulary = data.statistics["vocabulary"]
    # A blank twice in each text, then what is once in each, then one class, then a word of each of 21 texts.
    assert vocabulary[0] == " " and set(vocabulary[1:3]) == {",", "東京"} and set(vocabulary[3:5]) == {"bad", "good"}
    assert len(vocabulary) == 5 + 21
    assert all("\ufffd" not in text for text in _read(data, "train"))
    for part in ("validation", "test"):
        assert all(text.count("\ufffd") == 1 for text in _read(data, part))
    assert data.statistics == {"vocabulary": vocabulary, "level": "word", "length": 8}
    assert reviews(letters, 8, 4, words=3, seed=0).statistics["vocabulary"] == vocabulary[:3]


@pytest.mark.parametrize("level", symbols.LEVELS)
def test_rows_are_what_the_graph_takes_cut_and_filled_up(own_folder, level):
    long, short = "Well, I\nnever - did_I? " * 9, "No!"
    _write(own_folder / "t", {f"{name}/{k}.txt": text for k in range(9) for name, text in (("a", long), ("b", short))})
    data = reviews("./t", 20, 4, level, words=None if level == "character" else 100)
    layer = symbols.symbols(data.statistics["vocabulary"])
    for row, label in zip(*data.train.arrays, strict=True):
        raw = layer.encode((long, short)[label])[:20]
        np.testing.assert_array_equal(row, np.r_[raw, np.zeros(20 - len(raw), int)])
    assert set(data.train.arrays[1]) == {0, 1}


def test_parts_of_a_folder_are_kept_and_classes_chosen(own_folder):
    texts = {"train/pos": 6, "train/neg": 5, "train/unsup": 7, "test/pos": 3, "test/neg": 2, "val/pos": 1, "val/neg": 1}
    _write(own_folder / "a", {f"{name}/{k}.txt": f"{name} {k}" for name, count in texts.items() for k in range(count)})
    data = reviews("./a", 9, 4, classes=("pos", "neg"))
    assert data.labels == ("pos", "neg") and [part.size for part in data.parts.values()] == [11, 2, 5]
    assert all(
        ("pos" in text) == (not label) for text, label in zip(_read(data, "train"), data.train.arrays[1], strict=True)
    )
    assert reviews("./a", 9, 4).labels == ("neg", "pos", "unsup")
    assert reviews("./a", 9, 4, examples=6).train.size == 6
    with pytest.raises(ZooError, match="has no class 'positive'.*Its classes: 'neg', 'pos', 'unsup'"):
        reviews("./a", 9, 4, classes=("positive", "neg"))
    with pytest.raises(ZooError, match="two or more different classes"):
        reviews("./a", 9, 4, classes=("pos", "pos"))
    _write(own_folder / "a", {"test/other/1.txt": "x"})
    with pytest.raises(ZooError, match=r"class 'other' of a/test has no folder in a/train"):
        reviews("./a", 9, 4)


@pytest.mark.parametrize(
    "texts, message",
    [
        ({"a.txt": "x"}, "t has no class folders. Put the texts into one folder for each class, as t/CLASS/text.txt"),
        ({"a/1.txt": "x"}, "two or more different classes"),
        ({"a/1.txt": "x", "b/1.pdf": "x"}, "t/b is empty: it has no .txt file"),
        ({"a/1.txt": "x", "b/1.txt": ""}, "t/b/1.txt is empty"),
        ({"a/1.txt": "x", "b/1.txt": b"ab\xe9"}, "t/b/1.txt is not UTF-8: byte 0xe9 at offset 2"),
    ],
)
def test_folders_that_are_no_reviews_are_refused(own_folder, texts, message):
    _write(own_folder / "t", texts)
    with pytest.raises(ZooError, match=message):
        reviews("./t")


@pytest.mark.parametrize(
    "named, message",
    [
        (dict(length=0), "length must be a whole number >= 1"),
        (dict(words=0), "words must be a whole number >= 1, or None"),
        (dict(level="wrod"), "level must be one of .* Did you mean 'word'"),
        (dict(source="./leters"), "there is no file or folder leters"),
        (dict(source="imdb_review"), "Did you mean 'imdb_reviews'"),
        (dict(source="./letters/praise/00.txt"), "00.txt is a file. Texts with classes are in a folder"),
        (dict(validation=1.5), "validation must be a share"),
    ],
)
def test_values_that_cannot_be_are_refused(letters, named, message):
    with pytest.raises(ZooError, match=message):
        reviews(**{"source": letters, **named})


def test_a_set_by_name(monkeypatch):
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
    with tfds.testing.mock_data(num_examples=40):
        data = reviews("imdb_reviews", 12, 8, words=50, seed=0)
        with pytest.raises(ZooError, match="'tiny_shakespeare' has not one text and one class.*Its features: text"):
            reviews("tiny_shakespeare")
    assert data.labels == ("neg", "pos") and data.train.size + data.validation.size == data.test.size == 40
    assert data.train.arrays[0].shape[1] == 12 and 1 <= len(data.statistics["vocabulary"]) <= 50
    opened, twin = next(iter(data.train.open(1, 2))), data.train.batch(1, 2)
    for one, other in zip(opened, twin, strict=True):
        np.testing.assert_array_equal(one, other)
