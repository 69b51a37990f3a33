"""Scores of generated images beside real ones: distances between features, and to the nearest training images.

All are of arrays, whatever gave the features; `zoo.generation_measures` asks a judge for them.
"""

import numpy as np
from threadpoolctl import threadpool_limits

from zoo.errors import ZooError, require
from zoo.seeding import check_seed

# A thousand examples are no work for threads, which only wait for each other where the cores are busy: with two threads
# on two cores in use, precision and recall took twenty times as long, and thirteen times the processor time.
ONE_THREAD = threadpool_limits.wrap(limits=1)
# Bytes that a block of distances may take.
BLOCK = 2**26
# Of kernel_distance, as in the authors' code.
SUBSETS, SUBSET = 50, 1000
NEIGHBOURS = 3
# Of squared distances, this part of the squared norms is rounding.
SAME = 1e-12


@ONE_THREAD
def frechet_distance(real, fake):
    """The Frechet distance between two sets of features, each taken for a normal distribution.

        |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2))

    with means m and covariances C (Heusel et al. 2017, arXiv:1706.08500, equation 6). The paper's FID has it on
    features of an Inception network; on others the number is another one. It is biased: of few examples it comes out
    too large, so that only values of equally many examples can be compared. Fewer examples than features will do: the
    trace of the root is the sum of the singular values of R R'^T, with C = R^T R. That takes no root of a matrix, and
    is never complex.

    Args:
        real, fake: features (n, d) and (m, d), two examples each at least.

    Returns:
        A float >= 0, in squared units of the features.

    Raises:
        ZooError: no such tables, fewer examples, or values that are not finite.

    Example:
        >>> real = np.array([[-1.0, 0], [1, 0], [0, -1], [0, 1]])
        >>> frechet_distance(real, real + [3, 4]), round(frechet_distance(real, 2 * real), 3)
        (25.0, 1.333)
    """
    real, fake = features_of(real, fake, 2)
    means, roots = [], []
    for table in (real, fake):
        means.append(table.mean(0))
        roots.append(np.linalg.qr(table - means[-1], mode="r") / np.sqrt(len(table) - 1))
    between = np.square(means[0] - means[1]).sum()
    traces = np.square(roots[0]).sum() + np.square(roots[1]).sum()
    common = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    return float(max(0.0, between + traces - 2 * common))


@ONE_THREAD
def kernel_distance(real, fake, subsets=SUBSETS, size=SUBSET, seed=0):
    """The squared maximum mean discrepancy between two sets of features, by the kernel (x.y / d + 1)^3.

    Binkowski et al. 2018, Demystifying MMD GANs, arXiv:1801.01401, section 4: the unbiased estimate, averaged over
    random subsets, d the number of features. Being unbiased, it is about 0, and as often below, for two sets of one
    distribution, however few they are.

    Args:
        real, fake: features (n, d) and (m, d), two examples each at least.
        subsets: how many pairs of subsets, >= 1.
        size: examples of each subset, >= 2. A set of fewer is taken whole; where both are, there is one pair.
        seed: integer, of the draws.

    Returns:
        A float.

    Raises:
        ZooError: no such tables, fewer examples, values that are not finite, or a number out of range.

    Example:
        >>> round(kernel_distance(np.array([[0.0], [2]]), np.array([[1.0], [3]])), 3)
        -121.0
    """
    real, fake = features_of(real, fake, 2)
    for name, value, least in (("subsets", subsets, 1), ("size", size, 2)):
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
        require(whole, name, value, f"an integer >= {least}")
    random = np.random.default_rng(check_seed(seed))
    if max(len(real), len(fake)) <= size:
        subsets = 1
    found = []
    for _ in range(subsets):
        x, y = (table[random.permutation(len(table))[:size]] for table in (real, fake))
        within = 0.0
        for z in (x, y):
            of_all = _kernel(z, z)
            within += (of_all.sum() - np.trace(of_all)) / (len(z) * (len(z) - 1))
        found.append(within - 2 * _kernel(x, y).mean())
    return float(np.mean(found))


@ONE_THREAD
def precision_recall(real, fake, k=NEIGHBOURS):
    """How many generated examples lie among the real ones, and how many real ones among the generated.

    Kynkaanniemi et al. 2019, Improved precision and recall metric for assessing generative models, arXiv:1904.06991,
    equations 1 and 2: a set's region is the union of the balls around its examples that reach to their k-th nearest
    neighbour in it. Precision falls when images are bad, recall when some are never made. Distances are computed block
    by block, and never held all at once.

    Args:
        real, fake: features (n, d) and (m, d), more than k examples each; the paper has equally many of both.
        k: integer >= 1.

    Returns:
        Two floats 0..1: precision, the share of `fake` in the region of `real`; and recall, the reverse.

    Raises:
        ZooError: no such tables, fewer examples, values that are not finite, or a k out of range.

    Example:
        >>> line = np.arange(10.0)[:, None]
        >>> precision_recall(line, np.array([[1.5], [2.5], [99], [100]]), k=1)
        (0.5, 0.3)
    """
    require(isinstance(k, int) and not isinstance(k, bool) and k >= 1, "k", k, "an integer >= 1")
    real, fake = features_of(real, fake, k + 1)
    # Distances do not change, and their rounding is least, around the mean.
    center = real.mean(0)
    real, fake = real - center, fake - center
    return _inside(fake, real, k), _inside(real, fake, k)


@ONE_THREAD
def nearest(samples, training, k=1):
    """The training examples that are nearest to samples, by Euclidean distance.

    They are found in float32, and their distances computed again exactly: a copy's is 0.

    Args:
        samples: (n, ...) of any shape: images as raw pixels.
        training: (m, ...), of the same shape.
        k: how many for each, 1 <= k <= m.

    Returns:
        Two arrays (n, k): positions in `training`, the nearest first, and their distances.

    Raises:
        ZooError: shapes that differ, nothing to compare, or a k out of range.

    Example:
        >>> nearest(np.array([[0.0, 0], [3, 4]]), np.array([[3.0, 4], [9, 9]]))[1].tolist()
        [[5.0], [0.0]]
    """
    samples, training = np.asarray(samples), np.asarray(training)
    if samples.shape[1:] != training.shape[1:] or not samples.size or not training.size:
        raise ZooError(f"samples and training must be of one shape. Received: {samples.shape} and {training.shape}")
    whole = isinstance(k, int) and not isinstance(k, bool) and 1 <= k <= len(training)
    require(whole, "k", k, f"an integer from 1 to {len(training)}, the training examples")
    flat, known = samples.reshape(len(samples), -1), training.reshape(len(training), -1)
    asked = np.float32(flat)
    best, where = np.empty((len(flat), 0), np.float32), np.empty((len(flat), 0), np.int64)
    # Block by block: as float32 all training images would take four times their memory.
    step = max(1, BLOCK // (4 * max(flat.shape)))
    for first in range(0, len(known), step):
        block = np.float32(known[first : first + step])
        # The squares of the samples change no order.
        squared = np.square(block).sum(1) - 2 * asked @ block.T
        near = np.argpartition(squared, min(k, len(block)) - 1, 1)[:, :k]
        best = np.concatenate([best, np.take_along_axis(squared, near, 1)], 1)
        where = np.concatenate([where, first + near], 1)
        kept = np.argsort(best, 1, kind="stable")[:, :k]
        best, where = np.take_along_axis(best, kept, 1), np.take_along_axis(where, kept, 1)
    distances = np.stack(
        [
            np.sqrt(np.square(known[near].astype(np.float64) - row.astype(np.float64)).sum(1))
            for row, near in zip(flat, where, strict=True)
        ]
    )
    order = np.lexsort((where, distances))
    return np.take_along_axis(where, order, 1), np.take_along_axis(distances, order, 1)


def memorisation(distances, real_distances):
    """How near samples are to training images, as a part of how near other real images are.

    Args:
        distances: of samples to their nearest training image (n,), from `nearest`.
        real_distances: likewise, of real images that are not among the training images.

    Returns:
        A float >= 0, the median of the first over that of the second: 0 where most samples are copies, about 1 where
        they are as new as real images are. Blurred images are near to everything, and come out below 1 as well: the
        neighbours themselves show which it is. The second counts as at least 1, one grey level of one pixel.

    Example:
        >>> memorisation([0.0, 0.0, 900.0], [800.0, 1000.0]), memorisation([1800.0], [900.0])
        (0.0, 2.0)
    """
    return float(np.median(distances) / max(1.0, np.median(real_distances)))


def features_of(real, fake, least):
    """Two tables of features in float64.

    Args:
        real, fake: (n, d) and (m, d).
        least: examples that each must have.

    Raises:
        ZooError: they are no such tables.
    """
    tables = []
    for name, table in (("real", real), ("fake", fake)):
        table = np.asarray(table, np.float64)
        require(table.ndim == 2 and table.shape[1], name, table.shape, "a table of features (n, d)")
        if len(table) < least:
            raise ZooError(f"{name} must have {least} examples or more for this score. Received: {len(table)}")
        if not np.isfinite(table).all():
            raise ZooError(f"{name} must hold finite numbers. Received: NaN or infinity")
        tables.append(table)
    if tables[0].shape[1] != tables[1].shape[1]:
        raise ZooError(f"real and fake must have the same features. Received: {[table.shape for table in tables]}")
    return tables


def _kernel(x, y):
    values = x @ y.T / x.shape[1] + 1
    return values * values * values  # a power takes many times as long


def _inside(x, y, k):
    """The share of x that lies in a ball around some y, up to the k-th nearest other y."""
    from sklearn.neighbors import NearestNeighbors

    reach = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(y).kneighbors()[0][:, -1]
    squares = np.square(y).sum(1)
    # |x - y|^2 <= reach^2, with all that depends on y alone taken together: one product and one minimum a block.
    alone, turned, rounding = squares - np.square(reach), -2 * y.T, SAME * squares.max()
    step, count = max(1, BLOCK // (8 * len(y))), 0
    for first in range(0, len(x), step):
        block = x[first : first + step]
        beyond = block @ turned
        beyond += alone
        norms = np.square(block).sum(1)
        count += (beyond.min(1) + norms <= SAME * norms + rounding).sum()
    return float(count / len(x))
