"""Autoencoders as functions: an image to its reconstruction, an image to its code, a code to an image."""

import numpy as np

from zoo.serving.base import DEFAULT, Serving, in_words


class Codes(Serving):
    """An autoencoder, with a signature each for `serve`, `encode` and `decode`. See `Serving`."""

    shown = ("reconstruction", "squared_error")

    def __init__(self, model, labels, features, formats):
        super().__init__(model, None, features, formats)
        self.code = model.encoder.output_shape[1:]

    def more(self, path, shape):
        return [
            f'signatures = tf.saved_model.load("{path}").signatures',
            f'code = signatures["encode"](image=tf.zeros({shape}, tf.uint8))["code"]',
            'print(signatures["decode"](code=code)["image"].shape)',
        ]

    def outputs(self, format):
        if format == "keras":
            return {"image": f"float32 {in_words(('n', *self.shape))}"}
        return {"reconstruction": f"uint8 {in_words(('n', *self.shape))}", "squared_error": "float32 (n,)"}

    def functions(self, model, format):
        import tensorflow as tf

        def raw_pixels(image):
            return tf.cast(tf.round(255 * tf.cast(image, tf.float32)), tf.uint8)

        def serve(raw):
            pixels = tf.cast(raw, tf.float32)
            image = tf.cast(model(pixels, training=False), tf.float32)
            error = tf.reduce_sum(tf.square(image - pixels / 255), axis=(1, 2, 3))
            return {"reconstruction": raw_pixels(image), "squared_error": error}

        def encode(raw):
            return {"code": tf.cast(model.encoder(tf.cast(raw, tf.float32), training=False), tf.float32)}

        def decode(code):
            return {"image": raw_pixels(model.decoder(code, training=False))}

        image = tf.TensorSpec((None, *self.shape), "uint8", name="image")
        code = tf.TensorSpec((None, *self.code), "float32", name="code")
        if format != "savedmodel":
            return {DEFAULT: (serve, [image])}
        both = {DEFAULT: (serve, [image]), "serve": (serve, [image])}
        return {**both, "encode": (encode, [image]), "decode": (decode, [code])}

    def requests(self, batch, format):
        images = {"image": batch}
        if format != "savedmodel":
            return [(DEFAULT, images)]
        codes = {"code": self.answered(self.model.encoder, batch, format).astype("float32")}
        return [(DEFAULT, images), ("serve", images), ("encode", images), ("decode", codes)]

    def expected(self, signature, inputs, format):
        model, exact = self.computing(format)
        (array,) = inputs.values()
        if signature == "encode":
            codes = self.answered(model.encoder, array, format)
            return {"code": (codes, (1e-5 if exact else 0.05) * (1 + np.abs(codes).max(initial=0)))}
        image = self.answered(model.decoder if signature == "decode" else model, array, format)
        # Half a step of rounding may fall either way.
        pixels = np.round(255 * image).astype("uint8"), 1 if exact else 13
        answers = {"image" if signature == "decode" else "reconstruction": pixels}
        if signature != "decode":
            errors = np.square(image - array / 255.0).sum(axis=(1, 2, 3))
            answers["squared_error"] = errors, (1e-5 if exact else 0.1) * (1 + errors.max(initial=0))
        return answers
