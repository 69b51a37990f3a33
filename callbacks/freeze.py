"""Layers that stand still for a part of the training: fine-tuning a head first, a whole network afterwards."""

import contextlib
import fnmatch
import warnings

import keras

from callbacks import layers, step
from callbacks.replace import replaced


class Freeze(keras.callbacks.Callback):
    """Keeps layers as they are from the epoch `begin` on, until the epoch `end`.

    What is frozen does not move, not by weight decay either, and the optimizer's moments of it rest; batch
    normalisation runs in inference mode and keeps its statistics, as Keras does for `trainable=False`. The training
    function is compiled anew where a phase begins. The layers are marked untrainable only while it is compiled:
    outside of the training step, in callbacks, and after the training, however it ended, `trainable` is what it was.

    Several of them thaw a network bit by bit. Compile and build the model with everything trainable that is to train
    at some time. The epoch alone decides, so that a training goes on right after a checkpoint.

    Args:
        names: names of layers, or shell patterns (`"conv*"`), one or a list. Layers of a model in the model are found
            by their own name and by `"outer/inner"`; a name of a model stands for all its layers.
        begin: first epoch, counted from 0, in which they are frozen.
        end: first epoch in which they train again; None for never.

    Raises:
        ValueError: an impossible range of epochs; when training begins: a pattern that no layer's name matches, a model
            that has not been built, or one that has nothing else to train.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="base"), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> before = model.get_layer("base").get_weights()[0]
        >>> fit = dict(x=np.ones((4, 2)), y=np.ones((4, 1)), verbose=0)
        >>> _ = model.fit(**fit, epochs=2, callbacks=[Freeze("base", end=2)])
        >>> bool((model.get_layer("base").get_weights()[0] == before).all())
        True
        >>> _ = model.fit(**fit, epochs=3, callbacks=[Freeze("base", end=2)])
        >>> bool((model.get_layer("base").get_weights()[0] == before).all())
        False
    """

    def __init__(self, names, begin=0, end=None):
        super().__init__()
        if not (isinstance(begin, int) and begin >= 0 and (end is None or isinstance(end, int) and end > begin)):
            raise ValueError(
                "begin is an epoch, counted from 0, and end a later one or None. "
                f"Received: begin={begin!r}, end={end!r}"
            )
        self.names = [names] if isinstance(names, str) else list(names)
        self.begin = begin
        self.end = end
        self._inside = 0

    def on_train_begin(self, logs=None):
        model = self.model
        if not model.built:
            raise ValueError("the model has no weights to freeze yet: give it an Input, or call it on a batch, first")
        self._layers = self._matching()
        # Else the optimizer would be built, in the step, with what is not frozen, and refuse the rest later.
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        with self._untrainable():
            if not model.trainable_variables:
                raise ValueError(f"{self.names!r} are all layers that have something to train: leave one of them out")
        self._phase = None
        step.join(self)

    def on_epoch_begin(self, epoch, logs=None):
        phase = self.begin <= epoch and (self.end is None or epoch < self.end)
        changed = self._phase is not None and phase != self._phase
        self._phase = phase
        step.install(self)
        if changed:
            step.rebuild(self.model)

    def on_train_end(self, logs=None):
        step.leave(self)

    def get_state(self):
        """For a checkpoint: nothing, the epoch decides."""
        return {}

    def set_state(self, state):
        """Nothing, the epoch decides."""

    def wrap(self, inner):
        """The training step with the layers marked as untrainable around it."""
        # Asked for here: on JAX `self.model` writes the state of the fit back, which would disturb the step.
        model = self.model

        def train_step(*arguments):
            if not self._phase:
                return inner(*arguments)
            if keras.config.backend() == "jax":
                return self._stateless(model, inner, *arguments)
            with self._untrainable():
                return inner(*arguments)

        return train_step

    def _stateless(self, model, inner, state, data):
        """On JAX the step is given the values of what is trainable, and the optimizer those that it was built with."""
        optimizer = model.optimizer
        trainable, others = model.trainable_variables, model.non_trainable_variables
        values = {
            id(variable): value for variable, value in zip(trainable + others, [*state[0], *state[1]], strict=True)
        }
        apply = optimizer.stateless_apply
        with self._untrainable():
            moving, resting = model.trainable_variables, model.non_trainable_variables
            places = [id(variable) for variable in moving]

            def stateless_apply(optimizer_values, gradients, weights):
                gradient = dict(zip(places, gradients, strict=True))
                weight = values | dict(zip(places, weights, strict=True))
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", "Gradients do not exist")
                    weights, optimizer_values = apply(
                        optimizer_values, [gradient.get(id(v)) for v in trainable], [weight[id(v)] for v in trainable]
                    )
                return [w for v, w in zip(trainable, weights, strict=True) if id(v) in gradient], optimizer_values

            split = [[values[id(variable)] for variable in part] for part in (moving, resting)]
            with replaced(optimizer, "stateless_apply", stateless_apply):
                logs, (moved, rested, *rest) = inner((*split, *state[2:]), data)
        values |= {id(variable): value for variable, value in zip(moving + resting, [*moved, *rested], strict=True)}
        joined = [[values[id(variable)] for variable in part] for part in (trainable, others)]
        return logs, (*joined, *rest)

    @contextlib.contextmanager
    def _untrainable(self):
        """The layers, and all in them, are untrainable inside the block; afterwards each is what it was."""
        # Replicas of a strategy come in while others are inside: the first sees what it was, and the last puts it back.
        if not self._inside:
            owners = [layer for outer in self._layers for layer in outer._flatten_layers()]
            owners += [variable for layer in owners for variable in layer.variables]
            self._before = [(owner, owner.trainable) for owner in owners]
        self._inside += 1
        for layer in self._layers:
            layer.trainable = False
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                # Outer layers stand before the inner ones that they would set, and variables behind all layers.
                for owner, trainable in self._before:
                    owner.trainable = trainable

    def _matching(self):
        named = list(layers.named(self.model))
        chosen = {}
        for pattern in self.names:
            found = [
                layer
                for name, layer in named
                if fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(layer.name, pattern)
            ]
            if not found:
                known = ", ".join(name for name, layer in named if layer.weights)
                raise ValueError(f"no layer's name matches {pattern!r}. Layers with weights: {known}")
            chosen |= {id(layer): layer for layer in found}
        return list(chosen.values())
