"""Gradients through time: closed forms of linear networks and of single gates, bounds, and the tape."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.errors import ZooError
from zoo.through_time import gradient_norms, reads_forwards, recurrent_layers, together, typical

STEPS, UNITS = 12, 4


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def fresh():
    keras.utils.set_random_seed(0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def linear(random, layers=1):
    """Recurrent layers without activation, and one output: everything can be written down."""
    inputs = x = keras.Input((STEPS, 2))
    for k in range(layers):
        name, last = f"rnn{k + 1}", k == layers - 1
        x = keras.layers.SimpleRNN(UNITS, activation=None, return_sequences=not last, name=name)(x)
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    model.set_weights([random.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


def examples(random, count=3):
    return random.normal(size=(count, STEPS, 2)).astype("float32"), random.normal(size=count).astype("float32")


def powers(vector, matrix):
    """A row vector times the powers of a matrix, from 0 to STEPS - 1."""
    found = [vector]
    for _ in range(STEPS - 1):
        found.append(found[-1] @ matrix)
    return found


def test_a_linear_rnn_multiplies_by_its_recurrent_weights_at_every_step(random):
    model, (x, y) = linear(random), examples(random)
    *_, u, _, v, _ = map(np.float64, model.get_weights())
    by_last = 2 * (np.asarray(model(x), "float64") - y[:, None]) @ v.T
    expected = np.linalg.norm(powers(by_last, u.T), axis=-1).T
    (found,) = gradient_norms(model, x, y).values()
    np.testing.assert_allclose(found, expected, rtol=2e-5)


def test_the_lower_of_two_layers_is_reached_through_time_and_through_the_upper_one(random):
    model, (x, y) = linear(random, layers=2), examples(random, 1)
    _, u1, _, w2, u2, _, v, _ = map(np.float64, model.get_weights())
    upper = powers(2 * (np.asarray(model(x), "float64") - y[:, None]) @ v.T, u2.T)
    lower = []
    for by_upper in upper:
        lower.append(by_upper @ w2.T + (lower[-1] @ u1.T if lower else 0))
    found = gradient_norms(model, x, y)
    assert list(found) == ["rnn1/h", "rnn2/h"]
    for norms, expected in zip(found.values(), (lower, upper), strict=True):
        np.testing.assert_allclose(norms, np.linalg.norm(expected, axis=-1).T, rtol=2e-5)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_orthogonal_weights_times_a_number_vanish_or_explode_by_that_number(scale, random):
    model, (x, y) = linear(random), examples(random)
    w, _, b, v, c = model.get_weights()
    orthogonal, _ = np.linalg.qr(random.normal(size=(UNITS, UNITS)))
    model.set_weights([w, scale * orthogonal, b, v, c])
    (found,) = gradient_norms(model, x, y).values()
    np.testing.assert_allclose(found / found[:, :1], np.tile(scale ** np.arange(STEPS), (3, 1)), rtol=1e-4)


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_what_comes_back_is_bounded_by_powers_of_the_largest_singular_value(scale, random):
    """Pascanu, Mikolov, Bengio 2013, section 2.1: the derivative of tanh is at most 1."""
    model = zoo.build("simple_rnn", input_shape=(STEPS, 2), num_classes=3, units=UNITS)
    w, u, b, v, c = model.get_weights()
    model.set_weights([w, scale * random.normal(size=u.shape), b, v, c])
    largest = np.linalg.svd(model.get_weights()[1], compute_uv=False)[0]
    x, _ = examples(random)
    (found,) = gradient_norms(model, x, np.array([0, 1, 2])).values()
    bound = found[:, :1] * largest ** np.arange(STEPS)
    assert (found <= bound * (1 + 1e-5)).all()
    assert (found[:, 1:] < bound[:, 1:] * (1 - 1e-3)).all(), "tanh bends, and no vector is the worst one throughout"


def test_without_inputs_an_lstms_cell_hands_on_its_forget_gate(random):
    model = zoo.build("lstm", input_shape=(STEPS, 2), num_classes=1, units=1)
    w, u, _, v, c = model.get_weights()
    bias = np.array([0.3, 1.2, 0.8, -0.4], "float32")
    model.set_weights([0 * w, 0 * u, bias, v, c])
    i, f, o = sigmoid(bias[[0, 1, 3]])
    cell = i * np.tanh(bias[2]) * (1 - f**STEPS) / (1 - f)
    x, y = examples(random, 1)
    found = gradient_norms(model, x, y)
    by_h = abs(2 * (float(model(x)[0, 0]) - y[0]) * v[0, 0])
    by_cell = by_h * o * (1 - np.tanh(cell) ** 2)
    distances = np.arange(STEPS)
    np.testing.assert_allclose(found["lstm1/h"][0], by_h * (distances == 0), rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(found["lstm1/c"][0], by_cell * f**distances * (distances > 0), rtol=1e-4, atol=1e-12)


def test_without_inputs_a_grus_state_hands_on_its_update_gate(random):
    model = zoo.build("gru", input_shape=(STEPS, 2), num_classes=1, units=1)
    w, u, bias, v, c = model.get_weights()
    bias[0] = [1.5, -0.2, 0.7]
    model.set_weights([0 * w, 0 * u, bias, v, c])
    (found,) = gradient_norms(model, *examples(random, 1)).values()
    np.testing.assert_allclose(found[0] / found[0, 0], sigmoid(1.5) ** np.arange(STEPS), rtol=1e-4)


@pytest.mark.parametrize("options", [{}, {"layer_norm": True}, {"layers": 2, "embedding": 3}], ids=str)
@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_a_language_model_against_the_tape_from_where_a_text_is_gone_on_with(cell, options, random):
    model = zoo.build(cell, vocabulary="abcdef", units=UNITS, **options)
    raw = keras.ops.convert_to_tensor(random.integers(ord("a"), ord("f") + 1, (2, 6)), "int32")
    targets = random.integers(2, model.symbols.size, (2, 6))
    found = gradient_norms(model, raw, targets)
    layers, states = options.get("layers", 1), 2 if cell == "lstm" else 1
    assert len(found) == layers * states
    for after in (2, 4):
        _, *states_there = model.stepper([raw[:, :after], *model.initial_state(2)])
        with tf.GradientTape() as tape:
            tape.watch(states_there)
            logits, *_ = model.stepper([raw[:, after:], *states_there])
            last = keras.losses.sparse_categorical_crossentropy(targets[:, -1], logits[:, -1], from_logits=True)
        # Of the layers, the upper one alone is left through time and nothing else.
        taped = tape.gradient(last, states_there)[-states:]
        for name, gradient in zip(list(found)[-states:], taped, strict=True):
            expected = np.linalg.norm(gradient, axis=-1)
            np.testing.assert_allclose(found[name][:, 6 - after], expected, rtol=1e-4, atol=1e-9, err_msg=name)


def test_distances_of_a_padded_text_begin_at_its_own_end():
    model = zoo.build("gru", vocabulary="abc", num_classes=2, units=UNITS, layers=2)
    texts = ["abcab", "cab", "bc"]
    padded = np.zeros((3, 5), "int32")
    for row, text in zip(padded, texts, strict=True):
        row[: len(text)] = model.layers[1].encode(text)
    found = gradient_norms(model, padded, [0, 1, 1])
    for row, text in enumerate(texts):
        alone = gradient_norms(model, padded[row : row + 1, : len(text)], [int(row > 0)])
        for name, norms in found.items():
            np.testing.assert_allclose(norms[row, : len(text)], alone[name][0], rtol=1e-4)
            assert np.isnan(norms[row, len(text) :]).all()
    assert len(typical(together(found))) == 5


def test_the_model_stays_as_it_is(random):
    model = zoo.build("lstm", input_shape=(4, 4, 1), num_classes=3, units=UNITS, dropout=0.5)
    images = random.integers(0, 256, (5, 4, 4, 1), dtype=np.uint8)
    weights, before = model.get_weights(), np.asarray(model(images))
    first, again = (gradient_norms(model, images, np.arange(5) % 3) for _ in range(2))
    np.testing.assert_array_equal(before, model(images))
    assert all((a == b).all() for a, b in zip(weights, model.get_weights(), strict=True))
    assert "call" not in vars(recurrent_layers(model)[0]) and first["lstm1/h"].shape == (5, 4)
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])


def test_the_typical_norm_is_a_geometric_mean_of_what_is_there():
    norms = np.array([[1.0, 1e-2, 0.0, np.nan], [1.0, 1e-4, 1.0, np.nan], [np.nan, np.nan, np.nan, np.nan]])
    np.testing.assert_allclose(typical(norms), [1.0, 1e-3, 0.0], rtol=1e-12)


def test_what_is_refused(random):
    x, y = examples(random)
    both = zoo.build("lstm", input_shape=(STEPS, 2), num_classes=1, units=2, bidirectional=True)
    assert not reads_forwards(both)
    with pytest.raises(ZooError, match="'bidirectional1' of 'lstm' reads sequences from their end"):
        gradient_norms(both, x, y)
    backwards = keras.layers.GRU(2, go_backwards=True)
    inputs = keras.Input((STEPS, 2))
    with pytest.raises(ZooError, match="reads sequences from their end"):
        gradient_norms(keras.Model(inputs, backwards(inputs)), x, y)
    dense = zoo.build("mlp", input_shape=(4,), hidden=(2,))
    assert not reads_forwards(dense)
    with pytest.raises(ZooError, match="'mlp' has no recurrent layer"):
        gradient_norms(dense, np.zeros((1, 4)), [0])
    forwards = linear(random)
    assert reads_forwards(forwards)
    with pytest.raises(ZooError, match="x must be as many sequences as there are targets, 2"):
        gradient_norms(forwards, x, y[:2])
