"""What proposes values: keras-tuner's oracles, each of which begins with the recipe's own defaults."""

import functools

import keras_tuner

from zoo.errors import ZooError, choose


def _from_defaults(oracle):
    class FromDefaults(oracle):
        """The oracle, its first trial the defaults: a search shows what it gains, and loses nothing."""

        def _random_values(self):
            if not self.start_order:
                return {hp.name: hp.default for hp in self.hyperparameters.space}
            return super()._random_values()

    return FromDefaults


class Grid(keras_tuner.oracles.GridSearchOracle):
    """keras-tuner's oracle, which forgets in its saved state where in the grid it was."""

    def set_state(self, state):
        super().set_state(state)
        order = functools.cmp_to_key(
            lambda a, b: self._compare(*(self.trials[i].hyperparameters.values for i in (a, b)))
        )
        for trial in sorted(self.start_order, key=order):
            self._ordered_ids.insert(trial)
            self._populate_next.append(trial)


ORACLES = {
    "random": keras_tuner.oracles.RandomSearchOracle,
    "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    "hyperband": keras_tuner.oracles.HyperbandOracle,
    "grid": Grid,
}


def space(search, fixed, name):
    """The space that a recipe's `search(hp)` spans.

    Args:
        search: the function, or None.
        fixed: hyper-parameters that the user gave, which are not searched.
        name: the recipe's name, for messages.

    Returns:
        A `keras_tuner.HyperParameters`.

    Raises:
        ZooError: there is no such function, or nothing is left to search.
    """
    if not callable(search):
        raise ZooError(f"{name} has no function search(hp) that says what to search: see any recipe of the zoo")
    found = keras_tuner.HyperParameters()
    for key, value in fixed.items():
        if isinstance(value, bool | int | float | str):
            found.Fixed(key, value)
    proposed = search(found)
    if not isinstance(proposed, dict):
        raise ZooError(f"search(hp) of {name} must return a dict of hyper-parameters. It returned {proposed!r}")
    if not any(key not in fixed for key in proposed):
        raise ZooError(f"all that {name} searches is given: {', '.join(fixed)}. Nothing is left to search")
    return found


def scales(found):
    """How each hyper-parameter is sampled, by its name: `"log"`, `"linear"` or `"choice"`; fixed ones are left out."""
    kinds = {hp.name: hp for hp in found.space if not isinstance(hp, keras_tuner.engine.hyperparameters.Fixed)}
    return {name: _scale(hp) for name, hp in kinds.items()}


def _scale(hp):
    sampling = getattr(hp, "sampling", None)
    return "choice" if sampling is None else "linear" if sampling == "linear" else "log"


def make(tuner, hyperparameters, objective, trials, epochs, seed):
    """An oracle.

    Args:
        tuner: `"random"`, `"bayesian"`, `"hyperband"` or `"grid"`.
        hyperparameters: a `keras_tuner.HyperParameters`.
        objective: pair of a quantity's name and `"max"` or `"min"`.
        trials: how many at most; None leaves it to Hyperband, or to the grid.
        epochs: epochs of a whole run.
        seed: whole number of at least 0.

    Returns:
        A `keras_tuner.Oracle`.
    """
    choose("tuner", tuner, tuple(ORACLES))
    options = {"max_epochs": epochs} if tuner == "hyperband" else {"max_trials": trials}
    oracle = _from_defaults(ORACLES[tuner])(
        objective=keras_tuner.Objective(*objective),
        hyperparameters=hyperparameters,
        seed=seed + 1,  # 0 would draw one by chance
        # A search goes on whatever fails: what ends it is decided by the worker, which can say why.
        max_consecutive_failed_trials=10**9,
        **options,
    )
    oracle.max_trials = trials
    oracle.verbose = 0
    return oracle


def count(oracle):
    """How many trials there will be at most, or None where that is not known before."""
    if oracle.max_trials:
        return oracle.max_trials
    if isinstance(oracle, keras_tuner.oracles.HyperbandOracle):
        brackets = range(oracle._get_num_brackets())
        return sum(oracle._get_size(b, r) for b in brackets for r in range(oracle._get_num_rounds(b)))
    return None
