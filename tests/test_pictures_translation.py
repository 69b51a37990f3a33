"""Pictures of networks from images to images: which examples are shown, and how far off they are."""

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.data.translation import translation
from zoo.pictures import translation as pictures
from zoo.pixel_affine import Pixels
from zoo.samples import Samples


def _copying(factor=1):
    """A network that gives its input back, larger where asked for."""
    pixels = keras.Input((None, None, 1), name="pixels")
    large = keras.layers.UpSampling2D(factor)(pixels)
    return keras.Model(pixels, Pixels(name="output")(keras.layers.Rescaling(1 / 127.5, -1)(large)))


def _off(*errors):
    """Pairs whose images differ by so much from their conditions."""
    x = np.full((len(errors), 8, 8, 1), 100, np.uint8)
    return x, (x + np.reshape(errors, (-1, 1, 1, 1))).astype(np.uint8)


def test_a_row_has_input_output_target_and_difference():
    x = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3), np.uint8)
    target = np.zeros((2, 8, 12, 3), np.uint8)
    output = target.copy()
    output[0, 0, 0] = (30, 60, 90)
    figure = pictures.translations(x, output, target)
    axes = figure.axes[:8]
    assert [axis.get_title() for axis in axes] == ["input", "output", "target", "difference", *[""] * 4]
    shown = [axis.images[0].get_array() for axis in axes]
    np.testing.assert_allclose(shown[4], x[1] / 255, atol=1e-6)
    np.testing.assert_allclose(shown[1], output[0] / 255, atol=1e-6)
    assert shown[3][0, 0] == 60 and not shown[3][1:].any() and not shown[7].any()
    assert [axis.texts[0].get_text() for axis in (axes[3], axes[7])] == [f"mean {60 / 96:.1f}", "mean 0.0"]


def test_the_best_and_the_worst_of_what_was_held_out(tmp_path, monkeypatch):
    errors = [30, 7, 50, 1, 20, 90, 40, 10, 0, 60]
    data = translation(_off(*errors, 99), 4, test=range(10), validation=0, seed=0)
    drawn = {}

    def caught(inputs, outputs, targets):
        drawn["errors"] = np.abs(outputs.astype(int) - targets).mean((1, 2, 3))
        return original(inputs, outputs, targets)

    original = pictures.translations
    monkeypatch.setattr(pictures, "translations", caught)
    assert pictures.draw(tmp_path, _copying(), data) == [tmp_path / "translations.png"]
    np.testing.assert_array_equal(drawn["errors"], [0, 7, 20, 30, 50, 90])


def test_the_film_of_a_training_and_a_network_that_enlarges(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 1), np.uint8)
    data = translation((x.repeat(2, 1).repeat(2, 2),) * 2, 2, test=range(4), validation=0, seed=0)
    # A stream of small images and large ones, as super-resolution has it.
    test = data.test.mapped(lambda small, large: (small[:, ::2, ::2], large))
    data = zoo.Data(data.train, test=test)
    model = _copying(2)
    samples = Samples(tmp_path / "samples", data)
    samples.set_model(model)
    samples.set_params({"epochs": 2})
    samples.on_train_begin()
    for epoch in range(2):
        samples.on_epoch_end(epoch, {"loss": 1.0})
    paths = pictures.draw(tmp_path, model, data)
    assert [path.name for path in paths] == ["translations.png", "growth.gif"]
    with Image.open(paths[1]) as film:
        assert film.n_frames == pytest.approx(2, abs=1)  # equal ones are one
