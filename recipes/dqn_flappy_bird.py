"""Deep Q-learning (Mnih et al. 2015) flies Flappy Bird between pipes, from the twelve numbers of where they are.

zoo train dqn_flappy_bird     # return 115.6 over 100 greedy games (n=1), 6 min on 2 cores in use

A frame that is survived pays 0.1, a pipe 1, and a game is cut after 1 000 frames; it lasts 945 of them on average. Who
flaps by chance, in a tenth of the frames, gets 3.2. Seed 0; with seed 100, 91.5.

The package flappy-bird-gymnasium brings the game: pip install keras-zoo[rl].
"""

import keras

import zoo
from callbacks import EarlyStopping, Schedule, linear
from zoo.policy_watch import PolicyWatch


def search(hp):
    # A round may be longer or shorter: the steps in the environment stay as many.
    train_every = hp.Choice("train_every", [16, 64, 256], default=64)
    replays = hp.Choice("gradient_steps_a_step", [0.25, 0.5, 1.0, 2.0], default=0.5)
    width, layers = hp.Choice("width", [64, 128, 256, 512], default=256), hp.Int("layers", 1, 3, default=2)
    return dict(
        train_every=train_every,
        rounds=256 // train_every,
        gradient_steps=int(replays * train_every),
        hidden=(width,) * layers,
        batch_size=hp.Choice("batch_size", [32, 64, 128, 256], default=64),
        learning_rate=hp.Float("learning_rate", 0.0001, 0.01, sampling="log", default=0.0005),
        final_rate=hp.Choice("final_rate", [0.0, 0.1, 0.3, 1.0], default=0.1),
        gamma=hp.Choice("gamma", [0.95, 0.98, 0.99, 0.995, 0.999], default=0.99),
        double=hp.Boolean("double", default=True),
        n_step=hp.Choice("n_step", [1, 3, 5, 10], default=5),
        target_every=hp.Int("target_every", 10, 2000, sampling="log", default=500),
        start=hp.Float("start", 0.01, 1.0, sampling="log", default=0.1),
        epsilon=hp.Float("epsilon", 0.0005, 0.05, sampling="log", default=0.005),
        explore=hp.Float("explore", 0.1, 0.9, default=0.5),
        memory=hp.Choice("memory", [50000, 200000, 400000], default=200000),
    )


def recipe(
    epochs=30,
    steps=50,
    rounds=4,
    train_every=64,
    gradient_steps=32,
    count=8,
    engine="auto",
    batch_size=64,
    learning_rate=0.0005,
    final_rate=0.1,
    hidden=(256, 256),
    gamma=0.99,
    double=True,
    n_step=5,
    loss="huber",
    target_every=500,
    tau=1.0,
    start=0.1,
    epsilon=0.005,
    explore=0.5,
    memory=200000,
    warmup=1000,
    episodes=10,
    model="dqn",
    env="FlappyBird-v0",
):
    """32 gradient steps after every 64 in eight games; a random action is likely to be the last, so few are taken.

    Args:
        epochs: each ends with greedy episodes that choose the best policy.
        steps: steps of Keras in an epoch.
        rounds: rounds in a step of Keras.
        train_every: steps in the environment of a round.
        gradient_steps: gradient steps of a round.
        count: environments side by side.
        engine: "tensor" for the environment in tensor ops, "gymnasium" for its own, "auto" for the first that there is.
        batch_size: transitions of a gradient step.
        learning_rate: Adam's rate at the start.
        final_rate: what the rate falls to, as a share of it.
        hidden: widths of the dense layers.
        gamma: discount of a step.
        double: whether the network chooses the next action and the target values it.
        n_step: steps whose rewards are added up.
        loss: huber or squared.
        target_every: gradient steps between two copies to the target network.
        tau: share of the network in the target's update; 1 copies it.
        start: share of random actions at the beginning.
        epsilon: share of random actions after `explore`.
        explore: share of the training over which random actions fall from `start` to `epsilon`.
        memory: transitions that are kept.
        warmup: steps by chance before training.
        episodes: greedy episodes at the end of an epoch.
        model: name of the network: dqn or dueling_dqn.
        env: the environment, as `zoo.envs.make` takes it.
    """
    data = zoo.data.experience(
        env,
        steps,
        batch_size,
        engine=engine,
        count=count,
        train_every=train_every,
        gradient_steps=gradient_steps,
        rounds=rounds,
        memory=memory,
        warmup=warmup,
        gamma=gamma,
        n_step=n_step,
        episodes=episodes,
    )
    agent = zoo.build_for(model, env, hidden=hidden)
    optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=10.0)
    agent.compile(optimizer, loss, gamma=gamma, double=double, target_every=target_every, tau=tau)
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
