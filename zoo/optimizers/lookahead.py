"""Lookahead: an optimizer around any other, which goes part of the way that the other found."""

import keras
from keras import ops

from zoo.errors import require


@keras.saving.register_keras_serializable("zoo")
class Lookahead(keras.optimizers.Optimizer):
    """Lookahead (Zhang, Lucas, Hinton & Ba 2019, algorithm 1): k steps forward, one step back.

    The inner optimizer takes k steps from the slow weights to the fast weights; then

        slow = slow + alpha (fast - slow)

    and the next k steps begin there. The inner optimizer's moments are kept, as in the paper's experiments.

    The variables of the model hold the fast weights within a cycle and the slow ones at its end, so validation sees the
    slow ones when k divides the steps of an epoch. The end of `fit` closes a cycle that has begun: the model is left
    with slow weights, no step is lost, and the next `fit` begins a new cycle.

    It costs one more copy of the weights. The learning rate is the inner optimizer's, and options such as `clipnorm` or
    `gradient_accumulation_steps` are given to the inner one; k counts its updates.

    Args:
        optimizer: a `keras.optimizers.Optimizer`, not yet built. For float16, scale the loss outside:
            `LossScaleOptimizer(Lookahead(...))`, as `compile` does by itself.
        k: steps of the inner optimizer in a cycle, at least 1.
        alpha: share of the way that the slow weights go, above 0 and at most 1.
        name: a name for the object.

    Raises:
        ZooError: not an optimizer that can be wrapped, or a value out of its range.

    Example:
        >>> point = keras.Variable(0.0)
        >>> optimizer = Lookahead(keras.optimizers.SGD(1.0), k=3, alpha=0.5)
        >>> seen = []
        >>> for _ in range(6):
        ...     optimizer.apply([keras.ops.ones(())], [point])
        ...     seen.append(float(point.numpy()))
        >>> seen
        [-1.0, -2.0, -1.5, -2.5, -3.5, -3.0]
    """

    def __init__(self, optimizer, k=5, alpha=0.5, name=None):
        super().__init__(learning_rate=0.0, name=name)  # never read: see `learning_rate` below
        require(
            isinstance(optimizer, keras.optimizers.Optimizer)
            and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer),
            "optimizer",
            optimizer,
            "a keras.optimizers.Optimizer; one that scales the loss goes outside: LossScaleOptimizer(Lookahead(...))",
        )
        require(isinstance(k, int) and k >= 1, "k", k, "a whole number of at least 1")
        require(0 < alpha <= 1, "alpha", alpha, "above 0 and at most 1")
        self.inner_optimizer = optimizer
        self.k = k
        self.alpha = alpha

    def build(self, variables):
        if self.built:
            return
        self.inner_optimizer.build(variables)
        super().build(variables)
        self._slow = self.add_optimizer_variables(variables, "slow")
        self._fast_steps = self.add_variable((), dtype="int", aggregation="only_first_replica", name="fast_steps")

    @property
    def variables(self):
        return self._variables + self.inner_optimizer.variables

    def apply(self, grads, trainable_variables=None):
        if not self.built:
            self.build(list(trainable_variables))
        stepped = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        # Taken anew at the beginning of each cycle: the weights may have been set from outside in between.
        begins = ops.equal(self._fast_steps, 0)
        for variable, slow in zip(self._trainable_variables, self._slow, strict=True):
            slow.assign(ops.where(begins, variable.value, slow.value))
        self.inner_optimizer.apply(grads, trainable_variables)
        done = self._fast_steps + 1
        ends = ops.equal(done, self.k * (self.inner_optimizer.gradient_accumulation_steps or 1))
        self._step_back(ends, stepped)
        self._fast_steps.assign(ops.where(ends, 0, done))
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list):
        """Ends a cycle that has begun; a second call changes nothing."""
        if not self.built:  # a fit of no steps
            return
        self._step_back(ops.not_equal(self._fast_steps, 0), self._trainable_variables)
        self._fast_steps.assign(0)
        self.inner_optimizer.finalize_variable_values(var_list)

    def _step_back(self, condition, variables):
        for variable in variables:
            slow = self._slow[self._get_variable_index(variable)]
            variable.assign(ops.where(condition, slow + self.alpha * (variable - slow), variable.value))

    @property
    def learning_rate(self):
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        self.inner_optimizer.learning_rate = learning_rate

    @property
    def iterations(self):
        return self.inner_optimizer.iterations

    def scale_loss(self, loss):
        return self.inner_optimizer.scale_loss(loss)

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def get_config(self):
        inner = keras.saving.serialize_keras_object(self.inner_optimizer)
        return {"name": self.name, "optimizer": inner, "k": self.k, "alpha": self.alpha}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        inner = keras.saving.deserialize_keras_object(config["optimizer"], custom_objects=custom_objects)
        return cls(**{**config, "optimizer": inner})
