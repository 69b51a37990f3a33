"""Three states in a ring, on which TD(0) diverges with a value function that is not linear."""

import math

import numpy as np

from zoo.envs.finite import Finite
from zoo.errors import require

STATES = 3
# Values of the three states, of sum 0, and how fast they are turned.
FIRST = np.array([1.0, -0.7, -0.3])
TURN = math.sqrt(3) / 2


class Spiral(Finite):
    """The chain of Tsitsiklis, Van Roy 1997, An analysis of temporal-difference learning.

    The actions are to stay (0), and to go from a state to the one before it in the ring (1); the paper's chain is the
    policy which takes either with probability 1/2. No step pays anything, so every state is worth 0. An observation is
    a pair (a, b), float32, between which `zoo.spiral.SpiralValue` turns.

    The paper's chain has no end and the discount 0.9. Here a step ends the episode with probability `end`, which is a
    discount of 1 - `end` that Monte Carlo can live with: it has a return to wait for. An episode starts in any state.

    Args:
        end: probability in 0 <= end <= 1; 0 is the paper's.
        render_mode: None, "rgb_array" or "ansi".
    """

    action_names = ("stay", "go")

    def __init__(self, end=0.1, render_mode=None):
        number = isinstance(end, int | float) and not isinstance(end, bool)
        require(number and 0 <= end <= 1, "end", end, "a probability in 0 <= end <= 1")
        table = {}
        for state in range(STATES):
            table[state] = {}
            for action, after in enumerate((state, (state - 1) % STATES)):
                table[state][action] = [(1.0 - end, after, 0.0, False), (float(end), after, 0.0, True)]
        # The second of the pair is a quarter of a turn from the first: their differential equation says so.
        features = np.stack([FIRST, turning() @ FIRST / TURN], 1).astype(np.float32)
        super().__init__(table, np.full(STATES, 1 / STATES), "-" * STATES, render_mode, features)


def turning():
    """The matrix Q of the paper: values v of sum 0 whose derivative by the parameter is Q v go round in a circle."""
    return np.array([[1.0, 0.5, 1.5], [1.5, 1.0, 0.5], [0.5, 1.5, 1.0]])
