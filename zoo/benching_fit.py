"""The callback with which `zoo bench` times training."""

import time

import keras


class Rounds(keras.callbacks.Callback):
    """Examples a second of some rounds, behind which it ends the fit.

    The first two calls into the graph are left out: they compile.

    Args:
        size: examples of a step.
        seconds: of a round, which is at least one call.
        count: rounds.

    Attributes:
        rates: examples a second of each round.
    """

    def __init__(self, size, seconds, count):
        super().__init__()
        self.size, self.seconds, self.count = size, seconds, count
        self.calls = self.since = 0
        self.rates = []

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        self.calls += 1
        if self.calls <= 2:
            self.began = now
            return
        self.since += self.model.steps_per_execution * self.size
        if now - self.began >= self.seconds:
            self.rates.append(self.since / (now - self.began))
            self.began, self.since = now, 0
            self.model.stop_training = len(self.rates) == self.count
