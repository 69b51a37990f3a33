"""What computes a `zoo.Predictor`'s answers: LiteRT on a run's file, or Keras on a run that has none."""

import importlib.util
import os
import threading
import zipfile
from pathlib import Path

import numpy as np

from zoo import runs
from zoo.errors import ZooError
from zoo.quiet import native_logs_hidden

# Larger batches are no faster, and each size in use holds its own buffers.
LARGEST = 64
# On a LeNet a second thread costs more than it gains: 54 us for two images instead of 27, 250 for 16 instead of 175.
THREADED = 32


def interpreter(path, threads):
    """What answers for a run folder, or for an exported file.

    Args:
        path: a run folder, or a `.tflite` file.
        threads: as in `zoo.Predictor`.

    Returns:
        A `LiteRT`; or a `Kept` of a finished run that was trained on another backend than TensorFlow, which leaves no
        such file, or where LiteRT is not installed.

    Raises:
        ZooError: nothing there.
    """
    path = Path(path)
    finished = (path / "model.keras").is_file() and (path / "recipe.json").is_file()
    litert = importlib.util.find_spec("ai_edge_litert") is not None
    if finished and not (litert and (path / "model.tflite").is_file()):
        if not litert or runs.read(path)["backend"] != "tensorflow":
            return Kept(path)
    found = LiteRT(_file(path), threads)
    if not litert:
        raise ZooError(f"{found.path} is read by the package ai-edge-litert, which is not installed: give a run folder")
    return found


class LiteRT:
    """A LiteRT file.

    Args:
        path: the file.
        threads: as in `zoo.Predictor`.
    """

    def __init__(self, path, threads=None):
        self.path = path
        self.threads = threads
        self._ready = {}
        # An interpreter's buffers belong to one call at a time.
        self._lock = threading.Lock()

    def signature(self):
        """The inputs and outputs of its signature, by `inputs` and `outputs`; empty where it has none."""
        return self._interpreter(1)[0].get_signature_list().get("serving_default", {})

    def take(self, name):
        """Chooses the answer that `outputs` gives.

        Returns:
            The shape and the type of one input, the shape of one answer, and a dict from `labels` and `features` to
            names, where they are known.
        """
        ready = self._interpreter(1)[0]
        answered = ready.get_signature_runner().get_output_details()[name]
        self._target = answered["index"]
        details = ready.get_input_details()[0]
        packed = {file.removesuffix(".txt"): lines for file, lines in _packed(self.path).items()}
        return tuple(map(int, details["shape"][1:])), np.dtype(details["dtype"]), answered["shape"][1:], packed

    def outputs(self, inputs):
        """The answers to a batch of any size, as one array."""
        parts, done = [], 0
        with self._lock:
            while done < len(inputs):
                # Powers of two: few sizes to hold, and no element computed in vain.
                size = min(LARGEST, 1 << (len(inputs) - done).bit_length() - 1)
                ready, source = self._interpreter(size)
                ready.set_tensor(source, inputs[done : done + size])
                ready.invoke()
                parts.append(ready.get_tensor(self._target))
                done += size
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _interpreter(self, size):
        if size not in self._ready:
            from ai_edge_litert.interpreter import Interpreter

            threads = self.threads or (1 if size < THREADED else os.cpu_count() or 1)
            try:
                with native_logs_hidden():
                    ready = Interpreter(str(self.path), num_threads=threads)
                    source = ready.get_input_details()[0]
                    ready.resize_tensor_input(source["index"], (size, *source["shape"][1:]))
                    ready.allocate_tensors()
            except (ValueError, RuntimeError) as error:
                raise ZooError(f"{self.path} is damaged, or no LiteRT file: {error}") from error
            self._ready[size] = ready, source["index"]
        return self._ready[size]


class Kept:
    """The model that a run kept, computed by Keras on the processor: slower, and with the same interface as `LiteRT`.

    Args:
        folder: a finished run folder.
    """

    def __init__(self, folder):
        from zoo.loading import load
        from zoo.serving import serving

        record = runs.read(folder)
        self.path = folder / "model.keras"
        self._serving = serving(load(folder), record["labels"], record["features"], ())

    def signature(self):
        names = self._serving.takes("litert")
        return {"inputs": list(names), "outputs": list(self._serving.outputs("litert"))}

    def take(self, name):
        self._target, kept = name, self._serving
        shape, dtype = kept.shape_in("litert"), np.dtype(kept.dtype)
        answered = self._asked(np.zeros((1, *shape), dtype))
        return shape, dtype, answered.shape[1:], dict(kept.names)

    def outputs(self, inputs):
        parts = [self._asked(inputs[first : first + LARGEST]) for first in range(0, len(inputs), LARGEST)]
        return np.concatenate(parts)

    def _asked(self, inputs):
        from zoo.serving.base import DEFAULT

        answers = self._serving.expected(DEFAULT, {self._serving.name: inputs}, "savedmodel")
        return answers[self._target][0].astype("float32")


def _file(path):
    if path.is_dir():
        if not (path / "model.tflite").is_file():
            raise ZooError(
                f"the folder {path} holds no model.tflite. If it is a finished run: zoo export {path} --format litert"
            )
        return path / "model.tflite"
    if not path.is_file():
        raise ZooError(f"there is no run folder or .tflite file {path}.")
    return path


def _packed(path):
    """The text files packed behind a LiteRT model: a dict from name to a tuple of lines."""
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as archive:
        found = {"labels.txt", "features.txt"} & set(archive.namelist())
        return {name: tuple(archive.read(name).decode().splitlines()) for name in found}
