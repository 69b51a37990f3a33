"""Back-propagation through time by hand, three steps: equal to the tape, for a plain RNN and for an LSTM.

Werbos 1990, Backpropagation through time: what it does and how to do it, Proceedings of the IEEE 78(10).
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.report import softmax

STEPS, BATCH, FEATURES, UNITS, CLASSES = 3, 4, 2, 5, 3


@pytest.fixture
def random():
    return np.random.default_rng(0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cross_entropy(logits, labels):
    """Mean over all that is predicted, and its gradient by the logits: the probabilities less the truth."""
    p, truth = softmax(logits), np.eye(logits.shape[-1])[labels]
    return -np.log((p * truth).sum(-1)).mean(), (p - truth) / labels.size


def plain_rnn(x, labels, w, u, b, v, c, every):
    """h_t = tanh(x_t W + h_{t-1} U + b), o_t = h_t V + c: the loss, and its gradients by W, U, b, V and c.

    With `every` the loss is the mean over all steps, and labels are (batch, steps); without, of the last step alone.

    Back-propagation goes from the last step to the first. What arrives at h_t comes from two sides: from its own
    output, where that has a loss, and from the step behind it,

        dL/dh_t = V dL/do_t + U (1 - h_{t+1}^2) dL/dh_{t+1},

    and each weight collects its gradients from all steps.
    """
    h = [np.zeros((len(x), len(u)))]
    for t in range(STEPS):
        h.append(np.tanh(x[:, t] @ w + h[-1] @ u + b))
    states = np.stack(h[1:], 1) if every else h[-1]
    loss, by_o = cross_entropy(states @ v + c, labels)
    if not every:
        by_o = np.stack([np.zeros_like(by_o)] * (STEPS - 1) + [by_o], 1)

    by_w, by_u, by_b, by_v, by_c = (np.zeros_like(each) for each in (w, u, b, v, c))
    from_behind = np.zeros_like(h[0])
    for t in reversed(range(STEPS)):
        by_h = by_o[:, t] @ v.T + from_behind
        by_z = by_h * (1 - h[t + 1] ** 2)
        by_w += x[:, t].T @ by_z
        by_u += h[t].T @ by_z
        by_b += by_z.sum(0)
        by_v += h[t + 1].T @ by_o[:, t]
        by_c += by_o[:, t].sum(0)
        from_behind = by_z @ u.T
    return loss, [by_w, by_u, by_b, by_v, by_c]


def lstm(x, labels, w, u, b, v, c):
    """An LSTM with the loss at its last step: the loss, and its gradients by W, U, b, V and c.

    The columns of W, U and b are those of the input gate i, the forget gate f, the candidate g and the output gate o:

        c_t = f_t c_{t-1} + i_t g_t        h_t = o_t tanh(c_t)

    The cell hands its gradient on to the step before, times the forget gate alone: the way that does not vanish.
    """
    units = len(u)
    h, cell = [np.zeros((len(x), units))], [np.zeros((len(x), units))]
    gates = []
    for t in range(STEPS):
        z = np.split(x[:, t] @ w + h[-1] @ u + b, 4, axis=1)
        i, f, g, o = sigmoid(z[0]), sigmoid(z[1]), np.tanh(z[2]), sigmoid(z[3])
        gates.append((i, f, g, o))
        cell.append(f * cell[-1] + i * g)
        h.append(o * np.tanh(cell[-1]))
    loss, by_logits = cross_entropy(h[-1] @ v + c, labels)

    by_w, by_u, by_b = np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    by_h, by_cell = by_logits @ v.T, np.zeros_like(h[0])
    for t in reversed(range(STEPS)):
        i, f, g, o = gates[t]
        squashed = np.tanh(cell[t + 1])
        by_cell = by_cell + by_h * o * (1 - squashed**2)
        by_i, by_f, by_g, by_o = by_cell * g, by_cell * cell[t], by_cell * i, by_h * squashed
        by_z = np.concatenate([by_i * i * (1 - i), by_f * f * (1 - f), by_g * (1 - g**2), by_o * o * (1 - o)], axis=1)
        by_w += x[:, t].T @ by_z
        by_u += h[t].T @ by_z
        by_b += by_z.sum(0)
        by_h, by_cell = by_z @ u.T, by_cell * f
    return loss, [by_w, by_u, by_b, h[-1].T @ by_logits, by_logits.sum(0)]


def drawn(random, gates=1, features=FEATURES, classes=CLASSES):
    shapes = [(features, gates * UNITS), (UNITS, gates * UNITS), (gates * UNITS,), (UNITS, classes), (classes,)]
    return [random.normal(0, 0.6, shape) for shape in shapes]


def numerical(function, weights, step=1e-5):
    """Gradients by central differences, of the loss that `function` gives first."""
    gradients = []
    for array in weights:
        gradient = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + step
            above = function(*weights)[0]
            array[place] = kept - step
            gradient[place] = (above - function(*weights)[0]) / (2 * step)
            array[place] = kept
        gradients.append(gradient)
    return gradients


def taped(loss, weights):
    """The loss of tensors of these weights, and its gradients, in float64."""
    variables = [tf.Variable(array) for array in weights]
    with tf.GradientTape() as tape:
        found = loss(*variables)
    return float(found), tape.gradient(found, variables)


def in_tensors(x, labels, w, u, b, v, c, every):
    """The plain RNN again, in operations that the tape records."""
    h, outputs = tf.zeros((len(x), UNITS), "float64"), []
    for t in range(STEPS):
        h = tf.tanh(x[:, t] @ w + h @ u + b)
        outputs.append(h @ v + c)
    logits = tf.stack(outputs, 1) if every else outputs[-1]
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


@pytest.mark.parametrize("every", [False, True], ids=["loss at the last step", "loss at every step"])
def test_plain_rnn_against_the_tape_and_numerical_differences(every, random):
    x, weights = random.normal(size=(BATCH, STEPS, FEATURES)), drawn(random)
    labels = random.integers(0, CLASSES, (BATCH, STEPS) if every else BATCH)
    loss, gradients = plain_rnn(x, labels, *weights, every)
    theirs, from_tape = taped(lambda *w: in_tensors(x, labels, *w, every), weights)
    assert loss == pytest.approx(theirs, rel=1e-12)
    estimated = numerical(lambda *w: plain_rnn(x, labels, *w, every), weights)
    for ours, tape, estimate in zip(gradients, from_tape, estimated, strict=True):
        np.testing.assert_allclose(ours, tape, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(ours, estimate, atol=1e-8)


def test_the_gradient_by_the_recurrent_weights_is_a_sum_over_paths(random):
    """Three steps written out: one term for each pair of the step that is left and the step of the loss.

    Dive into Deep Learning, "Backpropagation through time": dh_t/dw = sum over i of the product of the Jacobians from i
    to t, times what w does to h_i directly.
    """
    x, (w, u, b, v, c) = random.normal(size=(1, STEPS, FEATURES)), drawn(random)
    labels = random.integers(0, CLASSES, (1, STEPS))
    _, (_, by_u, *_) = plain_rnn(x, labels, w, u, b, v, c, every=True)
    h = [np.zeros(UNITS)]
    for t in range(STEPS):
        h.append(np.tanh(x[0, t] @ w + h[-1] @ u + b))
    # dh_t / dh_{t-1}, rows by columns; U stands behind the row vector h.
    jacobian = [None] + [np.diag(1 - h[t] ** 2) @ u.T for t in range(1, STEPS + 1)]
    total = np.zeros_like(u)
    for end in range(1, STEPS + 1):
        by_logits = (softmax(h[end] @ v + c) - np.eye(CLASSES)[labels[0, end - 1]]) / STEPS
        for start in range(1, end + 1):
            arrived = by_logits @ v.T
            for t in range(end, start, -1):
                arrived = arrived @ jacobian[t]
            total += np.outer(h[start - 1], arrived * (1 - h[start] ** 2))
    np.testing.assert_allclose(by_u, total, rtol=1e-10)


def test_lstm_against_numerical_differences(random):
    x, weights = random.normal(size=(BATCH, STEPS, FEATURES)), drawn(random, gates=4)
    labels = random.integers(0, CLASSES, BATCH)
    _, gradients = lstm(x, labels, *weights)
    estimated = numerical(lambda *w: lstm(x, labels, *w), weights)
    for ours, estimate in zip(gradients, estimated, strict=True):
        np.testing.assert_allclose(ours, estimate, atol=1e-8)


def of_the_model(model, x, labels):
    """The loss of a model and its gradients by its weights, from the tape."""
    with tf.GradientTape() as tape:
        logits = model(x, training=True)
        loss = keras.ops.mean(keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True))
    return float(loss), tape.gradient(loss, [weight.value for weight in model.trainable_weights])


def test_the_zoos_plain_rnn_as_a_classifier(random):
    x = random.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
    labels = random.integers(0, CLASSES, BATCH)
    model = zoo.build("simple_rnn", input_shape=(STEPS, FEATURES), num_classes=CLASSES, units=UNITS)
    model.set_weights(drawn(random))
    ours, gradients = plain_rnn(np.float64(x), labels, *map(np.float64, model.get_weights()), every=False)
    theirs, from_tape = of_the_model(model, x, labels)
    assert ours == pytest.approx(theirs, rel=1e-6)
    for by_hand, tape in zip(gradients, from_tape, strict=True):
        np.testing.assert_allclose(by_hand, tape, atol=1e-6)


def test_the_zoos_plain_rnn_as_a_language_model(random):
    model = zoo.build("simple_rnn", vocabulary="abc", units=UNITS)
    size = model.symbols.size
    model.set_weights(drawn(random, features=size, classes=size))
    raw = np.stack([model.symbols.encode(text) for text in ("abc", "bca", "caa", "bbb")])
    targets = random.integers(0, size, raw.shape)
    one_hot = np.eye(size)[model.symbols.indices(raw)]
    ours, gradients = plain_rnn(one_hot, targets, *map(np.float64, model.get_weights()), every=True)
    theirs, from_tape = of_the_model(model, raw, targets)
    assert ours == pytest.approx(theirs, rel=1e-6)
    for by_hand, tape in zip(gradients, from_tape, strict=True):
        np.testing.assert_allclose(by_hand, tape, atol=1e-6)


def test_the_zoos_lstm_as_a_classifier(random):
    x = random.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
    labels = random.integers(0, CLASSES, BATCH)
    model = zoo.build("lstm", input_shape=(STEPS, FEATURES), num_classes=CLASSES, units=UNITS)
    model.set_weights(drawn(random, gates=4))
    ours, gradients = lstm(np.float64(x), labels, *map(np.float64, model.get_weights()))
    theirs, from_tape = of_the_model(model, x, labels)
    assert ours == pytest.approx(theirs, rel=1e-6)
    for by_hand, tape in zip(gradients, from_tape, strict=True):
        np.testing.assert_allclose(by_hand, tape, atol=1e-6)
