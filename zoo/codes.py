"""What the codes of an autoencoder are worth, in numbers: beside principal components, and beside the pixels."""

from typing import NamedTuple

import numpy as np

from zoo import score_tables
from zoo.coded import Coded
from zoo.representations import (
    LABELS,
    decode,
    encode,
    few_label_accuracies,
    knn_accuracy,
    pca,
    psnr,
    reconstruct,
    scaled,
    squared_error,
)

__all__ = ["Coded", "Roc", "Row", "anomaly", "decode", "encode", "few_label_accuracies", "knn_accuracy", "pca", "psnr"]
__all__ += ["reconstruct", "scaled", "squared_error", "table", "text"]


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


def table(coded):
    """The codes of a network beside principal components, and beside the pixels.

    Classification is of the classes that the training part has. On MNIST, with a code of 30, it takes some 8 s
    of one core.

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
    return score_tables.aligned(cells)


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


def _deviation(values):
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
