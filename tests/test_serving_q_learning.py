"""Exports of agents: raw observations to actions and their values, without the zoo."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import zoo
from zoo import ZooError, savedmodel
from zoo.savedmodel import export_all
from zoo.serving import formats, serving

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

NAMES = ("left", "right", "größer als")
RANDOM = np.random.default_rng(0)


def moved(name, **options):
    """A model whose values differ from action to action."""
    model = zoo.build(name, **options)
    for i, weight in enumerate(model.network.weights):
        weight.assign(np.random.default_rng(i).normal(size=weight.shape))
    return model


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    model = moved("q_table", states=5, actions=3)
    folder = tmp_path_factory.mktemp("agent") / "run"
    return model, folder, export_all(model, folder, NAMES, formats=("savedmodel", "litert", "onnx", "keras"))


def test_states_to_actions(table):
    model, folder, done = table
    wanted = np.asarray(model(np.arange(5)))
    signatures = tf.saved_model.load(str(folder / "savedmodel")).signatures
    answer = signatures["serving_default"](observation=tf.range(5))
    assert answer["action"].dtype == tf.int64 and answer["action"].numpy().tolist() == wanted.argmax(1).tolist()
    np.testing.assert_array_equal(answer["q_values"], wanted)
    assert [name.decode() for name in signatures["labels"]()["labels"].numpy()] == list(NAMES)
    for wrong in (-1, 5):
        with pytest.raises(tf.errors.InvalidArgumentError, match="each observation must be a state, 0 to 4"):
            signatures["serving_default"](observation=tf.constant([0, wrong]))


def test_every_format_takes_states_and_says_how_it_is_used(table, capsys):
    model, folder, done = table
    assert sorted(done) == ["keras", "litert", "onnx", "savedmodel"]
    for format in ("savedmodel", "litert", "onnx"):
        assert done[format].inputs == {"observation": "int32 (n,)"}
        assert done[format].outputs == {"action": "int64 (n,)", "q_values": "float32 (n, 3)"}
        assert done[format].difference < 1e-6
    assert done["keras"].outputs == {"q_values": "float32 (n, 3)"}
    best = int(np.asarray(model(np.array([0]))).argmax())
    for each in done.values():
        exec(compile(each.usage, "usage", "exec"), {})
    assert capsys.readouterr().out.count(f"[{best}]") == 3


def test_a_predictor_answers_with_the_action(table, tmp_path):
    model, folder, _ = table
    values = np.asarray(model(np.arange(5)))
    predictor = zoo.Predictor(folder)
    assert predictor.labels == NAMES and predictor.input_shape == ()
    answers = predictor([3, 0, 4])
    assert [answer.action for answer in answers] == [NAMES[i] for i in values.argmax(1)[[3, 0, 4]]]
    np.testing.assert_allclose([answer.value for answer in answers], values.max(1)[[3, 0, 4]], rtol=1e-6)
    assert predictor(3) == answers[:1]
    np.testing.assert_allclose(predictor.outputs(np.arange(5)), values, rtol=1e-6)
    (tmp_path / "states.csv").write_text("state\n4\n0\n")
    found = zoo.predict(folder, [tmp_path / "states.csv"])
    assert [each["action"] for each in found] == [answers[2].action, answers[1].action]
    assert found[0]["file"].endswith("states.csv:2")


@pytest.mark.parametrize(
    "inputs, message",
    [
        (5, "inputs must be states that the model knows. Received: 5 to 5"),
        ([0, -1], "inputs must be states that the model knows. Received: -1 to 0"),
        (1.5, "inputs must be states, whole numbers"),
        ([[1]], r"inputs must be of shape \(n,\)"),
        (np.nan, "inputs must be finite numbers"),
    ],
)
def test_states_that_there_are_not(table, inputs, message):
    with pytest.raises(ZooError, match=message):
        zoo.Predictor(table[1])(inputs)


def litert(model, path, batch):
    """A LiteRT file's answers, and it is left at `path`."""
    served = serving(model, None, None, ["litert"])
    savedmodel._litert(served, path)
    interpreter = Interpreter(str(path))
    source = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(source["index"], batch.shape)
    return interpreter.get_signature_runner()(observation=batch)


@pytest.mark.parametrize("features", ["tiles", "polynomial", "rbf", "fourier"])
def test_features_are_computed_alike_where_there_are_numbers_alone(features, tmp_path):
    model = moved("q_linear", features=features, tilings=4, tiles=3)
    served = serving(model, None, None, ["litert"])
    batch = np.concatenate([served.example(), [(-1.2, 0), (-0.3, 0), (0.6, 0.07)]]).astype("float32")
    answer = litert(model, tmp_path / "model.tflite", batch)
    wanted = np.asarray(model(batch))
    np.testing.assert_allclose(answer["q_values"], wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(answer["action"], wanted.argmax(1))
    inside = served.example()
    assert (inside >= (-1.2, -0.07)).all() and (inside <= (0.6, 0.07)).all() and len(np.unique(inside[:, 1])) > 4


def test_frames_are_bytes(tmp_path):
    model = moved("nature_dqn", observation_shape=(36, 36, 2), actions=3, hidden=4)
    batch = RANDOM.integers(0, 256, (3, 36, 36, 2), dtype=np.uint8)
    answer, wanted = litert(model, tmp_path / "model.tflite", batch), np.asarray(model(batch))
    np.testing.assert_allclose(answer["q_values"], wanted, atol=1e-5 * np.abs(wanted).max())
    assert formats(model) == ("savedmodel", "litert")
    predictor = zoo.Predictor(tmp_path / "model.tflite")
    assert predictor.labels == ("0", "1", "2")
    assert [answer.action for answer in predictor(batch)] == [str(i) for i in wanted.argmax(1)]
    with pytest.raises(ZooError, match=r"takes observations of shape \(36, 36, 2\), not image files"):
        predictor.images(["a.png"])


def test_a_model_of_states_answers_with_their_value(tmp_path):
    model = moved("q_table", states=4, actions=1)
    served = serving(model, NAMES, None, ["litert"])
    assert served.labels == () and served.outputs("litert") == {"value": "float32 (n,)"}
    batch = np.arange(4, dtype="int32")
    np.testing.assert_allclose(litert(model, tmp_path / "model.tflite", batch)["value"], model(batch)[:, 0], rtol=1e-6)
    (answer,) = zoo.Predictor(tmp_path / "model.tflite")(2)
    assert answer.value == pytest.approx(float(model(batch)[2, 0]))
    assert list(served.expected("serving_default", {"observation": batch}, "litert")) == ["value"]


def test_an_action_must_be_one_of_the_best_within_rounding():
    model = zoo.build("q_table", states=2, actions=3)
    served = serving(model, None, None, ["litert"])
    requests = served.requests(np.array([0, 1], "int32"), "litert")

    def answers(values, action):
        found = {"q_values": np.array(values, "float32"), "action": np.array(action)}
        return {
            f"0.{part}.{name}": each[:count] for name, each in found.items() for part, count in (("all", 2), ("one", 1))
        }

    even = np.zeros((2, 3))
    assert served.compare("litert", requests, answers(even, [2, 1])) == 0
    assert served.compare("litert", requests, answers(even + [0, 0, 1e-7], [2, 1])) < 1e-6
    for wrong in ([3, 0], [-1, 0], [0.0, 0.0]):
        with pytest.raises(ZooError, match="litert export's actions are not those of its highest values"):
            served.compare("litert", requests, answers(even, wrong))
    model.network.get_layer("values").set_weights([np.array([[0, 1, 0], [0, 0, 1.0]])])
    right = np.asarray(model(np.arange(2)))
    with pytest.raises(ZooError, match="litert export's actions are not those of its highest values"):
        served.compare("litert", requests, answers(right, [1, 0]))
    with pytest.raises(ZooError, match="q_values differ by 1"):
        served.compare("litert", requests, answers(even, [1, 2]))


def test_half_precision_is_written_in_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = moved("dueling_dqn", actions=3, hidden=(8,), stream=8)
    finally:
        keras.config.set_dtype_policy("float32")
    served = serving(model, None, None, ["litert"])
    batch = served.example()
    answer = litert(model, tmp_path / "model.tflite", batch)
    (wanted, slack), _ = *served.expected("serving_default", {"observation": batch}, "litert").values(), None
    np.testing.assert_allclose(answer["q_values"], wanted, atol=slack)
    assert slack < 1e-3 * np.abs(wanted).max() and "bfloat16" in {layer.compute_dtype for layer in model.network.layers}


def test_what_is_refused_before_any_work(tmp_path):
    model = zoo.build("q_table", states=5, actions=3)
    with pytest.raises(ZooError, match="values 3 actions, labels must name each. Received: 2 labels"):
        zoo.export(model, tmp_path / "served", ("a", "b"))
    with pytest.raises(ZooError, match="batch must be states, 0 to 4"):
        zoo.export(model, tmp_path / "served", batch=np.array([0, 5]))
    with pytest.raises(ZooError, match="batch must be raw input"):
        zoo.export(model, tmp_path / "served", batch=np.array([0.5]))
    assert not list(tmp_path.iterdir())
    assert serving(model, None, None, []).example().tolist() == [0, 1, 2, 3, 4]
