"""Segmentation networks as functions from an image of any size to a class for each of its pixels."""

import numpy as np

from zoo.errors import ZooError
from zoo.report import softmax
from zoo.serving.base import DEFAULT, NAMES, Serving
from zoo.serving.pixels import odd_size, random_pixels
from zoo.tasks import logits_of
from zoo.tiling import any_size, predicted, segment


class Masks(Serving):
    """A model of logits for each pixel. See `Serving`.

    The SavedModel takes images of any height and width, tile by tile (`zoo.tiling.segment`); numeric formats take the
    model's own size, and answer as it does.
    """

    shown = ("mask", "probabilities")

    def __init__(self, model, labels, features, formats):
        self.classes = logits_of(model).shape[-1]
        super().__init__(model, labels, features, formats)
        numeric = [format for format in formats if format != "savedmodel"]
        self.window, self.shape = self.shape, (None, None, self.shape[-1])
        if numeric and None in self.window:
            raise ZooError(
                f"{' and '.join(numeric)} files have one size of image, and the model takes any. Build it with the "
                "height and width that are wanted in input_shape, and the trained weights; or export a SavedModel"
            )

    def shape_in(self, format):
        return self.shape if format == "savedmodel" else self.window

    def _labels(self, labels):
        count = max(2, self.classes)
        if labels is None:
            return tuple(map(str, range(count)))
        labels = super()._labels(labels)
        if len(labels) != count:
            raise ZooError(
                f"the model tells {count} classes apart, labels must name each. Received: {len(labels)} labels"
            )
        return labels

    def more(self, path, shape):
        return [f'print(tf.saved_model.load("{path}").signatures["labels"]()["labels"].numpy())']

    def outputs(self, format):
        if format == "keras":
            return {"logits": f"float32 (n, height, width, {self.classes})"}
        numbers = {"probabilities": f"float32 (n, height, width, {self.classes})"}
        return {"mask": "uint8 (n, height, width)", **numbers} if format == "savedmodel" else numbers

    def functions(self, model, format):
        import tensorflow as tf

        from zoo.serving.tiles import tiled

        spec = tf.TensorSpec((None, *self.shape_in(format)), "uint8", name="image")
        if format != "savedmodel":

            def numeric(raw):
                logits = tf.cast(model(tf.cast(raw, tf.float32), training=False), tf.float32)
                return {"probabilities": tf.sigmoid(logits) if self.classes == 1 else tf.nn.softmax(logits)}

            return {DEFAULT: (numeric, [spec])}
        probabilities = tiled(any_size(model))

        def serve(raw):
            found = probabilities(raw)
            mask = found[..., 0] >= 0.5 if self.classes == 1 else tf.argmax(found, axis=-1)
            return {"mask": tf.cast(mask, tf.uint8), "probabilities": found}

        return {DEFAULT: (serve, [spec]), NAMES: (self.class_names, [])}

    def requests(self, batch, format):
        if format != "savedmodel":
            return [(DEFAULT, {"image": batch if batch.shape[1:] == self.window else self.example()})]
        return [(DEFAULT, {"image": batch}), (DEFAULT, {"image": odd_size(batch)}), (NAMES, {})]

    def expected(self, signature, inputs, format):
        if signature == NAMES:
            return {}
        model, exact = self.computing(format)
        array = inputs["image"]
        if format == "savedmodel":
            found = segment(model, array).astype("float64")
        else:
            logits = self.answered(model, array, format)
            found = 1 / (1 + np.exp(-logits)) if self.classes == 1 else softmax(logits)
        return {"probabilities": (found, 1e-4 if exact else 0.1)}

    def inspect(self, format, got):
        super().inspect(format, got)
        if "mask" in got:
            if not np.array_equal(predicted(got["probabilities"]), got["mask"]):
                raise ZooError(f"the {format} export's mask is not that of its highest probabilities")

    def example(self):
        return random_pixels(2, self.window)

    def own(self, batch):
        return self.example()

    def checked(self, batch):
        # Two images of a little more than a tile prove as much as thirty-two large ones.
        return super().checked(np.asarray(batch)[:2, :300, :300])
