"""Judges: which layer they see with, what they are called, and that asking for one changes nothing else."""

import random

import keras
import numpy as np
import pytest

import zoo
import zoo.data
from zoo import runs
from zoo.errors import ZooError
from zoo.judging import BATCH, Judge, judge


@pytest.fixture(scope="module")
def digits():
    return judge("digits")


def saved(outputs, inputs, path="own.keras", name="own"):
    keras.Model(inputs, outputs, name=name).save(path)
    return judge(path)


def test_the_shipped_judges_are_those_classifiers(digits):
    assert digits.name == "lenet trained on digits, layer 'dense2' (84 features)"
    assert judge("mnist").name == "lenet trained on mnist, layer 'dense2' (84 features)"
    assert judge("cifar10").name == "resnet20 trained on cifar10, layer 'average' (64 features)"
    assert judge("fashion_mnist").labels[9] == "Ankle boot"


def test_features_are_what_the_last_layer_is_given(digits):
    data = zoo.data.images("digits", 64, seed=0)
    images, labels = data.test.arrays
    features, classes = digits.look(images)
    assert features.shape == (360, 84) and features.dtype == "float32" and len(images) > BATCH
    model = zoo.build("lenet", weights="digits")
    expected = np.concatenate(
        [zoo.features(model, digits.layer)(each)["dense2"] for each in (images[:256], images[256:])]
    )
    np.testing.assert_array_equal(features, expected)
    kernel, bias = model.get_layer("output").get_weights()
    np.testing.assert_array_equal(classes, (features @ kernel + bias).argmax(1))
    assert (classes == labels).mean() > 0.97
    np.testing.assert_array_equal(digits.features(images[:5].astype("float64")), digits.features(images[:5]))
    np.testing.assert_array_equal(digits.classes(images[:5]), classes[:5])
    assert digits.model.compiled is False and judge(digits) is digits


def test_a_run_and_its_file_are_judges(own_folder):
    model = zoo.build("mlp", input_shape=(4, 4, 1), hidden=(5, 3), num_classes=3)
    record = {"labels": ["cat", "dog", "emu"]}
    runs.create(own_folder / "run", record, "")
    model.save("run/model.keras")
    found = judge("run")
    assert found.labels == ("cat", "dog", "emu")
    hidden = model.get_layer("output").input._keras_history.operation.name
    assert (found.name, found.layer) == (f"mlp of run, layer '{hidden}' (3 features)", hidden)
    other = judge(own_folder / "run" / "model.keras")
    assert other.labels == ("0", "1", "2")
    images = np.random.default_rng(0).integers(0, 256, (7, 4, 4, 1))
    np.testing.assert_array_equal(found.features(images), other.features(images))


def test_heads_of_several_kinds():
    """Behind a softmax, in a dict beside others, used twice, in half precision, in a Sequential."""
    inputs = keras.Input((2, 2, 1))
    images = np.arange(12.0).reshape(3, 2, 2, 1)
    flat = keras.layers.Flatten(name="flat")(inputs)
    head = keras.layers.Dense(3, name="head")
    logits = head(flat)
    for outputs in (
        logits,
        keras.layers.Softmax()(keras.layers.Identity()(logits)),
        keras.layers.Activation("softmax")(logits),
        {"aux": keras.layers.Dense(2)(flat), "logits": logits},
    ):
        found = saved(outputs, inputs)
        assert found.name == "own of own.keras, layer 'flat' (4 features)" and found.model.inputs[0].shape[1:] == (
            2,
            2,
            1,
        )
        features, classes = found.look(images)
        np.testing.assert_array_equal(features, images.reshape(3, 4))
        np.testing.assert_array_equal(classes, np.asarray(logits_of(head, features)).argmax(1))
    doubled = keras.layers.Rescaling(2.0, name="doubled")(flat)
    shared = saved({"aux": head(flat), "logits": head(doubled)}, inputs)
    np.testing.assert_array_equal(shared.features(images), 2 * images.reshape(3, 4))
    half = keras.layers.Dense(5, dtype="bfloat16", name="half")(flat)
    assert saved(keras.layers.Dense(2)(half), inputs).features(images).dtype == "float32"
    model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten(name="row"), keras.layers.Dense(2)])
    model.save("sequential.keras")
    assert judge("sequential.keras").layer == "row"


def logits_of(head, features):
    kernel, bias = head.get_weights()
    return features @ kernel + bias


def test_asking_leaves_randomness_and_precision_alone():
    keras.utils.set_random_seed(5)
    before = random.getstate()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        found = judge("digits")
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    assert random.getstate() == before
    assert {layer.compute_dtype for layer in found.model.layers} == {"float32"}
    with pytest.raises(ZooError):
        judge("digit")
    assert random.getstate() == before


@pytest.mark.parametrize(
    "source, message",
    [
        ("fashion-mnist", "no judge named 'fashion-mnist'. Did you mean 'fashion_mnist'.*: 'cifar10', 'digits'"),
        ("svhn", "no judge named 'svhn'. Shipped are: .*the run folder or .keras file of a classifier"),
        ("runs/none", "no file or folder runs/none"),
        ("none.keras", "no file or folder none.keras"),
        ("", "the name of shipped weights, a run folder"),
        (3, "the name of shipped weights, a run folder, a .keras file or a Judge. Received: judge=3"),
    ],
)
def test_what_is_no_judge_is_refused(source, message):
    with pytest.raises(ZooError, match=message):
        judge(source)


def test_models_that_are_no_classifiers_are_refused():
    inputs, second = keras.Input((4, 4, 1)), keras.Input((2,))
    flat = keras.layers.Flatten()(inputs)
    conv = keras.layers.Conv2D(3, 1)(inputs)
    for outputs, given, what in (
        (conv, inputs, "ends in a Conv2D of shape"),
        (keras.layers.Dense(3)(inputs), inputs, r"Dense of shape \(None, 4, 4, 3\)"),
        (keras.layers.Dense(1)(flat), inputs, r"\(None, 1\)"),
        (keras.layers.Dense(3)(keras.layers.Concatenate()([flat, second])), [inputs, second], "with 2 input"),
        ({"a": keras.layers.Dense(3)(flat), "b": keras.layers.Dense(3)(flat)}, inputs, "must be named 'logits'"),
    ):
        with pytest.raises(ZooError, match=what):
            saved(outputs, given)


@pytest.mark.parametrize("shape", [(3, 8, 8), (8, 8, 1), (3, 9, 8, 1), (3, 8, 8, 3), (0, 8, 8, 1)])
def test_images_that_do_not_fit_are_refused(digits, shape):
    with pytest.raises(
        ZooError, match=r"lenet trained on digits.* takes images \(n, 8, 8, 1\).*Received: \(" + str(shape[0])
    ):
        digits.look(np.zeros(shape, "uint8"))


def test_images_of_any_size_where_the_judge_takes_them():
    inputs = keras.Input((None, None, 1))
    x = keras.layers.GlobalAveragePooling2D(name="mean")(inputs)
    found = saved(keras.layers.Dense(2)(x), inputs)
    assert isinstance(found, Judge)
    assert found.features(np.full((2, 3, 5, 1), 7)).tolist() == [[7.0], [7.0]]
    with pytest.raises(ZooError, match=r"takes images \(n, any, any, 1\)"):
        found.check(np.zeros((2, 3, 5, 3)))
