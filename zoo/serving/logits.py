"""Classifiers and regressions as functions from raw input to named answers."""

import numpy as np

from zoo.errors import ZooError
from zoo.report import softmax
from zoo.serving.base import DEFAULT, Serving
from zoo.tasks import logits_of


class Logits(Serving):
    """A model of logits `(batch, classes)`, or of one number for each example. See `Serving`."""

    def __init__(self, model, labels, features, formats):
        self.classes = _classes(model)
        super().__init__(model, labels, features, formats)
        self.shown = ("label", "probability") if self.labels else ("value",)

    def _labels(self, labels):
        if labels is None:
            return tuple(map(str, range(self.classes))) if self.classes > 1 else ()
        labels = super()._labels(labels)
        if self.classes == 1:
            raise ZooError(f"the model has one output, a value: it has no labels. Received: {len(labels)} labels")
        if len(labels) != self.classes:
            raise ZooError(
                f"the model has {self.classes} classes, labels must name each. Received: {len(labels)} labels"
            )
        return labels

    def outputs(self, format):
        if format == "keras":
            return {"logits" if self.labels else "value": f"float32 (n, {self.classes})"}
        if not self.labels:
            return {"value": "float32 (n,)"}
        numbers = {"probabilities": f"float32 (n, {self.classes})"}
        return {"label": "string (n,)", "probability": "float32 (n,)", **numbers} if format == "savedmodel" else numbers

    def functions(self, model, format):
        import keras
        import tensorflow as tf

        graph = keras.Model(model.inputs[0], logits_of(model))

        def serve(raw):
            logits = tf.cast(graph(tf.cast(raw, model.inputs[0].dtype), training=False), tf.float32)
            if not self.labels:
                return {"value": logits[:, 0]}
            answers = {"probabilities": tf.nn.softmax(logits)}
            if format == "savedmodel":
                best = tf.argmax(answers["probabilities"], axis=-1)
                answers["label"] = tf.gather(tf.constant(self.labels), best)
                answers["probability"] = tf.reduce_max(answers["probabilities"], axis=-1)
            return answers

        return {DEFAULT: (serve, [tf.TensorSpec((None, *self.shape), self.dtype, name=self.name)])}

    def expected(self, signature, inputs, format):
        import keras

        model, exact = self.computing(format)
        logits = self.answered(keras.Model(model.inputs[0], logits_of(model)), inputs[self.name], format)
        largest = np.abs(logits[np.isfinite(logits)]).max(initial=0)
        if not self.labels:
            return {"value": (logits[:, 0], 1e-5 * (1 + largest) if exact else 0.05 * (1 + largest))}
        return {"probabilities": (softmax(logits), 1e-5 + 1e-6 * largest if exact else 0.05)}

    def inspect(self, format, got):
        if "label" not in got:
            return
        best = got["probabilities"].argmax(axis=-1)
        same = np.array_equal(got["probability"], got["probabilities"].max(axis=-1))
        if got["label"].tolist() != [self.labels[i] for i in best] or not same:
            raise ZooError(f"the {format} export's labels are not those of its highest probabilities")


def _classes(model):
    logits = logits_of(model)
    if not hasattr(logits, "shape") or len(logits.shape) != 2 or logits.shape[-1] is None:
        raise ZooError(f"export takes models whose output is logits (batch, classes). Received: {model.output}")
    return logits.shape[-1]
