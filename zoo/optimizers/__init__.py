"""Optimizers by name, and the two that Keras lacks."""

from zoo.optimizers.by_name import NAMES, optimizer
from zoo.optimizers.lookahead import Lookahead
from zoo.optimizers.rmsprop_nesterov import RMSpropNesterov

__all__ = ["NAMES", "Lookahead", "RMSpropNesterov", "optimizer"]
