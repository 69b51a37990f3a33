"""Weights of a run or a file of the zoo: the same network again, or an error that names what differs."""

import json
import re

import keras
import numpy as np
import pytest

import zoo
from zoo import registry
from zoo.weights import trained

rng = np.random.default_rng(0)
AUXILIARY = dict(input_shape=(10, 10, 3), aux=True)
TABLE = dict(input_shape=(2,), num_classes=None, hidden=(3,), normalization=([0, 5], [1, 4]), target=(1.0, 2.0))


def tiny(name, **arguments):
    return {**registry.entry(name).tiny, **arguments}


def saved(name, path="other.keras", **arguments):
    """A model with weights that nothing starts with, and its file."""
    model = zoo.build(name, **tiny(name, **arguments))
    for variable in model.weights:
        variable.assign(rng.uniform(0.1, 1.0, variable.shape))
    model.save(path)
    return model


def values(model):
    return {variable.path: keras.ops.convert_to_numpy(variable.value) for variable in model.weights}


def moved(model, source):
    """The names of the layers that have the other model's weights; of each all, or none."""
    theirs = values(source)
    found = {}
    for path, value in values(model).items():
        same = path in theirs and value.shape == theirs[path].shape and (value == theirs[path]).all()
        found.setdefault(path.rpartition("/")[0], set()).add(bool(same))
    assert all(len(each) == 1 for each in found.values())
    return {layer for layer, each in found.items() if each == {True}}


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("resnet20", {}),
        ("lenet5", {}),
        ("alexnet", {}),
        ("vgg11_bn", {}),
        ("ensemble", {}),
        ("mlp", TABLE),
    ],
)
def test_the_same_network_answers_the_same(name, arguments):
    model = saved(name, **arguments)
    again = zoo.build(name, weights="other.keras", **tiny(name, **arguments))
    batch = rng.uniform(0, 255, (2, *model.input_shape[1:])).astype("float32")
    for a, b in zip(*(keras.tree.flatten(each(batch)) for each in (model, again)), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_shape_classes_and_epsilon_come_from_the_file():
    model = saved("resnet20", epsilon=0.01)
    again = zoo.build("resnet20", weights="other.keras", blocks=1)
    assert again.input_shape == (None, 8, 8, 1) and again.output_shape == (None, 3)
    assert moved(again, model) == {layer.name for layer in model.layers if layer.weights}
    assert again.get_layer("stem_norm").epsilon == 0.01
    with pytest.raises(zoo.ZooError, match="were trained with epsilon=0.01 .*Received: epsilon=0.1"):
        zoo.build("resnet20", weights="other.keras", blocks=1, epsilon=0.1)
    saved("mlp", **TABLE)
    assert trained.required(registry.entry("mlp"), "other.keras") == {"input_shape": (2,), "num_classes": None}


@pytest.mark.parametrize(
    "name, before, after, fresh",
    [
        ("resnet20", {}, dict(num_classes=5), {"output"}),
        ("resnet20", {}, dict(input_shape=(12, 9, 1)), set()),
        ("resnet20", {}, dict(include_top=False, pooling="avg"), set()),
        ("resnet20", {}, dict(momentum=0.5, zero_gamma=True), set()),
        ("vgg11", {}, dict(include_top=False), set()),
        ("vgg11", {}, dict(dropout=0.5), set()),
        ("lenet", {}, dict(input_shape=(6, 6, 1), upsample=2), set()),
        ("mlp", {}, dict(dropout=0.5, input_noise=0.1, l2=0.1, initializer="glorot"), set()),
        ("googlenet_small", AUXILIARY, dict(num_classes=4), {"output", "aux1", "aux2"}),
        ("googlenet_small", AUXILIARY, dict(aux=False), set()),
    ],
)
def test_what_may_differ(name, before, after, fresh):
    model = saved(name, **before)
    again = zoo.build(name, weights="other.keras", **tiny(name, **{**before, **after}))
    assert moved(again, model) == {layer.name for layer in again.layers if layer.weights} - fresh


def test_auxiliary_classifiers_that_the_file_lacks_keep_their_start():
    model = saved("googlenet_small", input_shape=(10, 10, 3))
    again = zoo.build("googlenet_small", weights="other.keras", **tiny("googlenet_small", **AUXILIARY))
    assert {layer.name for layer in again.layers if layer.weights} - moved(again, model) == {
        f"aux{number}{part}" for number in (1, 2) for part in ("_conv", "_conv_norm", "_fc", "")
    }


@pytest.mark.parametrize(
    "name, before, after, message",
    [
        (
            "resnet20",
            {},
            dict(shortcut="B"),
            "the file has no layer 'stage2_block1_short_conv'. What decides over this layer is shortcut",
        ),
        (
            "resnet20",
            dict(shortcut="C"),
            dict(shortcut="B"),
            "'stage1_block1_add' reads .*_short_norm' in the file, and .*'stem_relu' in the model.*shortcut",
        ),
        ("resnet20", dict(blocks=2), dict(blocks=1), "'stage2_block1_1_pad' reads 'stage1_block2_relu' in .*is blocks"),
        ("resnet20", {}, dict(preactivation=True), "the file has no layer 'stage1_block1_0_norm'.*preactivation"),
        ("resnet20", {}, dict(input_shape=(8, 8, 3)), r"'scaling' has scale \(1,\).*Its images are \(8, 8, 1\)"),
        (
            "resnet50",
            {},
            dict(strides_in="1x1"),
            r"'stage2_block1_1_conv' has strides=\[1, 1\] in the file.*strides_in",
        ),
        (
            "lenet",
            {},
            dict(activation="tanh"),
            "'conv1' has activation='relu' in the file.*activation='relu' would fit",
        ),
        ("lenet", {}, dict(pooling="average"), "'pool1' is MaxPooling2D in the file, and AveragePooling2D.*is pooling"),
        (
            "lenet",
            {},
            dict(input_shape=(16, 16, 1)),
            r"'dense1' has kernel \(16, 120\), bias \(120,\) in the file, and kernel \(64, 120\), bias \(120,\) in",
        ),
        ("vgg11", {}, dict(width=1 / 8), r"'block1_conv1' has kernel \(3, 3, 3, 4\), .*width"),
        ("vgg11", {}, dict(dense=8), r"'fc1' has kernel \(32, 16\), bias \(16,\) in the file, .*is dense"),
        ("ensemble", {}, dict(members=("perceptron",)), "'logits' reads 'member_0' and 'member_1' in the file"),
        (
            "ensemble",
            {},
            dict(arguments=dict(input_shape=(6, 6, 1), num_classes=3, activation="tanh"), members=("mlp", "mlp")),
            "the file has no layer 'member_0/dense1'",
        ),
        ("mlp", TABLE, dict(normalization=([0, 5], [1, 9])), r"'normalization' has variance=\[1.0, 4.0\] in the file"),
    ],
)
def test_another_network_is_refused_and_nothing_is_set(name, before, after, message):
    saved(name, **before)
    entry = registry.entry(name)
    model = zoo.build(name, **tiny(name, **{**before, **after}))
    start = model.get_weights()
    with pytest.raises(zoo.ZooError, match=message):
        trained.assign(model, entry, "other.keras")
    for a, b in zip(start, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_file_of_another_model_is_named():
    saved("perceptron")
    with pytest.raises(zoo.ZooError, match="no layer 'dense1'.*The file holds the network 'perceptron'"):
        zoo.build("mlp", weights="other.keras")


def test_a_run_is_read_by_its_folder_and_tells_how_its_recipe_was_called(own_folder):
    run = own_folder / "run"
    run.mkdir()
    model = saved("vgg11_small", run / "model.keras", width=1 / 8)
    (run / "recipe.json").write_text(json.dumps({"hyper": {"width": 0.125, "epochs": 3}}))
    again = zoo.build("vgg11_small", weights=run, width=1 / 8)
    assert moved(again, model) == {layer.name for layer in model.layers if layer.weights}
    with pytest.raises(zoo.ZooError, match=r"Its recipe was called with width=0\.125\. Its images"):
        zoo.build("vgg11_small", weights=run / "model.keras", width=1 / 16)


def test_scaling_that_was_saved_as_constants_becomes_variables():
    model = zoo.build("resnet20", **tiny("resnet20"))

    def clone(layer):
        if layer.name != "scaling":
            return type(layer).from_config(layer.get_config())
        return keras.layers.Rescaling(1 / 64, -0.5, dtype="float32", name="scaling")

    old = keras.models.clone_model(model, clone_function=clone)
    old.save("other.keras")
    again = zoo.build("resnet20", weights="other.keras", blocks=1)
    batch = rng.uniform(0, 255, (2, 8, 8, 1)).astype("float32")
    np.testing.assert_allclose(again(batch), old(batch), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(again.get_layer("scaling").scale, np.array([1 / 64], "float32"))


def test_files_are_opened_with_the_care_of_zoo_load(own_folder):
    with pytest.raises(zoo.ZooError, match=re.escape("holds no model.keras")):
        zoo.build("mlp", weights=own_folder)
    (own_folder / "other.keras").write_bytes(b"PK")
    with pytest.raises(zoo.ZooError, match="damaged"):
        zoo.build("mlp", weights="other.keras")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x), keras.layers.Dense(2)])
    model.save("other.keras")
    with pytest.raises(zoo.ZooError, match="it has a layer Lambda"):
        zoo.build("perceptron", weights="other.keras", input_shape=(3,))


def test_a_segmentation_network_for_another_size_and_other_classes(tmp_path):
    small = dict(width=2, depth=2, batch_normalization=True)
    model = zoo.build("unet_same", input_shape=(16, 16, 1), num_classes=3, **small)
    model.save(tmp_path / "model.keras")
    free = zoo.build("unet_same", input_shape=(None, None, 1), weights=tmp_path / "model.keras", **small)
    x = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 1), dtype=np.uint8)
    np.testing.assert_array_equal(free(x), model(x))
    other = zoo.build("unet_same", num_classes=5, weights=tmp_path / "model.keras", **small)
    assert other.output_shape == (None, 16, 16, 5)
    np.testing.assert_array_equal(other.get_layer("up1_2_conv").kernel, model.get_layer("up1_2_conv").kernel)
    with pytest.raises(zoo.ZooError, match="does not fit unet_same as built"):
        zoo.build("unet_same", width=3, depth=2, batch_normalization=True, weights=tmp_path / "model.keras")


def test_an_autoencoder(tmp_path):
    small = dict(input_shape=(6, 5, 1), hidden=(7,), code=3)
    model = zoo.build("autoencoder", **small)
    model.save(tmp_path / "model.keras")
    again = zoo.build("autoencoder", hidden=(7,), code=3, weights=tmp_path / "model.keras")
    x = np.random.default_rng(0).integers(0, 256, (2, 6, 5, 1), dtype=np.uint8)
    np.testing.assert_array_equal(again(x), model(x))
    with pytest.raises(zoo.ZooError, match="the layer 'encoder/code' has"):
        zoo.build("autoencoder", hidden=(7,), code=2, weights=tmp_path / "model.keras")
