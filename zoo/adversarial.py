"""`Adversarial`: a generator that is a model, and the discriminator that only its training needs.

Goodfellow et al. 2014, Generative adversarial nets, arXiv:1406.2661, algorithm 1. What varies between the many networks
of the kind is arguments: the loss, what regularises the discriminator, and what the generator is given.
"""

import keras
import numpy as np

from zoo import adversarial_losses as losses
from zoo import adversarial_steps as steps
from zoo.errors import ZooError, require, require_tensorflow
from zoo.pixel_affine import rounded
from zoo.seeding import check_seed

# Images that are generated at once outside of training.
BATCH = 256


def noise(n, latent, seed):
    """Standard normal codes: those of `Adversarial.sample`, and of a SavedModel's `sample`.

    Args:
        n: how many.
        latent: numbers in a code.
        seed: 0 <= integer < 2**31. The same seed gives the same codes; the first k of n + k are not those of n.

    Returns:
        A float32 tensor (n, latent).
    """
    import tensorflow as tf

    return tf.random.stateless_normal((n, latent), seed=(seed, steps.SAMPLING))


@keras.saving.register_keras_serializable("zoo")
class Adversarial(keras.Model):
    """A Functional model that generates, with a discriminator on its side, trained by `fit` as any other.

    Its graph is the generator's: from codes (and labels) to images, or from images to images. What training alone needs
    hangs on the side, and is saved with the model, but not exported: the discriminator, and with `ema` the generator
    that is trained, of which the graph's is the moving average.

    A training step is: one of the discriminator for each of `discriminator_steps` parts of the batch, each with codes
    of its own, then one of the generator, on the images of the last part. Codes are a function of the seed and the
    step.

    Args:
        generator: a Functional model named "generator", to raw pixels 0..255 from a `zoo.pixel_affine.Pixels` layer, or
            to vectors. Its inputs are named for what they take: "z" (batch, latent), after it optionally "label"
            (batch,) of integers; or "pixels" (batch, height, width, channels).
        discriminator: a Functional model named "discriminator" of what the generator gives, to logits of any shape;
            with two inputs, the second takes the label or the pixels that the generator was given.
        ema: 0 <= number < 1, decay of the moving average of the generator's weights for each step (it begins lower);
            0 is without one.
        classes: number of classes of the label, or None.
        seed: of the codes in training; None takes the seed of `zoo.seeding.seed_everything`.
        name: the model's.

    Attributes:
        discriminator: the discriminator.
        latent: numbers in a code; None from image to image.
        classes: as given.
        translates: whether the generator's input is an image.
        game: a dict: the loss and what goes with it, as `compile` was given them.

    Raises:
        ZooError: networks that do not fit together, a decay out of range.

    Example:
        >>> import zoo
        >>> model = zoo.build("dcgan", image_shape=(8, 8, 1), width=4)
        >>> model.compile(keras.optimizers.Adam(2e-4, 0.5), loss="hinge")
        >>> images = np.zeros((16, 8, 8, 1), "uint8")
        >>> history = model.fit(images, batch_size=8, verbose=0)
        >>> model.sample(3, seed=1).shape
        (3, 8, 8, 1)
    """

    def __init__(self, generator, discriminator, ema=0.0, classes=None, seed=None, name="adversarial", **kwargs):
        _check_networks(generator, discriminator)
        inputs = [keras.Input(each.shape[1:], dtype=each.dtype, name=each.name) for each in generator.inputs]
        inputs = inputs if len(inputs) > 1 else inputs[0]
        super().__init__(inputs, generator(inputs), name=name, **kwargs)
        fits = isinstance(ema, int | float) and not isinstance(ema, bool) and 0 <= ema < 1
        require(fits, "ema", ema, "a number in 0 <= ema < 1")
        self.ema = float(ema)
        self.classes = classes
        self.seed = check_seed(seed)
        self.discriminator = discriminator
        self.twin = None
        if ema:
            self.twin = type(generator).from_config(generator.get_config())
            self.twin.set_weights(generator.get_weights())
        # 0 is nobody, 1 the generator, 2 the discriminator: who gave the first number that is none.
        one = dict(shape=(), trainable=False, aggregation="only_first_replica")
        self.first_broken = keras.Variable("zeros", dtype="int32", name="first_broken", **one)
        self.instance_noise = keras.Variable("zeros", dtype="float32", name="instance_noise", **one)

    @property
    def generator(self):
        """The network that the model is: called, saved, exported."""
        return self.get_layer("generator")

    @property
    def learner(self):
        """The network that the optimizer moves: the generator itself, or with `ema` the one that it averages."""
        return self.twin or self.generator

    @property
    def trainable_variables(self):
        """Those that `optimizer` moves: the learner's. The discriminator's are its own."""
        return self.learner.trainable_variables if self.trainable else []

    @property
    def trainable_weights(self):
        return self.trainable_variables

    @property
    def translates(self):
        return self.inputs[0].name == "pixels"

    @property
    def latent(self):
        return None if self.translates else self.inputs[0].shape[-1]

    @property
    def broken(self):
        """The player that gave the first NaN or infinity: "generator", "discriminator" or None."""
        return (None, "generator", "discriminator")[int(keras.ops.convert_to_numpy(self.first_broken.value))]

    def compile(
        self,
        optimizer="adam",
        discriminator_optimizer=None,
        loss="non_saturating",
        *,
        adversarial_weight=1.0,
        content=None,
        content_weight=1.0,
        gradient_penalty=0.0,
        r1=0.0,
        label_smoothing=0.0,
        instance_noise=0.0,
        discriminator_steps=1,
        **execution,
    ):
        """Sets how the two players learn.

        Args:
            optimizer: of the generator: a `keras.optimizers.Optimizer` or its name.
            discriminator_optimizer: of the discriminator; None takes another one like the generator's.
            loss: the game: "minimax", "non_saturating", "least_squares", "wasserstein" or "hinge". See
                `zoo.adversarial_losses.check`.
            adversarial_weight: number >= 0 by which the generator's part of the game counts.
            content: from image to image, a `keras.losses.Loss` of the true and the generated image, both raw pixels
                0..255, that the generator minimises as well; None is without.
            content_weight: number >= 0 by which it counts.
            gradient_penalty: number >= 0, weight of the squared distance from 1 of the norm of the discriminator's
                gradient, between real and generated examples (Gulrajani et al. 2017, equation 3; 10 there).
            r1: number >= 0, weight gamma of half the squared norm of that gradient at real examples (Mescheder et al.
                2018, equation 9; 10 there).
            label_smoothing: see `zoo.adversarial_losses.check`.
            instance_noise: number >= 0, standard deviation of the noise that is added to all that the discriminator
                sees in training, where pixels span -1..1 (Sonderby et al. 2017). It is a variable: `callbacks.Schedule`
                can lower it.
            discriminator_steps: integer >= 1: in how many parts a batch is cut, one step of the discriminator each.
            **execution: `run_eagerly`, `steps_per_execution`, `jit_compile` and `auto_scale_loss` of Keras.

        Raises:
            ZooError: a value that is not named above, or another backend than TensorFlow.
        """
        require_tensorflow("adversarial networks train")
        losses.check(loss, label_smoothing)
        numbers = dict(adversarial_weight=adversarial_weight, content_weight=content_weight, r1=r1)
        numbers |= dict(gradient_penalty=gradient_penalty, instance_noise=instance_noise)
        for key, value in numbers.items():
            fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
            require(fits, key, value, "a number >= 0")
        whole = isinstance(discriminator_steps, int) and not isinstance(discriminator_steps, bool)
        require(whole and discriminator_steps >= 1, "discriminator_steps", discriminator_steps, "an integer >= 1")
        if content is not None and not self.translates:
            raise ZooError("content compares an image with the one it should be, and noise has none: leave it out")
        super().compile(optimizer, **execution)
        self.game = dict(loss=loss, label_smoothing=label_smoothing, discriminator_steps=discriminator_steps)
        self.game |= numbers
        self.content = keras.losses.get(content)
        self.instance_noise.assign(instance_noise)
        if discriminator_optimizer is None:
            given = self.optimizer
            given = getattr(given, "inner_optimizer", given)
            discriminator_optimizer = type(given).from_config(given.get_config())
        self.discriminator_optimizer = self._scaled(keras.optimizers.get(discriminator_optimizer))
        self.optimizer.build(self.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)
        names = ["discriminator_loss", "d_real", "d_fake", *steps.NORMS]
        self.trackers = [keras.metrics.Mean(name=name) for name in names + ["content"] * (content is not None)]

    def _scaled(self, optimizer):
        """The optimizer, with its loss scaled where Keras scales the generator's."""
        kind = keras.optimizers.LossScaleOptimizer
        scaled = isinstance(self.optimizer, kind) and not isinstance(optimizer, kind)
        return kind(optimizer, name="discriminator_loss_scale") if scaled else optimizer

    def get_config(self):
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        config = {key: keras.saving.serialize_keras_object(network) for key, network in networks.items()}
        return {**config, "ema": self.ema, "classes": self.classes, "seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        networks = {
            key: keras.saving.deserialize_keras_object(config[key], custom_objects=custom_objects)
            for key in ("generator", "discriminator")
        }
        return cls(**{**config, **networks})

    def get_compile_config(self):
        if not self.compiled:
            return None
        held = dict(optimizer=self.optimizer, discriminator_optimizer=self.discriminator_optimizer)
        held |= dict(content=self.content)
        serialized = {key: keras.saving.serialize_keras_object(value) for key, value in held.items()}
        return {**self.game, **serialized}

    def compile_from_config(self, config):
        self.compile(**{key: keras.saving.deserialize_keras_object(value) for key, value in config.items()})

    def sample(self, n, seed=0, label=None):
        """Generates from noise.

        Args:
            n: how many, >= 1.
            seed: see `noise`.
            label: for a conditional model a class, or an array of n; None takes the classes in turn.

        Returns:
            A uint8 array of images (n, height, width, channels), or a float32 array of vectors (n, numbers).

        Raises:
            ZooError: a model of images to images, a label where the model takes none, or one that there is not.
        """
        if self.translates:
            raise ZooError(f"{self.name} makes images of images, not of noise: call it with some")
        whole = isinstance(n, int | np.integer) and not isinstance(n, bool)
        require(whole and n >= 1, "n", n, "a whole number >= 1")
        labels = self._labels(n, label)
        z = keras.ops.convert_to_numpy(noise(n, self.latent, seed))
        parts = []
        for first in range(0, n, BATCH):
            inputs = z[first : first + BATCH]
            inputs = inputs if labels is None else [inputs, labels[first : first + BATCH]]
            parts.append(keras.ops.convert_to_numpy(self(inputs, training=False)))
        found = np.concatenate(parts)
        return rounded(found) if found.ndim == 4 else found

    def _labels(self, n, label):
        if self.classes is None:
            require(label is None, "label", label, f"None: {self.name} knows no classes")
            return None
        labels = np.arange(n) % self.classes if label is None else np.broadcast_to(np.asarray(label), (n,))
        fits = labels.dtype.kind in "iu" and labels.min() >= 0 and labels.max() < self.classes
        require(fits, "label", label, f"a class, 0 to {self.classes - 1}, or an array of {n} of them")
        return labels.astype("int32")

    def train_step(self, data):
        return steps.train(self, data)

    def test_step(self, data):
        return steps.test(self, data)


def _check_networks(generator, discriminator):
    names = [each.name for each in generator.inputs]
    if names not in (["z"], ["z", "label"], ["pixels"]):
        raise ZooError(
            f"the inputs of a generator are named z, or z and label, or pixels. Received: {', '.join(names)}"
        )
    made, judged = tuple(generator.outputs[0].shape), tuple(discriminator.inputs[0].shape)
    fits = len(made) == len(judged) and all(
        None in (one, other) or one == other for one, other in zip(made, judged, strict=True)
    )
    if not fits:
        raise ZooError(f"the generator gives {made[1:]}, and the discriminator takes {judged[1:]}")
    if len(discriminator.inputs) > 1 and names == ["z"]:
        raise ZooError("the discriminator takes a condition, and the generator has none")
