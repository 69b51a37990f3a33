"""Back-propagation by hand: each rule against the TensorFlow tape and against numerical differences.

A node takes its inputs and returns its value and `back`, the function that turns the gradient of the result by that
value into the gradients by the inputs: the chain rule, one link at a time.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.report import softmax


@pytest.fixture
def random():
    return np.random.default_rng(0)


def add(a, b):
    """Addition hands the gradient on; what was broadcast collects the gradients of all its copies."""

    def back(gradient):
        return _collect(gradient, np.shape(a)), _collect(gradient, np.shape(b))

    return a + b, back


def multiply(a, b):
    """Each factor receives the gradient times the other factor."""

    def back(gradient):
        return _collect(gradient * b, np.shape(a)), _collect(gradient * a, np.shape(b))

    return a * b, back


def matmul(a, b):
    return a @ b, lambda gradient: (gradient @ b.T, a.T @ gradient)


def relu(x):
    return np.maximum(x, 0), lambda gradient: (gradient * (x > 0),)


def sigmoid(x):
    s = 1 / (1 + np.exp(-x))
    return s, lambda gradient: (gradient * s * (1 - s),)


def tanh(x):
    t = np.tanh(x)
    return t, lambda gradient: (gradient * (1 - t**2),)


def half_square(x):
    """Half the sum of squares: the penalty whose gradient is the weight itself."""
    return 0.5 * np.sum(x**2), lambda gradient: (gradient * x,)


def cross_entropy(logits, labels):
    """Mean over the batch; softmax and logarithm in one node, whose gradient is the probabilities less the truth."""
    p = softmax(logits)
    truth = np.eye(logits.shape[-1])[labels]
    loss = -np.log((p * truth).sum(-1)).mean()
    return loss, lambda gradient: (gradient * (p - truth) / len(labels),)


def _collect(gradient, shape):
    """Sums a gradient over the axes along which an input of this shape was broadcast."""
    gradient = np.sum(gradient, axis=tuple(range(np.ndim(gradient) - len(shape))))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return np.sum(gradient, axis=stretched, keepdims=True)


def numerical(function, inputs, step=1e-5):
    """Gradients of a scalar function of float64 arrays by central differences."""
    gradients = []
    for array in inputs:
        gradient = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + step
            above = function(*inputs)
            array[place] = kept - step
            gradient[place] = (above - function(*inputs)) / (2 * step)
            array[place] = kept
        gradients.append(gradient)
    return gradients


def test_sum_times_factor():
    """CS231n, Backpropagation, intuitions: f = (x + y) z at (-2, 5, -4)."""
    x, y, z = -2.0, 5.0, -4.0
    q, back_to_x_and_y = add(x, y)
    f, back_to_q_and_z = multiply(q, z)
    assert (q, f) == (3, -12)

    df_dq, df_dz = back_to_q_and_z(1.0)
    df_dx, df_dy = back_to_x_and_y(df_dq)
    assert (df_dx, df_dy, df_dz) == (-4, -4, 3)

    x, y, z = (tf.Variable(value) for value in (x, y, z))
    with tf.GradientTape() as tape:
        f = (x + y) * z
    assert [float(gradient) for gradient in tape.gradient(f, [x, y, z])] == [-4, -4, 3]


def test_sigmoid_neuron():
    """CS231n, the same notes: f = sigmoid(w0 x0 + w1 x1 + w2), each gradient as printed there."""
    w0, x0, w1, x1, w2 = 2.0, -1.0, -3.0, -2.0, -3.0
    first, back_to_first = multiply(w0, x0)
    second, back_to_second = multiply(w1, x1)
    products, back_to_products = add(first, second)
    total, back_to_total = add(products, w2)
    f, back_to_sigmoid = sigmoid(total)
    assert f == pytest.approx(0.73, abs=0.005)

    (by_total,) = back_to_sigmoid(1.0)
    by_products, by_w2 = back_to_total(by_total)
    by_first, by_second = back_to_products(by_products)
    by_w0, by_x0 = back_to_first(by_first)
    by_w1, by_x1 = back_to_second(by_second)
    gradients = [by_w0, by_x0, by_w1, by_x1, by_w2]
    np.testing.assert_allclose(gradients, [-0.20, 0.39, -0.39, -0.59, 0.20], atol=0.005)

    variables = [tf.Variable(value, dtype="float64") for value in (w0, x0, w1, x1, w2)]
    with tf.GradientTape() as tape:
        a, b, c, d, e = variables
        f = keras.ops.sigmoid(a * b + c * d + e)
    np.testing.assert_allclose(gradients, tape.gradient(f, variables), rtol=1e-12)


LABELS = np.array([2, 0, 1, 2])
NODES = {
    "add": (add, keras.ops.add, [(4, 3), (4, 3)]),
    "add a bias": (add, keras.ops.add, [(4, 3), (3,)]),
    "add a column": (add, keras.ops.add, [(4, 1), (2, 4, 3)]),
    "multiply": (multiply, keras.ops.multiply, [(4, 3), (4, 3)]),
    "scale by a row": (multiply, keras.ops.multiply, [(1, 3), (4, 3)]),
    "scale by a number": (multiply, keras.ops.multiply, [(), (4, 3)]),
    "matmul": (matmul, keras.ops.matmul, [(4, 3), (3, 2)]),
    "relu": (relu, keras.ops.relu, [(4, 3)]),
    "sigmoid": (sigmoid, keras.ops.sigmoid, [(4, 3)]),
    "tanh": (tanh, keras.ops.tanh, [(4, 3)]),
    "half square": (half_square, lambda x: keras.ops.sum(x**2) / 2, [(4, 3)]),
    "cross-entropy": (
        lambda logits: cross_entropy(logits, LABELS),
        lambda logits: keras.ops.mean(keras.losses.sparse_categorical_crossentropy(LABELS, logits, from_logits=True)),
        [(4, 3)],
    ),
}


@pytest.mark.parametrize("name", NODES)
def test_a_node_against_the_tape_and_numerical_differences(name, random):
    node, theirs, shapes = NODES[name]
    inputs = [random.normal(size=shape) for shape in shapes]
    value, back = node(*inputs)
    sent = random.normal(size=np.shape(value))
    gradients = back(sent)

    variables = [tf.Variable(array) for array in inputs]
    with tf.GradientTape() as tape:
        result = theirs(*variables)
    np.testing.assert_allclose(value, result, rtol=1e-12)
    taped = tape.gradient(result, variables, output_gradients=tf.constant(sent))
    estimated = numerical(lambda *arrays: np.sum(sent * node(*arrays)[0]), inputs)
    for ours, from_tape, estimate in zip(gradients, taped, estimated, strict=True):
        assert np.shape(ours) == from_tape.shape
        np.testing.assert_allclose(ours, from_tape, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(ours, estimate, atol=1e-8)


def test_a_value_used_twice_receives_the_sum_of_both_gradients(random):
    x = random.normal(size=(3,))
    s, back_to_x = sigmoid(x)
    y, back_to_both = multiply(x, s)
    directly, by_s = back_to_both(np.ones(3))
    gradient = directly + back_to_x(by_s)[0]
    np.testing.assert_allclose(gradient, s + x * s * (1 - s), rtol=1e-12)
    np.testing.assert_allclose(gradient, numerical(lambda x: np.sum(x * sigmoid(x)[0]), [x])[0], atol=1e-8)


def two_layers(x, labels, decay, activation, w1, b1, w2, b2):
    """A perceptron with one hidden layer and a penalty on its weights: the objective J = L + s and its gradients.

    Forward- and back-propagation of Dive into Deep Learning, section 5.3, with biases and a batch: rows are examples,
    so the products stand the other way round.
    """
    product, back_to_w1 = matmul(x, w1)
    z, back_to_b1 = add(product, b1)
    h, back_to_z = activation(z)
    product, back_to_w2 = matmul(h, w2)
    o, back_to_b2 = add(product, b2)
    loss, back_to_o = cross_entropy(o, labels)
    penalty1, back_to_penalty1 = half_square(w1)
    penalty2, back_to_penalty2 = half_square(w2)
    objective = loss + decay * (penalty1 + penalty2)

    (by_o,) = back_to_o(1.0)
    by_product, by_b2 = back_to_b2(by_o)
    by_h, by_w2 = back_to_w2(by_product)
    (by_z,) = back_to_z(by_h)
    by_product, by_b1 = back_to_b1(by_z)
    _, by_w1 = back_to_w1(by_product)
    by_w1 = by_w1 + back_to_penalty1(decay)[0]
    by_w2 = by_w2 + back_to_penalty2(decay)[0]
    return objective, [by_w1, by_b1, by_w2, by_b2]


@pytest.mark.parametrize("name, activation", [("relu", relu), ("tanh", tanh), ("sigmoid", sigmoid)])
def test_two_layers_with_a_penalty(name, activation, random):
    keras.utils.set_random_seed(0)
    decay, rate = 0.3, 0.1
    # Keras' l2 is the factor of the sum of squares, the book's lambda that of half of it.
    model = zoo.build(
        "mlp", num_classes=3, input_shape=(4,), hidden=(5,), activation=name, initializer="glorot", l2=decay / 2
    )
    x = random.normal(size=(6, 4)).astype("float32")
    labels = np.array([0, 1, 2, 2, 1, 0])
    weights = [w + random.normal(0, 0.1, w.shape).astype("float32") for w in model.get_weights()]
    model.set_weights(weights)
    model.compile(keras.optimizers.SGD(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    exact = [np.float64(w) for w in weights]
    objective, gradients = two_layers(np.float64(x), labels, decay, activation, *exact)

    with tf.GradientTape() as tape:
        theirs = model.compute_loss(x, labels, model(x))
    assert objective == pytest.approx(float(theirs), rel=1e-6)
    taped = tape.gradient(theirs, [variable.value for variable in model.trainable_variables])
    estimated = numerical(lambda *w: two_layers(np.float64(x), labels, decay, activation, *w)[0], exact)
    for ours, from_tape, estimate in zip(gradients, taped, estimated, strict=True):
        np.testing.assert_allclose(ours, from_tape, atol=1e-6)
        np.testing.assert_allclose(ours, estimate, atol=1e-8)

    model.fit(x, labels, batch_size=6, shuffle=False, verbose=0)
    for now, before, gradient in zip(model.get_weights(), weights, gradients, strict=True):
        np.testing.assert_allclose(now, before - rate * gradient, atol=1e-6)
