"""Segmentation of images of any size, tile by tile, with no seams: the overlap-tile strategy.

Ronneberger, Fischer, Brox 2015, U-Net: convolutional networks for biomedical image segmentation, section 2, figure 2.
"""

import itertools

import keras
import numpy as np

from zoo._tile_geometry import geometry, one, up
from zoo.data.windows import mirrored as mirrored_places
from zoo.errors import require

# Pixels that go through the network at once: at width 64 a map and what is set beside it take half a kilobyte for each.
PIXELS = 2**18


def margin(model):
    """How much image around a tile a segmentation network needs.

    Args:
        model: a Functional `keras.Model` from images to a map of logits: convolutions at stride 1, pooling, transposed
            convolutions, upsampling, cropping, and layers that look at one pixel at a time.

    Returns:
        Pixels on each side. Without padding it is what the network takes off; with padding how far its logits see,
        rounded up to a multiple of what its poolings shrink the image by.

    Raises:
        ZooError: a layer of which it is not known how far it sees.

    Example:
        >>> import zoo
        >>> margin(zoo.build("unet", width=1)), margin(zoo.build("unet_same", width=1))
        (92, 96)
    """
    return geometry(model).margin


def any_size(model):
    """The same network for images of any height and width, with a copy of the weights.

    What it is given must still be of a size that its poolings halve without a rest; `segment` sees to that.

    Args:
        model: a Functional `keras.Model` of images.

    Returns:
        A `keras.Model` with input (batch, None, None, channels), not compiled; the model itself when it is one.

    Raises:
        ZooError: a model that does not take images.

    Example:
        >>> import zoo
        >>> any_size(zoo.build("unet", width=1)).output_shape
        (None, None, None, 2)
    """
    shape = tuple(one(model, model.inputs).shape)
    if shape[1:3] == (None, None):
        return model
    config = model.get_config()
    for layer in config["layers"]:
        if layer["class_name"] == "InputLayer":
            layer["config"]["batch_shape"] = (None, None, None, shape[-1])
    copy = type(model).from_config(config)
    copy.set_weights(model.get_weights())
    return copy


def segment(model, images, tile=None, symmetries=False):
    """Probabilities for every pixel of images of any size.

    The image is covered with square tiles. For each the network is given a window that reaches `margin(model)` pixels
    beyond it, taken from the image and, beyond its border, from its mirror image. So each pixel is computed from all
    that the network can see of it, whichever tile it lies in, and the size of the tiles does not change the result.
    Padded networks therefore never see zeros here: near the border their answers differ from `model.predict`.

    Args:
        model: as in `margin`, with logits (batch, height', width', classes).
        images: raw pixels 0..255, (n, height, width, channels), of any height and width.
        tile: integer >= 1, the height and width of the tiles, rounded up to a multiple of what the poolings shrink the
            image by, and no larger than the image needs. By default 256; for an unpadded model of a fixed size that of
            its output, so that it is used as it is. Time is proportional to ((tile + 2 margin) / tile)**2, memory to
            (tile + 2 margin)**2.

        symmetries: whether the answer is the mean over the eight symmetries of a square, each image being turned and
            mirrored, segmented, and turned back. The paper averages over seven rotations (section 4). It takes eight
            times as long.

    Returns:
        float32 array (n, height, width, classes): a softmax over the logits, or the sigmoid of a single one.

    Raises:
        ZooError: images of another kind, or a network that cannot be tiled.

    Example:
        >>> import zoo
        >>> model = zoo.build("unet_same", width=2, depth=2)
        >>> segment(model, np.zeros((1, 37, 50, 1), "uint8")).shape
        (1, 37, 50, 2)
    """
    images, sees = _checked(model, images), geometry(model)
    if symmetries:
        total = 0.0
        for turns, mirror in itertools.product(range(4), (1, -1)):
            moved = np.rot90(images[:, :, ::mirror], turns, (1, 2))
            total = total + np.rot90(segment(model, moved, tile), -turns, (1, 2))[:, :, ::mirror]
        return total / np.float32(8)
    sizes = images.shape[1:3]
    tiles = [
        min(up(side, sees.multiple), up(size, sees.multiple))
        for side, size in zip(_tile(model, sees, tile), sizes, strict=True)
    ]
    windows = [side + sees.span for side in tiles]
    fits = all(own in (None, side) for own, side in zip(model.input_shape[1:3], windows, strict=True))
    network = model if fits else any_size(model)

    grid = [-(-size // side) for size, side in zip(sizes, tiles, strict=True)]
    answers = np.empty((len(images), grid[0] * tiles[0], grid[1] * tiles[1], model.output_shape[-1]), np.float32)
    # The rows, and the columns, of each window, and where its tile begins in the answers.
    indices = [
        [(i * side, mirrored(i * side - sees.margin, window, size)) for i in range(count)]
        for count, side, window, size in zip(grid, tiles, windows, sizes, strict=True)
    ]
    places = list(itertools.product(range(len(images)), *indices))
    at_once = max(1, PIXELS // (windows[0] * windows[1]))
    kept = [slice(sees.offset, sees.offset + side) for side in tiles]
    for first in range(0, len(places), at_once):
        some = places[first : first + at_once]
        batch = np.stack([images[index][np.ix_(rows, columns)] for index, (_, rows), (_, columns) in some])
        for (index, (top, _), (left, _)), found in zip(some, _probabilities(network, batch), strict=True):
            answers[index, top : top + tiles[0], left : left + tiles[1]] = found[kept[0], kept[1]]
    return answers[:, : sizes[0], : sizes[1]]


def predicted(probabilities):
    """The likeliest class of each pixel: with a single probability, that of class 1, the class 0 or 1.

    Example:
        >>> predicted(np.array([[[0.2, 0.8], [0.9, 0.1]]])).tolist(), predicted(np.array([[[0.7]]])).tolist()
        ([[1, 0]], [[1]])
    """
    return probabilities.argmax(-1) if probabilities.shape[-1] > 1 else (probabilities[..., 0] >= 0.5).astype(int)


def _checked(model, images):
    images, channels = np.asarray(images), one(model, model.inputs).shape[-1]
    fits = images.ndim == 4 and images.shape[-1] == channels and images.size and images.dtype.kind in "biuf"
    works = f"raw pixels (n, height, width, {channels}) with n, height and width >= 1"
    require(fits, "images", f"{images.dtype} {images.shape}", works)
    return images


def _tile(model, sees, tile):
    """Height and width of the tiles that are asked for."""
    if tile is not None:
        fits = isinstance(tile, int) and not isinstance(tile, bool) and tile >= 1
        require(fits, "tile", tile, "an integer >= 1, or None")
        return tile, tile
    # Without padding a network of fixed size gives whole tiles as it is: no copy is needed.
    own = [(side or 0) // sees.multiple * sees.multiple for side in model.output_shape[1:3]]
    return own if min(own) and not sees.offset else (256, 256)


def _probabilities(network, batch):
    logits = keras.ops.cast(network(batch, training=False), "float32")
    found = keras.ops.sigmoid(logits) if logits.shape[-1] == 1 else keras.ops.softmax(logits)
    return keras.ops.convert_to_numpy(found)


def mirrored(start, count, size):
    """Indices into `size` pixels from `start` on, going back and forth between the first and the last pixel.

    Example:
        >>> mirrored(-2, 8, 4).tolist()
        [2, 1, 0, 1, 2, 3, 2, 1]
    """
    return mirrored_places(np.arange(start, start + count), size, 1, reach=size)
