"""Action values that are looked up in a table, or linear functions of fixed features of what is observed.

Watkins 1989, Learning from delayed rewards; Sutton, Barto 2018, Reinforcement learning, chapters 6, 9 and 10.
"""

import keras
import numpy as np
from keras import ops

from zoo.errors import choose, require
from zoo.models import _inputs
from zoo.q_features import FourierBasis, Polynomial, RadialBasisFunctions, TileCoding, bounds
from zoo.q_learner import QLearner
from zoo.registry import register

FEATURES = ("tiles", "identity", "polynomial", "rbf", "fourier")
# Feature vectors whose first number is always 1.
WITH_ONE = ("polynomial", "fourier")


@register
def q_table(states=16, actions=4, initial=0.0):
    """A table of action values, a row for each state (Watkins 1989).

        state -> one of 16 -> values of 4 actions           16 * 4 = 64 parameters

    The table is the weights of a linear layer of the state as a one-hot vector: `model.network.get_layer("values")`.

    Args:
        states: integer >= 1; they are numbered from 0.
        actions: integer >= 1; 1 makes it a table of the values of states, for the rule "evaluation".
        initial: finite number, what every action is worth at first. More than can be had makes an agent try every
            action before it settles (Sutton, Barto 2018, section 2.6).

    Returns:
        A `zoo.q_learner.QLearner`: a `keras.Model` from states int32 (n,) to values (n, actions).

    Raises:
        ZooError: a value that is not named above.

    Example:
        >>> import zoo
        >>> model = zoo.build("q_table", states=3, actions=2, initial=0.5)
        >>> model(np.array([2])).numpy().tolist()
        [[0.5, 0.5]]
    """
    _inputs.integer("states", states, 1)
    _inputs.integer("actions", actions, 1)
    _finite(initial)
    state = keras.Input((), dtype="int32", name="observation")
    return _ended(state, ops.one_hot(state, states), actions, keras.initializers.Constant(float(initial)), "q_table")


@register
def q_linear(
    low=(-1.2, -0.07),
    high=(0.6, 0.07),
    actions=3,
    features="tiles",
    tilings=8,
    tiles=8,
    order=3,
    centres=5,
    width=None,
    initial=0.0,
):
    """Action values that are linear in features of the observation (Sutton, Barto 2018, sections 9.4, 9.5 and 10.1).

        2 numbers -> 8 tilings of 9 x 9 tiles, 648 features -> values of 3 actions        648 * 3 = 1 944 parameters

    By default it is the one for the mountain car of example 10.1.

    Args:
        low, high: a finite number for each that is observed: its range, beyond which it is cut off. With "identity"
            only their count matters.
        actions: integer >= 1; 1 makes it a value of states, for the rule "evaluation".
        features: "tiles" (`zoo.q_features.TileCoding`: 0 and 1; divide a learning rate for tables by `tilings`),
            "identity" (the observation itself, without a constant), "polynomial", "rbf" (`RadialBasisFunctions`) or
            "fourier" (`FourierBasis`).
        tilings, tiles: of "tiles": how many, and the tiles that a range is cut into, an integer or one for each number.
        order: of "polynomial" and "fourier", an integer >= 1: (order + 1)**numbers features.
        centres, width: of "rbf": points along a range, or a list of points; and the bells' width as a share of the
            range, None for the distance between neighbours.
        initial: finite number, what every action is worth at first, everywhere. With "identity" and "rbf", which have
            no constant, it is 0.

    Returns:
        A `zoo.q_learner.QLearner`: a `keras.Model` from observations float32 (n, numbers) to values (n, actions).

    Raises:
        ZooError: a value that is not named above, or more than a million features.

    Example:
        >>> import zoo
        >>> zoo.build("q_linear").count_params(), zoo.build("q_linear", features="fourier", order=5).output_shape
        (3890, (None, 3))
    """
    choose("features", features, FEATURES)
    _inputs.integer("actions", actions, 1)
    _finite(initial)
    works = f"0 with features={features!r}, which have no constant"
    require(initial == 0 or features not in ("identity", "rbf"), "initial", initial, works)
    low, high = bounds(low, high)
    observation = keras.Input((len(low),), name="observation")
    layers = {
        "tiles": lambda: TileCoding(low, high, tilings, tiles, name="tiles"),
        "polynomial": lambda: Polynomial(low, high, order, name="polynomial"),
        "fourier": lambda: FourierBasis(low, high, order, name="fourier"),
        "rbf": lambda: RadialBasisFunctions(low, high, centres, width, name="rbf"),
        "identity": lambda: keras.layers.Identity(dtype="float32", name="identity"),
    }
    # One tile of each tiling is 1: their weights add up.
    start = keras.initializers.Constant(float(initial) / tilings if features == "tiles" else 0.0)
    found = layers[features]()(observation)
    model = _ended(observation, found, actions, start, "q_linear")
    if initial and features in WITH_ONE:
        kernel = np.zeros((found.shape[-1], actions))
        kernel[0] = initial
        model.network.get_layer("values").set_weights([kernel])
        model.target.get_layer("values").set_weights([kernel])
    return model


def _ended(observation, x, actions, start, name):
    """The agent whose values are a linear function of features."""
    values = keras.layers.Dense(actions, use_bias=False, kernel_initializer=start, dtype="float32", name="values")(x)
    return QLearner(keras.Model(observation, values, name="network"), name)


def _finite(initial):
    require(_inputs.numbers([initial]) and not isinstance(initial, bool), "initial", initial, "a finite number")
