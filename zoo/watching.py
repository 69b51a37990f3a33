"""What is watched of an agent beside its return: the values on states that stay the same, and the gap between actions.

A policy that is about to collapse shows it here: the gap closes, or the values run away, while the loss stays small.
"""

import numpy as np


def mean(total, count):
    """The mean of a sum; not a number where nothing was added."""
    return total / count if count else float("nan")


def values(model, env):
    """Values on the fixed states of an environment.

    Args:
        model: a `zoo.q_learner.QLearner`.
        env: the environment's name.

    Returns:
        A dict: `q`, the mean of the best action's value, and `action_gap`, the mean distance from it to the second best
        (Farahmand 2011, Action-gap phenomenon in reinforcement learning); 0 where there is one value.
    """
    from zoo.data.experience import states

    found = np.sort(model.values(states(env)), axis=-1)
    gap = found[:, -1] - found[:, -2] if found.shape[-1] > 1 else np.zeros(len(found))
    return {"q": float(found[:, -1].mean()), "action_gap": float(gap.mean())}
