"""Plain Keras callbacks for anybody's `model.fit`: they import nothing but Keras."""

from callbacks.curves import constant, cosine, linear, warmup
from callbacks.numbers import schedulable
from callbacks.plateau import ReduceOnPlateau
from callbacks.schedule import Schedule

__all__ = ["ReduceOnPlateau", "Schedule", "constant", "cosine", "linear", "schedulable", "warmup"]
