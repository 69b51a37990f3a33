"""Multiply-adds of a forward pass, counted in the graph that is computed: what layers are made of does not matter."""

import contextlib
import itertools
import math

import keras
import tensorflow as tf

from zoo.execution import layers

COUNTED = ("Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput", "Einsum")
COUNTED += ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")
# What holds operations that are not in the graph itself.
CALLS = ("PartitionedCall", "StatefulPartitionedCall", "While", "StatelessWhile", "If", "StatelessIf", "Case")


def multiply_adds(model, example):
    """How often a model multiplies two numbers and adds the product to a sum, for one example in inference.

    It is what the papers of VGG and ResNet call operations; each is two floating-point operations. Counted are
    convolutions, transposed ones and matrix products, in whatever layers they are; not counted is what works number by
    number, such as biases, activations, normalisation and pooling, nor what is multiplied with a constant, such as the
    window of local response normalisation. A loop over time counts for each of its steps.

    Args:
        model: a built `keras.Model`, on TensorFlow.
        example: a list of an array for each input, each with a first dimension of 1.

    Returns:
        An integer; None for a graph with a loop, a condition or a function inside whose repetitions are not known.

    Example:
        >>> import zoo
        >>> multiply_adds(zoo.build("mlp"), [np.zeros((1, 28, 28, 1), "float32")])  # 784 x 256 + 256 x 128 + 128 x 10
        234752
    """
    specs = [tf.TensorSpec(array.shape, array.dtype) for array in example]
    with _unrolled(model):
        called = tf.function(lambda *inputs: model(keras.tree.pack_sequence_as(model.input, inputs), training=False))
        operations = called.get_concrete_function(*specs).graph.get_operations()
    if any(operation.type in CALLS for operation in operations):
        return None
    return sum(_of(operation) for operation in operations)


@contextlib.contextmanager
def _unrolled(model):
    """Recurrent layers without loops, so that every step is in the graph."""
    found = [part for layer in layers(model) for part in _recurrent(layer)]
    before = [layer.unroll for layer in found]
    for layer in found:
        layer.unroll = True
    try:
        yield
    finally:
        for layer, unroll in zip(found, before, strict=True):
            layer.unroll = unroll


def _recurrent(layer):
    if isinstance(layer, keras.layers.Bidirectional):
        return [layer.forward_layer, layer.backward_layer]
    return [layer] if isinstance(layer, keras.layers.RNN) else []


def _of(operation):
    """Multiply-adds of one operation of the graph."""
    kind, inputs = operation.type, [tuple(tensor.shape) for tensor in operation.inputs]
    if kind not in COUNTED or operation.inputs[1].op.type == "Const":
        return 0
    made = math.prod(operation.outputs[0].shape)
    if kind == "Conv2D":
        return made * math.prod(inputs[1][:3])
    if kind == "DepthwiseConv2dNative":
        return made * math.prod(inputs[1][:2])
    if kind == "Conv2DBackpropInput":  # a transposed convolution: its kernel is applied at each place of its input
        return math.prod(inputs[2]) * math.prod(inputs[1][:3])
    if kind == "MatMul":
        return made * inputs[0][0 if operation.get_attr("transpose_a") else 1]
    if kind == "Einsum":
        words = operation.get_attr("equation").decode().partition("->")[0].split(",")
        return math.prod(dict(zip("".join(words), itertools.chain(*inputs), strict=True)).values())
    return made * inputs[0][-2 if operation.get_attr("adj_x") else -1]
