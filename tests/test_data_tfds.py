"""Sets of TensorFlow Datasets: mocked, absent, and the real MNIST; the network is always cut."""

import socket

import numpy as np
import pytest
import tensorflow_datasets as tfds

from zoo.data import images
from zoo.data import tfds as sets
from zoo.errors import ZooError


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """Cuts the network and lists what was asked of it."""
    asked = []

    def refuse(*arguments, **named):
        asked.append(arguments)
        raise OSError("the network is cut")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return asked


@pytest.fixture
def mocked(monkeypatch):
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
    sets._load.cache_clear()
    with tfds.testing.mock_data(num_examples=40):
        yield
    sets._load.cache_clear()


def test_a_set_by_name(mocked, asked):
    data = images("kmnist", 8, seed=0)
    assert data.train.size + data.validation.size == data.test.size == 40
    assert data.train.input_shape == (28, 28, 1) and data.labels[:3] == ("o", "ki", "su")
    assert data.train.arrays[0].dtype == np.uint8 and data.train.arrays[1].dtype == np.int32
    assert not asked


def test_a_set_is_read_once_and_cannot_be_changed(mocked, monkeypatch, tmp_path):
    images("kmnist", 8, seed=0).train.arrays[0][:] = 7
    parts, _ = sets.load("kmnist")
    again, _ = sets.load("kmnist")
    assert parts["train"][0] is again["train"][0] and (parts["train"][0] != 7).any()
    with pytest.raises(ValueError, match="read-only"):
        parts["train"][0][:] = 0
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "elsewhere"))
    assert sets.load("kmnist")[0]["train"][0] is not parts["train"][0]


def test_size_and_channels(mocked):
    assert images("mnist", 8, size=32, channels=3).train.input_shape == (32, 32, 3)
    assert images("cats_vs_dogs", 8, size=(20, 24)).train.input_shape == (20, 24, 3)
    with pytest.raises(ZooError, match="'cats_vs_dogs' have different sizes.*--size 64"):
        images("cats_vs_dogs", 8)


def test_a_set_with_a_configuration(mocked):
    assert images("emnist/letters", 8).train.input_shape == (28, 28, 1)
    with pytest.raises(ZooError, match="has 'emnist', but not as 'emnist/leters'. Did you mean 'emnist/letters'"):
        images("emnist/leters", 8)


def test_unknown_names_are_answered_with_close_ones(asked):
    with pytest.raises(ZooError, match="no data set named 'fashion_mnits'. Did you mean 'fashion_mnist'"):
        images("fashion_mnits", 8)
    with pytest.raises(ZooError, match="Did you mean 'digits'"):
        images("digit", 8)
    with pytest.raises(ZooError, match="no data set named 'some/where/else'.*folder of class folders"):
        images("some/where/else", 8)
    assert not asked


def test_a_set_of_another_kind_is_refused(mocked):
    with pytest.raises(ZooError, match="'imdb_reviews' is no image classification set.*Its features: label, text"):
        images("imdb_reviews", 8)


def test_a_name_is_meant_before_a_folder_of_that_name(mocked, own_folder):
    (own_folder / "kmnist").mkdir()
    assert images("kmnist", 8).train.input_shape == (28, 28, 1)
    with pytest.raises(ZooError, match="kmnist has no class folders"):
        images("./kmnist", 8)


def test_neither_there_nor_reachable_is_one_clear_message(monkeypatch, tmp_path, asked):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "elsewhere"))
    with pytest.raises(ZooError) as caught:
        images("kmnist", 8)
    said = str(caught.value)
    assert "'kmnist' is neither in" in said and str(tmp_path) in said and "the network is cut" in said
    assert "tfds.load('kmnist')" in said and "TFDS_DATA_DIR" in said and "\n" not in said
    assert len(asked) == 1
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


@pytest.mark.real_data("mnist")
def test_the_real_mnist_needs_no_network(asked):
    data = images("mnist", 256, seed=0)
    assert not asked
    assert [part.size for part in data.parts.values()] == [54_000, 6_000, 10_000]
    assert data.labels == tuple("0123456789")
    # The class counts of LeCun's test set, and of a tenth of the training set.
    np.testing.assert_array_equal(
        np.bincount(data.test.arrays[1]), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    )
    np.testing.assert_array_equal(
        np.bincount(data.validation.arrays[1]), [592, 674, 596, 613, 584, 542, 592, 627, 585, 595]
    )
    # The mean of the training and validation pixels is 33.32, as is well known.
    total = sum(part.arrays[0].sum(dtype=float) for part in (data.train, data.validation))
    assert total / (60_000 * 784) == pytest.approx(33.318, abs=0.001)
    twin = data.train.batch(3, 17)
    opened = next(iter(data.train.open(3, 17)))
    np.testing.assert_array_equal(opened[0], twin[0])
    np.testing.assert_array_equal(opened[1], twin[1])
