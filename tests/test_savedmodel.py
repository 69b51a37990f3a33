"""Export: raw input in, named answers out, equal to the model where the zoo is not; all or nothing on disk."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import zoo
from zoo import _fresh, _staging, savedmodel
from zoo.errors import ZooError
from zoo.serving import base

# TensorFlow's variables predate an argument of NumPy 2; Keras meets that whenever it saves.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

layers = keras.layers
LABELS = ("cat", "dog", "größer als")
IMAGES = np.random.default_rng(1).integers(0, 256, (9, 8, 8, 3), dtype=np.uint8)


def classifier(extra=None):
    """Images to a dict of logits and an output that only training needs."""
    keras.utils.set_random_seed(1)
    x = pixels = keras.Input((8, 8, 3), name="pixels")
    x = layers.Rescaling(1 / 255, dtype="float32")(x)
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, activation="relu")(x))
    x = layers.Dropout(0.5)(layers.Flatten()(layers.MaxPooling2D()(x)))
    x = extra(x) if extra else x
    auxiliary = layers.Dense(2, name="auxiliary")(x)
    logits = layers.Dense(3, kernel_initializer="random_normal", dtype="float32", name="logits")(x)
    return keras.Model(pixels, {"auxiliary": auxiliary, "logits": logits})


def probabilities(model, x):
    return keras.ops.convert_to_numpy(keras.ops.softmax(model(x.astype("float32"), training=False)["logits"]))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A trained classifier in every format, in a folder that did not exist; checked by a process as users have it."""
    folder = tmp_path_factory.mktemp("exported") / "new" / "run"
    model = classifier()
    losses = {"auxiliary": "mse", "logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}
    model.compile("adam", losses)
    model.train_on_batch(IMAGES.astype("float32"), {"auxiliary": np.zeros((9, 2)), "logits": np.arange(9) % 3})
    formats = ("savedmodel", "litert", "onnx", "keras")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_fresh, "subprocess", subprocess)
        return model, folder, savedmodel.export_all(model, folder, LABELS, formats, batch=IMAGES)


def test_the_folder_holds_the_exports_and_nothing_else(exported):
    _, folder, results = exported
    names = ["labels.txt", "model.keras", "model.onnx", "model.tflite", "savedmodel"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert [result.path.name for result in results.values()] == [
        "savedmodel",
        "model.tflite",
        "model.onnx",
        "model.keras",
    ]
    assert (folder / "labels.txt").read_text(encoding="utf-8").splitlines() == list(LABELS)


def test_the_difference_is_that_of_rounding(exported):
    _, _, results = exported
    assert 0 < max(result.difference for result in results.values()) < 1e-5
    assert results["keras"].difference == 0


@pytest.mark.parametrize("count", [1, 9])
def test_savedmodel_answers_by_name(exported, count):
    model, folder, results = exported
    answer = tf.saved_model.load(folder / "savedmodel").signatures["serving_default"](image=tf.constant(IMAGES[:count]))
    expected = probabilities(model, IMAGES[:count])
    assert {name: (each.dtype, each.shape) for name, each in answer.items()} == {
        "label": (tf.string, (count,)),
        "probability": (tf.float32, (count,)),
        "probabilities": (tf.float32, (count, 3)),
    }
    assert sorted(answer) == sorted(results["savedmodel"].outputs)
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
    np.testing.assert_allclose(answer["probability"], expected.max(-1), atol=1e-6)
    assert [name.decode() for name in answer["label"].numpy()] == [LABELS[i] for i in expected.argmax(-1)]


def test_savedmodel_takes_raw_bytes_only(exported):
    _, folder, results = exported
    serve = tf.saved_model.load(folder / "savedmodel").signatures["serving_default"]
    (spec,) = serve.structured_input_signature[1].values()
    assert (spec.dtype, spec.shape.as_list()) == (tf.uint8, [None, 8, 8, 3])
    assert results["savedmodel"].inputs == {"image": "uint8 (n, 8, 8, 3)"}


def test_savedmodel_tracks_what_its_graph_reads_and_no_more(exported):
    _, folder, _ = exported
    stored = {name for name, _ in tf.train.list_variables(folder / "savedmodel" / "variables" / "variables")}
    # Convolution 2, batch normalisation 4, logits 2: no auxiliary head, no optimizer, no state of the dropout.
    assert len([name for name in stored if name.startswith("read/")]) == 8
    assert stored - {name for name in stored if name.startswith("read/")} == {"_CHECKPOINTABLE_OBJECT_GRAPH"}


@pytest.mark.parametrize("format", ["savedmodel", "litert", "onnx", "keras"])
def test_the_lines_of_usage_run_as_they_stand(exported, capsys, format):
    _, _, results = exported
    assert len(results[format].usage.splitlines()) <= 4
    exec(results[format].usage, {})
    assert capsys.readouterr().out
    assert results[format].usage in str(results[format])


def test_the_text_of_the_results_ends_with_how_to_use_the_first(exported):
    _, folder, results = exported
    assert str(results).rstrip().endswith(results["savedmodel"].usage)
    assert str(folder / "model.tflite") in str(results)


def test_savedmodel_runs_where_there_is_no_zoo(exported, pythons):
    _, _, results = exported
    code = results["savedmodel"].usage + "\nimport sys; assert 'zoo' not in sys.modules"
    status, said = pythons.run(code)
    assert status == 0, said
    assert any(label in said for label in ("cat", "dog"))


@pytest.mark.parametrize("count", [1, 2, 9])
def test_litert_answers_any_batch(exported, count):
    model, folder, _ = exported
    interpreter = Interpreter(str(folder / "model.tflite"))
    assert interpreter.get_signature_list() == {"serving_default": {"inputs": ["image"], "outputs": ["probabilities"]}}
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert source["dtype"] == np.uint8
    interpreter.resize_tensor_input(source["index"], (count, 8, 8, 3))
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], IMAGES[:count])
    interpreter.invoke()
    np.testing.assert_allclose(interpreter.get_tensor(target["index"]), probabilities(model, IMAGES[:count]), atol=1e-5)


def test_numeric_formats_carry_the_labels(exported):
    onnx = pytest.importorskip("onnx")
    _, folder, _ = exported
    with zipfile.ZipFile(folder / "model.tflite") as archive:
        assert archive.read("labels.txt").decode().splitlines() == list(LABELS)
    proto = onnx.load(folder / "model.onnx")
    assert {each.key: each.value for each in proto.metadata_props} == {"labels": "\n".join(LABELS)}


def test_keras_file_is_the_whole_model(exported):
    model, folder, _ = exported
    again = zoo.load(folder)
    for key, value in model(IMAGES).items():
        np.testing.assert_array_equal(value, again(IMAGES)[key])
    assert again.optimizer.iterations == 1


def test_regression_answers_with_values(tmp_path):
    x = features = keras.Input((4,))
    x = layers.Dense(8, activation="tanh")(layers.Normalization(mean=[1, 2, 3, 4], variance=[1, 4, 9, 16])(x))
    model = keras.Model(features, layers.Rescaling(250.0, 3000.0)(layers.Dense(1)(x)))
    names = ("width", "height", "depth", "weight")
    rows = np.random.default_rng(0).normal(size=(5, 4))  # float64, as a table is read
    formats = ("savedmodel", "litert", "onnx")
    results = savedmodel.export_all(model, tmp_path / "run", features=names, formats=formats, batch=rows)
    rows = rows.astype("float32")
    answer = tf.saved_model.load(tmp_path / "run" / "savedmodel").signatures["serving_default"](features=rows)
    assert list(answer) == ["value"] and answer["value"].shape == (5,)
    np.testing.assert_allclose(answer["value"], model(rows)[:, 0], rtol=1e-5)
    assert results["litert"].inputs == {"features": "float32 (n, 4)"}
    assert results["litert"].outputs == {"value": "float32 (n,)"}
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["model.onnx", "model.tflite", "savedmodel"]
    with zipfile.ZipFile(tmp_path / "run" / "model.tflite") as archive:
        assert archive.read("features.txt").decode().splitlines() == list(names)
    for result in results.values():
        exec(result.usage, {})


def test_a_half_precision_model_is_served_too(tmp_path):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = classifier()
    finally:
        keras.config.set_dtype_policy(before)
    results = savedmodel.export_all(model, tmp_path, batch=IMAGES, formats=("savedmodel", "litert", "onnx"))
    assert results["savedmodel"].difference < 0.02
    # LiteRT and ONNX compute in float32, with the same weights.
    assert results["litert"].difference < 1e-5 and results["onnx"].difference < 1e-5
    (details,) = Interpreter(str(tmp_path / "model.tflite")).get_output_details()
    assert details["dtype"] == np.float32
    assert "bfloat16" in {layer.compute_dtype for layer in model.layers}


# --- all or nothing ------------------------------------------------------------------------------------------------


class Unexportable(layers.Layer):
    """Works op by op, not in a graph."""

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, x.dtype)

    def call(self, x):
        if not hasattr(x, "numpy"):
            raise RuntimeError("I am not for graphs")
        return x


class Deceiving(layers.Layer):
    """Computes something else in a graph."""

    def call(self, x):
        return x + 0.0 if hasattr(x, "numpy") else x * 1.1


def entries(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("format", ["savedmodel", "litert"])
def test_a_model_that_cannot_be_written_leaves_nothing(tmp_path, format):
    with pytest.raises(ZooError, match=rf"(?s)cannot be written as {format}.*not for graphs"):
        savedmodel.export_all(classifier(Unexportable()), tmp_path / "a" / "b", formats=(format,))
    assert entries(tmp_path) == []


def test_a_file_that_answers_otherwise_leaves_nothing(tmp_path):
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(ZooError, match="does not answer like the model: probabilities differ by"):
        zoo.export(classifier(Deceiving()), tmp_path / "model.tflite", format="litert", batch=IMAGES)
    assert entries(tmp_path) == ["mine"]


def test_a_file_that_does_not_run_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(savedmodel, "_litert", lambda serving, path: path.write_text("no model"))
    with pytest.raises(ZooError, match="does not run in a fresh process(.|\n)*Error"):
        zoo.export(classifier(), tmp_path / "model.tflite", format="litert")
    assert entries(tmp_path) == []


def test_an_interrupted_export_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(savedmodel, "_litert", interrupted)
    with pytest.raises(KeyboardInterrupt):
        zoo.export(classifier(), tmp_path / "new" / "model.tflite", format="litert")
    assert entries(tmp_path) == []


def test_a_model_with_nan_is_not_exported(tmp_path):
    model = classifier()
    model.get_layer("logits").kernel.assign(np.full(model.get_layer("logits").kernel.shape, np.nan))
    with pytest.raises(ZooError, match="the model itself answers with NaN"):
        zoo.export(model, tmp_path / "model.tflite", format="litert")
    assert entries(tmp_path) == []


def test_keras_file_that_forgets_something_is_refused(tmp_path):
    model = classifier(Forgetful(3.0))
    with pytest.raises(ZooError, match="get_config forgets"):
        zoo.export(model, tmp_path / "model.keras", format="keras")
    assert entries(tmp_path) == []


@keras.saving.register_keras_serializable("somebody")
class Forgetful(layers.Layer):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def get_config(self):
        return {key: value for key, value in super().get_config().items() if key != "factor"}

    def call(self, x):
        return self.factor * x


def test_existing_files_are_kept_unless_they_may_go(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_text("old")
    with pytest.raises(ZooError, match="there already.*overwrite=True"):
        zoo.export(classifier(), path, format="litert")
    with pytest.raises(ZooError, match="does not answer"):
        zoo.export(classifier(Deceiving()), path, format="litert", batch=IMAGES, overwrite=True)
    assert path.read_text() == "old"
    zoo.export(classifier(), path, LABELS, format="litert", overwrite=True)
    assert entries(tmp_path) == ["model.tflite", "model.tflite.labels.txt"]
    assert path.read_bytes()[4:8] == b"TFL3"


def test_overwriting_never_removes_a_folder_of_something_else(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis").write_text("years of work")
    with pytest.raises(ZooError, match="holds no SavedModel"):
        zoo.export(classifier(), tmp_path / "home", overwrite=True)
    assert entries(tmp_path) == ["home", "home/thesis"]


def test_staged_files_replace_all_or_none(tmp_path):
    targets = [tmp_path / "folder", tmp_path / "file", tmp_path / "stale"]
    targets[0].mkdir()
    (targets[0] / "saved_model.pb").write_text("old")
    targets[1].write_text("old")
    targets[2].write_text("old")
    with _staging.staged(targets) as scratch:
        (scratch / "folder").mkdir()
        (scratch / "folder" / "saved_model.pb").write_text("new")
        (scratch / "file").write_text("new")
    assert entries(tmp_path) == ["file", "folder", "folder/saved_model.pb"]
    assert (tmp_path / "file").read_text() == (tmp_path / "folder" / "saved_model.pb").read_text() == "new"


def test_a_failing_rename_puts_everything_back(tmp_path, monkeypatch):
    targets = [tmp_path / "first", tmp_path / "second"]
    targets[0].write_text("old")
    rename = Path.rename

    def failing(self, target):
        if Path(target) == targets[1]:
            raise OSError("no space")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="no space"), _staging.staged(targets) as scratch:
        for target in targets:
            (scratch / target.name).write_text("new")
    assert entries(tmp_path) == ["first"] and targets[0].read_text() == "old"


# --- refused before any work ---------------------------------------------------------------------------------------


@pytest.fixture
def idle(monkeypatch, tmp_path):
    """Fails when anything is started, and sees that nothing was written."""
    monkeypatch.setattr(_fresh.subprocess, "Popen", lambda *args, **kwargs: pytest.fail("a process was started"))
    yield
    assert entries(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(format="tflite"), "format must be one of 'savedmodel', 'litert', 'onnx', 'keras'"),
        (dict(path="model.onx", format="onnx"), "ends in '.onnx'"),
        (dict(path="model", format="keras"), "ends in '.keras'"),
        (dict(labels=("cat", "dog")), "3 classes.*Received: 2 labels"),
        (dict(labels=("cat", "dog", "a\nb")), "labels must be names of one line"),
        (dict(features=("a", "b")), "Received: 2 names of features"),
        (dict(batch=np.zeros((2, 9, 8, 3))), "batch must be raw input"),
        (dict(batch=IMAGES / 255), "batch must be raw input"),
        (dict(batch=IMAGES + np.nan), "batch must be raw input"),
    ],
)
def test_bad_arguments(idle, tmp_path, arguments, message):
    path = tmp_path / arguments.pop("path", "served")
    with pytest.raises(ZooError, match=message):
        zoo.export(classifier(), path, **arguments)


def unbuilt():
    return keras.Sequential([layers.Dense(2)])


def unnamed():
    x = keras.Input((4,))
    return keras.Model(x, {"a": layers.Dense(2)(x), "b": layers.Dense(2)(x)})


def two_inputs():
    x, y = keras.Input((4,)), keras.Input((4,))
    return keras.Model([x, y], layers.Dense(2)(x + y))


def sequences():
    x = keras.Input((4, 4))
    return keras.Model(x, layers.Dense(3)(x))


def value():
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(1)(x))


@pytest.mark.parametrize(
    ("model", "labels", "message"),
    [
        (unbuilt, None, "not a built Functional model"),
        (lambda: "lenet", None, "'lenet' is not a built Functional model"),
        (unnamed, None, "must be named 'logits'"),
        (two_inputs, None, "one input of known shape"),
        (sequences, None, r"output is logits \(batch, classes\)"),
        (value, ("yes",), "one output, a value"),
    ],
)
def test_models_that_cannot_be_served(idle, tmp_path, model, labels, message):
    with pytest.raises(ZooError, match=message):
        zoo.export(model(), tmp_path / "served", labels)


def test_onnx_without_its_packages_names_the_extra(idle, tmp_path, monkeypatch):
    monkeypatch.setattr(base.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ZooError, match=r"onnx, tf2onnx, onnxruntime.*pip install keras-zoo\[onnx\]"):
        zoo.export(classifier(), tmp_path / "model.onnx", format="onnx")


def test_another_backend_is_told_what_to_do(idle, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ZooError, match="KERAS_BACKEND=tensorflow zoo export"):
        zoo.export(classifier(), tmp_path / "served")


# --- the process without zoo ---------------------------------------------------------------------------------------


def test_the_check_fails_when_zoo_is_imported(exported, tmp_path):
    _, folder, _ = exported
    np.savez(tmp_path / "x.npz", image=IMAGES)
    job = {"format": "litert", "path": str(folder / "model.tflite"), "answers": str(tmp_path / "y.npz")}
    line = json.dumps([{**job, "requests": [["serving_default", str(tmp_path / "x.npz")]]}]) + "\n"
    for first, code in (("", 0), ("import zoo\n", 1)):
        script = f"import runpy\n{first}runpy.run_path({str(_fresh.SCRIPT)!r}, run_name='__main__')"
        command = [sys.executable, "-c", script, "litert"]
        done = subprocess.run(command, input=line, capture_output=True, text=True, cwd=Path(zoo.__file__).parent.parent)
        assert done.returncode == code, done.stderr
        assert ("it proves nothing" in done.stderr) == bool(code)


def test_export_says_nothing(tmp_path, capfd):
    zoo.export(classifier(), tmp_path / "model.tflite", format="litert")
    out, err = capfd.readouterr()
    assert out == "" and err == ""
