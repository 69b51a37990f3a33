"""What comes back through time: the gradient of a loss at the end of a sequence, at every step before it.

Hochreiter 1991, Untersuchungen zu dynamischen neuronalen Netzen, and Bengio, Simard, Frasconi 1994, Learning long-term
dependencies with gradient descent is difficult, IEEE Transactions on Neural Networks 5(2), find that it vanishes or
explodes; Pascanu, Mikolov, Bengio 2013, arXiv:1211.5063, section 2, how fast. Gates are the remedy: Hochreiter and
Schmidhuber 1997, Long short-term memory, Neural Computation 9(8).
"""

import contextlib

import keras
import numpy as np
from keras import ops

from callbacks.replace import replaced
from zoo.errors import ZooError, require
from zoo.execution import layers
from zoo.tasks import logits_of, task_of

# The states of a cell, in Keras' order: what it says, and, of an LSTM, the cell itself.
STATES = ("h", "c")


def gradient_norms(model, x, y):
    """The norm of the gradient that arrives in the states of a recurrent network, against the distance in time.

    The loss is that at the last step T of a sequence: of a classifier the cross-entropy, of a language model that of
    its last prediction, in regression the squared error. Its gradient by a state of step t is exact: one pass of
    automatic differentiation through the unrolled steps, by numbers that are added to that state wherever it goes, to
    the step behind and to the layer above. An LSTM has two states, h and the cell c; what reaches c through the h of
    the same step counts as h's. The model stays as it is, and answers as in inference.

    Args:
        model: a Functional `keras.Model` with recurrent layers that read forwards: a classifier, a regressor or a
            language model, from one input `(batch, steps, ...)`.
        x: raw sequences (n, steps, ...).
        y: their targets: classes (n,), numbers (n,) or (n, 1), or, of a language model, symbols (n, steps).

    Returns:
        A dict from `"layer/h"`, and of an LSTM `"layer/c"`, to a float64 array (n, steps): in column k the Euclidean
        norm of the gradient k steps before the last. Of a sequence that is padded, the last step is the last real one,
        and what would be before the first is NaN. Gradients below about 1e-38 are inexact, or 0.

    Raises:
        ZooError: a model without recurrent layers, with one that reads backwards, or of another task; not as many
            targets as sequences.

    Example:
        >>> inputs = keras.Input((5, 1))
        >>> layer = keras.layers.SimpleRNN(1, activation=None, recurrent_initializer=keras.initializers.Constant(0.5))
        >>> model = keras.Model(inputs, layer(inputs))
        >>> (norms,) = gradient_norms(model, np.zeros((1, 5, 1)), np.ones((1, 1))).values()
        >>> norms.tolist()
        [[2.0, 1.0, 0.5, 0.25, 0.125]]
    """
    found = recurrent_layers(model)
    if not found:
        raise ZooError(f"{model.name!r} has no recurrent layer, and so no distance in time")
    for layer in filter(_backwards, found):
        raise ZooError(
            f"the layer {layer.name!r} of {model.name!r} reads sequences from their end, where a distance to the last "
            "step has no meaning. Models that read forwards alone work"
        )
    x, y = np.asarray(x), np.asarray(y)
    require(x.ndim >= 2 and len(x) == len(y), "x", x.shape, f"as many sequences as there are targets, {len(y)}")
    loss = _loss(model, y)
    watched = [_Unrolled(layer, x.shape[:2]) for layer in found]
    network = keras.Model(model.inputs[0], logits_of(model))

    def answer():
        with contextlib.ExitStack() as stack:
            for each in watched:
                stack.enter_context(replaced(each.layer, "call", each.call))
            return network(x, training=False)

    holder = _Holder(watched, answer)
    # A step at the rate 1 from 0 is the negative gradient. Eagerly, because a graph would be traced for one step.
    holder.compile(keras.optimizers.SGD(1.0), lambda _, logits: loss(logits), run_eagerly=True)
    nothing = np.zeros((len(x), 1), "float32")
    holder.train_on_batch(nothing, nothing)
    return {
        f"{each.layer.name}/{state}": each.norms(shift)
        for each in watched
        for state, shift in zip(STATES, each.shifts, strict=False)
    }


def together(norms):
    """The norm of all states at once.

    Args:
        norms: what `gradient_norms` returned.

    Returns:
        An array (n, steps).

    Example:
        >>> together({"lstm/h": np.array([[3.0]]), "lstm/c": np.array([[4.0]])}).tolist()
        [[5.0]]
    """
    return np.sqrt(sum(np.square(each) for each in norms.values()))


def typical(norms):
    """The geometric mean over sequences: norms that shrink by a factor a step differ by orders of magnitude.

    Args:
        norms: an array (n, steps); NaN counts for nothing, and a 0 makes the mean 0.

    Returns:
        An array (steps,), as far as any sequence reaches.

    Example:
        >>> typical(np.array([[1.0, 1e-8], [1.0, 1e-4]])).round(9).tolist()
        [1.0, 1e-06]
    """
    norms = norms[:, ~np.isnan(norms).all(0)]
    with np.errstate(divide="ignore"):
        return np.exp(np.nanmean(np.log(norms), axis=0))


def recurrent_layers(model):
    """The recurrent layers of a model and of the models inside it, in order.

    Args:
        model: a Functional `keras.Model`.

    Returns:
        A list of layers; one that reads in both directions counts as one.

    Example:
        >>> import zoo
        >>> [layer.name for layer in recurrent_layers(zoo.build("gru", vocabulary="abc", units=4, layers=2))]
        ['gru1', 'gru2']
    """
    return [layer for layer in layers(model) if isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional)]


def reads_forwards(model):
    """Whether a model has recurrent layers, and all of them read from the first step to the last.

    Args:
        model: a Functional `keras.Model`.
    """
    found = recurrent_layers(model)
    return bool(found) and not any(_backwards(layer) for layer in found)


def _backwards(layer):
    return isinstance(layer, keras.layers.Bidirectional) or layer.go_backwards


def _loss(model, y):
    """The loss at the last step, summed over sequences, as a function of what the model says."""
    task = task_of(model)
    if task == "regression":
        targets = np.reshape(y, (-1, 1)).astype("float32")
        return lambda outputs: ops.sum(ops.square(outputs - targets))
    if task == "classification":
        labels = y.astype("int32")
        return lambda logits: ops.sum(keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True))
    if task == "language":
        last = y[:, -1].astype("int32")
        return lambda logits: ops.sum(
            keras.losses.sparse_categorical_crossentropy(last, logits[:, -1], from_logits=True)
        )
    raise ZooError(
        f"{model.name!r} is a model of {task}, whose loss is not at the last step. A classifier, a regressor and a "
        "language model have one there"
    )


class _Holder(keras.Model):
    """Has what is added to the states as its only weights, for the network is hidden in a function."""

    def __init__(self, watched, answer):
        super().__init__()
        self.answer = answer
        for each in watched:
            each.shifts = [
                self.add_weight(name="shift", shape=shape, initializer="zeros", dtype="float32")
                for shape in each.shapes
            ]

    def call(self, x):
        return self.answer()


class _Unrolled:
    """A recurrent layer, step by step, with something added to each state of each step."""

    def __init__(self, layer, size):
        self.layer = layer
        self.steps = size[1]
        self.shapes = [(*size, units) for units in layer.state_size]
        self.shifts = []
        self.mask = np.ones(size, bool)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """What the layer's own `call` returns."""
        states = self.layer.get_initial_state(len(sequences)) if initial_state is None else initial_state
        states = list(states) if isinstance(states, list | tuple) else [states]
        if mask is not None:
            self.mask = mask  # not yet as an array: on JAX the model is first called without numbers
        outputs = []
        for step in range(self.steps):
            _, new = self.layer.cell(sequences[:, step], states)
            new = list(new) if isinstance(new, list | tuple) else [new]
            if mask is not None:
                new = [ops.where(mask[:, step, None], *pair) for pair in zip(new, states, strict=True)]
            states = [
                state + ops.cast(shift[:, step], state.dtype) for state, shift in zip(new, self.shifts, strict=True)
            ]
            # What a cell says is its first state.
            outputs.append(states[0])
        last = ops.stack(outputs, 1) if self.layer.return_sequences else outputs[-1]
        return [last, *states] if self.layer.return_state else last

    def norms(self, shift):
        """Norms of the gradient (n, steps), of each sequence its last step first."""
        found = np.linalg.norm(np.asarray(ops.convert_to_numpy(shift), "float64"), axis=-1)
        turned = np.full_like(found, np.nan)
        lengths = ops.convert_to_numpy(self.mask).sum(1)
        for row, (values, length) in enumerate(zip(found, lengths, strict=True)):
            turned[row, :length] = values[:length][::-1]
        return turned
