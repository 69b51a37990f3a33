"""The losses that the models need and Keras lacks."""

import keras
from keras import ops

from zoo.errors import require


@keras.saving.register_keras_serializable("zoo")
class RadialBasisLoss(keras.losses.Loss):
    """The losses of LeNet-5's radial basis outputs: LeCun et al. 1998, section II.C, equations 8 and 9.

    With `y_i >= 0` the squared distance to class i, D the right class, and `logits = -y`:

        equation 8:  y_D
        equation 9:  y_D + log(exp(-j) + sum over i of exp(-y_i))

    Equation 8 only pulls the output towards the right centre. Equation 9 also pushes the other classes away, as
    cross-entropy does, among which `exp(-j)` stands for a class "none of these" at the distance j. It keeps pulling
    until the right centre is nearer than j, and stops pushing classes that are farther than j.

    Args:
        j: positive number, a squared distance; None for equation 8.
        name: name of the loss.
        reduction: as in `keras.losses.Loss`; the default is the mean over the batch.
        dtype: as in `keras.losses.Loss`.

    Called with integer labels `(batch,)` or `(batch, 1)` and logits `(batch, classes)`.

    Raises:
        ZooError: `j` that is not positive.

    Example:
        >>> loss = RadialBasisLoss(j=1.0)
        >>> round(float(loss(ops.array([0]), ops.array([[0.0, -50.0]]))), 3)
        0.313
    """

    def __init__(self, j=1.0, name="radial_basis_loss", reduction="sum_over_batch_size", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        require(j is None or j > 0, "j", j, "a positive number, or None for equation 8")
        self.j = j

    def call(self, y_true, y_pred):
        labels = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        right = ops.sum(ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype) * y_pred, axis=-1)
        if self.j is None:
            return -right
        # Classes and the constant under one logsumexp: exp(-y) alone is zero in float32 from a distance of 104 on.
        none_of_these = ops.full_like(y_pred[:, :1], -self.j)
        return ops.logsumexp(ops.concatenate([y_pred, none_of_these], axis=-1), axis=-1) - right

    def get_config(self):
        return {**super().get_config(), "j": self.j}
