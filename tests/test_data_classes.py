"""Some of the classes of a source of images."""

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.data import images


def test_the_chosen_classes_are_numbered_in_the_order_of_their_names():
    whole, half = images("digits", 32, seed=0), images("digits", 32, seed=0, classes=("7", "0", "3"))
    assert half.labels == ("7", "0", "3")

    def counts(data):
        return np.bincount(np.concatenate([part.arrays[1] for part in data.parts.values()]))

    np.testing.assert_array_equal(counts(half), counts(whole)[[7, 0, 3]])
    sevens = {x.tobytes() for part in whole.parts.values() for x in part.arrays[0][part.arrays[1] == 7]}
    for part in half.parts.values():
        x, y = part.arrays
        assert y.dtype == np.int32 and {image.tobytes() for image in x[y == 0]} <= sevens
    # A fifth of each is for the test, as of the whole set.
    assert abs(half.test.size - counts(half).sum() / 5) < 1
    assert images("digits", 32, seed=0, classes=("7", "0", "3"), examples=9).train.size == 9


@pytest.mark.parametrize(
    "classes, message",
    [
        (("1",), "two or more different names. Received: classes="),
        (("1", "2", "1"), "two or more different names"),
        ("12", "two or more different names. Received: classes='12'"),
        (("1", "ten"), "'digits' has no class 'ten'. Its classes: '0', '1', '2'"),
    ],
)
def test_classes_that_there_are_not(classes, message):
    with pytest.raises(zoo.ZooError, match=message):
        images("digits", 32, classes=classes)


def test_a_part_without_the_classes_is_refused(tmp_path):
    for part, name in (("train", "cat"), ("train", "dog"), ("train", "yak"), ("test", "cat")):
        (tmp_path / part / name).mkdir(parents=True)
        Image.fromarray(np.zeros((4, 4), "uint8")).save(tmp_path / part / name / "0.png")
    assert images(tmp_path, 1, validation=0, classes=("cat", "yak")).test.size == 1
    with pytest.raises(zoo.ZooError, match="the test images of .* have none of the classes dog, yak"):
        images(tmp_path, 1, validation=0, classes=("dog", "yak"))
    with pytest.raises(zoo.ZooError, match="no class 'cow'. Its classes: 'cat', 'dog', 'yak'"):
        images(tmp_path, 1, classes=("cow", "yak"))
