"""What an exported model is: its raw input, its answers, and what these are compared with."""

import functools
import importlib.util

import numpy as np

from zoo.errors import ZooError, require

# The signature that runtimes look for first.
DEFAULT = "serving_default"


class Serving:
    """A model, seen as functions from raw input to answers. Each task has a class of its own.

    Args:
        model: see `zoo.export`.
        labels: names of the classes, or None.
        features: names of the features, or None.
        formats: what it will be written as, besides `keras`.

    Attributes:
        model: the model.
        shape: shape of one raw input; None for a side that is free.
        name, dtype: the raw input's.
        labels, features: tuples of names, empty where there are none.

    Raises:
        ZooError: when the model or the labels do not fit what is to be written.
    """

    # How answers are taken apart in the lines that show how a file is used.
    shown = ()

    def __init__(self, model, labels, features, formats):
        self.model = model
        self.shape = input_shape(model)
        self.name, self.dtype = ("image", "uint8") if len(self.shape) == 3 else ("features", "float32")
        self.labels = self._labels(labels)
        self.features = _features(features, self.shape)
        _require_packages(formats)

    def _labels(self, labels):
        return _checked_lines("labels", labels) if labels else ()

    @property
    def names(self):
        """What numeric formats keep beside the numbers: a dict from `labels` and `features` to names."""
        kept = {"labels": self.labels, "features": self.features}
        return {key: names for key, names in kept.items() if names}

    def shape_in(self, format):
        """Shape of one raw input of a file of a format."""
        return self.shape

    def inputs(self, format):
        """The input's name and type, in words."""
        return {self.name: f"{self.dtype} {in_words(('n', *self.shape_in(format)))}"}

    def outputs(self, format):
        """The outputs' names and types, in words, of the signature that runtimes look for first."""
        raise NotImplementedError

    def functions(self, model, format):
        """The serving graph.

        Args:
            model: `model`, or its float32 twin.
            format: numeric formats get numbers alone, and one function.

        Returns:
            A dict from a signature's name to a function of one tensor that returns a dict of tensors, and the
            `tf.TensorSpec` of that tensor.
        """
        raise NotImplementedError

    def requests(self, batch, format):
        """What a written file is asked: a list of a signature's name and an array for it."""
        return [(DEFAULT, batch)]

    def expected(self, signature, array, format):
        """What the model itself answers.

        Returns:
            A dict from an answer's name to an array and the largest difference that is rounding.
        """
        raise NotImplementedError

    def inspect(self, format, got):
        """Checks answers against each other, such as labels against probabilities.

        Raises:
            ZooError: when they contradict each other.
        """

    def more(self, path, shape):
        """Further lines that show how a SavedModel is used.

        Args:
            path: where it is.
            shape: that of one raw input, in words.
        """
        return []

    def example(self):
        """Eight raw inputs, always the same ones."""
        random, shape = np.random.default_rng(0), (8, *self.shape)
        if self.name == "image":
            return random.integers(0, 256, shape, dtype=np.uint8)
        return random.standard_normal(shape, dtype=np.float32)

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

    def compare(self, format, batch, answers):
        """Largest difference between a file's answers and the model's.

        Args:
            format: the file's.
            batch: the raw inputs it was asked of.
            answers: what `zoo._fresh` brings: for request number i `i.all.OUTPUT` for the whole array, `i.one.OUTPUT`
                for its first element.

        Raises:
            ZooError: when it is more than rounding.
        """
        largest = 0.0
        for number, (signature, array) in enumerate(self.requests(batch, format)):
            wanted = self.expected(signature, array, format)
            if not all(np.isfinite(values).all() for values, _ in wanted.values()):
                raise ZooError(
                    "the model itself answers with NaN or infinity: its weights are broken. Nothing was written."
                )
            for part in ("all", "one"):
                begin = f"{number}.{part}."
                got = {key.removeprefix(begin): value for key, value in answers.items() if key.startswith(begin)}
                for key, (values, tolerance) in wanted.items():
                    values = values if part == "all" else values[:1]
                    largest = max(largest, _difference(format, key, got[key], values, tolerance))
                self.inspect(format, got)
        return largest

    def answered(self, network, array, format):
        """What a network answers, op by op, where the fresh process computes: a GPU rounds differently."""
        import keras

        with keras.device("cpu:0"):
            raw = network(array.astype("float32"), training=False)
        return keras.ops.convert_to_numpy(keras.ops.cast(raw, "float32")).astype("float64")

    def computing(self, format):
        """The model that a format computes, and whether it does so in float32."""
        model = self.model if format == "savedmodel" else self.float32
        return model, is_float32(model)

    @functools.cached_property
    def float32(self):
        """The model itself, or its twin that computes in float32 with the same weights."""
        return self.model if is_float32(self.model) else _twin(self.model)


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
    return difference if values.dtype.kind == "f" else 0.0


def in_words(shape):
    """A shape in words; a side that is free is "any"."""
    return f"({', '.join(str(side or 'any') for side in shape)})"


def input_shape(model):
    """Shape of one raw input of a model.

    Raises:
        ZooError: no built Functional model, or several inputs.
    """
    inputs, output = getattr(model, "inputs", None), getattr(model, "output", None)
    if not inputs or output is None:
        raise ZooError(
            f"{model!r} is not a built Functional model: it has no inputs and outputs yet. Build it with zoo.build, or "
            "as keras.Model(inputs, outputs)."
        )
    shape = tuple(inputs[0].shape[1:])
    if len(inputs) > 1 or (None in shape and len(shape) != 3):
        received = [tuple(each.shape) for each in inputs]
        raise ZooError(f"export takes models with one input of known shape. Received: inputs of shape {received}")
    return shape


def _features(features, shape):
    """The feature names as a tuple of strings; empty where there are none."""
    if features is None:
        return ()
    if shape != (len(features),):
        raise ZooError(f"the model takes input of shape {shape}. Received: {len(features)} names of features")
    return _checked_lines("features", features)


def _checked_lines(argument, names):
    """Names as a tuple of strings of one line each."""
    names = tuple(map(str, names))
    for name in names:
        require(name and name.splitlines() == [name], argument, name, "names of one line each")
    return names


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


def is_float32(model):
    """Whether no layer of a model computes in half precision."""
    return not any(layer.compute_dtype in ("float16", "bfloat16") for layer in model._flatten_layers())


def _twin(model):
    import keras

    config = keras.saving.serialize_keras_object(model)
    twin = keras.saving.deserialize_keras_object({**_with_float32(config), "compile_config": None})
    twin.set_weights(model.get_weights())
    return twin


def _with_float32(config):
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return {**config, "config": {**config["config"], "name": "float32"}}
        return {key: _with_float32(value) for key, value in config.items()}
    return [_with_float32(value) for value in config] if isinstance(config, list | tuple) else config
