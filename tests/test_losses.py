"""Equations 8 and 9 of LeCun et al. 1998, and cross-entropy with smoothed labels."""

import keras
import numpy as np
import pytest

from zoo import ZooError
from zoo.losses import RadialBasisLoss, SmoothedCrossentropy, crossentropy

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


LOGITS = np.random.default_rng(1).normal(0, 3, (5, 4, 3)).astype("float32")
CLASSES = np.random.default_rng(2).integers(0, 3, (5, 4))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", None])
def test_crossentropy_is_that_of_keras_on_rows(smoothing, reduction):
    ours = SmoothedCrossentropy(label_smoothing=smoothing, reduction=reduction)
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing, reduction=reduction)
    mixed = np.random.default_rng(3).dirichlet(np.ones(3), (5, 4)).astype("float32")
    hot = np.eye(3, dtype="float32")[CLASSES]
    for labels, rows in ((CLASSES, hot), (CLASSES[..., None].astype("float32"), hot), (hot, hot), (mixed, mixed)):
        np.testing.assert_allclose(ours(labels, LOGITS), theirs(rows, LOGITS), rtol=1e-6)


def test_smoothed_crossentropy_against_the_formula():
    logits, labels = LOGITS[:, 0], CLASSES[:, 0]
    logarithms = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    target = 0.9 * np.eye(3)[labels] + 0.1 / 3
    expected = -(target * logarithms).sum(-1)
    np.testing.assert_allclose(SmoothedCrossentropy(0.1, reduction=None)(labels, logits), expected, rtol=1e-5)
    weights = np.array([0, 2, 0, 1, 0], "float32")
    weighted = float(SmoothedCrossentropy(0.1)(labels, logits, sample_weight=weights))
    assert weighted == pytest.approx((expected * weights).mean(), rel=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_crossentropy_of_low_precision_logits_is_computed_in_float32(dtype):
    low = keras.ops.cast(np.array([[600.0, -600.0, 0.0], [0.5, 0.25, 0.125]]), dtype)
    labels = np.array([1, 0])
    loss = SmoothedCrossentropy(0.1, reduction=None)(labels, low)
    exact = SmoothedCrossentropy(0.1, reduction=None)(labels, keras.ops.cast(low, "float32"))
    assert loss.dtype == "float32" and float(loss[0]) == pytest.approx(0.9 * 1200 + 0.1 * 600, rel=1e-6)
    np.testing.assert_array_equal(loss, exact)


def test_a_class_beyond_what_half_precision_counts_is_its_own():
    logits = np.eye(300, dtype="float32")[[299]] * 5
    loss = SmoothedCrossentropy(reduction=None)
    assert float(loss(np.array([299]), logits)[0]) < float(loss(np.array([298]), logits)[0])


def test_a_saved_model_keeps_its_smoothed_crossentropy(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", SmoothedCrossentropy(0.2, reduction="sum"), metrics=["accuracy"])
    model.save(tmp_path / "model.keras")
    loss = keras.models.load_model(tmp_path / "model.keras").loss
    assert isinstance(loss, SmoothedCrossentropy) and loss.from_logits
    assert (loss.label_smoothing, loss.reduction) == (0.2, "sum")


def test_impossible_smoothing_and_labels_are_refused():
    for share in (-0.1, 1.0, "0.1"):
        with pytest.raises(ZooError, match="label_smoothing must be a share in 0 <= label_smoothing < 1"):
            SmoothedCrossentropy(share)
    for labels in (np.zeros((5, 4, 2)), np.zeros(5)):
        with pytest.raises(ZooError, match=r"integer labels or probabilities for logits of shape \(5, 4, 3\)"):
            SmoothedCrossentropy()(labels, LOGITS)


def test_the_loss_of_a_recipe_is_keras_own_until_labels_are_smoothed():
    assert type(crossentropy(0.0)) is keras.losses.SparseCategoricalCrossentropy and crossentropy().from_logits
    assert crossentropy(0.1).label_smoothing == 0.1
    with pytest.raises(ZooError, match="label_smoothing must be a share"):
        crossentropy(1.0)
