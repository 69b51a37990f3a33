"""Exports of models that write a text from a text: strings to strings, without the zoo."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import ZooError, savedmodel
from zoo.code_points import padded
from zoo.savedmodel import export_all
from zoo.serving import formats, serving

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

TEXTS = ["größe", "ß", "oger語", "g\0r"]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    made = zoo.build(
        "seq2seq", source_vocabulary="ögreß", target_vocabulary="大小é", units=6, embedding=4, longest=7, dropout=0.1
    )
    for weight in made.trainable_weights:
        weight.assign(3 * weight)
    return made


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("transduction") / "run"
    return folder, export_all(model, folder, batch=TEXTS, formats=("savedmodel", "keras"))


def test_it_takes_and_gives_strings(model, exported):
    folder, done = exported
    assert sorted(path.name for path in folder.iterdir()) == ["model.keras", "savedmodel"]
    assert done["savedmodel"].inputs == {"source": "string (n,)"}
    assert done["savedmodel"].outputs == {"text": "string (n,)", "log_probability": "float32 (n,)"}
    serve = tf.saved_model.load(str(folder / "savedmodel")).signatures["serving_default"]
    texts = [*TEXTS, "erögerögerögerögerögerög"]
    answer = serve(source=tf.constant(texts))
    written = [text.decode() for text in answer["text"].numpy()]
    assert written == model.transduce(texts) and len(set(written)) > 1 and set("".join(written)) & set("大é")
    again = model.transducer.predict_on_batch(model.encode(texts))["log_probability"]
    np.testing.assert_allclose(answer["log_probability"], again, rtol=1e-4)
    assert serve(source=tf.constant([b"g\xff"]))["text"].numpy()[0].decode() == model.transduce(["g?"])[0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="each source must have one character or more"):
        serve(source=tf.constant(["g", ""]))


def test_the_lines_that_show_how_it_is_used_run(model, exported, capsys):
    _, done = exported
    exec(compile(done["savedmodel"].usage, "usage", "exec"), {})
    assert "größe" in done["savedmodel"].usage
    assert str([text.encode() for text in model.transduce(["größe"])]) in capsys.readouterr().out


def test_the_keras_file_is_the_trained_graph(model, exported):
    folder, done = exported
    assert done["keras"].inputs == {"source": "int32 (n, any)", "target": "int32 (n, any)"}
    assert zoo.load(folder / "model.keras").transduce(["größe"]) == model.transduce(["größe"])
    exec(compile(done["keras"].usage, "usage", "exec"), {})


def test_it_is_compared_on_texts_or_on_rows_of_code_points(model):
    served = serving(model, None, None, ["savedmodel"])
    rows = padded(["größe", "ß"])
    assert served.checked(rows) == served.checked(["größe", "ß"]) == ["größe", "ß"]
    assert len(served.checked(["g"] * 99)) == 32 and all(served.example())
    for wrong in ([], [""], np.zeros((2, 3), "int32")):
        with pytest.raises(ZooError, match="batch must be texts of one character or more"):
            served.checked(wrong)


def _answers(text, log_probability):
    """What the fresh process brings, of all texts and of the first one."""
    found = {"text": np.array(text), "log_probability": log_probability}
    parts = {"all": None, "one": 1}.items()
    return {f"0.{part}.{name}": value[:count] for part, count in parts for name, value in found.items()}


def test_what_does_not_write_like_the_model_is_refused(model, tmp_path):
    served = serving(model, None, None, ["savedmodel"])
    requests = served.requests(["größe", "g"], "savedmodel")
    written = model.transducer.predict_on_batch(model.encode(["größe", "g"]))["log_probability"]
    right = model.transduce(["größe", "g"])
    found = _answers(right, written)
    assert served.compare("savedmodel", requests, found) < 1e-4
    for text in ("大", "xyz"):
        with pytest.raises(ZooError, match=f"does not write like the model: it wrote '{text}' for 'größe'"):
            served.compare("savedmodel", requests, {**found, "0.all.text": np.array([text, right[1]])})
    with pytest.raises(ZooError, match="logarithms of probabilities differ by 0.5"):
        served.compare("savedmodel", requests, {**found, "0.one.log_probability": written[:1] - 0.5})


def test_a_text_that_another_could_replace_within_rounding_is_no_mistake(model):
    even = type(model).from_config(model.get_config())
    even.set_weights([0 * weight for weight in model.get_weights()])
    served = serving(even, None, None, ["savedmodel"])
    score = np.float32([-np.log(even.target_symbols.size)])
    assert served.compare("savedmodel", served.requests(["g"], "savedmodel"), _answers([""], score)) < 1e-5


@pytest.mark.parametrize("format", ["litert", "onnx"])
def test_files_of_numbers_are_refused(model, tmp_path, format):
    assert formats(model) == ("savedmodel",)
    with pytest.raises(ZooError, match=f"{format} files take numbers"):
        zoo.export(model, tmp_path / savedmodel.FILES[format], format=format)
    assert not list(tmp_path.iterdir())


def test_half_precision_is_compared_with_more_room():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = zoo.build("seq2seq", source_vocabulary="abc", target_vocabulary="xyz", units=4, embedding=3, longest=4)
    finally:
        keras.config.set_dtype_policy("float32")
    served = serving(half, None, None, ["savedmodel"])
    written = half.transducer.predict_on_batch(half.encode(["abc", "a"]))["log_probability"]
    found = _answers(half.transduce(["abc", "a"]), written)
    assert served.compare("savedmodel", served.requests(["abc", "a"], "savedmodel"), found) < 0.1
