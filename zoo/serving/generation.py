"""Adversarial networks as functions: codes to images, and a number and a seed to that many."""

import numpy as np

from zoo.errors import ZooError
from zoo.serving.base import DEFAULT, NAMES, Serving
from zoo.serving.checks import in_words
from zoo.serving.pixels import expected_pixels, rounded


class Generation(Serving):
    """A generator of images or of vectors from codes, and classes where it takes them. See `Serving`.

    What is written is the generator alone. Images are rounded; `sample` of a SavedModel draws the codes that
    `zoo.adversarial.Adversarial.sample` draws.
    """

    def __init__(self, model, labels, features, formats):
        import keras

        from zoo.adversarial import Adversarial

        if not isinstance(model, Adversarial) or model.latent is None:
            raise ZooError(
                "export takes what generates from noise as a zoo.adversarial.Adversarial with the input z, and what "
                f"makes images of images with the layer zoo.pixel_affine.Pixels at its end. Received: {model.name}"
            )
        # The names of features are those of what such a model makes.
        super().__init__(model, labels, None, formats)
        self.graph = keras.Model(model.inputs, model.outputs[0], name=model.name)
        self.name, self.dtype = "z", "float32"
        self.made = tuple(model.outputs[0].shape[1:])
        self.shown = ("image",) if len(self.made) == 3 else ("vector",)

    def _shape(self):
        return (self.model.latent,)

    def _labels(self, labels):
        count = self.model.classes
        if count is None:
            return ()  # those of the training data are none of the model's
        if labels is None:
            return tuple(map(str, range(count)))
        labels = super()._labels(labels)
        if len(labels) != count:
            raise ZooError(f"the model makes {count} classes, labels must name each. Received: {len(labels)} labels")
        return labels

    def takes(self, format):
        return {**super().takes(format), **({"label": ("int32", ())} if self.labels else {})}

    def outputs(self, format):
        (name,) = self.shown
        dtype = "uint8" if name == "image" and format != "keras" else "float32"
        return {name: f"{dtype} {in_words(('n', *self.made))}"}

    def more(self, path, shape):
        label = "label=tf.constant(0), " if self.labels else ""
        (name,) = self.shown
        lines = [
            f'signatures = tf.saved_model.load("{path}").signatures',
            f'made = signatures["sample"]({label}n=tf.constant(16), seed=tf.constant(0))["{name}"]',
        ]
        if self.labels:
            lines.append('print(signatures["labels"]()["labels"].numpy())')
        if name == "vector" or self.made[-1] > 4:
            return [*lines, "print(made.numpy())"]  # PNG has four channels at most
        return [*lines, "for i, image in enumerate(made):", '    tf.io.write_file(f"{i}.png", tf.io.encode_png(image))']

    def functions(self, model, format):
        import tensorflow as tf

        from zoo.adversarial import noise

        (name,), classes = self.shown, len(self.labels)

        def made(z, *label):
            values = model([z, *label], training=False)
            return {name: rounded(values) if name == "image" else tf.cast(values, tf.float32)}

        def known(label):
            told = f"label must be a class, 0 to {classes - 1}"
            checks = tf.debugging.assert_non_negative(label, told), tf.debugging.assert_less(label, classes, told)
            with tf.control_dependencies(checks):
                return tf.identity(label)

        def serve(z, *label):
            return made(z, *map(known, label))

        def sample(n, seed, *label):
            with tf.control_dependencies([tf.debugging.assert_positive(n, "n must be 1 or more")]):
                n = tf.identity(n)
            return made(noise(n, self.model.latent, seed), *(tf.fill((n,), known(each)) for each in label))

        specs = [tf.TensorSpec((None, *shape), dtype, name=key) for key, (dtype, shape) in self.takes(format).items()]
        if format != "savedmodel":
            return {DEFAULT: (made, specs)}
        scalars = [tf.TensorSpec((), "int32", name=key) for key in ("n", "seed", "label")[: 3 if classes else 2]]
        found = {DEFAULT: (serve, specs), "sample": (sample, scalars)}
        return {**found, NAMES: (self.class_names, [])} if classes else found

    def requests(self, batch, format):
        if format != "savedmodel":
            return [(DEFAULT, batch)]
        asked = {"n": 5, "seed": 1, **({"label": len(self.labels) - 1} if self.labels else {})}
        found = [(DEFAULT, batch), ("sample", {key: np.int32(value) for key, value in asked.items()})]
        return [*found, (NAMES, {})] if self.labels else found

    def expected(self, signature, inputs, format):
        if signature == NAMES:
            return {}
        graph, exact = self.computing(format)
        if signature == "sample":
            made = self._sampled(**{key: int(value) for key, value in inputs.items()})
        else:
            made = self.answered(graph, inputs, format)
        (name,) = self.shown
        if name == "image":
            return {name: expected_pixels(made, exact)}
        return {name: (np.float64(made), (1e-5 if exact else 0.05) * (1 + np.abs(made).max(initial=0)))}

    def _sampled(self, **arguments):
        import keras

        with keras.device("cpu:0"):
            return self.model.sample(**arguments)

    def example(self):
        codes = {"z": super().example()}
        return {**codes, "label": np.arange(8, dtype="int32") % len(self.labels)} if self.labels else codes

    def own(self, batch):
        return batch if self.labels else batch["z"]

    def checked(self, batch):
        return self.example()  # real images are no input of such a model
