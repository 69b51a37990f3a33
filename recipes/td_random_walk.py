"""Temporal differences learn what the states of a random walk are worth (Sutton 1988; Sutton, Barto 2018, chapter 12).

zoo train td_random_walk     # root mean squared error 0.229 ± 0.096 (n=3), 3 s on 2 cores in use

The test is the true values, by dynamic programming: `test_value_error` is the root of the mean squared error over the
states. Figure 12.6 of the book is a study of the first ten episodes:

    zoo compare td_random_walk --seeds 10 --vary trace=0.0,0.4,0.8,0.9,1.0 --vary learning_rate=0.1,0.3,0.5
"""

import keras
import numpy as np

import zoo
from zoo.data.experience import Experience
from zoo.online import Online
from zoo.recipe import Data
from zoo.true_values import StateValues


def search(hp):
    return dict(
        learning_rate=hp.Float("learning_rate", 0.01, 1.0, sampling="log", default=0.4),
        trace=hp.Float("trace", 0.0, 1.0, default=0.8),
        update=hp.Choice("update", ["step", "episode"], default="step"),
        initial=hp.Float("initial", -0.5, 0.5, default=0.0),
    )


def value_error(model, data, part):
    """Root of the mean squared error over the states that the walk meets."""
    held = data.parts[part]
    found = model.values(held.arrays[0])[:, 0]
    return {"value_error": float(np.sqrt(np.mean(np.square(found - held.truth))))}


def recipe(
    epochs=10,
    steps=1,
    rounds=1,
    learning_rate=0.4,
    gamma=1.0,
    trace=0.8,
    update="step",
    right=0.5,
    followed_right: "float | None" = None,
    initial=0.0,
    env="zoo/RandomWalk-v0?states=19",
):
    """An epoch is an episode, of the walk of 19 states.

    Args:
        epochs: each ends with the error of the values.
        steps: steps of Keras in an epoch.
        rounds: episodes of a step of Keras.
        learning_rate: step size.
        gamma: discount of a step.
        trace: lambda: 0 is TD(0); 1 with update episode is Monte Carlo.
        update: step, or episode: when the values change.
        right: probability with which the walk goes right.
        followed_right: the same of the policy that is evaluated, by importance sampling; by default it is the walk's.
        initial: what every state is worth at first.
        env: an environment of two actions with a table of transitions.
    """
    behaviour = (1 - right, right)
    followed = None if followed_right is None else (1 - followed_right, followed_right)
    truth = StateValues(env, followed or behaviour, gamma)
    world = Online(env, episodes=rounds)
    data = Data(Experience(env, steps, 1, world), validation=truth, test=truth)
    model = zoo.build_for("q_table", env, actions=1, initial=initial)
    options = dict(trace=trace, update=update, behaviour=behaviour, followed=followed)
    model.compile(keras.optimizers.SGD(learning_rate), "squared", gamma=gamma, rule="evaluation", **options)
    return zoo.Recipe(model, data, epochs, [world], objective=("val_loss", "min"), measures=(value_error,))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
