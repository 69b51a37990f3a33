"""Deep Q-learning (Mnih et al. 2015) swings the car of MountainCar-v0 up its hill.

zoo train dqn_mountain_car     # return -102.4 ± 3.5 over 100 greedy episodes (n=3), 89 s on 2 cores in use
"""

import keras

import zoo
from callbacks import EarlyStopping, Schedule, linear
from zoo.policy_watch import PolicyWatch


def search(hp):
    # A round may be longer or shorter: the steps in the environment stay as many.
    train_every = hp.Choice("train_every", [4, 16, 80, 400], default=16)
    replays = hp.Choice("gradient_steps_a_step", [0.25, 0.5, 1.0, 2.0], default=0.5)
    width, layers = hp.Choice("width", [64, 128, 256, 512], default=256), hp.Int("layers", 1, 3, default=2)
    return dict(
        train_every=train_every,
        rounds=400 // train_every,
        gradient_steps=int(replays * train_every),
        hidden=(width,) * layers,
        batch_size=hp.Choice("batch_size", [32, 64, 128, 256], default=128),
        learning_rate=hp.Float("learning_rate", 0.0001, 0.01, sampling="log", default=0.004),
        final_rate=hp.Choice("final_rate", [0.0, 0.1, 0.3, 1.0], default=1.0),
        gamma=hp.Choice("gamma", [0.95, 0.98, 0.99, 0.995, 0.999], default=0.98),
        double=hp.Boolean("double", default=False),
        n_step=hp.Choice("n_step", [1, 3, 5, 10], default=1),
        target_every=hp.Int("target_every", 10, 2000, sampling="log", default=300),
        epsilon=hp.Float("epsilon", 0.005, 0.2, sampling="log", default=0.07),
        explore=hp.Float("explore", 0.02, 0.5, default=0.2),
        memory=hp.Choice("memory", [10000, 20000, 50000, 100000], default=10000),
    )


def recipe(
    epochs=30,
    steps=10,
    rounds=25,
    train_every=16,
    gradient_steps=8,
    count=1,
    engine="auto",
    batch_size=128,
    learning_rate=0.004,
    final_rate=1.0,
    hidden=(256, 256),
    gamma=0.98,
    double=False,
    n_step=1,
    loss="huber",
    target_every=300,
    tau=1.0,
    epsilon=0.07,
    explore=0.2,
    memory=10000,
    warmup=1000,
    episodes=20,
    model="dqn",
    env="MountainCar-v0",
):
    """8 gradient steps after every 16 in the environment, 120 000 of these in all, as the RL Zoo has it.

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
        epsilon: share of random actions after `explore`.
        explore: share of the training over which random actions fall from all to `epsilon`.
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
        Schedule("epsilon", linear(1.0, epsilon), epochs=explore * epochs),
        PolicyWatch(),
        EarlyStopping("val_return", mode="max", patience=epochs, ties="last"),
    ]
    return zoo.Recipe(agent, data, epochs, callbacks, objective=("val_return", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
