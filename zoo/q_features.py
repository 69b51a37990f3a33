"""Layers that turn an observation into fixed features, of which action values are linear functions.

Sutton, Barto 2018, Reinforcement learning, section 9.5: polynomials, Fourier basis, tile coding, radial bases.
"""

import itertools
import math

import keras
import numpy as np
from keras import ops

from zoo.errors import ZooError, require

# More would take gigabytes for a batch.
LARGEST = 1_000_000
# A share of a tile by which observations are moved up. Those that environments start from (0, the middle, a wall) often
# lie on the edge of a tile, where float32 falls on either side of it, from one runtime to the next.
NUDGE = 1e-4


class _Bounded(keras.layers.Layer):
    """What the layers share: observations as shares of their range, 0..1, beyond which they are cut off."""

    def __init__(self, low, high, **kwargs):
        # 0 and 1 need no precision, what they are computed from does.
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.low, self.high = bounds(low, high)

    @property
    def dimensions(self):
        return len(self.low)

    def build(self, input_shape):
        works = f"(n, {self.dimensions}), as many numbers as low and high have"
        require(tuple(input_shape[1:]) == (self.dimensions,), "the shape of observations", tuple(input_shape), works)

    def shares(self, inputs):
        low, high = (np.array(each, "float32") for each in (self.low, self.high))
        return ops.clip((ops.cast(inputs, "float32") - low) / (high - low), 0.0, 1.0)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.features)

    def get_config(self):
        return {**super().get_config(), "low": list(self.low), "high": list(self.high)}


@keras.saving.register_keras_serializable("zoo")
class TileCoding(_Bounded):
    """Grids of tiles that lie askew over each other; of each grid the tile that the observation falls into is 1.

    Sutton, Barto 2018, section 9.5.4. Each grid is moved against the one before by (1, 3, 5, ...) / tilings of a tile,
    along the first, second, third ... number of the observation, so that no direction is preferred. A grid has one tile
    more than its range is cut into, for the part that it sticks out. As many features are 1 as there are tilings: that
    many weights are moved by a step, and a learning rate for tables is to be divided by it.

    Args:
        low, high: the range of each number of an observation.
        tilings: integer >= 1; section 9.5.4 advises a power of 2 of at least four times the numbers of an observation.
        tiles: tiles that a range is cut into, an integer >= 1 or one for each number of an observation.
        **kwargs: those of `keras.layers.Layer`; it computes in float32 under every precision policy.

    Input is `(n, numbers)`; output is `(n, features)` of 0 and 1, float32, the features of a tiling side by side.

    Raises:
        ZooError: a value that is not named above, or more than a million features.

    Example:
        >>> layer = TileCoding([0.0], [1.0], tilings=2, tiles=2)
        >>> layer(np.array([[0.3], [0.6]])).numpy().astype(int).tolist()
        [[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 1, 0]]
    """

    def __init__(self, low, high, tilings=8, tiles=8, **kwargs):
        super().__init__(low, high, **kwargs)
        require(_whole(tilings, 1), "tilings", tilings, "an integer >= 1")
        each = [tiles] * self.dimensions if isinstance(tiles, int) else tiles
        fits = isinstance(each, list | tuple) and len(each) == self.dimensions and all(_whole(one, 1) for one in each)
        require(fits, "tiles", tiles, f"an integer >= 1, or {self.dimensions} of them")
        self.tilings, self.tiles = tilings, list(each)
        self.cells = math.prod(one + 1 for one in self.tiles)
        self.features = _few_enough(tilings * self.cells, "a smaller `tiles`, or one for each number of an observation")

    def call(self, inputs):
        tiles = np.array(self.tiles, "float32")
        # What lies on the upper bound belongs to the last tile.
        place = ops.clip(self.shares(inputs) * tiles + NUDGE, 0.0, np.nextafter(tiles, np.float32(0)))
        odd = np.arange(self.dimensions) * 2 + 1
        shifts = (np.arange(self.tilings)[:, None] * odd % self.tilings / self.tilings).astype("float32")
        index = ops.cast(ops.floor(ops.expand_dims(place, 1) + shifts), "int32")
        # Row-major: the last number of an observation runs fastest.
        steps = np.cumprod([1, *(one + 1 for one in self.tiles[:0:-1])])[::-1].astype("int32")
        active = ops.one_hot(ops.sum(index * steps, axis=-1), self.cells, dtype="float32")
        return ops.reshape(active, (-1, self.features))

    def get_config(self):
        return {**super().get_config(), "tilings": self.tilings, "tiles": self.tiles}


class _Powers(_Bounded):
    """A feature for each combination of exponents or frequencies 0..order, the last number's running fastest."""

    def __init__(self, low, high, order=3, **kwargs):
        super().__init__(low, high, **kwargs)
        require(_whole(order, 1), "order", order, "an integer >= 1")
        self.order = order
        self.features = _few_enough((order + 1) ** self.dimensions, "a smaller `order`")

    def get_config(self):
        return {**super().get_config(), "order": self.order}


@keras.saving.register_keras_serializable("zoo")
class Polynomial(_Powers):
    """Products of powers of what is observed, each number as a share 0..1 of its range.

        x_i(s) = s_1^c_i1 s_2^c_i2 ..., each exponent 0..order            (Sutton, Barto 2018, equation 9.17)

    Args:
        low, high: the range of each number of an observation.
        order: integer >= 1.
        **kwargs: those of `keras.layers.Layer`; it computes in float32 under every precision policy.

    Input is `(n, numbers)`; output is `(n, (order + 1)**numbers)`, float32. The first feature is 1.

    Raises:
        ZooError: a value that is not named above, or more than a million features.

    Example:
        >>> Polynomial([0.0, 0.0], [1.0, 2.0], order=1)(np.array([[0.5, 0.5]])).numpy().tolist()
        [[1.0, 0.25, 0.5, 0.125]]
    """

    def call(self, inputs):
        share, found = self.shares(inputs), None
        # Products one by one: a power of 0 has no derivative that every runtime agrees on.
        for place in range(self.dimensions):
            powers = [ops.ones_like(share[:, place])]
            for _ in range(self.order):
                powers.append(powers[-1] * share[:, place])
            powers = ops.stack(powers, axis=-1)
            found = powers if found is None else _outer(found, powers)
        return found


@keras.saving.register_keras_serializable("zoo")
class FourierBasis(_Powers):
    """Cosines over the range of what is observed.

        x_i(s) = cos(pi c_i . s), each frequency 0..order, each number of s a share 0..1 of its range

    Konidaris, Osentoski, Thomas 2011, Value function approximation in reinforcement learning using the Fourier basis,
    equation 4; Sutton, Barto 2018, equation 9.18.

    Args:
        low, high: the range of each number of an observation.
        order: integer >= 1.
        **kwargs: those of `keras.layers.Layer`; it computes in float32 under every precision policy.

    Input is `(n, numbers)`; output is `(n, (order + 1)**numbers)`, float32. The first feature is 1.

    Raises:
        ZooError: a value that is not named above, or more than a million features.

    Differences from the paper:
        - Every weight learns at the same rate; the paper divides that of feature i by the length of c_i.

    Example:
        >>> FourierBasis([0.0], [2.0], order=2)(np.array([[2.0]])).numpy().tolist()
        [[1.0, -1.0, 1.0]]
    """

    def build(self, input_shape):
        super().build(input_shape)
        combinations = list(itertools.product(range(self.order + 1), repeat=self.dimensions))
        self._frequencies = (math.pi * np.array(combinations).T).astype("float32")

    def call(self, inputs):
        return ops.cos(ops.matmul(self.shares(inputs), self._frequencies))


@keras.saving.register_keras_serializable("zoo")
class RadialBasisFunctions(_Bounded):
    """Bells around centres, by the distance from them.

        x_i(s) = exp(-|s - c_i|^2 / (2 width^2)), each number of s and c_i a share 0..1 of its range

    Sutton, Barto 2018, section 9.5.5.

    Args:
        low, high: the range of each number of an observation.
        centres: an integer >= 2: a grid of that many along each number of an observation, the first and the last on its
            bounds. Or a list of points, in the units of observations.
        width: number > 0, as a share of the range; None is the distance between two neighbours on the grid, and is not
            for a list of points.
        **kwargs: those of `keras.layers.Layer`; it computes in float32 under every precision policy.

    Input is `(n, numbers)`; output is `(n, centres)`, float32.

    Raises:
        ZooError: a value that is not named above, or more than a million features.

    Example:
        >>> RadialBasisFunctions([0.0], [4.0], centres=3, width=0.25)(np.array([[2.0]])).numpy().round(3)
        array([[0.135, 1.   , 0.135]], dtype=float32)
    """

    def __init__(self, low, high, centres=5, width=None, **kwargs):
        super().__init__(low, high, **kwargs)
        works = f"an integer >= 2, or a list of points of {self.dimensions} numbers"
        grid = _whole(centres, 2)
        points = not grid and isinstance(centres, list | tuple) and len(centres) > 0
        points = points and all(_numbers(point) and len(point) == self.dimensions for point in centres)
        require(grid or points, "centres", centres, works)
        wide = _numbers([width]) and width > 0 if width is not None else grid
        require(wide, "width", width, "a number > 0" + (", or None" if grid else " where centres is a list of points"))
        self.centres = centres if grid else [list(point) for point in centres]
        self.width = width
        self.features = _few_enough(centres**self.dimensions if grid else len(centres), "fewer `centres`")

    def build(self, input_shape):
        super().build(input_shape)
        if isinstance(self.centres, int):
            line = np.linspace(0, 1, self.centres)
            points = np.array(list(itertools.product(line, repeat=self.dimensions)))
        else:
            low, high = np.array(self.low), np.array(self.high)
            points = (np.array(self.centres) - low) / (high - low)
        self._points = points.astype("float32")

    def call(self, inputs):
        width = 1 / (self.centres - 1) if self.width is None else self.width
        apart = ops.expand_dims(self.shares(inputs), 1) - self._points
        return ops.exp(ops.sum(ops.square(apart), axis=-1) * np.float32(-0.5 / width**2))

    def get_config(self):
        return {**super().get_config(), "centres": self.centres, "width": self.width}


def bounds(low, high):
    """The range of observations, checked.

    Args:
        low, high: a finite number for each number of an observation.

    Returns:
        Two tuples of floats.

    Raises:
        ZooError: anything else, or a low that is not below its high.

    Example:
        >>> bounds([0, -1], [1, 1])
        ((0.0, -1.0), (1.0, 1.0))
    """
    for name, values in (("low", low), ("high", high)):
        require(_numbers(values) and values, name, values, "a list of finite numbers, one for each that is observed")
    require(len(low) == len(high), "high", high, f"of {len(low)} numbers, as low is")
    for place, (least, most) in enumerate(zip(low, high, strict=True)):
        require(least < most, f"high[{place}]", most, f"above low[{place}]={least!r}")
    return tuple(map(float, low)), tuple(map(float, high))


def _outer(rows, columns):
    """All products of a number of the one and a number of the other, for each example."""
    found = ops.expand_dims(rows, -1) * ops.expand_dims(columns, 1)
    return ops.reshape(found, (-1, rows.shape[-1] * columns.shape[-1]))


def _few_enough(features, works):
    if features > LARGEST:
        raise ZooError(f"{features:,} features are too many: {LARGEST:,} at most. Give {works}")
    return features


def _whole(value, least):
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _numbers(values):
    real = isinstance(values, list | tuple) and all(isinstance(value, int | float) for value in values)
    return real and all(math.isfinite(value) for value in values)
