"""The recycling robot, a continuing task of two states."""

import numpy as np

from zoo.envs.finite import Finite
from zoo.errors import require

HIGH, LOW = 0, 1


class RecyclingRobot(Finite):
    """A robot that collects cans with its battery high (0) or low (1).

    Sutton, Barto 2018, Reinforcement learning, example 3.3. Searching (0) may empty the battery: from high it stays
    high with probability alpha; from low it stays low with probability beta, else the robot must be carried back and
    recharged, which pays -3. Waiting (1) changes nothing. Recharging (2) pays 0 and makes it high; with a high battery
    the book does not allow it, and here it is waiting. There is no end; an episode starts with a high battery.

    Args:
        alpha, beta: the probabilities, in 0..1.
        r_search, r_wait: what searching and waiting pay, r_search > r_wait. The book leaves all four open.
        render_mode: None, "rgb_array" or "ansi".
    """

    action_names = ("search", "wait", "recharge")

    def __init__(self, alpha=0.9, beta=0.4, r_search=2.0, r_wait=1.0, render_mode=None):
        given = dict(alpha=alpha, beta=beta, r_search=r_search, r_wait=r_wait)
        for key, value in given.items():
            require(isinstance(value, int | float) and not isinstance(value, bool), key, value, "a number")
        for key in ("alpha", "beta"):
            require(0 <= given[key] <= 1, key, given[key], f"a number in 0 <= {key} <= 1")
        require(r_search > r_wait, "r_search", r_search, f"more than r_wait={r_wait}")
        wait_high = [(1.0, HIGH, r_wait, False)]
        high = {0: [(alpha, HIGH, r_search, False), (1 - alpha, LOW, r_search, False)], 1: wait_high, 2: wait_high}
        low = {0: [(beta, LOW, r_search, False), (1 - beta, HIGH, -3.0, False)]}
        low |= {1: [(1.0, LOW, r_wait, False)], 2: [(1.0, HIGH, 0.0, False)]}
        super().__init__({HIGH: high, LOW: low}, np.array([1.0, 0.0]), "HL", render_mode)
