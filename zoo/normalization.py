"""Batch normalisation by TensorFlow's fused kernel: Keras 3.15 computes it from moments and elementwise operations.

Ioffe and Szegedy 2015, Batch Normalization: accelerating deep network training by reducing internal covariate shift.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable("zoo")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' batch normalisation, computed by one fused kernel where TensorFlow has it.

    Arguments, variables and results are those of `keras.layers.BatchNormalization`: outputs, gradients and moving
    statistics agree to about 1e-5 (the sums are taken in another order). Where the kernel does not apply, Keras' own
    computation runs: on another backend, with a mask, batch renormalisation or synchronisation over devices, in
    float64, and with an axis that is not the last one.

    Args:
        **arguments: those of `keras.layers.BatchNormalization`.

    Example:
        >>> layer = BatchNormalization()
        >>> tuple(layer(np.ones((2, 4, 4, 3)), training=True).shape), layer.count_params()
        ((2, 4, 4, 3), 12)
    """

    def call(self, inputs, training=None, mask=None):
        if not self._is_fused(inputs, mask):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        channels = inputs.shape[-1]
        gamma = ops.cast(self.gamma, "float32") if self.scale else ops.ones((channels,))
        beta = ops.cast(self.beta, "float32") if self.center else ops.zeros((channels,))
        moving_mean, moving_variance = (ops.cast(each, "float32") for each in (self.moving_mean, self.moving_variance))
        learning = bool(training) and self.trainable
        shape = ops.shape(inputs)
        # The kernel takes images only; what is normalised over may as well stand in one row.
        images = inputs if len(inputs.shape) == 4 else ops.reshape(inputs, (-1, 1, 1, channels))
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=images,
            scale=gamma,
            offset=beta,
            mean=tf.zeros((0,)) if learning else moving_mean,
            variance=tf.zeros((0,)) if learning else moving_variance,
            epsilon=self.epsilon,
            is_training=learning,
        )
        if learning:
            # The kernel gives the variance with divisor n - 1; Keras' moving variance has divisor n.
            count = ops.cast(ops.size(images) // channels, "float32")
            variance = variance * ((count - 1) / count)
            # Of a single example the kernel gives NaN or 0, depending on the device; Keras gives 0.
            variance = ops.where(count > 1, variance, ops.zeros_like(variance))
            for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(
                    ops.cast(ops.cast(moving, "float32") * self.momentum + new * (1 - self.momentum), moving.dtype)
                )
        outputs = outputs if len(inputs.shape) == 4 else ops.reshape(outputs, shape)
        return ops.cast(outputs, self.compute_dtype)

    def _is_fused(self, inputs, mask):
        return (
            keras.config.backend() == "tensorflow"
            and mask is None
            and not self.renorm
            and not self.synchronized
            and self.axis in (-1, len(inputs.shape) - 1)
            and len(inputs.shape) >= 2
            and inputs.shape[-1] is not None
            and keras.backend.standardize_dtype(inputs.dtype) in ("float32", "bfloat16", "float16")
            and not isinstance(inputs, keras.KerasTensor)
        )
