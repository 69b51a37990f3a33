"""Networks from image to image as functions: raw pixels to raw pixels."""

import numpy as np

from zoo.errors import ZooError
from zoo.serving.base import DEFAULT, Serving
from zoo.serving.checks import in_words
from zoo.serving.pixels import expected_pixels, odd_size, rounded


class Translation(Serving):
    """A model of images to the pixels of others. See `Serving`.

    Where the sides of its images are free, the SavedModel takes images of any height and width.
    """

    shown = ("translation",)

    def __init__(self, model, labels, features, formats):
        import keras

        # The names of classes are those of the training data, and none of the model's.
        super().__init__(model, None, features, formats)
        self.graph = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
        numeric = [format for format in formats if format != "savedmodel"]
        if numeric and self.free:
            raise ZooError(
                f"{' and '.join(numeric)} files have one size of image, and the model takes any. Build it with the "
                "height and width that are wanted, and the trained weights; or export a SavedModel"
            )
        if formats and self.free:
            self._check_any_size()

    @property
    def free(self):
        """Whether the model takes images of any height or width."""
        return None in self.shape

    def _check_any_size(self):
        size = [side or free for side, free in zip(self.shape, (13, 11, 1), strict=True)]
        try:
            self.graph(np.zeros((1, *size), "float32"), training=False)
        except Exception as error:
            raise ZooError(
                f"the height and width of {self.model.name} are free, but it does not take an image of "
                f"{size[0]} x {size[1]} pixels. Build it with the height and width that are wanted, and the trained "
                "weights"
            ) from error

    def more(self, path, shape):
        if self.graph.output_shape[-1] > 4:
            return []  # PNG has four channels at most
        return ['tf.io.write_file("translation.png", tf.io.encode_png(answer["translation"][0]))']

    def outputs(self, format):
        dtype = "float32" if format == "keras" else "uint8"
        return {"translation": f"{dtype} {in_words(('n', *self.graph.output_shape[1:]))}"}

    def functions(self, model, format):
        import tensorflow as tf

        def serve(raw):
            return {"translation": rounded(model(tf.cast(raw, model.inputs[0].dtype), training=False))}

        return {DEFAULT: (serve, [tf.TensorSpec((None, *self.shape), "uint8", name="image")])}

    def requests(self, batch, format):
        asked = [(DEFAULT, {"image": batch})]
        return [*asked, (DEFAULT, {"image": odd_size(batch)})] if self.free else asked

    def expected(self, signature, inputs, format):
        graph, exact = self.computing(format)
        return {"translation": expected_pixels(self.answered(graph, inputs["image"], format), exact)}

    def checked(self, batch):
        # Two small images prove as much as thirty-two large ones.
        batch = np.asarray(batch)[:2]
        return super().checked(batch[:, :64, :64] if self.free else batch)
