"""What export leaves: where it is, what it takes and answers, and the lines that use it."""

from dataclasses import dataclass
from pathlib import Path

# Name in a run folder; its suffix is the one that a path of the format must have.
FILES = {"savedmodel": "savedmodel", "litert": "model.tflite", "onnx": "model.onnx", "keras": "model.keras"}
# What an input is, behind the lines that use a file.
MEANINGS = {
    "image": "raw pixels 0..255, any number of images",
    "features": "raw features, any number of rows",
    "observation": "raw observations, any number",
    "z": "codes of the standard normal distribution, any number",
    "prompt": "texts to be continued, any number",
    "source": "texts, any number",
    "text": "texts, any number",
}


@dataclass(frozen=True)
class Export:
    """What an export left, after its check. Its text is for people: the path, and how to use it.

    Args:
        format: one of `FILES`.
        path: the file, or the folder of a SavedModel.
        inputs: dict from the input's name to its type and shape, such as `{"image": "uint8 (n, 28, 28, 1)"}`.
        outputs: the same for the outputs.
        difference: largest absolute difference from the model's own answers: of probabilities, or of values; of grey
            levels, where pixels are all that is answered.
        usage: a few lines of Python that use the file, without the zoo where the format allows it; they run as they
            stand.
    """

    format: str
    path: Path
    inputs: dict
    outputs: dict
    difference: float
    usage: str

    def __str__(self):
        found = f"largest difference {self.difference:.2g}"
        return f"{self.path} answers like the model ({found}). To use it:\n\n{self.usage}\n"


class Exports(dict):
    """`Export`s by format. Their text: the paths, and how the first one is used."""

    def __str__(self):
        first, *others = self.values()
        return "\n".join([*(f"{other.path} answers like the model, too." for other in others), str(first)])


def usage(serving, format, path):
    """Lines of Python that use a file.

    Args:
        serving: the `zoo.serving.base.Serving` it was written from.
        format: one of `FILES`.
        path: where it is.
    """
    path = path.as_posix()  # a backslash would be an escape in the lines
    takes = serving.takes(format)
    # A free side is shown as one that every network takes.
    ones = {name: str((1, *(side or 256 for side in shape or ()))) for name, (_, shape) in takes.items()}

    def zeros(library):
        return {
            name: f"{library}.constant({serving.literals.get(name, ['text'])!r})"
            if library == "tf" and (name in serving.literals or dtype == "string")
            else f"{library}.zeros({ones[name]}, {library}.{dtype})"
            for name, (dtype, _) in takes.items()
        }

    def arguments(library):
        return ", ".join(f"{name}={value}" for name, value in zeros(library).items())

    name, number = next(iter(takes)), next(iter(serving.outputs(format)))
    one, what = ones[name], MEANINGS[name]
    shown = ", ".join(f'answer["{each}"].numpy()' for each in serving.shown)
    fed = ", ".join(f'"{name}": {value}' for name, value in zeros("np").items())
    lines = {
        "savedmodel": [
            "import tensorflow as tf",
            f'serve = tf.saved_model.load("{path}").signatures["serving_default"]',
            f"answer = serve({arguments('tf')})  # {what}",
            f"print({shown})",
            *serving.more(path, one),
        ],
        "litert": [
            "import numpy as np",
            "from ai_edge_litert.interpreter import Interpreter",
            f'serve = Interpreter("{path}").get_signature_runner()',
            f'print(serve({arguments("np")})["{number}"])  # {what}',
        ],
        "onnx": [
            "import numpy as np, onnxruntime",
            f'session = onnxruntime.InferenceSession("{path}")',
            f'print(session.run(["{number}"], {{{fed}}})[0])  # {what}',
        ],
        "keras": [
            "import numpy as np, zoo",
            f'model = zoo.load("{path}")',
            f"print(model({'{' + fed + '}' if len(takes) > 1 else zeros('np')[name]}))  # {what}",
        ],
    }
    return "\n".join(lines[format])
