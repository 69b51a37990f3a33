"""A function of TensorFlow as an ONNX file."""

from zoo.quiet import native_logs_hidden


def write(path, numeric, concrete, names):
    """Writes the file.

    Args:
        path: a `Path`.
        numeric: a `tf.function` with an input signature.
        concrete: its only concrete function.
        names: dict from a key to lines of text, which the file keeps beside the numbers.
    """
    import onnx
    import tensorflow as tf
    import tf2onnx

    with native_logs_hidden():
        proto, _ = tf2onnx.convert.from_function(numeric, input_signature=numeric.input_signature)
    # What a layer holds as a plain tensor (the mean of a Normalization) is left as an input: make it a constant.
    captured = concrete.graph.captures
    constants = {inner.name: value for value, inner in captured if value.dtype != tf.resource}
    for tensor in [each for each in proto.graph.input if each.name in constants]:
        proto.graph.initializer.append(onnx.numpy_helper.from_array(constants[tensor.name].numpy(), tensor.name))
        proto.graph.input.remove(tensor)
    for tensor in (*proto.graph.input, *proto.graph.output):
        if tensor.type.tensor_type.shape.dim:
            tensor.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.helper.set_model_props(proto, {name: "\n".join(lines) for name, lines in names.items()})
    onnx.save(proto, str(path))
