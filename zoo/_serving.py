"""What an exported model is: its raw input, its answers, and what these are compared with."""

import functools
import importlib.util

import numpy as np

from zoo.errors import ZooError, require


class Serving:
    """A model, seen as a function from raw input to answers.

    Args:
        model: see `zoo.export`.
        labels: names of the classes, or None.
        features: names of the features, or None.
        formats: what it will be written as, besides `keras`.

    Raises:
        ZooError: when the model or the labels do not fit what is to be written.
    """

    def __init__(self, model, labels, features, formats):
        self.model = model
        self.shape, self.classes = _signature(model)
        self.name, self.dtype = ("image", "uint8") if len(self.shape) == 3 else ("features", "float32")
        self.labels = _labels(labels, self.classes)
        self.features = _features(features, self.shape)
        _require_packages(formats)

    @property
    def names(self):
        """What numeric formats keep beside the numbers: a dict from `labels` and `features` to names."""
        kept = {"labels": self.labels, "features": self.features}
        return {key: names for key, names in kept.items() if names}

    @property
    def inputs(self):
        """The input's name and type, in words."""
        return {self.name: f"{self.dtype} {self.batch_shape('n')}"}

    def outputs(self, format):
        """The outputs' names and types, in words."""
        if format == "keras":
            return {"logits" if self.labels else "value": f"float32 (n, {self.classes})"}
        if not self.labels:
            return {"value": "float32 (n,)"}
        numbers = {"probabilities": f"float32 (n, {self.classes})"}
        return {"label": "string (n,)", "probability": "float32 (n,)", **numbers} if format == "savedmodel" else numbers

    def batch_shape(self, batch):
        """The shape of a batch, in words."""
        return f"({', '.join(map(str, (batch, *self.shape)))})"

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
        fits = batch.shape[1:] == self.shape and len(batch) and np.allclose(raw, batch, rtol=1e-6, atol=0)
        received = f"{batch.dtype} {batch.shape}"
        require(fits, "batch", received, f"raw input as the model takes it, {self.inputs[self.name]}")
        return raw

    def expected(self, batch, format):
        """What the model itself answers, computed op by op and with NumPy's softmax, and how far a file may differ."""
        import keras

        model = self.model if format == "savedmodel" else self.float32
        with keras.device("cpu:0"):  # where the fresh process computes; a GPU rounds differently
            raw = model(batch.astype("float32"), training=False)
        logits = keras.ops.convert_to_numpy(keras.ops.cast(logits_of(raw), "float32")).astype("float64")
        largest = np.abs(logits[np.isfinite(logits)]).max(initial=0)
        if self.labels:
            powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
            answers, tolerance = powers / powers.sum(axis=-1, keepdims=True), 1e-5 + 1e-6 * largest
        else:
            answers, tolerance = logits[:, 0], 1e-5 * (1 + largest)
        return answers, tolerance if _is_float32(model) else 0.05 * (1 if self.labels else 1 + largest)

    def compare(self, format, batch, answers):
        """Largest difference between a file's answers and the model's.

        Args:
            format: the file's.
            batch: the raw inputs it answered to.
            answers: what `zoo._fresh` brings: `all.OUTPUT` for the batch, `one.OUTPUT` for its first element.

        Raises:
            ZooError: when it is more than rounding.
        """
        key = "probabilities" if self.labels else "value"
        expected, tolerance = self.expected(batch, format)
        if not np.isfinite(expected).all():
            raise ZooError(
                "the model itself answers with NaN or infinity: its weights are broken. Nothing was written."
            )
        largest = 0.0
        for part, want in (("all", expected), ("one", expected[:1])):
            got = answers[f"{part}.{key}"]
            if got.shape != want.shape or got.dtype != np.float32:
                raise ZooError(
                    f"the {format} export answers with {got.dtype} {got.shape}, expected was float32 {want.shape}"
                )
            difference = float(np.abs(got - want).max())
            if not difference <= tolerance:  # so that a NaN fails, too
                raise ZooError(
                    f"the {format} export does not answer like the model: {key} differ by {difference:.3g}, allowed is "
                    f"{tolerance:.3g}. Nothing was written."
                )
            largest = max(largest, difference)
            if f"{part}.label" in answers:
                names = answers[f"{part}.label"].tolist()
                same = np.array_equal(answers[f"{part}.probability"], got.max(axis=-1))
                if names != [self.labels[i] for i in got.argmax(axis=-1)] or not same:
                    raise ZooError(f"the {format} export's labels are not those of its highest probabilities")
        return largest

    @functools.cached_property
    def float32(self):
        """The model itself, or its twin that computes in float32 with the same weights."""
        return self.model if _is_float32(self.model) else _twin(self.model)


def logits_of(output):
    return output["logits"] if isinstance(output, dict) else output


def _signature(model):
    """Shape of one raw input, and number of logits."""
    inputs, output = getattr(model, "inputs", None), getattr(model, "output", None)
    if not inputs or output is None:
        raise ZooError(
            f"{model!r} is not a built Functional model: it has no inputs and outputs yet. Build it with zoo.build, or "
            "as keras.Model(inputs, outputs)."
        )
    if isinstance(output, dict) and "logits" not in output:
        raise ZooError(f"the model's outputs are named {', '.join(output)}: the one to export must be named 'logits'")
    shape, logits = tuple(inputs[0].shape[1:]), logits_of(output)
    if len(inputs) > 1 or None in shape:
        received = [tuple(each.shape) for each in inputs]
        raise ZooError(f"export takes models with one input of known shape. Received: inputs of shape {received}")
    if not hasattr(logits, "shape") or len(logits.shape) != 2 or logits.shape[-1] is None:
        raise ZooError(f"export takes models whose output is logits (batch, classes). Received: {output}")
    return shape, logits.shape[-1]


def _labels(labels, classes):
    """The label names as a tuple of strings; empty for a regression."""
    if labels is None:
        return tuple(map(str, range(classes))) if classes > 1 else ()
    labels = tuple(map(str, labels))
    if classes == 1:
        raise ZooError(f"the model has one output, a value: it has no labels. Received: {len(labels)} labels")
    if len(labels) != classes:
        raise ZooError(f"the model has {classes} classes, labels must name each. Received: {len(labels)} labels")
    _check_lines("labels", labels)
    return labels


def _features(features, shape):
    """The feature names as a tuple of strings; empty where there are none."""
    if features is None:
        return ()
    features = tuple(map(str, features))
    if shape != (len(features),):
        raise ZooError(f"the model takes input of shape {shape}. Received: {len(features)} names of features")
    _check_lines("features", features)
    return features


def _check_lines(argument, names):
    for name in names:
        require(name and name.splitlines() == [name], argument, name, "names of one line each")


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


def _is_float32(model):
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
