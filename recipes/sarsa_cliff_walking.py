"""Sarsa walks around the cliff of CliffWalking-v1.

zoo train sarsa_cliff_walking     # return -17 ± 0 (n=3), 2 s on 2 cores in use

Sutton, Barto 2018, example 6.6: Q-learning's path runs along the edge (return -13), Sarsa's away from it, for it counts
the missteps of its own exploring.
"""

import keras

import zoo
from callbacks import Schedule, exponential, linear
from zoo.data.experience import of
from zoo.online import Online


def search(hp):
    # Not the rule, after which the recipe is named, nor the discount, which is the task's.
    return dict(
        learning_rate=hp.Float("learning_rate", 0.01, 1.0, sampling="log", default=0.5),
        final_rate=hp.Float("final_rate", 0.01, 1.0, sampling="log", default=0.05),
        trace=hp.Float("trace", 0.0, 0.95, default=0.0),
        explore=hp.Float("explore", 0.02, 1.0, sampling="log", default=0.1),
        epsilon=hp.Float("epsilon", 0.005, 0.3, sampling="log", default=0.1),
        initial=hp.Float("initial", -20.0, 0.0, default=0.0),
    )


def recipe(
    epochs=10,
    steps=10,
    rounds=50,
    learning_rate=0.5,
    final_rate=0.05,
    gamma=1.0,
    rule="sarsa",
    trace=0.0,
    explore=0.1,
    epsilon=0.1,
    initial=0.0,
    episodes=1,
    env="CliffWalking-v1",
):
    """The example, with more episodes and a step size that falls, so that the path comes to rest.

    Args:
        epochs: each ends with greedy episodes.
        steps: steps of Keras in an epoch.
        rounds: episodes of a step of Keras.
        learning_rate: step size at the start.
        final_rate: what the step size falls to, as a share of it.
        gamma: discount of a step.
        rule: q_learning, sarsa or expected_sarsa.
        trace: lambda, decay of the eligibility traces; 0 is one-step.
        explore: share of random actions at the start.
        epsilon: share of random actions at the end.
        initial: what every action is worth at first.
        episodes: greedy episodes at the end of an epoch.
        env: the environment, as `zoo.envs.make` takes it.
    """
    data = of(env, steps, 1, Online(env, episodes=rounds), episodes)
    model = zoo.build_for("q_table", env, initial=initial)
    model.compile(keras.optimizers.SGD(learning_rate), gamma=gamma, rule=rule, trace=trace)
    callbacks = [
        data.train.acting,
        Schedule("learning_rate", exponential(learning_rate, final_rate)),
        Schedule("epsilon", linear(explore, epsilon)),
    ]
    return zoo.Recipe(model, data, epochs, callbacks, objective=("val_return", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
