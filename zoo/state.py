"""Everything that a run needs to go on as if it had never stopped: collected as plain values and arrays, put back."""

import random

import keras
import numpy as np

# What Keras sets on every callback, and what therefore is not the callback's own state. It turns the sign of
# `min_delta` at the first evaluation of each object: one put back with its sign turned would be turned again.
NOT_STATE = {"_model", "params", "model", "validation_data", "min_delta"}


def variables(model):
    """All variables that training changes, in a fixed order: weights, random seeds, and every optimizer's.

    A `.keras` file is no substitute: it leaves out the state of random seeds. Metrics are left out here: they begin
    anew with each epoch.
    """
    metrics = {id(variable) for variable in model.metrics_variables}
    found = [variable for variable in model.variables if id(variable) not in metrics]
    for optimizer in optimizers(model):
        found.extend(optimizer.variables)
    # What an agent acts in, and remembers, while a fit runs.
    found.extend(getattr(getattr(model, "world", None), "variables", ()))
    unique = {id(variable): variable for variable in found}
    return list(unique.values())


def optimizers(model):
    """The optimizers that a model, or a model on its side, holds, in a fixed order (a GAN has two)."""
    found, seen, waiting = [], set(), [model]
    while waiting:
        owner = waiting.pop(0)
        for _, held in sorted(vars(owner).items(), key=lambda pair: pair[0]):
            if id(held) in seen:
                continue
            seen.add(id(held))
            if isinstance(held, keras.optimizers.Optimizer):
                found.append(held)
                waiting.append(held)  # one that scales the loss holds the one that steps
            elif isinstance(held, keras.Model):
                waiting.append(held)
    return found


def collect(model, holders):
    """The state of a model and of the objects around it.

    Args:
        model: a compiled and built `keras.Model`.
        holders: callbacks, or data, in a fixed order. One that has `get_state()` is asked; of any other, the
            attributes that are plain values, arrays, or Keras variables are taken.

    Returns:
        Nested dicts and lists of plain values and NumPy arrays.
    """
    return {
        "variables": [np.array(keras.ops.convert_to_numpy(variable.value)) for variable in variables(model)],
        "holders": [[type(holder).__name__, _state_of(holder)] for holder in holders],
        "random": {"python": random.getstate(), "numpy": np.random.get_state(legacy=True)},
    }


def restore(model, holders, state):
    """Puts back what `collect` took, into a model and objects that were made the same way.

    Raises:
        ValueError: the model or the objects are not the ones the state was taken from.
    """
    own = variables(model)
    saved = state["variables"]
    if [tuple(v.shape) for v in own] != [v.shape for v in saved]:
        raise ValueError(f"the checkpoint holds {len(saved)} variables of other shapes than the model's {len(own)}")
    names = [type(holder).__name__ for holder in holders]
    if names != [name for name, _ in state["holders"]]:
        raise ValueError(f"the checkpoint was made with {[n for n, _ in state['holders']]}, the recipe has {names}")
    for variable, value in zip(own, saved, strict=True):
        variable.assign(value)
    for holder, (_, values) in zip(holders, state["holders"], strict=True):
        if hasattr(holder, "set_state"):
            holder.set_state(values)
            continue
        for name, value in values.items():
            current = getattr(holder, name, None)
            if isinstance(current, keras.Variable):
                current.assign(value)
            else:
                setattr(holder, name, value)
    random.setstate(state["random"]["python"])
    np.random.set_state(state["random"]["numpy"])


def _state_of(holder):
    if hasattr(holder, "get_state"):
        return holder.get_state()
    taken = {}
    for name, value in vars(holder).items():
        if name in NOT_STATE:
            continue
        if isinstance(value, keras.Variable):
            taken[name] = np.array(keras.ops.convert_to_numpy(value.value))
        elif _is_plain(value):
            taken[name] = value
    return taken


def _is_plain(value):
    if value is None or isinstance(value, (bool, int, float, str, np.ndarray, np.generic)):
        return not (isinstance(value, np.ndarray) and value.dtype == object)
    if isinstance(value, (list, tuple)):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, (str, int)) and _is_plain(item) for key, item in value.items())
    return False
