"""The numbers that show vanishing and exploding: gradients, activations and updates, layer by layer."""

import keras
import numpy as np

from callbacks import layers, probe
from callbacks.common import check_count

# Layers without weights whose outputs are activations too.
ACTIVATIONS = (keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.ELU)
RELUS = (keras.activations.relu, keras.activations.relu6)


class GradientStatistics(keras.callbacks.Callback):
    """Looks at a fixed batch at the end of epochs: does the gradient vanish, explode, or arrive?

    The numbers of `statistics` go into the logs, as `gradient_norm/<layer>` and so on, and from there into the
    history, `CSVLogger` and TensorBoard; stand in front of callbacks that read the logs. Training is the same to the
    bit with and without it. It costs a step and a forward pass on the batch, uncompiled, each time.

    Args:
        x: the batch's inputs, an array or the dict or list of arrays that the model takes; 32 to 256 examples do.
        y: its targets, in the form that `fit` takes; None where training has none.
        every: epochs between two looks, at least 1; the logs repeat the newest numbers in between.

    Attributes:
        history: dict from the number of epochs that were complete, the beginning of the training among them, to what
            `statistics` returned.

    Raises:
        ValueError: `every` is no whole number of at least 1.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="dense")])
        >>> model.compile("sgd", "mse")
        >>> x, y = np.ones((4, 2)), np.ones((4, 1))
        >>> watch = GradientStatistics(x, y)
        >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[watch])
        >>> sorted(history.history)
        ['activation_mean/dense', 'activation_std/dense', 'gradient_norm/dense', 'loss', 'update_ratio/dense']
        >>> sorted(watch.history)
        [0, 1, 2]
    """

    def __init__(self, x, y=None, every=1):
        super().__init__()
        check_count("every", every)
        self.x = x
        self.y = y
        self.every = every
        self.history = {}

    def on_train_begin(self, logs=None):
        self.history = {}

    def on_epoch_begin(self, epoch, logs=None):
        # Not when training begins: a checkpoint, which holds the history, may be restored after that.
        if not self.history:
            self.history[epoch] = statistics(self.model, self.x, self.y)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            self.history[epoch + 1] = statistics(self.model, self.x, self.y)
        if logs is not None:
            newest = self.history[max(self.history)]
            logs.update({f"{kind}/{name}": value for kind, found in newest.items() for name, value in found.items()})

    def get_state(self):
        """For a checkpoint: the history, without the batch."""
        return {"history": self.history}

    def set_state(self, state):
        """Puts back what `get_state` gave, after `on_train_begin`."""
        self.history = dict(state["history"])


def statistics(model, x, y=None):
    """Gradients, updates and activations of a model on one batch, layer by layer.

    One training step is taken on the batch and undone to the bit: weights, random seeds, metrics and the optimizer
    are what they were. Everything is as in training: dropout drops, batch normalisation uses the batch.

    Args:
        model: a compiled `keras.Model`; its layers may be models.
        x: inputs of the batch: an array, or a dict or list of arrays.
        y: targets of the batch, likewise, or None.

    Returns:
        A dict of dicts of floats, by layer name (`"outer/inner"` for a layer of a model in the model), in the
        model's order:

        - `"gradient_norm"`: Euclidean norm of the loss' gradient over a layer's trainable weights, as the model's
          `train_step` hands it to the optimizer, before clipping.
        - `"update_ratio"`: norm of what the optimizer would add to these weights now, as a share of their own norm;
          about 1e-3 is a common rule of thumb. NaN where all of a layer's weights are 0.
        - `"activation_mean"`, `"activation_std"`: mean magnitude, and standard deviation, of the outputs of layers
          with weights or an activation function, over the batch and all units.
        - `"dead_relu"`: for ReLU layers, and layers with `activation="relu"`, the share of units, along the last
          axis, that are 0 for the whole batch (and all positions of an image or sequence).

    Raises:
        ValueError: the model is not compiled, or its `train_step` does not use `model.optimizer`.

    Example:
        >>> dense = keras.layers.Dense(1, kernel_initializer="ones", name="dense")
        >>> model = keras.Sequential([keras.Input((2,)), dense])
        >>> model.compile(keras.optimizers.SGD(0.1), "mse")
        >>> found = statistics(model, np.ones((4, 2)), np.ones((4, 1)))
        >>> round(found["gradient_norm"]["dense"], 4), round(found["update_ratio"]["dense"], 4)
        (3.4641, 0.2449)
    """
    if not model.compiled or model.optimizer is None:
        raise ValueError("the statistics are those of a training step: compile the model with a loss and an optimizer")
    leaves = [(name, layer) for name, layer in layers.named(model) if not isinstance(layer, keras.Model)]
    data = keras.tree.map_structure(probe.tensor, (x,) if y is None else (x, y))
    probe.build(model, data)
    with probe.undone(model):
        outputs = probe.outputs(model, data[0], leaves)
    with probe.undone(model):
        gradients, before, after = probe.step(model, data)
    found = {kind: {} for kind in ("gradient_norm", "update_ratio", "activation_mean", "activation_std", "dead_relu")}
    for name, keys in _groups(model, leaves, gradients).items():
        found["gradient_norm"][name] = _norm([gradients[key] for key in keys])
        weight = _norm([before[key] for key in keys])
        update = _norm([after[key] - before[key] for key in keys])
        found["update_ratio"][name] = update / weight if weight else float("nan")
    for name, layer in leaves:
        arrays = outputs[name]
        activation = getattr(layer, "activation", None)
        if not arrays or not (layer.weights or activation is not None or isinstance(layer, ACTIVATIONS)):
            continue
        values = np.concatenate([array.ravel() for array in arrays])
        with np.errstate(all="ignore"):  # what exploded is infinite, and its deviation NaN
            found["activation_mean"][name] = float(np.abs(values).mean())
            found["activation_std"][name] = float(values.std())
        if activation in RELUS or (isinstance(layer, keras.layers.ReLU) and not layer.negative_slope):
            zero = [(array == 0).reshape(-1, array.shape[-1]).all(axis=0) for array in arrays]
            found["dead_relu"][name] = float(np.logical_and.reduce(zero).mean())
    return found


def _norm(arrays):
    with np.errstate(all="ignore"):
        return float(np.sqrt(sum(np.square(array).sum() for array in arrays)))


def _groups(model, leaves, gradients):
    """The variables that the optimizer is given, as keys of `gradients`, by layer; a model's own under its name."""
    groups, left = {}, list(gradients)
    for name, layer in leaves:
        keys = [key for key in map(id, layer.trainable_variables) if key in left]
        if keys:
            groups[name] = keys
            left = [key for key in left if key not in keys]
    return {**groups, model.name: left} if left else groups
