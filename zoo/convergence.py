"""What happens in the cells of the table of convergence: their agents learn, and are looked at while they do."""

import functools
from dataclasses import dataclass

import keras
import numpy as np

import zoo
from callbacks import Schedule, linear
from zoo import envs, seeding, true_values
from zoo.convergence_cells import CAR, SPIRAL
from zoo.data.experience import Experience, states
from zoo.online import Online
from zoo.spiral import spiral

# Points of a curve.
POINTS = 40
# An error this many times the first one has diverged; this many times, it is enough; below this share, it converged.
FAR, ENOUGH, NEAR = 10.0, 100.0, 0.2
# What a tenth of a run's returns must be of the first tenth's, that it has learned.
GAIN = 1.5


@dataclass(frozen=True)
class Found:
    """What happened in a cell.

    Args:
        steps: in the environment, of each point.
        curve: the error of the values, infinite at the end of a run that was stopped; or the mean return of the
            episodes since the point before.
        changed: share of fixed observations whose best action is another one than a point before, on average over the
            second half; 0 where states are valued.
    """

    steps: np.ndarray
    curve: np.ndarray
    changed: float = 0.0


def agent(cell):
    """The agent of a cell, before it learns.

    Args:
        cell: a `zoo.convergence_cells.Cell`.

    Returns:
        A `zoo.q_learner.QLearner`, not compiled.
    """
    spec = envs.describe(cell.env)
    actions = spec.actions if cell.part == "control" else 1
    if cell.kind == "table":
        return zoo.build("q_table", states=spec.states, actions=actions)
    if cell.env == SPIRAL:
        return spiral()
    if cell.kind == "neural":
        return zoo.build("dqn", observation_shape=spec.shape, actions=actions, hidden=(32,))
    if cell.env == CAR:
        return zoo.build("q_linear", low=spec.low, high=spec.high, actions=actions)
    model = zoo.build("q_linear", low=spec.low, high=spec.high, actions=actions, features="identity")
    # The book's start, for each action.
    model.network.set_weights([np.tile([[1.0], [1], [1], [1], [1], [1], [10], [1]], (1, actions))])
    return model


def run(cell, points=POINTS, seed=0):
    """Lets a cell's agent learn.

    Args:
        cell: a `zoo.convergence_cells.Cell`.
        points: of its curve, an integer >= 1.
        seed: integer; it sets the seed of all that is random.

    Returns:
        A `Found`.
    """
    seeding.seed_everything(seed)
    model = agent(cell)
    model.compile(keras.optimizers.SGD(cell.rate), "squared", **cell.options)
    world = Online(cell.env, seed=seed, **cell.size)
    watch = _Watch(world, cell)
    schedules = [Schedule("epsilon", linear(1.0, 0.0))] if cell.explore else []
    stream = Experience(cell.env, 1, 1, world, seed)
    given = dict(steps_per_epoch=1, epochs=points, shuffle=False, verbose=0)
    history = model.fit(stream.open(), callbacks=[world, *schedules, watch], **given).history
    curve = watch.errors if cell.quantity == "error" else history["train_return"]
    changed = float(np.mean(watch.changed[len(watch.changed) // 2 :])) if cell.part == "control" else 0.0
    first = [0] if cell.quantity == "error" else []
    return Found(np.array(first + watch.steps), np.array(curve), changed)


class _Watch(keras.callbacks.Callback):
    """Looks at the values at the end of each epoch, and at their beginning."""

    def __init__(self, world, cell):
        super().__init__()
        self.world, self.cell = world, cell
        self.steps, self.errors, self.changed = [], [], []
        self.observed = states(cell.env)

    def on_train_begin(self, logs=None):
        self._look()
        self.best = self._best()

    def on_epoch_end(self, epoch, logs=None):
        self.steps.append((self.steps or [0])[-1] + int(self.world.taken.sum()))
        self._look(logs["loss"])
        best = self._best()
        self.changed.append(float(np.mean(best != self.best)))
        self.best = best

    def _best(self):
        return self.model.values(self.observed).argmax(-1)

    def _look(self, loss=0.0):
        if self.cell.quantity != "error":
            return
        now = error(self.model, self.cell)
        first = (self.errors or [now])[0]
        wild = np.sqrt(2 * loss)
        # The spiral grows until a single step throws it anywhere, such as where all values are 0.
        thrown = wild > FAR * first and now < first
        if thrown or not max(now, wild) < ENOUGH * first:
            now = np.inf
            self.model.stop_training = True
        self.errors.append(now)


def error(model, cell):
    """The root of the mean squared error of what states are worth, over the states that do not end an episode.

    Args:
        model: the cell's agent.
        cell: a `zoo.convergence_cells.Cell` of an environment with a table of transitions.

    Returns:
        A float; not a number where the values are none.
    """
    seen, true, going = _truth(cell.env, cell.options["gamma"], cell.part == "control", cell.options.get("followed"))
    with np.errstate(over="ignore", invalid="ignore"):
        wrong = model.values(seen).astype("float64").max(-1) - true
        return float(np.sqrt(np.square(wrong[going]).mean()))


@functools.cache
def _truth(env, gamma, best, followed):
    """What is seen of each state, what it is worth, and whether it is one from which an episode goes on."""
    world = envs.make(env).unwrapped
    seen = np.arange(len(world.P), dtype="int32") if world.features is None else world.features
    # On the star and the spiral nothing is paid: any policy is worth the same.
    policy = followed or np.full(world.action_space.n, 1 / world.action_space.n)
    true = true_values.optimal(env, gamma).max(1) if best else true_values.of_policy(env, policy, gamma)
    return seen, true, true_values.tables(env)[0].any((1, 2))


def verdict(cell, found):
    """What was seen, in words.

    Args:
        cell: a `zoo.convergence_cells.Cell`.
        found: its `Found`.

    Returns:
        "diverges" or "converges" by the error at the end; "stays away" where it is neither near nor far. For returns
        "learns", "learns, forgets" or "does not learn", with the share of best actions that still change.
    """
    curve, quarter = found.curve, max(1, len(found.curve) // 4)
    if cell.quantity == "error":
        if curve.max() > FAR * curve[0]:
            return "diverges"
        return "converges" if np.median(curve[-quarter:]) < NEAR * curve[0] else "stays away"
    # Means over tenths, above what it began with; a return of -1 a step is better where it is smaller.
    tenths = np.array([np.nanmean(part) for part in np.array_split(curve, min(10, len(curve)))])
    gain = tenths / tenths[0] if tenths[0] > 0 else tenths[0] / tenths
    seen = "learns" if gain[-1] > GAIN else "learns, forgets" if gain.max() > GAIN else "does not learn"
    return f"{seen}, {found.changed:.0%} of actions change"
