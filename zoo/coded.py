"""The images of an autoencoder's run, and what the network and PCA make of them."""

from functools import cached_property

import numpy as np

from zoo.errors import ZooError
from zoo.representations import decode, encode, few_label_accuracies, flat, knn_accuracy, pca, reconstruct
from zoo.tasks import task_of


class Coded:
    """The images of a run, and what the network and PCA make of them; each is computed when it is first asked for.

    Codes are of clean images, also in a denoising run: noise belongs to the training (Vincent et al. 2010, section
    4). Reconstructions are of what the network is given, noise included.

    Args:
        model: an autoencoder.
        data: its data, as `zoo.data.reconstruction` gives it; what is looked at is the test part, without one the
            validation part.

    Attributes:
        images, labels: the clean raw images looked at (n, height, width, channels), and their classes (n,).
        given: what the network is given of them; the same array, or noisy ones.
        classes: names of the classes.
        left_out: number of the class that training and validation do not have, or None.
        size: length of a code.

    Raises:
        ZooError: a model without encoder and decoder, or data without a test and a validation part.

    Example:
        >>> model = zoo.build("autoencoder", input_shape=(8, 8, 1), hidden=(16,), code=3)
        >>> coded = Coded(model, zoo.data.reconstruction(zoo.data.images("digits", 32, seed=0)))
        >>> coded.codes.shape, coded.reconstructions.shape
        ((360, 3), (360, 8, 8, 1))
    """

    def __init__(self, model, data):
        task = task_of(model)
        if task != "autoencoding":
            raise ZooError(f"codes are what an autoencoder makes. {model.name!r} is a model for {task}")
        part = data.test or data.validation
        if part is None:
            raise ZooError("codes are looked at on a test or a validation part, and the data have neither")
        self.model, self.data = model, data
        self.given, self.images, self.labels = part.arrays[0], _clean(part), part.arrays[1]
        self.classes = data.statistics["classes"]
        left_out = data.statistics.get("left_out")
        self.left_out = None if left_out is None else self.classes.index(left_out)
        self.size = model.encoder.output_shape[-1]

    @property
    def noisy(self):
        """Whether the network is given noisy images."""
        return self.given is not self.images

    @cached_property
    def train_images(self):
        """The clean raw images of the training part."""
        return _clean(self.data.train)

    @property
    def train_labels(self):
        """Their classes."""
        return self.data.train.arrays[1]

    @cached_property
    def codes(self):
        """Codes of the images (n, size)."""
        return encode(self.model, self.images)

    @cached_property
    def train_codes(self):
        """Codes of the training images."""
        return encode(self.model, self.train_images)

    @cached_property
    def validation_codes(self):
        """Codes of the validation images, or None without a validation part."""
        return None if self.data.validation is None else encode(self.model, _clean(self.data.validation))

    @cached_property
    def reconstructions(self):
        """What the network makes of what it is given (n, height, width, channels), values 0..1."""
        return decode(self.model, encode(self.model, self.given) if self.noisy else self.codes)

    @cached_property
    def pca(self):
        """PCA of the training images with as many components as a code has numbers, or as many as there are."""
        return pca(self.train_images, self.size)

    @cached_property
    def pca_codes(self):
        """Principal components of the images (n, components)."""
        return self.pca.transform(flat(self.images))

    @cached_property
    def train_pca_codes(self):
        """Principal components of the training images."""
        return self.pca.transform(flat(self.train_images))

    @cached_property
    def pca_reconstructions(self):
        """What PCA makes of what the network is given; values can lie outside 0..1."""
        return reconstruct(self.pca, self.given)

    @cached_property
    def representations(self):
        """By name, a pair: training images and images looked at, as codes, principal components and pixels."""
        return {
            "network": (self.train_codes, self.codes),
            "PCA": (self.train_pca_codes, self.pca_codes),
            "pixels": (flat(self.train_images), flat(self.images)),
        }

    @cached_property
    def few_labels(self):
        """By representation, the accuracies of `few_label_accuracies`; empty where there are no two classes."""
        return self._each(few_label_accuracies) if len(np.unique(self.train_labels)) > 1 else {}

    @cached_property
    def knn(self):
        """By representation, the accuracy of `knn_accuracy`."""
        return self._each(knn_accuracy)

    def classified(self, function, train, codes):
        """What a function of training codes, their labels, codes and theirs says: of classes that are in training.

        Args:
            function: `knn_accuracy` or `few_label_accuracies`.
            train: codes of the training images, of any kind.
            codes: of the images looked at.

        Returns:
            What the function returned.
        """
        known = np.isin(self.labels, self.train_labels)
        return function(train, self.train_labels, codes[known], self.labels[known])

    def _each(self, function):
        if not np.isin(self.labels, self.train_labels).any():
            return {}
        return {name: self.classified(function, *pair) for name, pair in self.representations.items()}


def _clean(stream):
    """The clean raw images of a part, which stand third where the first are noisy."""
    return stream.arrays[2] if len(stream.arrays) > 2 else stream.arrays[0]
