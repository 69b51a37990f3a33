"""Q-learning from a memory, in any environment of gymnasium with discrete actions, by any of the zoo's networks.

zoo train q_learning     # not measured: needs an environment of your own

zoo train q_learning --model dqn --env LunarLander-v3
zoo train q_learning --model q_table --env "FrozenLake-v1?is_slippery=false"

An environment of your own is named with the module that registers it: --env mine:Mine-v0.
"""

import keras

import zoo
from callbacks import EarlyStopping, Schedule, linear
from zoo.policy_watch import PolicyWatch


def search(hp):
    # A round may be longer or shorter: the steps in the environment stay as many.
    train_every = hp.Choice("train_every", [4, 20, 100], default=4)
    replays = hp.Choice("gradient_steps_a_step", [0.25, 0.5, 1.0, 2.0], default=1.0)
    return dict(
        train_every=train_every,
        rounds=100 // train_every,
        gradient_steps=int(replays * train_every),
        batch_size=hp.Choice("batch_size", [32, 64, 128, 256], default=64),
        learning_rate=hp.Float("learning_rate", 0.0001, 0.01, sampling="log", default=0.0005),
        final_rate=hp.Choice("final_rate", [0.0, 0.1, 0.3, 1.0], default=0.1),
        gamma=hp.Choice("gamma", [0.95, 0.98, 0.99, 0.995, 0.999], default=0.99),
        double=hp.Boolean("double", default=True),
        n_step=hp.Choice("n_step", [1, 3, 5, 10], default=1),
        target_every=hp.Int("target_every", 10, 2000, sampling="log", default=250),
        epsilon=hp.Float("epsilon", 0.005, 0.2, sampling="log", default=0.05),
        explore=hp.Float("explore", 0.02, 0.6, default=0.3),
        memory=hp.Choice("memory", [20000, 50000, 100000], default=50000),
    )


def recipe(
    model="dqn",
    env="CartPole-v1",
    epochs=25,
    steps=20,
    rounds=25,
    train_every=4,
    gradient_steps=4,
    count=4,
    engine="auto",
    batch_size=64,
    learning_rate=5e-4,
    final_rate=0.1,
    gamma=0.99,
    double=True,
    n_step=1,
    loss="huber",
    target_every=250,
    tau=1.0,
    priority=0.0,
    clip_rewards=False,
    policy="epsilon_greedy",
    epsilon=0.05,
    explore=0.3,
    temperature=1.0,
    memory=50_000,
    warmup=1_000,
    episodes=10,
):
    """Adam on the Huber loss, double Q-learning, as many gradient steps as steps; 50 000 of them.

    Args:
        model: q_table where states are counted, q_linear, dqn or dueling_dqn for vectors, nature_dqn for frames.
        env: the environment, as `zoo.envs.make` takes it.
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
        gamma: discount of a step.
        double: whether the network chooses the next action and the target values it.
        n_step: steps whose rewards are added up.
        loss: huber or squared.
        target_every: gradient steps between two copies to the target network.
        tau: share of the network in the target's update; 1 copies it.
        priority: power of prioritised replay, 0 draws all alike; above 0 it needs the engine gymnasium.
        clip_rewards: whether the sign of a reward is all that is learned from; needs the engine gymnasium.
        policy: epsilon_greedy or boltzmann.
        epsilon: share of random actions after `explore`.
        explore: share of the training over which random actions fall from all to `epsilon`.
        temperature: of the policy boltzmann, in units of value.
        memory: transitions that are kept.
        warmup: steps by chance before training.
        episodes: greedy episodes at the end of an epoch.
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
        priority=priority,
        clip_rewards=clip_rewards,
        episodes=episodes,
    )
    agent = zoo.build_for(model, env)
    agent.compile(
        keras.optimizers.Adam(learning_rate, global_clipnorm=10.0),
        loss,
        gamma=gamma,
        double=double,
        target_every=target_every,
        tau=tau,
        policy=policy,
        temperature=temperature,
    )
    callbacks = [
        data.train.acting,
        Schedule("learning_rate", linear(learning_rate, final_rate * learning_rate)),
        Schedule("epsilon", linear(1.0, epsilon), epochs=explore * epochs),
        PolicyWatch(),
        EarlyStopping("val_return", mode="max", patience=epochs, ties="last"),
    ]
    if priority:
        callbacks.append(Schedule("world.beta", linear(0.4, 1.0)))
    return zoo.Recipe(agent, data, epochs, callbacks, objective=("val_return", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
