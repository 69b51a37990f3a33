"""A forward pass and a training step on one batch, looked at from inside, that leave no trace in the model."""

import contextlib
import inspect

import keras
import numpy as np
from keras import ops

from callbacks import layers
from callbacks.replace import replaced


def tensor(value):
    """An array as `fit` would pass it on: floats in Keras' own precision."""
    value = ops.convert_to_tensor(value)
    return ops.cast(value, keras.config.floatx()) if _is_float(value) else value


def build(model, data):
    """Creates what the first step would create, so that nothing is born in a step that is undone."""
    if keras.config.backend() == "jax":
        # As `train_on_batch` does: on JAX metrics cannot be created inside the step.
        model._symbolic_build(data_batch=data)
    elif not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


@contextlib.contextmanager
def undone(model):
    """Puts back all variables that a step, or a forward pass in training mode, changes inside the block."""
    held = model.variables + model.metrics_variables
    for optimizer in layers.optimizers(model):
        held = held + optimizer.variables
    values = [variable.numpy() for variable in held]
    try:
        yield
    finally:
        model.reset_metrics()  # those that the block created are not among the held ones
        for variable, value in zip(held, values, strict=True):
            variable.assign(value)


def outputs(model, x, watched):
    """What layers return in one forward pass in training mode.

    Args:
        model: a `keras.Model`.
        x: its inputs, as tensors.
        watched: list of pairs of a name and a layer.

    Returns:
        Dict from name to a list of arrays, one for each floating-point output of each call.
    """
    seen = {name: [] for name, _ in watched}

    def watching(call, found):
        def watched_call(*arguments, **named):
            returned = call(*arguments, **named)
            found.extend(_array(each) for each in keras.tree.flatten(returned) if _is_float(each))
            return returned

        return watched_call

    with contextlib.ExitStack() as stack:
        for name, layer in watched:
            stack.enter_context(replaced(layer, "call", watching(layer.call, seen[name])))
        model(x, **({"training": True} if "training" in inspect.signature(model.call).parameters else {}))
    return seen


def step(model, data):
    """One training step, uncompiled: the model's own `train_step`, watched where it hands over to the optimizer.

    Args:
        model: a compiled model that has been built.
        data: what `train_step` takes, as tensors.

    Returns:
        `(gradients, before, after)`, dicts from a variable's `id` to an array: gradients of the variables that the
        optimizer was given, without the scale of the loss; all trainable weights before the step, and after it.

    Raises:
        ValueError: the step never calls `model.optimizer`.
    """
    optimizer = model.optimizer
    scale = _array(optimizer.scale_loss(ops.ones(())))
    before = {id(variable): _array(variable.value) for variable in model.trainable_variables}
    gradients = {}

    def keep(values, variables):
        for value, variable in zip(values, variables, strict=True):
            array = np.zeros(variable.shape) if value is None else _array(value)
            gradients[id(variable)] = array / scale

    if keras.config.backend() == "jax":
        own = optimizer.stateless_apply

        def stateless_apply(optimizer_values, values, weights):
            keep(values, model.trainable_variables)
            return own(optimizer_values, values, weights)

        held = (model.trainable_variables, model.non_trainable_variables, optimizer.variables, model.metrics_variables)
        state = tuple([variable.value for variable in variables] for variables in held)
        with replaced(optimizer, "stateless_apply", stateless_apply):
            _, (weights, *_) = model.train_step(state, data)
        after = dict(zip(before, map(_array, weights), strict=True))
    else:
        own = optimizer.apply

        def apply(values, variables=None):
            variables = list(variables or model.trainable_variables)
            keep(values, variables)
            own(values, variables)

        with replaced(optimizer, "apply", apply):
            model.train_step(data)
        after = {id(variable): _array(variable.value) for variable in model.trainable_variables}
    if not gradients:
        raise ValueError("the model's train_step never gives gradients to model.optimizer: there is nothing to look at")
    return gradients, before, after


def _is_float(value):
    return keras.backend.is_float_dtype(keras.backend.standardize_dtype(value.dtype))


def _array(value):
    return np.array(ops.convert_to_numpy(value), "float64")
