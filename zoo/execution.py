"""How a training runs: precision, compilation, steps an execution. Chosen from measurements, printed, overridable."""

import math
from pathlib import Path

import keras

from zoo.errors import ZooError, choose
from zoo.tasks import task_of

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
# Seconds of work that one call into the graph should hold: long enough that the call costs nothing beside it, short
# enough that the progress bar moves and Ctrl-C answers.
CALL = 0.5
# Multiplications that one example costs in training, from which on bfloat16 is chosen: a quarter of ResNet-20's.
HEAVY = 3e7
# Pixels that a side of an image is taken to have where the network takes any.
FREE = 128
# Symbols that a text is taken to have.
STEPS = 64
BFLOAT16_UNITS = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16"}


def precision(asked, model=None):
    """The dtype policy to build a model under, and why.

    bfloat16 pays where the processor multiplies in it and the multiplications are what takes the time: a network of
    the size of ResNet-20, or an LSTM of 512 units, trains 1.5 times faster on AVX512-BF16, LeNet-5 gains 9 % at batch
    64. Small networks stay exact. On a GPU nothing is chosen: its 32-bit multiplications are fast already.

    Args:
        asked: one of `PRECISIONS`.
        model: the model, built under the policy asked for, or in float32 for `"auto"`; without it `"auto"` is answered
            as for a small one.

    Returns:
        A pair: the policy's name and the reason.

    Raises:
        ZooError: an unknown precision.
    """
    choose("precision", asked, PRECISIONS)
    if asked != "auto":
        if model is not None and asked != "float32" and not _has_half(model):
            return asked, "as asked, and of no effect: every layer with weights computes in float32"
        return asked, "as asked"
    units = bfloat16_units()
    if keras.backend.backend() != "tensorflow" or not units or keras.distribution.list_devices("gpu"):
        return "float32", "exact"
    if model is None or operations(model) < HEAVY:
        return "float32", "exact; the network is too small for bfloat16 to pay"
    return "mixed_bfloat16", f"the processor has {units}; --precision float32 is exact and slower"


def _has_half(model):
    """Whether a layer that has weights computes in 16 bits."""
    kinds = {layer.compute_dtype for layer in layers(model) if layer.weights and not isinstance(layer, keras.Model)}
    return bool(kinds & {"float16", "bfloat16"})


def bfloat16_units(cpuinfo="/proc/cpuinfo"):
    """The processor's instructions that multiply in bfloat16.

    Args:
        cpuinfo: the file in which Linux describes the processor. Elsewhere there is none, and none are found.

    Returns:
        `"AMX"`, `"AVX512-BF16"`, or None.
    """
    try:
        words = set(Path(cpuinfo).read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return None
    return next((name for flag, name in BFLOAT16_UNITS.items() if flag in words), None)


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
    if task_of(model) == "q_learning":
        # A step is a round of many gradient steps already, and between two an agent acts.
        if asked not in ("auto", 1):
            raise ZooError(f"an agent acts between two steps: steps_per_execution is 1. Received: {asked}")
        return 1, "an agent acts between two steps"
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
    """A rough count of the multiplications that one example costs in training: three times the forward pass.

    A discriminator sees a real and a generated example, forward and back, and once more for the generator's gradient.
    """
    beside = getattr(model, "discriminator", None)
    if beside is None:
        return max(3 * _forward(model), 1)
    return 3 * _forward(model.generator) + 8 * _forward(beside)


def _forward(model):
    total, sides = 0, _sides(model)
    for layer in layers(model):
        weights = _multiplied(layer)
        if not weights:
            continue
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
            # The kernel of a transposed convolution is applied at each place of its input.
            maps = layer.input if isinstance(layer, keras.layers.Conv2DTranspose) else layer.output
            places = math.prod(sides.get(id(maps), maps.shape[1:3]))
        else:
            # Recurrent and dense layers work at each step of a sequence.
            read = keras.tree.flatten(layer.input)[0]
            places = math.prod(side or STEPS for side in read.shape[1:-1])
        total += places * weights
    return total


def _multiplied(layer):
    """The number of weights that a layer multiplies with at each place."""
    if isinstance(layer, keras.layers.Bidirectional):
        return _multiplied(layer.forward_layer) + _multiplied(layer.backward_layer)
    if isinstance(layer, keras.layers.RNN):
        return sum(math.prod(weight.shape) for weight in layer.cell.weights if weight.path.endswith("kernel"))
    kernel = getattr(layer, "kernel", None)
    return 0 if kernel is None else math.prod(kernel.shape)


def _sides(model):
    """Height and width of the maps of a network that takes images of any size, by the tensor's `id`."""
    shape = model.inputs[0].shape[1:]
    if None not in shape or len(shape) != 3:
        return {}
    maps = [layer.output for layer in model.layers if len(getattr(layer.output, "shape", ())) == 4]
    found = keras.Model(model.inputs[0], maps).compute_output_shape((1, *(side or FREE for side in shape)))
    return {id(tensor): sizes[1:3] for tensor, sizes in zip(maps, found, strict=True)}


def build_metrics(model, stream):
    """Makes the metrics of a compiled model now, which Keras would make in its first step: it traces that twice then.

    Args:
        model: the compiled and built model.
        stream: the training part of its data.
    """
    makers = [getattr(model, name, None) for name in ("_compile_metrics", "_compile_loss")]
    makers = [maker for maker in makers if maker is not None and not maker.built]
    if makers:
        _, y, _ = keras.utils.unpack_x_y_sample_weight(_symbolic(stream.element_spec))
        # A Sequential has outputs, and no `output` before it is called.
        output = getattr(model, "output", model.outputs[0])
        for maker in makers:
            maker.build(y, output)


def _symbolic(spec):
    """Symbolic tensors for a stream's `element_spec`."""
    if isinstance(spec, dict):
        return {name: _symbolic(part) for name, part in spec.items()}
    if isinstance(spec[-1], str):  # (shape, dtype)
        return keras.KerasTensor(*spec)
    return tuple(map(_symbolic, spec))


def jit_compile(asked, model):
    """Whether XLA compiles the step, and why.

    Args:
        asked: `"auto"`, True or False.
        model: the built model.

    Returns:
        A pair: True or False, and the reason.
    """
    # Keras marks the recurrent layers that it computes with cuDNN, and would warn and leave XLA out itself.
    fused = [layer.name for layer in model._flatten_layers() if not layer.supports_jit]
    if asked is True and fused:
        return False, f"left out, though asked for: XLA cannot compile {', '.join(fused)}, which cuDNN computes faster"
    if asked != "auto":
        return bool(asked), "as asked"
    if keras.backend.backend() == "jax":
        return True, "JAX compiles every step"
    if task_of(model) == "q_learning" and len(model.inputs[0].shape) < 4:
        return True, "an agent's steps are small and many, and compiled as one loop"
    if not keras.distribution.list_devices("gpu"):
        return False, "on a CPU XLA makes convolutions and recurrent layers slower"
    if fused:
        return False, "cuDNN's recurrent kernels and XLA exclude each other"
    return True, "XLA pays on a GPU"
