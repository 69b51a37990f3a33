"""The loss of segmentation against its formulas, with weights of pixels and of examples; and its metric."""

import keras
import numpy as np
import pytest

from zoo.errors import ZooError
from zoo.segmentation_losses import SegmentationLoss
from zoo.segmentation_metrics import SegmentationMetrics
from zoo.segmentation_scores import confusion

DRAW = np.random.default_rng(0)
LOGITS = {classes: DRAW.normal(0, 3, (4, 5, 6, classes)).astype("float32") for classes in (1, 2, 3)}
MASKS = {classes: DRAW.integers(0, max(classes, 2), (4, 5, 6)) for classes in (1, 2, 3)}
WEIGHTS = DRAW.uniform(0, 12, (4, 5, 6)).astype("float32")
CLASSES = pytest.mark.parametrize("classes", [1, 2, 3])


def _probabilities(logits):
    """Of every class; of the one class of a single logit."""
    logits = logits.astype("float64")
    if logits.shape[-1] == 1:
        return 1 / (1 + np.exp(-logits))
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _right(classes):
    """The probability of each pixel's own class."""
    found = _probabilities(LOGITS[classes])
    if classes == 1:
        return np.where(MASKS[1] == 1, found[..., 0], 1 - found[..., 0])
    return np.take_along_axis(found, MASKS[classes][..., None], -1)[..., 0]


def _dice(classes, weights, smooth, image):
    """One image's Dice loss, in loops."""
    found, losses = _probabilities(LOGITS[classes])[image], []
    for k in range(classes):
        truth = MASKS[classes][image] == (1 if classes == 1 else k)
        both = each = 0.0
        for pixel in np.ndindex(5, 6):
            both += weights[image][pixel] * found[pixel][k] * truth[pixel]
            each += weights[image][pixel] * (found[pixel][k] + truth[pixel])
        losses.append(1 - (2 * both + smooth) / (each + smooth))
    return np.mean(losses)


def _loss(classes, weights=None, **arguments):
    return np.asarray(SegmentationLoss(reduction=None, **arguments)(MASKS[classes], LOGITS[classes], weights))


@CLASSES
def test_crossentropy(classes):
    expected = -np.log(_right(classes))
    alone = dict(crossentropy=1.0, dice=0.0)
    np.testing.assert_allclose(_loss(classes, **alone), expected.mean((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(_loss(classes, WEIGHTS, **alone), (WEIGHTS * expected).mean((1, 2)), rtol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_crossentropy_is_that_of_keras(classes):
    ours = SegmentationLoss(crossentropy=2.0, dice=0.0)
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for weights in (None, WEIGHTS):
        expected = 2 * float(theirs(MASKS[classes], LOGITS[classes], weights))
        assert float(ours(MASKS[classes], LOGITS[classes], weights)) == pytest.approx(expected, rel=1e-5)


@CLASSES
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_loss(classes, gamma):
    right = _right(classes)
    expected = (-((1 - right) ** gamma) * np.log(right)).mean((1, 2))
    np.testing.assert_allclose(_loss(classes, crossentropy=0, dice=0, focal=1, gamma=gamma), expected, rtol=1e-4)


def test_focal_loss_of_one_logit_is_that_of_keras():
    theirs = keras.losses.BinaryFocalCrossentropy(from_logits=True, gamma=2.0, reduction="sum_over_batch_size")
    ours = SegmentationLoss(crossentropy=0, dice=0, focal=1)(MASKS[1], LOGITS[1])
    assert float(ours) == pytest.approx(float(theirs(MASKS[1][..., None], LOGITS[1])), rel=1e-4)


@CLASSES
@pytest.mark.parametrize("smooth", [1e-6, 1.0, 10.0])
def test_dice_of_each_image(classes, smooth):
    for weights in (np.ones_like(WEIGHTS), WEIGHTS):
        expected = [_dice(classes, weights, smooth, image) for image in range(4)]
        found = _loss(classes, weights, crossentropy=0, dice=1, smooth=smooth)
        np.testing.assert_allclose(found, expected, rtol=1e-4)


@CLASSES
def test_the_mixture_is_the_sum(classes):
    names = ("crossentropy", "dice", "focal")
    parts = [_loss(classes, WEIGHTS, **{**dict.fromkeys(names, 0), name: 1}) for name in names]
    mixed = _loss(classes, WEIGHTS, crossentropy=0.5, dice=2.0, focal=3.0)
    np.testing.assert_allclose(mixed, 0.5 * parts[0] + 2 * parts[1] + 3 * parts[2], rtol=1e-5)


def test_reductions():
    each = _loss(3)
    assert each.shape == (4,)
    for reduction, expected in (("sum_over_batch_size", each.mean()), ("sum", each.sum())):
        loss = SegmentationLoss(reduction=reduction)(MASKS[3], LOGITS[3])
        assert float(loss) == pytest.approx(float(expected), rel=1e-6)


@CLASSES
def test_weights_of_examples(classes):
    each = np.array([1, 0, 3, 2], "float32")
    everywhere = each[:, None, None] * np.ones((4, 5, 6), "float32")
    expected = _loss(classes, everywhere)
    for shape in ((4,), (4, 1, 1), (4, 1, 1, 1)):
        np.testing.assert_allclose(_loss(classes, each.reshape(shape)), expected, rtol=1e-6)
    assert expected[1] == 0  # all of the image counts for nothing


@CLASSES
def test_pixels_without_a_class_count_for_nothing(classes):
    weights = WEIGHTS.copy()
    weights[:, 2] = 0
    masks = MASKS[classes].copy()
    masks[:, 2, :3], masks[:, 2, 3:] = 255, -1
    expected = _loss(classes, weights)
    loss = SegmentationLoss(reduction=None)(masks, LOGITS[classes], WEIGHTS)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


@CLASSES
def test_masks_may_be_bytes_and_have_an_axis_of_length_1(classes):
    expected = float(SegmentationLoss()(MASKS[classes], LOGITS[classes]))
    for masks in (MASKS[classes][..., None], MASKS[classes].astype("uint8"), MASKS[classes].astype("float32")):
        assert float(SegmentationLoss()(masks, LOGITS[classes])) == expected


@CLASSES
def test_gradients_of_certain_and_of_wrong_pixels_are_finite(classes):
    import tensorflow as tf

    sizes = np.array([-200.0, -20.0, 0.0, 20.0, 200.0, 1.0], "float32")
    logits = tf.Variable(np.zeros((4, 5, 6, classes), "float32") + sizes[:, None] * (np.arange(classes) == 0))
    for gamma in (0.5, 2.0):
        with tf.GradientTape() as tape:
            loss = SegmentationLoss(focal=1.0, gamma=gamma)(MASKS[classes], logits)
        gradient = np.asarray(tape.gradient(loss, logits))
        assert np.isfinite(gradient).all() and np.isfinite(loss)
    # Keras' focal losses cut p off at 1e-7: a pixel that is wrong by more learns nothing.
    wrong = MASKS[classes] != (1 if classes == 1 else 0)
    assert (np.abs(gradient[..., 4, 0])[wrong[..., 4]] > 1e-3).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_precision_is_computed_in_float32(dtype):
    low = keras.ops.cast(LOGITS[3] * 100, dtype)
    loss = SegmentationLoss()(MASKS[3], low)
    assert loss.dtype == "float32"
    assert float(loss) == float(SegmentationLoss()(MASKS[3], keras.ops.cast(low, "float32")))


def test_configuration():
    loss = SegmentationLoss(crossentropy=0.5, dice=2.0, focal=1.0, gamma=3.0, smooth=0.1, reduction="sum")
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss), safe_mode=True)
    assert isinstance(copy, SegmentationLoss) and copy.from_logits and copy.get_config() == loss.get_config()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (dict(dice=-1), "dice must be a number >= 0"),
        (dict(gamma="2"), "gamma must be a number >= 0"),
        (dict(smooth=0), "smooth must be a number > 0"),
        (dict(crossentropy=0, dice=0), "one of crossentropy, dice and focal must be > 0"),
    ],
)
def test_values_that_are_refused(arguments, said):
    with pytest.raises(ZooError, match=said):
        SegmentationLoss(**arguments)


def test_masks_and_weights_of_another_size_are_refused():
    loss = SegmentationLoss()
    for masks in (np.zeros((4, 6, 6)), np.zeros((4, 1, 6)), np.zeros((4, 5, 6, 3)), np.zeros(4)):
        with pytest.raises(ZooError, match=r"masks must be \(batch, height, width\) as the logits \(4, 5, 6, 3\) are"):
            loss(masks, LOGITS[3])
    with pytest.raises(ZooError, match="sample weights must be"):
        loss(MASKS[3], LOGITS[3], np.ones((4, 6, 5)))


LABELS = {1: ("background", "cell"), 2: ("background", "cell"), 3: ("background", "cat", "dog")}


def _metric(classes, masks=None, weights=None):
    metric = SegmentationMetrics(LABELS[classes])
    masks = MASKS[classes] if masks is None else masks
    for part in (slice(0, 3), slice(3, 4)):  # batches of different sizes: counts are pooled, not means averaged
        metric.update_state(masks[part], LOGITS[classes][part], None if weights is None else weights[part])
    return {name: float(value) for name, value in metric.result().items()}


@CLASSES
def test_metrics_are_those_of_the_confusion_matrix(classes):
    found = LOGITS[classes].argmax(-1) if classes > 1 else (LOGITS[1][..., 0] > 0).astype(int)
    counts = confusion(MASKS[classes], found, max(classes, 2))
    right, either = counts.diagonal(), counts.sum(0) + counts.sum(1)
    expected = {
        "mean_iou": (right / (either - right)).mean(),
        "dice": (2 * right / either).mean(),
        "pixel_error": (found != MASKS[classes]).mean(),
        **{f"iou/{label}": right[i] / (either[i] - right[i]) for i, label in enumerate(LABELS[classes])},
    }
    assert _metric(classes) == pytest.approx(expected, rel=1e-6)


def test_mean_iou_is_that_of_keras():
    theirs = keras.metrics.MeanIoU(3, sparse_y_pred=False)
    theirs.update_state(MASKS[3], LOGITS[3])
    assert _metric(3)["mean_iou"] == pytest.approx(float(theirs.result()), rel=1e-6)


def test_an_absent_class_and_pixels_without_one():
    masks = np.where(MASKS[3] == 2, 255, MASKS[3])
    logits = LOGITS[3].copy()
    logits[..., 2] = -100
    metric = SegmentationMetrics(LABELS[3])
    metric.update_state(masks[..., None].astype("uint8"), logits)
    found = {name: float(value) for name, value in metric.result().items()}
    assert found["iou/dog"] == 0
    assert found["mean_iou"] == pytest.approx((found["iou/background"] + found["iou/cat"]) / 2)
    counted = masks != 255
    assert found["pixel_error"] == pytest.approx((logits.argmax(-1) != masks)[counted].mean())


def test_weights_of_the_metric_choose_pixels():
    weights = WEIGHTS.copy()
    weights[:, 3:] = 0
    kept = np.where(weights > 0, MASKS[3], 255)
    assert _metric(3, weights=weights) == _metric(3, masks=kept)
    each = np.array([1, 0, 5, 1], "float32")
    assert _metric(3, weights=each) == _metric(3, masks=np.where(each[:, None, None] > 0, MASKS[3], 255))


def test_the_history_has_readable_names_and_weights_do_not_distort_it():
    x = keras.Input((5, 6, 3))
    model = keras.Model(x, keras.layers.Identity()(x))
    model.compile("sgd", SegmentationLoss(), metrics=[SegmentationMetrics(LABELS[3])], run_eagerly=True)
    logs = model.evaluate(LOGITS[3], MASKS[3], sample_weight=WEIGHTS, batch_size=4, verbose=0, return_dict=True)
    assert set(logs) == {"loss", "mean_iou", "dice", "pixel_error", "iou/background", "iou/cat", "iou/dog"}
    assert logs["loss"] == pytest.approx(float(SegmentationLoss()(MASKS[3], LOGITS[3], WEIGHTS)), rel=1e-5)
    assert {name: logs[name] for name in logs if name != "loss"} == pytest.approx(_metric(3), rel=1e-6)


def test_metric_configuration_and_labels():
    metric = SegmentationMetrics(["background", "cell"])
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric), safe_mode=True)
    assert isinstance(copy, SegmentationMetrics) and copy.get_config() == metric.get_config()
    for labels in (["cell"], ["a", "a"]):
        with pytest.raises(ZooError, match="labels must be two names or more, all different"):
            SegmentationMetrics(labels)
    with pytest.raises(ZooError, match="the last axis must be 2 or 1"):
        metric.update_state(MASKS[3], LOGITS[3])
    with pytest.raises(ZooError, match="the last axis must be 3"):
        SegmentationMetrics("abc").update_state(MASKS[1], LOGITS[1])
