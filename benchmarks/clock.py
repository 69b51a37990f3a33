"""Callbacks that look into a `fit`, wherever that is called: at its epochs, and at its steps."""

import itertools
import time

import keras
from rounds import Meter


class Clock(keras.callbacks.Callback):
    """Measures whole epochs, the first one left out, and ends the training when it has measured for long enough.

    From one beginning to the next is all that an epoch costs: steps, logs, TensorBoard, checkpoint.

    Args:
        images: images an epoch.
        seconds: how long to measure; at least two epochs.

    Attributes:
        latest: class attribute, the clock that was made last: for callers who do not make it themselves.
    """

    latest = None

    def __init__(self, images, seconds):
        super().__init__()
        self.images = images
        self.seconds = seconds
        self.meter = Meter()
        self.begun = []
        Clock.latest = self

    def on_epoch_begin(self, epoch, logs=None):
        self.begun.append(time.perf_counter())
        if epoch == 1:
            self.meter.__enter__()
        if epoch >= 3 and self.begun[-1] - self.begun[1] > self.seconds:
            self.meter.__exit__()
            self.model.stop_training = True

    @property
    def rates(self):
        """Images a second of each epoch measured."""
        return [self.images / (after - before) for before, after in itertools.pairwise(self.begun[1:])]


class Steps(keras.callbacks.Callback):
    """Calls a function after every call into the graph, and ends the training when it returns False.

    Attributes:
        after: class attribute, the function, of the number of steps that the call took: for callers who do not make the
            callback themselves.
    """

    after = None

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = not Steps.after(self.model.steps_per_execution)
