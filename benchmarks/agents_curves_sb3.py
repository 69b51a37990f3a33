"""One run of Stable-Baselines3's DQN with the RL Zoo's settings: what `agents_curves.py` runs.

python benchmarks/agents_curves_sb3.py 0 24 8

Arguments are the seed, evaluations, and rounds of 256 steps between two of them. The last line is the returns, as JSON.
"""

import json
import sys

import torch
from stable_baselines3 import DQN
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

ROUND = 256


def main(seed, epochs, rounds):
    torch.set_num_threads(1)
    agent = DQN(
        "MlpPolicy",
        make_vec_env("CartPole-v1", 1, seed=seed),
        learning_rate=2.3e-3,
        batch_size=64,
        buffer_size=100_000,
        learning_starts=1_000,
        gamma=0.99,
        target_update_interval=10,
        train_freq=ROUND,
        gradient_steps=128,
        exploration_fraction=0.16,
        exploration_final_eps=0.04,
        policy_kwargs=dict(net_arch=[256, 256]),
        device="cpu",
        seed=seed,
    )
    judged, found = make_vec_env("CartPole-v1", 1, seed=1_000_000), []

    def judge(here, _):
        if agent.num_timesteps % (rounds * ROUND) == 0:
            mean, _ = evaluate_policy(agent, judged, n_eval_episodes=20, deterministic=True)
            found.append({"step": agent.num_timesteps, "val_return": float(mean)})
        return True

    agent.learn(epochs * rounds * ROUND, callback=judge, log_interval=None)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
