"""States in a row: the corridor and the random walk."""

import numpy as np

from zoo.envs.finite import Finite
from zoo.errors import require


def _steps(count, rewards):
    """The table of states 0..count-1 in a row; `rewards` maps the ends that terminate to what they pay."""
    table = {}
    for state in range(count):
        table[state] = {}
        for action, move in enumerate((-1, 1)):
            after = state if state in rewards else min(max(state + move, 0), count - 1)
            reward = 0.0 if after == state else rewards.get(after, 0.0)
            table[state][action] = [(1.0, after, reward, after in rewards)]
    return table


def _whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


class Corridor(Finite):
    """A corridor from the left to a treasure on the right: `-----T`.

    States are counted from the left, where an episode starts; actions are left (0), which at the left end stays, and
    right (1). Reaching the treasure pays 1 and ends the episode, all else pays 0.

    Args:
        length: states before the treasure, >= 1.
        render_mode: None, "rgb_array" or "ansi".
    """

    action_names = ("left", "right")

    def __init__(self, length=5, render_mode=None):
        require(_whole(length) and 1 <= length <= 10_000, "length", length, "a whole number in 1..10000")
        table = _steps(length + 1, {length: 1.0})
        super().__init__(table, np.eye(length + 1)[0], "-" * length + "T", render_mode)


class RandomWalk(Finite):
    """A row of states with an end on either side; walked at random, its values are a straight line.

    Sutton, Barto 2018, Reinforcement learning, example 6.2 (5 states, the left end pays 0) and example 7.1 (19 states,
    the left end pays -1). The right end pays 1, all other steps 0. State 0 is the left end, then come the states, then
    the right end; an episode starts in the middle. The actions are left (0) and right (1), so that the random walk is
    the policy which takes either with probability 1/2.

    Args:
        states: number of states between the ends, odd, >= 1.
        left_reward: what the left end pays; None is 0 for 5 states, else -1.
        render_mode: None, "rgb_array" or "ansi".
    """

    action_names = ("left", "right")

    def __init__(self, states=5, left_reward=None, render_mode=None):
        odd = _whole(states) and 1 <= states <= 9999 and states % 2 == 1
        require(odd, "states", states, "an odd number in 1..9999")
        if left_reward is None:
            left_reward = 0.0 if states == 5 else -1.0
        number = isinstance(left_reward, int | float) and not isinstance(left_reward, bool)
        require(number, "left_reward", left_reward, "a number")
        table = _steps(states + 2, {0: float(left_reward), states + 1: 1.0})
        start = np.eye(states + 2)[(states + 1) // 2]
        super().__init__(table, start, "T" + "-" * states + "T", render_mode)
