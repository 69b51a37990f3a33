"""Deep learning's classics for Keras 3: one name a model, one recipe a published number, one SavedModel from raw input.

`import zoo` imports neither TensorFlow nor Keras; what needs them is imported when it is first used.
"""

import importlib

from zoo.errors import ArgumentError, ZooError
from zoo.registry import Entry, build, describe, list_models, register

__version__ = "0.1.0"

_LAZY = {
    "Data": "zoo.recipe",
    "Recipe": "zoo.recipe",
    "Result": "zoo.recipe",
    "train": "zoo.trainer",
    "resume": "zoo.trainer",
    "retrain": "zoo.retraining",
    "find_learning_rate": "zoo.rate_finder",
    "build_for": "zoo.q_fitting",
    "draw": "zoo.drawing",
    "evaluate": "zoo.trainer",
    "compare": "zoo.comparison",
    "bench": "zoo.benching",
    "tune": "zoo.search.tuning",
    "generate": "zoo.generating",
    "play": "zoo.showing",
    "write": "zoo.writing",
    "export": "zoo.savedmodel",
    "load": "zoo.loading",
    "features": "zoo.surgery",
    "Predictor": "zoo.predictor",
    "predict": "zoo.predictor",
}

__all__ = ["ArgumentError", "Entry", "ZooError", "build", "describe", "list_models", "register", *_LAZY]


def __getattr__(name):
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    if name in ("cli", "data", "envs"):
        return importlib.import_module(f"zoo.{name}")
    raise AttributeError(f"module 'zoo' has no attribute {name!r}")


def __dir__():
    return sorted([*__all__, "__version__"])
