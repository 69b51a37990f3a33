"""States that are carried from batch to batch, vocabularies, nats a symbol."""

import keras
import numpy as np
import pytest

import zoo
from zoo.data import text
from zoo.language_scores import Perplexity, carried_over, nats
from zoo.symbols import Characters, Words, split_words, symbols_of, vocabulary_of

ROWS, LENGTH = 3, 4


def built(carry=ROWS, **more):
    keras.utils.set_random_seed(0)
    model = zoo.build("lstm", vocabulary="abcd", units=5, layers=2, carry=carry, **more)
    model.compile(keras.optimizers.SGD(0.0), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def stretches(count=4):
    """Rows of text, as batches that follow each other: (batches, rows, length), and what comes next."""
    raw = np.random.default_rng(0).integers(97, 101, (ROWS, count * LENGTH + 1)).astype("int32")
    cut = [part.reshape(ROWS, count, LENGTH).swapaxes(0, 1) for part in (raw[:, :-1], raw[:, 1:] - 95)]
    return raw, cut[0].reshape(-1, LENGTH), cut[1].reshape(-1, LENGTH)


def whole(model, raw):
    """The mean cross-entropy of rows that are read in one piece."""
    logits = model(raw[:, :-1])
    return float(
        keras.ops.mean(keras.losses.sparse_categorical_crossentropy(raw[:, 1:] - 95, logits, from_logits=True))
    )


def test_carried_states_are_those_of_the_text_in_one_piece():
    model, (raw, x, y) = built(), stretches()
    expected = whole(model, raw)
    for _ in range(2):  # each evaluation begins with zeros
        assert abs(model.evaluate(x, y, batch_size=ROWS, verbose=0) - expected) < 1e-5
    history = model.fit(
        x, y, batch_size=ROWS, epochs=2, shuffle=False, verbose=0, validation_data=(x, y), validation_batch_size=ROWS
    )
    np.testing.assert_allclose(history.history["loss"], expected, atol=1e-5)
    np.testing.assert_allclose(history.history["val_loss"], expected, atol=1e-5)


def test_without_carry_each_slice_begins_with_zeros():
    carried, fresh, (_, x, y) = built(), built(carry=0), stretches()
    assert not fresh.carried
    fresh.stepper.set_weights(carried.stepper.get_weights())
    logits = fresh(x)
    expected = float(keras.ops.mean(keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)))
    assert abs(fresh.evaluate(x, y, batch_size=ROWS, verbose=0) - expected) < 1e-5
    assert abs(carried.evaluate(x, y, batch_size=ROWS, verbose=0) - expected) > 1e-4


def test_a_call_by_itself_never_touches_what_is_carried():
    model, (_, x, y) = built(), stretches()
    model.evaluate(x, y, batch_size=ROWS, verbose=0)
    before = [np.array(each) for each in model.carried]
    assert all(np.abs(each).max() > 0 for each in before)
    assert model.predict(x[:2], verbose=0).shape == (2, LENGTH, 6)
    model(x[:1])
    for one, other in zip(before, model.carried, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_gradient_ends_where_the_batch_begins():
    """Truncated: with states carried, a step moves the weights as if the state before were a constant."""
    import tensorflow as tf

    model, (_, x, y) = built(), stretches()
    first, second = (keras.ops.convert_to_tensor(x[at : at + ROWS]) for at in (0, ROWS))
    _, *states = model.stepper([first, *model.initial_state(ROWS)])
    with tf.GradientTape() as tape:
        logits, *_ = model.stepper([second, *map(tf.stop_gradient, states)], training=True)
        loss = model.compute_loss(y=y[ROWS : 2 * ROWS], y_pred=logits)
    expected = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    model.optimizer.learning_rate = 1.0
    for variable, state in zip(model.carried, states, strict=True):
        variable.assign(state)
    before = [np.array(weight) for weight in model.trainable_weights]
    model.train_step((second, keras.ops.convert_to_tensor(y[ROWS : 2 * ROWS])))
    for weight, value, gradient in zip(model.trainable_weights, before, expected, strict=True):
        np.testing.assert_allclose(value - np.array(weight), gradient, atol=1e-6, err_msg=weight.path)


def test_steps_an_execution_change_nothing():
    import tensorflow as tf

    (_, x, y), losses = stretches(), []
    for steps in (1, 4):
        model = built()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.1), loss, steps_per_execution=steps)
        pairs = tf.data.Dataset.from_tensor_slices((x, y)).batch(ROWS)
        losses.append(model.fit(pairs, epochs=2, shuffle=False, verbose=0).history["loss"])
    assert losses[0] == losses[1]


def test_a_model_and_data_that_do_not_fit(tmp_path):
    from zoo.data import check_fits

    (tmp_path / "a.txt").write_text("To be, or not to be: that is the question. " * 40)
    data = text(tmp_path / "a.txt", 8, 4, "consecutive", seed=0)
    vocabulary = data.statistics["vocabulary"]
    check_fits(data, zoo.build("lstm", vocabulary=vocabulary, units=2, carry=4))
    with pytest.raises(zoo.ZooError, match="a batch of the train data has 4. Build it with carry=4"):
        check_fits(data, zoo.build("lstm", vocabulary=vocabulary, units=2, carry=5))
    with pytest.raises(zoo.ZooError, match="vocabulary=data.statistics"):
        check_fits(data, zoo.build("lstm", vocabulary="abc", units=2))
    with pytest.raises(zoo.ZooError, match="do not follow each other"):
        check_fits(text(tmp_path / "a.txt", 8, 4, seed=0), zoo.build("lstm", vocabulary=vocabulary, units=2, carry=4))
    with pytest.raises(zoo.ZooError, match="reads texts"):
        check_fits(zoo.data.images("digits", 32), zoo.build("lstm"))


def test_nats_are_of_the_text_in_one_piece(monkeypatch):
    from zoo import language_scores

    model, (raw, *_) = built(), stretches()
    expected = np.mean([whole(model, row[None]) for row in raw])
    monkeypatch.setattr(language_scores, "PART", 5)
    assert abs(np.mean([nats(model, row) for row in raw]) - expected) < 1e-6
    assert abs(nats(model, "abcdz") - nats(model, "abcd!")) < 1e-9  # either is unknown
    with pytest.raises(zoo.ZooError, match="two symbols or more"):
        nats(model, "a")


def test_measures_of_a_part(tmp_path):
    (tmp_path / "a.txt").write_text("abcd" * 200)
    data, model = text(tmp_path / "a.txt", 8, 4, seed=0), built(carry=0)
    scores = carried_over(model, data, "test")
    assert abs(np.exp(scores["nats"]) - scores["carried_perplexity"]) < 1e-9
    held_out = np.concatenate([data.validation.text_symbols, data.test.text_symbols])
    assert scores["nats_held_out"] == nats(model, held_out)
    assert set(carried_over(model, data, "validation")) == {"nats", "carried_perplexity"}


def test_perplexity_is_the_exponential_of_the_mean():
    metric, cross_entropy = Perplexity(), keras.metrics.SparseCategoricalCrossentropy(from_logits=True)
    random = np.random.default_rng(0)
    for _ in range(3):
        y, logits = random.integers(0, 7, (2, 5)), random.normal(size=(2, 5, 7))
        metric.update_state(y, logits), cross_entropy.update_state(y, logits)
    assert abs(float(metric.result()) - np.exp(float(cross_entropy.result()))) < 1e-4
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert isinstance(again, Perplexity) and again.name == "perplexity"


def test_characters_are_code_points():
    layer = Characters("\n aé中🙂")
    texts = "é中🙂a\nx\U0010ffff"
    expected = [5, 6, 7, 4, 2, 1, 1]
    np.testing.assert_array_equal(layer(layer.encode(texts)), expected)
    np.testing.assert_array_equal(layer.indices(layer.encode(texts)), expected)
    np.testing.assert_array_equal(layer(np.array([0, -5, 2**31 - 1])), [0, 0, 1])
    assert layer.decode(expected) == "é中🙂a\n\ufffd\ufffd"
    assert layer.unknown(texts) == ["x", "\U0010ffff"]
    assert symbols_of(zoo.build("lstm", vocabulary="ab", units=2)).vocabulary == "ab"
    assert symbols_of(zoo.build("mlp")) is None


def test_words_and_what_stands_between_them():
    source = "naïve_1 中文, don't\n\nstop…"
    assert "".join(split_words(source)) == source
    vocabulary = vocabulary_of("a b a c, a b", "word", limit=3)
    assert vocabulary == (" ", "a", "b")
    layer = Words(vocabulary)
    raw = layer.encode("a c b")
    np.testing.assert_array_equal(raw, [3, 2, 1, 2, 4])
    np.testing.assert_array_equal(layer(np.array([3, 0, 99, -1])), [3, 0, 1, 1])
    assert layer.decode(raw) == "a \ufffd b"
    with pytest.raises(zoo.ZooError, match="level must be one of"):
        vocabulary_of("a", "letter")
    with pytest.raises(zoo.ZooError, match="limit must be"):
        vocabulary_of("a", limit=0)


def test_a_cycle_is_learned():
    """Four characters in turn: after a few steps the next one is certain."""
    keras.utils.set_random_seed(0)
    model = zoo.build("gru", vocabulary="abcd", units=16)
    model.compile(keras.optimizers.Adam(0.03), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    raw = model.symbols.encode("abcd" * 40)
    x, y = raw[:-1][:152].reshape(19, 8), model.symbols.indices(raw[1:])[:152].reshape(19, 8)
    model.fit(x, y, epochs=30, batch_size=19, verbose=0)
    assert nats(model, "abcd" * 10) < 0.2
