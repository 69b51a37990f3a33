"""Sharpness-aware minimisation, as a callback."""

import functools
import math

import keras
from keras import ops

from callbacks import layers, step
from callbacks.replace import replaced


class SAM(keras.callbacks.Callback):
    """Steps by the gradient at the worst point near the weights, for minima that are flat (Foret et al. 2021, SAM).

    At each step, on the same batch: the gradient g at the weights w; the climb to `w + rho * g / |g|`, |g| over all
    weights together; the gradient there; back to w, where the model's optimizer, whichever it is, makes its step with
    that gradient. Both passes are in the training graph, at any `steps_per_execution`.

    It is a callback and not an optimizer, because `fit` hands an optimizer one gradient a step, and only the training
    step can make a second. It costs that second forward and backward pass: about twice the time.

    Dropout masks and other random numbers are the same in both passes. Loss, metrics and the statistics of batch
    normalisation are those of the first pass, at the weights that are kept. With loss scaling (float16), a step whose
    gradient overflows in either pass is skipped and the scale lowered, as ever.

    Args:
        rho: length of the climb, in the space of all weights, at least 0; 0.05 in the paper for CIFAR-10, 0 is training
            without it.

    Raises:
        ValueError: a rho that is negative or not finite; when training begins: a model with more than one optimizer, or
            a model on several replicas.

    Example:
        >>> dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
        >>> model = keras.Sequential([keras.Input((1,)), dense])
        >>> model.compile(keras.optimizers.SGD(0.1), "mse")
        >>> _ = model.fit(np.ones((1, 1)), np.zeros((1, 1)), verbose=0, callbacks=[SAM(rho=0.5)])
        >>> round(float(model.get_weights()[0][0, 0]), 4)  # 1 - 0.1 * 2 * (1 + 0.5)
        0.7
    """

    # It runs the step twice, and what other callbacks add to the step is to happen once.
    innermost = True

    def __init__(self, rho=0.05):
        super().__init__()
        if not (math.isfinite(rho) and rho >= 0):
            raise ValueError(f"rho is the length of a climb, at least 0 and finite. Received: rho={rho!r}")
        self.rho = rho

    def on_train_begin(self, logs=None):
        if len(layers.optimizers(self.model)) > 1:
            raise ValueError("SAM climbs for one optimizer, and the model has several: a step of one changes another's")
        strategy = getattr(self.model, "distribute_strategy", None)
        if strategy is not None and strategy.num_replicas_in_sync > 1:
            raise ValueError(f"SAM trains on one replica. Received: {strategy.num_replicas_in_sync} of them")
        step.join(self)

    def on_epoch_begin(self, epoch, logs=None):
        step.install(self)

    def on_train_end(self, logs=None):
        step.leave(self)

    def wrap(self, inner):
        """The training step, run twice."""
        run = self._stateless if keras.config.backend() == "jax" else self._stateful
        # `self.model` is asked for here: on JAX it writes the state of the fit back, which would disturb the step.
        return functools.partial(run, self.model, inner)

    def _stateful(self, model, inner, data):
        optimizer = model.optimizer
        others = model.non_trainable_variables
        before = _read(others)
        given = []

        def keep(gradients, variables=None):
            given.append((list(gradients), list(variables or model.trainable_variables)))

        with replaced(optimizer, "apply", keep):
            logs = inner(data)
        ((gradients, variables),) = _once(given)
        # Metrics are created in the first pass of all.
        kept = model.non_trainable_variables + model.metrics_variables
        after, weights = _read(kept), _read(variables)
        _write(variables, self._climbed(gradients, weights))
        _write(others, before)
        apply = optimizer.apply

        def descend(gradients, _=None):
            _write(variables, weights)
            apply(gradients, variables)

        with replaced(optimizer, "apply", descend):
            inner(data)
        _write(kept, after)
        return logs

    def _stateless(self, model, inner, state, data):
        optimizer = model.optimizer
        weights, others, optimizer_values, metrics = state
        given = []

        def keep(optimizer_values, gradients, weights):
            given.append(gradients)
            return weights, optimizer_values

        with replaced(optimizer, "stateless_apply", keep):
            logs, (_, others_after, _, metrics_after) = inner(state, data)
        (gradients,) = _once(given)
        apply = optimizer.stateless_apply

        def descend(optimizer_values, gradients, _):
            return apply(optimizer_values, gradients, weights)

        with replaced(optimizer, "stateless_apply", descend):
            climbed = self._climbed(gradients, weights)
            _, (weights_after, _, optimizer_after, _) = inner((climbed, others, optimizer_values, metrics), data)
        return logs, (weights_after, others_after, optimizer_after, metrics_after)

    def _climbed(self, gradients, weights):
        # The sum makes one array of TensorFlow's slices, which may be several for a row.
        dense = [
            None if each is None else ops.add(ops.zeros_like(weight), each)
            for each, weight in zip(gradients, weights, strict=True)
        ]
        squares = [ops.sum(ops.square(ops.cast(each, keras.config.floatx()))) for each in dense if each is not None]
        # The small number is for a gradient of 0, which leads nowhere.
        scale = self.rho / (ops.sqrt(sum(squares)) + 1e-12)
        return [
            weight if each is None else weight + each * ops.cast(scale, weight.dtype)
            for each, weight in zip(dense, weights, strict=True)
        ]


def _once(given):
    if len(given) != 1:
        raise ValueError(
            f"SAM needs a train_step that uses its optimizer once. Received: one that does {len(given)} times"
        )
    return given


def _read(variables):
    # Not convert_to_tensor, which on TensorFlow returns the variable itself.
    return [ops.copy(variable) for variable in variables]


def _write(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
