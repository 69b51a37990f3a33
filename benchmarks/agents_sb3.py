"""The DQN of Stable-Baselines3 on CartPole-v1, as a fair opponent: what `agents.py` runs.

python benchmarks/agents_sb3.py 64 1 1 1
"""

import sys

import torch
import workers
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env

BATCH = 64


class Steps(BaseCallback):
    """Tells the benchmark of every round of steps."""

    def __init__(self, after, every):
        super().__init__()
        self.after, self.every = after, every

    def _on_step(self):
        return self.after() if self.n_calls % self.every == 0 else True


def main(units, count, train_every, gradient_steps):
    """The same network, batch, memory and optimizer as the zoo's; one thread, which is faster than two here."""
    torch.set_num_threads(1)
    agent = DQN(
        "MlpPolicy",
        make_vec_env("CartPole-v1", count, seed=0),
        learning_rate=1e-3,
        buffer_size=50_000,
        learning_starts=1_000,
        batch_size=BATCH,
        gamma=0.99,
        train_freq=max(train_every // count, 1),
        gradient_steps=gradient_steps,
        target_update_interval=100,
        exploration_fraction=0.001,
        policy_kwargs=dict(net_arch=[units, units]),
        device="cpu",
        seed=0,
    )
    # A round ends with its gradient steps, and the next one's first step is seen behind them.
    every = max(train_every // count, 1)
    turns = workers.Turns(every * count, ["torch", "stable-baselines3", "gymnasium"])
    agent.learn(10**9, callback=Steps(turns, every), log_interval=None)


if __name__ == "__main__":
    workers.begin()
    main(*map(int, sys.argv[1:]))
