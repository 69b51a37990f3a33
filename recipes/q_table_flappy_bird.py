"""Q-learning with a table plays Flappy Bird, which is seen on a grid.

zoo train q_table_flappy_bird     # return 1507 over 20 greedy games (n=1), 4 min on 2 cores in use

That is of seed 100; a game is cut after 1 000 steps, for which a perfect one pays about 2225, and lasts 840.

What is seen is the next gap, across and down in squares, and the bird's speed; a survived step pays 1, a pipe 50, the
end -1000. It needs the packages of `pip install keras-zoo[rl]`.
"""

import keras

import zoo
from callbacks import EarlyStopping, Schedule, linear
from zoo.policy_watch import PolicyWatch


def search(hp):
    return dict(
        gradient_steps=hp.Choice("gradient_steps", [8, 16, 32, 64], default=16),
        batch_size=hp.Choice("batch_size", [256, 512, 1024], default=512),
        learning_rate=hp.Float("learning_rate", 10.0, 400.0, sampling="log", default=100.0),
        final_rate=hp.Choice("final_rate", [0.0, 0.1, 0.3, 1.0], default=0.1),
        gamma=hp.Choice("gamma", [0.9, 0.95, 0.98, 0.99, 0.995], default=0.99),
        n_step=hp.Choice("n_step", [1, 3, 5, 10], default=1),
        start=hp.Float("start", 0.005, 0.5, sampling="log", default=0.05),
        epsilon=hp.Choice("epsilon", [0.0, 0.001, 0.003, 0.01], default=0.0),
        explore=hp.Float("explore", 0.1, 0.9, default=0.5),
    )


def recipe(
    epochs=20,
    steps=20,
    rounds=10,
    train_every=64,
    gradient_steps=16,
    count=8,
    batch_size=512,
    learning_rate=100.0,
    final_rate=0.1,
    gamma=0.99,
    n_step=1,
    start=0.05,
    epsilon=0.0,
    explore=0.5,
    memory=200_000,
    warmup=1_000,
    episodes=5,
    test_episodes=20,
    env="zoo.envs.flappy_table:zoo/FlappyTable-v0?max_episode_steps=1000",
):
    """Eight games side by side, 256 000 steps, and batches of 512 from the memory; one flap too many is the end.

    Args:
        epochs: each ends with greedy episodes that choose the best policy.
        steps: steps of Keras in an epoch.
        rounds: rounds in a step of Keras.
        train_every: steps in the games of a round.
        gradient_steps: gradient steps of a round.
        count: games side by side.
        batch_size: transitions of a gradient step.
        learning_rate: rate of gradient descent on the mean over the batch: a batch of n that holds a pair of state and
            action once moves its value by a share of rate / n.
        final_rate: what the rate falls to, as a share of it.
        gamma: discount of a step.
        n_step: steps whose rewards are added up.
        start: share of random actions at the beginning.
        epsilon: share of random actions after `explore`.
        explore: share of the training over which random actions fall from `start` to `epsilon`.
        memory: transitions that are kept.
        warmup: steps by chance before training.
        episodes: greedy episodes at the end of an epoch.
        test_episodes: greedy episodes after training, others.
        env: the environment, as `zoo.envs.make` takes it.
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
        n_step=n_step,
        episodes=episodes,
        test_episodes=test_episodes,
    )
    agent = zoo.build_for("q_table", env)
    agent.compile(keras.optimizers.SGD(learning_rate), "squared", gamma=gamma)
    callbacks = [
        data.train.acting,
        Schedule("learning_rate", linear(learning_rate, final_rate * learning_rate)),
        Schedule("epsilon", linear(start, epsilon), epochs=explore * epochs),
        PolicyWatch(),
        EarlyStopping("val_return", mode="max", patience=epochs, ties="last"),
    ]
    return zoo.Recipe(agent, data, epochs, callbacks, objective=("val_return", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
