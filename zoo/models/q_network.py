"""Deep Q-networks: for vectors, for frames, and with separate streams for state and action.

Mnih et al. 2015, Human-level control through deep reinforcement learning, Nature 518; Wang et al. 2016, Dueling network
architectures for deep reinforcement learning, arXiv:1511.06581.
"""

import keras
from keras import ops

from zoo.errors import choose, require
from zoo.models import _inputs
from zoo.q_learner import QLearner
from zoo.registry import register

ACTIVATIONS = ("relu", "tanh", "sigmoid", "elu", "softplus")
# Filters, sides and strides of the convolutions of Mnih et al. 2015, and the smallest frame that they leave a pixel of.
CONVOLUTIONS = ((32, 8, 4), (64, 4, 2), (64, 3, 1))
SMALLEST = 36


@register
def dqn(observation_shape=(4,), actions=2, hidden=(64, 64), activation="relu"):
    """A deep Q-network for vectors: dense layers to a value for each action (Mnih et al. 2015).

        4 numbers -> dense 64 -> dense 64 -> values of 2 actions
        parameters   320         4 160       130                   (4 610)

    Args:
        observation_shape: (numbers,) of an observation, an integer >= 1.
        actions: integer >= 1; 1 makes it a value of states, for the rule "evaluation".
        hidden: widths of the dense layers, integers >= 1; () is a linear function with a bias.
        activation: of the dense layers: "relu", "tanh", "sigmoid", "elu" or "softplus".

    Returns:
        A `zoo.q_learner.QLearner`: a `keras.Model` from observations float32 (n, numbers) to values (n, actions).

    Raises:
        ZooError: a value that is not named above.

    Differences from the paper:
        - It is for vectors; `nature_dqn` is the paper's network.

    Example:
        >>> import zoo
        >>> zoo.build("dqn", observation_shape=(6,), actions=3, hidden=(32,)).count_params()
        648
    """
    shape = _vector(observation_shape)
    _inputs.integer("actions", actions, 1)
    _check(activation, hidden)
    observation = x = keras.Input(shape, name="observation")
    return _agent(observation, _values(_dense(x, hidden, activation), actions), "dqn")


@register
def nature_dqn(observation_shape=(84, 84, 4), actions=6, hidden=512):
    """The network of Mnih et al. 2015 for frames of a game: three convolutions and a dense layer.

        84x84x4 -> conv 32, 8x8 / 4 -> conv 64, 4x4 / 2 -> conv 64, 3x3 -> dense 512 -> values of 6 actions
        parameters 8 224               32 832              36 928          1 606 144    513 for each action

    Args:
        observation_shape: (height, width, frames) of raw pixels 0..255, sides of 36 or more. Colour goes with the
            frames: three of them in colour are nine.
        actions: integer >= 1; 1 makes it a value of states, for the rule "evaluation".
        hidden: integer >= 1, width of the dense layer.

    Returns:
        A `zoo.q_learner.QLearner`: a `keras.Model` from frames uint8 (n, height, width, frames) to values (n, actions).

    Raises:
        ZooError: a value that is not named above.

    Differences from the paper:
        - Weights start by Glorot's rule, biases at 0; those of the authors' code are uniform within one over the root
          of a unit's inputs.

    Example:
        >>> import zoo
        >>> zoo.build("nature_dqn", observation_shape=(36, 36, 1), hidden=8).output_shape
        (None, 6)
    """
    observation, x = _frames(observation_shape)
    _inputs.integer("actions", actions, 1)
    _inputs.integer("hidden", hidden, 1)
    x = keras.layers.Dense(hidden, "relu", name="dense1")(_convolved(x))
    return _agent(observation, _values(x, actions), "nature_dqn")


@register
def dueling_dqn(observation_shape=(4,), actions=2, hidden=None, stream=None, activation="relu"):
    """A network with two streams: what the state is worth, and by how much each action is better (Wang et al. 2016).

        4 numbers -> dense 64 -> dense 64 -> value V            (320 + 4 160 + 65 parameters)
                              -> dense 64 -> 2 advantages A           (4 160 + 130)
        Q(s, a) = V(s) + A(s, a) - mean of A(s, .) over the actions                            (equation 9)

    Args:
        observation_shape: (numbers,) of a vector; or (height, width, frames) of raw pixels 0..255, sides of 36 or more,
            which go through the convolutions of `nature_dqn` first.
        actions: integer >= 2.
        hidden: widths of the dense layers that both streams share, integers >= 1. None is (64,) for vectors and () for
            frames, as in the paper.
        stream: integer >= 1, width of the dense layer of each stream. None is 64 for vectors and 512 for frames.
        activation: of the dense layers: "relu", "tanh", "sigmoid", "elu" or "softplus".

    Returns:
        A `zoo.q_learner.QLearner`: a `keras.Model` from observations, float32 vectors or uint8 frames, to values
        (n, actions).

    Raises:
        ZooError: a value that is not named above.

    Differences from the paper:
        - Gradients into the last shared layer are not divided by the root of 2.

    Example:
        >>> import zoo
        >>> zoo.build("dueling_dqn").output_shape, zoo.build("dueling_dqn", observation_shape=(36, 36, 1)).output_shape
        ((None, 2), (None, 2))
    """
    images = isinstance(observation_shape, list | tuple) and len(observation_shape) == 3
    if images:
        observation, x = _frames(observation_shape)
    else:
        observation = x = keras.Input(_vector(observation_shape, "(numbers,) or (height, width, frames)"))
    _inputs.integer("actions", actions, 2)
    hidden = (() if images else (64,)) if hidden is None else hidden
    stream = _inputs.integer("stream", (512 if images else 64) if stream is None else stream, 1)
    _check(activation, hidden)
    x = _dense(_convolved(x) if images else x, hidden, activation)
    parts = []
    for name, count in (("value", 1), ("advantage", actions)):
        part = keras.layers.Dense(stream, activation, name=f"{name}_stream")(x)
        parts.append(keras.layers.Dense(count, dtype="float32", name=name)(part))
    value, advantage = parts
    return _agent(observation, value + (advantage - ops.mean(advantage, axis=-1, keepdims=True)), "dueling_dqn")


def _vector(observation_shape, works="(numbers,)"):
    """The shape of a vector, checked."""
    fits = isinstance(observation_shape, list | tuple) and len(observation_shape) == 1
    require(fits, "observation_shape", observation_shape, f"{works}, integers >= 1")
    return _inputs.shape(observation_shape, vectors=True, name="observation_shape")


def _frames(observation_shape):
    """The input for frames, and them scaled to 0..1."""
    shape = _inputs.shape(observation_shape, name="observation_shape")
    works = f"(height, width, frames), sides of {SMALLEST} or more, such as (84, 84, 4)"
    require(min(shape[:2]) >= SMALLEST, "observation_shape", observation_shape, works)
    observation = keras.Input(shape, dtype="uint8", name="observation")
    return observation, _inputs.scaled(observation)


def _convolved(x):
    """Scaled frames, through the convolutions of Mnih et al. 2015, as a vector."""
    for index, (filters, kernel, stride) in enumerate(CONVOLUTIONS, start=1):
        x = keras.layers.Conv2D(filters, kernel, stride, activation="relu", name=f"convolution{index}")(x)
    return keras.layers.Flatten(name="flatten")(x)


def _check(activation, hidden):
    choose("activation", activation, ACTIVATIONS)
    require(isinstance(hidden, list | tuple), "hidden", hidden, "a list of widths, such as (64, 64)")
    for width in hidden:
        _inputs.integer("each width in hidden", width, 1)


def _dense(x, hidden, activation):
    for index, width in enumerate(hidden, start=1):
        x = keras.layers.Dense(width, activation, name=f"dense{index}")(x)
    return x


def _values(x, actions):
    return keras.layers.Dense(actions, dtype="float32", name="values")(x)


def _agent(observation, values, name):
    return QLearner(keras.Model(observation, values, name="network"), name)
