"""Which environments have a twin in tensor operations."""

import gymnasium
from gymnasium.envs.classic_control import AcrobotEnv, CartPoleEnv, MountainCarEnv

from zoo.envs import making
from zoo.envs.bandit import Bandit
from zoo.envs.classic import Acrobot, CartPole, MountainCar
from zoo.envs.spec import limit_of
from zoo.envs.tabular import Tabular, TensorBandit

# What changes nothing about an environment but its length.
PLAIN = (gymnasium.wrappers.PassiveEnvChecker, gymnasium.wrappers.OrderEnforcing, gymnasium.wrappers.TimeLimit)


def tensor(env):
    """See `zoo.envs.tensor`."""
    made = making.make(env)
    try:
        wrapped = made
        while isinstance(wrapped, gymnasium.Wrapper):
            if type(wrapped) not in PLAIN:
                return None
            wrapped = wrapped.env
        return _twin(env, limit_of(made), wrapped)
    finally:
        made.close()


def _twin(env, limit, inner):
    # A class that inherits from one of these may do something else.
    if type(inner) is CartPoleEnv:
        return CartPole(env, limit, inner.spec.kwargs.get("sutton_barto_reward", False))
    if type(inner) is MountainCarEnv:
        return MountainCar(env, limit, inner.goal_velocity)
    if type(inner) is AcrobotEnv:
        return Acrobot(env, limit)
    if type(inner) is Bandit:
        return TensorBandit(env, limit, inner.means)
    has_table = hasattr(inner, "P") and hasattr(inner, "initial_state_distrib")
    # A taxi whose passenger changes his mind is not what its table says.
    if has_table and not getattr(inner, "fickle_passenger", False):
        return Tabular(env, limit, inner.P, inner.initial_state_distrib, getattr(inner, "features", None))
    return None
