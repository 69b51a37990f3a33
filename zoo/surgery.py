"""What is done to a network that is trained already: looking at its inner outputs, and giving it another head."""

import keras

from callbacks import layers
from zoo.errors import ZooError, require, suggest


def features(model, names):
    """A network's intermediate outputs, by the names of its layers.

    Nothing is copied: the result shares its weights with `model`, and trains when `model` does. It takes the same raw
    input, scaling included.

    Args:
        model: a Functional or Sequential `keras.Model`, such as any that `zoo.build` and `zoo.load` return.
        names: a layer's name or a list of them; `"outer/inner"` is the layer `inner` of the model `outer` in the model.

    Returns:
        A `keras.Model` from the model's input to a dict: the output of each layer under its name.

    Raises:
        ZooError: a name that no layer has, answered with close matches; a model that is no graph of layers; a layer
            that is used several times, whose output could be any of these.

    Example:
        >>> model = features(zoo.build("resnet20"), ["stem_relu", "stage3_block3_relu"])
        >>> {name: tensor.shape[1:] for name, tensor in model.output.items()}
        {'stem_relu': (32, 32, 16), 'stage3_block3_relu': (8, 8, 64)}
    """
    names = [names] if isinstance(names, str) else names
    fits = isinstance(names, list | tuple) and names and all(isinstance(name, str) for name in names)
    require(fits, "names", names, "the name of a layer, or a list of such names")
    graph = _graph(model)
    return keras.Model(
        graph.input, {name: _output(graph, name, model) for name in names}, name=f"{model.name}_features"
    )


def replace_head(model, num_classes, input_shape=None, trained=True):
    """A copy of a classifier with a new last layer, for other classes: where fine-tuning begins.

    The copy has everything before the last layer as it is, with weights, statistics and preprocessing; auxiliary
    outputs are left out. Everything in it is trainable, and it computes in the current dtype policy, whatever `model`
    was trained under.

    Args:
        model: a Functional `keras.Model` that ends in a dense layer, or in a dict whose `"logits"` do.
        num_classes: integer >= 2.
        input_shape: (height, width, channels) of the images that the copy takes; None takes the model's own. Another
            size fits networks that are convolutional up to a pooling over the image.
        trained: whether the copy has the model's weights; without them it starts as a new network does.

    Returns:
        A `keras.Model` to logits (batch, num_classes), not compiled; the head is the last of its `layers`.

    Raises:
        ZooError: a model that does not end so, or an input shape that its weights do not fit.

    Example:
        >>> model = replace_head(zoo.build("lenet"), num_classes=3)
        >>> model.output_shape, model.layers[-1].name
        ((None, 3), 'output')
    """
    require(isinstance(num_classes, int) and num_classes >= 2, "num_classes", num_classes, "an integer >= 2")
    graph = _graph(model)
    head, logits = _head(model)
    if len(graph.inputs) != 1:
        raise ZooError(f"{model.name} has {len(graph.inputs)} inputs; a network for images has one")
    (given,) = graph.inputs
    graph = keras.Model(given, logits, name=model.name)
    own = tuple(given.shape[1:])
    shape = tuple(input_shape or own)
    inputs = keras.Input(shape, name=given.name, dtype=given.dtype)
    sizes = f"images of {own}, not {shape}"
    try:
        clone = _Clone(graph, head, num_classes)
        copy = keras.models.clone_model(graph, input_tensors=inputs, clone_function=clone, recursive=True)
    except ValueError as error:
        if shape == own:
            raise
        raise ZooError(f"{model.name} takes {sizes}. {str(error).splitlines()[0]}") from error
    pairs = [
        (name, old, new)
        for (name, old), (_, new) in zip(layers.named(graph), layers.named(copy), strict=True)
        if old is not head and old.weights and not isinstance(old, keras.Model)
    ]
    for name, old, new in pairs:
        for before, after in zip(old.weights, new.weights, strict=True):
            if before.shape != after.shape:
                raise ZooError(
                    f"{model.name} takes {sizes}: its layer {name!r} has a {before.name} of {tuple(before.shape)}, and "
                    f"would need one of {tuple(after.shape)}. Bring the images to its own size"
                )
    if trained:
        for _, old, new in pairs:
            new.set_weights(old.get_weights())
    return copy


class _Clone:
    """Copies a layer without its weights: the head with other units, all others in the current dtype policy."""

    def __init__(self, model, head, num_classes):
        self.head = head
        self.num_classes = num_classes
        named = [layer for _, layer in layers.named(model)]
        policies = {layer.dtype_policy.name for layer in named}
        self.policy = keras.config.dtype_policy().name
        # What is in float32 beside half precision is so on purpose. Of a network in float32 it is not seen: there the
        # zoo's own rule stands, by which scaling and head are exact under every policy.
        self.mixed = {name for name in policies if name.startswith("mixed_")}
        first = next(index for index, layer in enumerate(named) if layer.trainable_variables)
        self.exact = [head, *named[:first]]

    def __call__(self, layer):
        config = {**layer.get_config(), "trainable": True}
        if layer is self.head:
            config["units"] = self.num_classes
        chosen = layer.dtype_policy.name in self.mixed if self.mixed else not any(layer is each for each in self.exact)
        if chosen:
            config["dtype"] = self.policy
        return type(layer).from_config(config)


def _head(model):
    """The dense layer that a classifier ends in, and its output."""
    output = model.output.get("logits") if isinstance(model.output, dict) else model.output
    last = getattr(getattr(output, "_keras_history", None), "operation", None)
    if isinstance(last, keras.layers.Identity):
        output = last.input
        last = output._keras_history.operation
    if not isinstance(last, keras.layers.Dense):
        ends = "several outputs" if last is None else f"a {type(last).__name__}"
        raise ZooError(f"a new head takes the place of a last layer that is Dense; {model.name} ends in {ends}")
    return last, output


def _graph(model):
    """The Functional model that a model is, or that a Sequential one holds."""
    graph = getattr(model, "_functional", model)
    if not isinstance(graph, keras.Model) or not hasattr(graph, "_nodes_by_depth"):
        raise ZooError(
            "the layers of this model are not known: that works for Functional models, and for Sequential ones that "
            f"have an Input. Received: {model!r}"
        )
    return graph


def nodes(model):
    """The calls of layers that make up a model's graph.

    Args:
        model: a Functional or Sequential `keras.Model`.

    Returns:
        A dict from a layer's name to the list of its calls, Keras' nodes, in the order of the computation.

    Raises:
        ZooError: a model that is no graph of layers.
    """
    found = {}
    by_depth = _graph(model)._nodes_by_depth
    for depth in sorted(by_depth, reverse=True):
        for node in by_depth[depth]:
            found.setdefault(node.operation.name, []).append(node)
    return found


def _output(model, name, outer):
    first, _, rest = name.partition("/")
    found = nodes(model)
    if first not in found:
        known = [name for name, _ in layers.named(outer)]
        raise ZooError(
            f"{outer.name} has no layer {name!r}.{suggest(name, known)} model.summary() shows all its layers"
        )
    if len(found[first]) > 1:
        raise ZooError(f"the layer {first!r} of {outer.name} is used {len(found[first])} times: it has no one output")
    (node,) = found[first]
    if not rest:
        outputs = node.output_tensors
        return outputs[0] if len(outputs) == 1 else list(outputs)
    inner = node.operation
    if not isinstance(inner, keras.Model):
        raise ZooError(f"the layer {first!r} of {outer.name} is no model, and has no layer {rest!r}")
    return features(inner, rest)(node.arguments.args[0])[rest]
