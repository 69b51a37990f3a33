"""What an exported model is: its raw input, its answers, and what these are compared with."""

import functools
import importlib.util

import numpy as np

from zoo.errors import ZooError, require
from zoo.serving.checks import check_features, check_finite, check_lines, in_words, input_shape
from zoo.serving.pixels import random_pixels
from zoo.serving.precision import is_float32, twin

# The signature that runtimes look for first, and the one that names the classes.
DEFAULT, NAMES = "serving_default", "labels"
# Steps of a sequence of any length that a file is checked with.
FREE = 12


class Serving:
    """A model, seen as functions from raw input to answers. Each task has a class of its own.

    Args:
        model: see `zoo.export`.
        labels: names of the classes, or None.
        features: names of the features, or None.
        formats: what it will be written as, besides `keras`.

    Attributes:
        model: the model.
        graph: the part of it that is written.
        shape: shape of one raw input; None for a side that is free.
        name, dtype: the raw input's.
        labels, features: tuples of names, empty where there are none.

    Raises:
        ZooError: when the model or the labels do not fit what is to be written.
    """

    # Values of inputs in the lines that show how a SavedModel is used, by name, where zeros would say nothing.
    literals = {}
    # What a SavedModel must keep track of besides its variables, such as tables; known when `functions` was called.
    held = ()
    # How answers are taken apart in the lines that show how a file is used.
    shown = ()

    def __init__(self, model, labels, features, formats):
        self.model = self.graph = model
        self.shape = self._shape()
        self.name, self.dtype = ("image", "uint8") if len(self.shape) == 3 else ("features", "float32")
        self.labels = self._labels(labels)
        self.features = check_features(features, self.shape)
        _require_packages(formats)

    def _shape(self):
        return input_shape(self.model)

    def _labels(self, labels):
        return check_lines("labels", labels) if labels else ()

    @property
    def names(self):
        """What numeric formats keep beside the numbers: a dict from `labels` and `features` to names."""
        kept = {"labels": self.labels, "features": self.features}
        return {key: names for key, names in kept.items() if names}

    def shape_in(self, format):
        """Shape of one raw input of a file of a format."""
        return self.shape

    def takes(self, format):
        """The inputs of a file of a format: a dict from a name to the type and the shape of one, None for a scalar."""
        return {self.name: (self.dtype, self.shape_in(format))}

    def inputs(self, format):
        """The inputs' names and types, in words, of the signature that runtimes look for first."""
        takes = self.takes(format).items()
        return {
            name: dtype if shape is None else f"{dtype} {in_words(('n', *shape))}" for name, (dtype, shape) in takes
        }

    def outputs(self, format):
        """The outputs' names and types, in words, of the signature that runtimes look for first."""
        raise NotImplementedError

    def functions(self, model, format):
        """The serving graph.

        Args:
            model: `graph`, or its float32 twin.
            format: numeric formats get numbers alone, and one function.

        Returns:
            A dict from a signature's name to a function of tensors that returns a dict of tensors, and a list of their
            `tf.TensorSpec`s, which name them.
        """
        raise NotImplementedError

    def class_names(self):
        """The function of the signature that names the classes."""
        import tensorflow as tf

        return {NAMES: tf.constant(self.labels)}

    def requests(self, batch, format):
        """What a written file is asked: a list of a signature's name and a dict of an array for each of its inputs.

        An array without axes goes with every element of the others.
        """
        return [(DEFAULT, {self.name: batch})]

    def expected(self, signature, inputs, format):
        """What the model itself answers to a request.

        Returns:
            A dict from an answer's name to an array and the largest difference that is rounding.
        """
        raise NotImplementedError

    def inspect(self, format, got):
        """Checks answers that are no numbers, such as labels, against those that are.

        Raises:
            ZooError: when they contradict each other.
        """
        if NAMES in got and got[NAMES].tolist() != list(self.labels):
            raise ZooError(f"the {format} export names other classes than the model's")

    def more(self, path, shape):
        """Further lines that show how a SavedModel is used.

        Args:
            path: where it is.
            shape: that of one raw input, in words.
        """
        return []

    def example(self):
        """Raw inputs, always the same ones: eight, or two images where a side is free."""
        random = np.random.default_rng(0)
        if self.name != "image":
            return random.standard_normal((8, *(side or FREE for side in self.shape)), dtype=np.float32)
        return random_pixels(2 if None in self.shape else 8, self.shape)

    def checked(self, batch):
        """`batch` in the input's type, at most 32 elements."""
        batch = np.asarray(batch)[:32]
        with np.errstate(invalid="ignore", over="ignore"):  # what does not fit is told below
            raw = batch.astype(self.dtype)
        fits = batch.ndim == 1 + len(self.shape) and len(batch) and np.allclose(raw, batch, rtol=1e-6, atol=0)
        fits = fits and all(mine in (None, other) for mine, other in zip(self.shape, batch.shape[1:], strict=True))
        received, wanted = f"{batch.dtype} {batch.shape}", f"{self.dtype} {in_words(('n', *self.shape))}"
        require(fits, "batch", received, f"raw input as the model takes it, {wanted}")
        return raw

    def own(self, batch):
        """A batch as the model itself takes it, where that is not what a file takes."""
        return batch

    def compare(self, format, requests, answers):
        """Largest difference between a file's answers and the model's.

        Args:
            format: the file's.
            requests: what it was asked.
            answers: what `zoo._fresh` brings: for request number i `i.all.OUTPUT` for whole arrays, `i.one.OUTPUT` for
                their first element.

        Returns:
            That of numbers; of pixels, in grey levels, where these are all that is answered.

        Raises:
            ZooError: when it is more than rounding.
        """
        found = {"f": [], "i": [], "u": []}
        for number, (signature, inputs) in enumerate(requests):
            wanted = self.expected(signature, inputs, format)
            check_finite(*(values for values, _ in wanted.values()))
            for part in ("all", "one"):
                begin = f"{number}.{part}."
                got = {key.removeprefix(begin): value for key, value in answers.items() if key.startswith(begin)}
                if part == "one" and not got:
                    continue  # no input has a first element
                for key, (values, tolerance) in wanted.items():
                    values = values if part == "all" else values[:1]
                    found[values.dtype.kind].append(_difference(format, key, got[key], values, tolerance))
                self.inspect(format, got)
        return max(found["f"] or found["u"] + found["i"])

    def answered(self, network, inputs, format):
        """What a network answers, op by op, where the fresh process computes: a GPU rounds differently.

        Args:
            network: a Functional `keras.Model`.
            inputs: an array, or a dict of one for each of its inputs.
            format: see `functions`.

        Returns:
            A float64 array.
        """
        import keras

        with keras.device("cpu:0"):
            raw = network(inputs, training=False)
        return keras.ops.convert_to_numpy(keras.ops.cast(raw, "float32")).astype("float64")

    def computing(self, format):
        """The graph that a format computes, and whether it does so in float32."""
        graph = self.graph if format == "savedmodel" else self.float32
        return graph, is_float32(graph)

    @functools.cached_property
    def float32(self):
        """The graph itself, or its twin that computes in float32 with the same weights."""
        return self.graph if is_float32(self.graph) else twin(self.graph)


def _difference(format, key, got, values, tolerance):
    dtype = values.dtype if values.dtype.kind in "iu" else np.float32
    if got.shape != values.shape or got.dtype != dtype:
        raise ZooError(
            f"the {format} export answers with {got.dtype} {got.shape}, expected was {np.dtype(dtype)} {values.shape}"
        )
    difference = float(np.abs(got.astype("float64") - values).max())
    if not difference <= tolerance:  # so that a NaN fails, too
        raise ZooError(
            f"the {format} export does not answer like the model: {key} differ by {difference:.3g}, allowed is "
            f"{tolerance:.3g}. Nothing was written."
        )
    return difference


def _require_packages(formats):
    import keras

    if formats and keras.backend.backend() != "tensorflow":
        raise ZooError(
            f"export as {', '.join(formats)} needs Keras on TensorFlow, and this process runs it on "
            f"{keras.backend.backend()}. A run's model.keras fits every backend: export it with "
            "KERAS_BACKEND=tensorflow zoo export RUN"
        )
    if "onnx" in formats:
        missing = [name for name in ("onnx", "tf2onnx", "onnxruntime") if importlib.util.find_spec(name) is None]
        if missing:
            raise ZooError(
                f"ONNX export needs {', '.join(missing)}, which the extra 'onnx' brings: pip install keras-zoo[onnx]"
            )
