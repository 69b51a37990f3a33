"""Sarsa(lambda) with tile coding drives the car of MountainCar-v0 out of its valley.

zoo train sarsa_mountain_car     # return -111.8 ± 1.4 (n=3), 7 s on 2 cores in use

Sutton, Barto 2018, sections 10.1 and 12.7. The environment cuts an episode off after 200 steps; values of 0 are more
than can be had, and are what explores.
"""

import keras

import zoo
from zoo.data.experience import of
from zoo.online import Online


def search(hp):
    return dict(
        learning_rate=hp.Float("learning_rate", 0.1, 2.0, sampling="log", default=0.5),
        trace=hp.Float("trace", 0.0, 0.98, default=0.9),
        traces=hp.Choice("traces", ["replacing", "accumulating"], default="replacing"),
        epsilon=hp.Float("epsilon", 0.0, 0.1, default=0.0),
        tilings=hp.Choice("tilings", [4, 8, 16], default=8),
        tiles=hp.Choice("tiles", [4, 8, 12], default=8),
    )


def recipe(
    epochs=10,
    steps=5,
    rounds=20,
    learning_rate=0.5,
    gamma=1.0,
    trace=0.9,
    traces="replacing",
    epsilon=0.0,
    tilings=8,
    tiles=8,
    episodes=20,
    env="MountainCar-v0",
):
    """1000 episodes on 8 tilings.

    Args:
        epochs: each ends with greedy episodes.
        steps: steps of Keras in an epoch.
        rounds: episodes of a step of Keras.
        learning_rate: step size of all tilings together.
        gamma: discount of a step.
        trace: lambda, decay of the eligibility traces.
        traces: replacing or accumulating.
        epsilon: share of random actions.
        tilings: of the plane of position and velocity.
        tiles: a tiling cuts each range into.
        episodes: greedy episodes at the end of an epoch.
        env: the environment, as `zoo.envs.make` takes it.
    """
    data = of(env, steps, 1, Online(env, episodes=rounds), episodes)
    model = zoo.build_for("q_linear", env, features="tiles", tilings=tilings, tiles=tiles)
    optimizer = keras.optimizers.SGD(learning_rate / tilings)
    model.compile(optimizer, gamma=gamma, rule="sarsa", trace=trace, traces=traces, epsilon=epsilon)
    return zoo.Recipe(model, data, epochs, [data.train.acting], objective=("val_return", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
