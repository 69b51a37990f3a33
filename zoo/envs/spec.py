"""What is known of an environment without playing it."""

import functools
from dataclasses import dataclass

import gymnasium
import numpy as np

from zoo.envs import making
from zoo.envs.names import parse

# Of environments that do not say it themselves, by the name of their class.
ACTION_NAMES = {
    "CartPoleEnv": ("left", "right"),
    "MountainCarEnv": ("left", "none", "right"),
    "AcrobotEnv": ("-1", "0", "+1"),
    "FrozenLakeEnv": ("left", "down", "right", "up"),
    "CliffWalkingEnv": ("up", "right", "down", "left"),
    "TaxiEnv": ("south", "north", "east", "west", "pickup", "dropoff"),
    "LunarLander": ("none", "left engine", "main engine", "right engine"),
    "FlappyBirdEnv": ("none", "flap"),
}
# Where an episode ends, and speeds that are hardly exceeded before; the space itself is unbounded.
BOUNDS = {"CartPoleEnv": (2.4, 3.0, 0.2095, 3.5)}


@dataclass(frozen=True)
class Spec:
    """What is known of an environment.

    Args:
        env: its name with options, as it was asked for.
        id: gymnasium's id.
        actions: number of actions, counted from 0.
        action_names: their names, one a string.
        states: number of states where they are counted (`Discrete`); None where observations are arrays.
        shape: of an observation; () where states are counted.
        dtype: of an observation: "int32" where states are counted, else "float32" or "uint8".
        low, high: finite bounds of the numbers of an observation that is one row of them, in practice where the space
            is unbounded; None where they are not known, and for counted states and pictures.
        limit: steps after which an episode is cut.
    """

    env: str
    id: str
    actions: int
    action_names: tuple
    states: int | None
    shape: tuple
    dtype: str
    low: tuple | None
    high: tuple | None
    limit: int


def describe(env):
    """What is known of an environment.

    Args:
        env: its name, as for `make`.

    Returns:
        A `Spec`, made once for each name.

    Raises:
        ZooError: as `make`.

    Example:
        >>> describe("FrozenLake-v1").action_names
        ('left', 'down', 'right', 'up')
        >>> describe("CartPole-v1").high
        (2.4, 3.0, 0.2095, 3.5)
    """
    parse(env)
    return _describe(env)


@functools.cache
def _describe(env):
    made = making.make(env)
    try:
        return _read(env, made)
    finally:
        made.close()


def _read(env, made):
    space, inner = made.observation_space, made.unwrapped
    counted = isinstance(space, gymnasium.spaces.Discrete)
    low, high = (None, None) if counted else _bounds(space, type(inner).__name__)
    return Spec(
        env=env,
        id=inner.spec.id,
        actions=int(made.action_space.n),
        action_names=_names(inner, int(made.action_space.n)),
        states=int(space.n) if counted else None,
        shape=() if counted else tuple(map(int, space.shape)),
        dtype="int32" if counted else space.dtype.name,
        low=low,
        high=high,
        limit=limit_of(made),
    )


def limit_of(made):
    """Steps after which a made environment cuts an episode: the strictest of its limits."""
    limits = []
    while isinstance(made, gymnasium.Wrapper):
        if isinstance(made, gymnasium.wrappers.TimeLimit):
            limits.append(made._max_episode_steps)
        made = made.env
    return int(min(limits))


def _names(inner, actions):
    names = getattr(inner, "action_names", None) or ACTION_NAMES.get(type(inner).__name__)
    if names is None and hasattr(inner, "get_action_meanings"):
        names = inner.get_action_meanings()
    if names is None or len(names) != actions:
        names = range(actions)
    return tuple(map(str, names))


def _bounds(space, name):
    if len(space.shape) != 1:
        return None, None
    low, high = space.low, space.high
    if name in BOUNDS and len(BOUNDS[name]) == len(low):
        high = np.array(BOUNDS[name])
        low = -high
    # Some spaces say "unbounded" with the largest number there is.
    if not np.all(np.maximum(np.abs(low), np.abs(high)) < 1e30):
        return None, None
    return tuple(map(float, low)), tuple(map(float, high))
