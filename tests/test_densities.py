"""Densities of codes: likelihoods against closed forms, how many components are chosen, and what is drawn."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from zoo import ZooError, densities


def clusters(count, centers, seed=0, width=0.3):
    random = np.random.default_rng(seed)
    centers = np.asarray(centers, float)
    return centers[np.arange(count) % len(centers)] + width * random.normal(size=(count, centers.shape[1]))


FIVE = [[0, 0], [5, 0], [0, 5], [5, 5], [10, 10]]


def test_one_component_is_the_gaussian_of_mean_and_covariance():
    codes, other = clusters(200, [[1, 2, 3]]), clusters(50, [[1, 2, 3]], seed=1)
    density = densities.fit(codes, "gmm", 1, held_out=other)
    covariance = np.cov(codes.T, bias=True) + densities.FLOOR * codes.var(0).mean() * np.eye(3)
    expected = multivariate_normal(codes.mean(0), covariance).logpdf(other).mean()
    assert density.score(other) == pytest.approx(expected, rel=1e-9)
    assert density.tried == ((1, pytest.approx(density.score(codes)), pytest.approx(expected)),)
    drawn = density.sample(20_000, seed=3)
    assert drawn.shape == (20_000, 3) and drawn.dtype == "float32"
    np.testing.assert_allclose(drawn.mean(0), codes.mean(0), atol=0.02)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.005)


def test_a_kernel_density_is_the_mean_of_kernels_of_the_best_width():
    codes, other = clusters(60, FIVE), clusters(40, FIVE, seed=1)

    def expected(width):
        squares = ((other[:, None] - codes) ** 2).sum(-1)
        kernels = -squares / (2 * width**2) - np.log(2 * np.pi * width**2)
        return (logsumexp(kernels, axis=1) - np.log(len(codes))).mean()

    density = densities.fit(codes, "kde", held_out=other)
    width, training, held_out = density.chosen
    assert density.score(other) == pytest.approx(expected(width), rel=1e-9) == held_out
    assert training is None and density.fitted.bandwidth == width
    best = max(expected(w) for w in np.geomspace(0.05, 5, 200))
    assert best - 0.01 < held_out <= best + 1e-3
    assert [each.setting for each in density.tried] == sorted(each.setting for each in density.tried)
    drawn = density.sample(500)
    nearest = np.sqrt(((drawn[:, None] - codes) ** 2).sum(-1)).min(1)
    assert nearest.max() < 6 * width and nearest.mean() > 0.1 * width


def test_held_out_codes_choose_the_components_that_there_are():
    density = densities.fit(clusters(600, FIVE), held_out=clusters(300, FIVE, seed=1))
    assert density.chosen.setting == 5 and density.fitted.n_components == 5
    training = [each.training for each in density.tried]
    assert training == sorted(training) and training[-1] > density.chosen.training + 0.05
    # Ten and twenty were worse, one after the other: fifty was not tried.
    assert [each.setting for each in density.tried] == [1, 2, 5, 10, 20]
    assert density.score(clusters(300, FIVE, seed=1)) == pytest.approx(density.chosen.held_out)
    assert str(density).startswith("Gaussian mixture, components: 5; held-out log-likelihood: -")


def test_components_have_codes_enough_for_a_covariance():
    random = np.random.default_rng(0)
    codes = random.normal(size=(64, 30))
    assert [each.setting for each in densities.fit(codes[:60], held_out=codes[60:]).tried] == [1]
    assert [each.setting for each in densities.fit(codes[:62], held_out=codes[62:]).tried] == [1, 2]
    assert densities.fit(codes, components=7).fitted.n_components == 7


def test_samples_are_a_function_of_the_seed_and_in_no_order():
    density = densities.fit(clusters(400, FIVE[:2]), components=2)
    first, second = density.sample(50, seed=1), density.sample(50, seed=1)
    assert (first == second).all() and (density.sample(50, seed=2) != first).any()
    right = first[:, 0] > 2.5
    assert 15 < right.sum() < 35 and 5 < right[:25].sum() < 20
    kernels = densities.fit(clusters(400, FIVE[:2]), "kde")
    assert (kernels.sample(9, seed=4) == kernels.sample(9, seed=4)).all()


@pytest.mark.parametrize("kind", densities.KINDS)
def test_the_unit_of_a_code_moves_the_likelihood_by_its_logarithm(kind):
    codes, other = clusters(100, FIVE), clusters(50, FIVE, seed=1)
    one = densities.fit(codes, kind, held_out=other)
    million = densities.fit(1e6 * codes, kind, held_out=1e6 * other)
    assert million.chosen.held_out == pytest.approx(one.chosen.held_out - 2 * np.log(1e6), abs=1e-3)


@pytest.mark.parametrize("kind", densities.KINDS)
def test_few_codes_and_dead_numbers_have_a_density(kind):
    codes = np.zeros((3, 4), "float32")
    codes[:, 1] = [1, 2, 2]  # two different ones, of which three numbers never change
    density = densities.fit(codes, kind, held_out=codes[:1])
    assert np.isfinite(density.chosen.held_out)
    assert np.isfinite(density.sample(5)).all()


def test_without_held_out_codes_a_tenth_is_set_aside_and_large_sets_are_thinned(monkeypatch):
    seen = []
    monkeypatch.setattr(densities, "_kernels", lambda codes, held_out: seen.append((codes, held_out)))
    codes = np.arange(200.0).reshape(100, 2)
    densities.fit(codes, "kde")
    fitted, held_out = seen.pop()
    assert len(fitted) == 90 and sorted(np.concatenate([fitted, held_out])[:, 0]) == codes[:, 0].tolist()
    monkeypatch.setattr(densities, "FITTED", 20)
    monkeypatch.setattr(densities, "HELD_OUT", 5)
    densities.fit(codes, "kde", held_out=codes + 0.5)
    fitted, held_out = seen.pop()
    assert (len(fitted), len(held_out)) == (20, 5) and len(np.unique(fitted[:, 0])) == 20
    assert (held_out % 1 == 0.5).all()


@pytest.mark.parametrize(
    "codes, arguments, words",
    [
        (clusters(9, FIVE), dict(kind="kdee"), "density must be one of 'gmm', 'kde'.*Did you mean 'kde'"),
        (clusters(9, FIVE), dict(components=10, held_out=clusters(9, FIVE)), "from 1 to 9, the different codes"),
        (clusters(9, FIVE), dict(components=0), "components must be None or an integer from 1"),
        (clusters(9, FIVE), dict(components=2.0), "components must be None or an integer from 1"),
        (clusters(9, FIVE), dict(kind="kde", components=3), "components belong to density='gmm'"),
        (clusters(9, FIVE), dict(held_out=np.zeros((3, 4))), "held-out codes have 4 numbers, the training codes 2"),
        (clusters(9, FIVE), dict(seed=-1), "seed must be an integer"),
        (clusters(1, FIVE), {}, "two codes or more"),
        (np.ones((9, 3)), {}, "all codes are the same"),
        (np.ones(9), {}, r"a table \(n, d\) of finite numbers. Received an array of shape \(9,\)"),
        (np.full((9, 2), np.nan), {}, "finite numbers"),
        (np.zeros((0, 2)), {}, "finite numbers"),
    ],
)
def test_what_cannot_be_fitted_is_refused(codes, arguments, words):
    with pytest.raises(ZooError, match=words):
        densities.fit(codes, **arguments)


@pytest.mark.parametrize("n", [0, -1, 2.0, True, "3"])
def test_what_cannot_be_drawn_is_refused(n):
    with pytest.raises(ZooError, match="n must be an integer >= 1. Received"):
        densities.fit(clusters(20, FIVE), components=1).sample(n)
