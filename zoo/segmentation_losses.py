"""The loss of segmentation: cross-entropy, Dice and focal loss of whole images, in any mixture."""

import keras
from keras import ops

from zoo.errors import ZooError, require


@keras.saving.register_keras_serializable("zoo")
class SegmentationLoss(keras.losses.Loss):
    """A weighted sum of cross-entropy, soft Dice loss and focal loss, of logits against masks of integers.

    With p the probability of a pixel's own class (a softmax over the logits; with one logit a sigmoid), p_k and t_k the
    probability and the truth (0 or 1) of class k, and w the pixel's weight, an image's loss is the sum of

        crossentropy * mean over pixels of  -w log p                                   Ronneberger et al. 2015, eq. 1
        focal        * mean over pixels of  -w (1 - p)**gamma log p                    Lin et al. 2017, eq. 4
        dice         * mean over classes of 1 - (2 sum(w p_k t_k) + smooth)            Drozdzal et al. 2016
                                                / (sum(w p_k) + sum(w t_k) + smooth)

    (Focal loss for dense object detection; The importance of skip connections in biomedical image segmentation.) The
    sums of the last line run over the pixels of the image. With one logit its only class is class 1; with more, class 0
    is a class like the others. Keras has the three apart: its Dice loss takes probabilities and truths of one shape and
    no weights of pixels, and its focal losses cut probabilities off at 1e-7, where the gradient ends.

    A sample weight belongs to an example, `(batch,)`, or to a pixel, `(batch, height, width)`. A pixel of weight 2
    counts in every sum as two pixels would, one of weight 0 not at all; a mean divides by the number of all pixels.
    Pixels whose label names no class (255, say) have weight 0.

    Args:
        crossentropy, dice, focal: numbers >= 0, the factors of the three; at least one is > 0.
        gamma: number >= 0: the larger, the less pixels count that are right already. Lin et al. use 2.
        smooth: number > 0, in pixels: keeps the Dice loss of a class that is absent small, and its gradient finite.
        name: name of the loss.
        reduction: as in `keras.losses.Loss`, over the images; the default is their mean.
        dtype: as in `keras.losses.Loss`: float32 by default, also when the model computes in less.

    Called with masks `(batch, height, width)` or `(batch, height, width, 1)`, and logits
    `(batch, height, width, classes)`.

    Raises:
        ZooError: a value that is not named above; masks of another size than the logits.

    Example:
        >>> loss = SegmentationLoss(crossentropy=0.0, dice=1.0, smooth=1.0)
        >>> mask = np.array([[[0, 1]]])
        >>> round(float(loss(mask, np.array([[[[20.0], [-20.0]]]]))), 3)  # both pixels wrong: 1 - 1 / 3
        0.667
        >>> round(float(loss(mask, np.array([[[[-20.0], [20.0]]]]))), 3)
        0.0
    """

    # What Keras' own losses say of themselves, too.
    from_logits = True

    def __init__(
        self,
        crossentropy=1.0,
        dice=1.0,
        focal=0.0,
        gamma=2.0,
        smooth=1.0,
        name="segmentation_loss",
        reduction="sum_over_batch_size",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        numbers = dict(crossentropy=crossentropy, dice=dice, focal=focal, gamma=gamma, smooth=smooth)
        for argument, value in numbers.items():
            fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
            require(fits, argument, value, "a number >= 0")
        require(smooth > 0, "smooth", smooth, "a number > 0: without it the loss of an absent class is 0 / 0")
        if not crossentropy + dice + focal:
            raise ZooError("one of crossentropy, dice and focal must be > 0. Received: 0 for each")
        self._numbers = numbers

    def __call__(self, y_true, y_pred, sample_weight=None):
        # Keras multiplies weights with what `call` returns; a ratio of sums needs them inside.
        return super().__call__(y_true if sample_weight is None else (y_true, sample_weight), y_pred)

    def call(self, y_true, y_pred):
        masks, weights = y_true if isinstance(y_true, tuple) else (y_true, None)
        factor = self._numbers
        rank, classes = len(y_pred.shape), y_pred.shape[-1]
        labels = ops.cast(_matched(masks, y_pred, "masks"), "int32")
        known = ops.logical_and(labels >= 0, labels < max(classes, 2))
        known = ops.cast(known, y_pred.dtype)
        if weights is None:
            weights = known
        else:
            if len(weights.shape) == 1:
                weights = ops.reshape(weights, (-1, *[1] * (rank - 2)))
            weights = known * _matched(weights, y_pred, "sample weights")
        if classes == 1:
            truths = ops.cast(ops.expand_dims(labels > 0, -1), y_pred.dtype)
            log_right = ops.log_sigmoid(ops.squeeze((2 * truths - 1) * y_pred, -1))
            probabilities = ops.sigmoid(y_pred)
        else:
            truths = ops.one_hot(labels, classes, dtype=y_pred.dtype)
            log_probabilities = ops.log_softmax(y_pred, axis=-1)
            log_right = ops.sum(truths * log_probabilities, axis=-1)
            probabilities = ops.exp(log_probabilities)

        pixels = tuple(range(1, rank - 1))
        factors = factor["crossentropy"]
        if factor["focal"]:
            # Away from 0, where the derivative of a power below 1 is infinite.
            wrong = ops.maximum(1 - ops.exp(log_right), 1e-7)
            factors = factors + factor["focal"] * wrong ** factor["gamma"]
        loss = ops.mean(-log_right * weights * factors, axis=pixels)
        if factor["dice"]:
            weights = ops.expand_dims(weights, -1)
            both = ops.sum(weights * probabilities * truths, axis=pixels)
            each = ops.sum(weights * (probabilities + truths), axis=pixels)
            ratio = (2 * both + factor["smooth"]) / (each + factor["smooth"])
            loss = loss + factor["dice"] * (1 - ops.mean(ratio, axis=-1))
        return loss

    def get_config(self):
        return {**super().get_config(), **self._numbers}


def _matched(values, logits, what):
    """`values` without a last axis of length 1; its height and width must be those of the logits, or 1."""
    if len(values.shape) == len(logits.shape) and values.shape[-1] == 1:
        values = ops.squeeze(values, axis=-1)
    sizes, wanted = tuple(values.shape), tuple(logits.shape[:-1])
    free = (None, 1) if what == "sample weights" else (None,)
    if len(sizes) != len(wanted) or any(
        a != b and a not in free and b is not None for a, b in zip(sizes, wanted, strict=True)
    ):
        raise ZooError(
            f"{what} must be (batch, height, width) as the logits {tuple(logits.shape)} are. Received: {sizes}. The "
            "unpadded network's masks are the middle of the image's."
        )
    return values
