"""`zoo.load`: a trained model from its file, without ever running code that the file brings.

Keras' `safe_mode` has been bypassed by files that name a function (CVE-2025-1550, CVE-2025-8747) or a class that reads
other files (CVE-2025-12058). So the configuration is read here first: every class and function that it names must
stand on a short list, and only then is Keras called, in safe mode.
"""

import importlib
import importlib.util
import json
import re
import shutil
import tempfile
import warnings
import zipfile
from pathlib import Path

from zoo.errors import ZooError

# Keras writes members stored, not compressed; a file packed again by hand stays far below these.
MEMBERS = {"metadata.json": 2**20, "config.json": 2**26, "model.weights.h5": 2**36}
EXPANSION = 100

# Where the zoo registers classes and functions; a family's own stand in its module of zoo.models.
REGISTERING = (
    "additive_attention",
    "adversarial",
    "bilinear_upsampling",
    "code_layers",
    "generative_layers",
    "grouped_convolution",
    "language_model",
    "layers",
    "leaky_relu",
    "local_response",
    "language_scores",
    "losses",
    "lstm",
    "metrics",
    "normalization",
    "normalized_cells",
    "optimizers",
    "perceptual",
    "pixel_affine",
    "q_features",
    "q_learner",
    "reconstruction",
    "segmentation_losses",
    "segmentation_metrics",
    "symbols",
    "transduction_scores",
)

# What a configuration may hold besides objects: plain data in Keras' own notation.
DATA = ("__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__")
FUNCTION_MODULES = ("builtins", "keras.activations", "keras.losses", "keras.metrics", "keras.ops", "keras.ops.nn")
INTERNAL_MODULES = ("keras.src.ops.", "keras.src.layers.", "keras.src.models.", "keras.src.dtype_policies.")

# Layers of Keras that hold code, call other frameworks, or read files that the configuration names.
REFUSED = {
    "Lambda": "it holds Python code",
    "TFSMLayer": "it runs another file's graph",
    "TorchModuleWrapper": "it holds pickled code",
    "JaxLayer": "it holds a function",
    "FlaxLayer": "it holds a function",
    "StringLookup": "it can read any file",
    "IntegerLookup": "it can read any file",
    "TextVectorization": "it can read any file",
}


def load(path, custom_objects=None):
    """Loads a trained model.

    Nothing in the file is executed: names outside Keras' modelling classes and the zoo's own are refused before
    anything is built, as are `Lambda` layers, pickles and `.h5` files. What is not limited is size: a hostile
    configuration can still ask for more memory than there is.

    Args:
        path: a run folder, whose `model.keras` is meant, or a `.keras` file.
        custom_objects: dict from registered name to class or function of your own, such as
            `{"mine>Layer": Layer}`, that the file may name, too.

    Returns:
        The `keras.Model`, compiled when it was saved compiled.

    Raises:
        ZooError: no such file, a damaged one, or one that asks for what is not allowed.

    Example:
        >>> model = zoo.load(folder)
        >>> model.output_shape
        (None, 10)
    """
    import keras

    custom_objects = custom_objects or {}
    path = _file(Path(path))
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copyfile(path, Path(folder) / "model.keras")  # so that what was checked is what is loaded
        for node in _objects(_config(path, copy)):
            _allow(path, node, custom_objects)
        try:
            with warnings.catch_warnings():
                # A model that was compiled but never trained has no optimizer state, and Keras warns of it.
                warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
                return keras.saving.load_model(copy, custom_objects=custom_objects, safe_mode=True)
        except Exception as error:
            raise ZooError(f"{path} cannot be loaded. {type(error).__name__}: {str(error)[:600]}") from error


def _file(path):
    """The `.keras` file that is meant."""
    if path.is_dir():
        if not (path / "model.keras").is_file():
            raise ZooError(f"the folder {path} holds no model.keras: it is not a finished run.")
        return path / "model.keras"
    if not path.exists():
        raise ZooError(f"there is no file or folder {path}.")
    if path.suffix in (".h5", ".hdf5", ".pkl", ".pickle", ".pt", ".pth", ".joblib", ".npy"):
        raise ZooError(f"{path} is not loaded: files of this kind can run code. Save the model as .keras.")
    if path.suffix != ".keras":
        raise ZooError(f"{path} is neither a run folder nor a .keras file.")
    return path


def _config(path, copy):
    """The configuration in a `.keras` file that is whole and of sane size."""
    try:
        with zipfile.ZipFile(copy) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            if sorted(names) != sorted(MEMBERS):
                raise ZooError(f"{path} holds {', '.join(names)}; a .keras file of the zoo holds {', '.join(MEMBERS)}.")
            for member in members:
                too_large = member.file_size > MEMBERS[member.filename]
                if too_large or member.file_size > EXPANSION * max(member.compress_size, 1024):
                    raise ZooError(
                        f"{path} is refused: {member.filename} would unpack from {member.compress_size} to "
                        f"{member.file_size} bytes."
                    )
            broken = archive.testzip()
            if broken:
                raise ZooError(f"{path} is damaged: the checksum of {broken} is wrong.")
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, RecursionError, NotImplementedError) as error:
        if isinstance(error, ZooError):
            raise
        raise ZooError(f"{path} is damaged, or not a .keras file. {type(error).__name__}: {error}") from error
    if not isinstance(config, dict) or "class_name" not in config:
        raise ZooError(f"{path} is damaged: its config.json describes no model.")
    return config


def _objects(config):
    """Every description of an object in a configuration, at any depth."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _allow(path, node, custom_objects):
    """Raises unless a description names something on the list."""
    name, module, registered = (node.get(key) for key in ("class_name", "module", "registered_name"))
    if name in DATA:
        return
    called = node.get("config") if name == "function" else name
    if not isinstance(called, str) or not isinstance(module, str | None) or not isinstance(registered, str | None):
        raise ZooError(f"{path} is refused: its configuration describes an object by {_short(node)}.")
    if called in REFUSED:
        raise ZooError(f"{path} is refused: it has a layer {called}, and {REFUSED[called]}.")
    # Keras looks for a registered class by registered_name, for a registered function by its name.
    own = called if name == "function" or not registered else registered
    if own in custom_objects or (own.startswith("zoo>") and _is_registered(own, module)):
        return
    if registered in (None, "", name) and module and _is_keras(name, called, module):
        return
    raise ZooError(
        f"{path} is refused: it names {own} of {module or 'no module'}, which is neither one of Keras' layers, "
        "losses, metrics, optimizers and their like, nor one of the zoo's. A class of your own that you trust is "
        "passed by its registered name: zoo.load(path, custom_objects={...})."
    )


def _is_registered(name, module):
    """Whether the zoo registers an object of this name, its modules imported for that."""
    import keras

    family = re.fullmatch(r"zoo\.models\.[a-z0-9_]+", module or "")
    for each in (*(f"zoo.{part}" for part in REGISTERING), *([family[0]] if family else [])):
        if importlib.util.find_spec(each):
            importlib.import_module(each)
    return keras.saving.get_registered_object(name) is not None


def _is_keras(kind, name, module):
    """Whether a name is a modelling class, or a function over tensors, of Keras itself."""
    import keras

    if kind == "function":
        if module not in FUNCTION_MODULES or name in ("get", "serialize", "deserialize"):
            return False
        # Keras writes its own functions without their place.
        places = ("keras.activations", "keras.losses", "keras.metrics") if module == "builtins" else (module,)
        return any(callable(getattr(importlib.import_module(place), name, None)) for place in places)
    if not re.fullmatch(r"keras(\.[a-z0-9_]+)*", module):
        return False
    if module.startswith("keras.src.") and not f"{module}.".startswith(INTERNAL_MODULES):
        return False
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError:
        return False
    allowed = (
        keras.Operation,  # layers and models are operations, too
        keras.Optimizer,
        keras.optimizers.schedules.LearningRateSchedule,
        keras.Loss,
        keras.Metric,
        keras.Initializer,
        keras.regularizers.Regularizer,
        keras.constraints.Constraint,
        keras.dtype_policies.DTypePolicy,
    )
    # By class, not by name: on the JAX backend every Keras layer has a base that is called JaxLayer, too.
    refused = tuple(getattr(keras.layers, each) for each in REFUSED)
    return isinstance(found, type) and issubclass(found, allowed) and not issubclass(found, refused)


def _short(node):
    text = repr(node)
    return text if len(text) < 200 else f"{text[:200]}..."
