"""Answers from a trained model without TensorFlow: a run's LiteRT file, small batches, a CPU.

LiteRT loads in a tenth of a second where TensorFlow takes seconds, and a call costs microseconds where
`model.predict` costs tens of milliseconds.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo._tables import read_features
from zoo.errors import ZooError, require
from zoo.interpreters import LARGEST, interpreter


class Answer(NamedTuple):
    """What a classifier says of one input: the name of the likeliest class, and its probability."""

    label: str
    probability: float


class Value(NamedTuple):
    """What a regression says of one input."""

    value: float


class Error(NamedTuple):
    """What an autoencoder says of one input: how far its reconstruction is from it, summed over pixels 0..1."""

    squared_error: float


class Action(NamedTuple):
    """What an agent does on one observation: the name of the best action, and what it is worth."""

    action: str
    value: float


# The answers of exported files: what is read of each, and what it is called.
ANSWERS = {("probabilities",): ("probabilities", Answer), ("value",): ("value", Value)}
ANSWERS["reconstruction", "squared_error"] = "squared_error", Error
ANSWERS["action", "q_values"] = "q_values", Action


class Predictor:
    """A trained model that answers at once, again and again.

    Args:
        path: a run folder with a `model.tflite`, or such a file: an export of the zoo as `litert`. Of a run on JAX,
            which leaves none, and where LiteRT is not installed, Keras computes the same answers, much more slowly.
        threads: threads a call may use; by default one for fewer than 32 inputs, and as many as there are cores for
            more; a large network gains from several at once.

    Attributes:
        labels: names of the classes, in the order of the probabilities, or of the actions; empty for a regression.
        input_shape: shape of one input: (height, width, channels) of raw pixels, (features,), or () for a state.
        features: names of the features, in order; empty for images, and where they are not known.

    Raises:
        ZooError: nothing there, or a file that is no export of the zoo.

    Example:
        >>> predictor = zoo.Predictor(folder)
        >>> predictor(np.zeros((2, 28, 28, 1), "uint8"))[0]  # doctest: +SKIP
        Answer(label='1', probability=0.87)
    """

    def __init__(self, path, threads=None):
        self._interpreter = interpreter(path, threads)
        self.path = self._interpreter.path
        signature = self._interpreter.signature()
        outputs = tuple(sorted(signature.get("outputs", ())))
        if signature.get("inputs") not in (["image"], ["features"], ["observation"]) or outputs not in ANSWERS:
            if "z" in signature.get("inputs", ()):
                raise ZooError(f"{self.path} makes images of noise, and predicts nothing: zoo generate RUN")
            raise ZooError(
                f"{self.path} is no LiteRT export of the zoo that predicts classes, values, errors or actions: its "
                f"signature is {signature or 'missing'}."
            )
        name, self._answer = ANSWERS[outputs]
        self._input = signature["inputs"][0]
        self.input_shape, self._dtype, answered, names = self._interpreter.take(name)
        self.features = tuple(names.get("features", ()))
        self.labels = ()
        if self._answer in (Answer, Action):
            self.labels = tuple(names.get("labels", map(str, range(int(answered[-1])))))

    def __call__(self, inputs):
        """Answers.

        Args:
            inputs: one input of `input_shape`, or any number of them along a first axis. Pixels are whole numbers
                0..255 of any type; features are numbers; so are observations, and states whole ones.

        Returns:
            A list with an `Answer` for each input, a `Value` where the model is a regression, an `Error` where it is an
            autoencoder, or an `Action` where it is an agent.

        Raises:
            ZooError: inputs of another shape, pixels outside 0..255 or scaled already, features that are not finite, a
                state that there is not.
        """
        outputs = self.outputs(inputs)
        if not self.labels:
            return [self._answer(value) for value in outputs.tolist()]
        best = outputs.argmax(axis=-1)
        return [self._answer(self.labels[i], float(row[i])) for i, row in zip(best, outputs, strict=True)]

    def outputs(self, inputs):
        """The numbers behind the answers.

        Args:
            inputs: as for a call.

        Returns:
            float32 array: probabilities (n, classes), values or squared errors (n,), or values of actions (n, actions).
        """
        inputs = self._checked(np.asarray(inputs))
        found = self._interpreter.outputs(inputs)
        if self._dtype.kind == "i" and not np.isfinite(found).all():
            raise ZooError(f"inputs must be states that the model knows. Received: {inputs.min()} to {inputs.max()}")
        return found

    def images(self, files):
        """Answers for image files, each resized and converted as the folder data of the zoo does.

        Args:
            files: paths.

        Returns:
            A list with an `Answer`, `Value` or `Error` for each file.

        Raises:
            ZooError: a missing file, one that is no image, or a model that does not take images.
        """
        from zoo.data import read_image

        if self._input == "observation":
            raise ZooError(
                f"the model of {self.path} takes observations of shape {self.input_shape}, not image files: in Python "
                "zoo.Predictor(RUN) takes arrays of them"
            )
        if len(self.input_shape) != 3:
            raise ZooError(
                f"the model of {self.path} takes {self.input_shape[0]} features, not images: give a CSV file."
            )
        for file in files:
            if not Path(file).is_file():
                raise ZooError(f"there is no image file {file}.")
        answers = []
        for first in range(0, len(files), LARGEST):  # so that any number of files fits into memory
            answers += self(np.stack([read_image(file, self.input_shape) for file in files[first : first + LARGEST]]))
        return answers

    def predict_table(self, file):
        """Answers for the rows of a CSV file of features.

        Args:
            file: path. With a header, columns are found by name where the export knows the names, and others (the
                target, say) are passed over; without either, there must be one column a feature, in order.

        Returns:
            A list with an `Answer`, `Value` or `Action` for each row.

        Raises:
            ZooError: a missing file or column, a cell that is no finite number, or a model that takes images.
        """
        return self(self._table(file)[1])

    def _table(self, file):
        if not self.input_shape:
            lines, states = read_features(Path(file), 1, self.features)
            return lines, states[:, 0]
        if len(self.input_shape) != 1:
            what, how = "images", "Give it image files"
            if len(self.input_shape) == 2:
                what, how = "sequences", "In Python zoo.Predictor(RUN) takes arrays (n, steps, features)"
            raise ZooError(f"the model of {self.path} takes {what} of {self.input_shape}, not a table. {how}")
        return read_features(Path(file), self.input_shape[0], self.features)

    def _checked(self, inputs):
        if inputs.shape == self.input_shape:
            inputs = inputs[None]
        shape = str(("n", *self.input_shape)).replace("'", "")
        require(inputs.shape[1:] == self.input_shape and len(inputs), "inputs", inputs.shape, f"of shape {shape}")
        if inputs.dtype == self._dtype == np.uint8:
            return inputs
        require(inputs.dtype.kind in "biuf", "inputs", inputs.dtype, "numbers")
        if self._dtype != np.uint8:
            require(np.isfinite(inputs).all(), "inputs", "NaN or infinity", "finite numbers")
            if self._dtype.kind == "i":
                require((inputs == np.floor(inputs)).all(), "inputs", inputs.tolist()[:3], "states, whole numbers")
            return inputs.astype(self._dtype)
        with np.errstate(invalid="ignore"):  # what does not fit is told below
            pixels = inputs.astype(np.uint8)
        if not np.array_equal(pixels, inputs):
            raise ZooError(
                "inputs must be raw pixels, whole numbers 0..255: the model scales them itself. "
                f"Received: {inputs.dtype} between {inputs.min():.4g} and {inputs.max():.4g}"
            )
        return pixels


def predict(run, files=(), texts=()):
    """Answers for files: what `zoo predict RUN FILE...` prints. TensorFlow is imported for texts alone.

    Args:
        run: a run folder, or a `.tflite` file exported by the zoo.
        files: paths of image files; of CSV files, where the model takes features; of text files, where it takes text.
        texts: strings, where the model takes text.

    Returns:
        A list of dicts with `file` and `label` and `probability`; or `file` and `value` or `squared_error`; or, of an
        agent, `file`, `action` and `value`: one for each image, or for each row of a CSV file, then with `file` as
        `PATH:LINE`. For texts see
        `zoo.serving.reading.answers`: of a model of language it is `perplexity`.

    Raises:
        ZooError: as `Predictor` and its methods, and as `answers`; neither files nor texts.
    """
    from zoo.serving import reading

    if not files and not texts:
        raise ZooError("there is nothing to answer for: give files; or texts, where the model takes text")
    if reading.reads(run):
        return reading.answers(run, files, texts)
    if texts:
        raise ZooError(f"the model of {run} takes no text: give files. Received: text {texts[0]!r}")
    predictor = Predictor(run)
    if len(predictor.input_shape) == 3:
        named = zip(files, predictor.images(files), strict=True)
    else:
        tables = [(file, *predictor._table(file)) for file in files]
        named = (
            (f"{file}:{line}", answer)
            for file, lines, features in tables
            for line, answer in zip(lines, predictor(features), strict=True)
        )
    return [{"file": str(name), **answer._asdict()} for name, answer in named]
