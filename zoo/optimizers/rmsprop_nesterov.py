"""RMSprop with Nesterov momentum as the book has it: the gradient is taken at a look-ahead point."""

import keras
from keras import ops

from zoo.errors import require


@keras.saving.register_keras_serializable("zoo")
class RMSpropNesterov(keras.optimizers.Optimizer):
    """RMSprop with Nesterov momentum (Goodfellow, Bengio & Courville 2016, algorithm 8.6).

    With parameters p, velocity v and mean square r, a step is

        g = gradient at p + momentum v
        r = rho r + (1 - rho) g^2
        v = momentum v - learning_rate g / sqrt(r + epsilon)
        p = p + v

    The book divides by sqrt(r), which for a gradient of zero is 0/0; `epsilon` stands where its algorithm 8.5 (RMSprop)
    and Keras have one. With `momentum=0` this is Keras' `RMSprop`. Keras' `RMSprop(momentum=0.9)` is another algorithm:
    its gradient is taken at p.

    Keras computes gradients where the model's variables are, so during training they hold the look-ahead point
    p + momentum v. Validation, checkpoints and weights that a callback keeps see that point. The end of `fit` puts p
    there (`finalize_variable_values`; a training loop of one's own calls it itself). The first gradient of a later
    `fit` is therefore taken at p: that one step has ordinary momentum, and nothing else differs from one long `fit`.
    Training that goes on from a checkpoint made within a `fit` goes on exactly.

    Weight decay and constraints act on the look-ahead point too, and with `use_ema=True` the average is of such points
    and remains in the model at the end.

    Args:
        learning_rate: above 0.
        rho: decay of the mean square a step, in [0, 1).
        momentum: decay of the velocity a step, in [0, 1).
        epsilon: added to the mean square, above 0.
        **options: what every Keras optimizer takes: `weight_decay`, `clipnorm`, `gradient_accumulation_steps`...

    Raises:
        ZooError: a value out of its range.

    Example:
        >>> point = keras.Variable([3.0, -4.0])
        >>> optimizer = RMSpropNesterov(0.1, rho=0.0, momentum=0.5)
        >>> optimizer.apply([2 * point], [point])
        >>> [round(float(value), 4) for value in point.numpy()]
        [2.85, -3.85]
        >>> optimizer.finalize_variable_values([point])
        >>> [round(float(value), 4) for value in point.numpy()]
        [2.9, -3.9]
    """

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.9, epsilon=1e-7, **options):
        super().__init__(learning_rate, **options)
        require(0 <= rho < 1, "rho", rho, "at least 0 and below 1")
        require(0 <= momentum < 1, "momentum", momentum, "at least 0 and below 1")
        require(epsilon > 0, "epsilon", epsilon, "above 0: a gradient of zero would be divided by zero")
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._squares, self._velocities = self.add_optimizer_variables(variables, ["square", "velocity"])
        # How far each variable is ahead of its parameter, in velocities: `momentum` during training, 0 at p. One for
        # each, because a step may leave some out (frozen layers), and a `fit` may end at any time.
        self._ahead = [self.add_variable((), dtype=variable.dtype, name="ahead") for variable in variables]

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        square, velocity, ahead = self._squares[index], self._velocities[index], self._ahead[index]
        rate, momentum = ops.cast(learning_rate, variable.dtype), ops.cast(self.momentum, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)

        parameter = ops.subtract(variable, ops.multiply(ahead, velocity))
        self.assign(square, ops.add(ops.multiply(self.rho, square), ops.multiply(1 - self.rho, ops.square(gradient))))
        scaled = ops.divide(ops.multiply(rate, gradient), ops.sqrt(ops.add(square, self.epsilon)))
        self.assign(velocity, ops.subtract(ops.multiply(momentum, velocity), scaled))
        self.assign(variable, ops.add(parameter, ops.multiply(1 + momentum, velocity)))
        self.assign(ahead, momentum)

    def finalize_variable_values(self, var_list):
        """Moves the variables from the look-ahead point to the parameters; a second call changes nothing."""
        if not self.built:  # a fit of no steps
            return
        if self.use_ema:
            super().finalize_variable_values(var_list)
            return
        # All that were ever stepped, not `var_list`: layers frozen in the middle of a fit are no longer in it.
        for variable, velocity, ahead in zip(self._trainable_variables, self._velocities, self._ahead, strict=True):
            variable.assign(variable - ahead * velocity)
            ahead.assign(0)

    def get_config(self):
        return {**super().get_config(), "rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon}
