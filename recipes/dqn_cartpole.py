"""Deep Q-learning (Mnih et al. 2015) balances the pole of CartPole-v1 for all of its 500 steps.

zoo train dqn_cartpole     # 500 ± 0 of 500 over 100 greedy episodes (n=10), 26 s on 2 cores in use

`zoo compare dqn_cartpole --seeds 10`: all ten seeds hold the pole in all of their 100 episodes, after 49 952 steps; the
30 greedy episodes at the end of each of 24 epochs, which choose the policy, are not counted. One of the ten collapsed
on the way (`zoo.policy_watch`), and nine are at 500 in the last epoch too. Three things did it, on other seeds: returns
of five steps, a memory of the last 20 000 transitions, and a rate that falls to 0. With the RL Zoo's settings and a
rate that falls, seven of ten seeds got there (51 200 steps, the first of equally good policies).
"""

import keras

import zoo
from callbacks import EarlyStopping, Schedule, linear
from zoo.policy_watch import PolicyWatch


def search(hp):
    # A round may be longer or shorter: the steps in the environment stay as many.
    train_every = hp.Choice("train_every", [4, 16, 64, 256], default=256)
    replays = hp.Choice("gradient_steps_a_step", [0.25, 0.5, 1.0, 2.0], default=1.0)
    width, layers = hp.Choice("width", [64, 128, 256, 512], default=128), hp.Int("layers", 1, 3, default=2)
    return dict(
        train_every=train_every,
        rounds=256 // train_every,
        gradient_steps=int(replays * train_every),
        hidden=(width,) * layers,
        batch_size=hp.Choice("batch_size", [32, 64, 128, 256], default=64),
        learning_rate=hp.Float("learning_rate", 0.0001, 0.01, sampling="log", default=0.001),
        final_rate=hp.Choice("final_rate", [0.0, 0.1, 0.3, 1.0], default=0.0),
        gamma=hp.Choice("gamma", [0.95, 0.98, 0.99, 0.995, 0.999], default=0.99),
        double=hp.Boolean("double", default=True),
        n_step=hp.Choice("n_step", [1, 3, 5, 10], default=5),
        target_every=hp.Int("target_every", 10, 2000, sampling="log", default=128),
        epsilon=hp.Float("epsilon", 0.005, 0.2, sampling="log", default=0.04),
        explore=hp.Float("explore", 0.02, 0.5, default=0.16),
        memory=hp.Choice("memory", [10000, 20000, 50000], default=20000),
    )


def recipe(
    epochs=24,
    steps=8,
    rounds=1,
    train_every=256,
    gradient_steps=256,
    count=1,
    engine="auto",
    batch_size=64,
    learning_rate=0.001,
    final_rate=0.0,
    hidden=(128, 128),
    gamma=0.99,
    double=True,
    n_step=5,
    loss="huber",
    target_every=128,
    tau=1.0,
    epsilon=0.04,
    explore=0.16,
    memory=20000,
    warmup=800,
    episodes=30,
    model="dqn",
    env="CartPole-v1",
):
    """256 gradient steps after every 256 in the environment, of which there are 49 952 in all.

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
