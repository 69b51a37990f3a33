"""Ensembles: the mean of probabilities, members of every kind, and bagging in one fit."""

import keras
import numpy as np
import pytest

import zoo
from zoo import ZooError

SMALL = dict(num_classes=3, input_shape=(6, 6, 1))
PIXELS = np.random.default_rng(0).integers(0, 256, (24, 6, 6, 1), "uint8")
LABELS = (np.arange(24) % 3).astype("int32")


def _numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def _probabilities(logits):
    return _numpy(keras.ops.softmax(logits, axis=-1))


def _bagging(**arguments):
    return zoo.build("ensemble", member_outputs=True, arguments=SMALL, **arguments)


def test_softmax_of_the_logits_is_the_mean_of_the_members_probabilities():
    members = [zoo.build(name, **SMALL) for name in ("perceptron", "mlp", "mlp")]
    model = zoo.build("ensemble", members=members)
    expected = np.mean([_probabilities(member(PIXELS)) for member in members], axis=0)
    np.testing.assert_allclose(_probabilities(model(PIXELS)), expected, atol=1e-6)
    np.testing.assert_allclose(_numpy(model(PIXELS)), np.log(expected), atol=1e-5)


def test_a_name_given_twice_gets_weights_of_its_own():
    model = zoo.build("ensemble", members=("perceptron", "perceptron"), arguments=SMALL)
    first, second = model.get_layer("member_0"), model.get_layer("member_1")
    assert model.count_params() == 2 * zoo.build("perceptron", **SMALL).count_params()
    assert (first.get_weights()[0] != second.get_weights()[0]).any()


def test_default_is_five_of_lenet():
    model = zoo.build("ensemble")
    assert model.count_params() == 5 * 61_706 and model.output_shape == (None, 10)


def test_trained_members_are_copied_and_stay_as_they_are():
    member = zoo.build("mlp", **SMALL)
    before = [weights.copy() for weights in member.get_weights()]
    model = zoo.build("ensemble", members=[member, member, "perceptron"], arguments=SMALL)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(PIXELS, LABELS, epochs=2, verbose=0)
    assert member.name == "mlp"
    assert all((a == b).all() for a, b in zip(before, member.get_weights(), strict=True))
    assert all((a != b).any() for a, b in zip(before, model.get_layer("member_1").get_weights(), strict=True))


def test_arguments_for_each_member():
    model = zoo.build(
        "ensemble", members=("mlp", "mlp"), arguments=[{**SMALL, "hidden": (4,)}, {**SMALL, "hidden": ()}]
    )
    assert model.get_layer("member_0").count_params() == 36 * 4 + 4 + 4 * 3 + 3
    assert model.get_layer("member_1").count_params() == 36 * 3 + 3


def test_an_ensemble_may_be_a_member():
    inner = _bagging(members=("perceptron", "mlp"))
    model = zoo.build("ensemble", members=[inner])
    np.testing.assert_allclose(_numpy(model(PIXELS)), _numpy(inner(PIXELS)["logits"]), atol=1e-5)


def test_member_outputs():
    model = _bagging(members=("perceptron",) * 11)
    outputs = model(PIXELS)
    assert set(outputs) == {"logits", *(f"member_{i}" for i in range(11))}
    for index in (0, 2, 10):
        np.testing.assert_array_equal(
            _numpy(outputs[f"member_{index}"]), _numpy(model.get_layer(f"member_{index}")(PIXELS))
        )
    expected = np.mean([_probabilities(outputs[f"member_{i}"]) for i in range(11)], axis=0)
    np.testing.assert_allclose(_probabilities(outputs["logits"]), expected, atol=1e-6)


def _resamples(model, chosen):
    """Data for one fit in which only the member `chosen` has a resample that is not empty."""
    import tensorflow as tf

    labels = {name: LABELS for name in model.output}
    weights = {name: np.full(24, float(name in (chosen, "logits")), "float32") for name in model.output}
    return tf.data.Dataset.from_tensor_slices((PIXELS, labels, weights)).batch(8)


@pytest.mark.parametrize("chosen", ["member_0", "member_2", "member_10"])
def test_one_fit_trains_each_member_on_its_own_weights(chosen):
    model = _bagging(members=("perceptron",) * 11)
    members = [name for name in model.output if name != "logits"]
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss={name: cross_entropy for name in members}, metrics={"logits": ["accuracy"]})
    before = {name: model.get_layer(name).get_weights()[0].copy() for name in members}
    history = model.fit(_resamples(model, chosen), verbose=0, shuffle=False).history
    changed = [name for name in members if (model.get_layer(name).get_weights()[0] != before[name]).any()]
    assert changed == [chosen]
    assert "logits_accuracy" in history and history[f"{chosen}_loss"][0] > 0


def test_through_a_file(tmp_path):
    model = _bagging(members=["perceptron", zoo.build("mlp", dropout=0.5, **SMALL), "mlp"])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    expected, found = model(PIXELS), loaded(PIXELS)
    assert set(found) == set(expected)
    assert all((_numpy(found[name]) == _numpy(expected[name])).all() for name in expected)


def test_lenet5_gives_logits_too():
    model = zoo.build("ensemble", members=("lenet5", "lenet"), arguments=dict(input_shape=(28, 28, 1)))
    np.testing.assert_allclose(_probabilities(model(np.zeros((1, 28, 28, 1), "uint8"))).sum(), 1, rtol=1e-5)


def _two_inputs():
    first, second = keras.Input((3,)), keras.Input((3,))
    return keras.Model([first, second], keras.layers.Dense(3)(first + second))


def _softmax(last):
    inputs = keras.Input((6, 6, 1))
    return keras.Model(inputs, last(keras.layers.Flatten()(inputs)))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(members=()), "members must be a list of names"),
        (dict(members="lenet"), "members must be a list of names"),
        (dict(members=("lenett",)), "no model named 'lenett'.*Did you mean 'lenet'"),
        (dict(members=(3,)), r"members\[0\] must be a model's name"),
        (dict(members=(keras.Sequential(),)), r"members\[0\] must be a model's name or a Functional"),
        (dict(arguments=3), "arguments must be a dict, or a list of dicts"),
        (dict(members=("mlp", "mlp"), arguments=[{}]), "list of 2 dicts"),
        (dict(members=("mlp",), arguments=dict(activatoin="relu")), "no argument 'activatoin'"),
        (dict(member_outputs=1), "member_outputs must be True or False"),
        (dict(members=("lenet", "lenet5")), r"same input shape.*\(28, 28, 1\).*\(32, 32, 1\)"),
        (dict(members=("mlp", "mlp"), arguments=[{}, SMALL]), "same input shape"),
        (dict(members=("mlp", "mlp"), arguments=[{}, dict(num_classes=3)]), "same number of classes.*10.*3"),
        (dict(members=("mlp",), arguments=dict(num_classes=None)), r"logits \(batch, classes\)"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ZooError, match=message):
        zoo.build("ensemble", **arguments)


def test_refuses_models_that_are_not_classifiers_with_logits():
    with pytest.raises(ZooError, match="one input and logits"):
        zoo.build("ensemble", members=[_two_inputs()])
    for last in (keras.layers.Dense(3, activation="softmax"), keras.layers.Softmax()):
        with pytest.raises(ZooError, match="must end in logits"):
            zoo.build("ensemble", members=[_softmax(last)])


def test_refuses_arguments_for_a_member_that_is_built():
    with pytest.raises(ZooError, match=r"arguments must be \{\} for members\[0\]"):
        zoo.build("ensemble", members=[zoo.build("mlp", **SMALL)], arguments=[dict(num_classes=3)])
