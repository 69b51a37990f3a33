"""Q-learning drives the taxi of Taxi-v4 (Dietterich 2000; Watkins 1989; from a memory, Lin 1992).

zoo train q_learning_taxi     # mean return 7.93 ± 0, exactly (n=3), 31 s on 2 cores in use

The best policy has a mean return of 7.93 over the 300 starts (by dynamic programming); `test_exact_return` is that of
the learned one, exactly.
"""

import keras
import numpy as np

import zoo
from zoo import true_values


def search(hp):
    return dict(
        gradient_steps=hp.Choice("gradient_steps", [4, 8, 16], default=8),
        batch_size=hp.Choice("batch_size", [256, 512, 1024], default=512),
        learning_rate=hp.Float("learning_rate", 20.0, 400.0, sampling="log", default=150.0),
        gamma=hp.Choice("gamma", [0.9, 0.95, 0.98, 0.99, 0.995], default=0.99),
        epsilon=hp.Float("epsilon", 0.1, 1.0, default=1.0),
    )


def measure(model, data, part):
    """The mean return of the greedy policy, not played but exact."""
    env = data.parts[part].env
    best = model.values(np.arange(zoo.envs.describe(env).states, dtype="int32")).argmax(-1)
    return {"exact_return": true_values.expected_return(env, best)}


def recipe(
    epochs=4,
    steps=10,
    rounds=80,
    train_every=64,
    gradient_steps=8,
    count=16,
    batch_size=512,
    learning_rate=150.0,
    gamma=0.99,
    epsilon=1.0,
    memory=300_000,
    warmup=1_000,
    episodes=100,
    env="Taxi-v4",
):
    """Random steps, 204 800 of them, and batches of 512 from the memory of them all.

    Args:
        epochs: each ends with greedy episodes.
        steps: steps of Keras in an epoch.
        rounds: rounds in a step of Keras.
        train_every: steps in the environment of a round.
        gradient_steps: gradient steps of a round.
        count: environments side by side.
        batch_size: transitions of a gradient step.
        learning_rate: rate of gradient descent on the mean over the batch: a batch of n that holds a pair of state and
            action once moves its value by a share of rate / n.
        gamma: discount of a step.
        epsilon: share of random actions; 1 learns of the best policy from chance alone.
        memory: transitions that are kept.
        warmup: steps by chance before training.
        episodes: greedy episodes at the end of an epoch.
        env: the environment, as `zoo.envs.make` takes it; one with a table of transitions.
    """
    data = zoo.data.experience(
        env,
        steps,
        batch_size,
        count=count,
        train_every=train_every,
        gradient_steps=gradient_steps,
        rounds=rounds,
        memory=memory,
        warmup=warmup,
        gamma=gamma,
        episodes=episodes,
    )
    agent = zoo.build_for("q_table", env)
    agent.compile(keras.optimizers.SGD(learning_rate), "squared", gamma=gamma, epsilon=epsilon)
    return zoo.Recipe(agent, data, epochs, [data.train.acting], objective=("val_return", "max"), measures=(measure,))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
