"""Ends a training at a target, after a time, or after a number of steps."""

import math
import time

import keras
from keras import ops

from callbacks import common


class StopAt(keras.callbacks.Callback):
    """Stops training at the first of: a metric's target, a time budget, a number of optimizer steps.

    The metric is looked at when an epoch ends, where it stands for the whole of it; time and steps at the end of each
    execution, inside epochs too. A stop inside an epoch ends that epoch: it is validated and recorded as any other.

    Args:
        monitor: what is measured, by the name it has in `History`: `"val_accuracy"`; with a `target`.
        target: the value that is enough.
        mode: whether less is better (`"min"`) or more (`"max"`); `"auto"` knows it of losses and Keras' metrics.
        seconds: budget of wall-clock time inside epochs, their validation included, above 0. After a checkpoint it
            goes on with what was left. It is exceeded by no more than one execution, or the validation.
        steps: optimizer steps of this training, at least 1; exact: refused where an execution would run beyond them.

    Attributes:
        reason: a sentence that says why training was stopped, or None.
        spent: seconds of the budget that are used.

    Raises:
        ValueError: an argument outside its range, or none; when training begins: `steps_per_execution` does not divide
            `steps` and the steps of an epoch; at the end of the first epoch: a monitor that was not measured, or whose
            direction cannot be told.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> stop = StopAt(monitor="loss", target=0.0, steps=5)
        >>> history = model.fit(np.ones((4, 2)), np.ones((4, 1)), batch_size=2, epochs=9, verbose=0, callbacks=[stop])
        >>> len(history.epoch), stop.reason
        (3, '5 steps were taken')
    """

    def __init__(self, monitor=None, target=None, mode="auto", seconds=None, steps=None):
        super().__init__()
        common.check_mode(mode)
        if (monitor is None) != (target is None):
            raise ValueError(f"monitor and target go together. Received: monitor={monitor!r}, target={target!r}")
        if monitor is None and seconds is None and steps is None:
            raise ValueError("StopAt needs something to stop at: monitor and target, seconds, or steps")
        if seconds is not None and not seconds > 0:
            raise ValueError(f"seconds must be above 0. Received: seconds={seconds!r}")
        if steps is not None:
            common.check_count("steps", steps)
        self.monitor = monitor
        self.target = target
        self.mode = mode
        self.seconds = seconds
        self.steps = steps
        self.reason = None
        self.spent = 0.0

    def on_train_begin(self, logs=None):
        self.reason = None
        self.spent = 0.0
        self._first = common.steps_done(self.model)
        if self.steps is not None:
            self._check_execution()

    def on_epoch_begin(self, epoch, logs=None):
        self._looked = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self._look_at_clock()
        if self.steps is not None and common.steps_done(self.model) - self._first >= self.steps:
            self._stop(f"{self.steps} steps were taken")

    def on_epoch_end(self, epoch, logs=None):
        self._look_at_clock()
        if self.monitor is not None:
            value = common.monitored(self, logs or {})
            if self._reached(value):
                self._stop(f"{self.monitor} reached {self.target:g} in epoch {epoch + 1}: it is {value:.6g}")

    def get_state(self):
        """What a checkpoint needs."""
        return {"reason": self.reason, "spent": self.spent, "first": self._first}

    def set_state(self, state):
        """Puts back what `get_state` gave, after `on_train_begin`."""
        self.reason, self.spent, self._first = state["reason"], state["spent"], state["first"]

    def _look_at_clock(self):
        now = time.monotonic()
        self.spent += now - self._looked
        self._looked = now
        if self.seconds is not None and self.spent >= self.seconds:
            self._stop(f"the budget of {self.seconds:g} s is used")

    def _stop(self, reason):
        self.reason = self.reason or reason
        self.model.stop_training = True

    def _reached(self, value):
        judge = keras.callbacks.EarlyStopping(self.monitor, mode=self.mode)
        judge.set_model(self.model)
        judge._set_monitor_op()
        if math.isnan(value):
            return False
        return value <= self.target if judge.monitor_op is ops.less else value >= self.target

    def _check_execution(self):
        together, of_epoch = self.model.steps_per_execution, self.params["steps"]
        if together == 1:
            return
        if of_epoch is None or of_epoch % together or self.steps % together:
            raise ValueError(
                f"training cannot stop after exactly {self.steps} steps: executions of {together} steps would run "
                f"beyond. steps_per_execution must divide them and the steps of an epoch "
                f"({'unknown: pass steps_per_epoch' if of_epoch is None else of_epoch}); 1 always works"
            )
