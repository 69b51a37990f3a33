"""Flappy Bird on a grid: how far the next gap is, across and down, in squares, for a table of values.

Its name is "zoo.envs.flappy_table:zoo/FlappyTable-v0": the module registers it.
"""

import gymnasium
import numpy as np

from zoo.errors import require

# Pixels of the screen, of the bird and of a pipe, as flappy_bird_gymnasium draws them.
WIDTH, HEIGHT = 288, 512
PIPE_WIDTH = 52
# What is farther down or up than this from the middle of the gap looks alike.
REACH = 256
ALIVE, PASSED, DEAD = 1.0, 50.0, -1000.0
# Vertical speeds, from a flap to free fall.
SLOWEST, FASTEST = -9, 10


class FlappyTable(gymnasium.Wrapper):
    """`FlappyBird-v0`, of which the distances to the next gap and the bird's speed are seen, in steps.

    A step that is survived pays 1, a pipe that is passed 50, and the end -1000.

    Args:
        size: pixels of a square's side, 4..64.
        speeds: whole number >= 1, into how many steps the vertical speed is divided; 1 does not show it.
        render_mode: None, "rgb_array" or "human".
    """

    def __init__(self, size=16, speeds=5, render_mode=None):
        for name, value, least, most in (("size", size, 4, 64), ("speeds", speeds, 1, 20)):
            whole = isinstance(value, int) and not isinstance(value, bool)
            require(whole and least <= value <= most, name, value, f"a whole number in {least}..{most}")
        import flappy_bird_gymnasium  # noqa: F401

        options = dict(use_lidar=False, normalize_obs=False, disable_env_checker=True)
        super().__init__(gymnasium.make("FlappyBird-v0", render_mode=render_mode, **options))
        self.size, self.speeds = size, speeds
        self.across, self.down = -(-(WIDTH + 2 * PIPE_WIDTH) // size), -(-2 * REACH // size)
        self.observation_space = gymnasium.spaces.Discrete(self.across * self.down * speeds)

    def reset(self, *, seed=None, options=None):
        seen, info = self.env.reset(seed=seed, options=options)
        return self._place(seen), info

    def step(self, action):
        seen, reward, terminated, truncated, info = self.env.step(action)
        # The environment's own reward tells what happened: 1 for a pipe, less than -0.5 for the end.
        paid = DEAD if terminated else PASSED if reward >= 1 else ALIVE
        return self._place(seen), paid, terminated, truncated, info

    def _place(self, seen):
        pipes, height, speed = np.reshape(seen[:9], (3, 3)), seen[9], seen[10]
        # The next pipe is the first whose right edge the bird has not passed; it stands at a fifth of the screen.
        here = 0.2 * WIDTH
        ahead = pipes[pipes[:, 0] + PIPE_WIDTH > here]
        left, top, bottom = ahead[0] if len(ahead) else pipes[-1]
        column = int(np.clip((left + PIPE_WIDTH - here) // self.size, 0, self.across - 1))
        line = int(np.clip((height - (top + bottom) / 2 + REACH) // self.size, 0, self.down - 1))
        step = int(np.clip((speed - SLOWEST) * self.speeds // (FASTEST - SLOWEST + 1), 0, self.speeds - 1))
        return (column * self.down + line) * self.speeds + step


if "zoo/FlappyTable-v0" not in gymnasium.registry:
    gymnasium.register("zoo/FlappyTable-v0", entry_point=FlappyTable, max_episode_steps=10_000)
