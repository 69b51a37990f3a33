"""The weight map of the U-Net: the pixels between two cells count more."""

import math

import numpy as np

from zoo.errors import ZooError, require


def weight_map(mask, w0=10.0, sigma=5.0, class_weights=True):
    """How much each pixel counts in the loss: `w_c(x) + w0 exp(-(d1(x) + d2(x))**2 / (2 sigma**2))`.

    Source: Ronneberger, Fischer, Brox 2015, U-Net: convolutional networks for biomedical image segmentation
    (arXiv:1505.04597), equation 2, with w0 = 10 and sigma of about 5 pixels.

    d1 and d2 are the distances in pixels from x to the nearest pixel of the nearest cell and of the second nearest. The
    cells are the connected parts of the foreground, class by class, pixels that touch at a corner alone not being
    connected. As in the paper's figure 3, the term is for the pixels between cells: within a cell it is 0, and it is 0
    where the mask has fewer than two cells. Where d1 + d2 is beyond 6 sigma it is left out: it is below 2e-8 w0 there.

    The paper does not say how w_c is scaled. Here it is inverse to the class's share of the pixels, and 1 on average
    over the pixels of `mask`: `pixels / (classes that occur * pixels of the class)`.

    Args:
        mask: integers `(height, width)` or `(n, height, width)`: 0 is the background, others are classes of cells. The
            masks of a training set together are balanced together.
        w0: weight of the term, >= 0.
        sigma: its width in pixels, > 0.
        class_weights: True for w_c as above, False for w_c = 1, or a sequence of numbers, w_c of each class, such as
            `class_weights(masks)` gives for other masks.

    Returns:
        float32 array of the shape of `mask`. A slice of 512 x 512 with 100 cells takes some tenths of a second.

    Raises:
        ZooError: a value out of range, a mask that holds no integers, or a class without a weight.

    Example:
        >>> mask = np.array([[1, 1, 0, 0, 2, 2]])
        >>> np.round(weight_map(mask, class_weights=False), 2)
        array([[1.  , 1.  , 9.35, 9.35, 1.  , 1.  ]], dtype=float32)
    """
    mask = np.asarray(mask)
    fits = mask.dtype.kind in "iu" and mask.ndim in (2, 3) and mask.size and mask.min() >= 0
    require(fits, "mask", f"{mask.dtype} of shape {mask.shape}", "integers >= 0, (height, width) or (n, height, width)")
    require(0 <= w0 < math.inf, "w0", w0, "a weight >= 0")
    require(0 < sigma < math.inf, "sigma", sigma, "a width > 0 in pixels")
    if class_weights is False:
        weights = np.ones(mask.shape, "float32")
    else:
        each = balance(mask) if class_weights is True else np.asarray(class_weights, "float32")
        if each.ndim != 1 or mask.max() >= len(each):
            raise ZooError(
                f"class_weights must be True, False, or one number for each class. Received {class_weights!r} for a "
                f"mask with the class {mask.max()}"
            )
        weights = each[mask]
    slices = mask.reshape(-1, *mask.shape[-2:])
    for weight, each in zip(weights.reshape(slices.shape), slices, strict=True):
        weight += w0 * _separation(each, sigma)
    return weights


def balance(masks, classes=None):
    """The weights w_c of `weight_map`, from masks of one's own: those of the training part.

    Args:
        masks: integers >= 0, of any shape.
        classes: number of classes; None counts up to the largest.

    Returns:
        float32 array `(classes,)`: inverse to each class's share of the pixels, with a mean of 1 over the pixels. A
        class that does not occur has 1.

    Example:
        >>> balance(np.array([0, 0, 0, 1]), classes=3)
        array([0.6666667, 2.       , 1.       ], dtype=float32)
    """
    counts = np.bincount(np.ravel(masks), minlength=classes or 0)
    there = counts > 0
    return np.where(there, counts.sum() / (there.sum() * np.maximum(counts, 1)), 1).astype("float32")


def _separation(mask, sigma):
    """The exponential of one mask, float32 `(height, width)`."""
    from scipy import ndimage

    height, width = mask.shape
    reach = math.ceil(6 * sigma)
    nearest = np.full((2, height, width), np.inf, "float32")
    for kind in np.unique(mask[mask > 0]):
        labelled, _ = ndimage.label(mask == kind)
        for number, (rows, columns) in enumerate(ndimage.find_objects(labelled), 1):
            # What lies further off than the reach has no weight: a cell is seen from its neighbourhood alone.
            around = (
                slice(max(rows.start - reach, 0), min(rows.stop + reach, height)),
                slice(max(columns.start - reach, 0), min(columns.stop + reach, width)),
            )
            distance = ndimage.distance_transform_edt(labelled[around] != number).astype("float32")
            first, second = nearest[(0, *around)], nearest[(1, *around)]
            # The nearer of the newcomer and the second, but never what is the first.
            np.minimum(second, np.maximum(first, distance), out=second)
            np.minimum(first, distance, out=first)
    together = nearest.sum(0)
    within = (mask == 0) & (together <= 6 * sigma)
    return np.where(within, np.exp(-((np.where(within, together, 0) / sigma) ** 2) / 2), 0).astype("float32")
