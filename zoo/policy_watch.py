"""Watching an agent while it learns: a word when its policy collapses, and how often it did, in the logs."""

import math

from zoo.errors import ZooError, require
from zoo.telling import Telling


class PolicyWatch(Telling):
    """Says in a line when a policy has collapsed, and counts it.

    A policy has collapsed when the return of evaluation has fallen below the midpoint between its worst and its best
    epoch so far, and stays there for `patience` epochs. It is said once, and again after the midpoint was reached
    again; not where fit is silent (`verbose=0`). `collapses`, how many there were, goes into the logs, and from there
    into the history: a study counts the seeds that fell. Stand behind the callback that acts, whose logs are read.

    The line names what may have done it, where that was low when the fall began. A good policy hardly fails, so that
    the memory runs out of failures and the values of what leads to them are forgotten: `failures`, the share of
    transitions that end an episode, is less than `rare` of its largest value. Or the best action is hardly worth more
    than the others, and the slightest change of the network chooses another one: `action_gap` is less than `close` of
    the absolute value of `q`. Neither shows in the loss.

    Args:
        monitor: name of the return in the logs.
        patience: epochs in a row, an integer >= 1.
        least: 0 <= number <= 1. As long as the best and the worst epoch differ by less than this share of the larger
            one's absolute value, nothing was learned that could collapse.
        rare, close: 0 <= number <= 1.

    Attributes:
        collapses: list of `[epoch, line]`, epochs counted from 1: when each was noticed, and what was said.

    Raises:
        ZooError: a number out of range; when an epoch ends: a return that is not in the logs.

    Example:
        >>> watch = PolicyWatch(patience=2)
        >>> for epoch, value in enumerate([10.0, 200.0, 500.0, 9.0, 11.0]):
        ...     watch.on_epoch_end(epoch, {"val_return": value, "failures": 0.05 if epoch < 2 else 0.001})
        >>> watch.collapses[0][0]
        5
    """

    kept = ("_best", "_worst", "_most", "_low", "_causes")

    def __init__(self, monitor="val_return", patience=3, least=0.25, rare=0.1, close=0.01):
        super().__init__()
        whole = isinstance(patience, int) and not isinstance(patience, bool) and patience >= 1
        require(whole, "patience", patience, "an integer >= 1")
        for name, value in (("least", least), ("rare", rare), ("close", close)):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            require(number and 0 <= value <= 1, name, value, f"a number in 0 <= {name} <= 1")
        self.monitor = monitor
        self.patience = patience
        self.least = least
        self.rare = rare
        self.close = close
        self._start()

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        if self.monitor not in logs:
            raise ZooError(
                f"there is no {self.monitor!r} in the logs: PolicyWatch needs validation in each epoch. "
                f"Logged: {', '.join(logs) or 'nothing'}"
            )
        value = float(logs[self.monitor])
        if math.isfinite(value):
            self._look(epoch + 1, value, logs)
        logs["collapses"] = float(len(self.collapses))

    def _start(self):
        super()._start()
        self._best = self._worst = None  # pairs of return and epoch
        self._most = 0.0  # failures
        self._low = 0  # epochs in a row below the midpoint
        self._causes = []

    def _look(self, epoch, value, logs):
        if self._best is None or value > self._best[0]:
            self._best = [value, epoch]
        if self._worst is None or value < self._worst[0]:
            self._worst = [value, epoch]
        self._most = max(self._most, logs.get("failures", 0.0))
        best, worst = self._best[0], self._worst[0]
        learned = best - worst >= self.least * max(abs(best), abs(worst))
        self._low = self._low + 1 if learned and value < (best + worst) / 2 else 0
        if self._low == 1:
            self._causes = self._seen(logs)
        if self._low == self.patience:
            line = f"Policy collapse in epoch {epoch}: return {value:.4g}, it was {best:.4g} in epoch {self._best[1]}"
            self.collapses.append([epoch, "; ".join([line, *self._causes])])

    def _seen(self, logs):
        """What may have been the cause, in words."""
        causes = []
        failures, gap, q = (logs.get(name) for name in ("failures", "action_gap", "q"))
        if failures is not None and failures < self.rare * self._most:
            causes.append(f"the memory ran out of failures ({100 * failures:.2g} % of its transitions end an episode)")
        if gap is not None and q is not None and gap < self.close * abs(q):
            causes.append(f"the best action is worth hardly more than the next (gap {gap:.2g}, value {q:.3g})")
        return causes
