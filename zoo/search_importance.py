"""How much each hyper-parameter mattered in a search: what shuffling its values costs a random forest."""

import math
from typing import NamedTuple

import numpy as np

from zoo.errors import choose

# Fewer complete trials than this say nothing of importance.
LEAST = 10
FORESTS, TREES = 10, 50


class Importances(NamedTuple):
    """What forests learned of the trials of a search.

    Args:
        shares: a dict from hyper-parameter to its importance, mean and deviation over forests; largest first.
        explained: the share of the variance that the forests foretell of trials that they did not see (R squared): at
            about 0 or below, the shares mean nothing.
        trials: how many trials they learned from.
    """

    shares: dict
    explained: float
    trials: int


def importances(trials, objective, seed=0):
    """How much each hyper-parameter mattered.

    The importance is the total-effect index of Sobol in Jansen's form, estimated by permutation (Breiman 2001, Random
    forests, section 10): half of what shuffling the hyper-parameter's values over the trials adds to a random forest's
    squared error, as a share of the variance. About 1: the outcome follows from it alone; about 0: noise. The shares
    of hyper-parameters that act together sum to more than 1. Each tree is asked about trials that it did not see, so
    that noise earns nothing, and of scores the ranks are learned, so that one very bad trial does not outweigh the
    differences between good ones. A trial without a score is ranked behind all others.

    Args:
        trials: a list of dicts with `values` (a dict from hyper-parameter to a number, string or bool; where one is
            missing, that trial did not have it), `score` (a float or None) and `status` (`"complete"`, `"stopped"` or
            `"failed"`).
        objective: the score's name and direction, such as `("val_accuracy", "max")`.
        seed: of forests and permutations.

    Returns:
        A dict from hyper-parameter to (mean, deviation) over 10 forests, largest first; None where fewer than 10
        trials are complete.

    Raises:
        ZooError: a direction that is neither `"max"` nor `"min"`.

    Example:
        >>> trials = [
        ...     {"values": {"rate": i / 40, "width": i * 7 % 40}, "score": abs(i / 40 - 0.5), "status": "complete"}
        ...     for i in range(40)
        ... ]
        >>> [name for name, (mean, deviation) in importances(trials, ("val_loss", "min")).items() if mean > 0.1]
        ['rate']
    """
    found = measure(trials, objective, seed)
    return None if found is None else found.shares


def measure(trials, objective, seed=0):
    """As `importances`, and how far the forests can be believed.

    Returns:
        `Importances`, or None where fewer than 10 trials are complete.
    """
    choose("the objective's direction", objective[1], ("max", "min"))
    if sum(trial["status"] == "complete" and scored(trial) for trial in trials) < LEAST:
        return None
    names = list(dict.fromkeys(name for trial in trials for name in trial["values"]))
    blocks = [_encoded([trial["values"].get(name) for trial in trials]) for name in names]
    ranks = _ranks(trials, objective[1])
    generator = np.random.default_rng(seed)
    runs = [_forest(blocks, ranks, generator) for _ in range(FORESTS)]
    added = np.array([each for each, _ in runs])
    means, deviations = added.mean(0), added.std(0, ddof=1)
    order = np.argsort(-means, kind="stable")
    shares = {names[i]: (float(means[i]), float(deviations[i])) for i in order}
    return Importances(shares, float(np.mean([explained for _, explained in runs])), len(trials))


def scored(trial):
    """Whether a trial has a score that is a number."""
    return trial["score"] is not None and math.isfinite(trial["score"])


def numeric(values):
    """Whether values of a hyper-parameter are numbers, None apart; a bool is none."""
    given = [value for value in values if value is not None]
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in given)


def _encoded(values):
    """A column of numbers, NaN where there is none, or a column for each category."""
    if numeric(values):
        return np.array([[math.nan if value is None else value] for value in values], np.float64)
    categories = dict.fromkeys(values)
    return np.array([[value == category for category in categories] for value in values], np.float64)


def _ranks(trials, direction):
    """Ranks from 1, the best last; equal scores share the mean of theirs."""
    from scipy.stats import rankdata

    sign = 1 if direction == "max" else -1
    return rankdata([sign * trial["score"] if scored(trial) else -math.inf for trial in trials])


def _forest(blocks, ranks, generator):
    """One forest: what each permuted block adds to its error on trials not seen, and what it explains of those."""
    from sklearn.ensemble import RandomForestRegressor

    count, variance = len(ranks), ranks.var()
    if not variance:
        return np.zeros(len(blocks)), 0.0
    whole = np.concatenate(blocks, axis=1)
    forest = RandomForestRegressor(TREES, random_state=int(generator.integers(2**31))).fit(whole, ranks)
    # All columns as they are, and once for each block, its rows shuffled.
    asked = [whole]
    for index, block in enumerate(blocks):
        shuffled = block[generator.permutation(count)]
        asked.append(np.concatenate([*blocks[:index], shuffled, *blocks[index + 1 :]], axis=1))
    asked = np.stack(asked)
    sums, trees = np.zeros((len(asked), count)), np.zeros(count)
    for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        unseen = np.setdiff1d(np.arange(count), drawn)
        if unseen.size:
            told = tree.predict(asked[:, unseen].reshape(-1, whole.shape[1]))
            sums[:, unseen] += told.reshape(len(asked), -1)
            trees[unseen] += 1
    judged = trees > 0
    errors = np.square(sums[:, judged] / trees[judged] - ranks[judged]).mean(1)
    return (errors[1:] - errors[0]) / (2 * variance), 1 - errors[0] / variance
