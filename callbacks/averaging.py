"""Stochastic weight averaging, and batch-norm statistics that fit the averaged weights."""

import math

import keras
import numpy as np
from keras import ops

from callbacks import common


class WeightAveraging(keras.callbacks.Callback):
    """Stochastic weight averaging: gives the model the mean of the weights that it had in the last part of training.

    Izmailov, Podoprikhin, Garipov, Vetrov and Wilson 2018, Averaging Weights Leads to Wider Optima and Better
    Generalization, algorithm 1. The learning rate is the paper's other half: let a `Schedule` keep it high, constant or
    cyclic, in that part.

    All weights of a floating type are averaged. When training ends, they are put into the model, and the statistics of
    its batch normalisation are computed anew by `recompute_batch_normalization`. Until then, training, validation and
    other callbacks see the weights of the moment: the averaged ones would need that pass over the data each time. Where
    another callback gives weights back as well (`EarlyStopping`), the one that stands last in the list decides.

    An exponential average is Keras' own: `use_ema=True` of the optimizer and `keras.callbacks.SwapEMAWeights()`, which
    shows the averaged weights to validation; the model ends with them. Before a callback that keeps the weights of the
    best epoch, write `SwapEMAWeights(swap_on_epoch=True)`; but then a training that something else stops early ends
    with the weights of the moment (Keras 3.15). Batch normalisation keeps the statistics that it gathered:
    `recompute_batch_normalization` renews them.

    Args:
        start: share of the training, 0 <= start < 1, after which the first weights are taken: the epochs of `fit`.
        every: optimizer steps from one set of weights to the next; by default those at the ends of epochs are taken.
            With more than one step an execution: at the first end of an execution at or after each multiple.
        data: training data for `recompute_batch_normalization`; needed if the model has such layers.
        steps: its number of batches, if `data` has no end.

    Attributes:
        averaged: number of weights that the mean is of.

    Raises:
        ValueError: an argument outside its range; when training begins: `data` is missing, or `every` is given and the
            steps of an epoch are not known.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        >>> model.compile(keras.optimizers.SGD(0.25), "mse")
        >>> model.set_weights([np.zeros((1, 1))])  # its distance to 1 is halved by each step
        >>> x = np.ones((1, 1), "float32")
        >>> history = model.fit(x, x, epochs=4, verbose=0, callbacks=[WeightAveraging(start=0.75)])
        >>> model.get_weights()[0].tolist()  # the mean of 1 - 1/8 and 1 - 1/16
        [[0.90625]]
    """

    def __init__(self, start=0.75, every=None, data=None, steps=None):
        super().__init__()
        if not 0 <= start < 1:
            raise ValueError(f"start is a share of the training, at least 0 and below 1. Received: start={start!r}")
        if every is not None:
            common.check_count("every", every)
        self.start = start
        self.every = every
        self.data = data
        self.steps = steps
        self.averaged = 0

    def on_train_begin(self, logs=None):
        layers = _normalizations(self.model)
        if layers and self.data is None:
            raise ValueError(
                f"the model has batch normalisation ({layers[0].name!r}), whose statistics do not fit averaged "
                "weights: WeightAveraging needs data=, the training data, to compute them anew"
            )
        if self.every is not None and self.params["steps"] is None:
            raise ValueError(
                f"every={self.every} needs to know the steps of an epoch, to begin at a share of the training: "
                "pass steps_per_epoch to fit"
            )
        self.averaged = 0
        self._mean = None
        self._first = common.steps_done(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        self._taken = self._due()

    def on_train_batch_end(self, batch, logs=None):
        if self.every is None:
            return
        before, self._taken = self._taken, self._due()
        if self._taken > before:
            self._take()

    def on_epoch_end(self, epoch, logs=None):
        if self.every is None and epoch + 1 >= self._begin(self.params["epochs"]):
            self._take()

    def on_train_end(self, logs=None):
        if not self.averaged:
            return
        for weight, value in zip(self._weights(), self._mean, strict=True):
            weight.assign(value)
        if _normalizations(self.model):
            recompute_batch_normalization(self.model, self.data, self.steps)

    def get_state(self):
        """What a checkpoint needs: the mean so far among it."""
        return {"averaged": self.averaged, "mean": self._mean, "first": self._first}

    def set_state(self, state):
        """Puts back what `get_state` gave, after `on_train_begin`."""
        self.averaged, self._mean, self._first = state["averaged"], state["mean"], state["first"]

    def _begin(self, total):
        return math.ceil(round(self.start * total, 6))

    def _due(self):
        """How many sets of weights are due at the present step."""
        if self.every is None:
            return 0
        behind = common.steps_done(self.model) - self._first - self._begin(self.params["steps"] * self.params["epochs"])
        return behind // self.every + 1 if behind >= 0 else 0

    def _weights(self):
        return [weight for weight in self.model.weights if keras.backend.is_float_dtype(weight.dtype)]

    def _take(self):
        values = [np.array(ops.convert_to_numpy(weight.value)) for weight in self._weights()]
        values = [value.astype(np.result_type(value.dtype, np.float32)) for value in values]
        self.averaged += 1
        if self._mean is None:
            self._mean = values
        else:
            self._mean = [mean + (value - mean) / self.averaged for mean, value in zip(self._mean, values, strict=True)]


def recompute_batch_normalization(model, data, steps=None):
    """Computes the statistics of batch normalisation anew, for weights that it was not trained with.

    Izmailov et al. 2018, section 3.2. One pass over the data, in training mode: each layer normalises by its batch, and
    dropout and augmentation layers act, as they did when the statistics were first gathered. Afterwards a layer's
    `moving_mean` and `moving_variance` are mean and variance (divisor: number of examples) of its inputs over all
    batches together, an example counting the same in a large batch and in a small one. So they depend on the batches
    only through what earlier layers do with theirs.

    Nothing else of the model changes. A layer that is frozen (`trainable=False`), or that the model's call does not
    reach, keeps its statistics; of a layer that is called more than once, the last call counts.

    Args:
        model: a built `keras.Model`.
        data: training data, in batches as in training: what `Model.predict` takes, `(inputs, targets)`, or a function
            that returns such.
        steps: number of batches, if `data` has no end.

    Raises:
        ValueError: `data` has no end and `steps` is not given; or a layer uses batch renormalisation.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.BatchNormalization()])
        >>> recompute_batch_normalization(model, np.array([[1.0], [3.0], [8.0]]))
        >>> [round(float(value[0]), 4) for value in model.get_weights()[2:]]
        [4.0, 8.6667]
    """
    layers = _normalizations(model)
    renormalized = [layer.name for layer in layers if layer.renorm]
    if renormalized:
        raise ValueError(f"batch renormalisation has other statistics; layers with renorm=True: {renormalized}")
    x, _, _ = common.opened(data)
    if steps is None and hasattr(x, "cardinality") and int(x.cardinality()) == -1:
        raise ValueError("the data has no end: pass steps=, the number of batches to look at")
    statistics = [(layer.moving_mean, layer.moving_variance) for layer in layers]
    # All of them: spectral normalisation, for one, rescales its trainable kernel in training mode.
    held = [(variable, np.array(ops.convert_to_numpy(variable.value))) for variable in model.variables]
    momenta = [layer.momentum for layer in layers]
    moments = _Moments(model, layers)
    moments.jit_compile = model.jit_compile
    try:
        for layer in layers:
            # The statistics then are those of the batch; a variance below 0 remains where a layer is not reached.
            layer.momentum = 0.0
            layer.moving_variance.assign(-ops.ones(layer.moving_variance.shape))
        moments.predict(x, steps=steps, verbose=0)
        reached = [bool(ops.all(variance.value >= 0)) for _, variance in statistics]
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        for variable, value in held:
            variable.assign(value)
    for (mean, variance), found, seen in zip(statistics, moments.found(), reached, strict=True):
        if seen:
            mean.assign(found[0])
            variance.assign(found[1])


def _normalizations(model):
    return [
        layer
        for layer in model._flatten_layers(include_self=False)
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]


class _Moments(keras.Model):
    """Runs a model in training mode and gathers mean and summed squares of what its layers normalise, batch by batch.

    Batches are merged as in Chan, Golub and LeVeque 1983: no difference of large numbers is taken.
    """

    def __init__(self, model, layers):
        super().__init__(name="moments")
        self.inner = model
        self.normalizations = layers
        self.examples = self.add_weight(shape=(), initializer="zeros", trainable=False)
        shapes = [layer.moving_mean.shape for layer in layers]
        self.means = [self.add_weight(shape=shape, initializer="zeros", trainable=False) for shape in shapes]
        self.squares = [self.add_weight(shape=shape, initializer="zeros", trainable=False) for shape in shapes]
        self.built = True

    def call(self, x):
        self.inner(x, training=True)
        size = ops.cast(ops.shape(keras.tree.flatten(x)[0])[0], self.examples.dtype)
        total = self.examples + size
        for layer, mean, squares in zip(self.normalizations, self.means, self.squares, strict=True):
            away = layer.moving_mean - mean
            mean.assign_add(away * (size / total))
            squares.assign_add(layer.moving_variance * size + away**2 * (self.examples * size / total))
        self.examples.assign(total)
        return ops.zeros((1,))

    def found(self):
        """Mean and variance for each layer."""
        return [(mean, squares / self.examples) for mean, squares in zip(self.means, self.squares, strict=True)]
