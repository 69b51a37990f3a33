"""The games, against their formulas written in numpy."""

import numpy as np
import pytest
from scipy.special import expit

import zoo
from zoo import adversarial_losses as losses

REAL = np.array([[-2.0], [0.3], [1.5]], "float32")
FAKE = np.array([[-1.0], [0.1], [4.0]], "float32")
log = np.log

FORMULAS = {
    "minimax": (-log(expit(REAL)) - log(1 - expit(FAKE)), log(1 - expit(FAKE))),
    "non_saturating": (-log(expit(REAL)) - log(1 - expit(FAKE)), -log(expit(FAKE))),
    "least_squares": ((REAL - 1) ** 2 / 2 + FAKE**2 / 2, (FAKE - 1) ** 2 / 2),
    "wasserstein": (FAKE - REAL, -FAKE),
    "hinge": (np.maximum(0, 1 - REAL) + np.maximum(0, 1 + FAKE), -FAKE),
}


@pytest.mark.parametrize("name", losses.GAMES)
def test_formulas(name):
    discriminator, generator = FORMULAS[name]
    np.testing.assert_allclose(losses.discriminator_loss(name, REAL, FAKE), discriminator.mean(), rtol=1e-5)
    np.testing.assert_allclose(losses.generator_loss(name, FAKE), generator.mean(), rtol=1e-5)


def test_smoothed_targets():
    smooth = -(0.9 * log(expit(REAL)) + 0.1 * log(1 - expit(REAL))) - log(1 - expit(FAKE))
    np.testing.assert_allclose(losses.discriminator_loss("non_saturating", REAL, FAKE, 0.1), smooth.mean(), rtol=1e-5)
    squares = (REAL - 0.9) ** 2 / 2 + FAKE**2 / 2
    np.testing.assert_allclose(losses.discriminator_loss("least_squares", REAL, FAKE, 0.1), squares.mean(), rtol=1e-5)


def test_logits_far_from_zero_stay_finite():
    for name in losses.GAMES:
        far = np.array([[-1e4], [1e4]], "float32")
        assert np.isfinite(losses.discriminator_loss(name, far, -far))
        assert np.isfinite(losses.generator_loss(name, far))


def test_opinion_is_a_probability_where_there_is_one():
    np.testing.assert_allclose(losses.opinion("minimax", REAL), expit(REAL).mean(), rtol=1e-6)
    np.testing.assert_allclose(losses.opinion("hinge", REAL), REAL.mean(), rtol=1e-6)


@pytest.mark.parametrize("loss, smoothing", [("wasserstien", 0), ("hinge", 0.1), ("minimax", 1.0), ("minimax", "a")])
def test_refused(loss, smoothing):
    with pytest.raises(zoo.ZooError, match="loss|label_smoothing"):
        losses.check(loss, smoothing)
