"""Densities of codes, from which an autoencoder generates: a mixture of Gaussians, and a kernel density.

An autoencoder learns where the codes of images lie, not how often; a density fitted to the codes says that.
"""

import copy
import math
import warnings
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from zoo.errors import ZooError, choose, require
from zoo.seeding import check_seed

KINDS = ("gmm", "kde")
COMPONENTS = (1, 2, 5, 10, 20, 50, 100)
FITTED = 10_000
HELD_OUT = 2_000
# Expectation-maximisation ends when a step raises the mean log-likelihood by less, in nats, or after so many steps.
RISE = 0.01
STEPS = 100
# Added to every variance, as a share of the mean variance of the codes: what a component needs that fell on one point.
FLOOR = 1e-6
# Bandwidths that are tried, as shares of the root of the mean variance of the codes.
NARROWEST, WIDEST = 0.01, 2.0


class Tried(NamedTuple):
    """One setting that was fitted.

    Args:
        setting: number of components, or bandwidth.
        training: mean log-likelihood of a training code in nats; of a kernel density None, for each training code has
            a kernel on itself.
        held_out: mean log-likelihood of a held-out code in nats.
    """

    setting: float
    training: float | None
    held_out: float


class Density(NamedTuple):
    """A density of codes, as `fit` makes it.

    Args:
        kind: "gmm" or "kde".
        fitted: scikit-learn's `GaussianMixture` or `KernelDensity`.
        tried: tuple of `Tried`, by setting; the last word has the held-out log-likelihood.
    """

    kind: str
    fitted: Any
    tried: tuple

    @property
    def chosen(self):
        """The `Tried` that this density is."""
        return max(self.tried, key=lambda each: each.held_out)

    def sample(self, n, seed=0):
        """Draws codes.

        Args:
            n: how many, an integer >= 1.
            seed: integer; the same one draws the same codes.

        Returns:
            A float32 array (n, code), in random order.

        Raises:
            ZooError: n or a seed out of range.
        """
        check_count(n)
        seed = check_seed(seed)
        if self.kind == "kde":
            codes = self.fitted.sample(n, random_state=seed)
        else:
            fitted = copy.copy(self.fitted)
            fitted.random_state = seed
            codes, _ = fitted.sample(n)
        # Scikit-learn gives the codes of a mixture component by component.
        return np.random.default_rng(seed).permutation(codes).astype("float32")

    def score(self, codes):
        """The mean log-likelihood of codes (n, code), in nats a code."""
        return _score(self.fitted, np.asarray(codes, np.float64))

    def __str__(self):
        setting, _, held_out = self.chosen
        what = "Gaussian mixture, components" if self.kind == "gmm" else "kernel density, bandwidth"
        return f"{what}: {setting:.3g}; held-out log-likelihood: {held_out:.2f} nats a code"


def fit(codes, kind="gmm", components=None, held_out=None, seed=0):
    """Fits a density to codes.

    A Gaussian mixture with full covariances is fitted by expectation-maximisation (Dempster, Laird, Rubin 1977) from
    a start by k-means. More components always raise the likelihood of the training codes; how many are right, held-out
    codes say. A kernel density has a Gaussian of one width on every training code (Parzen 1962), and held-out codes
    say which width.

    On 10 000 codes of 30 numbers the mixtures of 1 to 100 components take some 7 s of one core in all, the kernel
    density 5 s.

    Args:
        codes: training codes (n, d), two different ones at least; of more than 10 000 so many are drawn.
        kind: "gmm" or "kde".
        components: Gaussians of the mixture, an integer from 1 to the number of different codes. None tries 1, 2, 5,
            10, 20, 50, 100, as far as each can have d + 1 codes, which a covariance needs, and until the held-out
            likelihood has fallen twice in a row.
        held_out: other codes (m, d), those of the validation images, of which 2 000 at most are used; None takes a
            tenth of `codes`.
        seed: integer, for draws and for the start of the mixture.

    Returns:
        A `Density`: of all that was tried the one of the highest held-out likelihood.

    Raises:
        ZooError: an unknown kind, codes that are no table of finite numbers or all the same, components out of range or
            for a kernel density.

    Example:
        >>> random = np.random.default_rng(0)
        >>> codes = random.choice([-5, 5], (6000, 1)) + random.normal(size=(6000, 2))
        >>> density = fit(codes[:3000], held_out=codes[3000:])
        >>> print(density.chosen.setting, density.sample(5).shape)
        2 (5, 2)
    """
    choose("density", kind, KINDS)
    seed = check_seed(seed)
    codes = _checked(codes)
    if held_out is None:
        if len(codes) < 2:
            raise ZooError("a density is fitted to two codes or more. Received 1")
        order = np.random.default_rng(seed).permutation(len(codes))
        tenth = -(-len(codes) // 10)
        codes, held_out = codes[order[tenth:]], codes[order[:tenth]]
    codes, held_out = _some(codes, FITTED, seed), _some(_checked(held_out), HELD_OUT, seed)
    if codes.shape[1] != held_out.shape[1]:
        raise ZooError(f"the held-out codes have {held_out.shape[1]} numbers, the training codes {codes.shape[1]}")
    if kind == "kde" and components is not None:
        raise ZooError(
            f"components belong to density='gmm': a kernel density has one on every code. Received: {components!r}"
        )
    different = len(np.unique(codes, axis=0))
    if components is not None:
        fits = isinstance(components, int) and not isinstance(components, bool) and 1 <= components <= different
        require(fits, "components", components, f"None or an integer from 1 to {different}, the different codes")
    if different < 2:
        raise ZooError(
            "all codes are the same: the encoder tells no image from another, and there is no density to fit"
        )
    # The matrices of a component are small: threads gain little, and cost much where the cores are busy.
    with threadpool_limits(1):
        if kind == "kde":
            return _kernels(codes, held_out)
        return _mixtures(codes, held_out, components, seed)


def check_count(n, most=None):
    """Checks a number of codes to draw.

    Args:
        n: what was received.
        most: the largest that works, or None.

    Raises:
        ZooError: anything but an integer from 1 to `most`.
    """
    fits = isinstance(n, int) and not isinstance(n, bool) and n >= 1 and (most is None or n <= most)
    require(fits, "n", n, "an integer >= 1" if most is None else f"an integer from 1 to {most}")


def _mixtures(codes, held_out, components, seed):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    candidates = [k for k in COMPONENTS if k == 1 or k * (codes.shape[1] + 1) <= len(codes)]
    tried, best, fallen = [], None, 0
    for k in [components] if components else candidates:
        floor = FLOOR * float(codes.var(0).mean())
        mixture = GaussianMixture(k, tol=RISE, reg_covar=floor, max_iter=STEPS, random_state=seed)
        with warnings.catch_warnings():
            # So many steps are enough for a density to draw from; the likelihood says what it is worth.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(codes)
        tried.append(Tried(k, _score(mixture, codes), _score(mixture, held_out)))
        if best is None or tried[-1].held_out > best[0]:
            best = tried[-1].held_out, mixture
        fallen = fallen + 1 if len(tried) > 1 and tried[-1].held_out < tried[-2].held_out else 0
        if fallen == 2:
            break
    return Density("gmm", best[1], tuple(tried))


def _kernels(codes, held_out):
    from scipy.optimize import minimize_scalar
    from sklearn.neighbors import KernelDensity

    tried = {}

    def loss(logarithm):
        kernels = KernelDensity(bandwidth=math.exp(logarithm)).fit(codes)
        tried[math.exp(logarithm)] = kernels, _score(kernels, held_out)
        return -tried[math.exp(logarithm)][1]

    scale = math.sqrt(codes.var(0).mean())
    bounds = math.log(NARROWEST * scale), math.log(WIDEST * scale)
    minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 0.05})
    best = max(tried.values(), key=lambda each: each[1])[0]
    return Density("kde", best, tuple(Tried(width, None, tried[width][1]) for width in sorted(tried)))


def _score(fitted, codes):
    return float(fitted.score_samples(codes).mean())


def _checked(codes):
    codes = np.asarray(codes, np.float64)
    if codes.ndim != 2 or not codes.size or not np.isfinite(codes).all():
        raise ZooError(f"codes are a table (n, d) of finite numbers. Received an array of shape {codes.shape}")
    return codes


def _some(codes, most, seed):
    if len(codes) <= most:
        return codes
    return codes[np.sort(np.random.default_rng(seed).permutation(len(codes))[:most])]
