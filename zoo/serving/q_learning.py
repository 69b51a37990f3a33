"""Models of action values as functions: an observation to the best action."""

import numpy as np

from zoo.errors import ZooError, require
from zoo.serving.base import DEFAULT, NAMES, Serving
from zoo.serving.pixels import random_pixels


class QLearning(Serving):
    """A network from a raw observation to the value of each action, or to the value of the state alone. See `Serving`.

    Only the network is written: neither its target nor how it explored. Of equally good actions the first is answered.
    Where an observation is a numbered state, one that there is not stops a SavedModel with a message; files of numbers,
    which have none, answer with values that are NaN.
    """

    def __init__(self, model, labels, features, formats):
        self.actions = model.actions
        super().__init__(model, labels, features, formats)
        self.graph = model.network
        self.name, self.dtype = "observation", model.inputs[0].dtype
        self.states = _states(self.graph)
        self.shown = ("action", "q_values") if self.actions > 1 else ("value",)

    def _labels(self, labels):
        if not labels or self.actions == 1:
            return ()  # those of the environment are none of a model that values states
        labels = super()._labels(labels)
        if len(labels) != self.actions:
            raise ZooError(
                f"the model values {self.actions} actions, labels must name each. Received: {len(labels)} labels"
            )
        return labels

    def more(self, path, shape):
        return [f'print(tf.saved_model.load("{path}").signatures["{NAMES}"]()["{NAMES}"].numpy())'] * bool(self.labels)

    def outputs(self, format):
        if format == "keras":
            return {"q_values": f"float32 (n, {self.actions})"}
        if self.actions == 1:
            return {"value": "float32 (n,)"}
        return {"action": "int64 (n,)", "q_values": f"float32 (n, {self.actions})"}

    def functions(self, model, format):
        import tensorflow as tf

        def known(raw):
            told = f"each observation must be a state, 0 to {self.states - 1}"
            checks = tf.debugging.assert_non_negative(raw, told), tf.debugging.assert_less(raw, self.states, told)
            with tf.control_dependencies(checks):
                return tf.identity(raw)

        def serve(raw):
            values = model(known(raw) if self.states and format == "savedmodel" else raw, training=False)
            if self.states and format != "savedmodel":
                there = tf.logical_and(raw >= 0, raw < self.states)
                values = tf.where(there[:, None], values, np.float32("nan"))
            if self.actions == 1:
                return {"value": values[:, 0]}
            return {"action": tf.argmax(values, axis=-1, output_type="int64"), "q_values": values}

        found = {DEFAULT: (serve, [tf.TensorSpec((None, *self.shape), self.dtype, name=self.name)])}
        return {**found, NAMES: (self.class_names, [])} if self.labels and format == "savedmodel" else found

    def requests(self, batch, format):
        names = [(NAMES, {})] * bool(self.labels and format == "savedmodel")
        return [(DEFAULT, {self.name: batch}), *names]

    def expected(self, signature, inputs, format):
        if signature == NAMES:
            return {}
        graph, exact = self.computing(format)
        values = self.answered(graph, inputs[self.name], format)
        slack = (1e-5 if exact else 0.05) * (1 + np.abs(values).max(initial=0))
        return {"value": (values[:, 0], slack)} if self.actions == 1 else {"q_values": (values, slack)}

    def inspect(self, format, got):
        super().inspect(format, got)
        if "action" not in got:
            return
        # Two actions of one value may be told apart by rounding, and be exchanged by it.
        values, action = got["q_values"], got["action"]
        fits = action.dtype == np.int64 and action.shape == values.shape[:1]
        fits = fits and action.min() >= 0 and action.max() < self.actions
        chosen = np.take_along_axis(values, action[:, None], -1)[:, 0] if fits else -np.inf
        if not (values.max(-1) - chosen <= 1e-6 * (1 + np.abs(values).max())).all():
            raise ZooError(f"the {format} export's actions are not those of its highest values")

    def example(self):
        if self.states:
            return np.unique(np.linspace(0, self.states - 1, 32).astype(self.dtype))
        if self.dtype == "uint8":
            return random_pixels(8, self.shape)
        drawn = super().example()
        # Inside the range of features that end at its bounds.
        for layer in self.graph.layers:
            if hasattr(layer, "shares"):
                low, high = (np.array(each, "float32") for each in (layer.low, layer.high))
                return np.clip(low + (high - low) * (0.5 + 0.25 * drawn), low, high)
        return drawn

    def checked(self, batch):
        raw = super().checked(batch)
        if self.states:
            fits = raw.min() >= 0 and raw.max() < self.states
            require(fits, "batch", f"{raw.min()} to {raw.max()}", f"states, 0 to {self.states - 1}")
        return raw


def _states(network):
    """How many states a network of numbered ones knows; 0 where an observation is something else."""
    found = (operation for operation in network.operations if type(operation).__name__ == "OneHot")
    return next((operation.num_classes for operation in found), 0) if not network.inputs[0].shape[1:] else 0
