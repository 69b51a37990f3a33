"""One callback that drives any variable of a model or its optimizer along a curve, exactly, at every step."""

import weakref

import keras
from keras import ops

# The schedules of the fit under way, by model: they share one wrapped step, however many they are.
_active = weakref.WeakKeyDictionary()


class Schedule(keras.callbacks.Callback):
    """Sets a variable to `curve(progress)` before each training step.

    The value is computed inside the training graph from the optimizer's own count of steps, so that it is exact
    whatever `steps_per_execution` is, and right again after a checkpoint. Compile with a float for a learning rate:
    an optimizer that carries a `LearningRateSchedule` refuses to be set.

    Args:
        target: where the variable is: `"learning_rate"` is the optimizer's; any other name, with dots, is followed
            from the model (`"epsilon"`, `"discriminator_optimizer.learning_rate"`).
        curve: a function from progress in [0, 1] to a value, in `keras.ops`; `callbacks.curves` has them.
        epochs: epochs that the curve spans; by default those of the `fit`.

    Raises:
        ValueError: when training begins: the target does not exist or is not a `keras.Variable`.

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

    def on_train_begin(self, logs=None):
        self._variable()
        # `params` is one object a fit: what another fit left behind (Ctrl-C skips `on_train_end`) is dropped here.
        _active[self.model] = [s for s in _active.get(self.model, []) if s.params is self.params] + [self]
        self._first = None
        self._installed = False

    def on_epoch_begin(self, epoch, logs=None):
        if self._first is None:
            self._first = int(ops.convert_to_numpy(self._iterations().value)) - epoch * self.params["steps"]
        if not self._installed and _active[self.model][-1] is self:
            self._installed = True
            _install(self.model, tuple(_active[self.model]))

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs[self.target] = float(ops.convert_to_numpy(self._variable().value))

    def on_train_end(self, logs=None):
        if _active.pop(self.model, None) is not None:
            self.model.train_function = None

    def get_state(self):
        """The optimizer's count at the first step of the training, for a checkpoint."""
        return {"first": self._first}

    def set_state(self, state):
        """Puts back what `get_state` gave, after `on_train_begin`."""
        self._first = state["first"]

    def assign(self):
        """Sets the variable; called in the graph, before each step."""
        total = self.params["steps"] * (self.epochs or self.params["epochs"])
        done = ops.cast(self._iterations().value - self._first, "float32")
        variable = self._variable()
        variable.assign(ops.cast(self.curve(ops.minimum(done / total, 1.0)), variable.dtype))

    def _variable(self):
        holder = self.model.optimizer if self.target == "learning_rate" else self.model
        for name in self.target.split("."):
            holder = getattr(holder, name, None)
        if not isinstance(holder, keras.Variable):
            raise ValueError(
                f"a schedule sets a keras.Variable of the model (or the optimizer's 'learning_rate'). "
                f"Received: target={self.target!r}, which is {'absent' if holder is None else type(holder).__name__}"
            )
        return holder

    def _iterations(self):
        # A loss-scaling optimizer counts in the one inside; with gradient accumulation the public count is divided.
        return getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)._iterations


def _install(model, schedules):
    """Compiles the model's training function with the schedules in front of the step; the model is left as is."""
    inner = model.train_step

    def train_step(*arguments):
        if keras.config.backend() != "jax":
            for schedule in schedules:
                schedule.assign()
            return inner(*arguments)
        # On JAX the variables travel as arguments.
        (trainable, others, optimizer, metrics), data = arguments
        held = model.non_trainable_variables + model.optimizer.variables
        with keras.StatelessScope(state_mapping=list(zip(held, [*others, *optimizer], strict=True))) as scope:
            for schedule in schedules:
                schedule.assign()
        values = [scope.get_current_value(variable) for variable in held]
        return inner((trainable, values[: len(others)], values[len(others) :], metrics), data)

    model.train_step = train_step
    model.make_train_function(force=True)
    del model.train_step
