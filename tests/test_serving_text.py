"""Exports of models that take text or sequences: strings in, the same text out as from Python, and no zoo needed."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import ZooError, cli, language_scores, runs, symbols
from zoo.savedmodel import export_all
from zoo.serving import formats, language_loop, reading, serving, strings
from zoo.serving.recurrence import unrolled
from zoo.writing import prompt_symbols, start_of

# TensorFlow's variables predate an argument of NumPy 2; Keras meets that whenever it saves.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

RANDOM = np.random.default_rng(0)
CHARACTERS = "\n" + "".join(map(chr, range(32, 127))) + "éß漢字😀"
WORDS = ("to", " ", "be", "ünï_cödé", "\n", "漢字", ",", "x2", "\\", "e", "\u0301", "😀")
TRICKY = [
    "To be, or\n not\r\n to be",
    "ünï_cödé 漢字 e\u0301 😀 a\\1b x2²½",
    "",
    "\0to\0 be",
    "  \t\u3000\u2028z--_",
    "٣ Ⅷ ªº क् ไทย",
    "\udcff be".encode("utf-8", "replace").decode(),
]


def varied(model):
    """A model whose answers differ."""
    for weight in model.weights:
        weight.assign(RANDOM.normal(scale=0.5, size=weight.shape))
    return model


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    """A run folder as training leaves it, and what was said of the export."""
    folder = tmp_path_factory.mktemp("language") / "run"
    model = varied(zoo.build("lstm", vocabulary=CHARACTERS, units=16))
    runs.create(folder, {"recipe": "mine", "seed": 0, "model": model.name, "labels": None}, "")
    # Rows of raw input, as a run has them to check with.
    raw = RANDOM.integers(32, 127, (1, 300), dtype="int32")
    return model, folder, export_all(model, folder, formats=("savedmodel", "keras"), batch=raw)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier") / "run"
    model = varied(zoo.build("gru", vocabulary=WORDS, num_classes=3, units=8, embedding=4, bidirectional=True))
    runs.create(folder, {"recipe": "mine", "seed": 0, "model": model.name, "labels": None}, "")
    return model, folder, export_all(model, folder, ("bad", "fair", "größer"), ("savedmodel", "keras"))


@functools.cache
def signatures(folder):
    return tf.saved_model.load(str(folder / "savedmodel")).signatures


def told(length=60, temperature=1.0, top_k=0, seed=0):
    given = dict(length=length, temperature=temperature, top_k=top_k, seed=seed)
    return {name: tf.constant(value, "float32" if name == "temperature" else "int32") for name, value in given.items()}


# --- models of language --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, dict(temperature=0.5, top_k=4, seed=3), dict(temperature=0.0, length=1)])
def test_a_savedmodel_writes_what_python_writes(language, options):
    model, folder, _ = language
    prompts = ["To be", "", "漢字 and 😀", "unknown: ж", "a long one " * 30]
    texts = signatures(folder)["serving_default"](prompt=tf.constant(prompts), **told(**options))["text"].numpy()
    assert [text.decode() for text in texts] == zoo.write(model, prompts, **{"length": 60, **options})


def test_a_savedmodel_reads_bytes_that_are_no_text(language):
    model, folder, _ = language
    prompts = tf.constant([b"a\xff\xe4\xb8b", "a\ufffd\ufffdb".encode()])
    one, other = signatures(folder)["serving_default"](prompt=prompts, **told())["text"].numpy()
    assert one == other and one.decode() == zoo.write(model, "a\ufffd\ufffdb", length=60)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(length=0), "length must be 1 to 10,000,000. Received:"),
        (dict(length=-4), "length must be"),
        (dict(temperature=-0.5), "temperature must be a finite number >= 0"),
        (dict(temperature=float("nan")), "temperature must be"),
        (dict(top_k=-1), "top_k must be 0 or more"),
    ],
)
def test_what_a_savedmodel_refuses_to_write(language, options, words):
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        signatures(language[1])["serving_default"](prompt=tf.constant(["a"]), **told(**options))


def test_perplexity_is_that_of_the_whole_text(language):
    model, folder, _ = language
    texts = ["To be, or not to be", "ab", "long " * 170, "жж漢\0!"]
    perplexity = signatures(folder)["perplexity"]
    answer = perplexity(text=tf.constant(texts))
    expected = [language_scores.nats(model, text.replace("\0", "")) for text in texts]
    np.testing.assert_allclose(answer["nats"], expected, rtol=1e-5)
    np.testing.assert_allclose(answer["perplexity"], np.exp(expected), rtol=1e-4)
    assert len(texts[2]) > 3 * language_loop.READ_AT_ONCE
    with pytest.raises(tf.errors.InvalidArgumentError, match="each text must have two symbols or more"):
        perplexity(text=tf.constant(["ab", "a"]))


def test_what_is_said_of_the_export_of_a_language(language, capsys):
    model, folder, done = language
    assert done["savedmodel"].inputs == {
        "prompt": "string (n,)",
        "length": "int32",
        "temperature": "float32",
        "top_k": "int32",
        "seed": "int32",
    }
    assert done["savedmodel"].outputs == {"text": "string (n,)"} and done["savedmodel"].difference < 1e-3
    assert done["keras"].inputs == {"text": "int32 (n, any)"}
    assert done["keras"].outputs == {"logits": f"float32 (n, any, {len(CHARACTERS) + 2})"}
    assert sorted(path.name for path in folder.iterdir()) == ["model.keras", "recipe.json", "recipe.py", "savedmodel"]
    for each in done.values():
        exec(each.usage, {})
    text = zoo.write(model, "To be", length=400, temperature=0.8, top_k=20, seed=1)
    assert repr(text.encode()) in capsys.readouterr().out


def test_a_file_that_writes_otherwise_is_no_export(language):
    model, _, _ = language
    found = serving(model, None, None, ("savedmodel",))
    requests = found.requests(found.checked(["To be, or not", "be"]), "savedmodel")
    texts = [zoo.write(model, inputs["prompt"].tolist(), **{key: inputs[key].item() for key in told()})
             for signature, inputs in requests if signature == "serving_default"]  # fmt: skip
    answers = {f"{i}.{part}.text": np.array(each[:count]) for i, each in enumerate(texts)
               for part, count in (("all", None), ("one", 1))}  # fmt: skip
    nats = np.array([language_scores.nats(model, text) for text in ("To be, or not", "be")], "float32")
    last = len(texts)
    for part, count in (("all", None), ("one", 1)):
        answers[f"{last}.{part}.nats"] = nats[:count]
        answers[f"{last}.{part}.perplexity"] = np.exp(nats[:count])
    assert found.compare("savedmodel", requests, answers) < 1e-4
    broken = {**answers, "1.all.text": answers["1.all.text"][::-1]}
    with pytest.raises(ZooError, match="does not write like the model: after"):
        found.compare("savedmodel", requests, broken)
    with pytest.raises(ZooError, match="does not answer like the model: nats"):
        found.compare("savedmodel", requests, {**answers, f"{last}.all.nats": nats + 0.01})


# --- classifiers and regressors of texts ---------------------------------------------------------------------------


def test_a_classifier_takes_strings(classifier, capsys):
    model, folder, done = classifier
    serve = signatures(folder)
    answer = serve["serving_default"](text=tf.constant(TRICKY))
    for i, text in enumerate(TRICKY):
        raw = strings.raw_of(symbols.symbols_of(model), [text])
        expected = keras.ops.convert_to_numpy(keras.ops.softmax(model(raw)))[0]
        np.testing.assert_allclose(answer["probabilities"][i], expected, atol=1e-5)
        assert answer["label"][i].numpy().decode() == ("bad", "fair", "größer")[expected.argmax()]
    assert [name.decode() for name in serve["labels"]()["labels"].numpy()] == ["bad", "fair", "größer"]
    assert done["savedmodel"].inputs == {"text": "string (n,)"} and done["keras"].inputs == {"text": "int32 (n, any)"}
    for each in done.values():
        exec(each.usage, {})
    assert capsys.readouterr().out


def test_a_regressor_of_texts_answers_with_values():
    model = varied(zoo.build("simple_rnn", vocabulary="abc", num_classes=1, units=4))
    found = serving(model, None, None, ())
    assert found.outputs("savedmodel") == {"value": "float32 (n,)"} and list(found.functions(model, "savedmodel")) == [
        "serving_default"
    ]
    serve, _ = found.functions(model, "savedmodel")["serving_default"]
    values = serve(tf.constant(["abc", "c", ""]))["value"]
    np.testing.assert_allclose(
        values, [model(strings.raw_of(found.symbols, [text]))[0, 0] for text in ("abc", "c", "")]
    )


# --- strings in a graph --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vocabulary", [CHARACTERS, WORDS])
def test_strings_become_what_python_makes_of_them(vocabulary):
    layer = symbols.symbols(vocabulary)
    graph = strings.Strings(layer)
    raw = graph.encode(tf.constant(TRICKY))
    expected = [layer.encode(text) for text in TRICKY]
    assert [row.tolist() for row in raw.numpy()] == [row[row != 0].tolist() for row in expected]
    places = raw.with_flat_values(layer(raw.flat_values))
    np.testing.assert_array_equal(strings.left_padded(places, start_of(layer)), prompt_symbols(layer, TRICKY))
    rows = RANDOM.integers(1, layer.size, (3, 20), dtype="int32")
    assert [text.decode() for text in graph.decode(rows).numpy()] == [layer.decode(row) for row in rows]


def test_every_character_is_cut_as_in_python():
    """RE2 knows letters of a newer Unicode than Python 3.11: those that Python does know are cut alike."""
    import unicodedata

    known = [chr(c) for c in range(1, 0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]
    text = "".join(f"a{character}\n" for character in known)
    pieces = tf.strings.split(tf.strings.regex_replace(text, strings.WORDS, rb"\1" + strings.CUT), strings.CUT)
    assert b"".join(pieces.numpy()).decode() == text
    assert [piece.decode() for piece in pieces[:-1].numpy()] == symbols.split_words(text)


# --- formats -------------------------------------------------------------------------------------------------------


def test_which_formats_a_run_leaves():
    def build(**options):
        return zoo.build("gru", units=2, **options)

    both = ("savedmodel", "litert")
    assert formats(build(vocabulary="ab")) == formats(build(vocabulary="ab", num_classes=2)) == both[:1]
    assert formats(build(input_shape=(5, 2), num_classes=1, bidirectional=True)) == both
    for shape in ((None, 2), (257, 1)):
        assert formats(build(input_shape=shape, num_classes=1)) == both[:1]


@pytest.mark.parametrize("format", ["litert", "onnx"])
def test_text_has_no_numeric_format(format, tmp_path):
    for options in ({}, dict(num_classes=2)):
        model = zoo.build("lstm", vocabulary="ab", units=2, **options)
        with pytest.raises(ZooError, match=f"{format} files take numbers .* takes texts of any length"):
            export_all(model, tmp_path, formats=(format,))


def test_long_sequences_have_no_litert(tmp_path):
    model = zoo.build("lstm", input_shape=(None, 3), num_classes=1, units=2)
    with pytest.raises(ZooError, match="hold the steps of a recurrent layer one by one, 256 at most"):
        zoo.export(model, tmp_path / "x.tflite", format="litert")


def test_rows_of_images_in_litert(tmp_path):
    model = varied(zoo.build("lstm", input_shape=(5, 4, 1), num_classes=3, units=4, bidirectional=True))
    model.layers[-2].forward_layer.unroll = True  # one that was so before stays so
    zoo.export(model, tmp_path / "model.tflite", format="litert")
    predictor = zoo.Predictor(tmp_path / "model.tflite")
    x = RANDOM.integers(0, 256, (7, 5, 4, 1), dtype=np.uint8)
    np.testing.assert_allclose(predictor.outputs(x), keras.ops.softmax(model(x)), atol=1e-5)
    layer = model.layers[-2]
    assert layer.forward_layer.unroll and not layer.backward_layer.unroll
    with pytest.raises(KeyError), unrolled(model):
        assert layer.backward_layer.unroll
        raise KeyError
    assert layer.forward_layer.unroll and not layer.backward_layer.unroll


# --- zoo predict ---------------------------------------------------------------------------------------------------


def test_texts_are_predicted(language, classifier, own_folder, capsys):
    (own_folder / "a.txt").write_text("to be,\r\n漢字", encoding="utf-8")
    model, run, _ = classifier
    (first, second) = zoo.predict(run, ["a.txt"], ["x2 to"])
    logits = model(strings.raw_of(symbols.symbols_of(model), ["to be,\n漢字", "x2 to"]))
    expected = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    assert (first["file"], second["file"]) == ("a.txt", "x2 to") and sorted(first) == ["file", "label", "probability"]
    np.testing.assert_allclose([first["probability"], second["probability"]], expected.max(1), atol=1e-5)
    model, run, _ = language
    assert cli.main(["predict", str(run), "a.txt", "--text", "To be, " + "or " * 40]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("a.txt ") and lines[1].startswith("To be, or or ") and "or..." in lines[1]
    assert float(lines[0].split()[-1]) == pytest.approx(np.exp(language_scores.nats(model, "to be,\n漢字")), rel=1e-3)


@pytest.mark.parametrize(
    ("files", "texts", "words"),
    [
        (["nowhere.txt"], (), "there is no text file nowhere.txt. A text itself is given behind --text"),
        (["bad.txt"], (), "bad.txt is not UTF-8: byte 0xff at offset 1"),
        (["empty.txt"], (), "empty.txt is empty"),
        ((), ["x"], "'x' cannot be read: each text must have two symbols or more"),
        ((), (), "there is nothing to answer for"),
    ],
)
def test_texts_that_cannot_be_predicted(language, files, texts, words, own_folder):
    (own_folder / "bad.txt").write_bytes(b"a\xffb")
    (own_folder / "empty.txt").write_text("")
    with pytest.raises(ZooError, match=words):
        zoo.predict(language[1], files, texts)


def test_which_runs_read_text(language, tmp_path):
    assert reading.reads(language[1]) and not reading.reads(tmp_path) and not reading.reads(tmp_path / "x.tflite")
    zoo.build("perceptron").save(tmp_path / "model.keras")
    assert not reading.reads(tmp_path)
    with pytest.raises(ZooError, match="takes no text: give files. Received: text 'a'"):
        zoo.predict(tmp_path, texts=["a"])
    (tmp_path / "model.keras").write_bytes((language[1] / "model.keras").read_bytes())
    with pytest.raises(ZooError, match="holds no savedmodel.* zoo export"):
        zoo.predict(tmp_path, texts=["ab"])
