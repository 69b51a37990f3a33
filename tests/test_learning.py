"""Recipes learn: the main job whole, and one epoch of real MNIST and Fashion-MNIST."""

import pytest

import zoo


def test_the_main_job_learns_the_digits():
    assert zoo.train("lenet5_digits", export=False, verbose=0).metrics["test_accuracy"] >= 0.975


@pytest.mark.parametrize("name, accuracy", [("mlp_digits", 0.955), ("ensemble_digits", 0.955)])
def test_small_networks_learn_the_digits(name, accuracy):
    scores = zoo.train(name, export=False, verbose=0).metrics
    assert max(value for key, value in scores.items() if key.startswith("test_") and "accuracy" in key) >= accuracy


@pytest.mark.real_data("mnist")
@pytest.mark.parametrize("name, accuracy", [("lenet_mnist", 0.975), ("lenet5_mnist", 0.96)])
def test_one_epoch_of_mnist(name, accuracy):
    result = zoo.train(name, epochs=1, export=False, verbose=0)
    assert result.metrics["test_accuracy"] >= accuracy


@pytest.mark.real_data("fashion_mnist")
def test_one_epoch_of_fashion_mnist():
    result = zoo.train("lenet_fashion_mnist", epochs=1, export=False, verbose=0)
    assert result.metrics["test_accuracy"] >= 0.83


@pytest.mark.real_data("mnist")
def test_one_epoch_of_an_autoencoder_of_mnist():
    # The mean image has a squared error of 52.7; as many principal components, 13.9.
    result = zoo.train("autoencoder_mnist", epochs=1, export=False, pictures=False, verbose=0)
    assert result.metrics["test_loss"] <= 25
