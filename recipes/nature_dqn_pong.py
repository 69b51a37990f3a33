"""The agent of Mnih et al. 2015, Human-level control through deep reinforcement learning, plays Pong from its pixels.

zoo train nature_dqn_pong     # not measured: needs a GPU and ten million steps

The package ale-py brings the game: pip install keras-zoo[rl].

On 2 cores some 200 steps a second were seen, evaluation included, in 7 680 steps: ten million would take 14 hours.

Differences from the paper: Adam instead of RMSProp, the Huber loss instead of a clipped gradient, and the memory of
100 000 transitions, the exploration and the number of steps of the RL Zoo, whose agents reach 20.6 of 21 points.
"""

import keras

import zoo
from callbacks import EarlyStopping, Schedule, linear
from zoo.policy_watch import PolicyWatch


def search(hp):
    return dict(
        model=hp.Choice("model", ["nature_dqn", "dueling_dqn"], default="nature_dqn"),
        gradient_steps=hp.Choice("gradient_steps", [1, 2, 4, 8], default=2),
        batch_size=hp.Choice("batch_size", [32, 64, 128], default=32),
        learning_rate=hp.Float("learning_rate", 3e-05, 0.001, sampling="log", default=0.0001),
        gamma=hp.Choice("gamma", [0.98, 0.99, 0.995], default=0.99),
        double=hp.Boolean("double", default=False),
        n_step=hp.Choice("n_step", [1, 3, 5], default=1),
        target_every=hp.Int("target_every", 100, 4000, sampling="log", default=250),
        priority=hp.Float("priority", 0.0, 0.8, default=0.0),
        epsilon=hp.Float("epsilon", 0.005, 0.1, sampling="log", default=0.01),
        explore=hp.Float("explore", 0.02, 0.3, default=0.1),
    )


def recipe(
    epochs=100,
    steps=781,
    rounds=16,
    train_every=8,
    gradient_steps=2,
    count=8,
    batch_size=32,
    learning_rate=1e-4,
    gamma=0.99,
    double=False,
    n_step=1,
    target_every=250,
    priority=0.0,
    epsilon=0.01,
    explore=0.1,
    memory=100_000,
    warmup=10_000,
    episodes=2,
    test_episodes=10,
    model="nature_dqn",
    env="ALE/Pong-v5?repeat_action_probability=0.0",
):
    """A gradient step after every 4 steps of 4 frames, 10 million steps in all, in eight games side by side.

    Args:
        epochs: each ends with greedy games that choose the best policy.
        steps: steps of Keras in an epoch.
        rounds: rounds in a step of Keras.
        train_every: steps in the games of a round.
        gradient_steps: gradient steps of a round.
        count: games side by side.
        batch_size: transitions of a gradient step.
        learning_rate: Adam's rate.
        gamma: discount of a step.
        double: whether the network chooses the next action and the target values it.
        n_step: steps whose rewards are added up.
        target_every: gradient steps between two copies to the target network.
        priority: power of prioritised replay, 0 draws all alike.
        epsilon: share of random actions after `explore`.
        explore: share of the training over which random actions fall from all to `epsilon`.
        memory: transitions that are kept; 7.1 GB a million.
        warmup: steps by chance before training.
        episodes: greedy games at the end of an epoch.
        test_episodes: greedy games after training.
        model: nature_dqn or dueling_dqn.
        env: the game, as `zoo.envs.make` takes it.
    """
    data = zoo.data.experience(
        env,
        steps,
        batch_size,
        engine="gymnasium",
        count=count,
        train_every=train_every,
        gradient_steps=gradient_steps,
        rounds=rounds,
        memory=memory,
        warmup=warmup,
        gamma=gamma,
        n_step=n_step,
        priority=priority,
        clip_rewards=True,
        episodes=episodes,
        test_episodes=test_episodes,
    )
    agent = zoo.build_for(model, env)
    agent.compile(keras.optimizers.Adam(learning_rate), gamma=gamma, double=double, target_every=target_every)
    callbacks = [
        data.train.acting,
        Schedule("epsilon", linear(1.0, epsilon), epochs=explore * epochs),
        PolicyWatch(),
        EarlyStopping("val_return", mode="max", patience=epochs, ties="last"),
    ]
    if priority:
        callbacks.append(Schedule("world.beta", linear(0.4, 1.0)))
    return zoo.Recipe(agent, data, epochs, callbacks, objective=("val_return", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
