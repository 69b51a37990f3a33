"""Random numbers as a function of their place, and the run's seed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import seeding
from zoo.data import random
from zoo.errors import ZooError


@pytest.mark.parametrize(
    "key, counter, expected",
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((2**32 - 1, 2**32 - 1), (2**32 - 1, 2**32 - 1), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_gives_the_known_answers_of_its_authors(key, counter, expected):
    assert tuple(int(word) for word in random.threefry(key, counter)) == expected
    tensors = [tf.constant(word, tf.uint32) for word in (*key, *counter)]
    assert tuple(int(word) for word in random.threefry(tensors[:2], tensors[2:])) == expected


def test_uniform_has_the_same_bits_in_numpy_and_in_a_graph():
    index = np.arange(5000)[:, None]
    draws = random.AUGMENT + np.arange(3)
    graph = tf.function(lambda epoch, index: random.uniform(7, epoch, index, draws))
    for epoch in (0, 3):
        expected = random.uniform(7, epoch, index, draws)
        assert expected.dtype == np.float32 and expected.shape == (5000, 3)
        np.testing.assert_array_equal(graph(tf.constant(epoch, tf.int64), tf.constant(index)), expected)


def test_uniform_is_uniform_and_its_arguments_are_independent():
    index = np.arange(100_000)
    drawn = np.stack([random.uniform(s, e, index, d) for s, e, d in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]])
    assert drawn.min() >= 0 and drawn.max() < 1
    # Four standard errors.
    assert np.abs(drawn.mean(axis=1) - 0.5).max() < 4 / np.sqrt(12 * 100_000)
    correlation = np.corrcoef(np.concatenate([drawn, drawn[:, ::-1][:1]]))
    assert np.abs(correlation - np.eye(5)).max() < 4 / np.sqrt(100_000)
    counts = np.histogram(drawn[0], 64, (0, 1))[0]
    assert ((counts - 100_000 / 64) ** 2 / (100_000 / 64)).sum() < 63 + 4 * np.sqrt(2 * 63)


def test_permutation_is_one_and_the_same_in_numpy_and_in_a_graph():
    graph = tf.function(lambda epoch: random.permutation(7, epoch, 1000))
    orders = [random.permutation(7, epoch, 1000) for epoch in range(3)]
    for epoch, order in enumerate(orders):
        np.testing.assert_array_equal(np.sort(order), np.arange(1000))
        np.testing.assert_array_equal(graph(tf.constant(epoch, tf.int64)), order)
    assert (orders[0] == orders[1]).mean() < 0.01
    assert (orders[0] == random.permutation(8, 0, 1000)).mean() < 0.01
    assert (orders[0] == random.permutation(7, 0, 1000, random.SPLIT)).mean() < 0.01


def test_every_order_of_a_small_set_is_equally_likely():
    seen = [tuple(random.permutation(0, epoch, 3)) for epoch in range(3000)]
    counts = [seen.count(order) for order in sorted(set(seen))]
    assert len(counts) == 6 and max(abs(count - 500) for count in counts) < 4 * np.sqrt(500)


def test_seed_everything_seeds_keras_and_is_remembered(monkeypatch):
    monkeypatch.setattr(seeding, "_seed", 0)
    assert seeding.current_seed() == 0
    drawn = []
    for _ in range(2):
        seeding.seed_everything(5)
        drawn.append(np.asarray(keras.random.normal((4,))))
    np.testing.assert_array_equal(*drawn)
    assert seeding.current_seed() == seeding.check_seed(None) == 5
    assert seeding.check_seed(np.int64(9)) == 9


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", True])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises(ZooError, match="seed must be an integer in 0 <= seed < 2\\*\\*32"):
        seeding.check_seed(seed)
