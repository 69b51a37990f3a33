"""Greedy layer-wise pretraining: each layer of an autoencoder learns as a restricted Boltzmann machine first.

Hinton, Salakhutdinov 2006, Reducing the dimensionality of data with neural networks, Science 313, and its supporting
material; Hinton 2002, Training products of experts by minimizing contrastive divergence, Neural Computation 14(8).
"""

import time

import keras
import numpy as np
from keras import ops

from zoo.errors import ZooError, require
from zoo.estimate import duration

RATES = {"sigmoid": 0.1, "linear": 0.001}


class BoltzmannMachine(keras.layers.Layer):
    """A restricted Boltzmann machine, whose loss has the gradient of one step of contrastive divergence.

    The free energy of visible values v is `-a v - sum over j of log(1 + exp(b_j + v W_j))` with binary hidden units,
    and `-a v - 1/2 sum over j of (b_j + v W_j)**2` with Gaussian ones of variance 1. The loss is the free energy of the
    data less that of their reconstruction from one draw of the hidden units, the latter taken for constant: its
    gradient by the weights is the difference of the two phases' statistics.

    Args:
        units: number of hidden units.
        hidden: "sigmoid" for binary hidden units, "linear" for Gaussian ones.
        weight_cost: what the weights' squares cost, times a half; the paper's supporting code has 0.0002.
        **kwargs: those of `keras.layers.Layer`.

    Input is `(batch, features)`, values 0..1. Output: the hidden units' means `(batch, units)` and the reconstruction
    `(batch, features)`.

    Example:
        >>> hidden, visible = BoltzmannMachine(3)(np.ones((2, 5), "float32"))
        >>> tuple(hidden.shape), tuple(visible.shape)
        ((2, 3), (2, 5))
    """

    def __init__(self, units, hidden="sigmoid", weight_cost=0.0002, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden = hidden
        self.weight_cost = weight_cost
        self.noise = keras.random.SeedGenerator()

    def build(self, input_shape):
        start = keras.initializers.RandomNormal(stddev=0.1)
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units), initializer=start)
        self.visible_bias = self.add_weight(name="visible_bias", shape=(input_shape[-1],), initializer="zeros")
        self.hidden_bias = self.add_weight(name="hidden_bias", shape=(self.units,), initializer="zeros")

    def call(self, inputs):
        mean = self._mean(inputs)
        if self.hidden == "sigmoid":
            drawn = ops.cast(keras.random.uniform(ops.shape(mean), seed=self.noise) < mean, mean.dtype)
        else:
            drawn = mean + keras.random.normal(ops.shape(mean), seed=self.noise)
        visible = ops.sigmoid(ops.matmul(drawn, ops.transpose(self.kernel)) + self.visible_bias)
        visible = ops.stop_gradient(visible)
        self.add_loss(ops.mean(self.free_energy(inputs) - self.free_energy(visible)))
        self.add_loss(0.5 * self.weight_cost * ops.sum(ops.square(self.kernel)))
        return mean, visible

    def free_energy(self, visible):
        """The free energy of visible values `(batch, features)`: `(batch,)`."""
        total = ops.matmul(visible, self.kernel) + self.hidden_bias
        summed = ops.softplus(total) if self.hidden == "sigmoid" else 0.5 * ops.square(total)
        return -ops.sum(visible * self.visible_bias, axis=-1) - ops.sum(summed, axis=-1)

    def _mean(self, visible):
        total = ops.matmul(visible, self.kernel) + self.hidden_bias
        return ops.sigmoid(total) if self.hidden == "sigmoid" else total


class GreedyPretraining(keras.callbacks.Callback):
    """Gives an `autoencoder` its first weights, layer by layer, before the first step of its training.

    Each layer of the encoder is trained as a restricted Boltzmann machine on what the one below makes of the images;
    the decoder gets the transposed weights. A resumed training does not begin anew.

    Args:
        images: raw training images (n, height, width, channels), 0..255. They are held a second time, as float32.
        epochs: passes over the images for each layer, an integer >= 0; 0 leaves the weights as they are.
        batch_size: images a step.
        verbose: whether each layer's error and time are printed.

    Attributes:
        seconds: what it took.

    Raises:
        ZooError: when training begins, unless the model is an `autoencoder` of sigmoid units with a linear code, or one
            of sigmoids: others are no such machines.

    Example:
        >>> model = zoo.build("autoencoder", input_shape=(8, 8, 1), hidden=(32,), code=4)
        >>> model.compile("adam", "mse")
        >>> x = zoo.data.images("digits", 32).train.arrays[0]
        >>> before = GreedyPretraining(x, epochs=2, verbose=False)
        >>> history = model.fit(x, x / 255, verbose=0, callbacks=[before])
        >>> before.seconds > 0
        True
    """

    def __init__(self, images, epochs=10, batch_size=100, verbose=True):
        super().__init__()
        whole = isinstance(epochs, int) and not isinstance(epochs, bool) and epochs >= 0
        require(whole, "epochs", epochs, "a whole number >= 0")
        self._images = images
        self._epochs = epochs
        self._batch_size = batch_size
        self._tell = print if verbose else lambda *_: None
        self.seconds = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        # Not when training begins: a training that is resumed begins, too, at a later epoch.
        if epoch == 0 and self._epochs:
            began = time.monotonic()
            pairs = _pairs(self.model)
            values = np.float32(self._images).reshape(len(self._images), -1) / 255
            for number, (up, down) in enumerate(pairs, start=1):
                values = self._learn(values, up, down, f"layer {number} of {len(pairs)}")
            self.seconds = time.monotonic() - began

    def _learn(self, values, up, down, name):
        began = time.monotonic()
        kind = up.activation.__name__
        inputs = keras.Input(values.shape[1:])
        machine = BoltzmannMachine(up.units, kind, dtype="float32")
        hidden, visible = machine(inputs)
        model = keras.Model(inputs, visible)
        steps = -(-len(values) // self._batch_size)
        model.compile(
            keras.optimizers.SGD(RATES[kind], momentum=0.9), metrics=["mse"], steps_per_execution=min(steps, 50)
        )
        history = model.fit(values, values, batch_size=self._batch_size, epochs=self._epochs, verbose=0).history
        error = history["mse"][-1] * values.shape[1]
        shape = f"{values.shape[1]} to {up.units}"
        self._tell(
            f"pretraining, {name}: {shape}, squared error {error:.2f} after {self._epochs} epochs, "
            f"{duration(time.monotonic() - began)}"
        )
        up.kernel.assign(machine.kernel)
        up.bias.assign(machine.hidden_bias)
        down.kernel.assign(ops.transpose(machine.kernel))
        down.bias.assign(machine.visible_bias)
        means = keras.Model(inputs, hidden)
        return means.predict(values, batch_size=1000, verbose=0)


def _pairs(model):
    """The dense layers of an encoder from the bottom, each with the layer of the decoder that undoes it."""
    found = [
        [layer for layer in part.layers if isinstance(layer, keras.layers.Dense)]
        for part in (getattr(model, "encoder", None), getattr(model, "decoder", None))
        if part is not None
    ]
    fits = len(found) == 2 and len(found[0]) == len(found[1])
    if fits:
        kinds = [layer.activation.__name__ for layer in found[0]]
        shapes = [(up.kernel.shape, down.kernel.shape[::-1]) for up, down in zip(found[0], found[1][::-1], strict=True)]
        fits = all(up == down for up, down in shapes) and set(kinds) <= set(RATES) and "linear" not in kinds[:-1]
    if not fits:
        raise ZooError(
            f"greedy pretraining is for dense autoencoders of sigmoid units, such as zoo.build('autoencoder', "
            f"activation='sigmoid'). Received: the model {model.name!r}"
        )
    return list(zip(found[0], found[1][::-1], strict=True))
