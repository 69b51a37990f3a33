"""One callback that drives any variable of a model or its optimizer along a curve, exactly, at every step."""

import keras
import numpy as np
from keras import ops

from callbacks import curves, step

# What can only be 0 or more, wherever it stands.
NOT_NEGATIVE = ("learning_rate", "momentum", "beta_1", "beta_2", "weight_decay", "rate", "epsilon")
POINTS = 1001


class Schedule(keras.callbacks.Callback):
    """Sets a variable to `curve(progress)` before each training step.

    The value is computed inside the training graph from the optimizer's own count of steps, so that it is exact
    whatever `steps_per_execution` is, and right again after a checkpoint. It is logged at the end of each epoch under
    the target's name. Compile with a float for a learning rate: an optimizer that carries a `LearningRateSchedule`
    refuses to be set.

    Args:
        target: where the variable is: an attribute of the optimizer (`"learning_rate"`; `"momentum"`, `"beta_1"`,
            `"weight_decay"` of one made `callbacks.schedulable`), or else a name that is followed from the model, dots
            and names of layers included (`"epsilon"`, `"dropout1.rate"`, `"discriminator_optimizer.learning_rate"`).
        curve: a function from progress in [0, 1] to a value, in `keras.ops`, or one of `progress` and `steps`, the
            number of steps that progress 1 stands for, where a formula is in steps; `callbacks.curves` has them.
        epochs: epochs that the curve spans, a number above 0; by default those of the `fit`.

    Raises:
        ValueError: when training begins: the target does not exist or is no `keras.Variable`, carries a schedule
            already, or the curve leaves the numbers or, for a rate, falls below 0.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.1), "mse")
        >>> history = model.fit(np.ones((4, 2)), np.ones((4, 1)), batch_size=2, epochs=2, verbose=0,
        ...                     callbacks=[Schedule("learning_rate", linear(0.1, 0.0))])
        >>> [round(value, 3) for value in history.history["learning_rate"]]
        [0.075, 0.025]
    """

    def __init__(self, target, curve, epochs=None):
        super().__init__()
        self.target = target
        self.curve = curve
        self.epochs = epochs
        self.factor = 1.0

    def on_train_begin(self, logs=None):
        variable = self.variable()
        for other in step.others(self, Schedule):
            if other is not self and other.variable() is variable:
                raise ValueError(f"two schedules set {self.target!r}, and each undoes the other: keep one of the two")
        self.factor = 1.0
        self._first = None
        if self.params["steps"] is not None:
            self._check()
        step.join(self)

    def on_epoch_begin(self, epoch, logs=None):
        if self.params["steps"] is None:
            raise ValueError(
                "a schedule must know how long the training is: pass steps_per_epoch to fit, or a data set that knows "
                "its number of batches"
            )
        # Kept, for on JAX the step must not read the model.
        self._updates = step.updates(self.model)
        if self._first is None:
            done = epoch * self.params["steps"] * self._updates
            self._first = int(ops.convert_to_numpy(self._count().value)) - done
        step.install(self)

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs[self.target] = float(ops.convert_to_numpy(self.variable().value))

    def on_train_end(self, logs=None):
        step.leave(self)

    def get_state(self):
        """For a checkpoint: the optimizer's count at the first step of the training, and what `rescale` made of it."""
        return {"first": self._first, "factor": self.factor}

    def set_state(self, state):
        """Puts back what `get_state` gave, after `on_train_begin`."""
        self._first = state["first"]
        self.factor = state["factor"]

    def rescale(self, factor):
        """Multiplies the rest of the curve; for callbacks that react to what they see, as `ReduceOnPlateau`.

        Args:
            factor: what all values of the curve are multiplied by from the next step on; 1 is the curve itself.
        """
        self.factor = float(factor)
        step.rebuild(self.model)

    def wrap(self, inner):
        """The training step with the assignment in front."""
        model, variable, count = self.model, self.variable(), self._count()

        def train_step(*arguments):
            if keras.config.backend() != "jax":
                self._assign(variable, count)
                return inner(*arguments)
            # On JAX the variables travel as arguments.
            (trainable, others, optimizer, metrics), data = arguments
            held = model.non_trainable_variables + model.optimizer.variables
            with keras.StatelessScope(state_mapping=list(zip(held, [*others, *optimizer], strict=True))) as scope:
                self._assign(variable, count)
            values = [scope.get_current_value(variable) for variable in held]
            return inner((trainable, values[: len(others)], values[len(others) :], metrics), data)

        return train_step

    def variable(self):
        """The `keras.Variable` that the schedule sets."""
        names = self.target.split(".")
        # A variable of the model's own wins: an agent's "epsilon" over Adam's.
        own = isinstance(getattr(self.model, names[0], None), keras.Variable)
        holder = self.model if own or not hasattr(self.model.optimizer, names[0]) else self.model.optimizer
        carried = getattr(holder, "_learning_rate", None)
        if names == ["learning_rate"] and not isinstance(carried, keras.Variable | None):
            raise ValueError(
                f"the optimizer carries a schedule of its own, {type(carried).__name__}, and nothing else can set its "
                "learning rate. Compile with a float"
            )
        for name in names:
            layers = {layer.name: layer for layer in getattr(holder, "layers", ())}
            holder = getattr(holder, name, layers.get(name))
        if isinstance(holder, keras.Variable):
            return holder
        found = "absent" if holder is None else f"a {type(holder).__name__}"
        hint = ""
        if isinstance(holder, float | int):
            hint = ". Keras keeps it as a Python number: give its owner to callbacks.schedulable, with a number above 0"
        raise ValueError(
            "a schedule sets a keras.Variable of the optimizer or the model. "
            f"Received: target={self.target!r}, which is {found}{hint}"
        )

    def _steps(self):
        return round(self.params["steps"] * (self.epochs or self.params["epochs"]))

    def _check(self):
        """Looks at the whole curve before the first step."""
        points = np.linspace(0, 1, POINTS, dtype="float32")
        values = curves.value(self.curve, ops.convert_to_tensor(points), self._steps())
        values = np.broadcast_to(ops.convert_to_numpy(values), points.shape)
        rate = self.target.split(".")[-1] in NOT_NEGATIVE
        wrong = ~np.isfinite(values) | (rate & (values < 0))
        if wrong.any():
            first = int(np.argmax(wrong))
            raise ValueError(
                f"the curve gives {self.target!r} the value {values[first]:.6g} at progress {points[first]:.3f}; "
                f"what works is a finite number{' of at least 0' if rate else ''}"
            )

    def _assign(self, variable, count):
        total = self._steps()
        done = ops.cast(count.value - self._first, "float32") / self._updates
        value = curves.value(self.curve, ops.minimum(done / total, 1.0), total)
        variable.assign(ops.cast(self.factor * value, variable.dtype))

    def _count(self):
        return step.iterations(self.model)
