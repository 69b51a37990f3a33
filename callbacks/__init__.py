"""Plain Keras callbacks for anybody's `model.fit`: they import nothing but Keras."""

from callbacks.curves import constant, cosine, linear, warmup
from callbacks.schedule import Schedule

__all__ = ["Schedule", "constant", "cosine", "linear", "warmup"]
