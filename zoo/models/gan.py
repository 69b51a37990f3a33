"""Generative adversarial networks: noise in, an image out.

Goodfellow et al. 2014, Generative adversarial nets, arXiv:1406.2661; Radford, Metz, Chintala 2015, Unsupervised
representation learning with deep convolutional generative adversarial networks, arXiv:1511.06434; Mirza, Osindero 2014,
Conditional generative adversarial nets, arXiv:1411.1784.
"""

import math

import keras

from zoo.adversarial import Adversarial
from zoo.errors import choose, require
from zoo.generative_layers import SpectralNormalization
from zoo.leaky_relu import LeakyReLU
from zoo.models import _inputs
from zoo.normalization import BatchNormalization
from zoo.pixel_affine import Pixels
from zoo.registry import register

NORMALIZATIONS = ("batch", "layer", "spectral", "none")


@register
def gan(
    image_shape=(28, 28, 1),
    latent=100,
    hidden=(1200, 1200),
    units=(240, 240),
    pieces=5,
    dropout=0.5,
    spectral=False,
    ema=0.0,
):
    """The dense networks of Goodfellow et al. 2014: rectified units that generate, maxout units that judge.

        z 100 -> 1200 -> 1200 -> 784 -> image 28x28x1                         (2 503 984 parameters)
        image 28x28x1 -> maxout 240 of 5 pieces -> maxout 240 of 5 -> logit   (1 231 441)

    Args:
        image_shape: (height, width, channels) of the images, or (numbers,) for vectors, which come out as they are.
        latent: integer >= 1, numbers of the standard normal code z.
        hidden: widths of the generator's layers, integers >= 1.
        units: widths of the discriminator's layers, integers >= 1.
        pieces: integer >= 1, linear pieces of each maxout unit (Goodfellow et al. 2013); 1 makes it linear.
        dropout: 0 <= number < 1, the part that the discriminator drops behind each layer in training.
        spectral: whether the discriminator's weights have their spectral norm divided out (Miyato et al. 2018).
        ema: 0 <= number < 1, decay of a moving average of the generator, which then is what is called; 0 is without.

    Returns:
        A `zoo.adversarial.Adversarial`: a `keras.Model` from codes (batch, latent) to raw pixels 0..255 (batch, height,
        width, channels), or to vectors, with a discriminator on its side. Its `compile` has the losses.

    Raises:
        ZooError: a value that is not named above.

    Differences from the paper:
        - The paper does not give the sizes. These are the widths and pieces of the code for MNIST that its authors
          released, as far as they are known; weights start by Glorot's rule.
        - The code is normal, not uniform; the image is a tanh's, where the paper has a sigmoid's.
        - The generator is trained on the images that the discriminator was just trained on, not on new ones.

    Example:
        >>> import zoo
        >>> model = zoo.build("gan")
        >>> model.output_shape, model.discriminator.count_params()
        ((None, 28, 28, 1), 1231443)
    """
    flat = isinstance(image_shape, list | tuple) and len(image_shape) == 1
    image_shape = _inputs.shape(image_shape, vectors=True, name="image_shape")
    _inputs.integer("latent", latent, 1)
    for name, widths in (("hidden", hidden), ("units", units)):
        require(isinstance(widths, list | tuple) and widths, name, widths, "a list of widths, such as (1200, 1200)")
        for width in widths:
            _inputs.integer(f"each width in {name}", width, 1)
    _inputs.integer("pieces", pieces, 1)
    _inputs.number("dropout", dropout, below=1)
    require(isinstance(spectral, bool), "spectral", spectral, "True or False")

    codes = x = keras.Input((latent,), name="z")
    for index, width in enumerate(hidden, start=1):
        x = keras.layers.Dense(width, "relu", name=f"hidden{index}")(x)
    if flat:
        x = keras.layers.Dense(image_shape[0], dtype="float32", name="vector")(x)
    else:
        x = keras.layers.Dense(math.prod(image_shape), "tanh", dtype="float32", name="image")(x)
        x = Pixels(name="pixels")(keras.layers.Reshape(image_shape, name="reshape")(x))
    generator = keras.Model(codes, x, name="generator")

    images = x = keras.Input(image_shape, name="image")
    if not flat:
        x = keras.layers.Flatten(name="flatten")(_inputs.affine(x))
    wrapped = SpectralNormalization if spectral else lambda layer, name: layer
    for index, width in enumerate(units, start=1):
        x = wrapped(keras.layers.Dense(pieces * width, name=f"pieces{index}"), name=f"spectral{index}")(x)
        x = keras.layers.Reshape((pieces * width, 1), name=f"each{index}")(x)
        x = keras.layers.MaxPooling1D(pieces, name=f"maxout{index}")(x)
        x = keras.layers.Flatten(name=f"units{index}")(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"dropout{index}")(x)
    x = wrapped(keras.layers.Dense(1, dtype="float32", name="logit"), name="spectral_logit")(x)
    return Adversarial(generator, keras.Model(images, x, name="discriminator"), ema, name="gan")


@register
def dcgan(
    image_shape=(64, 64, 3), latent=100, width=128, normalization="batch", kernel=4, momentum=0.9, epsilon=1e-5, ema=0.0
):
    """The convolutional networks of Radford et al. 2015, for images of 64, 32 and 28 pixels and others.

        z 100 -> 4x4x1024 -> 8x8x512 -> 16x16x256 -> 32x32x128 -> image 64x64x3        (generator)
        image 64x64x3 -> 32x32x128 -> 16x16x256 -> 8x8x512 -> 4x4x1024 -> logit        (discriminator)

    The five guidelines of the paper's section 3: strided convolutions in both networks instead of pooling; batch
    normalisation in both, but not on the generator's last and the discriminator's first layer; no hidden dense layers;
    ReLU in the generator, tanh behind it; LeakyReLU of slope 0.2 in the discriminator.

    Args:
        image_shape: (height, width, channels), sides of 5 or more. They are halved, rounded up, until 4 or less remain:
            64 pixels four times, 32 and 28 (28, 14, 7, 4) three times.
        latent: integer >= 1, numbers of the standard normal code z.
        width: integer >= 1, channels of the layers next to the image; they double with each halving.
        normalization: of the discriminator: "batch" (the paper's), "layer" (over all maps of an image: what a gradient
            penalty needs, for batch normalisation makes one image's logit depend on the others), "spectral" (of its
            weights, Miyato et al. 2018) or "none". The generator always has the paper's.
        kernel: integer >= 2, sides of the convolutions in pixels; even ones cover each pixel equally often at stride 2.
        momentum: of the moving statistics, 0..1: the share that stays at each step.
        epsilon: added to variances, > 0.
        ema: 0 <= number < 1, decay of a moving average of the generator, which then is what is called; 0 is without.

    Returns:
        A `zoo.adversarial.Adversarial`: a `keras.Model` from codes (batch, latent) to raw pixels 0..255 (batch, height,
        width, channels), with a discriminator on its side. Its `compile` has the losses.

    Raises:
        ZooError: a value that is not named above.

    Differences from the paper:
        - The code is normal, not uniform.
        - Where a side was rounded up, the generator's map is cropped by the pixel.
        - 4 x 4 convolutions, so that none falls unevenly on pixels; the paper does not say its kernels' size.
        - The generator is trained on the images that the discriminator was just trained on, not on new ones.

    Example:
        >>> import zoo
        >>> zoo.build("dcgan", image_shape=(28, 28, 1), width=64).output_shape
        (None, 28, 28, 1)
    """
    parts = _Parts(image_shape, latent, width, normalization, kernel, momentum, epsilon)
    codes = keras.Input((latent,), name="z")
    generator = keras.Model(codes, parts.image(codes), name="generator")
    images = keras.Input(parts.image_shape, name="image")
    discriminator = keras.Model(images, parts.logit(_inputs.affine(images)), name="discriminator")
    return Adversarial(generator, discriminator, ema, name="dcgan")


@register
def cgan(
    num_classes=10,
    image_shape=(28, 28, 1),
    latent=100,
    width=64,
    embedding=50,
    normalization="batch",
    kernel=4,
    momentum=0.9,
    epsilon=1e-5,
    ema=0.0,
):
    """A network that is told which class to draw (Mirza, Osindero 2014), with the convolutions of `dcgan`.

        z 100, label -> 50              -> 4x4x256 -> 7x7x128 -> 14x14x64 -> image 28x28x1
        image 28x28x1, label -> 28x28x1 -> 14x14x64 -> 7x7x128 -> 4x4x256 -> logit

    The label is looked up in a table: for the generator a vector beside z, for the discriminator a map beside the
    image.

    Args:
        num_classes: integer >= 2.
        image_shape, latent, width, normalization, kernel, momentum, epsilon, ema: as in `dcgan`.
        embedding: integer >= 1, numbers that the generator looks up for a class.

    Returns:
        A `zoo.adversarial.Adversarial`: a `keras.Model` from codes (batch, latent) and labels (batch,) to raw pixels
        0..255 (batch, height, width, channels), with a discriminator on its side.

    Raises:
        ZooError: a value that is not named above.

    Differences from the paper:
        - The paper's networks for MNIST are dense.

    Example:
        >>> import zoo
        >>> model = zoo.build("cgan", width=4)
        >>> tuple(model([np.zeros((2, 100)), np.array([3, 8])]).shape)
        (2, 28, 28, 1)
    """
    _inputs.integer("num_classes", num_classes, 2)
    _inputs.integer("embedding", embedding, 1)
    parts = _Parts(image_shape, latent, width, normalization, kernel, momentum, epsilon)
    codes, label = keras.Input((latent,), name="z"), keras.Input((), dtype="int32", name="label")
    x = keras.layers.Embedding(num_classes, embedding, name="class")(label)
    x = keras.layers.Concatenate(name="code")([codes, x])
    generator = keras.Model([codes, label], parts.image(x), name="generator")

    images, label = keras.Input(parts.image_shape, name="image"), keras.Input((), dtype="int32", name="label")
    height, wide, _ = parts.image_shape
    x = keras.layers.Embedding(num_classes, height * wide, name="class")(label)
    x = keras.layers.Reshape((height, wide, 1), name="map")(x)
    x = keras.layers.Concatenate(name="labelled")([_inputs.affine(images), x])
    discriminator = keras.Model([images, label], parts.logit(x), name="discriminator")
    return Adversarial(generator, discriminator, ema, num_classes, name="cgan")


class _Parts:
    """Builds what both networks consist of."""

    def __init__(self, image_shape, latent, width, normalization, kernel, momentum, epsilon):
        self.image_shape = _inputs.shape(image_shape, name="image_shape")
        for name, value, least in (("latent", latent, 1), ("width", width, 1), ("kernel", kernel, 2)):
            _inputs.integer(name, value, least)
        choose("normalization", normalization, NORMALIZATIONS)
        _inputs.number("momentum", momentum, below=1)
        _inputs.number("epsilon", epsilon)
        self.width, self.kernel, self.normalization = width, kernel, normalization
        self.statistics = dict(momentum=momentum, epsilon=epsilon)
        self.sizes = [self.image_shape[:2]]
        while max(self.sizes[-1]) > 4:
            self.sizes.append(tuple(-(-side // 2) for side in self.sizes[-1]))
        works = "sides of 5 or more, such as (28, 28, 1), (32, 32, 3) or (64, 64, 3)"
        require(min(self.image_shape[:2]) > 4, "image_shape", image_shape, works)

    def image(self, x):
        """From codes to raw pixels."""
        *channels, deepest = [self.width * 2**level for level in range(len(self.sizes) - 1)]
        height, wide = self.sizes[-1]
        x = keras.layers.Dense(height * wide * deepest, use_bias=False, kernel_initializer=_start(), name="project")(x)
        x = self._normalized(keras.layers.Reshape((height, wide, deepest), name="maps")(x), "project")
        for index, filters in enumerate(reversed(channels), start=1):
            up = dict(strides=2, padding="same", use_bias=False, kernel_initializer=_start(), name=f"up{index}")
            x = keras.layers.Conv2DTranspose(filters, self.kernel, **up)(x)
            x = self._normalized(self._cropped(x, index), f"up{index}")
        last = dict(strides=2, padding="same", activation="tanh", kernel_initializer=_start(), name="image")
        x = keras.layers.Conv2DTranspose(self.image_shape[2], self.kernel, **last)(x)
        return Pixels(name="pixels")(self._cropped(x, len(channels) + 1))

    def _cropped(self, x, index):
        """Maps without the last row and column, where their side was rounded up on the way down."""
        over = [(0, have - want) for have, want in zip(x.shape[1:3], self.sizes[-1 - index], strict=True)]
        return keras.layers.Cropping2D(over, name=f"crop{index}")(x) if over != [(0, 0), (0, 0)] else x

    def logit(self, x):
        """From scaled images to logits."""
        for level in range(len(self.sizes) - 1):
            name = f"down{level + 1}"
            plain = level == 0 or self.normalization not in ("batch", "layer")
            down = dict(strides=2, padding="same", use_bias=plain, kernel_initializer=_start(), name=name)
            x = self._weighted(keras.layers.Conv2D(self.width * 2**level, self.kernel, **down), name)(x)
            if not plain and self.normalization == "batch":
                x = BatchNormalization(name=f"{name}_norm", **self.statistics)(x)
            elif not plain:
                x = keras.layers.GroupNormalization(1, epsilon=self.statistics["epsilon"], name=f"{name}_norm")(x)
            x = LeakyReLU(0.2, name=f"{name}_relu")(x)
        x = keras.layers.Flatten(name="flatten")(x)
        last = keras.layers.Dense(1, kernel_initializer=_start(), dtype="float32", name="logit")
        return self._weighted(last, "logit")(x)

    def _weighted(self, layer, name):
        return SpectralNormalization(layer, name=f"{name}_spectral") if self.normalization == "spectral" else layer

    def _normalized(self, x, name):
        x = BatchNormalization(name=f"{name}_norm", **self.statistics)(x)
        return keras.layers.ReLU(name=f"{name}_relu")(x)


def _start():
    """Section 4: all weights from a normal distribution of deviation 0.02."""
    return keras.initializers.RandomNormal(stddev=0.02)
