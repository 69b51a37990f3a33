"""What states are truly worth, by dynamic programming, and as a stream to judge an agent's values by.

Sutton, Barto 2018, Reinforcement learning, equations 4.3, 4.4 and 4.10.
"""

import numpy as np
from keras import ops

from zoo.data.stream import Stream
from zoo.errors import ZooError

# What a value may change by when iteration ends.
EXACT = 1e-12


def tables(env):
    """An environment's table of transitions as arrays.

    Args:
        env: an environment's name, of one with a table `P`; see `zoo.envs.make`.

    Returns:
        Three float64 arrays: probabilities (states, actions, states) of each next state where the episode goes on, mean
        rewards (states, actions), and probabilities of each state at the start (states,).

    Raises:
        ZooError: an environment without a table.

    Example:
        >>> going, rewards, start = tables("zoo/Corridor-v0?length=2")
        >>> rewards.tolist(), start.tolist()
        ([[0.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [1.0, 0.0, 0.0])
    """
    from zoo import envs

    made = envs.make(env)
    world = made.unwrapped
    made.close()
    if not hasattr(world, "P") or not hasattr(world, "initial_state_distrib"):
        raise ZooError(f"{env} has no table of transitions, from which true values could be computed")
    states, actions = len(world.P), len(world.P[0])
    going, rewards = np.zeros((states, actions, states)), np.zeros((states, actions))
    for state, of_state in world.P.items():
        for action, outcomes in of_state.items():
            for probability, after, reward, terminated in outcomes:
                rewards[state, action] += probability * reward
                going[state, action, after] += probability * (not terminated)
    return going, rewards, np.asarray(world.initial_state_distrib, "float64")


def of_policy(env, probabilities, gamma):
    """The values of the states under a policy, without a time limit.

    Args:
        env: see `tables`.
        probabilities: of the actions, (actions,) in all states alike or (states, actions).
        gamma: 0 <= number <= 1, discount of a step; 1 needs a policy that ends from every state.

    Returns:
        A float64 array (states,).

    Raises:
        ZooError: values that are infinite, or see `tables`.

    Example:
        >>> of_policy("zoo/RandomWalk-v0?states=3&left_reward=0", [0.5, 0.5], 1.0).round(6).tolist()
        [0.0, 0.25, 0.5, 0.75, 0.0]
    """
    going, rewards, _ = tables(env)
    policy = np.broadcast_to(probabilities, rewards.shape)
    moves = np.einsum("sa,sat->st", policy, going)
    try:
        return np.linalg.solve(np.eye(len(moves)) - gamma * moves, (policy * rewards).sum(1))
    except np.linalg.LinAlgError:
        raise ZooError(f"with gamma={gamma} the values of this policy in {env} are not finite: it never ends") from None


def optimal(env, gamma):
    """The values of the actions under the best policy, without a time limit, by value iteration.

    Args:
        env: see `tables`.
        gamma: 0 <= number <= 1, discount of a step; 1 needs an environment in which the best policy ends.

    Returns:
        A float64 array (states, actions).

    Example:
        >>> optimal("zoo/Corridor-v0?length=2", 0.5).tolist()
        [[0.25, 0.5], [0.25, 1.0], [0.0, 0.0]]
    """
    going, rewards, _ = tables(env)
    values = np.zeros(rewards.shape)
    while True:
        before, values = values, rewards + gamma * going @ values.max(1)
        if np.abs(values - before).max() < EXACT:
            return values


def expected_return(env, actions, limit=None):
    """The mean return, not discounted, of a policy that always takes the same action in a state.

    Args:
        env: see `tables`.
        actions: whole numbers (states,).
        limit: steps after which an episode is cut; None is the environment's own.

    Returns:
        A float, exact: probabilities are carried from step to step.

    Example:
        >>> expected_return("zoo/Corridor-v0", [1] * 6), expected_return("zoo/Corridor-v0", [1] * 6, limit=4)
        (1.0, 0.0)
    """
    from zoo import envs

    going, rewards, there = tables(env)
    rows, total = np.arange(len(rewards)), 0.0
    for _ in range(envs.describe(env).limit if limit is None else limit):
        total += float(there @ rewards[rows, actions])
        there = there @ going[rows, actions]
    return total


class StateValues(Stream):
    """The states that a policy meets, each as a transition that ends and pays what the state is worth.

    On it `model.evaluate` gives as `loss`, compiled with "squared", half the mean squared error of the values, and as
    `td_error` the mean size of the error; all states count alike.

    Args:
        env: see `tables`.
        probabilities, gamma: see `of_policy`.

    Attributes:
        env: as given.
        truth: float32 array, the values; `arrays[0]` are the observations.
    """

    def __init__(self, env, probabilities, gamma):
        from zoo import envs

        going, rewards, start = tables(env)
        policy = np.broadcast_to(probabilities, rewards.shape)
        moves = np.einsum("sa,sat->st", policy, going)
        met = start > 0
        for _ in range(len(moves)):
            met = met | (met @ moves > 0)
        (states,) = np.nonzero(met)
        self.env = env
        self.truth = of_policy(env, policy, gamma)[states].astype("float32")
        seen = np.asarray(envs.tensor(env).observe(states.astype("int32")))
        super().__init__((seen, self.truth), len(states), shuffle=False, seed=0, map=_ended)


def _ended(seen, truth):
    nothing = ops.zeros_like(truth)
    return seen, {"action": ops.cast(nothing, "int32"), "reward": truth, "next": seen, "discount": nothing}
