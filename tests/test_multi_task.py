"""Multi-task heads: one trunk, a head for each task, and the recipe that trains both."""

import keras
import numpy as np
import pytest

import zoo
from recipes import multi_task_digits
from zoo import ZooError, report

SMALL = dict(input_shape=(12, 12, 1))


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


@pytest.mark.parametrize(
    "trunk, arguments, features",
    [
        ("lenet", SMALL, 84),
        ("lenet5", dict(input_shape=(8, 8, 1)), 84),
        ("mlp", dict(input_shape=(5,), hidden=(7,)), 7),
        ("perceptron", dict(input_shape=(6, 6, 1)), 36),
        ("vgg11", dict(input_shape=(32, 32, 3), width=1 / 16, dense=9), 9),
        ("googlenet_small", dict(input_shape=(8, 8, 3), width=1 / 8), 128),
        ("resnet20", dict(input_shape=(8, 8, 3), blocks=1), 64),
    ],
)
def test_all_heads_stand_on_the_features_of_any_trunk(trunk, arguments, features):
    model = zoo.build("multi_task", trunk=trunk, heads={"logits": 4, "size": 1, "kind": 3}, arguments=arguments)
    assert {name: tuple(output.shape) for name, output in model.output.items()} == {
        "logits": (None, 4),
        "size": (None, 1),
        "kind": (None, 3),
    }
    heads = {model.get_layer(name).input for name in model.output}
    assert len(heads) == 1 and heads.pop().shape == (None, features)
    # Nothing but the last layer is another.
    plain = zoo.build(trunk, num_classes=4, **arguments)
    assert model.count_params() - (features + 1) * 8 == plain.count_params() - plain.layers[-1].count_params()
    names = [layer.name for layer in model.layers]
    assert [name for name in names if name not in model.output] == [layer.name for layer in plain.layers[:-1]]


def test_the_trunk_learns_from_each_task_alone():
    model = zoo.build("multi_task", heads={"logits": 3, "parity": 2}, arguments=SMALL)
    images = np.random.default_rng(0).integers(0, 256, (8, 12, 12, 1), dtype=np.uint8)
    targets = {"logits": np.arange(8) % 3, "parity": np.arange(8) % 2}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for task, other in (("logits", "parity"), ("parity", "logits")):
        model.compile("sgd", dict.fromkeys(targets, loss), loss_weights={task: 1.0, other: 0.0}, run_eagerly=True)
        before = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
        model.train_on_batch(images, targets)
        moved = {
            name
            for name, weights in before.items()
            if any((a != b).any() for a, b in zip(weights, model.get_layer(name).get_weights(), strict=True))
        }
        assert {"conv1", "conv2", "dense1", "dense2", task} <= moved and other not in moved


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(trunk="lenett"), "no model named 'lenett'.*Did you mean 'lenet'"),
        (dict(trunk="surface"), "trunk must be the name of a classification model"),
        (dict(trunk="ensemble", arguments=dict(members=["mlp"] * 2)), "one layer from features .* to logits"),
        (dict(arguments=dict(num_classes=10)), "arguments must be without num_classes"),
        (dict(arguments=[1]), "arguments must be a dict"),
        (dict(arguments=dict(colour="red")), "no argument 'colour'"),
        (dict(heads={"digit": 10}), 'heads must be a dict .* with "logits" among them'),
        (dict(heads=("logits", 10)), "heads must be a dict"),
        (dict(heads={"logits": 0}), r"heads\['logits'\] must be an integer >= 1"),
        (dict(heads={"logits": 10, "is odd": 2}), "each name of heads must be a word"),
        (dict(heads={"logits": 10, "dense1": 2}), "named otherwise than layers of lenet: dense1"),
        (
            dict(trunk="resnet20", arguments=dict(include_top=False, input_shape=(8, 8, 3), blocks=1)),
            "one layer from features",
        ),
        (
            dict(trunk="googlenet_small", arguments=dict(aux=True, input_shape=(16, 16, 3), width=1 / 8)),
            "one layer from features",
        ),
    ],
)
def test_what_cannot_be_shared_is_refused(arguments, message):
    with pytest.raises(ZooError, match=message):
        zoo.build("multi_task", **arguments)


def test_the_recipe_maps_both_targets_and_weighs_both_losses():
    built = multi_task_digits.recipe(parity=0.25)
    stream = built.data.train
    x, y = stream.batch(epoch=0, step=0)
    again, tensors = next(iter(stream.open()))
    np.testing.assert_array_equal(x, again)
    assert set(y) == {"logits", "parity"}
    np.testing.assert_array_equal(y["parity"], y["logits"] % 2)
    for name in y:
        np.testing.assert_array_equal(y[name], tensors[name])
    scores = built.model.evaluate(x, y, verbose=0, return_dict=True)
    assert scores["loss"] == pytest.approx(scores["logits_loss"] + 0.25 * scores["parity_loss"], rel=1e-5)


def test_a_run_reports_both_accuracies_and_shows_the_trunk(tmp_path):
    result = zoo.train("multi_task_digits", epochs=6, verbose=0, folder=tmp_path / "run", export=False)
    assert result.metrics["test_logits_accuracy"] > 0.8 and result.metrics["test_parity_accuracy"] > 0.8
    names = {"filters.png", "features.png", "gradcam.png", "confused.png"}
    assert names < {path.name for path in result.folder.iterdir()}
    for name in names:
        (result.folder / name).unlink()
    assert names < {path.name for path in report.redraw(result.folder)}
