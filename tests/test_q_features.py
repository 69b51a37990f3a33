"""Features of observations against their closed forms."""

import itertools

import keras
import numpy as np
import pytest

from zoo import ZooError
from zoo.q_features import FourierBasis, Polynomial, RadialBasisFunctions, TileCoding

LOW, HIGH = (-1.2, -0.07), (0.6, 0.07)
KINDS = {
    TileCoding: dict(tilings=4, tiles=[3, 2]),
    Polynomial: dict(order=2),
    FourierBasis: dict(order=2),
    RadialBasisFunctions: dict(centres=3),
}


def observed(count=200):
    return np.random.default_rng(0).uniform(LOW, HIGH, (count, 2)).astype("float32")


def shares(x):
    return (np.asarray(x, "float64") - LOW) / np.subtract(HIGH, LOW)


def test_tiles_are_displaced_by_the_odd_numbers():
    found = TileCoding(LOW, HIGH, tilings=8, tiles=8)(observed()).numpy()
    place = shares(observed()) * 8
    wanted = np.zeros((200, 8, 9, 9))
    for tiling in range(8):
        first, second = (np.floor(place[:, i] + tiling * odd % 8 / 8).astype(int) for i, odd in enumerate((1, 3)))
        wanted[np.arange(200), tiling, first, second] = 1
    near = np.abs(place * 8 - np.round(place * 8)).min(1) < 0.01  # which side of an edge is not the matter here
    assert near.mean() < 0.1
    np.testing.assert_array_equal(found[~near], wanted[~near].reshape(-1, 648))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("steps", [0, 1, 3, 8])
def test_tiles_that_two_observations_share_tell_how_near_they_are(axis, steps):
    layer = TileCoding((0.0, 0.0), (8.0, 8.0), tilings=8, tiles=8)
    x = np.full((1, 2), 3.06, "float32")
    other = x + steps / 8 * np.eye(2, dtype="float32")[axis]
    assert (layer(x).numpy() * layer(other).numpy()).sum() == 8 - steps


def test_beyond_its_bounds_an_observation_counts_as_on_them():
    layer = TileCoding(LOW, HIGH, tilings=4, tiles=[3, 2])
    x = np.array([LOW, np.subtract(LOW, 9), HIGH, np.add(HIGH, 9), np.subtract(HIGH, 1e-4)], "float32")
    low, below, high, above, inside = layer(x).numpy()
    assert layer.features == 4 * 4 * 3 and low.sum() == high.sum() == 4
    np.testing.assert_array_equal(low, below)
    np.testing.assert_array_equal(high, above)
    np.testing.assert_array_equal(high, inside)


def test_an_observation_on_the_edge_of_a_tile_belongs_to_the_upper_one():
    layer = TileCoding(LOW, HIGH)
    edges = np.array([(LOW[0] + 1.8 * i / 8, LOW[1] + 0.14 * j / 8) for i in range(8) for j in range(8)])
    upper = layer((edges + (1e-4, 1e-5)).astype("float32")).numpy()
    for x in (edges, np.nextafter(edges.astype("float32"), np.float32(-9))):
        np.testing.assert_array_equal(layer(x.astype("float32")), upper)


def test_polynomials_and_cosines():
    coefficients = np.array(list(itertools.product(range(4), repeat=2)))
    found = Polynomial(LOW, HIGH, order=3)(observed()).numpy()
    np.testing.assert_allclose(found, (shares(observed())[:, None] ** coefficients).prod(-1), atol=1e-5)
    found = FourierBasis(LOW, HIGH, order=3)(observed()).numpy()
    np.testing.assert_allclose(found, np.cos(np.pi * shares(observed()) @ coefficients.T), atol=1e-5)
    assert (found[:, 0] == 1).all()


def test_bells_on_a_grid_and_on_points():
    grid = np.array(list(itertools.product((0, 0.25, 0.5, 0.75, 1), repeat=2)))
    apart = np.square(shares(observed())[:, None] - grid).sum(-1)
    found = RadialBasisFunctions(LOW, HIGH, centres=5)(observed()).numpy()
    np.testing.assert_allclose(found, np.exp(-apart / (2 * 0.25**2)), atol=1e-5)
    points = [(0.0, 0.01), (-1, 0.02), (0.5, 0)]
    apart = np.square(shares(observed())[:, None] - shares(points)).sum(-1)
    found = RadialBasisFunctions(LOW, HIGH, points, width=0.4)(observed()).numpy()
    np.testing.assert_allclose(found, np.exp(-apart / (2 * 0.4**2)), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_it_comes_back_from_its_configuration_and_keeps_float32(kind):
    layer = kind(LOW, HIGH, **KINDS[kind])
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = kind(LOW, HIGH, **KINDS[kind])
    finally:
        keras.config.set_dtype_policy("float32")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    x = observed(5)
    wanted = layer(x)
    assert tuple(wanted.shape) == layer.compute_output_shape((5, 2)) == (5, layer.features) and len(layer.weights) == 0
    for each in (half, again):
        np.testing.assert_array_equal(each(x), wanted)
    assert keras.backend.standardize_dtype(half(x).dtype) == "float32"


@pytest.mark.parametrize(
    "kind, low, high, options, message",
    [
        (TileCoding, (0,), (0,), {}, r"high\[0\] must be above low\[0\]=0"),
        (TileCoding, (0, 1), (1,), {}, "high must be of 2 numbers"),
        (TileCoding, (0,), (float("inf"),), {}, "high must be a list of finite numbers"),
        (TileCoding, (), (), {}, "low must be a list of finite numbers"),
        (TileCoding, (0,), (1,), dict(tilings=0), "tilings must be an integer >= 1"),
        (TileCoding, (0,), (1,), dict(tiles=[2, 2]), "tiles must be an integer >= 1, or 1 of them"),
        (TileCoding, (0,) * 6, (1,) * 6, {}, "4,251,528 features are too many: 1,000,000 at most.*`tiles`"),
        (Polynomial, (0,), (1,), dict(order=0), "order must be an integer >= 1"),
        (FourierBasis, (0,) * 12, (1,) * 12, {}, "16,777,216 features are too many.*`order`"),
        (RadialBasisFunctions, (0,), (1,), dict(centres=1), "centres must be an integer >= 2, or a list of points"),
        (RadialBasisFunctions, (0,), (1,), dict(centres=[(0, 1)]), "centres must be an integer >= 2, or a list of po"),
        (RadialBasisFunctions, (0,), (1,), dict(centres=[(0,)]), "width must be a number > 0 where centres is a list"),
        (RadialBasisFunctions, (0,), (1,), dict(width=0), "width must be a number > 0, or None"),
    ],
)
def test_bad_values(kind, low, high, options, message):
    with pytest.raises(ZooError, match=message):
        kind(low, high, **options)


def test_observations_of_another_length():
    with pytest.raises(ZooError, match=r"the shape of observations must be \(n, 2\)"):
        Polynomial(LOW, HIGH)(np.zeros((1, 3)))
