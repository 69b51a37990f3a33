"""Equations 8 and 9 of LeCun et al. 1998."""

import keras
import numpy as np
import pytest

from zoo import ZooError
from zoo.losses import RadialBasisLoss

DISTANCES = np.random.default_rng(0).uniform(0, 6, (5, 3)).astype("float32")
LABELS = np.array([0, 2, 1, 1, 0], "int32")


def _right(distances):
    return distances[np.arange(len(LABELS)), LABELS]


def test_equation_8():
    assert float(RadialBasisLoss(j=None)(LABELS, -DISTANCES)) == pytest.approx(_right(DISTANCES).mean(), rel=1e-6)


@pytest.mark.parametrize("j", [0.1, 1, 5.0])
def test_equation_9(j):
    expected = (_right(DISTANCES) + np.log(np.exp(-j) + np.exp(-DISTANCES).sum(-1))).mean()
    assert float(RadialBasisLoss(j=j)(LABELS, -DISTANCES)) == pytest.approx(expected, rel=1e-5)


def test_labels_may_be_a_column_and_floats():
    loss = RadialBasisLoss()
    assert float(loss(LABELS[:, None].astype("float32"), -DISTANCES)) == float(loss(LABELS, -DISTANCES))


def test_sample_weights_choose_examples():
    loss = RadialBasisLoss()
    weights = np.array([0, 0, 5, 0, 0], "float32")
    alone = float(loss(LABELS[2:3], -DISTANCES[2:3]))
    assert float(loss(LABELS, -DISTANCES, sample_weight=weights)) == pytest.approx(alone, rel=1e-6)


def test_large_distances_stay_finite():
    # exp(-300) is zero in float32: the sum of equation 9 as written would be log(0).
    distances = np.array([[300.0, 310.0, 400.0]], "float32")
    loss = RadialBasisLoss(j=500.0)
    assert float(loss(np.array([1]), -distances)) == pytest.approx(10.0, abs=1e-3)


def test_a_class_beyond_j_is_pushed_no_further():
    loss = RadialBasisLoss(j=1.0)
    near, far = np.array([[0.5, 2.0]], "float32"), np.array([[0.5, 30.0]], "float32")
    further = far + np.array([[0, 1]], "float32")
    label = np.array([0])
    assert float(loss(label, -near)) > float(loss(label, -far)) == float(loss(label, -further))


def test_configuration():
    loss = RadialBasisLoss(j=2.5)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss), safe_mode=True)
    assert isinstance(copy, RadialBasisLoss) and copy.get_config() == loss.get_config()


@pytest.mark.parametrize("j", [0, -1.0])
def test_j_must_be_positive(j):
    with pytest.raises(ZooError, match="j must be a positive number"):
        RadialBasisLoss(j=j)
