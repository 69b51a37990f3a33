"""Early stopping as the textbook has it: evaluate, remember the best weights, be patient, give them back."""

import math

import keras

from callbacks import common


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Stops when the validation error has stopped falling, and gives back the weights with which it was lowest.

    Goodfellow, Bengio and Courville 2016, algorithm 7.1. It differs from Keras' callback in this: it can evaluate each
    n steps; the best weights are given back by default; it counts the optimizer steps to them, after which a training
    on all data can stop (algorithm 7.2); a monitor that is not there is an error; NaN is never an improvement;
    patience counts in the first epoch, and while a baseline is not reached, too; and its state survives a checkpoint.

    The weights are all that the model saves: moving statistics of batch normalisation are among them. They are given
    back when training ends, also when it ran through all its epochs.

    Args:
        monitor: what is measured, by the name it has in `History`: `"val_loss"`.
        min_delta: a smaller change than this is no improvement; in the unit of `monitor`, at least 0.
        patience: evaluations in a row without improvement after which training stops, at least 1.
        verbose: 1 prints when training is stopped and what is given back.
        mode: whether less is better (`"min"`) or more (`"max"`); `"auto"` knows it of losses and Keras' metrics.
        baseline: patience runs down until this value is improved upon.
        restore_best_weights: whether the model gets the best weights; without it, it keeps the last.
        start_from_epoch: what is measured in earlier epochs (counted from 0) is not looked at.
        every: evaluate after each so many optimizer steps, instead of at the end of epochs. With more than one step an
            execution: at the first end of an execution at or after each multiple. What is measured inside an epoch does
            not touch the epoch's own metrics. Steps behind the last multiple are not evaluated.
        data: with `every`, the validation data: what `Model.evaluate` takes, or a function that returns it.
        ties: which of equally good weights are given back: the `"first"`, or the `"last"`, for measures with a largest
            value, such as the return of a game, which an agent reaches before it is sure of it. Patience is not
            renewed by a tie.

    Attributes:
        best: the best value; None before the first evaluation.
        best_step: optimizer steps of this training up to the best weights; in the history of each epoch too.
        best_epoch: the epoch they are of, counted from 0.
        evaluations: a list of `[step, value]`.

    Raises:
        ValueError: an argument outside its range; at the first evaluation: a monitor that was not measured, or whose
            direction cannot be told.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        >>> model.compile(keras.optimizers.SGD(0.1), "mse")
        >>> model.set_weights([np.zeros((1, 1))])
        >>> x = np.ones((4, 1), "float32")
        >>> stop = EarlyStopping(patience=2, every=2, data=(x, x / 4))  # trained towards 1, valid is 1/4
        >>> history = model.fit(x, x, batch_size=1, epochs=10, verbose=0, callbacks=[stop])
        >>> stop.best_step, [step for step, value in stop.evaluations], round(float(model.get_weights()[0][0, 0]), 2)
        (2, [2, 4, 6], 0.36)
    """

    def __init__(
        self,
        monitor="val_loss",
        min_delta=0,
        patience=1,
        verbose=0,
        mode="auto",
        baseline=None,
        restore_best_weights=True,
        start_from_epoch=0,
        every=None,
        data=None,
        ties="first",
    ):
        if ties not in ("first", "last"):
            raise ValueError(f"ties must be 'first' or 'last'. Received: ties={ties!r}")
        common.check_mode(mode)
        common.check_count("patience", patience)
        if min_delta < 0:
            raise ValueError(f"min_delta must be at least 0. Received: min_delta={min_delta!r}")
        if (every is None) != (data is None):
            raise ValueError(
                f"every and data go together: data is evaluated after each so many steps; without both, the validation "
                f"of fit is looked at. Received: every={every!r}, data={'None' if data is None else 'something'}"
            )
        if every is not None:
            common.check_count("every", every)
        super().__init__(monitor, min_delta, patience, verbose, mode, baseline, restore_best_weights, start_from_epoch)
        self.every = every
        self.data = data
        self.ties = ties
        self.best_step = self.best_epoch = None
        self.evaluations = []

    def on_train_begin(self, logs=None):
        super().on_train_begin()
        self.best_step = self.best_epoch = None
        self.evaluations = []
        self._first = common.steps_done(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._seen = self._steps()

    def on_train_batch_end(self, batch, logs=None):
        if self.every is None:
            return
        before, self._seen = self._seen, self._steps()
        if self._seen // self.every > before // self.every and self._epoch >= self.start_from_epoch:
            self._judge(self._evaluate())

    def on_epoch_end(self, epoch, logs=None):
        if self.every is None:
            self._judge(logs or {})
        if logs is not None and self.best_step is not None:
            logs["best_step"] = self.best_step

    def get_state(self):
        """Everything that a checkpoint needs, as plain values and arrays."""
        return {name: getattr(self, name) for name in _STATE}

    def set_state(self, state):
        """Puts back what `get_state` gave, after `on_train_begin`."""
        for name in _STATE:
            setattr(self, name, state[name])

    def _steps(self):
        return common.steps_done(self.model) - self._first

    def _judge(self, logs):
        value = common.monitored(self, logs)
        if self.monitor_op is None:
            self._set_monitor_op()
        if self._epoch < self.start_from_epoch:
            return
        step = self._steps()
        self.evaluations.append([step, value])
        self.wait += 1
        improved = self._is_improvement(value, self.best)
        if improved or (self.ties == "last" and value == self.best):
            self.best, self.best_step, self.best_epoch = value, step, self._epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if improved and (self.baseline is None or self._is_improvement(value, self.baseline)):
                self.wait = 0
        if self.wait >= self.patience:
            self.stopped_epoch = self._epoch
            self.model.stop_training = True

    def _is_improvement(self, monitor_value, reference_value):
        return not math.isnan(monitor_value) and bool(super()._is_improvement(monitor_value, reference_value))

    def _evaluate(self):
        """Evaluates in the middle of an epoch, whose sums the metrics hold: they are set aside meanwhile."""
        variables = self.model.metrics_variables
        held = [variable.numpy() for variable in variables]
        x, y, weight = common.opened(self.data)
        scores = self.model.evaluate(x, y, sample_weight=weight, return_dict=True, verbose=0)
        for variable, value in zip(variables, held, strict=True):
            variable.assign(value)
        return {f"val_{name}": value for name, value in scores.items()}


# Not min_delta, whose sign Keras turns at the first evaluation of each object.
_STATE = (
    "wait",
    "best",
    "best_step",
    "best_epoch",
    "best_weights",
    "stopped_epoch",
    "evaluations",
    "_first",
)
