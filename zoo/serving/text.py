"""Classifiers and regressors of texts as functions from strings to named answers."""

import numpy as np

from zoo.errors import require
from zoo.serving.base import DEFAULT, NAMES
from zoo.serving.logits import Logits
from zoo.serving.strings import Strings, random_texts, raw_of, refuse_numeric, texts_of
from zoo.symbols import symbols_of


class Text(Logits):
    """A model of texts with logits `(batch, classes)`, or one number for each text. See `Serving`."""

    literals = {"text": ["To be, or not to be"]}

    def __init__(self, model, labels, features, formats):
        refuse_numeric(model, formats)
        self.symbols = symbols_of(model)
        super().__init__(model, labels, None, formats)
        self.name, self.dtype = "text", "string"

    def _shape(self):
        return ()

    def takes(self, format):
        return {"text": ("int32", (None,))} if format == "keras" else super().takes(format)

    def functions(self, model, format):
        import tensorflow as tf

        ((numeric, _),) = super().functions(model, format).values()
        strings = Strings(self.symbols)
        self.held = strings.held

        def serve(text):
            return numeric(strings.padded(text))

        found = {DEFAULT: (serve, [tf.TensorSpec((None,), "string", name="text")])}
        return {**found, NAMES: (self.class_names, [])} if self.labels else found

    def requests(self, batch, format):
        asked = [(DEFAULT, {"text": np.array(batch)})]
        return [*asked, (NAMES, {})] if self.labels else asked

    def expected(self, signature, inputs, format):
        if signature == NAMES:
            return {}
        return super().expected(signature, {"text": raw_of(self.symbols, list(inputs["text"]))}, format)

    def inspect(self, format, got):
        super().inspect(format, got)
        super(Logits, self).inspect(format, got)

    def example(self):
        return random_texts(self.symbols, (1, 2, 5, 40))

    def checked(self, batch):
        texts = texts_of(self.symbols, batch)
        require(texts, "batch", batch, "texts, or rows of raw input as the model takes it")
        return texts

    def own(self, batch):
        return raw_of(self.symbols, batch)
