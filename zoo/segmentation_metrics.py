"""The metrics of segmentation while a model trains, all from one confusion matrix."""

import keras
from keras import ops

from zoo.errors import ZooError, require


@keras.saving.register_keras_serializable("zoo")
class SegmentationMetrics(keras.metrics.Metric):
    """Intersection over union, Dice coefficient and pixel error, from logits and masks of integers.

    Keras merges a metric's dict into the logs, so that this one gives the history the columns

        mean_iou      mean over the classes of  TP / (TP + FP + FN)
        dice          mean over the classes of  2 TP / (2 TP + FP + FN)
        pixel_error   share of the pixels with the wrong class
        iou/<label>   TP / (TP + FP + FN) of one class

    with TP, FP and FN the pixels that are rightly, wrongly and not given a class, over all images together. A class
    that is neither in the masks nor predicted has 0, as in Keras, and does not count in the means. Pixels whose label
    names no class (255, say) are left out. Keras' `MeanIoU` and `IoU` would fill a confusion matrix for each number,
    and have no answer to a single logit, whose argmax is always 0.

    Pass it to `compile` as one of `metrics`, which take no notice of sample weights. As one of `weighted_metrics` it
    leaves out the pixels of weight 0; to count others more would distort it.

    Args:
        labels: names of the classes, in the order of the logits; two names for a single logit.
        name: name of the metric.
        dtype: of the counts; by default Keras' integers, since float32 has no whole numbers beyond 2**24.

    Called with masks `(batch, height, width)` or `(batch, height, width, 1)`, and logits
    `(batch, height, width, classes)`.

    Raises:
        ZooError: fewer than two labels, equal ones, or logits for another number of classes.

    Example:
        >>> metric = SegmentationMetrics(["background", "cell"])
        >>> metric.update_state(np.array([[[0, 1, 1, 1]]]), np.array([[[[-1.0], [3.0], [-2.0], [0.5]]]]))
        >>> {name: round(float(value), 3) for name, value in metric.result().items()}
        {'mean_iou': 0.583, 'dice': 0.733, 'pixel_error': 0.25, 'iou/background': 0.5, 'iou/cell': 0.667}
    """

    def __init__(self, labels, name="segmentation", dtype=None):
        super().__init__(name=name, dtype=dtype or "int")
        self.labels = tuple(map(str, labels))
        fits = len(set(self.labels)) == len(self.labels) >= 2
        require(fits, "labels", self.labels, "two names or more, all different")
        self.counts = self.add_variable(shape=(len(self.labels) ** 2,), initializer="zeros", name="counts")

    def update_state(self, y_true, y_pred, sample_weight=None):
        classes, y_pred = len(self.labels), ops.convert_to_tensor(y_pred)
        if y_pred.shape[-1] != (classes if classes > 2 or y_pred.shape[-1] == 2 else 1):
            raise ZooError(
                f"the metric has {classes} labels, {', '.join(self.labels)}, and the model's logits are of shape "
                f"{tuple(y_pred.shape)}: the last axis must be {'2 or 1' if classes == 2 else classes}"
            )
        found = ops.argmax(y_pred, axis=-1) if y_pred.shape[-1] > 1 else ops.squeeze(y_pred > 0, -1)
        found = ops.reshape(ops.cast(found, "int32"), (-1,))
        truth = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        counted = ops.logical_and(truth >= 0, truth < classes)
        if sample_weight is not None:
            shape = ops.shape(y_pred)[:-1]
            used = ops.convert_to_tensor(sample_weight) != 0
            used = ops.reshape(used, (*used.shape[:1], *[1] * (len(shape) - 1))) if len(used.shape) == 1 else used
            used = ops.squeeze(used, -1) if len(used.shape) > len(shape) else used
            counted = ops.logical_and(counted, ops.reshape(ops.broadcast_to(used, shape), (-1,)))
        # Where a pair of classes stands in the matrix; what does not count goes behind its end.
        place = ops.where(counted, truth * classes + found, classes**2)
        added = ops.segment_sum(ops.ones_like(place), place, num_segments=classes**2 + 1)[:-1]
        self.counts.assign_add(ops.cast(added, self.dtype))

    def result(self):
        counts = ops.cast(ops.reshape(self.counts, (len(self.labels), -1)), "float32")
        right = ops.diagonal(counts)
        either = ops.sum(counts, axis=0) + ops.sum(counts, axis=1)
        iou = ops.divide_no_nan(right, either - right)
        present = ops.maximum(ops.sum(ops.cast(either > 0, "float32")), 1)
        return {
            "mean_iou": ops.sum(iou) / present,
            "dice": ops.sum(ops.divide_no_nan(2 * right, either)) / present,
            "pixel_error": ops.divide_no_nan(ops.sum(counts) - ops.sum(right), ops.sum(counts)),
            **{f"iou/{label}": iou[index] for index, label in enumerate(self.labels)},
        }

    def get_config(self):
        return {**super().get_config(), "labels": list(self.labels)}
