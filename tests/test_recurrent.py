"""Recurrent networks: the published equations in NumPy, what each argument does, what is refused."""

import keras
import numpy as np
import pytest

import zoo
from zoo.normalized_cells import CELLS
from zoo.symbols import symbols_of

STEPS, INPUTS, UNITS = 5, 3, 4


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, w, u, b):
    """Gers, Schmidhuber, Cummins 2000: gates, candidate, c_t, h_t."""
    h = c = np.zeros((len(x), u.shape[0]))
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ w + h @ u + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return h, c


def simple_rnn(x, w, u, b):
    """Elman 1990."""
    h = np.zeros((len(x), u.shape[0]))
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ w + h @ u + b)
    return (h,)


def gru(x, w, u, b):
    """Cho et al. 2014, the reset gate behind U: b has a row for W and a row for U."""
    h = np.zeros((len(x), u.shape[0]))
    for t in range(x.shape[1]):
        (xz, xr, xg), (hz, hr, hg) = (np.split(each, 3, axis=1) for each in (x[:, t] @ w + b[0], h @ u + b[1]))
        z = sigmoid(xz + hz)
        h = z * h + (1 - z) * np.tanh(xg + sigmoid(xr + hr) * hg)
    return (h,)


def gru_published(x, w, u, b):
    """Cho et al. 2014 as printed: the reset gate before U."""
    h = np.zeros((len(x), u.shape[0]))
    for t in range(x.shape[1]):
        xz, xr, xg = np.split(x[:, t] @ w + b, 3, axis=1)
        uz, ur, ug = np.split(u, 3, axis=1)
        z, r = sigmoid(xz + h @ uz), sigmoid(xr + h @ ur)
        h = z * h + (1 - z) * np.tanh(xg + (r * h) @ ug)
    return (h,)


def norm(x, gamma, beta=0.0):
    centred = x - x.mean(-1, keepdims=True)
    return gamma * centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) + beta


def randomised(layer):
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(0, 0.7, weight.shape).astype("float32") for weight in layer.weights])
    return [np.array(weight, "float64") for weight in layer.weights]


@pytest.mark.parametrize(
    "cell, equations, options",
    [
        ("simple_rnn", simple_rnn, {}),
        ("lstm", lstm, {}),
        ("gru", gru, {}),
        ("gru", gru_published, {"reset_after": False}),
    ],
)
def test_the_published_equations(cell, equations, options):
    model = zoo.build(cell, input_shape=(STEPS, INPUTS), num_classes=2, units=UNITS, **options)
    weights = randomised(model.get_layer(f"{cell}1"))
    x = np.random.default_rng(0).normal(size=(2, STEPS, INPUTS))
    kernel, bias = (np.array(each, "float64") for each in model.get_layer("output").weights)
    expected = equations(x, *weights)[0] @ kernel + bias
    np.testing.assert_allclose(model(x.astype("float32")), expected, atol=1e-5)
    # Training computes the LSTM in another way.
    np.testing.assert_allclose(model(x.astype("float32"), training=True), expected, atol=1e-5)


def test_states_of_a_language_model_are_those_of_the_equations():
    model = zoo.build("lstm", vocabulary="ab", units=UNITS)
    weights = randomised(model.stepper.get_layer("lstm1"))
    raw = keras.ops.convert_to_tensor(model.symbols.encode("abbab?")[None])
    _, h, c = model.stepper([raw, *model.initial_state(1)])
    expected = lstm(np.eye(4)[model.symbols.indices(np.asarray(raw))], *weights)
    np.testing.assert_allclose(h, expected[0], atol=1e-6)
    np.testing.assert_allclose(c, expected[1], atol=1e-6)


def test_layer_normalised_cells():
    x, random = np.random.default_rng(0).normal(size=(2, INPUTS)), np.random.default_rng(2)
    for name, cell in CELLS.items():
        cell = cell(UNITS)
        cell.build((None, INPUTS))
        w, u, b, input_gamma, state_gamma, *more = randomised(cell)
        h, c = random.normal(size=(2, 2, UNITS))
        from_input, from_state = norm(x @ w, input_gamma), norm(h @ u, state_gamma)
        if name == "simple_rnn":
            expected = np.tanh(from_input + from_state + b)
        elif name == "lstm":
            i, f, g, o = np.split(from_input + from_state + b, 4, axis=1)
            c_next = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            expected = sigmoid(o) * np.tanh(norm(c_next, *more))
        else:
            (xz, xr, xg), (hz, hr, hg) = (np.split(each, 3, axis=1) for each in (from_input + b, from_state))
            z = sigmoid(xz + hz)
            expected = z * h + (1 - z) * np.tanh(xg + sigmoid(xr + hr) * hg)
        states = [h, c] if name == "lstm" else [h]
        found, _ = cell(
            *(keras.ops.cast(each, "float32") for each in (x,)), [keras.ops.cast(s, "float32") for s in states]
        )
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=name)


def test_recurrent_weights_start_orthogonal_and_the_forget_gate_open():
    for value in (1.0, 0.0, 2.5):
        model = zoo.build("lstm", vocabulary="ab", units=8, forget_bias=value)
        _, recurrent, bias = model.stepper.get_layer("lstm1").get_weights()
        np.testing.assert_allclose(bias, np.repeat([0, value, 0, 0], 8))
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(8), atol=1e-5)


def test_depth_both_directions_tied_weights_and_what_they_count():
    deep = zoo.build("gru", vocabulary="abc", units=6, layers=3, embedding=6, tied=True, dropout=0.1)
    # Embedding 5 x 6, tied, and three layers of 3 gates of 6 + 6 inputs and two biases.
    assert deep.count_params() == 5 * 6 + 3 * (3 * 6 * (6 + 6 + 2))
    assert len(deep.initial_state(2)) == 3
    both = zoo.build("lstm", vocabulary="abc", num_classes=2, units=6, bidirectional=True)
    assert both.count_params() == 2 * 4 * 6 * (5 + 6 + 1) + 2 * 12 + 2


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_changes_nothing(cell, bidirectional):
    model = zoo.build(cell, vocabulary="abc", num_classes=2, units=UNITS, layers=2, bidirectional=bidirectional)
    text = symbols_of(model).encode("abcab")
    padded = np.pad(text, (0, 4))
    np.testing.assert_allclose(model(text[None]), model(padded[None]), atol=1e-6)


def test_images_are_read_by_rows_and_series_standardised():
    image = zoo.build("lstm", input_shape=(4, 2, 3), num_classes=2, units=UNITS)
    assert image.get_layer("rows").output.shape == (None, 4, 6)
    scaled = dict(normalization=([10.0, -5.0], [4.0, 9.0]), target=(100.0, 10.0))
    one = zoo.build("lstm", input_shape=(None, 2), num_classes=1, units=UNITS, **scaled)
    plain = zoo.build("lstm", input_shape=(None, 2), num_classes=1, units=UNITS)
    plain.set_weights([*one.get_weights()])
    x = np.random.default_rng(0).normal(size=(2, 5, 2)).astype("float32")
    np.testing.assert_allclose(one(x * [2, 3] + [10, -5]), 100 + 10 * np.asarray(plain(x)), rtol=1e-5)


def test_recurrent_dropout_is_one_mask_for_all_steps():
    keras.utils.set_random_seed(0)
    layer = zoo.build("lstm", vocabulary="ab", units=64, recurrent_dropout=0.5).stepper.get_layer("lstm1")
    # Only h_{t-1} reaches the candidate, one to one, and all gates are open: a dropped unit never grows.
    kernel, recurrent, bias = (np.zeros(weight.shape, "float32") for weight in layer.weights)
    recurrent[:, 128:192], bias[:128], bias[192:], bias[128:192] = 3 * np.eye(64), 20, 20, 0.01
    layer.set_weights([kernel, recurrent, bias])
    start = [keras.ops.zeros((1, 64))] * 2
    h = np.asarray(layer(np.zeros((1, 6, 4), "float32"), initial_state=start, training=True)[0])[0]
    grown = h[-1] > 10 * h[0]
    assert 15 < grown.sum() < 50


def test_a_layer_trained_in_another_way_has_keras_gradients():
    import tensorflow as tf

    from zoo.lstm import LSTM

    random = np.random.default_rng(0)
    x, h, c = (tf.constant(random.normal(size=shape), tf.float32) for shape in ((3, 7, 5), (3, 4), (3, 4)))
    for options in (dict(return_sequences=True, return_state=True), dict(return_state=True, go_backwards=True)):
        found = []
        ours, theirs = LSTM(4, **options), keras.layers.LSTM(4, **options)
        for layer in (ours, theirs):
            layer.build(x.shape)
            layer.set_weights(ours.get_weights())
            with tf.GradientTape() as tape:
                tape.watch([x, h, c])
                outputs = layer(x, initial_state=[h, c], training=True)
                loss = sum(tf.reduce_sum(tf.sin(3 * output)) for output in outputs)
            found.append([*outputs, *tape.gradient(loss, [x, h, c, *layer.trainable_variables])])
        for mine, other in zip(*found, strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


def test_a_compiled_training_is_keras():
    """In a graph, in 16 bits too: the loss after some steps is that of Keras' own layer."""
    from zoo import plain

    images, labels = np.random.default_rng(0).integers(0, 256, (32, 6, 4, 1), "uint8"), np.arange(32) % 3
    for policy, tolerance in (("float32", 1e-5), ("mixed_bfloat16", 2e-2)):
        keras.config.set_dtype_policy(policy)
        try:
            ours = zoo.build("lstm", input_shape=(6, 4, 1), num_classes=3, units=16, layers=2)
            theirs = plain.plain(ours)
        finally:
            keras.config.set_dtype_policy("float32")
        assert type(theirs.get_layer("lstm1")) is keras.layers.LSTM
        losses = []
        for model in (ours, theirs):
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(keras.optimizers.Adam(0.01), loss)
            losses.append(model.fit(images, labels, epochs=5, batch_size=16, shuffle=False, verbose=0).history["loss"])
        np.testing.assert_allclose(*losses, rtol=tolerance)


def test_the_gradient_is_clipped_by_default():
    model = zoo.build("simple_rnn", vocabulary="ab", units=4)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert model.optimizer.global_clipnorm == 1.0
    before = model.get_weights()
    model.stepper.get_layer("logits").kernel.assign(1e4 * np.ones((4, 4)))
    before = model.get_weights()
    model.train_on_batch(model.symbols.encode("abab")[None], np.array([[2, 3, 2, 3]]))
    moved = sum(((a - b) ** 2).sum() for a, b in zip(before, model.get_weights(), strict=True)) ** 0.5
    assert moved <= 0.01 * 1.001


@pytest.mark.parametrize(
    "arguments, says",
    [
        (dict(cell="lstn"), "cell must be one of.*Did you mean 'lstm'"),
        (dict(bidirectional=True), "would see the symbol that it is to tell"),
        (dict(tied=True), "embedding=256"),
        (dict(tied=True, embedding=256, num_classes=2), "tied weights are those of a language model"),
        (dict(carry=2, num_classes=2), "carry must be 0 with num_classes"),
        (dict(carry=-1), "carry must be"),
        (dict(vocabulary=""), "vocabulary must be"),
        (dict(vocabulary="aa"), "each once"),
        (dict(vocabulary="a\0"), "without U\\+0000"),
        (dict(vocabulary=["a", ""]), "vocabulary must be"),
        (dict(units=0), "units must be"),
        (dict(layers=1.5), "layers must be"),
        (dict(dropout=1.0), "dropout must be"),
        (dict(forget_bias=float("nan")), "forget_bias must be"),
        (dict(embedding=0), "embedding must be"),
        (dict(input_shape=(5, 2)), "num_classes must be"),
        (dict(input_shape=(5,), num_classes=2), "input_shape must be"),
        (dict(input_shape=(5, 0), num_classes=2), "input_shape must be"),
        (dict(input_shape=(5, 2), num_classes=2, vocabulary="ab"), "vocabulary must be None with input_shape"),
        (dict(input_shape=(5, 2), num_classes=2, target=(0, 1)), "target must be None for classes"),
        (dict(input_shape=(5, 2), num_classes=1, target=(0, 0)), "target must be"),
        (dict(normalization=([0], [1])), "normalization must be None for texts"),
    ],
)
def test_what_is_refused(arguments, says):
    with pytest.raises(zoo.ZooError, match=says):
        zoo.build("lstm", **arguments)
