"""What the codes of an autoencoder are worth, in numbers: beside principal components, and beside the pixels."""

import csv
import io
from functools import cached_property
from typing import NamedTuple

import numpy as np

from zoo.checkpoint import write_atomically
from zoo.errors import ZooError
from zoo.representations import (
    LABELS,
    decode,
    encode,
    few_label_accuracies,
    flat,
    knn_accuracy,
    pca,
    psnr,
    reconstruct,
    scaled,
    squared_error,
)
from zoo.tasks import task_of


class Row(NamedTuple):
    """One representation of the test images; what does not apply is None.

    Args:
        name: "network", "PCA", "pixels" or "noisy input".
        numbers: how many an image is given by.
        squared_error, squared_error_sd: of the reconstructions, summed over the pixels 0..1 of an image: mean and
            standard deviation over images.
        psnr: peak signal-to-noise ratio in decibels, mean over images.
        knn_accuracy: share of the images whose class their 5 nearest training codes tell.
        few_label_accuracy, few_label_accuracy_sd: of logistic regression on 100 labels: mean and standard deviation
            over draws of the labels.
        anomaly_auc: area under the ROC curve of the class that was left out, told by the squared error.
    """

    name: str
    numbers: int
    squared_error: float | None = None
    squared_error_sd: float | None = None
    psnr: float | None = None
    knn_accuracy: float | None = None
    few_label_accuracy: float | None = None
    few_label_accuracy_sd: float | None = None
    anomaly_auc: float | None = None


class Roc(NamedTuple):
    """A ROC curve: two arrays from 0 to 1, and the area under it."""

    false_positives: np.ndarray
    true_positives: np.ndarray
    auc: float


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


def table(coded):
    """The codes of a network beside principal components, and beside the pixels.

    Classification is of the classes that the training part has. On MNIST, with a code of 30, it takes
    some 8 s of one core.

    Args:
        coded: a `Coded`.

    Returns:
        A list of `Row`s.

    Example:
        >>> model = zoo.build("autoencoder", input_shape=(8, 8, 1), hidden=(16,), code=3)
        >>> data = zoo.data.reconstruction(zoo.data.images("digits", 32, seed=0))
        >>> [row.name for row in table(Coded(model, data))]
        ['network', 'PCA', 'pixels']
    """
    images = {"network": coded.reconstructions, "PCA": coded.pca_reconstructions}
    if coded.noisy:
        images["noisy input"] = scaled(coded.given)
    curves = anomaly(coded)
    rows = []
    for name in ("network", "PCA", "pixels", *(["noisy input"] if coded.noisy else [])):
        found = {}
        if name in images:
            errors = squared_error(coded.images, images[name])
            found = {
                "squared_error": float(errors.mean()),
                "squared_error_sd": _deviation(errors),
                "psnr": float(psnr(coded.images, images[name]).mean()),
            }
        if name in coded.few_labels:
            found["few_label_accuracy"] = float(coded.few_labels[name].mean())
            found["few_label_accuracy_sd"] = _deviation(coded.few_labels[name])
        found["knn_accuracy"] = coded.knn.get(name)
        found["anomaly_auc"] = curves[name].auc if name in curves else None
        pair = coded.representations.get(name)
        rows.append(Row(name, pair[1].shape[1] if pair else coded.images[0].size, **found))
    return rows


def anomaly(coded):
    """How well the squared error of a reconstruction tells the class that was left out of the training.

    Args:
        coded: a `Coded`.

    Returns:
        A dict from "network" and "PCA" (with as many components) to a `Roc` over the images looked at; empty where no
        class was left out, or the images are all of it or all of others.
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    odd = coded.labels == coded.left_out
    if odd.all() or not odd.any():
        return {}
    found = {}
    for name, images in (("network", coded.reconstructions), ("PCA", coded.pca_reconstructions)):
        errors = squared_error(coded.given, images)
        false, true, _ = roc_curve(odd, errors)
        found[name] = Roc(false, true, float(roc_auc_score(odd, errors)))
    return found


def text(rows):
    """A table as aligned text; columns without a number are left out.

    Args:
        rows: a list of `Row`s.

    Returns:
        Lines in one string.

    Example:
        >>> print(text([Row("network", 30, 3.0, 1.25, psnr=24.1), Row("PCA", 30, 13.87, 5.5, psnr=17.5)]))
                 numbers  squared error     psnr
        network       30    3.00 ± 1.25  24.1 dB
        PCA           30   13.87 ± 5.50  17.5 dB
    """
    cells = [["", *(title for _, title, _ in _COLUMNS)]]
    cells += [[row.name, *(_cell(row, field, pattern) for field, _, pattern in _COLUMNS)] for row in rows]
    columns = [column for column in zip(*cells, strict=True) if any(column[1:])]
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for line in zip(*columns, strict=True):
        first, *others = (word.rjust(width) for word, width in zip(line, widths, strict=True))
        lines.append("  ".join([first.strip().ljust(widths[0]), *others]).rstrip())
    return "\n".join(lines)


def write(rows, path):
    """Writes a table as a CSV file, at once or not at all.

    Args:
        rows: a list of `Row`s.
        path: of the file, which is replaced.

    Returns:
        The path.
    """
    content = io.StringIO(newline="")
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    write_atomically(path, content.getvalue())
    return path


_COLUMNS = (
    ("numbers", "numbers", "{}"),
    ("squared_error", "squared error", "{:.2f} ± {:.2f}"),
    ("psnr", "psnr", "{:.1f} dB"),
    ("knn_accuracy", "k-NN", "{:.2%}"),
    ("few_label_accuracy", f"{LABELS} labels", "{:.1%} ± {:.1%}"),
    ("anomaly_auc", "anomaly AUC", "{:.3f}"),
)


def _cell(row, field, pattern):
    values = [getattr(row, field)] + [getattr(row, f"{field}_sd", None)] * ("±" in pattern)
    return "" if values[0] is None else pattern.format(*values)


def _clean(stream):
    """The clean raw images of a part, which stand third where the first are noisy."""
    return stream.arrays[2] if len(stream.arrays) > 2 else stream.arrays[0]


def _deviation(values):
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
