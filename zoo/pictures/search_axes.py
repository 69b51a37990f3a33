"""The axes of a search's pictures: where values and scores stand on them, and the ticks beside."""

import math
from typing import NamedTuple

import numpy as np

from zoo.errors import choose, require
from zoo.search_importance import numeric, scored

SCALES = ("log", "linear", "choice")
# Scores further from the best than so many times the median's distance are drawn at the edge of the axis.
REACH = 4
# Lines that meet in one category are spread over this share of the space between two.
SPREAD = 0.3


class Axis:
    """One hyper-parameter: where its values stand, 0 to 1, and the ticks: a dict from place to text."""

    def __init__(self, name, values, scale):
        self.name = name
        self.values = values
        given = [value for value in values if value is not None]
        scale = choose(f"the scale of {name}", scale or ("linear" if numeric(given) else "choice"), SCALES)
        self.choices = None
        if scale == "choice" or not numeric(given):
            self.choices = sorted(set(given), key=lambda value: (isinstance(value, str), value))
            self.ticks = {self._of(index): str(value) for index, value in enumerate(self.choices)}
            return
        require(scale != "log" or min(given) > 0, f"values of {name} on a log scale", min(given), "above 0")
        self._on = math.log10 if scale == "log" else float
        self._low, self._high = self._on(min(given)), self._on(max(given))
        whole = all(isinstance(value, int) for value in given)
        self.ticks = {self._share(value): f"{value:.4g}" for value in _round(min(given), max(given), scale, whole)}

    def _of(self, index):
        return (index + 0.5) / len(self.choices)

    def _share(self, value):
        span = self._high - self._low
        return (self._on(value) - self._low) / span if span else 0.5

    def places(self, trials, objective):
        """Where each trial crosses the axis; NaN where it has no value."""
        if self.choices is None:
            return [math.nan if value is None else self._share(value) for value in self.values]
        found = [math.nan] * len(trials)
        for index, choice in enumerate(self.choices):
            here = [i for i, value in enumerate(self.values) if value == choice]
            here.sort(key=lambda i: goodness(trials[i], objective))
            for rank, i in enumerate(here):
                offset = rank / (len(here) - 1) - 0.5 if len(here) > 1 else 0.0
                found[i] = self._of(index) + SPREAD * offset / len(self.choices)
        return found


class Ends(NamedTuple):
    """Smallest and largest score on the axis, and whether a complete trial is worse than it shows."""

    low: float
    high: float
    cut: bool

    def height(self, trial):
        """Where a score stands, 0 to 1; NaN without one."""
        if not scored(trial):
            return math.nan
        return float(np.clip(self._share(trial["score"]), 0, 1))

    def ticks(self, direction):
        """A dict from place to text."""
        found = {self._share(value): f"{value:.4g}" for value in _round(self.low, self.high)}
        if self.cut:
            worst = 0.0 if direction == "max" else 1.0
            found[worst] = f"{'≤' if direction == 'max' else '≥'} {found[worst]}"
        return found

    def _share(self, value):
        return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5


def ends_of(trials, objective):
    """The ends of the complete trials' scores, or less where a few are far behind."""
    good = np.sort([goodness(t, objective) for t in trials if scored(t) and t["status"] == "complete"])
    if not good.size:
        good = np.sort([goodness(trial, objective) for trial in trials if scored(trial)])
    if not good.size:
        return Ends(0.0, 1.0, False)
    best, median = good[-1], np.median(good)
    # The axis ends at a score that a trial has.
    worst = good[np.searchsorted(good, best - REACH * (best - median))] if best > median else good[0]
    low, high = (worst, best) if objective[1] == "max" else (-best, -worst)
    return Ends(float(low), float(high), bool(worst > good[0]))


def goodness(trial, objective):
    """The score, the larger the better; without one the smallest."""
    if not scored(trial):
        return -math.inf
    return trial["score"] if objective[1] == "max" else -trial["score"]


def _round(low, high, scale="linear", whole=False):
    """Values for ticks between two ends, and the ends."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    if low == high:
        return [low]
    on = math.log10 if scale == "log" else float
    locator = LogLocator(numticks=8) if scale == "log" else MaxNLocator(5, integer=whole)
    span = on(high) - on(low)
    # What stands too near to an end makes room for it.
    between = [v for v in locator.tick_values(low, high) if low < v < high]
    between = [v for v in between if min(on(v) - on(low), on(high) - on(v)) > 0.07 * span]
    return [low, *between, high]
