"""The value function of Tsitsiklis and Van Roy's spiral: three values, one parameter."""

import keras
from keras import ops

from zoo.envs.spiral import TURN
from zoo.q_learner import QLearner

GROWTH = 0.1


@keras.saving.register_keras_serializable("zoo")
class SpiralValue(keras.layers.Layer):
    """Values that turn while they grow, with one parameter theta, which starts at 0.

        v(s) = (a(s) cos(sqrt(3)/2 theta) + b(s) sin(sqrt(3)/2 theta)) exp(growth theta)

    It solves dv/dtheta = (Q + growth I) v, the differential equation of Tsitsiklis, Van Roy 1997.

    Args:
        growth: number > 0, small; they call it epsilon.
        **kwargs: those of `keras.layers.Layer`.

    Input is `(n, 2)`, pairs (a, b) of `zoo.envs.spiral.Spiral`; output is `(n, 1)`.
    """

    def __init__(self, growth=GROWTH, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.growth = growth

    def build(self, input_shape):
        self.theta = self.add_weight(shape=(), initializer="zeros", name="theta")

    def call(self, inputs):
        angle = TURN * self.theta
        turned = inputs[:, :1] * ops.cos(angle) + inputs[:, 1:] * ops.sin(angle)
        return turned * ops.exp(self.growth * self.theta)

    def get_config(self):
        config = super().get_config()
        config.pop("dtype")
        return {**config, "growth": self.growth}


def spiral(growth=GROWTH):
    """An agent that values the states of `zoo.envs.spiral.Spiral` with one parameter.

    Args:
        growth: see `SpiralValue`.

    Returns:
        A `zoo.q_learner.QLearner` for the rule "evaluation".

    Example:
        >>> spiral().network.count_params()
        1
    """
    observation = keras.Input((2,), name="observation")
    return QLearner(keras.Model(observation, SpiralValue(growth, name="spiral")(observation), name="network"), "spiral")
