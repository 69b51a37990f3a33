"""Texts: where they come from, how they are split, and slices of them as a function of (seed, epoch, step)."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from zoo import symbols
from zoo.data import Stream, TextStream, text
from zoo.errors import ZooError

ORDERS = ("random", "consecutive")


def _stream(order="random", size=400, length=7, batch_size=5, **named):
    """A text whose symbols are their places, and whose targets are 1000 more."""
    places = np.arange(size, dtype="int32")
    return TextStream(places, places + 1000, length, batch_size, seed=3, order=order, **named)


def _taken(dataset, count):
    return list(dataset.take(count).as_numpy_iterator())


@pytest.mark.parametrize("order", ORDERS)
def test_a_target_is_the_symbol_after_and_an_epoch_is_one_stretch_of_the_text(order):
    stream = _stream(order)
    begun = []
    for epoch in range(6):
        batches = [stream.batch(epoch, step) for step in range(stream.steps)]
        for x, y in batches:
            assert x.dtype == y.dtype == np.int32
            np.testing.assert_array_equal(y, x + 1001)
            np.testing.assert_array_equal(x, x[:, :1] + np.arange(7))
        seen = np.sort(np.concatenate([x.ravel() for x, _ in batches]))
        np.testing.assert_array_equal(seen, seen[0] + np.arange(stream.size * 7))
        begun.append(int(seen[0]))
    assert len(set(begun)) > 2, "the slices begin elsewhere in each epoch"
    assert min(begun) >= 0 and max(begun) + stream.size * 7 < 400


def test_the_offset_takes_every_value():
    stream = _stream(size=40)
    assert stream.size == 4
    first = {int(min(x.min() for x, _ in [stream.batch(epoch, 0)])) for epoch in range(200)}
    assert first == set(range(40 - 4 * 7))


def test_without_an_offset_each_epoch_has_the_same_slices():
    text = np.arange(41, dtype="int32")
    stream = TextStream(text, text, 5, 2, seed=3, order="consecutive", shifted=False)
    assert stream.size == 8
    for epoch in range(3):
        x, y = (np.concatenate(part, axis=1) for part in zip(*(stream.batch(epoch, s) for s in range(4)), strict=True))
        np.testing.assert_array_equal(x, np.arange(40).reshape(2, 20))
        np.testing.assert_array_equal(y, x + 1)
    for one, other in zip(stream.batch(5, 1), next(stream.open(5, 1).as_numpy_iterator()), strict=True):
        np.testing.assert_array_equal(one, other)


def test_random_slices_come_in_another_order_each_epoch():
    stream = _stream()
    orders = [np.concatenate([stream.batch(epoch, step)[0][:, 0] for step in range(stream.steps)]) for epoch in (0, 1)]
    ranks = [order.argsort().argsort() for order in orders]
    assert (ranks[0] != ranks[1]).any() and all((rank != np.arange(stream.size)).any() for rank in ranks)


def test_consecutive_rows_go_on_where_they_ended():
    stream = _stream("consecutive")
    assert stream.steps == 11 and stream.size == 55
    for batches in (_taken(stream.once(), 11), [stream.batch(2, step) for step in range(11)]):
        rows = np.concatenate([x for x, _ in batches], axis=1)
        assert rows.shape == (5, 77)
        np.testing.assert_array_equal(rows, rows[:, :1] + np.arange(77))
        np.testing.assert_array_equal(np.diff(rows[:, 0]), 77)


@pytest.mark.parametrize("order", ORDERS)
def test_opened_anywhere_it_goes_on_and_numpy_has_the_same_bytes(order):
    stream = _stream(order)
    twin = [stream.batch(k // stream.steps, k % stream.steps) for k in range(2 * stream.steps + 3)]
    for start in (0, stream.steps + 4):
        opened = _taken(stream.open(*divmod(start, stream.steps)), len(twin) - start)
        for one, other in zip(opened, twin[start:], strict=True):
            for left, right in zip(one, other, strict=True):
                assert left.dtype == right.dtype
                np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("order", ORDERS)
def test_once_gives_every_slice_from_the_beginning_of_the_text(order):
    stream = _stream(order)
    once = stream.once()
    assert int(once.cardinality()) == stream.steps
    x, y = (np.concatenate(parts) for parts in zip(*_taken(once, -1), strict=True))
    np.testing.assert_array_equal(np.sort(x.ravel()), np.arange(stream.size * 7))
    np.testing.assert_array_equal(y, x + 1001)
    if order == "random":
        np.testing.assert_array_equal(x, stream.arrays[0])


def test_the_text_is_held_once_and_slices_are_views_of_it():
    stream = _stream()
    x, y = stream.arrays
    assert x.base is not None and np.shares_memory(x, stream.text_symbols) and np.shares_memory(y, stream.targets)
    assert x.shape == (stream.size, 7) and stream.input_shape == (7,)
    assert stream.element_spec == (((None, 7), "int32"), ((None, 7), "int32"))
    assert stream.nbytes == 2 * 400 * 4
    words = np.arange(50, dtype="int32")
    assert TextStream(words, words, 4, 2, 0).nbytes == 50 * 4
    opened = _stream(size=100_000).open()
    written = tf.raw_ops.DatasetToGraphV2(input_dataset=opened._variant_tensor, external_state_policy=1)
    functions = tf.compat.v1.GraphDef.FromString(written.numpy()).library
    assert 0 < functions.ByteSize() < 100_000, "the text is no constant of the graph"


def test_the_fingerprint_sees_the_last_symbol_and_the_targets():
    places = np.arange(60, dtype="int32")
    variants = [(places, places), (places[:-1], places[:-1]), (places, places + 1)]
    prints = {TextStream(*pair, 8, 2, 0).fingerprint for pair in variants}
    assert len(prints) == 3
    assert TextStream(places.copy(), places.copy(), 8, 2, 5).fingerprint in prints


def test_derived_streams_keep_what_they_are():
    stream = _stream("consecutive")
    mapped = stream.mapped(lambda x, y: (x * 2, y))
    assert isinstance(mapped, TextStream) and mapped.order == "consecutive"
    for (x, _), (before, _) in ((mapped.batch(1, 2), stream.batch(1, 2)), (_taken(mapped.once(), 1)[0], stream.arrays)):
        np.testing.assert_array_equal(x[0], 2 * before[0])
    joined = stream.joined(_stream("consecutive"))
    np.testing.assert_array_equal(joined.text_symbols, np.r_[0:400, 0:400])
    assert isinstance(joined, TextStream) and joined.steps == (800 - 7) // 35
    with pytest.raises(ZooError, match="cannot be joined"):
        stream.joined(_stream(length=8))
    plain = stream.replaced([array[::2] for array in stream.arrays])
    assert type(plain) is Stream and plain.size == 28


@pytest.mark.parametrize(
    "named, message",
    [
        (dict(size=7), "one slice takes 7 symbols and the one after them"),
        (dict(size=35, order="consecutive"), "one batch takes 35 symbols"),
        (dict(order="consecutiv"), "order must be one of .* Did you mean 'consecutive'"),
        (dict(length=0), "length must be a whole number >= 1"),
        (dict(batch_size=2.0), "batch_size must be a whole number >= 1"),
    ],
)
def test_streams_that_cannot_be_are_refused(named, message):
    with pytest.raises(ZooError, match=message):
        _stream(**named)


def test_one_slice_is_enough():
    for size in range(8, 30):
        stream = _stream(size=size, batch_size=1)
        for epoch in range(4):
            assert stream.batch(epoch, 0)[1].max() <= 1000 + size - 1
    assert _stream("consecutive", size=36).steps == 1


def test_pydoc_is_split_in_the_order_of_time():
    from pydoc_data.topics import topics

    data = text(length=32, batch_size=16, seed=0)
    whole = "\n".join(topics[name] for name in sorted(topics))
    parts = ["".join(map(chr, part.text_symbols)) for part in data.parts.values()]
    assert list(data.parts) == ["train", "validation", "test"] and "".join(parts) == whole
    for part in parts[1:]:
        assert len(part) == pytest.approx(0.05 * len(whole), abs=20)
    vocabulary = data.statistics["vocabulary"]
    assert vocabulary == "".join(sorted(set(parts[0]))) and data.labels is None
    assert data.statistics == {"vocabulary": vocabulary, "level": "character", "length": 32}
    raw, target = data.train.batch(2, 3)
    layer = symbols.Characters(vocabulary)
    np.testing.assert_array_equal(layer.indices(raw[:, 1:]), target[:, :-1])
    assert raw.dtype == target.dtype == np.int32


def test_what_training_has_not_seen_is_unknown(own_folder):
    (own_folder / "a.txt").write_text("一二三四五六七八九十" * 20 + "百" * 20, encoding="utf-8")
    data = text("a.txt", length=8, batch_size=2, validation=0, test=20 / 220)
    assert data.validation is None and data.statistics["vocabulary"] == "".join(sorted("一二三四五六七八九十"))
    raw, target = next(data.test.once().as_numpy_iterator())
    assert (raw == ord("百")).all() and (target == symbols.UNKNOWN).all()


def test_words_are_places_and_rare_ones_unknown(own_folder):
    (own_folder / "a.txt").write_text("the cat sat on the mat, the end\n" * 40, encoding="utf-8")
    data = text("a.txt", 6, 2, level="word", words=4, validation=0.1, test=0.1)
    # Words as frequent as each other stand by their code points.
    assert data.statistics["vocabulary"] == (" ", "the", "\n", ",")
    whole = np.concatenate([part.text_symbols for part in data.parts.values()])
    sentence = [3, 2, 1, 2, 1, 2, 1, 2, 3, 2, 1, 5, 2, 3, 2, 1, 4]
    np.testing.assert_array_equal(whole, sentence * 40)
    raw, target = data.train.batch(0, 0)
    np.testing.assert_array_equal(raw[:, 1:], target[:, :-1])
    for part in list(data.parts.values())[1:]:
        assert len(part.text_symbols) == pytest.approx(0.1 * len(whole), abs=2)


def test_no_part_begins_within_a_word(own_folder):
    (own_folder / "a.txt").write_text("incomprehensibilities " * 50)
    for share in (0.1, 0.11, 0.12, 0.13):
        data = text("a.txt", 2, 1, level="word", validation=share, test=share)
        assert len(data.statistics["vocabulary"]) == 2
        assert all((part.text_symbols >= 2).all() for part in data.parts.values())


def test_only_so_much_of_a_text(own_folder):
    (own_folder / "a.txt").write_text("abcdefghij" * 100)
    data = text("a.txt", 4, 2, characters=200, validation=0.1, test=0.2)
    assert [len(part.text_symbols) for part in data.parts.values()] == [140, 20, 40]


def test_a_folder_is_its_texts_in_order(own_folder):
    for name, content in (("b.txt", b"second\r\nline"), ("a/1.TXT", b"\xef\xbb\xbffirst\r\n"), ("c.md", b"none")):
        (own_folder / "texts" / name).parent.mkdir(parents=True, exist_ok=True)
        (own_folder / "texts" / name).write_bytes(content)
    for hidden in (".d.txt", ".git/e.txt"):
        (own_folder / "texts" / hidden).parent.mkdir(exist_ok=True)
        (own_folder / "texts" / hidden).write_text("hidden")
    data = text("./texts", 2, 2, validation=0, test=0)
    assert "".join(map(chr, data.train.text_symbols)) == "first\n\nsecond\nline"
    assert list(data.parts) == ["train"]


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", r"a\.txt is empty"),
        (b"\xef\xbb\xbf", r"a\.txt is empty"),
        (b"good\xff", r"a\.txt is not UTF-8: byte 0xff at offset 4 \(invalid start byte\)"),
        (b"\xef\xbb\xbfna\xefve text", r"a\.txt is not UTF-8: byte 0xef at offset 5.*iconv -f latin1"),
        ("text".encode("utf-16-le"), r"a\.txt is no text in UTF-8: it has a zero byte at offset 1"),
        (
            b"short",
            "the train part of 'a.txt' has 5 characters; one slice of 8.* are 9. What works: length=4, ",
        ),
        (b"a" * 8, "has 8 characters; one slice of 8, and what comes after, are 9. What works: length=7"),
    ],
)
def test_files_that_are_no_texts_are_refused(own_folder, content, message):
    (own_folder / "a.txt").write_bytes(content)
    with pytest.raises(ZooError, match=message):
        text("a.txt", 8, 4, validation=0, test=0)


@pytest.mark.parametrize(
    "named, message",
    [
        (dict(level="letter"), "level must be one of 'character', 'word'"),
        (dict(level="characters"), "Did you mean 'character'"),
        (dict(order="consequtive"), "Did you mean 'consecutive'"),
        (dict(length=0), "length must be a whole number >= 1"),
        (dict(words=100), "words=100 .* level='character'"),
        (dict(level="word", words=0), "words must be a whole number >= 1, or None"),
        (dict(characters=-1), "characters must be a whole number >= 1, or None"),
        (dict(test=1), "test must be a share in 0 <= share < 1"),
        (dict(validation=0.5, test=0.5), "leave nothing to train on"),
        (dict(validation=0.004), "the validation part of 'a.txt' has 4 characters; one slice of 8"),
        (
            dict(order="consecutive"),
            r"validation part of 'a.txt' has 50 .*; 16 slices of 8 side by side.* are 129. What works: batch_size=6,",
        ),
        (dict(order="consecutive", validation=0.003), "What works: length=2 with batch_size=1"),
        (dict(characters=1, validation=0.9, test=0), "nothing is left to train on"),
    ],
)
def test_values_that_cannot_be_are_refused(own_folder, named, message):
    (own_folder / "a.txt").write_text("abcd " * 200)
    with pytest.raises(ZooError, match=message):
        text("a.txt", **{"length": 8, "batch_size": 16, **named})


def test_sources_that_are_not_there_are_answered(own_folder):
    (own_folder / "empty").mkdir()
    with pytest.raises(ZooError, match="empty has no .txt file, nothing. Put texts in UTF-8 there"):
        text("./empty")
    (own_folder / "empty" / "a.pdf").write_bytes(b"")
    with pytest.raises(ZooError, match="empty has no .txt file, only a.pdf"):
        text("empty")
    with pytest.raises(ZooError, match="there is no file or folder novel.txt"):
        text("novel.txt")
    with pytest.raises(ZooError, match="no text named 'tiny_shakespear'. Did you mean 'tiny_shakespeare'"):
        text("tiny_shakespear")
    with pytest.raises(ZooError, match="no text named 'pidoc'. Did you mean 'pydoc'"):
        text("pidoc")
    with pytest.raises(ZooError, match="source must be 'pydoc', the name of a set, or a path"):
        text(None)


def test_a_set_of_texts_keeps_its_parts(monkeypatch):
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)

    def lines(builder, split, **options):
        return tf.data.Dataset.from_tensor_slices({"text": [f"{split} one\r\n", "und zwei"]})

    with tfds.testing.mock_data(as_dataset_fn=lines):
        data = text("tiny_shakespeare", 2, 2, validation=0.2)
        with pytest.raises(ZooError, match="'mnist' is no set of texts.*image, label"):
            text("mnist")
    said = {name: "".join(map(chr, part.text_symbols)) for name, part in data.parts.items()}
    assert said["train"] + said["validation"] == "train one\n\nund zwei" and said["test"] == "test one\n\nund zwei"


@pytest.mark.real_data("tiny_shakespeare")
def test_the_real_tiny_shakespeare():
    data = text("tiny_shakespeare", 64, 64, order="consecutive", seed=0)
    assert [len(part.text_symbols) for part in data.parts.values()] == [1_003_854, 55_770, 55_770]
    assert [part.steps for part in data.parts.values()] == [245, 13, 13]
    assert len(data.statistics["vocabulary"]) == 65
    assert "".join(map(chr, data.train.arrays[0][0][:14])) == "First Citizen:"
