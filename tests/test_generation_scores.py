"""Scores of generated images against closed forms and definitions, and the measure of a recipe that has them all."""

import math

import keras
import numpy as np
import pytest
import scipy.linalg

import zoo
import zoo.data
from zoo import generation_scores as scores
from zoo.data import from_arrays
from zoo.errors import ZooError
from zoo.generation_measures import ClassFigures, Scores, class_figures, diversity, judged_by
from zoo.judging import Judge

DISTANCES = (scores.frechet_distance, scores.kernel_distance, scores.precision_recall)


def draw(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def exact(n, mean, covariance, seed=0):
    """A table whose mean and covariance are these, to rounding."""
    table = draw(n, len(mean), seed)
    table -= table.mean(0)
    table = table @ np.linalg.inv(np.linalg.cholesky(np.atleast_2d(np.cov(table.T))).T)
    return table @ np.linalg.cholesky(covariance).T + mean


def spread(d, seed):
    root = draw(d, d, seed)
    return root @ root.T + 0.1 * np.eye(d)


def test_frechet_distance_of_known_normals():
    one = exact(50, [3.0], [[4.0]]), exact(70, [-1.0], [[25.0]], 1)
    assert scores.frechet_distance(*one) == pytest.approx(4**2 + (2 - 5) ** 2)
    along = exact(50, [0.0, 1, 2], np.diag([1.0, 4, 9])), exact(50, [1.0, 1, 0], np.diag([4.0, 1, 9]), 1)
    assert scores.frechet_distance(*along) == pytest.approx(1 + 4 + 1 + 1 + 0)
    first, second = spread(5, 3), spread(5, 4)  # that do not commute
    root = scipy.linalg.sqrtm(first @ second).real
    expected = 5 * 0.25 + np.trace(first + second - 2 * root)
    tables = exact(40, np.zeros(5), first), exact(60, np.full(5, 0.5), second, 1)
    assert scores.frechet_distance(*tables) == pytest.approx(expected)
    assert scores.frechet_distance(*tables[::-1]) == pytest.approx(expected)


def test_frechet_distance_of_fewer_examples_than_features():
    # In subspaces that have nothing in common, the root's trace is 0.
    table = draw(6, 40)
    left, right = table * (np.arange(40) < 20), table * (np.arange(40) >= 20)
    parts = np.square(left.mean(0) - right.mean(0)).sum() + left.var(0, ddof=1).sum() + right.var(0, ddof=1).sum()
    assert scores.frechet_distance(left, right) == pytest.approx(parts)
    assert 0 <= scores.frechet_distance(table, table[::-1]) < 1e-12
    assert scores.frechet_distance(table, table + 1e3) == pytest.approx(40e6)


def test_frechet_distance_grows_when_examples_are_few():
    many, few = ([scores.frechet_distance(draw(n, 8, k), draw(n, 8, k + 9)) for k in range(9)] for n in (1000, 50))
    assert 0 < max(many) < min(few)


def test_kernel_distance_is_the_unbiased_estimate():
    x, y = draw(7, 3), draw(5, 3, 1) + 0.5

    def kernel(a, b):
        return (a @ b / 3 + 1) ** 3

    within = [np.mean([kernel(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]) for z in (x, y)]
    expected = sum(within) - 2 * np.mean([kernel(a, b) for a in x for b in y])
    assert scores.kernel_distance(x, y) == pytest.approx(expected)
    assert scores.kernel_distance(x, y, subsets=3, size=7, seed=5) == pytest.approx(expected)  # one pair: all of both


def test_kernel_distance_is_about_zero_for_one_distribution():
    found = np.array([scores.kernel_distance(draw(20, 4, k), draw(20, 4, k + 500)) for k in range(300)])
    assert abs(found.mean()) < 3 * found.std() / np.sqrt(300) and (found < 0).mean() > 0.3
    x, y = draw(300, 4), draw(300, 4, 1)
    drawn = [scores.kernel_distance(x, y + 1, subsets=20, size=50, seed=seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert drawn[0] == pytest.approx(scores.kernel_distance(x, y + 1), rel=0.2)


def by_definition(real, fake, k):
    """Both shares, each ball and each point by itself."""

    def inside(points, region):
        reach = [sorted(math.dist(a, b) for b in region)[k] for a in region]  # the first is the point itself
        return np.mean([any(math.dist(p, a) <= r for a, r in zip(region, reach, strict=True)) for p in points])

    return inside(fake, real), inside(real, fake)


@pytest.mark.parametrize("k", [1, 3])
def test_precision_and_recall_are_those_of_the_definition(k, monkeypatch):
    for seed in range(4):
        real, fake = draw(30, 3, seed), 1.5 * draw(25, 3, seed + 50) + 0.5
        expected = by_definition(real, fake, k)
        assert scores.precision_recall(real, fake, k) == pytest.approx(expected)
        with monkeypatch.context() as patch:
            patch.setattr(scores, "BLOCK", 8 * 30 * 7)  # blocks of seven
            assert scores.precision_recall(real, fake, k) == pytest.approx(expected)
    assert 0 < min(expected) and max(expected) < 1


def test_precision_and_recall_of_the_same_of_parts_and_of_others():
    real = draw(100, 5)
    assert scores.precision_recall(real, real) == (1, 1)
    assert scores.precision_recall(real, real + 100) == (0, 0)
    few = scores.precision_recall(real, np.repeat(real[:1], 50, 0))
    assert few == (1, 0.01)
    # Far from the origin nothing is lost to rounding.
    assert scores.precision_recall(real + 1e6, np.repeat(real[:1], 50, 0) + 1e6) == few


def test_constant_features_have_scores():
    real, same = draw(20, 4), np.ones((20, 4))
    for a, b in ((real, same), (same, real), (same, same), (same, same + 1)):
        found = [distance(a, b) for distance in DISTANCES]
        assert np.isfinite(np.hstack(found)).all()
    assert [scores.frechet_distance(same, same), scores.kernel_distance(same, same)] == [0, 0]
    assert scores.precision_recall(same, same) == (1, 1) and scores.precision_recall(same, same + 1) == (0, 0)
    assert scores.frechet_distance(same, same + 1) == 4


@pytest.mark.parametrize("score", DISTANCES)
def test_tables_that_have_no_score_are_refused(score):
    table = draw(9, 3)
    for real, fake, message in (
        (table, table[:1], "fake must have [24] examples or more for this score. Received: 1"),
        (table[:0], table, "real must have"),
        (table, table[:, :2], r"the same features. Received: \[\(9, 3\), \(9, 2\)\]"),
        (table[0], table, r"real must be a table of features \(n, d\)"),
        (np.where(table > 1, np.nan, table), table, "finite numbers"),
    ):
        with pytest.raises(ZooError, match=message):
            score(real, fake)


@pytest.mark.parametrize("arguments", [{"subsets": 0}, {"size": 1}, {"size": 2.5}, {"seed": -1}])
def test_draws_out_of_range_are_refused(arguments):
    with pytest.raises(ZooError, match=f"{next(iter(arguments))} must be an integer"):
        scores.kernel_distance(draw(9, 3), draw(9, 3), **arguments)


def test_neighbours_out_of_range_are_refused():
    with pytest.raises(ZooError, match="k must be an integer >= 1"):
        scores.precision_recall(draw(9, 3), draw(9, 3), k=0)
    with pytest.raises(ZooError, match="10 examples or more"):
        scores.precision_recall(draw(9, 3), draw(9, 3), k=9)
    with pytest.raises(ZooError, match="k must be an integer from 1 to 9, the training examples"):
        scores.nearest(draw(9, 3), draw(9, 3), k=10)
    for samples, training in ((draw(2, 3), draw(2, 4)), (draw(0, 3), draw(2, 3)), (draw(2, 3), draw(0, 3))):
        with pytest.raises(ZooError, match="of one shape"):
            scores.nearest(samples, training)


@pytest.mark.parametrize("block", [scores.BLOCK, 4 * 12 * 5])
@pytest.mark.parametrize("k", [1, 4, 23])
def test_nearest_is_the_nearest(block, k, monkeypatch):
    monkeypatch.setattr(scores, "BLOCK", block)
    random = np.random.default_rng(0)
    training = random.integers(0, 256, (23, 2, 3, 2)).astype("uint8")
    samples = random.integers(0, 256, (6, 2, 3, 2)).astype("uint8")
    samples[2], training[20] = training[7], training[7]
    where, distances = scores.nearest(samples, training, k)
    table = scipy.spatial.distance.cdist(samples.reshape(6, -1).astype(float), training.reshape(23, -1).astype(float))
    np.testing.assert_array_equal(where, np.argsort(table, 1, kind="stable")[:, :k])
    np.testing.assert_allclose(distances, np.sort(table, 1)[:, :k])
    assert distances[2, 0] == 0 and where.shape == distances.shape == (6, k)


def test_nearest_tells_a_copy_of_bright_images_from_one_that_is_almost_one():
    training = np.full((3, 32, 32, 3), 255, "uint8")
    training[1, 0, 0, 0] = 254
    training[2] = 0
    assert scores.nearest(training, training, 2)[1].tolist() == [
        [0, 1],
        [0, 1],
        [0, 255 * math.sqrt(3071 + (254 / 255) ** 2)],
    ]


def test_memorisation_is_a_ratio_of_medians():
    assert scores.memorisation([1, 2, 30], [4, 4, 1000]) == 0.5
    assert scores.memorisation([0, 0], [0, 0]) == 0 and scores.memorisation([5], [0]) == 5


def test_figures_of_classes_against_closed_forms():
    tens = np.repeat(np.arange(10), 100)
    assert class_figures(tens, tens, 10) == ClassFigures(10, 10, 0.0, 0.0)
    only = class_figures(tens, np.full(1000, 3), 10)
    assert (only.produced, only.deviation) == (1, 9) and only.divergence == pytest.approx(math.log(10))
    five = class_figures(tens, tens % 5, 10)
    assert five.produced == 5 and five.divergence == pytest.approx(math.log(2)) and five.deviation == pytest.approx(1)
    skewed = np.repeat(np.arange(10), [120, 80, *[100] * 8])
    assert class_figures(tens, skewed, 10).deviation == pytest.approx(0.2)
    assert class_figures(skewed, skewed, 10)[:3] == (10, 10, 0)
    expected = 0.12 * math.log(1.2) + 0.08 * math.log(0.8)
    assert class_figures(tens, skewed, 10).divergence == pytest.approx(expected)
    assert class_figures(skewed, tens, 10).divergence == pytest.approx(-0.1 * math.log(1.2 * 0.8))


def test_a_stray_answer_is_no_class_that_is_produced():
    tens = np.repeat(np.arange(10), 100)
    for strays, produced in ((9, 1), (10, 2)):
        made = np.concatenate([np.zeros(1000 - strays, int), np.ones(strays, int)])
        assert class_figures(tens, made, 10).produced == produced


def test_a_class_that_no_real_example_has_keeps_the_divergence_finite():
    figures = class_figures([0, 0, 1, 1], [0, 0, 2, 2], 3)
    assert (figures.produced, figures.real) == (1, 2)
    # Two, two and a half of an example, of four and a half.
    expected = 0.5 * math.log(0.5 / (2 / 4.5)) + 0.5 * math.log(0.5 / (0.5 / 4.5))
    assert figures.divergence == pytest.approx(expected)


@pytest.mark.parametrize("wrong", [[], [[0, 1]], [0.5], [-1, 0], [0, 3]])
def test_what_are_no_classes_is_refused(wrong):
    with pytest.raises(ZooError, match=r"fake must be class numbers \(n,\), 0..2"):
        class_figures([0, 1, 2], wrong, 3)


def test_diversity_is_that_within_classes():
    classes = np.repeat([0, 1, 2], 200)
    centres = 50 * np.eye(3)[classes]
    real = centres + draw(600, 3)
    assert diversity(real, classes, centres + 0.25 * draw(600, 3, 1), classes) == pytest.approx(0.25, rel=0.05)
    assert diversity(real, classes, real + 7, classes) == pytest.approx(1)
    assert diversity(real, classes, centres, classes) == 0  # as far spread as the real ones, one image a class
    assert diversity(centres, classes, real, classes) == diversity(centres, classes, centres, classes) == 1


# A judge that sees pixels, and calls an image by its brightest: what is measured can be told by hand.
SHAPE = (2, 2, 1)


@pytest.fixture(scope="module")
def pixels():
    inputs = keras.Input(SHAPE)
    flat = keras.layers.Flatten()(inputs)
    logits = keras.layers.Dense(4, use_bias=False)
    model = keras.Model(inputs, [flat, logits(flat)])
    logits.set_weights([np.eye(4)])
    return Judge(model, "flatten", "brightest pixel, layer 'flatten' (4 features)", tuple("abcd"))


def images(n, seed=0):
    """Images of four classes, each a bright pixel among dark ones."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(n) % 4)
    return (random.integers(0, 60, (n, 4)) + 150 * np.eye(4)[labels]).astype("uint8").reshape(-1, *SHAPE), labels


def made_data(train=200, validation=40, test=60):
    return from_arrays(images(train), 16, validation=images(validation, 1), test=images(test, 2), labels=tuple("abcd"))


class Scripted:
    """A model that generates what it is told to."""

    name, translates = "scripted", False

    def __init__(self, make, classes=None):
        self.make, self.classes = make, classes

    def sample(self, n, seed=0, label=None):
        return self.make(n, seed)


NAMES = ["frechet", "kernel", "frechet_floor", "kernel_floor", "precision", "recall", "precision_real", "recall_real"]
NAMES += [
    "classes",
    "class_kl",
    "class_kl_floor",
    "class_deviation",
    "class_deviation_real",
    "diversity",
    "memorisation",
]


def test_real_images_score_like_the_floor(pixels, capsys):
    measure = Scores(pixels, seed=3)
    model = Scripted(lambda n, seed: images(n, 100 + seed)[0])
    for part in ("train", "validation", "test"):
        found = measure(model, made_data(), part)
        assert list(found) == NAMES and all(type(value) is float for value in found.values())
        assert found["classes"] == 4 and found["class_kl"] == pytest.approx(0, abs=0.05)
        assert (
            found["frechet"] < 4 * found["frechet_floor"] and abs(found["precision"] - found["precision_real"]) < 0.25
        )
        assert 0.8 < found["diversity"] < 1.2 and 0.6 < found["memorisation"] < 1.5
    assert capsys.readouterr() == ("", "")


def test_the_numbers_are_those_of_the_functions(pixels):
    data = made_data()
    found = Scores(pixels, seed=3)(Scripted(lambda n, seed: images(n, 7)[0]), data, "test")
    real, made = data.test.arrays[0].reshape(60, 4), images(60, 7)[0].reshape(60, 4)
    assert found["frechet"] == pytest.approx(scores.frechet_distance(real, made))
    assert found["kernel"] == pytest.approx(scores.kernel_distance(real, made))
    assert (found["precision"], found["recall"]) == scores.precision_recall(real, made)
    figures = class_figures(real.argmax(1), made.argmax(1), 4)
    assert (found["class_kl"], found["class_deviation"]) == (figures.divergence, figures.deviation)
    assert found["diversity"] == pytest.approx(diversity(real, real.argmax(1), made, made.argmax(1)))
    train = data.train.arrays[0].reshape(200, 4)
    near, held_out = (np.median(scores.nearest(each, train)[1]) for each in (made, real))
    assert found["memorisation"] == near / held_out


def test_there_are_as_many_of_each_kind_as_the_part_has(pixels, monkeypatch):
    seen = []
    model = Scripted(lambda n, seed: seen.append((n, seed)) or images(n, 9)[0])
    data = made_data()
    for n, part in ((10_000, "validation"), (10_000, "test"), (10_000, "train"), (25, "test"), (25, "train")):
        Scores(pixels, n, seed=6)(model, data, part)
    assert seen == [(40, 6), (60, 6), (100, 6), (25, 6), (25, 6)]
    looked = []
    monkeypatch.setattr(
        Judge, "look", lambda self, x: looked.append(x) or (x.reshape(len(x), -1), np.arange(len(x)) % 4)
    )
    Scores(pixels)(model, data, "train")
    real, other, _ = looked
    assert len(real) == len(other) == 100
    both = np.concatenate([real, other]).reshape(200, -1)
    np.testing.assert_array_equal(np.sort(both, 0), np.sort(data.train.arrays[0].reshape(200, -1), 0))  # two halves


def test_copies_and_collapse_and_constants_are_seen(pixels):
    data = made_data()
    train = data.train.arrays[0]
    copies = Scores(pixels)(Scripted(lambda n, seed: train[:n]), data, "test")
    assert copies["memorisation"] == 0 and copies["diversity"] > 0.8
    one = Scores(pixels)(Scripted(lambda n, seed: np.repeat(images(1, 5)[0], n, 0)), data, "test")
    assert (one["classes"], one["diversity"], one["recall"], one["class_deviation"]) == (1, 0, 0, 3)
    assert one["class_kl"] == pytest.approx(math.log(4)) and one["frechet"] > 100 * one["frechet_floor"]
    grey = np.full((30, *SHAPE), 9, "uint8")
    grey_labels = np.arange(30) % 4
    constant = from_arrays((grey, grey_labels), 8, validation=0, test=(grey, grey_labels), labels=tuple("abcd"))
    for model in (Scripted(lambda n, seed: grey[:n]), Scripted(lambda n, seed: images(n)[0])):
        assert np.isfinite(list(Scores(pixels)(model, constant, "test").values())).all()


def test_a_model_that_is_told_the_class_is_asked_whether_it_listened(pixels):
    def obeying(n, seed):
        return (200 * np.eye(4)[np.arange(n) % 4]).astype("uint8").reshape(-1, *SHAPE)

    data = made_data()
    assert Scores(pixels)(Scripted(obeying, classes=4), data, "test")["label_accuracy"] == 1
    deaf = Scripted(lambda n, seed: obeying(n, seed)[:, ::-1], classes=4)
    assert Scores(pixels)(deaf, data, "test")["label_accuracy"] == 0
    assert "label_accuracy" not in Scores(pixels)(Scripted(obeying, classes=3), data, "test")


def test_the_judge_is_named():
    measure = Scores("digits")
    assert judged_by((print, measure)) == measure.judge.name and judged_by((print,)) is None


def test_what_cannot_be_scored_is_refused(pixels):
    data, model = made_data(), Scripted(lambda n, seed: images(n)[0])
    for n in (3, 10.0, True):
        with pytest.raises(ZooError, match="n must be an integer >= 4"):
            Scores(pixels, n)
    with pytest.raises(ZooError, match="no judge named 'digit'"):
        Scores("digit")
    with pytest.raises(ZooError, match="make images from noise.*Received: 'lenet'"):
        Scores(pixels)(zoo.build("lenet"), data, "test")
    with pytest.raises(ZooError, match=r"takes images \(n, 8, 8, 1\).*Received: \(60, 2, 2, 1\)"):
        Scores("digits")(model, data, "test")
    with pytest.raises(ZooError, match="4 examples or more"):
        Scores(pixels)(model, made_data(test=3), "test")
