"""How far a segmentation network sees, and which sizes it takes, read off its layers."""

from fractions import Fraction
from typing import NamedTuple

import keras

from zoo.errors import ZooError, require
from zoo.pixel_affine import PixelAffine
from zoo.surgery import nodes

POINTWISE = (
    keras.layers.Activation,
    keras.layers.Add,
    keras.layers.BatchNormalization,
    keras.layers.Concatenate,
    keras.layers.Dropout,
    keras.layers.ELU,
    keras.layers.Identity,
    keras.layers.LeakyReLU,
    keras.layers.Normalization,
    keras.layers.PReLU,
    keras.layers.ReLU,
    keras.layers.Rescaling,
    keras.layers.SpatialDropout2D,
    PixelAffine,
)
CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)


class Geometry(NamedTuple):
    """How a network sees an image, in pixels, the same in both directions.

    Args:
        margin: how far beyond a tile, on each side, the window begins that the network is given.
        multiple: tiles are as long as a multiple of it, and begin at multiples of it: the grid of the last pooling.
        span: what a window is longer than its tile.
        offset: where, in the output for a window, its tile begins.
    """

    margin: int
    multiple: int
    span: int
    offset: int


def geometry(model):
    """The `Geometry` of a segmentation network.

    Args:
        model: a Functional `keras.Model` from images to a map of logits.

    Raises:
        ZooError: a layer of which it is not known how far it sees, or maps that do not fit together.
    """
    source, target = (id(one(model, tensors)) for tensors in (model.inputs, model.outputs))
    calls = []
    for name, each in nodes(model).items():
        require(len(each) == 1, f"the calls of the layer {name!r}", len(each), "one: so far it sees, and no farther")
        if each[0].input_tensors:
            inputs = [id(tensor) for tensor in each[0].input_tensors]
            calls.append((inputs, id(each[0].output_tensors[0]), _rule(each[0].operation)))

    scales = {source: Fraction(1)}
    for inputs, output, rule in calls:
        scales[output] = scales[inputs[0]] * rule.scale
    multiple = int(max(scales.values()))

    # From a tile of that length back to the pixels that it depends on.
    needed = {target: (0, multiple - 1)}
    for inputs, output, rule in reversed(calls):
        if output in needed:
            low, high = rule.seen(*needed[output])
            for each in inputs:
                before = needed.get(each, (low, high))
                needed[each] = min(low, before[0]), max(high, before[1])
    low, high = needed[source]
    offset = max(0, up(-low, multiple))
    # The shortest window that holds them, and that every pooling divides without a rest.
    for window in range(offset + high + 1, offset + high + 1 + 2 * multiple):
        length = _length(calls, source, target, window)
        if length is not None and (window - length) % 2 == 0:
            return Geometry(offset + (window - length) // 2, multiple, window - multiple, offset)
    raise ZooError(f"the maps of {model.name} do not fit together, whatever the size of the image")


def up(value, multiple):
    """The least multiple that is not less."""
    return -(-value // multiple) * multiple


def one(model, tensors):
    """The only input, or output, of a model, which must be a map (batch, height, width, channels)."""
    shapes = [tuple(tensor.shape) for tensor in tensors]
    fits = len(shapes) == 1 and len(shapes[0]) == 4
    require(fits, f"the input and the output of {model.name}", shapes, "one map (batch, height, width, channels)")
    return tensors[0]


class _Rule(NamedTuple):
    """What a layer does in one direction.

    `scale` is by how much it shrinks the image; `seen` the first and last input that its outputs low..high depend on;
    `length` that of its output, None where the input does not fit.
    """

    scale: Fraction
    seen: object
    length: object


def _length(calls, source, target, window):
    lengths = {source: window}
    for inputs, output, rule in calls:
        found = {lengths[each] for each in inputs}
        length = rule.length(found.pop()) if len(found) == 1 else None
        if not length or length < 1:
            return None
        lengths[output] = length
    return lengths[target]


def _rule(layer):
    if isinstance(layer, POINTWISE):
        if isinstance(layer, keras.layers.Concatenate) and layer.axis not in (-1, 3):
            raise _unknown(layer, f"axis={layer.axis}")
        return _Rule(Fraction(1), lambda low, high: (low, high), lambda length: length)
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise _unknown(layer, f"data_format={layer.data_format!r}")
    if isinstance(layer, CONVOLUTIONS) and layer.padding in ("same", "valid") and _side(layer, "strides") == 1:
        reach = (_side(layer, "kernel_size") - 1) * _side(layer, "dilation_rate")
        lost = 0 if layer.padding == "same" else reach
        before = (reach - lost) // 2
        return _Rule(Fraction(1), lambda low, high: (low - before, high - before + reach), lambda n: n - lost)
    if isinstance(layer, POOLINGS) and layer.pool_size == layer.strides:
        size = _side(layer, "pool_size")
        return _Rule(
            Fraction(size),
            lambda low, high: (size * low, size * high + size - 1),
            lambda n: None if n % size else n // size,
        )
    if isinstance(layer, keras.layers.Conv2DTranspose) and layer.kernel_size == layer.strides:
        size = _side(layer, "strides")
        return _Rule(Fraction(1, size), lambda low, high: (low // size, high // size), lambda n: n * size)
    if isinstance(layer, keras.layers.UpSampling2D) and layer.interpolation in ("nearest", "bilinear"):
        size = _side(layer, "size")
        if layer.interpolation == "nearest":
            return _Rule(Fraction(1, size), lambda low, high: (low // size, high // size), lambda n: n * size)

        def left(position):
            """The left one of the two pixels between whose centres a new one lies."""
            return (2 * position + 1 - size) // (2 * size)

        return _Rule(Fraction(1, size), lambda low, high: (left(low), left(high) + 1), lambda n: n * size)
    if isinstance(layer, keras.layers.Cropping2D):
        (top, bottom), columns = layer.cropping
        if (top, bottom) == tuple(columns):
            return _Rule(Fraction(1), lambda low, high: (low + top, high + top), lambda n: n - top - bottom)
    raise _unknown(layer, "as it is set")


def _side(layer, argument):
    value = getattr(layer, argument)
    sides = {value} if isinstance(value, int) else set(value)
    if len(sides) > 1:
        raise _unknown(layer, f"{argument}={value}")
    return sides.pop()


def _unknown(layer, how):
    return ZooError(
        f"the layer {layer.name!r}, a {type(layer).__name__}, cannot be tiled ({how}). Convolutions at stride 1, "
        "pooling without overlap, transposed convolutions whose stride is their size, nearest or bilinear upsampling, "
        "cropping and layers that look at one pixel at a time can, if they are alike in height and width"
    )
