"""What a convolutional network computes between pixels and logits: its feature maps, and where a class comes from.

Grad-CAM: Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra 2017, Grad-CAM: Visual Explanations from Deep Networks via
Gradient-based Localization, arXiv:1610.02391, section 3.
"""

import keras
import numpy as np
from keras import ops

from callbacks.replace import replaced
from zoo.errors import ZooError, require
from zoo.tasks import logits_of

# The fewest feature maps' pixels whose heat map tells one part of an image from another.
PIXELS = 16
# Layers that move or hide what others computed.
PASSIVE = (keras.layers.ZeroPadding2D, keras.layers.Cropping2D, keras.layers.Dropout, keras.layers.SpatialDropout2D)


def maps_of(model):
    """The layers between the first convolution and the logits that give feature maps.

    Args:
        model: a Functional `keras.Model`, its output logits or a dict with "logits". Layers of models in the model do
            not count.

    Returns:
        A list of layers with one output (batch, height, width, channels) of known size, in the model's order: first a
        convolution. It is empty where there is none.

    Example:
        >>> [layer.name for layer in maps_of(zoo.build("lenet"))]
        ['conv1', 'pool1', 'conv2', 'pool2']
    """
    network = keras.Model(model.inputs[0], logits_of(model))
    found = []
    for layer in network.layers:
        once = len(layer._inbound_nodes) == 1 and isinstance(layer.output, keras.KerasTensor)
        if once and len(layer.output.shape) == 4 and None not in layer.output.shape[1:] and not _is_passive(layer):
            if found or hasattr(layer, "kernel_size"):
                found.append(layer)
    return found


def stages(model):
    """The last feature maps at each size: what a network makes of an image at each resolution.

    Args:
        model: as in `maps_of`.

    Returns:
        A list of layers, from large maps to small ones; maps of a single pixel are left out.

    Example:
        >>> [layer.name for layer in stages(zoo.build("resnet20"))]
        ['stage1_block3_relu', 'stage2_block3_relu', 'stage3_block3_relu']
    """
    last = {_size(layer): layer for layer in maps_of(model) if np.prod(_size(layer)) > 1}
    return list(last.values())


def last_maps(model):
    """The layer that Grad-CAM looks at: the activation of the last convolution whose maps have 16 pixels or more.

    The paper's last convolution is the best compromise between meaning and place. Of small images, some networks leave
    a pixel or four there, which say nothing of the place.

    Args:
        model: as in `maps_of`.

    Returns:
        A layer, or None where there is none.

    Example:
        >>> for side in (32, 128):
        ...     last_maps(zoo.build("vgg11_small", input_shape=(side, side, 3), width=1 / 16)).name
        'block4_conv2_relu'
        'block5_conv2_relu'
    """
    found = maps_of(model)
    sizes = [_size(layer) for layer in found if hasattr(layer, "kernel_size") and np.prod(_size(layer)) >= PIXELS]
    return [layer for layer in found if _size(layer) == sizes[-1]][-1] if sizes else None


def activations(model, image):
    """The feature maps of one image.

    Args:
        model: as in `maps_of`.
        image: raw pixels (height, width, channels).

    Returns:
        A dict from the name of each of `stages(model)` to a float32 array (height, width, channels).
    """
    part = keras.Model(model.inputs[0], {layer.name: layer.output for layer in stages(model)})
    found = part(np.asarray(image, "float32")[None], training=False)
    return {layer.name: _array(found[layer.name])[0] for layer in stages(model)}


def grad_cam(model, images, classes=None, layer=None):
    """Grad-CAM: where in an image the evidence for a class is (Selvaraju et al. 2017, equations 1 and 2).

    Each feature map is weighted by the mean over its pixels of the derivative of the class's logit with respect to it;
    the heat map is the positive part of the weighted sum. Behind global average pooling and one dense layer that is
    the class activation map of Zhou et al. 2016, arXiv:1512.04150, divided by the number of pixels, without what is
    negative. The model stays as it is.

    Args:
        model: as in `maps_of`; it answers as in inference.
        images: raw pixels (n, height, width, channels).
        classes: the number of the class that each heat map is of, n integers; by default the predicted ones.
        layer: name of the layer of `maps_of(model)` whose maps are looked at; by default that of `last_maps(model)`.

    Returns:
        A float32 array (n, height, width) of the layer's size, not negative.

    Raises:
        ZooError: a model without such maps, another layer's name, or classes that the model does not have.

    Example:
        >>> model = zoo.build("lenet")
        >>> grad_cam(model, np.zeros((2, 28, 28, 1), "uint8")).shape
        (2, 10, 10)
    """
    named = {each.name: each for each in maps_of(model)}
    if layer is None:
        chosen = last_maps(model)
        if chosen is None:
            raise ZooError(f"{model.name!r} has no convolution whose maps have {PIXELS} pixels or more")
    else:
        require(layer in named, "layer", layer, f"one of {', '.join(named)}")
        chosen = named[layer]
    network = keras.Model(model.inputs[0], logits_of(model))
    images = np.asarray(images, "float32")
    if classes is None:
        classes = _array(network(images, training=False)).argmax(1)
    classes, count = np.asarray(classes), network.output.shape[-1]
    fits = classes.shape == (len(images),) and classes.dtype.kind in "iu" and ((classes >= 0) & (classes < count)).all()
    require(fits, "classes", classes, f"{len(images)} integers, each 0..{count - 1}")
    maps = _array(keras.Model(network.inputs[0], chosen.output)(images, training=False))
    gradient = _gradient(network, chosen, images, np.eye(count, dtype="float32")[classes])
    return np.maximum((gradient.mean((1, 2), keepdims=True) * maps).sum(-1), 0)


def _gradient(network, layer, images, shares):
    """The derivative by a layer's maps of the sum of the logits, weighted by `shares` (n, classes)."""
    call = layer.call

    def answer(shift):
        def shifted(*arguments, **named):
            maps = call(*arguments, **named)
            return maps + ops.cast(shift, maps.dtype)

        with replaced(layer, "call", shifted):
            return network(images, training=False)

    model = _Shift((len(images), *layer.output.shape[1:]), answer)
    # A step at the rate 1 from 0 is the negative gradient. Eagerly, because a graph would be traced for one step.
    model.compile(keras.optimizers.SGD(1.0), lambda true, logits: ops.sum(true * logits), run_eagerly=True)
    model.train_on_batch(images, shares)
    return -_array(model.shift)


class _Shift(keras.Model):
    """A number added to each pixel of feature maps: the only weights here, for the network is hidden in a function."""

    def __init__(self, shape, answer):
        super().__init__()
        self.answer = answer
        self.shift = self.add_weight(name="shift", shape=shape, initializer="zeros", dtype="float32")

    def call(self, images):
        return self.answer(self.shift)


def _is_passive(layer):
    return isinstance(layer, PASSIVE)


def _size(layer):
    return tuple(layer.output.shape[1:3])


def _array(values):
    return ops.convert_to_numpy(ops.cast(values, "float32"))
