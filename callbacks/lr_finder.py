"""The learning-rate range test."""

import math

import keras
import numpy as np
from keras import ops

from callbacks import layers


class LRFinder(keras.callbacks.Callback):
    """Tries every learning rate from tiny to huge on a few batches each, and suggests one.

    The range test of Smith 2017 (Cyclical learning rates for training neural networks, section 3.3), with the rate
    rising by the same factor from step to step, and the loss of each batch in the place of the accuracy. Training stops
    where the loss diverges. Behind it weights, batch-norm statistics, random seeds and the optimizer are, bit for bit,
    what they were before; metrics of these epochs are those of their last batch.

    Ctrl-C skips Keras' `on_train_end`: call `restore()` after it.

    Args:
        low, high: the first and the last rate, above 0.
        steps: number of training steps from one to the other. Give `fit` at least as many, if need be in several
            epochs; it stops by itself.
        smoothing: share of the old in the running mean of the losses, at least 0 and below 1. The mean is corrected for
            its start (Kingma and Ba 2015, section 3), and stands at the mean of its rates, on the log scale, weighted
            as its losses are: otherwise it would lag behind and everything read off it be too high.
        divergence: training stops when the mean is above so many times the lowest one so far; above 1. It is heeded
            after 1 / (1 - smoothing) steps, when the mean has become one; a loss that is no number stops at once.

    Attributes:
        rates, losses: the rate of each step, and the loss of its batch.
        smoothed: a pair of arrays, rates and running means.
        suggestion: the rate at which the running mean falls most steeply, on the log scale of rates, before its
            lowest point; None when it falls nowhere.
        tenth: a tenth of the rate at the lowest running mean, a more careful rule of thumb; or None.

    Raises:
        ValueError: an argument outside its range; or, when training begins: an optimizer that carries a schedule, a
            model without weights, more than one step an execution, or fewer steps than the test takes.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(), "mse")
        >>> x = np.random.default_rng(0).normal(size=(320, 2))
        >>> finder = LRFinder(low=1e-4, high=10.0, steps=50)
        >>> history = model.fit(x, x @ [[1.0], [2.0]], batch_size=32, epochs=5, verbose=0, callbacks=[finder])
        >>> 0.01 < finder.suggestion < 1.0
        True
    """

    def __init__(self, low=1e-6, high=10.0, steps=100, smoothing=0.9, divergence=4.0):
        super().__init__()
        if not 0 < low < high < math.inf:
            raise ValueError(f"the rates rise from low, above 0, to high. Received: low={low!r}, high={high!r}")
        if not isinstance(steps, int) or steps < 2:
            raise ValueError(f"the test takes a whole number of steps of at least 2. Received: steps={steps!r}")
        if not 0 <= smoothing < 1:
            raise ValueError(f"smoothing is at least 0 and below 1. Received: smoothing={smoothing!r}")
        if divergence <= 1:
            raise ValueError(f"divergence is a factor above 1. Received: divergence={divergence!r}")
        self.low = low
        self.high = high
        self.steps = steps
        self.smoothing = smoothing
        self.divergence = divergence
        self._forget()

    def on_train_begin(self, logs=None):
        model = self.model
        if not isinstance(getattr(model.optimizer, "learning_rate", None), keras.Variable):
            raise ValueError("the optimizer has no learning rate that can be set. Compile with a float, not a schedule")
        if not model.built:
            raise ValueError("the model has no weights yet that could be put back. Give it an Input, or call it once")
        if model.steps_per_execution != 1:
            raise ValueError(
                "every step has a rate of its own: compile with steps_per_execution=1. "
                f"Received: steps_per_execution={model.steps_per_execution}"
            )
        epoch = self.params["steps"]
        if epoch is not None and epoch * self.params["epochs"] < self.steps:
            raise ValueError(
                f"the test takes {self.steps} steps, but the fit has {self.params['epochs']} epochs of {epoch}. "
                f"Pass epochs={math.ceil(self.steps / epoch)}"
            )
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        self._forget()
        optimizers = layers.optimizers(model)
        variables = [variable for owner in (model, *optimizers) for variable in owner.variables]
        self._before = [(variable, np.array(ops.convert_to_numpy(variable.value))) for variable in variables]

    def on_train_batch_begin(self, batch, logs=None):
        # What Keras logs is a mean over the epoch: begun anew, it is the batch's own loss.
        self.model.reset_metrics()
        self.model.optimizer.learning_rate = self._rate()

    def on_train_batch_end(self, batch, logs=None):
        if keras.backend.backend() == "jax":
            # There the variables of a training live outside the model until someone asks for them.
            self.model.jax_state_sync()
        rate = self._rate()
        if not math.isclose(ops.convert_to_numpy(self.model.optimizer.learning_rate), rate, rel_tol=1e-6):
            self.restore()
            raise ValueError("something else sets the learning rate too: run the test without schedules")
        self.rates.append(rate)
        self.losses.append(float(logs["loss"]))
        if len(self.losses) == self.steps or self._diverged():
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.restore()

    def restore(self):
        """Puts back all that training has changed; done at the end of training, harmless when done again."""
        for variable, value in self._before:
            variable.assign(value)
        self._before = []

    @property
    def smoothed(self):
        centres, means = _running_mean(np.log(self.rates), self.smoothing), _running_mean(self.losses, self.smoothing)
        return np.exp(centres), means

    @property
    def suggestion(self):
        lowest = self._lowest()
        if lowest is None:
            return None
        rates, means = (values[: lowest + 1] for values in self.smoothed)
        slopes = np.gradient(means, np.log(rates))[self._filled :]
        return float(rates[self._filled + np.argmin(slopes)])

    @property
    def tenth(self):
        lowest = self._lowest()
        return None if lowest is None else float(self.smoothed[0][lowest]) / 10

    def figure(self):
        """Draws loss against rate: each batch's, the running mean, and the rates that the two rules suggest.

        Returns:
            A matplotlib figure.
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6.4, 4.0), layout="constrained")
        FigureCanvasAgg(figure)
        axis = figure.add_subplot()
        axis.plot(self.rates, self.losses, ".", color="tab:blue", alpha=0.3, label="batch")
        axis.plot(*self.smoothed, color="tab:blue", label="running mean")
        lowest = self._lowest()
        if lowest is not None:
            axis.axvline(self.suggestion, color="tab:red", label=f"steepest descent: {self.suggestion:.2g}")
            axis.axvline(self.tenth, color="gray", linestyle="--", label=f"lowest point / 10: {self.tenth:.2g}")
            # Where the loss diverges it leaves every scale.
            means = self.smoothed[1][: lowest + 1]
            room = 0.3 * (means.max() - means.min())
            axis.set_ylim(means.min() - room, means.max() + room)
        axis.set_xscale("log")
        axis.set_xlabel("learning rate")
        axis.set_ylabel("loss")
        axis.grid(alpha=0.3)
        axis.legend()
        return figure

    @property
    def _filled(self):
        """The first step whose running mean is one over as many losses as it remembers."""
        return round(1 / (1 - self.smoothing)) - 1

    def _rate(self):
        """The rate of the step that comes next."""
        return self.low * (self.high / self.low) ** (len(self.rates) / (self.steps - 1))

    def _lowest(self):
        """The place of the lowest running mean, or None if it is the first: the loss falls nowhere."""
        means = self.smoothed[1][self._filled :]
        finite = means[: np.isfinite(means).sum()]
        return self._filled + int(finite.argmin()) if finite.size and finite.argmin() > 0 else None

    def _diverged(self):
        means = self.smoothed[1]
        if not np.isfinite(means[-1]):
            return True
        best = means[self._filled :].min(initial=np.inf)
        return means[-1] > best + (self.divergence - 1) * abs(best)

    def _forget(self):
        self.rates, self.losses, self._before = [], [], []


def _running_mean(values, smoothing):
    """The exponentially weighted mean up to each value, corrected for its start."""
    mean, means = 0.0, []
    for count, one in enumerate(values, start=1):
        mean = smoothing * mean + (1 - smoothing) * one
        means.append(mean / (1 - smoothing**count))
    return np.array(means)
