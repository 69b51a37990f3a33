"""Losses and metrics of reconstructed images, counted for an image rather than for a pixel."""

import keras
from keras import ops


def squared_error(true, predicted):
    """The squared error of each image, summed over its pixels.

    Args:
        true, predicted: (batch, height, width, channels), values 0..1.

    Returns:
        (batch,).

    Example:
        >>> float(squared_error(ops.zeros((1, 2, 2, 1)), ops.ones((1, 2, 2, 1)))[0])
        4.0
    """
    return _summed(ops.square(_cast(predicted) - _cast(true)))


def psnr(true, predicted):
    """The peak signal-to-noise ratio of each image in decibels, for a largest value of 1.

    `-10 log10(mean squared error)`; an image without error has 100 dB, where it is cut.

    Args:
        true, predicted: (batch, height, width, channels), values 0..1.

    Returns:
        (batch,).

    Example:
        >>> round(float(psnr(ops.zeros((1, 2, 2, 1)), ops.full((1, 2, 2, 1), 0.1))[0]), 3)
        20.0
    """
    error = ops.mean(ops.square(_cast(predicted) - _cast(true)), axis=(1, 2, 3))
    return -10.0 * ops.log10(ops.maximum(error, 1e-10))


@keras.saving.register_keras_serializable("zoo")
class SquaredError(keras.losses.Loss):
    """The squared error of an image, summed over its pixels, as Hinton and Salakhutdinov 2006 report it.

    Keras' `MeanSquaredError` divides it by the number of pixels, which leaves penalties on codes another weight.

    Args:
        name: name of the loss.
        reduction: as in `keras.losses.Loss`; the default is the mean over the batch.
        dtype: as in `keras.losses.Loss`.

    Called with images (batch, height, width, channels), values 0..1.

    Example:
        >>> float(SquaredError()(ops.zeros((3, 2, 2, 1)), ops.ones((3, 2, 2, 1))))
        4.0
    """

    def __init__(self, name="squared_error", reduction="sum_over_batch_size", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        return squared_error(y_true, y_pred)


@keras.saving.register_keras_serializable("zoo")
class PixelCrossentropy(keras.losses.Loss):
    """The binary cross-entropy of an image in nats, summed over its pixels: pixels are taken for probabilities.

    It is the negative logarithm of the likelihood of a Bernoulli decoder (Kingma and Welling 2014, appendix C.1).

    Args:
        name: name of the loss.
        reduction: as in `keras.losses.Loss`; the default is the mean over the batch.
        dtype: as in `keras.losses.Loss`.

    Called with images (batch, height, width, channels), values 0..1.

    Example:
        >>> round(float(PixelCrossentropy()(ops.zeros((3, 2, 2, 1)), ops.full((3, 2, 2, 1), 0.5))), 4)
        2.7726
    """

    from_logits = False

    def __init__(self, name="pixel_crossentropy", reduction="sum_over_batch_size", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        return _summed(ops.binary_crossentropy(y_true, y_pred))


class _OfImages(keras.metrics.MeanMetricWrapper):
    """The mean over images of a function of two batches of them."""

    def __init__(self, function, direction, name, dtype):
        super().__init__(function, name=name, dtype=dtype)
        self._direction = direction

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable("zoo")
class SquaredErrorMetric(_OfImages):
    """The mean over images of `squared_error`, beside a loss of another kind.

    Args:
        name: name of the metric.
        dtype: as in `keras.metrics.Metric`.
    """

    def __init__(self, name="squared_error", dtype=None):
        super().__init__(squared_error, "down", name, dtype)


@keras.saving.register_keras_serializable("zoo")
class PSNR(_OfImages):
    """The mean over images of `psnr`. (`keras.ops.psnr` takes a whole batch for one image.)

    Args:
        name: name of the metric.
        dtype: as in `keras.metrics.Metric`.
    """

    def __init__(self, name="psnr", dtype=None):
        super().__init__(psnr, "up", name, dtype)


def _cast(images):
    return ops.cast(images, "float32")


def _summed(values):
    return ops.sum(values, axis=(1, 2, 3))
