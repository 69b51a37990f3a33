"""Tables of values that learn side by side from the same walks, for every lambda and learning rate at once.

Sutton, Barto 2018, Reinforcement learning, sections 12.1 (the off-line lambda-return algorithm) and 12.2 (TD(lambda)).
One agent is `zoo.q_learner.QLearner`; the study of many thousands of them is these few lines of arrays.
"""

import numpy as np

from zoo import envs
from zoo.errors import choose
from zoo.true_values import of_policy

ENV = "zoo/RandomWalk-v0?states=19"
EPISODES = 10


def walks(runs, episodes=EPISODES, env=ENV, seed=0):
    """Walks at random in an environment with a table of transitions, many times.

    Args:
        runs: number of walks, an integer >= 1.
        episodes: of each walk, an integer >= 1.
        env: the environment's name; what it does is certain but for the action.
        seed: integer.

    Returns:
        A dict of arrays (runs, steps), the episodes of a run one after another: `state` and `next`, integers; `reward`;
        `ended`, whether an episode ended with the step; `real`, False where the run was over before.

    Example:
        >>> found = walks(2, episodes=3)
        >>> (found["ended"] & found["real"]).sum(1).tolist()
        [3, 3]
    """
    world = envs.make(env).unwrapped
    actions, starts = int(world.action_space.n), world.initial_state_distrib
    outcomes = np.array([[world.P[state][action][0][1:] for action in range(actions)] for state in range(len(starts))])
    random = np.random.default_rng(seed)
    state, left, found = random.choice(len(starts), runs, p=starts), np.full(runs, episodes), []
    while left.any():
        after, reward, ended = outcomes[state, random.integers(0, actions, runs)].T
        after, ended = after.astype(int), ended.astype(bool)
        found.append((state, after, reward, ended, left > 0))
        left = left - (ended & (left > 0))
        state = np.where(ended, random.choice(len(starts), runs, p=starts), after)
    names = "state", "next", "reward", "ended", "real"
    return {name: np.stack(column, -1) for name, column in zip(names, zip(*found, strict=True), strict=True)}


def with_traces(walked, states, lambdas, rates, update="step", gamma=1.0):
    """The backward view: TD(lambda) with accumulating traces, as `QLearner` does it with `rule="evaluation"`.

    A trace depends on lambda, and not on the rate; so many rates cost little more than one.

    Args:
        walked: what `walks` gave.
        states: number of states.
        lambdas: numbers in 0..1.
        rates: learning rates.
        update: "step" or "episode", as in `QLearner.compile`: when its increments are added to the table.
        gamma: the discount.

    Yields:
        After each step the share of the work that is done, the runs whose episode ended with it, booleans (runs,), and
        the values (lambdas, rates, runs, states), to be read before the next.
    """
    lambdas, rates = np.asarray(lambdas, float), np.asarray(rates, float)[:, None]
    runs, steps = walked["state"].shape
    every = np.arange(runs)
    values = np.zeros((len(lambdas), len(rates), runs, states))
    late = choose("update", update, ("step", "episode")) == "episode"
    pending = np.zeros_like(values) if late else values
    traces = np.zeros((len(lambdas), 1, runs, states))
    for step in range(steps):
        state, after, reward, ended, real = (walked[name][:, step] for name in walked)
        traces *= gamma * lambdas[:, None, None, None]
        traces[:, :, every, state] += 1
        ahead = np.where(ended, 0, values[:, :, every, after])
        wrong = np.where(real, reward + gamma * ahead - values[:, :, every, state], 0)
        pending += (rates * wrong)[..., None] * traces
        traces[:, :, ended] = 0
        over = ended & real
        if late and over.any():
            values[:, :, over] += pending[:, :, over]
            pending[:, :, over] = 0
        yield (step + 1) / steps, over, values


def with_returns(walked, states, lambdas, rates, gamma=1.0):
    """The forward view: the off-line lambda-return algorithm (Sutton, Barto 2018, equation 12.4).

    When an episode has ended, each of its states in turn is moved towards its lambda-return, for which the values are
    those of the episode's beginning. A state that was met again is moved from where it then is; the sum of increments
    that `with_traces` adds at an episode's end moves it from where it was.

    Args:
        walked, states, lambdas, rates, gamma: see `with_traces`.

    Yields:
        The same, after each episode.
    """
    lambdas, rates = np.asarray(lambdas, float)[:, None, None], np.asarray(rates, float)[:, None]
    runs = len(walked["state"])
    every = np.arange(runs)
    values = np.zeros((len(lambdas), len(rates), runs, states))
    number = np.cumsum(walked["ended"], 1) - walked["ended"]
    episodes = int((walked["ended"] & walked["real"]).sum(1).max())
    for episode in range(episodes):
        inside = (number == episode) & walked["real"]
        first, lengths = inside.argmax(1), inside.sum(1)
        passed = []
        target = np.zeros(values.shape[:3])
        for back in range(1, lengths.max() + 1):
            # From its end, so that all runs' episodes are at their last step together.
            going = lengths >= back
            at = np.where(going, first + lengths - back, 0)
            state, after, reward, ended, _ = (walked[name][every, at] for name in walked)
            ahead = (1 - lambdas) * values[:, :, every, after] + lambdas * target
            target = reward + gamma * np.where(ended, 0, ahead)
            passed.append((going, state, target))
        for going, state, target in reversed(passed):
            now = values[:, :, every, state]
            values[:, :, every, state] = now + np.where(going, rates * (target - now), 0)
        yield (episode + 1) / episodes, lengths > 0, values


# How a panel of the study learns.
VIEWS = {
    "online": with_traces,
    "returns": with_returns,
    "offline": lambda *given: with_traces(*given, update="episode"),
}


def errors(walked, lambdas, rates, view="online", env=ENV, progress=None):
    """The error of the values over the first episodes, as the book measures it.

    Args:
        walked, lambdas, rates: see `with_traces`.
        view: "online" (TD(lambda)), "returns" (the off-line lambda-return algorithm) or "offline" (TD(lambda) whose
            increments are added up until the episode ends).
        env: the environment's name.
        progress: a function that is called with the share that is done, or None.

    Returns:
        An array (lambdas, rates): the root of the mean squared error over the states, averaged over the episodes, as it
        is after each, and over the runs. Infinite where the values grew without bound.
    """
    true = of_policy(env, (0.5, 0.5), 1.0)
    total, episodes = 0.0, walked["ended"][walked["real"]].sum()
    # Where the rate is far too large, values leave what a number can be.
    with np.errstate(over="ignore", invalid="ignore"):
        for share, over, values in VIEWS[choose("view", view, VIEWS)](walked, len(true), lambdas, rates):
            if over.any():
                wrong = (values[:, :, over] - true)[..., 1:-1]
                total = total + np.sqrt(np.square(wrong).mean(-1)).sum(-1)
            if progress:
                progress(share)
    return np.nan_to_num(total / episodes, nan=np.inf)
