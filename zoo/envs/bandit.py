"""The bandit with several arms: one state, actions that pay at random."""

import gymnasium
import numpy as np

from zoo.envs.finite import Row
from zoo.errors import require


class Bandit(Row):
    """An arm of the testbed with k arms.

    Sutton, Barto 2018, Reinforcement learning, section 2.3. The mean of each arm is drawn once from a normal
    distribution of mean 0 and variance 1; pulling an arm pays its mean and noise of variance 1. There is one state and
    no end. `info["best"]` tells whether the arm was the one of the highest mean.

    Args:
        k: number of arms, >= 1.
        seed: whole number >= 0, which draws the means: one bandit of the testbed.
        render_mode: None, "rgb_array" or "ansi".

    Attributes:
        means: of the arms, float64 (k,).
    """

    def __init__(self, k=10, seed=0, render_mode=None):
        for key, value, least in (("k", k, 1), ("seed", seed, 0)):
            whole = isinstance(value, int) and not isinstance(value, bool)
            require(whole and least <= value < 2**32, key, value, f"a whole number >= {least}")
        require(k <= 1000, "k", k, "at most 1000")
        self.means = np.random.default_rng(seed).standard_normal(k)
        self.letters = "-" * k
        self.render_mode = render_mode
        self.action_space = gymnasium.spaces.Discrete(k)
        self.observation_space = gymnasium.spaces.Discrete(1)
        self._pulled = None

    def _mark(self):
        return self._pulled

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._pulled = None
        return 0, {}

    def step(self, action):
        self._pulled = int(action)
        reward = float(self.means[action] + self.np_random.standard_normal())
        return 0, reward, False, False, {"best": bool(action == np.argmax(self.means))}
