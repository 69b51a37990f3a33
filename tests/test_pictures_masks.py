"""Pictures of segmentations: what each colour says, and whole images from a network for windows."""

import numpy as np
import pytest

import zoo
from zoo.data import Stream
from zoo.pictures import masks
from zoo.pictures.masks import CONFUSED, FALSE, MISSED, RIGHT


def test_errors_have_a_colour_each():
    truth = np.array([[[0, 1], [1, 2]], [[0, 0], [0, 0]]])
    found = np.array([[[1, 0], [2, 2]], [[0, 0], [0, 0]]])
    images = np.full((2, 2, 2, 1), 100, np.uint8)
    figure = masks.four_columns(images, truth, found, np.array([0.75, 0.0]), ("nothing", "a", "b"))
    image, true, predicted, errors = figure.axes[:4]
    assert [axis.get_title() for axis in (image, true, predicted, errors)] == [
        "image",
        "truth",
        "prediction",
        "75.00% wrong",
    ]
    shown = np.asarray(errors.images[0].get_array())
    expected = np.array([[FALSE, MISSED], [CONFUSED, RIGHT]])
    np.testing.assert_allclose(shown, expected)
    assert figure.axes[7].get_title() == "0.00% wrong"
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said == ["nothing", "a", "b", "a class taken for nothing", "nothing taken for a class", "another class"]


def test_the_best_and_the_worst_images_are_shown(tmp_path, monkeypatch):
    count = 9
    truth = np.zeros((count, 8, 8), "uint8")
    probabilities = np.zeros((count, 8, 8, 1), "float32")
    for k in range(count):
        probabilities[k].reshape(-1)[: 2 * k] = 1  # 2 k of 64 pixels are wrong
    shown = {}
    monkeypatch.setattr(masks, "segment", lambda model, images: probabilities)
    original = masks.four_columns

    def noted(images, truths, found, errors, labels):
        shown["errors"] = errors
        return original(images, truths, found, errors, labels)

    monkeypatch.setattr(masks, "four_columns", noted)
    stream = Stream((np.zeros((count, 8, 8, 1), "uint8"), truth), 2, seed=0)
    paths = masks.draw(tmp_path, None, zoo.Data(stream, test=stream, labels=("off", "on")))
    np.testing.assert_allclose(shown["errors"], np.array([0, 2, 4, 12, 14, 16]) / 64)
    assert [path.name for path in paths] == ["masks.png", "probabilities.png"]
    assert all(path.stat().st_size > 1000 for path in paths)


@pytest.mark.parametrize("classes", [1, 2, 9])
def test_probabilities_of_each_class(classes):
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(max(2, classes)), (6, 5))[..., -classes:]
    image = np.zeros((6, 5, 3), np.uint8)
    names = [f"class {k}" for k in range(max(2, classes))]
    figure = masks.probability_maps(image, probabilities, names)
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles[0] == "image" and len(titles) == 1 + min(masks.CLASSES, len(names))
    if classes == 1:
        first = np.asarray(figure.axes[1 + titles[1:].index("class 1")].images[0].get_array())
        np.testing.assert_allclose(first, probabilities[..., 0])


def test_a_network_for_windows_is_shown_whole_images(tmp_path):
    model = zoo.build("unet_same", input_shape=(16, 16, 1), width=2, depth=2)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (3, 22, 30, 1), dtype=np.uint8)
    stream = Stream((images, (images[..., 0] > 128).astype("uint8")), 2, seed=0)
    assert len(masks.draw(tmp_path, model, zoo.Data(stream, test=stream, labels=("off", "on")))) == 2
