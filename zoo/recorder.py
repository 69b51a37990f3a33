"""The callback that makes a run resumable: history, checkpoints, and the way back into both."""

import math
import signal
import threading
import time

import keras

from zoo import checkpoint, runs, state

# A checkpoint may cost at most this share of the time since the one before: tiny epochs are not all saved.
SHARE = 0.05


class Interrupted(KeyboardInterrupt):
    """Training was stopped by Ctrl-C; what was trained is saved up to the last checkpoint."""


class Recorder(keras.callbacks.Callback):
    """Writes `history.csv` and checkpoints at the end of epochs, and restores both when training begins.

    It stands behind all other callbacks: their `on_epoch_end` has run when it saves them, their `on_train_begin` has
    run when it restores them.

    Args:
        folder: the run folder.
        callbacks: the recipe's callbacks, whose state is saved.
        restored: a state that an earlier `Recorder` saved, or None.
        epochs: number of epochs of the whole training.
        begun: called before the first step, all functions made and all state restored.
        until: an epoch behind which training stops as after Ctrl-C, with a checkpoint; None goes on to the end.
    """

    def __init__(self, folder, callbacks, restored, epochs, begun=lambda: None, until=None):
        super().__init__()
        self.folder = folder
        self.holders = list(callbacks)
        self.restored = restored
        self.epochs = epochs
        self.begun = begun
        self.until = until
        self.rows = list(restored["rows"]) if restored else []
        self.seconds = restored["seconds"] if restored else 0.0
        self.stopped = bool(restored and restored["stopped"])
        self.interrupted = False
        self._cost = 0.0
        self._saved_at = time.monotonic()

    @property
    def initial_epoch(self):
        """Epochs that are complete."""
        return len(self.rows)

    def on_train_begin(self, logs=None):
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        if self.restored:
            state.restore(self.model, self.holders, self.restored["state"])
            runs.write_history(self.folder, self.rows)
            self.restored = None
        self._saved_at = time.monotonic()
        self._first = True

    def on_epoch_begin(self, epoch, logs=None):
        if self._first:
            # Here, not when training begins: a Schedule compiles the training function at its first epoch.
            self._first = False
            self.begun()
        self._epoch_began = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if self.interrupted:
            raise Interrupted

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.monotonic() - self._epoch_began
        self.seconds += seconds
        row = {"epoch": epoch + 1, **{key: float(value) for key, value in (logs or {}).items()}, "seconds": seconds}
        same = bool(self.rows) and list(row) == list(self.rows[0])
        self.rows.append(row)
        if same:
            runs.append_history(self.folder, row)
        else:
            runs.write_history(self.folder, self.rows)
        if self.until is not None and epoch + 1 >= self.until:
            self.interrupted = True
        last = self.model.stop_training or epoch + 1 == self.epochs or self.interrupted
        if not math.isfinite(row.get("loss", 0.0)):
            return  # the checkpoints before it are worth more
        if last or self._cost <= SHARE * (time.monotonic() - self._saved_at):
            self._save(epoch + 1)
        if self.interrupted and epoch + 1 < self.epochs and not self.model.stop_training:
            raise Interrupted

    def _save(self, epoch):
        began = time.monotonic()
        content = {
            "state": state.collect(self.model, self.holders),
            "rows": self.rows,
            "seconds": self.seconds,
            "stopped": bool(self.model.stop_training),
        }
        checkpoint.save(self.folder / "checkpoints", epoch, content)
        self._saved_at = time.monotonic()
        self._cost = self._saved_at - began


class finish_what_is_written:
    """While training, Ctrl-C waits for the step, and for a checkpoint that is being written; a second one does not.

    Args:
        recorder: the `Recorder` to tell.
    """

    def __init__(self, recorder):
        self.recorder = recorder
        self.before = None

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self.before = signal.signal(signal.SIGINT, self._stop)
        return self

    def __exit__(self, *failure):
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)

    def _stop(self, *_):
        if self.recorder.interrupted:
            raise KeyboardInterrupt
        self.recorder.interrupted = True
