"""What a model of language writes while it learns: a text after each epoch, from the same beginnings and numbers."""

import math
from pathlib import Path

import keras

from zoo.checkpoint import write_atomically
from zoo.errors import ZooError, require
from zoo.samples import due
from zoo.tasks import task_of
from zoo.writing import check_writing, continued

# Symbols of the held-out text that are continued, where no prompt is given.
BEGINNING = 40
# What is shown of the first text in a terminal.
SHOWN = 200


class WrittenSamples(keras.callbacks.Callback):
    """Writes a text file of what the model writes, `epoch-0001.txt` and so on, at the ends of epochs, and shows it.

    Each prompt stands before what is written after it, in two ways: at temperature 1, as the model expects text to go
    on, and at 0.5, where what is likely is likelier. The random numbers are the same each time, so that a difference is
    something learned. The first text is printed, too, unless fit is silent (`verbose=0`).

    Nothing that training depends on is touched: the states are its own, and the numbers come from seed 0, not from a
    global state. Nothing is written when a loss is no longer finite. Of long trainings, at most 100 epochs have a file
    (`zoo.samples.due`); the last epoch has one, also when training is stopped early.

    Args:
        folder: where the files go; made when the first is written. Files that are there are replaced one by one.
        prompts: strings to be continued; None takes the beginning of the held-out text in `data`, and without that an
            empty one.
        length: symbols to write, an integer >= 1.
        data: a `zoo.Data`, as `zoo.data.text` makes it, or None.

    Raises:
        ZooError: prompts that are no strings, or a length below 1; when training begins, a model that is none of
            language.
    """

    def __init__(self, folder, prompts=None, length=SHOWN, data=None):
        super().__init__()
        fits = prompts is None or (isinstance(prompts, list | tuple) and all(isinstance(each, str) for each in prompts))
        require(fits and prompts != [] and prompts != (), "prompts", prompts, "a list of strings, or None")
        check_writing(length, 1.0, 0)
        self.folder = Path(folder)
        self.prompts = prompts
        self.length = length
        self.data = data

    def on_train_begin(self, logs=None):
        task = task_of(self.model)
        if task != "language":
            raise ZooError(f"WrittenSamples are of models of language. Received one for {task}")
        self._prompts = list(self.prompts or [beginning(self.model.symbols, self.data)])

    def on_epoch_end(self, epoch, logs=None):
        if not (due(epoch + 1, self.params["epochs"]) or self.model.stop_training):
            return
        if not all(math.isfinite(value) for name, value in (logs or {}).items() if name.endswith("loss")):
            return
        parts = []
        for temperature in (1.0, 0.5):
            texts = continued(self.model, self._prompts, self.length, temperature)
            for prompt, text in zip(self._prompts, texts, strict=True):
                parts.append(f"--- temperature {temperature}\n{prompt}{text}\n")
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / f"epoch-{epoch + 1:04d}.txt", "\n".join(parts).encode("utf-8", "replace"))
        if self.params.get("verbose", 1):
            print(f"\n{parts[0]}")


def beginning(symbols, data):
    """The beginning of a held-out text.

    Args:
        symbols: a layer of `zoo.symbols`.
        data: a `zoo.Data`, or None.

    Returns:
        A string of 40 symbols, of the validation part, or else the test part; empty where there is neither, or
        they are no texts.
    """
    from zoo.serving.strings import text_of

    part = data and (data.validation or data.test)
    raw = getattr(part, "text_symbols", None)
    return "" if raw is None else text_of(symbols, raw[:BEGINNING])
