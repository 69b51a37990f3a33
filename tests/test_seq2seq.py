"""Sequence to sequence: the papers' formulas, padding, greedy writing, what is refused; and that it learns."""

import keras
import numpy as np
import pytest

import zoo
from zoo import ZooError
from zoo.additive_attention import AttentionCell
from zoo.code_points import MARK, padded, shifted
from zoo.data import Stream
from zoo.models.seq2seq import ASCII
from zoo.recipe import Data
from zoo.transduction_scores import SymbolAccuracy, exact_match, wanted

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
# Every kind of state: one or two for each layer, from a dense layer or as they are, with a memory or without.
KINDS = [
    dict(cell="gru"),
    dict(cell="lstm", layers=2, bidirectional=False),
    dict(cell="gru", attention=False),
    dict(cell="simple_rnn", layers=2, attention=False, bidirectional=False),
]


@pytest.fixture(autouse=True)
def fresh():
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


def _small(**arguments):
    known = dict(source_vocabulary="abcdef", target_vocabulary="xyz", units=5, embedding=3, longest=6)
    return zoo.build("seq2seq", **{**known, **arguments})


def _softmax(scores):
    return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)


def test_the_alignment_model_of_the_paper():
    """Equation 6 and appendix A.1.2: e_j = v . tanh(W s + U h_j), of the state before the step."""
    random = np.random.default_rng(0)
    cell = AttentionCell(keras.layers.StackedRNNCells([keras.layers.LSTMCell(4)]), units=5, width=6)
    inputs, last, memory, keys = (random.normal(size=shape) for shape in ((2, 3), (2, 4), (2, 7, 6), (2, 7, 5)))
    present = np.ones((2, 7))
    present[1, 3:] = 0
    output, weights, (state,) = cell.attend(inputs, [[last, 0 * last]], memory, keys, present)
    w, v = cell.query.kernel.numpy(), cell.attention.scale.numpy()
    scores = np.einsum("nju,u->nj", np.tanh((last @ w)[:, None] + keys), v)
    expected = _softmax(np.where(present, scores, -np.inf))
    np.testing.assert_allclose(weights, expected, rtol=1e-4, atol=1e-7)
    assert not np.asarray(weights)[1, 3:].any()
    context = np.einsum("nj,njw->nw", expected, memory)
    np.testing.assert_allclose(output[:, 4:], context, rtol=1e-4, atol=1e-6)
    answer, _ = cell.cell(np.concatenate([inputs, context], -1).astype("float32"), [[last, 0 * last]])
    np.testing.assert_allclose(output[:, :4], answer, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(state[0], output[:, :4])


def _gru(inputs, units):
    return 3 * units * (inputs + units + 2)


def test_the_parameters_of_the_defaults():
    with keras.StatelessScope(initialize_variables=False):
        model = zoo.build("seq2seq")
    source, target, units, embedding = len(ASCII) + 2, len(ASCII) + 3, 256, 64
    encoder = source * embedding + 2 * _gru(embedding, units) + (2 * units + 1) * units
    attention = 2 * units * units + units * units + units
    decoder = target * embedding + _gru(embedding + 2 * units, units) + (3 * units + 1) * target
    assert model.count_params() == encoder + attention + decoder


def test_read_one_way_the_decoder_starts_from_the_encoders_last_state():
    model = _small(attention=False, bidirectional=False)
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    source, target = model.encode(["abc", "fedcb"]), padded([MARK, MARK])
    state = encoder(source)
    inner = encoder.get_layer("source_embedding")(model.source_symbols(source[:1, :3]))
    _, alone = encoder.get_layer("encode1")(inner)
    np.testing.assert_allclose(state[:1], alone, rtol=1e-5)
    embedded = model.get_layer("target_embedding")(model.target_symbols(target))[:, 0]
    output, _ = decoder.cell(embedded, [state])
    logits = model.get_layer("logits")(output)
    np.testing.assert_allclose(model({"source": source, "target": target})[:, 0], logits, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_it_writes_the_likeliest_character_after_its_own_and_padding_changes_nothing(kind):
    model, texts = _small(**kind), ["a", "fedcbafedcba"]
    for weight in model.trainable_weights:
        weight.assign(3 * weight)  # so that the answers are not all alike
    source, written = model.encode(texts), ["", ""]
    for _ in range(model.longest):
        target = padded([MARK + text for text in written])
        alone = [{"source": source[row : row + 1], "target": target[row : row + 1]} for row in range(2)]
        alone[0]["source"] = alone[0]["source"][:, :2]
        for row, each in enumerate(alone):
            if not written[row].endswith(MARK):
                place = int(np.argmax(model(each)[0, len(written[row]), 2:])) + 2
                written[row] += model.target_symbols.decode([place])
    assert model.transduce(texts) == [text.removesuffix(MARK) for text in written]
    assert model.transduce(texts[:1]) + model.transduce(texts[1:]) == model.transduce(texts)


def test_the_probability_and_the_weights_of_what_is_written():
    model, texts = _small(longest=9), ["abc", "fedcbafedcba"]
    found = model.transducer.predict_on_batch(model.encode(texts))
    codes = padded([(text + MARK)[: model.longest] for text in model.transduce(texts)], model.longest)
    logits = np.asarray(model({"source": model.encode(texts), "target": shifted(codes)}))
    places = model.target_symbols.indices(codes)
    scores = np.log(np.take_along_axis(_softmax(logits), places[..., None], -1)[..., 0])
    np.testing.assert_allclose(found["log_probability"], np.where(codes > 0, scores, 0).sum(1), rtol=1e-4)
    assert not found["weights"][0, :, 3:].any()
    for text in texts:
        written, weights = model.attend(text)
        assert weights.shape == (len(written), len(text))
        np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-5)


def test_it_stops_at_the_end_and_at_the_longest():
    model = _small()
    logits = model.get_layer("logits")
    kernel, bias = logits.get_weights()
    for character, expected in (("x", "xxxxxx"), (MARK, "")):
        certain = 99.0 * (np.arange(len(bias)) == model.target_symbols.places[character])
        certain[:2] = 999  # neither padding nor an unknown character is ever written
        logits.set_weights([kernel, certain])
        assert model.transduce(["ab", "cd"]) == [expected] * 2
    text, weights = model.attend("ab")
    assert text == "" and weights.shape == (0, 2)


def test_unknown_characters_are_read():
    model = _small()
    assert model.transduce(["a?c"]) == model.transduce(["a語c"]) and len(model.transduce(["\U0001f600", "a"])) == 2


@pytest.mark.parametrize("texts", ["abc", [], [""], ["a", ""], [3], None])
def test_what_is_no_list_of_texts_is_refused(texts):
    with pytest.raises(ZooError, match="texts must be a list of strings, each of one character or more"):
        _small().transduce(texts)


def test_weights_are_those_of_attention():
    with pytest.raises(ZooError, match="attention=False: it has no weights"):
        _small(attention=False).attend("abc")


@pytest.mark.parametrize(
    "wrong",
    [
        dict(source_vocabulary=""),
        dict(source_vocabulary="aa"),
        dict(target_vocabulary=["a"]),
        dict(units=0),
        dict(layers=1.5),
        dict(embedding=None),
        dict(longest=0),
        dict(cell="GRU"),
        dict(attention="yes"),
        dict(bidirectional=1),
        dict(dropout=1.0),
    ],
)
def test_wrong_arguments(wrong):
    (name,) = wrong
    with pytest.raises(ZooError, match=name.removeprefix("source_") if wrong[name] == "aa" else name):
        _small(**wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_gives_the_same_bits_and_the_same_texts(kind, tmp_path):
    model = _small(**kind, dropout=0.1)
    batch = {"source": model.encode(["abc", "fe"]), "target": padded([MARK + "xy"] * 2)}
    model.save(tmp_path / "model.keras")
    again = zoo.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(model(batch), again(batch))
    assert again.longest == 6 and again.transduce(["abc", "fe"]) == model.transduce(["abc", "fe"])


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("kind", KINDS[:2])
def test_half_precision(kind, policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = _small(**kind)
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile("adam", LOSS, metrics=[SymbolAccuracy()], run_eagerly=True)
    batch = {"source": model.encode(["abc", "fe"]), "target": padded([MARK + "xy", MARK])}
    places = np.array([[2, 3, 1], [1, 0, 0]])
    assert model(batch).dtype == "float32" and np.isfinite(model.train_on_batch(batch, places)).all()
    assert all(set(text) <= set("xyz") for text in model.transduce(["abc", "fe"]))


def test_padding_counts_in_neither_the_loss_nor_the_accuracy():
    places = np.array([[3, 1, 0], [1, 0, 0]])
    logits = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    logits[0, 0] = [0, 0, 0, 9]
    logits[0, 1] = [9, 0, 0, 0]
    logits[1, 0] = [0, 9, 0, 0]
    scores = np.log(np.take_along_axis(_softmax(logits), places[..., None], -1)[..., 0])
    np.testing.assert_allclose(LOSS(places, logits), -scores[places > 0].mean(), rtol=1e-5)
    metric = SymbolAccuracy()
    metric.update_state(places, logits)
    assert float(metric.result()) == pytest.approx(2 / 3)
    metric.update_state(places[:, :1], logits[:, :1], sample_weight=np.array([0.0, 2.0]))
    assert float(metric.result()) == pytest.approx(4 / 5)
    again = SymbolAccuracy.from_config(metric.get_config())
    again.update_state(places, logits, sample_weight=np.ones((2, 3)))
    assert again.name == "accuracy" and float(again.result()) == pytest.approx(2 / 3)


def _turned_around(count, seed):
    """Words of two to five letters, each once, and the same ones backwards."""
    random = np.random.default_rng(seed)
    words = dict.fromkeys("".join(random.choice(list("abcdef"), random.integers(2, 6))) for _ in range(2 * count))
    return [(word, word[::-1]) for word in list(words)[:count]]


def _stream(model, pairs):
    codes = padded([text + MARK for _, text in pairs])
    arrays = padded([text for text, _ in pairs]), model.target_symbols.indices(codes), shifted(codes)
    return Stream(arrays, 64, seed=0, map=lambda source, y, target: ({"source": source, "target": target}, y))


def test_words_it_has_not_seen_are_turned_around():
    model = zoo.build(
        "seq2seq", source_vocabulary="abcdef", target_vocabulary="abcdef", units=24, embedding=8, longest=6
    )
    pairs = _turned_around(1224, seed=0)
    data = Data(_stream(model, pairs[200:]), test=_stream(model, pairs[:200]))
    texts, answers = wanted(model, data.test)
    assert list(zip(texts, answers, strict=True)) == pairs[:200]
    assert exact_match(model, data, "test")["exact_match"] < 0.05
    model.compile(keras.optimizers.Adam(0.01), LOSS, steps_per_execution=16)
    model.fit(data.train.open(), steps_per_epoch=data.train.steps, epochs=8, shuffle=False, verbose=0)
    assert exact_match(model, data, "test")["exact_match"] > 0.9
    # Backwards: the place that is looked at goes from the end to the beginning.
    written, weights = model.attend("abcde")
    assert written == "edcba" and np.all(np.diff(weights @ np.arange(5)) < 0)
