"""A bandit of ten arms: epsilon-greedy or Boltzmann (Sutton, Barto 2018, sections 2.2 to 2.8).

zoo train bandit     # 84.3 ± 1.2 of the last 100 pulls are of the best arm (n=3), 5 s on 2 cores in use

`best_share` is the share of the best arm among all pulls, `train_return` the reward of a thousand. Each seed of a study
is another bandit:

    zoo compare bandit --seeds 10 --vary epsilon=0.0,0.01,0.1
    zoo compare bandit --seeds 10 --policy boltzmann --vary temperature=0.1,0.3,1.0
"""

import keras
import numpy as np

import zoo
from zoo import envs
from zoo.data.experience import of
from zoo.online import Online
from zoo.seeding import current_seed


class BestShare(keras.callbacks.Callback):
    """Logs how often the best arm was pulled in the epoch, as a share of all pulls.

    Args:
        world: the `Online` that pulls; it stands before this callback.
    """

    def __init__(self, world):
        super().__init__()
        self.world = world
        made = envs.make(world.env)
        self.best = int(np.argmax(made.unwrapped.means))
        made.close()

    def on_epoch_end(self, epoch, logs=None):
        taken = self.world.taken
        logs["best_share"] = float(taken[self.best] / taken.sum())


def search(hp):
    return dict(
        learning_rate=hp.Float("learning_rate", 0.01, 1.0, sampling="log", default=0.1),
        policy=hp.Choice("policy", ["epsilon_greedy", "boltzmann"], default="epsilon_greedy"),
        epsilon=hp.Float("epsilon", 0.001, 0.5, sampling="log", default=0.1),
        temperature=hp.Float("temperature", 0.03, 3.0, sampling="log", default=0.3),
        initial=hp.Float("initial", 0.0, 5.0, default=0.0),
    )


def recipe(
    epochs=10,
    steps=10,
    pulls=10,
    learning_rate=0.1,
    policy="epsilon_greedy",
    epsilon=0.1,
    temperature=0.3,
    initial=0.0,
    episodes=10,
    bandit: "int | None" = None,
    env="zoo/Bandit-v0",
):
    """1000 pulls, a constant step size.

    Args:
        epochs: each ends with greedy episodes.
        steps: steps of Keras in an epoch.
        pulls: of a step of Keras.
        learning_rate: step size.
        policy: epsilon_greedy or boltzmann.
        epsilon: share of random actions.
        temperature: of boltzmann, in units of reward.
        initial: what every arm is worth at first.
        episodes: greedy episodes at the end of an epoch.
        bandit: seed of the arms' means; by default the run's seed.
        env: the environment, as `zoo.envs.make` takes it.
    """
    env = f"{env}{'&' if '?' in env else '?'}seed={current_seed() if bandit is None else bandit}"
    world = Online(env, steps=pulls)
    data = of(env, steps, 1, world, episodes, test_episodes=10)
    model = zoo.build_for("q_table", env, initial=initial)
    choice = dict(policy=policy, epsilon=epsilon, temperature=temperature)
    model.compile(keras.optimizers.SGD(learning_rate), gamma=0.0, trace=0.0, **choice)
    return zoo.Recipe(model, data, epochs, [world, BestShare(world)], objective=("val_return", "max"))


if __name__ == "__main__":
    raise SystemExit(zoo.cli.train(__file__))
