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


@keras.saving.register_keras_serializable("zoo")
class PerceptronLoss(keras.losses.Loss):
    """The loss whose gradient is the perceptron rule (Rosenblatt 1958; Rosenblatt 1962, Principles of Neurodynamics).

    With one output f, and y = 1 for the label 1 and y = -1 for the label 0:

        loss = max(0, -y f)

    Gradient descent at rate 1 and batch size 1 then adds y x to the weights on every mistake, and nothing else. A score
    on the boundary, y f = 0, is a mistake too, and has the gradient -y x: otherwise weights that start at 0 stay there.

    With an output for each class the loss is how far the best of the wrong classes lies above the right one: a mistake
    adds x to the weights of the right class and takes x from those of the other.

    Args:
        name: name of the loss.
        reduction: as in `keras.losses.Loss`; the default is the mean over the batch.
        dtype: as in `keras.losses.Loss`.

    Called with integer labels `(batch,)` or `(batch, 1)`, and scores `(batch, 1)` for labels 0 and 1, or
    `(batch, classes)`.

    Example:
        >>> loss = PerceptronLoss(reduction=None)
        >>> loss(ops.array([1, 1, 0]), ops.array([[2.0], [-3.0], [0.5]])).numpy().tolist()
        [0.0, 3.0, 0.5]
        >>> loss(ops.array([2]), ops.array([[0.5, 4.0, 1.0]])).numpy().tolist()
        [3.0]
    """

    def __init__(self, name="perceptron_loss", reduction="sum_over_batch_size", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        labels = ops.reshape(y_true, (-1,))
        if y_pred.shape[-1] == 1:
            margin = (2 * ops.cast(labels, y_pred.dtype) - 1) * y_pred[:, 0]
        else:
            right = ops.one_hot(ops.cast(labels, "int32"), y_pred.shape[-1], dtype="bool")
            # One rival only: the gradient of a maximum is shared among equals, and the rule moves a single class.
            rivals = ops.where(right, -float("inf"), y_pred)
            rival = ops.one_hot(ops.argmax(rivals, axis=-1), y_pred.shape[-1], dtype=y_pred.dtype)
            margin = ops.sum((ops.cast(right, y_pred.dtype) - rival) * y_pred, axis=-1)
        return ops.where(margin <= 0, -margin, 0)


@keras.saving.register_keras_serializable("zoo")
class Value(keras.losses.Loss):
    """The output itself, whatever the target: for models whose output is what is to be made small.

    Keras compares an output with a target in every loss it has.

    Args:
        name: name of the loss.
        reduction: as in `keras.losses.Loss`; the default is the mean over the batch.
        dtype: as in `keras.losses.Loss`.

    Called with targets that are not looked at, and an output `(batch, ...)`, whose mean over the last axis counts.

    Example:
        >>> float(Value()(ops.zeros((2, 1)), ops.array([[3.0], [5.0]])))
        4.0
    """

    def __init__(self, name="value", reduction="sum_over_batch_size", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        return ops.mean(y_pred, axis=-1)
