"""Answers for texts from a run's SavedModel: what `zoo predict` prints of models that take text."""

import json
import zipfile
from pathlib import Path

from zoo.errors import ZooError

# Layers that only models of text have.
LAYERS = ("zoo>Characters", "zoo>Words")
PERPLEXITY = "perplexity"


def reads(run):
    """Whether a path is a finished run of a model that takes text; neither Keras nor TensorFlow is imported.

    Args:
        run: a path.

    Example:
        >>> reads(folder)
        False
    """
    path = Path(run) / "model.keras"
    if not path.is_file():
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            waiting = [json.loads(archive.read("config.json"))]
    except (zipfile.BadZipFile, KeyError, ValueError):
        return False  # whoever loads it says what is wrong with it
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if value.get("registered_name") in LAYERS:
                return True
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return False


def answers(run, files=(), texts=()):
    """What the model of a run says of texts.

    Args:
        run: a finished run folder whose SavedModel is there.
        files: paths of text files in UTF-8, each a text.
        texts: strings, too.

    Returns:
        A list of dicts, one for each file and each text: `file`, the path or the text itself, and what the SavedModel
        answers: `label` and `probability`; `value`; `perplexity` and `nats`, the mean of -log p of each symbol given
        those before it; or `text` and `log_probability`.

    Raises:
        ZooError: no SavedModel, no such file, one that is empty or not UTF-8, or a text that the model does not take.
    """
    from zoo.data.ops import has_tensorflow
    from zoo.data.text_sources import read

    if not has_tensorflow():
        raise ZooError("texts are read by a run's SavedModel, which needs TensorFlow, and that is not installed")
    import tensorflow as tf

    for file in files:
        if not Path(file).is_file():
            raise ZooError(f"there is no text file {file}. A text itself is given behind --text")
    given = [*((str(file), read(file)) for file in files), *((text, text) for text in texts)]
    folder = Path(run) / "savedmodel"
    if not (folder / "saved_model.pb").is_file():
        raise ZooError(f"the folder {run} holds no savedmodel. If it is a finished run: zoo export {run}")
    signatures = tf.saved_model.load(str(folder)).signatures
    serve = signatures[PERPLEXITY if PERPLEXITY in signatures else "serving_default"]
    (name,) = serve.structured_input_signature[1]
    found = []
    for title, text in given:
        # One at a time: what is filled up to the length of the longest costs as much as it.
        try:
            answer = serve(**{name: tf.constant([text.encode("utf-8", "replace")])})
        except tf.errors.InvalidArgumentError as error:
            raise ZooError(f"{title[:80]!r} cannot be read: {_said(error)}") from error
        values = {key: value.numpy()[0] for key, value in answer.items() if key != "probabilities"}
        plain = {key: value.decode() if isinstance(value, bytes) else float(value) for key, value in values.items()}
        found.append({"file": title, **plain})
    return found


def _said(error):
    """What an assertion in a graph said, without where."""
    line = next(line for line in error.message.splitlines() if "must" in line)
    return line.partition("assertion failed: [")[2].split("]")[0].split(". Received")[0].strip(" .") or line
