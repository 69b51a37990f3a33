"""Plain Keras callbacks for anybody's `model.fit`: they import nothing but Keras, and matplotlib to draw."""

from callbacks.averaging import WeightAveraging, recompute_batch_normalization
from callbacks.curve_picture import draw_curves
from callbacks.curves import (
    chain,
    constant,
    cosine,
    exponential,
    inverse_time,
    linear,
    natural_exponential,
    piecewise,
    polynomial,
    warmup,
)
from callbacks.cycles import cosine_restarts, exp_range, one_cycle, triangular, triangular2
from callbacks.early_stopping import EarlyStopping
from callbacks.freeze import Freeze
from callbacks.gradient_statistics import GradientStatistics
from callbacks.lr_finder import LRFinder
from callbacks.numbers import schedulable
from callbacks.plateau import ReduceOnPlateau
from callbacks.presets import curve
from callbacks.sam import SAM
from callbacks.schedule import Schedule
from callbacks.stop_at import StopAt

__all__ = [
    "EarlyStopping",
    "Freeze",
    "GradientStatistics",
    "LRFinder",
    "ReduceOnPlateau",
    "SAM",
    "Schedule",
    "StopAt",
    "WeightAveraging",
    "chain",
    "constant",
    "cosine",
    "cosine_restarts",
    "curve",
    "draw_curves",
    "exp_range",
    "exponential",
    "inverse_time",
    "linear",
    "natural_exponential",
    "one_cycle",
    "piecewise",
    "polynomial",
    "recompute_batch_normalization",
    "schedulable",
    "triangular",
    "triangular2",
    "warmup",
]
