"""What callbacks have in common that notice a collapse: each is said in a line, once, and survives a checkpoint."""

import keras


class Telling(keras.callbacks.Callback):
    """A callback that says between epochs what it noticed, and not where fit is silent (`verbose=0`).

    A class of its own names in `kept` the attributes that a checkpoint needs beside these, sets them in `_start`, and
    appends to `collapses`.

    Attributes:
        collapses: list of `[epoch, line]`, epochs counted from 1.
    """

    kept = ()

    def on_train_begin(self, logs=None):
        self._start()

    def on_epoch_begin(self, epoch, logs=None):
        # Not when it is found: the line of the epoch's progress is not ended there.
        self._tell()

    def on_train_end(self, logs=None):
        self._tell()

    def get_state(self):
        """For a checkpoint: what was noticed and said so far."""
        return {name: getattr(self, name) for name in ("collapses", "_told", *self.kept)}

    def set_state(self, state):
        """Puts back what `get_state` gave, after `on_train_begin`."""
        for name, value in state.items():
            setattr(self, name, value)

    def _start(self):
        self.collapses = []
        self._told = 0

    def _tell(self):
        if self.params.get("verbose", 1):
            for _, line in self.collapses[self._told :]:
                print(line)
        self._told = len(self.collapses)
