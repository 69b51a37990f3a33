"""Rosenblatt's rule as gradient descent: against the rule done by hand, its convergence bound, and XOR."""

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from zoo.losses import PerceptronLoss

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
GATES = {"and": (0, 0, 0, 1), "or": (0, 1, 1, 1), "nand": (1, 1, 1, 0), "xor": (0, 1, 1, 0)}


class Walk(keras.callbacks.Callback):
    """Kernel and bias after every step, as one array: (steps, features + 1, outputs)."""

    def on_train_begin(self, logs=None):
        self.states = []

    def on_train_batch_end(self, batch, logs=None):
        self.states.append(np.concatenate([weight.numpy().reshape(-1, weight.shape[-1]) for weight in self.weights]))

    @property
    def weights(self):
        return self.model.trainable_variables


def walked(x, y, epochs, num_classes=None):
    """Trains a perceptron of zero weights with the rule, in order; returns the weights after each step."""
    model = zoo.build("perceptron", input_shape=x.shape[1:], num_classes=num_classes)
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    model.compile(keras.optimizers.SGD(1.0), PerceptronLoss())
    walk = Walk()
    model.fit(x, np.array(y), batch_size=1, epochs=epochs, shuffle=False, verbose=0, callbacks=[walk])
    return np.array(walk.states)


def by_hand(x, y, epochs):
    """w += y x on every mistake, the bias being the weight of a constant 1; with one output a number."""
    w, states = np.zeros(x.shape[1] + 1, "float32"), []
    for _ in range(epochs):
        for point, label in zip(np.c_[x, np.ones(len(x), "float32")], np.where(y, 1, -1), strict=True):
            if label * (w @ point) <= 0:
                w = w + label * point
            states.append(w)
    return np.array(states)


def updates(states):
    """The steps at which the weights changed."""
    before = np.concatenate([np.zeros_like(states[:1]), states[:-1]])
    return np.flatnonzero((states != before).any(axis=(1, 2)))


@pytest.mark.parametrize("gate", GATES)
def test_fit_walks_the_rule_step_by_step(gate):
    np.testing.assert_array_equal(walked(CORNERS, GATES[gate], 8)[..., 0], by_hand(CORNERS, GATES[gate], 8))


def test_fit_walks_the_rule_on_points_of_any_kind():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(12, 3)).astype("float32")
    y = generator.integers(0, 2, 12)
    np.testing.assert_allclose(walked(x, y, 4)[..., 0], by_hand(x, y, 4), rtol=1e-5, atol=1e-6)


def test_fit_walks_the_rule_of_several_classes():
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(12, 2)).astype("float32"), generator.integers(0, 3, 12)
    w, states = np.zeros((3, 3), "float32"), []
    for _ in range(3):
        for point, label in zip(np.c_[x, np.ones(12, "float32")], y, strict=True):
            scores = point @ w
            rival = max((k for k in range(3) if k != label), key=lambda k: scores[k])
            if scores[label] <= scores[rival]:
                w = w.copy()
                w[:, label] += point
                w[:, rival] -= point
            states.append(w)
    np.testing.assert_allclose(walked(x, y, 3, num_classes=3), states, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("margin", [0.05, 0.2])
def test_mistakes_stay_within_the_bound(margin):
    """Novikoff 1962, On convergence proofs on perceptrons: at most (R / gamma)^2 mistakes on separable points."""
    generator = np.random.default_rng(2)
    direction = np.array([0.6, -0.48, 0.64])
    x = generator.uniform(-1, 1, (80, 2)).astype("float32")
    scores = np.c_[x, np.ones(80)] @ direction
    x, y = x[np.abs(scores) >= margin], (scores > 0)[np.abs(scores) >= margin]
    assert 0 < y.sum() < len(y)
    extended = np.c_[x, np.ones(len(x))]
    gamma = np.abs(extended @ direction).min()
    bound = (np.linalg.norm(extended, axis=1).max() / gamma) ** 2
    states = walked(x, y.astype(int), 15)
    mistakes = updates(states)
    assert 2 < len(mistakes) <= bound
    assert mistakes[-1] < len(states) - len(x), "the last pass found mistakes"
    assert (((extended @ states[-1, :, 0]) > 0) == y).all()


@pytest.mark.parametrize("gate", ["and", "or", "nand"])
def test_gates_that_a_line_separates_are_learned(gate):
    states = walked(CORNERS, GATES[gate], 12)
    assert updates(states)[-1] < 44, "the last pass found mistakes"


def test_xor_goes_round_in_circles():
    """Not separable: there is a mistake in every pass, and the weights come back to where they were."""
    states = walked(CORNERS, GATES["xor"], 12)
    assert set(updates(states) // 4) == set(range(12))
    ends = states[3::4, :, 0]
    assert len(np.unique(ends, axis=0)) < len(ends)
    np.testing.assert_array_equal(ends[-1], ends[-2])


def test_no_line_separates_xor():
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    scores = CORNERS @ np.array([np.cos(angles), np.sin(angles)])
    thresholds = np.linspace(-1.5, 1.5, 61)
    right = ((scores[..., None] > thresholds) == np.array(GATES["xor"])[:, None, None]).sum(0)
    assert right.max() == 3


def test_values():
    loss = PerceptronLoss(reduction=None)
    scores = np.array([[2.0], [-3.0], [0.5], [-1.0]], "float32")
    labels = np.array([1, 1, 0, 0])
    np.testing.assert_array_equal(loss(labels, scores), [0, 3, 0.5, 0])
    np.testing.assert_array_equal(loss(labels[:, None].astype("float32"), scores), [0, 3, 0.5, 0])
    np.testing.assert_array_equal(loss(np.array([2, 1]), np.array([[5, 4, 1], [0, 4, 1]], "float32")), [4, 0])


def test_a_tie_moves_one_rival():
    model = zoo.build("perceptron", input_shape=(1,), num_classes=3)
    model.set_weights([np.zeros((1, 3)), np.zeros(3)])
    model.compile(keras.optimizers.SGD(1.0), PerceptronLoss())
    model.fit(np.ones((1, 1)), np.array([1]), verbose=0)
    np.testing.assert_array_equal(model.get_weights()[1], [-1, 1, 0])


def test_configuration():
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(PerceptronLoss(reduction="sum")))
    assert isinstance(copy, PerceptronLoss) and copy.reduction == "sum"
    assert float(copy(ops.array([0, 0]), ops.array([[1.0], [2.0]]))) == 3.0
