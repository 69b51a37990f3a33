"""Batches for `fit` without TensorFlow: those of tf.data to the byte, whatever is asked for and when."""

import threading

import keras
import numpy as np
import pytest

from zoo.data import affine, feeding, images
from zoo.data.stream import Stream
from zoo.data.text_stream import TextStream
from zoo.errors import ZooError


@pytest.fixture
def without(monkeypatch):
    monkeypatch.setattr(feeding, "has_tensorflow", lambda: False)


def _streams():
    text = np.arange(100, dtype="int32")
    return {
        "images": images("digits", 500, augment=affine(rotation=10.0), seed=3).train,
        "text": TextStream(text, text, length=7, batch_size=3, seed=1),
        "consecutive": TextStream(text, text, length=7, batch_size=3, seed=1, order="consecutive"),
        "mapped": Stream((np.arange(10.0), np.arange(10)), 4, 1, map=lambda x, y: (x, {"a": y, "b": y + 1})),
    }


def _same(one, other):
    keras.tree.assert_same_structure(one, other)
    for ours, theirs in zip(keras.tree.flatten(one), keras.tree.flatten(other), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", ["images", "text", "consecutive", "mapped"])
def test_the_batches_are_those_of_tensorflow(kind, without):
    stream = _streams()[kind]
    fed = feeding.feed(stream, 2)
    assert fed.num_batches is None
    wanted = stream.open(epoch=2).take(stream.steps + 2).as_numpy_iterator()
    for number, batch in enumerate(wanted):
        _same(fed[number], batch)
    once = list(stream.once().as_numpy_iterator())
    assert feeding.feed_once(stream).num_batches == len(once) == stream.once_steps
    for found in (feeding.feed_once(stream), feeding.held_out(stream)):
        for ours, theirs in zip(found, once, strict=True):
            _same(ours, theirs)


def test_with_tensorflow_it_is_the_stream_s_own(without, monkeypatch):
    stream = _streams()["images"]
    monkeypatch.setattr(feeding, "has_tensorflow", lambda: True)
    assert feeding.feed(stream, 1).element_spec == stream.open(1).element_spec
    assert int(feeding.feed_once(stream).cardinality()) == stream.once_steps
    _same(next(feeding.held_out(stream)), stream.once_batch(0))


def test_a_batch_is_a_function_of_its_number_in_any_order():
    batches = feeding.Batches(lambda number: number * 10)
    asked = [0, 0, 1, 2, 0, 7, 8, 3]
    assert [batches[number] for number in asked] == [10 * number for number in asked]
    assert list(feeding.Batches(lambda number: number, 3)) == [0, 1, 2]


def test_the_next_batches_are_made_while_one_is_worked_on():
    made = [threading.Event() for _ in range(100)]
    batches = feeding.Batches(lambda number: made[number].set())
    batches[0]
    assert all(event.wait(20) for event in made[1:3])
    assert not any(event.is_set() for event in made[20:])
    short = feeding.Batches(lambda number: made[50 + number].set(), 2)
    assert len(list(short)) == 2 and not made[52].is_set()


def test_what_is_raised_in_a_thread_reaches_who_asked():
    def broken(number):
        raise ZooError("the file is gone")

    with pytest.raises(ZooError, match="is gone"):
        feeding.Batches(broken)[0]
    stream = _streams()["mapped"]
    with pytest.raises(ZooError, match="step must be an integer in 0 <= step < 3"):
        stream.once_batch(3)
