"""What a training will take, said before its first epoch: time from a few real steps, memory from the shapes."""

import math
import time

import keras

from zoo import state
from zoo.execution import layers


def estimate(built, done, batches):
    """Says how long training will take and how much memory, from a few steps that leave no trace in the model.

    Args:
        built: a `zoo.Recipe` whose model has its training function.
        done: epochs that are complete.
        batches: the training batches as `fit` has them: to open a stream once more would trace it once more.

    Returns:
        A line of text. Time is left out on JAX, whose variables live in the loop of `fit`, and of agents, whose time is
        that of their environment and of their episodes' length.
    """
    model, stream = built.model, built.data.train
    line = f"{built.epochs} epochs of {stream.steps} steps, about {memory(model, built.data) / 2**30:.2f} GiB"
    if keras.backend.backend() != "tensorflow" or hasattr(stream, "acting"):
        return line
    held = state.variables(model)
    before = [keras.ops.copy(variable.value) for variable in held]
    # A stream that ends early ends an execution early, so a few steps are enough whatever an execution holds.
    spread = model.distribute_strategy.experimental_distribute_dataset
    model.train_function(iter(spread(batches.take(1))))
    count = min(8, stream.steps)
    first = iter(spread(batches.take(count)))
    began = time.monotonic()
    for _ in range(-(-count // model.steps_per_execution)):
        model.train_function(first)
    seconds = (time.monotonic() - began) / count * stream.steps
    for variable, value in zip(held, before, strict=True):
        variable.assign(value)
    model.reset_metrics()
    return f"{line}, about {duration(seconds)} an epoch, {duration(seconds * (built.epochs - done))} in all at most"


def memory(model, data):
    """An estimate of the memory that training takes, in bytes.

    Weights, gradients and optimizer slots, the activations of one batch that the backward pass needs, and the data.
    """
    width = 4
    weights = sum(math.prod(v.shape) for v in model.variables) * width
    slots = sum(math.prod(v.shape) for v in model.optimizer.variables) * width
    batch = data.train.batch_size
    activations = 0
    for layer in layers(model):
        for tensor in keras.tree.flatten(getattr(layer, "output", [])):
            half = keras.backend.standardize_dtype(tensor.dtype) in ("bfloat16", "float16")
            activations += batch * math.prod(size or 1 for size in tensor.shape[1:]) * (2 if half else width)
    held = sum(stream.nbytes for stream in data.parts.values())
    return 2 * weights + slots + 2 * activations + held


def duration(seconds):
    """A time for people.

    Example:
        >>> duration(4.21), duration(42.1), duration(421)
        ('4.2 s', '42 s', '7 min')
    """
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
