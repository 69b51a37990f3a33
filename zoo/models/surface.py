"""Surfaces to watch an optimizer on: the only weights are a point, and the output is a function of it.

The functions of the courses, and two of the literature on optimization: Rosenbrock 1960, An automatic method for
finding the greatest or least value of a function, The Computer Journal 3(3); Beale 1958, On an iterative method for
finding a local minimum of a function of more than one variable, Princeton University, technical report 25.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras import ops

from zoo.errors import choose, require
from zoo.registry import register


@dataclass(frozen=True)
class Function:
    """A function of one or two numbers, and what is known of it.

    Args:
        formula: the function in TeX's notation, for pictures.
        value: the function itself, of one tensor or array for each coordinate.
        start: where a walk begins by default.
        box: the part that pictures show: (least, greatest) for each coordinate.
        minima: the local minima in the box, a tuple of points.
        stationary: the other points of the box where the gradient is zero.
        least: the least value there is; None when the function has none.
    """

    formula: str
    value: Callable
    start: tuple
    box: tuple
    minima: tuple = ()
    stationary: tuple = ()
    least: float | None = None

    @property
    def names(self):
        """The names of the coordinates: x1, or x1 and x2."""
        return tuple(f"x{index}" for index in range(1, len(self.start) + 1))


FUNCTIONS = {
    "square": Function("x^2", lambda x: x**2, (10.0,), ((-12.0, 12.0),), minima=((0.0,),), least=0.0),
    "bowl": Function(
        "x_1^2 + 2 x_2^2",
        lambda x1, x2: x1**2 + 2 * x2**2,
        (-5.0, -2.0),
        ((-6.0, 2.0), (-3.0, 3.0)),
        minima=((0.0, 0.0),),
        least=0.0,
    ),
    "valley": Function(
        r"0.1\,x_1^2 + 2 x_2^2",
        lambda x1, x2: 0.1 * x1**2 + 2 * x2**2,
        (-5.0, -2.0),
        ((-6.0, 2.0), (-3.0, 3.0)),
        minima=((0.0, 0.0),),
        least=0.0,
    ),
    "waves": Function(
        r"x \cos(\pi x)",
        lambda x: x * ops.cos(math.pi * x),
        (-1.0,),
        ((-1.5, 2.0),),
        minima=((-0.2738526868008509,), (1.0904082219467213,)),
        stationary=((-1.0904082219467213,), (0.2738526868008509,)),
    ),
    "saddle": Function(
        "x_1^2 - x_2^2",
        lambda x1, x2: x1**2 - x2**2,
        (-2.5, 0.01),
        ((-3.0, 3.0), (-3.0, 3.0)),
        stationary=((0.0, 0.0),),
    ),
    "rosenbrock": Function(
        "(1 - x_1)^2 + 100 (x_2 - x_1^2)^2",
        lambda x1, x2: (1 - x1) ** 2 + 100 * (x2 - x1**2) ** 2,
        (-1.2, 1.0),
        ((-2.0, 2.0), (-1.0, 3.0)),
        minima=((1.0, 1.0),),
        least=0.0,
    ),
    "beale": Function(
        "(1.5 - x_1 + x_1 x_2)^2 + (2.25 - x_1 + x_1 x_2^2)^2 + (2.625 - x_1 + x_1 x_2^3)^2",
        lambda x1, x2: sum((c - x1 + x1 * x2**k) ** 2 for k, c in ((1, 1.5), (2, 2.25), (3, 2.625))),
        (1.0, 1.5),
        ((-1.0, 4.5), (-2.0, 2.0)),
        minima=((3.0, 0.5),),
        stationary=((0.0, 1.0),),
        least=0.0,
    ),
    "cubic": Function("x^3", lambda x: x**3, (1.5,), ((-2.0, 2.0),), stationary=((0.0,),)),
}


@register
def surface(function="rosenbrock", start=None):
    """A point on a surface: its coordinates are the only weights, its height is the output.

        anything -> f(point)        1 or 2 parameters

    Compiled with `zoo.losses.Value`, whose loss is the output itself, a step of `Model.fit` is a step of the optimizer
    on the surface: paths of optimizers come from the same code that trains networks.

    Args:
        function: square (x²), bowl (x1² + 2 x2²), valley (0.1 x1² + 2 x2²), waves (x cos(πx)), saddle (x1² - x2²),
            rosenbrock, beale, or cubic (x³, whose stationary point is no extremum).
        start: the coordinates of the first point, finite: one number for square, waves and cubic, two for the others;
            by default the function's own of `FUNCTIONS`.

    Returns:
        A `keras.Model` from an input (batch, 1), of which only the batch's size matters, to f(point) (batch, 1). It
        computes in `keras.config.floatx()` under every precision policy.

    Raises:
        ZooError: a function that is not named above, or a start that is not a point for it.

    Example:
        >>> import zoo
        >>> model = zoo.build("surface", function="square", start=10)
        >>> model(np.zeros((2, 1))).numpy().tolist()
        [[100.0], [100.0]]
    """
    choose("function", function, FUNCTIONS)
    known = FUNCTIONS[function]
    point = (start,) if isinstance(start, int | float) else known.start if start is None else start
    fits = isinstance(point, list | tuple) and len(point) == len(known.start) and all(map(_finite, point))
    works = f"{len(known.start)} finite numbers, such as {known.start}" if len(known.start) > 1 else "a finite number"
    require(fits, "start", start, f"{works}, for function={function!r}")
    inputs = keras.Input((1,), name="anything")
    outputs = Point(function, point, dtype=keras.config.floatx(), name="point")(inputs)
    return keras.Model(inputs, outputs, name="surface")


def _finite(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@keras.saving.register_keras_serializable("zoo")
class Point(keras.layers.Layer):
    """A function of a point, the point being the layer's only weight.

    Args:
        function: a name of `FUNCTIONS`.
        start: the point's first coordinates.
        **kwargs: those of `keras.layers.Layer`.

    Input is any tensor `(batch, ...)`, which is not looked at; output is the function's value `(batch, 1)`.

    Example:
        >>> layer = Point("bowl", (3, 1))
        >>> float(layer(np.zeros((1, 1)))[0, 0]), layer.count_params()
        (11.0, 2)
    """

    def __init__(self, function, start, **kwargs):
        super().__init__(**kwargs)
        self.function = function
        self.start = [float(value) for value in start]

    def build(self, input_shape):
        # Keras' Constant would pass through float32 on the way to float64.
        self.point = self.add_weight(
            name="point",
            shape=(len(self.start),),
            initializer=lambda shape, dtype: ops.convert_to_tensor(self.start, dtype=dtype),
        )

    def call(self, inputs):
        coordinates = ops.unstack(ops.convert_to_tensor(self.point))  # of a variable, unstack fails on JAX
        value = FUNCTIONS[self.function].value(*coordinates)
        return ops.broadcast_to(value, (ops.shape(inputs)[0], 1))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 1)

    def get_config(self):
        return {**super().get_config(), "function": self.function, "start": self.start}


class Trace(keras.callbacks.Callback):
    """Logs where the point of a `surface` is after each epoch, as `x1` and `x2`: the path is in the history.

    The loss of the same row is the height before the last step of the epoch, as of every model: it is computed before
    the weights are changed.

    Example:
        >>> import zoo
        >>> from zoo.losses import Value
        >>> model = zoo.build("surface", function="square", start=10)
        >>> model.compile(keras.optimizers.SGD(0.25), Value())
        >>> one = np.zeros((1, 1))
        >>> history = model.fit(one, one, epochs=2, callbacks=[Trace()], verbose=0).history
        >>> history["x1"], history["loss"]
        ([5.0, 2.5], [100.0, 25.0])
    """

    def on_epoch_end(self, epoch, logs=None):
        point = ops.convert_to_numpy(self.model.get_layer("point").point)
        if logs is not None:
            logs.update({f"x{index}": float(value) for index, value in enumerate(point, start=1)})
