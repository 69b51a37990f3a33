"""A loss that compares images by what a trained network sees in them."""

import inspect
import random
from concurrent.futures import ThreadPoolExecutor

import keras
from keras import ops

from zoo import registry
from zoo.errors import ZooError, require
from zoo.surgery import features

# Half the range of raw pixels: what 1 is of the range -1..1.
HALF_RANGE = 127.5


@keras.saving.register_keras_serializable("zoo")
class PerceptualLoss(keras.losses.Loss):
    """The mean squared error of features of two images: Ledig et al. 2017, arXiv:1609.04802, equation 5.

        loss = mean (scale * (features(true) - features(predicted)))**2 + pixels * mean ((true - predicted) / 127.5)**2

    Which textures an image has is seen in the features of a classifier, and hardly in the squared error of its pixels,
    which is least for the mean of all that it could be: a blur.

    The network is frozen and computes in float32. It is no part of what is saved: a file holds the arguments, and the
    network is built anew when the loss that was read from it is first called.

    Args:
        network: name of a model for images (`zoo.list_models()`).
        weights: what `zoo.build(network, weights=...)` takes: the name of weights, or the path of a run or a file.
        layer: name of the network's layer, a convolutional one or one behind it; "outer/inner" for one in a model.
        scale: number > 0 that features are multiplied by.
        pixels: number >= 0, weight of the squared error of pixels, where they span -1..1.
        lazy: whether the network is built at the first call, and not at once.
        name: name of the loss.
        reduction: as in `keras.losses.Loss`; the default is the mean over the batch.
        dtype: as in `keras.losses.Loss`.

    The paper's VGG54 loss is `PerceptualLoss("vgg19", "imagenet", "block5_conv4_relu", scale=1 / 12.75)`, VGG22 that of
    "block2_conv2_relu": the last convolution before the fifth and the second pooling, behind its ReLU.

    Called with raw pixels 0..255 (batch, height, width, channels), of any size that the network's strides leave
    something of. Grey images are given to a network of colour images as three equal channels.

    Raises:
        ZooError: a network, weights or a layer that there is not, a layer without maps, a number out of range; when
            called, images that the network cannot take.

    Example:
        >>> loss = PerceptualLoss("resnet20", "cifar10", "stage2_block3_relu")
        >>> images = np.random.default_rng(0).integers(0, 256, (2, 24, 24, 3)).astype("float32")
        >>> float(loss(images, images)), float(loss(images, 255 - images)) > 0.01
        (0.0, True)
    """

    def __init__(
        self,
        network="resnet20",
        weights="cifar10",
        layer="stage2_block3_relu",
        scale=1.0,
        pixels=0.0,
        lazy=False,
        name="perceptual_loss",
        reduction="sum_over_batch_size",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        for key, value, least in (("scale", scale, 0), ("pixels", pixels, None)):
            number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
            require(number and value != least, key, value, f"a number {'>=' if least is None else '>'} 0")
        self.network, self.weights, self.layer = network, weights, layer
        self.scale, self.pixels = scale, pixels
        # A function, not the model: Keras saves the models that it finds in the attributes of what it saves.
        self._features = None
        if not lazy:
            self._build()

    def call(self, y_true, y_pred):
        seen = self._seen(y_true) - self._seen(y_pred)
        loss = self.scale**2 * ops.mean(ops.square(seen), axis=(1, 2, 3))
        if self.pixels:
            error = ops.mean(ops.square((y_true - y_pred) / HALF_RANGE), axis=(1, 2, 3))
            loss = loss + self.pixels * error
        return loss

    def get_config(self):
        config = dict(network=self.network, weights=self.weights, layer=self.layer, scale=self.scale)
        return {**super().get_config(), **config, "pixels": self.pixels}

    @classmethod
    def from_config(cls, config):
        # Whoever loads a model in order to call it needs neither the network nor its weights.
        return cls(**{**config, "lazy": True})

    def _build(self):
        # In a thread of its own nothing is a step's graph: the first call may come while one is traced. Nor does the
        # policy set there reach beyond it.
        with ThreadPoolExecutor(1) as thread:
            model = thread.submit(_any_size, self.network, self.weights, self.layer).result()
        self._channels = model.input_shape[-1]
        self._shape_of = model.compute_output_shape
        self._features = lambda images: model(images, training=False)

    def _seen(self, images):
        if self._features is None:
            self._build()
        if images.shape[-1] == 1 < self._channels:
            images = ops.repeat(images, self._channels, axis=-1)
        if images.shape[-1] != self._channels:
            raise ZooError(f"{self.network} sees {self._channels} channels. Received images of {images.shape[-1]}")
        self._check(images.shape)
        return self._features(images)

    def _check(self, shape):
        sides = tuple(shape[1:3])
        if None in sides:
            return
        try:
            left = self._shape_of((1, *sides, self._channels))[1:3]
        except ValueError:
            left = (0, 0)
        if min(left) < 1:
            raise ZooError(
                f"of images of {sides[0]} x {sides[1]} pixels nothing is left at the layer {self.layer!r} of "
                f"{self.network}: take a layer nearer to its input, or larger images"
            )


def _any_size(network, weights, layer):
    """A frozen model from images of any size to the maps of a layer."""
    keras.config.set_dtype_policy("float32")
    # What is drawn here must not change what a training draws.
    state = random.getstate()
    try:
        known = inspect.signature(registry.builder(network)).parameters
        top = {"include_top": False} if "include_top" in known else {}
        source = features(registry.build(network, weights=weights, **top), layer)
        given, maps = source.inputs[0], source.outputs[0]
        if len(given.shape) != 4 or len(maps.shape) != 4:
            raise ZooError(
                f"images are compared by the maps of a layer, (batch, height, width, channels). The layer {layer!r} of "
                f"{network} gives {tuple(maps.shape)}"
            )
        inputs = keras.Input((None, None, given.shape[-1]), name=given.name)
        model = keras.models.clone_model(keras.Model(given, maps, name=network), input_tensors=inputs)
        model.set_weights(source.get_weights())
        model.trainable = False
        return model
    finally:
        random.setstate(state)
