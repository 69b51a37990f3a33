"""Environments by name: gymnasium's, small ones of the course, Atari, and tensor twins of those that allow it.

Importing it imports gymnasium, and neither TensorFlow nor Keras.
"""

from zoo.envs.making import make, make_single, make_vector
from zoo.envs.spec import Spec, describe
from zoo.errors import ZooError, choose

ENGINES = ("auto", "gymnasium", "tensor")

__all__ = ["Spec", "describe", "make", "make_single", "make_vector", "tensor", "twin"]


def tensor(env):
    """The twin of an environment in tensor operations, for acting within the graph.

    There is one for each environment with a table of transitions `P` (gymnasium's FrozenLake, CliffWalking and Taxi,
    the zoo's corridor, walks, robot and Baird's star), for CartPole, MountainCar, Acrobot, and the zoo's bandit.

    Args:
        env: its name, as for `make`.

    Returns:
        A `zoo.envs.tensor_environment.TensorEnvironment`, or None where there is none.

    Raises:
        ZooError: as `make`.

    Example:
        >>> import numpy as np
        >>> corridor = tensor("zoo/Corridor-v0")
        >>> state, reward, terminated = corridor.step(np.array([0, 4]), np.array([1, 1]), np.zeros((2, 0)))
        >>> np.array(state), np.array(reward), np.array(terminated)
        (array([1, 5], dtype=int32), array([0., 1.], dtype=float32), array([False,  True]))
        >>> tensor("Taxi-v4?fickle_passenger=true") is None
        True
    """
    from zoo.envs import tensors

    return tensors.tensor(env)


def twin(env, engine="tensor"):
    """What acts for an environment: its twin in tensor operations, or nothing where it acts itself.

    Args:
        env: its name, as for `make`.
        engine: "tensor", "gymnasium", or "auto" for the twin where there is one.

    Returns:
        What `tensor` returns; None for "gymnasium".

    Raises:
        ZooError: another engine, or no twin for "tensor".
    """
    choose("engine", engine, ENGINES)
    found = None if engine == "gymnasium" else tensor(env)
    if found is None and engine == "tensor":
        raise ZooError(f"there is no twin of {env} in tensor ops: engine='gymnasium' acts in the environment itself")
    return found
