"""How a training runs: precision, compilation, steps an execution. Chosen from measurements, printed, overridable."""

import math

import keras

from zoo.errors import ZooError, choose

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
# Seconds of work that one call into the graph should hold: long enough that the call costs nothing beside it, short
# enough that the progress bar moves and Ctrl-C answers.
CALL = 0.5


def precision(asked):
    """The dtype policy to build the model under, and why.

    Args:
        asked: one of `PRECISIONS`.

    Returns:
        A pair: the policy's name and the reason.

    Raises:
        ZooError: an unknown precision.
    """
    choose("precision", asked, PRECISIONS)
    if asked != "auto":
        return asked, "as asked"
    return "float32", "exact; mixed_bfloat16 may be faster where the processor has it"


def divisor(steps, wanted):
    """The divisor of `steps` that is nearest to `wanted`, by ratio.

    An execution must not cross the end of an epoch, so only divisors can be used.

    Example:
        >>> divisor(188, 32)
        47
    """
    divisors = [k for k in range(1, steps + 1) if steps % k == 0]
    return min(divisors, key=lambda k: abs(math.log(k / wanted)))


def steps_per_execution(asked, steps, batch_size, model):
    """How many steps one call into the graph takes, and why.

    Args:
        asked: `"auto"`, or a number that divides `steps`.
        steps: steps of an epoch.
        batch_size: examples of a step.
        model: the built model; its size tells about how long a step takes.

    Returns:
        A pair: the number and the reason.

    Raises:
        ZooError: a number that does not divide the steps of an epoch.
    """
    if asked != "auto":
        if asked < 1 or steps % asked:
            usable = [k for k in range(1, steps + 1) if steps % k == 0]
            raise ZooError(
                f"steps_per_execution must divide the {steps} steps of an epoch. Received: {asked}. "
                f"What works: {', '.join(map(str, usable))}"
            )
        return asked, "as asked"
    seconds = batch_size * operations(model) / 3e10
    wanted = max(1, min(64, CALL / max(seconds, 1e-6)))
    number = divisor(steps, wanted)
    return number, f"about {CALL} s of work a call; divides {steps} steps, so that it ends with the epoch"


def layers(model):
    """The layers of a model and of the models inside it."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from layers(layer)


def operations(model):
    """A rough count of the multiplications that one example costs in training: three times the forward pass."""
    total = 0
    for layer in layers(model):
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        places = 1
        if isinstance(layer, keras.layers.Conv2D):
            places = math.prod(layer.output.shape[1:3])
        total += places * math.prod(kernel.shape)
    return max(3 * total, 1)


def jit_compile(asked, model):
    """Whether XLA compiles the step, and why.

    Args:
        asked: `"auto"`, True or False.
        model: the built model.

    Returns:
        A pair: True or False, and the reason.
    """
    if asked != "auto":
        return bool(asked), "as asked"
    if keras.backend.backend() == "jax":
        return True, "JAX compiles every step"
    if not keras.distribution.list_devices("gpu"):
        return False, "on a CPU XLA makes convolutions and recurrent layers slower"
    if any(isinstance(layer, (keras.layers.LSTM, keras.layers.GRU)) for layer in layers(model)):
        return False, "cuDNN's recurrent kernels and XLA exclude each other"
    return True, "XLA pays on a GPU"
