"""Recipes learn: the main job whole, and some of real MNIST and Fashion-MNIST."""

import pytest

import zoo
from zoo.data import Stream


def test_the_main_job_learns_the_digits():
    assert zoo.train("lenet5_digits", export=False, pictures=False, verbose=0).metrics["test_accuracy"] >= 0.975


@pytest.mark.parametrize("name, fewer", [("mlp_digits", {}), ("ensemble_digits", dict(count=4, epochs=15))])
def test_small_networks_learn_the_digits(name, fewer):
    scores = zoo.train(name, export=False, pictures=False, verbose=0, **fewer).metrics
    assert max(value for key, value in scores.items() if key.startswith("test_") and "accuracy" in key) >= 0.955


@pytest.mark.real_data("mnist")
@pytest.mark.parametrize("name, accuracy", [("lenet_mnist", 0.94), ("lenet5_mnist", 0.91)])
def test_a_third_of_an_epoch_of_mnist(name, accuracy, monkeypatch):
    whole = Stream.__init__

    def third(self, arrays, *more, **named):
        whole(self, [array[:20_000] for array in arrays], *more, **named)

    monkeypatch.setattr(Stream, "__init__", third)
    result = zoo.train(name, epochs=1, export=False, pictures=False, verbose=0)
    assert result.metrics["test_accuracy"] >= accuracy


@pytest.mark.real_data("fashion_mnist")
def test_one_epoch_of_fashion_mnist():
    result = zoo.train("lenet_fashion_mnist", epochs=1, export=False, pictures=False, verbose=0)
    assert result.metrics["test_accuracy"] >= 0.83


@pytest.mark.real_data("mnist")
def test_one_epoch_of_an_autoencoder_of_mnist():
    # The mean image has a squared error of 52.7; as many principal components, 13.9.
    result = zoo.train("autoencoder_mnist", epochs=1, export=False, pictures=False, verbose=0)
    assert result.metrics["test_loss"] <= 25
