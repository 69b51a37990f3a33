"""Writing: each symbol is the one that the formula draws, whatever is written beside it, and bad input is answered."""

import gc
import random
import re
import weakref

import keras
import numpy as np
import pytest

import zoo
from zoo import ZooError, writing
from zoo.serving import language_loop, writer

ASCII = "\n" + "".join(map(chr, range(32, 127)))
WORDS = ("to", " ", "be", "or", "not", ",", "漢字")
RANDOM = np.random.default_rng(0)


def language(cell="lstm", vocabulary=ASCII, scale=0.5, **more):
    """A model that expects something different at each place."""
    model = zoo.build(cell, vocabulary=vocabulary, **{"units": 16, **more})
    for weight in model.weights:
        weight.assign(RANDOM.normal(scale=scale, size=weight.shape))
    return model


@pytest.fixture(scope="module")
def model():
    return language()


def drawn(model, prompt, text, temperature=1.0, top_k=0, seed=0):
    """What the formula draws at each place of a text, from logits of one call for all of it."""
    symbols = model.symbols
    given, raw = symbols.encode(prompt), symbols.encode(prompt + text)
    count = len(raw) - len(given)
    logits = keras.ops.convert_to_numpy(model(raw[None]))[0, len(given) - 1 : -1, 2:].astype("float64")
    numbers = language_loop.draws(count, seed).numpy()
    found = []
    for row, number in zip(logits, numbers, strict=True):
        weights = np.exp((row - row.max()) / (temperature or 1))
        if top_k:
            weights[np.argsort(-row)[top_k:]] = 0
        place = np.searchsorted(weights.cumsum() / weights.sum(), number, side="right") if temperature else row.argmax()
        found.append(symbols.vocabulary[place])
    return "".join(found)


@pytest.mark.parametrize(
    "options", [{}, dict(temperature=0.4, top_k=3, seed=5), dict(temperature=0), dict(temperature=2.5, top_k=500)]
)
def test_each_symbol_is_the_one_that_the_formula_draws(model, options):
    text = zoo.write(model, "To be", length=150, **options)
    assert len(text) == 150 and (len(set(text)) > 5 or options.get("temperature") == 0)
    assert text == drawn(model, "To be", text, **options)


@pytest.mark.parametrize(
    ("cell", "more"),
    [
        ("simple_rnn", {}),
        ("gru", dict(layers=2, embedding=16, tied=True)),
        ("lstm", dict(layer_norm=True, dropout=0.4, recurrent_dropout=0.4)),
    ],
)
def test_every_kind_of_model_writes(cell, more):
    model = language(cell, **more)
    text = zoo.write(model, "be", length=40, seed=2)
    assert text == drawn(model, "be", text, seed=2)


def test_words_are_written_as_words():
    model = language(vocabulary=WORDS)
    text = zoo.write(model, "to be", length=60, temperature=0.7)
    assert re.fullmatch(f"({'|'.join(WORDS)}){{60}}", text) and "or" in text
    pieces = []
    zoo.write(model, "to be", length=60, temperature=0.7, stream=pieces.append)
    assert "".join(pieces) == text


def test_prompts_together_are_continued_as_each_alone(model):
    prompts = ["", "x", "To be, or not to be: " * 9, "or", "be "]
    together = zoo.write(model, prompts, length=90, seed=3)
    assert together == [zoo.write(model, prompt, length=90, seed=3) for prompt in prompts]
    assert len(set(together)) > 1


def test_a_short_text_is_the_beginning_of_a_longer_one_and_a_seed_is_a_text(model):
    long = zoo.write(model, "a", length=2 * writer.PIECE + 5, seed=1)
    for length in (1, writer.PIECE, writer.PIECE + 1):
        assert zoo.write(model, "a", length=length, seed=1) == long[:length]
    assert zoo.write(model, "a", length=20, seed=2**32 - 1) != long[:20]


def test_pieces_come_as_they_are_written(model):
    pieces = []
    text = zoo.write(model, "a", length=150, stream=pieces.append)
    assert [len(piece) for piece in pieces] == [64, 64, 22] and "".join(pieces) == text
    pieces = []
    texts = zoo.write(model, ["a", "b"], length=70, stream=pieces.append)
    assert [list(map(len, piece)) for piece in pieces] == [[64, 64], [6, 6]]
    assert ["".join(parts) for parts in zip(*pieces, strict=True)] == texts


def test_an_empty_prompt_is_the_beginning_of_a_line(model):
    assert zoo.write(model, length=30) == zoo.write(model, "\n", length=30)
    assert zoo.write(model, "\0", length=30) == zoo.write(model, "\n", length=30)
    for vocabulary, place in (("ab c", 4), ("xyz", 2), (("b", "\n"), 3)):
        assert writing.start_of(zoo.symbols.symbols(vocabulary)) == place


def test_unknown_symbols_are_told_once_and_read(model, capsys):
    text = zoo.write(model, ["aéb漢é", "\udcff"], length=200)[0]
    said = capsys.readouterr().err
    assert said == "The model has never seen 'é', '漢', '\ufffd': read as an unknown symbol.\n"
    assert "\ufffd" not in text and text == drawn(model, "aéb漢é", text)
    zoo.write(model, "".join(map(chr, range(1000, 1100))), length=1)
    assert capsys.readouterr().err.endswith(" and 90 more: read as an unknown symbol.\n")


def test_frequencies_are_those_of_the_softmax():
    model = language(vocabulary="abcd", units=1)
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    dense = model.stepper.get_layer("logits")
    dense.kernel.assign(0 * dense.kernel)
    # Padding and unknown are likelier than all else, and never written.
    dense.bias.assign([9, 9, *np.log(shares)])

    def measured(**options):
        text = zoo.write(model, "a", length=6000, **options)
        return np.array([text.count(each) for each in "abcd"]) / 6000

    for options, weights in (
        ({}, shares),
        (dict(temperature=0.5), shares**2),
        (dict(top_k=2), shares * (shares > 0.25)),
        (dict(temperature=1e9), np.ones(4)),
        (dict(temperature=1e-40), np.array([0, 0, 0, 1])),
        (dict(top_k=1), np.array([0, 0, 0, 1])),
    ):
        expected = weights / weights.sum()
        found = measured(**options)
        assert (np.abs(found - expected) <= 4.5 * np.sqrt(expected * (1 - expected) / 6000)).all(), options


def test_weights_that_change_are_seen_and_nothing_else_changes():
    model = language()
    before = zoo.write(model, "a", length=30)
    states = random.getstate(), np.random.get_state()[1].tolist()
    zoo.write(model, "a", length=30)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states
    model.set_weights([2 * weight for weight in model.get_weights()])
    assert zoo.write(model, "a", length=30) != before


def test_the_loops_are_compiled_once(model):
    made = writing.writer(model)
    zoo.write(model, ["a" * 500, "b"], length=640, top_k=3)
    assert writing.writer(model) is made
    assert {type(each).__name__ for each in (made._feed, made._go_on)} == {"ConcreteFunction"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(length=0), "length must be an integer from 1 to 10,000,000. Received: length=0"),
        (dict(length=-3), "length must be"),
        (dict(length=2.0), "length must be"),
        (dict(length=10_000_001), "length must be"),
        (dict(temperature=-0.1), "temperature must be a finite number >= 0; at 0 the likeliest"),
        (dict(temperature=float("nan")), "temperature must be"),
        (dict(temperature=float("inf")), "temperature must be"),
        (dict(temperature="1"), "temperature must be"),
        (dict(top_k=-1), "top_k must be an integer >= 0; 0 draws among all"),
        (dict(top_k=True), "top_k must be"),
        (dict(seed=-1), "seed must be"),
        (dict(prompt=3), "prompt must be a text, or a list of them"),
        (dict(prompt=[]), "prompt must be a text, or a list of them"),
        (dict(prompt=["a", b"b"]), "prompt must be a text, or a list of them"),
    ],
)
def test_bad_arguments_are_refused(model, arguments, words):
    with pytest.raises(ZooError, match=words):
        zoo.write(model, **arguments)


def test_what_writes_no_text_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ZooError, match="the model 'perceptron' is for classification: it writes no text"):
        zoo.write(zoo.build("perceptron"))
    with pytest.raises(ZooError, match="nowhere"):
        zoo.write(tmp_path / "nowhere")
    model = language()
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ZooError, match="KERAS_BACKEND=tensorflow zoo generate RUN"):
        zoo.write(model)


def test_beside_a_gpu_the_processor_writes_with_the_newest_weights(monkeypatch):
    model = language("gru", embedding=16, tied=True)
    expected = zoo.write(model, "a", length=30)
    writing._writers.clear()
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind=None: ["gpu:0"])
    assert zoo.write(model, "a", length=30) == expected
    model.set_weights([2 * weight for weight in model.get_weights()])
    again = zoo.write(model, "a", length=30)
    assert again == drawn(model, "a", again) != expected


def test_a_model_that_is_gone_leaves_nothing():
    model = language(units=2)
    zoo.write(model, length=1)
    gone = weakref.ref(model)
    count = len(writing._writers)
    del model
    gc.collect()
    assert gone() is None and len(writing._writers) < count
