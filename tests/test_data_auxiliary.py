"""The same targets for every output: names, order, weights, and that Keras takes them."""

import keras
import numpy as np
import pytest

from zoo.data import Stream, bootstrap, images, shift, table
from zoo.data.auxiliary import repeated
from zoo.errors import ZooError
from zoo.recipe import Data

NAMES = ("logits", "aux1")


def test_every_part_has_the_same_targets_under_every_name():
    data = images("digits", 32, seed=0)
    named = repeated(data, NAMES)
    for part in ("train", "validation", "test"):
        x, y = next(iter(getattr(named, part).once()))
        expected_x, expected_y = next(iter(getattr(data, part).once()))
        np.testing.assert_array_equal(x, expected_x)
        assert sorted(y) == sorted(NAMES)
        for name in NAMES:
            np.testing.assert_array_equal(y[name], expected_y)
    assert named.labels == data.labels and named.train.fingerprint == data.train.fingerprint


def test_order_and_augmentation_stay():
    data = images("digits", 32, augment=shift(1), seed=3)
    named = repeated(data, NAMES)
    x, y = named.train.batch(epoch=2, step=5)
    expected_x, expected_y = data.train.batch(epoch=2, step=5)
    np.testing.assert_array_equal(x, expected_x)
    np.testing.assert_array_equal(y["aux1"], expected_y)
    opened_x, opened_y = next(iter(named.train.open(epoch=2, step=5)))
    np.testing.assert_array_equal(opened_x, x)
    np.testing.assert_array_equal(opened_y["logits"], y["logits"])


def test_a_stream_in_order_stays_in_order_and_keeps_its_map():
    stream = Stream((np.arange(6.0), np.arange(6)), 2, seed=0, shuffle=False, map=lambda x, y: (x * 2, y + 1))
    x, y = repeated(Data(stream), NAMES).train.batch(epoch=4, step=1)
    assert x.tolist() == [4, 6] and y["logits"].tolist() == y["aux1"].tolist() == [3, 4]


def test_parts_that_are_not_there_stay_away_and_statistics_stay():
    data = table("wine", validation=0, seed=0)
    named = repeated(data, NAMES)
    assert named.validation is None and named.statistics == data.statistics


def test_keras_weighs_every_loss_and_every_example():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(8, 3)).astype("float32"), random.normal(size=(8, 1)).astype("float32")
    weights = random.uniform(size=8).astype("float32")
    data = repeated(Data(Stream((x, y, weights), 8, seed=0)), NAMES)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, {name: keras.layers.Dense(1, name=name)(inputs) for name in NAMES})
    model.compile("sgd", {name: "mse" for name in NAMES}, loss_weights={"logits": 1.0, "aux1": 0.3})
    found = model.evaluate(data.train.once(), return_dict=True, verbose=0)
    errors = {name: float((weights * (np.asarray(answer) - y)[:, 0] ** 2).mean()) for name, answer in model(x).items()}
    assert found["loss"] == pytest.approx(errors["logits"] + 0.3 * errors["aux1"], rel=1e-5)
    assert found["aux1_loss"] == pytest.approx(errors["aux1"], rel=1e-5)


@pytest.mark.parametrize("names", [(), "logits", ("logits", "logits"), ("logits", 1), None])
def test_names_that_are_none_are_refused(names):
    with pytest.raises(ZooError, match="names must be a list of different strings"):
        repeated(images("digits", 32), names)


def test_targets_with_names_are_refused():
    with pytest.raises(ZooError, match="train data have names already: logits, member_0"):
        repeated(bootstrap(images("digits", 32), 1), NAMES)
