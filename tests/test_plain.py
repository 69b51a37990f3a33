"""What `zoo export --format keras` writes opens in a process that has Keras alone."""

import keras
import numpy as np
import pytest

import zoo
from zoo.plain import plain

OPEN = """
import sys
import keras, numpy as np
assert "zoo" not in sys.modules
model = keras.models.load_model(sys.argv[1])
assert not any(type(layer).__module__.startswith("zoo") for layer in model.layers)
np.save(sys.argv[2], model(np.load(sys.argv[3]), training=False))
"""
NETWORKS = {
    "resnet20": dict(blocks=1, shortcut="B", input_shape=(8, 8, 3)),
    "googlenet_small": dict(width=0.125, input_shape=(16, 16, 3)),
    "alexnet": dict(batch_normalization=True, width=0.1, dense=8, input_shape=(64, 64, 3)),
}


def moved(name):
    """A network whose batch statistics are not those it was born with."""
    keras.utils.set_random_seed(0)
    model = zoo.build(name, num_classes=4, **NETWORKS[name])
    draw = np.random.default_rng(1)
    model.set_weights([draw.uniform(0.5, 1.5, w.shape) if w.ndim == 1 else w for w in model.get_weights()])
    return model


@pytest.mark.parametrize("name", NETWORKS)
def test_the_copy_has_keras_layers_and_the_same_answers(name):
    model = moved(name)
    copy = plain(model)
    assert not any(type(layer).__module__.startswith("zoo") for layer in copy.layers)
    images = np.random.default_rng(2).integers(0, 256, (3, *model.input_shape[1:])).astype("float32")
    expected = keras.ops.convert_to_numpy(model(images, training=False))
    np.testing.assert_allclose(copy(images, training=False), expected, atol=1e-4 * max(1, np.abs(expected).max()))


def test_the_exported_file_opens_without_the_zoo(tmp_path, pythons):
    model = moved("resnet20")
    copy = plain(model)
    copy.save(tmp_path / "plain.keras")
    images = np.random.default_rng(2).integers(0, 256, (3, 8, 8, 3)).astype("float32")
    np.save(tmp_path / "images.npy", images)
    files = [str(tmp_path / name) for name in ("plain.keras", "answers.npy", "images.npy")]
    status, said = pythons.run(OPEN, *files)
    assert status == 0, said
    np.testing.assert_array_equal(np.load(tmp_path / "answers.npy"), copy(images, training=False))


@pytest.mark.parametrize(
    "name, layer",
    [("lenet5", "ConnectedConv2D.*RadialBasis"), ("resnet20", "ParameterFreeShortcut"), ("alexnet", "LocalResponse")],
)
def test_layers_that_keras_lacks_are_named(name, layer):
    options = dict(NETWORKS.get(name, {}))
    options.pop("batch_normalization", None)
    options.pop("shortcut", None)
    with pytest.raises(zoo.ZooError, match=f"{name} cannot be written in layers of Keras alone: it has .*{layer}"):
        plain(zoo.build(name, num_classes=4, **options))


def test_a_run_is_exported_beside_its_own_file(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import keras\nimport zoo\nfrom zoo.data import images\n\n\n"
        "def recipe(epochs=1):\n"
        '    """Args:\n        epochs: passes.\n    """\n'
        '    model = zoo.build("resnet20", blocks=1, shortcut="B", input_shape=(8, 8, 1))\n'
        '    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))\n'
        '    return zoo.Recipe(model, images("digits", 64), epochs)\n'
    )
    run = zoo.train("mine.py", folder="run", export=False, pictures=False, verbose=0).folder
    from zoo import savedmodel

    done = savedmodel.export_run(run, "keras")
    assert done.path.name == "plain.keras" and (run / "model.keras").is_file()
    again = keras.models.load_model(done.path)
    assert type(again.get_layer("stem_norm")) is keras.layers.BatchNormalization
