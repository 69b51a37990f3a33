"""The losses that the models need and Keras lacks."""

import keras
from keras import ops

from zoo.errors import require
from zoo.segmentation_losses import SegmentationLoss as SegmentationLoss


@keras.saving.register_keras_serializable("zoo")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy of logits, against integer labels or rows of probabilities, with label smoothing.

    Keras has a loss for each kind of label, and smooths only the rows. Smoothing (Szegedy et al. 2015, Rethinking the
    inception architecture for computer vision, section 7) takes the share `label_smoothing` off the label and spreads
    it over all classes alike: with K classes the target is `(1 - label_smoothing) label + label_smoothing / K`.

    Args:
        label_smoothing: 0 <= label_smoothing < 1; 0.1 is the paper's, and 0 leaves the labels as they are.
        name: name of the loss.
        reduction: as in `keras.losses.Loss`; the default is the mean over the batch.
        dtype: as in `keras.losses.Loss`: float32 by default, also when the model computes in less.

    Called with logits `(batch, ..., classes)`, and integer labels `(batch, ...)` or `(batch, ..., 1)`, or probabilities
    of the logits' shape.

    Raises:
        ZooError: a share out of range; labels of a shape that does not belong to the logits'.

    Example:
        >>> loss, logits = SmoothedCrossentropy(label_smoothing=0.1), ops.array([[0.0, 2.0]])
        >>> round(float(loss(ops.array([1]), logits)), 4), round(float(loss(ops.array([[0.0, 1.0]]), logits)), 4)
        (0.2269, 0.2269)
    """

    # What Keras' own losses say of themselves, too.
    from_logits = True

    def __init__(self, label_smoothing=0.1, name="smoothed_crossentropy", reduction="sum_over_batch_size", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        fits = isinstance(label_smoothing, int | float) and 0 <= label_smoothing < 1
        require(fits, "label_smoothing", label_smoothing, "a share in 0 <= label_smoothing < 1")
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        shape, classes = tuple(y_pred.shape), y_pred.shape[-1]
        if len(y_true.shape) == len(shape) and y_true.shape[-1] == 1 < classes:
            y_true = ops.squeeze(y_true, axis=-1)
        if len(y_true.shape) == len(shape) - 1:
            y_true = ops.one_hot(ops.cast(y_true, "int32"), classes, dtype=y_pred.dtype)
        fits = len(y_true.shape) == len(shape) and y_true.shape[-1] in (None, classes)
        require(fits, "y_true", tuple(y_true.shape), f"integer labels or probabilities for logits of shape {shape}")
        return keras.losses.categorical_crossentropy(
            y_true, y_pred, from_logits=True, label_smoothing=self.label_smoothing
        )

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


def crossentropy(label_smoothing=0.0):
    """Cross-entropy of logits against integer labels, smoothed or not, for recipes that leave it open.

    Args:
        label_smoothing: see `SmoothedCrossentropy`.

    Returns:
        Keras' own loss where nothing is smoothed, which is cheaper, or a `SmoothedCrossentropy`.

    Raises:
        ZooError: a share out of range.

    Example:
        >>> crossentropy().name, crossentropy(0.1).name
        ('sparse_categorical_crossentropy', 'smoothed_crossentropy')
    """
    if label_smoothing == 0:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return SmoothedCrossentropy(label_smoothing)


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
