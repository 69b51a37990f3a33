"""Baird's star, on which off-policy learning with a linear function diverges."""

import numpy as np

from zoo.envs.finite import Finite

STATES = 7


class Baird(Finite):
    """Baird's counterexample: seven states, two actions, no rewards, no end.

    Baird 1995, Residual algorithms; Sutton, Barto 2018, Reinforcement learning, figure 11.1. The dashed action (0)
    leads to one of the first six states, each with probability 1/6, the solid one (1) to the seventh. An observation is
    the state's 8 features, float32: 2 w_i + w_8 for the first six states, w_7 + 2 w_8 for the seventh. An episode
    starts in any state. The policy of the book's figure 11.2 acts dashed with probability 6/7 and learns of solid.

    Args:
        render_mode: None, "rgb_array" or "ansi".
    """

    action_names = ("dashed", "solid")

    def __init__(self, render_mode=None):
        dashed = [(1 / 6, state, 0.0, False) for state in range(STATES - 1)]
        table = {state: {0: dashed, 1: [(1.0, STATES - 1, 0.0, False)]} for state in range(STATES)}
        features = np.zeros((STATES, STATES + 1), np.float32)
        features[:, :STATES] = np.diag([2.0] * (STATES - 1) + [1.0])
        features[:, STATES] = [1.0] * (STATES - 1) + [2.0]
        super().__init__(table, np.full(STATES, 1 / STATES), "-" * STATES, render_mode, features)
