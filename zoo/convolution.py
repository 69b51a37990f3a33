"""Convolution and pooling by number: small functions on plain arrays, for lessons and for checking by hand.

They compute with `keras.ops`, as the layers do. Arrays have no batch: an image is (height, width), or (height, width,
channels); a signal is (length,), or (length, channels). A kernel of several channels is (height, width, channels in,
channels out), as `keras.layers.Conv2D` keeps it.

The sums are those of LeCun et al. 1998, section II.B, and of Dumoulin, Visin 2016, A guide to convolution arithmetic
for deep learning, arXiv:1603.07285.
"""

import numpy as np
from keras import ops

from zoo.errors import ZooError, choose, require


def cross_correlation(x, kernel, padding=0, stride=1, bias=None):
    """What deep learning calls a convolution: the kernel slides over the input, and each place gets a sum of products.

    Args:
        x: an image or a signal, without channels or with them.
        kernel: without channels, an array with as many axes as `x`; with them, (height, width, in, out) or (length,
            in, out).
        padding: zeros on both sides, integer >= 0, or one for each axis.
        stride: pixels from one place to the next, integer >= 1, or one for each axis.
        bias: a number that is added, or an array (out,); None adds nothing.

    Returns:
        A float32 array: for each axis `output_size(...)`, and with channels (..., out).

    Raises:
        ZooError: arrays that do not fit together, or a kernel that is larger than the padded input.

    Example:
        >>> x, kernel = np.arange(9).reshape(3, 3), np.array([[0, 1], [2, 3]])
        >>> cross_correlation(x, kernel).tolist()
        [[19.0, 25.0], [37.0, 43.0]]

        Zeros around the input, and larger steps:

        >>> cross_correlation(x, kernel, padding=1).shape, cross_correlation(x, kernel, padding=1, stride=2).shape
        ((4, 4), (2, 2))

        Two input channels are summed; each output channel has kernels of its own:

        >>> x, kernel = np.stack([x, x + 1], -1), np.stack([kernel, kernel + 1], -1)
        >>> cross_correlation(x, kernel[..., None])[..., 0].tolist()
        [[56.0, 72.0], [104.0, 120.0]]
        >>> three = cross_correlation(x, np.stack([kernel, kernel + 1, kernel + 2], -1))
        >>> three[..., 1].ravel().tolist(), three[..., 2].ravel().tolist()
        ([76.0, 100.0, 148.0, 172.0], [96.0, 128.0, 192.0, 224.0])

        One dimension:

        >>> cross_correlation(np.arange(7), [1, 2]).tolist()
        [2.0, 5.0, 8.0, 11.0, 14.0, 17.0]
        >>> x, kernel = np.arange(7)[:, None] + np.arange(3), np.array([[1, 3, -1], [2, 4, -3]])
        >>> cross_correlation(x, kernel[..., None])[:, 0].tolist()
        [2.0, 8.0, 14.0, 20.0, 26.0, 32.0]

        A kernel of 1 x 1 is a dense layer over the channels of each pixel:

        >>> x, kernel = np.random.rand(5, 4, 3), np.random.rand(3, 2)
        >>> bool(np.allclose(cross_correlation(x, kernel[None, None]), x @ kernel, atol=1e-6))
        True
    """
    x, kernel = _numbers("x", x), _numbers("kernel", kernel)
    channels = kernel.ndim == x.ndim + 1
    axes = x.ndim - channels
    if axes not in (1, 2) or kernel.ndim != x.ndim + channels:
        raise ZooError(
            "x and kernel must both be of one or two axes, or x of one more and kernel of two more, the channels. "
            f"Received: x of shape {x.shape}, kernel of shape {kernel.shape}"
        )
    if not channels:
        x, kernel = x[..., None], kernel[..., None, None]
    if x.shape[-1] != kernel.shape[-2]:
        raise ZooError(
            f"the kernel has {kernel.shape[-2]} input channels and x has {x.shape[-1]}: they must agree. "
            f"Received: x of shape {x.shape}, kernel of shape {kernel.shape}"
        )
    padding, stride = _each("padding", padding, axes, 0), _each("stride", stride, axes, 1)
    for size, window, zeros, step in zip(x.shape, kernel.shape, padding, stride, strict=False):
        output_size(size, window, zeros, step)
    x = np.pad(x, [*((zeros, zeros) for zeros in padding), (0, 0)])
    y = ops.conv(x[None], kernel, strides=stride, padding="valid", data_format="channels_last")[0]
    if bias is not None:
        bias = _numbers("bias", bias)
        fits = bias.shape in ((), (kernel.shape[-1],))
        require(fits, "bias", bias.tolist(), f"a number, or {kernel.shape[-1]} of them")
        y = y + bias
    y = ops.convert_to_numpy(y)
    return y if channels else y[..., 0]


def convolution(x, kernel, padding=0, stride=1, bias=None):
    """Convolution as mathematics has it: cross-correlation with the kernel turned around on each axis.

    A layer that learns its kernel learns the turned one: nothing else differs.

    Args:
        x, kernel, padding, stride, bias: as in `cross_correlation`.

    Returns:
        As `cross_correlation`.

    Raises:
        ZooError: as `cross_correlation`.

    Example:
        >>> x, kernel = np.arange(9).reshape(3, 3), np.array([[0, 1], [2, 3]])
        >>> convolution(x, kernel).tolist()
        [[5.0, 11.0], [23.0, 29.0]]
        >>> convolution([1, 2, 3], [0, 1, 0.5], padding=2).tolist() == np.convolve([1, 2, 3], [0, 1, 0.5]).tolist()
        True
    """
    x, kernel = _numbers("x", x), _numbers("kernel", kernel)
    axes = tuple(range(kernel.ndim - 2 if kernel.ndim > x.ndim else kernel.ndim))
    return cross_correlation(x, np.flip(kernel, axes), padding, stride, bias)


def pool(x, size, kind="max", padding=0, stride=None):
    """Pooling: the largest number in each window, or the mean of the window. Channels stay apart.

    Args:
        x: an image or a signal, without channels or with them.
        size: of the window, integer >= 1 for all axes of an image, or a tuple with one for each axis. A signal with
            channels needs the tuple: `(size,)`.
        kind: "max" or "mean".
        padding: on both sides, integer >= 0, or one for each axis: zeros for the mean, which count; minus infinity for
            the maximum.
        stride: pixels from one window to the next, integer >= 1, or one for each axis; None is `size`: windows side by
            side.

    Returns:
        A float32 array: for each axis `output_size(...)`, and the channels of `x`.

    Raises:
        ZooError: a window that is larger than the padded input, or as wide as the padding or less.

    Example:
        >>> x = np.arange(9).reshape(3, 3)
        >>> pool(x, 2, "max", stride=1).tolist(), pool(x, 2, "mean", stride=1).tolist()
        ([[4.0, 5.0], [7.0, 8.0]], [[2.0, 3.0], [5.0, 6.0]])
        >>> x = np.arange(16).reshape(4, 4)
        >>> pool(x, 3).tolist(), pool(x, 3, padding=1, stride=2).tolist()
        ([[10.0]], [[5.0, 7.0], [13.0, 15.0]])
        >>> pool(x, (2, 3), padding=(0, 1), stride=(2, 3)).tolist()
        [[5.0, 7.0], [13.0, 15.0]]
        >>> pool(np.stack([x, x + 1], -1), 3, padding=1, stride=2)[..., 1].tolist()
        [[6.0, 8.0], [14.0, 16.0]]
    """
    x = _numbers("x", x)
    choose("kind", kind, ("max", "mean"))
    axes = len(size) if isinstance(size, tuple | list) else min(x.ndim, 2)
    if axes not in (1, 2) or x.ndim not in (axes, axes + 1):
        raise ZooError(
            "x must have an axis for each of the window's, one or two, and perhaps one of channels. "
            f"Received: x of shape {x.shape}, size={size!r}"
        )
    size, padding = _each("size", size, axes, 1), _each("padding", padding, axes, 0)
    stride = size if stride is None else _each("stride", stride, axes, 1)
    # A window of nothing but padding has no maximum.
    require(all(p < k for p, k in zip(padding, size, strict=True)), "padding", padding, f"less than the window, {size}")
    for length, window, zeros, step in zip(x.shape, size, padding, stride, strict=False):
        output_size(length, window, zeros, step)
    channels = x.ndim > axes
    x = x if channels else x[..., None]
    border = -np.inf if kind == "max" else 0.0
    x = np.pad(x, [*((p, p) for p in padding), (0, 0)], constant_values=border)
    compute = {"max": ops.max_pool, "mean": ops.average_pool}[kind]
    y = ops.convert_to_numpy(compute(x[None], size, stride, padding="valid", data_format="channels_last")[0])
    return y if channels else y[..., 0]


def output_size(size, kernel, padding=0, stride=1):
    """How many places a window has along one axis: floor((n - k + 2p + s) / s).

    Args:
        size: n, pixels of the input, integer >= 1.
        kernel: k, pixels of the window, integer >= 1.
        padding: p, pixels that are added on each side, integer >= 0.
        stride: s, pixels from one place to the next, integer >= 1.

    Returns:
        An integer >= 1.

    Raises:
        ZooError: a window that is larger than the padded input.

    Example:
        >>> output_size(8, 3, padding=1), output_size(8, 3, padding=1, stride=2), output_size(8, 5, stride=4)
        (8, 4, 1)
        >>> output_size(224, 7, padding=3, stride=2)
        112
    """
    for name, value, least in (
        ("size", size, 1),
        ("kernel", kernel, 1),
        ("padding", padding, 0),
        ("stride", stride, 1),
    ):
        _each(name, value, 1, least)
    works = f"at most {size + 2 * padding}, the padded input"
    require(kernel <= size + 2 * padding, "kernel", kernel, works)
    return (size - kernel + 2 * padding + stride) // stride


def receptive_field(layers):
    """How many pixels of the image one pixel behind a stack of layers sees, along one axis.

    Args:
        layers: a list of `(kernel, stride)` of convolutions and poolings, the first one first.

    Returns:
        An integer >= 1.

    Raises:
        ZooError: something else than pairs of integers >= 1.

    Example:
        Two layers of 3 x 3 see as much as one of 5 x 5, three as much as one of 7 x 7; and C3 of LeNet-5 sees 14
        pixels behind C1 and S2:

        >>> receptive_field([(3, 1)] * 2), receptive_field([(3, 1)] * 3), receptive_field([(5, 1), (2, 2), (5, 1)])
        (5, 7, 14)
    """
    seen, step = 1, 1
    for layer in layers:
        require(isinstance(layer, tuple | list), "each of layers", layer, "a pair (kernel, stride)")
        kernel, stride = _each("each of layers", layer, 2, 1)
        seen += (kernel - 1) * step
        step *= stride
    return seen


def connections(model):
    """The connections of each layer, as LeCun et al. 1998 count them: what is multiplied, and biases.

    A convolution uses each of its parameters at every place. A pooling's window has its pixels, and a bias where it has
    one.

    Args:
        model: a Functional `keras.Model`.

    Returns:
        A dict from layer names to integers, for convolutions, dense layers and poolings over windows.

    Example:
        >>> connections(zoo.build("lenet5"))
        {'c1': 122304, 's2': 5880, 'c3': 151600, 's4': 2000, 'c5': 48120, 'f6': 10164}
    """
    found = {}
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            places = int(np.prod(layer.output.shape[1:-1]))
            found[layer.name] = places * layer.count_params()
        elif hasattr(layer, "pool_size"):
            window = int(np.prod(np.broadcast_to(layer.pool_size, 2)))
            found[layer.name] = int(np.prod(layer.output.shape[1:])) * (window + hasattr(layer, "bias"))
    return found


def _numbers(name, values):
    try:
        return np.asarray(values, "float32")
    except (TypeError, ValueError):
        raise ZooError(f"{name} must be an array of numbers. Received: {name}={values!r}") from None


def _each(name, value, axes, least):
    """One integer for each axis, as a tuple."""
    values = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    whole = all(isinstance(v, int | np.integer) and not isinstance(v, bool) and v >= least for v in values)
    require(
        whole and len(values) == axes,
        name,
        value,
        f"an integer >= {least}" + (f", or {axes} of them" if axes > 1 else ""),
    )
    return tuple(map(int, values))
