"""Loading: what was saved comes back, and a file that tries to run code is refused before Keras sees it."""

import json
import zipfile

import keras
import numpy as np
import pytest

import zoo.layers
from zoo.errors import ZooError
from zoo.loading import load

# TensorFlow's variables predate an argument of NumPy 2; Keras meets that whenever it saves.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

layers = keras.layers


def network():
    pixels = keras.Input((8, 8, 1), name="pixels")
    x = layers.Rescaling(1 / 255)(pixels)
    x = layers.Conv2D(3, 3, activation="relu", kernel_regularizer="l2", kernel_constraint="max_norm")(x)
    x = zoo.layers.Subsampling2D()(x)
    x = keras.ops.reshape(x * 2 + 1, (-1, 27))
    x = layers.Dense(4, activation=zoo.layers.scaled_tanh, kernel_initializer=zoo.layers.FanInUniform())(x)
    x = layers.BatchNormalization()(layers.PReLU()(layers.GaussianNoise(0.1)(x)))
    x = layers.Dense(4, activation=keras.activations.softplus)(layers.Dropout(0.3)(x))
    return keras.Model(pixels, {"logits": layers.Dense(3)(x), "features": x})


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    model = network()
    losses = {"logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True), "features": "mse"}
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), losses, metrics={"logits": ["accuracy"]})
    x = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1)).astype("float32")
    model.train_on_batch(x, {"logits": np.arange(8) % 3, "features": np.zeros((8, 4))})
    model.save(folder / "model.keras")
    return model, x, folder


def test_a_run_folder_and_a_file_give_the_model_back(saved):
    model, x, folder = saved
    for path in (folder, folder / "model.keras", str(folder / "model.keras")):
        again = load(path)
        for key, value in model(x).items():
            np.testing.assert_array_equal(value, again(x)[key])
    for old, new in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(old, new)
    assert again.loss is not None


def test_a_model_that_was_compiled_but_not_trained_loads(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    model.compile("adam", keras.losses.mean_squared_error, metrics=[keras.metrics.mean_absolute_error])
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(load(tmp_path).get_weights()[0], model.get_weights()[0])


@keras.saving.register_keras_serializable("somebody")
class Doubling(layers.Layer):
    def call(self, x):
        return 2 * x


def test_a_class_of_somebody_else_must_be_passed(tmp_path):
    x = keras.Input((4,))
    keras.Model(x, Doubling()(x)).save(tmp_path / "model.keras")
    with pytest.raises(ZooError, match="somebody>Doubling.*custom_objects"):
        load(tmp_path)
    assert load(tmp_path, custom_objects={"somebody>Doubling": Doubling})(np.ones((1, 4)))[0, 0] == 2


# --- hostile files -------------------------------------------------------------------------------------------------


def rewrite(source, target, change):
    """Copies a .keras file with its configuration changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                content = json.dumps(change(json.loads(content))).encode()
            new.writestr(name, content)
    return target


def replaced(layer):
    """A change that puts a layer's description in the place of the model's second one, and keeps its connections."""

    def change(config):
        old = config["config"]["layers"][1]
        config["config"]["layers"][1] = {**old, "registered_name": None, **layer}
        return config

    return change


def function(module, name, registered="function"):
    return {"class_name": "function", "module": module, "config": name, "registered_name": registered}


def activation(description):
    config = {"name": "rescaling", "activation": description}
    return {"module": "keras.layers", "class_name": "Activation", "config": config}


def attacks(marker):
    """Descriptions of a layer, each by a way that has run code, read a file or reached another package before."""
    touch = {"name": "rescaling", "function": function("os", "system"), "arguments": {"command": f"touch {marker}"}}
    fetch = {"name": "rescaling", "function": function("keras.utils", "get_file")}
    fetch["arguments"] = {"origin": "file:///etc/hostname", "fname": str(marker)}
    named = {"module": "keras.layers", "config": {"name": "rescaling"}}
    bytecode = {"class_name": "__lambda__", "config": {"value": ["AAAA", None, None]}}
    return {
        "lambda_os_system": {**named, "class_name": "Lambda", "config": touch},
        "lambda_get_file": {**named, "class_name": "Lambda", "config": fetch},
        "lambda_inner_module": {
            "module": "keras.src.layers.core.lambda_layer",
            "class_name": "Lambda",
            "config": touch,
        },
        "bare_bytecode": activation(bytecode),
        "activation_os_system": activation(function("os", "system")),
        "activation_eval": activation(function("builtins", "eval")),
        "activation_get_file": activation(function("keras.utils", "get_file")),
        "activation_unsafe": activation(function("keras.config", "enable_unsafe_deserialization")),
        "activation_load_model": activation(function("keras.saving", "load_model", "load_model")),
        "activation_deserialize": activation(function("keras.activations", "deserialize")),
        "class_os_system": {"module": "os", "class_name": "system", "config": {"command": f"touch {marker}"}},
        "class_popen": {"module": "subprocess", "class_name": "Popen", "config": {"args": ["touch", str(marker)]}},
        "class_file": {"module": "keras.src.utils.file_utils", "class_name": "File", "config": {"path": str(marker)}},
        "class_get_file": {
            "module": "keras.utils",
            "class_name": "get_file",
            "config": {"origin": "file:///etc/hosts"},
        },
        "callback": {"module": "keras.callbacks", "class_name": "CSVLogger", "config": {"filename": str(marker)}},
        "other_package": {**named, "module": "keras_hub.layers", "class_name": "ReversibleEmbedding"},
        "no_module": {**named, "module": None, "class_name": "Rescaling"},
        "zoo_not_registered": {**named, "module": "zoo.cli", "class_name": "main", "registered_name": "zoo>main"},
        "foreign_registered": {**named, "class_name": "Dropout", "registered_name": "evil>Dropout"},
        "saved_graph": {**named, "class_name": "TFSMLayer", "config": {"filepath": str(marker)}},
        "pickled_torch": {**named, "class_name": "TorchModuleWrapper", "config": {"module": "AAAA"}},
        "reads_a_file": {**named, "class_name": "StringLookup", "config": {"vocabulary": "/etc/hosts"}},
        "type_spec": {**named, "class_name": "__typespec__", "spec_name": "TensorSpec", "config": []},
        "nameless": {**named, "class_name": ["Rescaling"]},
    }


@pytest.mark.parametrize("attack", attacks("marker"))
def test_a_hostile_configuration_is_refused_before_keras_sees_it(saved, tmp_path, monkeypatch, attack):
    marker = tmp_path / "marker"
    path = rewrite(saved[2] / "model.keras", tmp_path / "evil.keras", replaced(attacks(marker)[attack]))
    called = []
    monkeypatch.setattr(keras.saving, "load_model", lambda *args, **kwargs: called.append(args))
    with pytest.raises(ZooError, match="is refused"):
        load(path)
    assert not called and not marker.exists()


def test_the_same_rewriting_without_an_attack_loads(saved, tmp_path):
    harmless = {
        "module": "keras.layers",
        "class_name": "Rescaling",
        "config": {"name": "rescaling", "scale": 2.0, "offset": 0.0},
    }
    path = rewrite(saved[2] / "model.keras", tmp_path / "good.keras", replaced(harmless))
    assert load(path).get_layer("rescaling").scale == 2


def test_bytecode_of_a_lambda_layer_does_not_run(tmp_path):
    marker, path = tmp_path / "marker", tmp_path / "model.keras"
    name = str(marker)
    x = keras.Input((4,))
    keras.Model(x, layers.Lambda(lambda x: (open(name, "w").close(), x)[1])(x)).save(path)
    marker.unlink()
    keras.config.enable_unsafe_deserialization()  # as any other code of the process may have done
    try:
        with pytest.raises(ZooError, match="Lambda, and it holds Python code"):
            load(path)
        assert not marker.exists()
        keras.saving.load_model(path)
        assert marker.exists(), "the file is no attack: this test shows nothing"
    finally:
        keras.src.backend.common.global_state.set_global_attribute("safe_mode_saving", None)


# --- damaged files -------------------------------------------------------------------------------------------------


def members(path, content, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def flipped(saved, path):
    content = bytearray((saved / "model.keras").read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def other_weights(saved, path):
    with zipfile.ZipFile(saved / "model.keras") as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    members(path, {**content, "model.weights.h5": b"not HDF5"})


WHOLE = {"metadata.json": "{}", "config.json": "{}", "model.weights.h5": ""}
DAMAGES = {
    "not_a_zip": (lambda saved, path: path.write_text("hello"), "damaged, or not a .keras file"),
    "empty": (lambda saved, path: path.write_bytes(b""), "damaged, or not a .keras file"),
    "cut": (lambda s, path: path.write_bytes((s / "model.keras").read_bytes()[:-9]), "damaged, or not a .keras file"),
    "flipped_byte": (flipped, "checksum of model.weights.h5|damaged"),
    "no_weights": (lambda saved, path: members(path, {"config.json": "{}"}), "holds config.json; a .keras file"),
    "more": (lambda saved, path: members(path, {**WHOLE, "../evil.py": ""}), "holds .*evil.py"),
    "no_json": (lambda saved, path: members(path, {**WHOLE, "config.json": "{"}), "JSONDecodeError"),
    "no_model": (lambda saved, path: members(path, WHOLE), "describes no model"),
    "deep": (lambda s, p: members(p, {**WHOLE, "config.json": "[" * 200_000}), "damaged, or not a .keras file"),
    "bomb": (
        lambda s, p: members(p, {**WHOLE, "config.json": b" " * 2**25}, zipfile.ZIP_DEFLATED),
        "config.json would unpack",
    ),
    "too_large": (lambda s, p: members(p, {**WHOLE, "metadata.json": b" " * 2**21}), "metadata.json would unpack"),
    "other_weights": (other_weights, "cannot be loaded"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named(saved, tmp_path, damage):
    make, message = DAMAGES[damage]
    path = tmp_path / "broken.keras"
    make(saved[2], path)
    with pytest.raises(ZooError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.keras", "there is no file"),
        ("model.h5", "can run code"),
        ("model.pkl", "can run code"),
        ("model.txt", "neither a run folder nor"),
        (".", "holds no model.keras"),
    ],
)
def test_what_is_not_a_model_file(tmp_path, name, message):
    if name not in (".", "missing.keras"):
        (tmp_path / name).write_text("x")
    with pytest.raises(ZooError, match=message):
        load(tmp_path / name)
