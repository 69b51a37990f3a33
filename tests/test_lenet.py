"""LeNet: the paper's counts, table, scaling and centres; what goes in, and what is refused."""

import itertools

import keras
import numpy as np
import pytest

import zoo
from zoo import ZooError
from zoo.losses import RadialBasisLoss
from zoo.models import lenet


def _until(model, layer, pixels):
    """What a layer of the model gives for raw pixels."""
    return keras.ops.convert_to_numpy(keras.Model(model.inputs[0], model.get_layer(layer).output)(pixels))


def test_lenet5_has_the_papers_parameters_layer_by_layer():
    model = zoo.build("lenet5")
    counts = {layer.name: layer.count_params() for layer in model.layers if layer.count_params()}
    assert counts == {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48_120, "f6": 10_164}
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == 60_000


def test_lenet5_has_the_papers_shapes():
    model = zoo.build("lenet5")
    shapes = {
        "c1": (28, 28, 6),
        "s2": (14, 14, 6),
        "c3": (10, 10, 16),
        "s4": (5, 5, 16),
        "c5": (1, 1, 120),
        "f6": (84,),
    }
    for name, shape in shapes.items():
        assert model.get_layer(name).output.shape[1:] == shape
    assert model.output_shape == (None, 10)


def test_connections_are_those_that_the_paper_describes():
    """Its words: the first six maps see every contiguous subset of three, the next six of four, then some of four."""
    found = [set(sources) for sources in lenet.connections()]
    assert found[:6] == [{k % 6 for k in range(i, i + 3)} for i in range(6)]
    assert found[6:12] == [{k % 6 for k in range(i, i + 4)} for i in range(6)]
    assert [len(sources) for sources in found[12:]] == [4, 4, 4, 6]
    assert len({frozenset(sources) for sources in found}) == 16
    assert all(sum(source in sources for sources in found) == 10 for source in range(6))


def test_bitmaps_are_ten_different_digits():
    bitmaps = np.array(lenet.bitmaps())
    assert bitmaps.shape == (10, 84) and set(bitmaps.ravel()) == {-1.0, 1.0}
    distances = [((a - b) ** 2).sum() for a, b in itertools.combinations(bitmaps, 2)]
    assert (min(distances), max(distances)) == (52, 260)  # as the docstring says
    seven = bitmaps[7].reshape(12, 7)
    assert (seven[0] == 1).all() and (seven[-1] == [-1, -1, 1, 1, -1, -1, -1]).all()


def test_lenet5_scales_as_the_paper_and_pads_with_background():
    pixels = np.full((1, 28, 26, 1), 255, "uint8")
    scaled = _until(zoo.build("lenet5", input_shape=(28, 26, 1)), "scaling", pixels)
    assert scaled.shape == (1, 32, 32, 1)
    np.testing.assert_allclose(scaled[0, 2:30, 3:29], 1.175, atol=1e-6)
    scaled[0, 2:30, 3:29] = -0.1
    np.testing.assert_allclose(scaled, -0.1, atol=1e-6)


def test_lenet5_enlarges_before_it_pads():
    model = zoo.build("lenet5", input_shape=(8, 8, 1), upsample=3)
    pixels = np.zeros((1, 8, 8, 1), "uint8")
    pixels[0, 2, 5] = 255
    ink = _until(model, "scaling", pixels)[0, :, :, 0] + 0.1
    assert ink.shape == (32, 32)
    assert np.unravel_index(ink.argmax(), ink.shape) == (4 + 3 * 2 + 1, 4 + 3 * 5 + 1)
    np.testing.assert_allclose(ink.max(), 1.275, atol=1e-5)
    np.testing.assert_allclose(ink.sum(), 9 * 1.275, rtol=1e-3)


def test_lenet5_is_the_distance_to_the_bitmaps():
    model = zoo.build("lenet5")
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), "uint8")
    f6 = _until(model, "f6", pixels)
    expected = -((f6[:, None] - np.array(lenet.bitmaps())) ** 2).sum(-1)
    np.testing.assert_allclose(_until(model, "output", pixels), expected, rtol=1e-5)


def test_lenet5_takes_the_first_digits():
    assert zoo.build("lenet5", num_classes=4).get_layer("output").centers == lenet.bitmaps()[:4]


def test_lenet5_starts_within_the_papers_range():
    model = zoo.build("lenet5")
    for name, fan_in in {"c1": 25, "c5": 400, "f6": 120}.items():
        kernel, bias = model.get_layer(name).get_weights()
        assert 0.9 * 2.4 / fan_in < np.abs(kernel).max() <= 2.4 / fan_in
        assert not bias.any()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_lenet5_measures_distances_in_full_precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = zoo.build("lenet5", input_shape=(8, 8, 1), upsample=4)
    finally:
        keras.config.set_dtype_policy(before)
    assert model.get_layer("f6").compute_dtype == policy.removeprefix("mixed_")
    logits = model(np.full((2, 8, 8, 1), 255, "uint8"))
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert np.isfinite(keras.ops.convert_to_numpy(logits)).all()


def test_lenet5_learns_with_the_papers_loss():
    keras.utils.set_random_seed(0)
    labels = np.arange(40, dtype="int32") % 10
    pixels = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 1), "uint8")
    model = zoo.build("lenet5", input_shape=(16, 16, 1))
    model.compile(keras.optimizers.Adam(0.006), RadialBasisLoss(), metrics=["accuracy"])
    model.fit(np.tile(pixels, (50, 1, 1, 1)), np.tile(labels, 50), batch_size=40, epochs=3, verbose=0)
    assert model.evaluate(pixels, labels, verbose=0, return_dict=True)["accuracy"] == 1.0


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(num_classes=11), "num_classes must be 2..10.*'lenet' takes any number"),
        (dict(num_classes=1), "num_classes must be an integer >= 2"),
        (dict(num_classes=10.0), "num_classes must be an integer >= 2"),
        (dict(input_shape=(32, 32, 3)), r"input_shape must be \(height, width, 1\).*any number of channels"),
        (dict(input_shape=(33, 32, 1)), "at most 32 x 32"),
        (dict(input_shape=(28, 28, 1), upsample=2), "at most 32 x 32.*upsample=2"),
        (dict(input_shape=(28, 28)), r"input_shape must be \(height, width, channels\)"),
        (dict(input_shape=(28, None, 1)), r"input_shape must be \(height, width, channels\)"),
        (dict(upsample=0), "upsample must be an integer >= 1"),
    ],
)
def test_lenet5_refuses(arguments, message):
    with pytest.raises(ZooError, match=message):
        zoo.build("lenet5", **arguments)


def test_lenet_has_the_course_books_shapes_and_count():
    model = zoo.build("lenet", activation="sigmoid", pooling="average")
    assert model.count_params() == 61_706
    shapes = {"conv1": (28, 28, 6), "pool1": (14, 14, 6), "conv2": (10, 10, 16), "pool2": (5, 5, 16), "flatten": (400,)}
    for name, shape in shapes.items():
        assert model.get_layer(name).output.shape[1:] == shape
    assert isinstance(model.get_layer("pool1"), keras.layers.AveragePooling2D)
    for name in ("conv1", "conv2", "dense1", "dense2"):
        assert model.get_layer(name).activation is keras.activations.sigmoid


def test_lenet_on_padded_images_is_the_same_network():
    assert zoo.build("lenet", input_shape=(32, 32, 1), padding="valid").count_params() == 61_706


def test_lenet_scales_to_one():
    pixels = np.array([0, 51, 255] * 48, "uint8").reshape(1, 12, 12, 1)
    np.testing.assert_allclose(_until(zoo.build("lenet", input_shape=(12, 12, 1)), "scaling", pixels), pixels / 255.0)


@pytest.mark.parametrize(
    "arguments",
    [
        dict(input_shape=(12, 12, 1)),
        dict(input_shape=(16, 16, 1), padding="valid"),
        dict(input_shape=(8, 8, 1), upsample=2, padding="valid"),
        dict(input_shape=(40, 30, 3), activation="tanh", pooling="average"),
    ],
)
def test_lenet_takes(arguments):
    model = zoo.build("lenet", num_classes=3, **arguments)
    pixels = np.random.default_rng(0).integers(0, 256, (2, *arguments["input_shape"]), "uint8")
    logits = keras.ops.convert_to_numpy(model(pixels))
    assert logits.shape == (2, 3) and np.isfinite(logits).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(num_classes=1), "num_classes must be an integer >= 2"),
        (dict(input_shape=(11, 28, 1)), "at least 12 x 12.*upsample=2 makes"),
        (dict(input_shape=(15, 15, 1), padding="valid"), "at least 16 x 16"),
        (dict(input_shape=(5, 5, 1), upsample=2), "at least 12 x 12.*upsample=3 makes"),
        (dict(input_shape=(784,)), r"input_shape must be \(height, width, channels\)"),
        (dict(activation="rely"), "activation must be one of.*Did you mean 'relu'"),
        (dict(pooling="mean"), "pooling must be one of 'max', 'average'"),
        (dict(padding="full"), "padding must be one of 'same', 'valid'"),
        (dict(upsample=1.5), "upsample must be an integer >= 1"),
    ],
)
def test_lenet_refuses(arguments, message):
    with pytest.raises(ZooError, match=message):
        zoo.build("lenet", **arguments)
