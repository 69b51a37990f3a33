"""What the methods against over-fitting are made of, the arithmetic of bagging, and the study's pictures."""

import itertools

import keras
import numpy as np
import pytest

import zoo
from recipes import regularisation_digits
from recipes.regularisation_digits import METHODS, recipe
from zoo import ZooError
from zoo.pictures import regularisation as drawing


def test_the_formula_is_the_mean_over_all_committees():
    wrong = np.random.default_rng(0).normal(size=(5, 7, 3)) + 0.3
    v, c = drawing.moments(wrong)
    for k in range(1, 6):
        committees = [wrong[list(chosen)].mean(0) for chosen in itertools.combinations(range(5), k)]
        measured = np.mean([np.square(each).sum(-1).mean() for each in committees])
        assert drawing.expected(v, c, k) == pytest.approx(measured, rel=1e-12)


def test_independent_errors_shrink_as_one_over_k_and_equal_ones_stay():
    """Goodfellow et al. 2016, section 7.11: the two ends of the formula."""
    k = np.arange(1, 9)
    np.testing.assert_allclose(drawing.expected(0.4, 0.0, k), 0.4 / k)
    np.testing.assert_allclose(drawing.expected(0.4, 0.4, k), 0.4)
    equal = np.broadcast_to(np.random.default_rng(0).normal(size=(7, 3)), (4, 7, 3))
    assert drawing.moments(equal)[1] == pytest.approx(drawing.moments(equal)[0])


def test_errors_with_a_given_correlation_follow_the_formula():
    rng = np.random.default_rng(1)
    shared, own = rng.normal(0, np.sqrt(0.3), (1, 20000, 1)), rng.normal(0, np.sqrt(0.7), (8, 20000, 1))
    wrong = shared + own
    assert drawing.moments(wrong) == pytest.approx((1.0, 0.3), rel=0.03)
    for k in (1, 2, 8):
        assert np.square(wrong[:k].mean(0)).mean() == pytest.approx(drawing.expected(1.0, 0.3, k), rel=0.03)


def test_committees():
    probabilities = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.3, 0.7], [0.6, 0.4]], [[0.5, 0.5], [0.1, 0.9]]])
    squared, wrong, (v, c) = drawing.committees(probabilities, np.array([0, 1]))
    first_two = np.array([[0.6, 0.4], [0.4, 0.6]])
    assert squared[0] == pytest.approx((2 * 0.1**2 + 2 * 0.2**2) / 2)
    assert squared[1] == pytest.approx(np.square(first_two - np.eye(2)).sum() / 2)
    assert squared[2] == pytest.approx(drawing.expected(v, c, 3))
    assert wrong.tolist() == [0, 0, 0]
    assert drawing.committees(probabilities[[1, 0, 2]], np.array([0, 1]))[1].tolist() == [1, 0, 0]


@pytest.mark.parametrize("method", METHODS)
def test_each_method_is_there_alone(method):
    built = recipe(method, l1=0.1, l2=0.2, members=2)
    kinds = [type(layer).__name__ for layer in built.model.layers]
    assert built.data.train.size == 200 and built.scores == ("train", "validation", "test")
    assert ("Dropout" in kinds) == ("dropout" in method)
    assert ("GaussianNoise" in kinds) == (method == "noise")
    assert bool(built.data.train.augment) == (method == "augmentation")
    assert [type(callback).__name__ for callback in built.callbacks] == ["EarlyStopping"] * (method == "early_stopping")
    assert ("member_1" in built.model.output_names) == (method == "bagging")
    kernels = [np.array(w) for w in built.model.trainable_variables if w.path.endswith("kernel")]
    powers = {"l1": (0.1, 1), "l2": (0.2, 2), "l2_dropout": (0.2, 2)}
    weight, power = powers.get(method, (0, 1))
    penalty = sum(weight * (np.abs(kernel) ** power).sum() for kernel in kernels)
    assert sum(map(float, built.model.losses)) == pytest.approx(penalty, rel=1e-4)


def test_an_unknown_method_is_refused():
    with pytest.raises(ZooError, match="method must be one of 'none'.*Did you mean 'dropout'"):
        recipe("droput")


def test_without_any_of_them_the_images_are_learned_by_heart():
    keras.utils.set_random_seed(0)
    built = recipe("none")
    built.model.fit(
        built.data.train.open(), epochs=40, steps_per_epoch=built.data.train.steps, shuffle=False, verbose=0
    )
    scores = [built.model.evaluate(part.once(), verbose=0)[1] for part in (built.data.train, built.data.test)]
    assert scores[0] == 1 and scores[1] < 0.96


def test_a_study_draws_errors_and_the_committee(tmp_path):
    folder = tmp_path / "study"
    vary = {"method": ["none", "bagging"]}
    rows = zoo.compare("regularisation_digits", vary, seeds=1, folder=folder, verbose=0, epochs=2, members=3)
    assert all((folder / name).stat().st_size > 5000 for name in ("errors.png", "bagging.png", "compare.png"))
    lines = (folder / "errors.md").read_text().splitlines()
    for line, row, key in zip(lines[2:], rows, ("accuracy", "logits_accuracy"), strict=True):
        shown = [f"{100 * (1 - row[f'{part}_{key}'][0]):.2f}" for part in ("train", "test")]
        assert all(value in line for value in shown)
    home = folder / "method=bagging" / "seed-0"
    assert regularisation_digits._committee(home)[1][-1] == pytest.approx(1 - rows[1]["test_logits_accuracy"][0])
    # When a single run is drawn, its metrics are not written yet.
    (home / "metrics.json").unlink()
    assert regularisation_digits.pictures([({}, [home])], tmp_path) == [tmp_path / "bagging.png"]


def test_pictures_name_what_they_show():
    figure = drawing.errors([("none", [0.0, 0.02], [0.14, 0.12]), ("l2", [0.0, 0.0], [0.1])])
    (axis,) = figure.axes
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["training (n=2)", "test (n=2)"]
    assert axis.get_ylim()[0] > axis.get_ylim()[1], "the first method is on top"
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), (4, 10))
    figure = drawing.bagging([drawing.committees(probabilities, np.arange(10) % 3)] * 2)
    for axis in figure.axes:
        assert axis.get_xlabel() == "members k" and axis.get_ylabel()
    assert len(figure.axes[0].get_legend().get_texts()) == 4
