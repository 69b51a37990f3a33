"""Scores of whole segmented images: overlaps of classes, and the two of the ISBI challenge.

Arganda-Carreras et al. 2015, Crowdsourcing the creation of image segmentation algorithms for connectomics, Frontiers in
Neuroanatomy 9:142.
"""

from typing import NamedTuple

import numpy as np

from zoo.errors import ZooError, require

# The challenge's: every tenth. At 1 no pixel is above the threshold.
THRESHOLDS = tuple(step / 10 for step in range(10))


class PartitionErrors(NamedTuple):
    """The challenge's two errors, 0 (the same regions) to 1, and the threshold at which each is least."""

    rand: float
    information: float
    rand_threshold: float
    information_threshold: float


def confusion(truth, predicted, num_classes):
    """Counts pixels by their true and their predicted class.

    Args:
        truth: integers of any shape; those outside 0..num_classes - 1 are left out.
        predicted: integers 0..num_classes - 1 of the same shape.
        num_classes: integer >= 2.

    Returns:
        int64 array (num_classes, num_classes): true classes are rows.

    Raises:
        ZooError: shapes that differ, or a predicted class that is not one.
    """
    truth, predicted = _same_shape(truth, predicted)
    counted = (truth >= 0) & (truth < num_classes)
    found = predicted[counted].astype(np.int64)
    if found.size and not 0 <= found.min() <= found.max() < num_classes:
        raise ZooError(f"predicted must be classes 0..{num_classes - 1}. Received: {found.min()}..{found.max()}")
    pairs = truth[counted].astype(np.int64) * num_classes + found
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def iou(truth, predicted, num_classes):
    """Intersection over union of each class.

    Args:
        truth, predicted, num_classes: as in `confusion`.

    Returns:
        float64 array (num_classes,): NaN for a class that neither has.

    Raises:
        ZooError: as `confusion`.

    Example:
        >>> iou(np.array([[0, 0, 1, 1]]), np.array([[0, 1, 1, 1]]), 3).round(3).tolist()
        [0.5, 0.667, nan]
    """
    right, either = _overlaps(truth, predicted, num_classes)
    return _ratio(right, either - right)


def dice(truth, predicted, num_classes):
    """The Dice coefficient of each class: twice the intersection over the sum of both areas.

    Args:
        truth, predicted, num_classes: as in `confusion`.

    Returns:
        float64 array (num_classes,): NaN for a class that neither has.

    Raises:
        ZooError: as `confusion`.

    Example:
        >>> dice(np.array([[0, 0, 1, 1]]), np.array([[0, 1, 1, 1]]), 3).round(3).tolist()
        [0.667, 0.8, nan]
    """
    right, either = _overlaps(truth, predicted, num_classes)
    return _ratio(2 * right, either)


def pixel_error(truth, predicted):
    """The share of the pixels that have the wrong class.

    Args:
        truth, predicted: integers, of the same shape.

    Returns:
        A float, 0..1.

    Raises:
        ZooError: shapes that differ, or no pixels.

    Example:
        >>> pixel_error(np.array([[0, 0, 1, 1]]), np.array([[0, 1, 1, 1]]))
        0.25
    """
    truth, predicted = _same_shape(truth, predicted)
    require(truth.size, "truth", truth.shape, "an array with a pixel at least")
    return float((truth != predicted).mean())


def foreground_error(truth, probability, thresholds=THRESHOLDS):
    """What the ISBI challenge of 2012 calls the pixel error: 1 - the maximal F-score of the foreground's pixels.

    Source: the challenge's evaluation page, and its script for Fiji, where what is not 0 in the labels, the inside of
    cells, is positive. It is smaller than the share of wrong pixels (`pixel_error`) where the foreground is most of the
    image, as it is there: the right pixels of the background count in neither precision nor recall.

    Args:
        truth: integers (height, width) or (n, height, width), 0 on the background. Pixels of all images are counted
            together.
        probability: of the foreground, 0..1, of the same shape.
        thresholds: numbers 0 <= threshold < 1: a pixel whose probability is above it is called foreground.

    Returns:
        A number 0..1.

    Raises:
        ZooError: shapes that differ, values that are no probabilities, thresholds out of range, or a truth without
            foreground.

    Example:
        >>> round(foreground_error(np.array([[1, 1, 1, 0]]), np.array([[0.9, 0.8, 0.3, 0.6]]), (0.5, 0.7)), 3)
        0.2
    """
    truth, probability, thresholds = _checked(truth, probability, thresholds)
    truth = truth > 0
    require(truth.any(), "truth", "0 everywhere", "labels with foreground")
    scores = []
    for threshold in thresholds:
        found = probability > threshold
        scores.append(2 * (found & truth).sum() / (found.sum() + truth.sum()))
    return float(1 - max(scores))


def partition_errors(truth, probability, thresholds=THRESHOLDS):
    """How far the regions of a segmentation differ from the true ones: both errors of the ISBI challenge.

    Of a cell membrane a pixel's width matters little, and a gap of one pixel, which merges two cells, much. So regions
    are compared, not pixels (Arganda-Carreras et al. 2015, "foreground-restricted ... after border thinning"):

    1. True regions are the 4-connected components of equal values in `truth`. Its pixels of value 0, the borders, count
       in nothing that follows: that is the restriction to the foreground.
    2. At a threshold, found regions are the 4-connected components of the pixels whose probability is above it. Their
       borders are thinned to nothing: regions grow at the same pace over all other pixels, until they meet (a
       watershed without relief), so that how wide a border is drawn costs nothing.
    3. With t_i, s_j and p_ij the numbers of pixels in true region i, in found region j, and in both,

           V_Rand = sum of p_ij (p_ij - 1) / ((sum of t_i (t_i - 1) + sum of s_j (s_j - 1)) / 2)
           V_Info = I(T, S) / ((H(T) + H(S)) / 2)

       the F-scores, with equal weights, of pairs of pixels that are rightly together (skimage's `adapted_rand_error`:
       pairs of different pixels, where the paper also pairs each with itself) and of mutual information. A threshold
       that leaves no region scores 0.
    4. An error is 1 - the largest score over the thresholds. Of several images the scores are averaged first: there is
       one threshold for all.

    Args:
        truth: integers (height, width) or (n, height, width): 0 on borders, elsewhere 1 or the numbers of regions.
        probability: of being inside a region, 0..1, of the same shape: one minus that of a border.
        thresholds: numbers 0 <= threshold < 1.

    Returns:
        `PartitionErrors`.

    Raises:
        ZooError: shapes that differ, values that are no probabilities, thresholds out of range, or a truth in which no
            two pixels are of one region.

    Example:
        >>> truth = np.array([[1, 1, 0, 1, 1], [1, 1, 0, 1, 1]])
        >>> merged = np.ones((2, 5))
        >>> partition_errors(truth, 0.8 * truth + 0.1)[:2], round(partition_errors(truth, merged).rand, 3)
        ((0.0, 0.0), 0.4)
    """
    truth, probability, thresholds = _checked(truth, probability, thresholds)
    if truth.ndim == 2:
        truth, probability = truth[None], probability[None]
    scores = np.mean([_scores(*image, thresholds) for image in zip(truth, probability, strict=True)], axis=0)
    best = scores.argmax(axis=0)
    rand, information = 1 - scores.max(axis=0)
    return PartitionErrors(float(rand), float(information), thresholds[best[0]], thresholds[best[1]])


def rand_error(truth, probability, thresholds=THRESHOLDS):
    """The Rand error: `partition_errors(...).rand`, where it is defined. Both errors together cost no more than one."""
    return partition_errors(truth, probability, thresholds).rand


def information_error(truth, probability, thresholds=THRESHOLDS):
    """The information error: `partition_errors(...).information`, which took the warping error's place."""
    return partition_errors(truth, probability, thresholds).information


def _checked(truth, probability, thresholds):
    """Arrays of one shape with probabilities in the second, and a tuple of thresholds."""
    truth, probability = _same_shape(truth, probability)
    require(truth.ndim in (2, 3) and truth.size, "truth", truth.shape, "of shape (height, width) or (n, height, width)")
    fits = np.isfinite(probability).all() and probability.min() >= 0 and probability.max() <= 1
    require(fits, "probability", f"{probability.min()}..{probability.max()}", "numbers 0..1 that are finite")
    thresholds = tuple(thresholds)
    fits = thresholds and all(0 <= threshold < 1 for threshold in thresholds)
    require(fits, "thresholds", thresholds, "numbers 0 <= threshold < 1, at least one")
    return truth, probability, thresholds


def _scores(truth, probability, thresholds):
    """(thresholds, 2): V_Rand and V_Info of one image."""
    from skimage.measure import label

    regions = label(truth, background=0, connectivity=1)
    inside = regions > 0
    if not inside.any() or np.bincount(regions[inside]).max() < 2:
        raise ZooError("truth must have two pixels of one region at least in each image. Received: none")
    scores, before, same = [], None, (0.0, 0.0)
    for threshold in thresholds:
        above = probability > threshold
        if before is None or not np.array_equal(above, before):
            same = _compared(regions[inside], _grown(above)[inside]) if above.any() else (0.0, 0.0)
        scores.append(same)
        before = above
    return scores


def _grown(interior):
    """The components of an interior, grown over all pixels."""
    from skimage.measure import label
    from skimage.segmentation import watershed

    regions = label(interior, connectivity=1)
    return regions if interior.all() else watershed(np.zeros(regions.shape, np.uint8), regions)


def _compared(truth, found):
    """V_Rand and V_Info of two partitions of the same pixels."""
    from skimage.metrics import adapted_rand_error, contingency_table

    table = contingency_table(truth, found, sparse_type="array")
    with np.errstate(invalid="ignore"):  # skimage's recall is 0 / 0 where each found region has one pixel
        rand = 1 - adapted_rand_error(table=table)[0]
    true, other, both = (_entropy(np.asarray(counts)) for counts in (table.sum(axis=1), table.sum(axis=0), table.data))
    # With one region on both sides there is nothing to know, and all of it is known.
    information = 2 * (true + other - both) / (true + other) if true + other else 1.0
    return rand, information


def _entropy(counts):
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _overlaps(truth, predicted, num_classes):
    """Of each class the pixels that both have, and the sum of those that one has."""
    counts = confusion(truth, predicted, num_classes)
    return counts.diagonal(), counts.sum(axis=0) + counts.sum(axis=1)


def _ratio(part, whole):
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _same_shape(truth, other):
    truth, other = np.asarray(truth), np.asarray(other)
    if truth.shape != other.shape:
        raise ZooError(f"both images must have the same shape. Received: {truth.shape} and {other.shape}")
    return truth, other
