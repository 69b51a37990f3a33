"""The first layer of the image models: its formula, its precision, and that its numbers go wherever weights go."""

import keras
import numpy as np
import pytest

import zoo
from zoo import savedmodel
from zoo.pixel_affine import PixelAffine
from zoo.plain import plain

MEAN = [-123.68, -116.779, -103.939]
TINY = {
    "alexnet_small": dict(input_shape=(15, 15, 3), width=1 / 8, dense=4),
    "vgg11_small": dict(input_shape=(32, 32, 3), width=1 / 16),
    "googlenet_small": dict(input_shape=(8, 8, 3), width=1 / 16),
    "resnet20": dict(input_shape=(8, 8, 3), blocks=1),
}


def _pixels(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_one_number_for_all_channels_is_keras_rescaling_to_the_bit(channels):
    pixels = _pixels(2, 16, 16, channels)
    expected = keras.layers.Rescaling(1 / 127.5, -1.0, dtype="float32")(pixels)
    for received in (pixels, pixels.astype("float32")):
        np.testing.assert_array_equal(PixelAffine()(received), expected)
    model = keras.Sequential([keras.Input((16, 16, channels)), PixelAffine()])
    np.testing.assert_array_equal(model.predict(pixels, verbose=0), expected)


def test_each_channel_has_its_own_numbers():
    pixels = _pixels(2, 4, 4, 3)
    found = PixelAffine([1.0, 2.0, 0.5], MEAN)(pixels)
    np.testing.assert_allclose(found, pixels * np.array([1.0, 2.0, 0.5]) + MEAN, atol=1e-4)
    vectors = PixelAffine(2.0, [1.0, 0.0])(np.array([[1, 2]], "int64"))
    np.testing.assert_array_equal(vectors, [[3.0, 4.0]])


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"])
def test_its_numbers_are_float32_under_every_policy(policy):
    keras.config.set_dtype_policy(policy)
    try:
        layer = PixelAffine(1 / 127.5, -1.0)
        half = PixelAffine(1 / 127.5, MEAN, dtype=policy)
        found, rounded = layer(_pixels(1, 4, 4, 3)), half(_pixels(1, 4, 4, 3))
    finally:
        keras.config.set_dtype_policy("float32")
    assert {variable.dtype for variable in (*layer.weights, *half.weights)} == {"float32"}
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    assert keras.backend.standardize_dtype(rounded.dtype) == half.compute_dtype != "float32"
    np.testing.assert_array_equal(found, PixelAffine()(_pixels(1, 4, 4, 3)))


def test_no_optimizer_moves_it():
    model = zoo.build("resnet20", num_classes=3, **TINY["resnet20"])
    model.compile(keras.optimizers.AdamW(0.1, weight_decay=0.5), "mse", run_eagerly=True)
    before = [variable.numpy() for variable in model.get_layer("scaling").weights]
    model.train_on_batch(_pixels(2, 8, 8, 3), np.zeros((2, 3)))
    for old, variable in zip(before, model.get_layer("scaling").weights, strict=True):
        np.testing.assert_array_equal(old, variable)


@pytest.mark.parametrize("name", TINY)
def test_the_image_models_begin_with_it(name):
    scaling = zoo.build(name, **TINY[name]).get_layer("scaling")
    assert isinstance(scaling, PixelAffine) and not scaling.trainable_weights
    np.testing.assert_array_equal(scaling.scale, np.full(3, 1 / 127.5, "float32"))
    np.testing.assert_array_equal(scaling.offset, [-1.0] * 3)


def test_the_papers_alexnet_begins_with_the_papers_range():
    scaling = zoo.build("alexnet_small", initializer="paper", **TINY["alexnet_small"]).get_layer("scaling")
    assert (scaling.scale.numpy() == 1).all() and (scaling.offset.numpy() == -127.5).all()


def _changed(name="resnet20", **more):
    model = zoo.build(name, **{**TINY[name], "num_classes": 4, **more})
    model.get_layer("scaling").scale.assign([0.01, 0.02, 0.03])
    model.get_layer("scaling").offset.assign([-1.0, 0.5, 2.0])
    return model


def test_its_numbers_are_saved_with_the_weights(tmp_path):
    model, pixels = _changed(), _pixels(2, 8, 8, 3)
    model.save(tmp_path / "model.keras")
    again = zoo.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.get_layer("scaling").offset, [-1.0, 0.5, 2.0])
    np.testing.assert_array_equal(again(pixels), model(pixels))
    start = PixelAffine.from_config(PixelAffine(2.0, MEAN).get_config())
    np.testing.assert_allclose(start(pixels), pixels * 2.0 + MEAN, atol=1e-4)


def test_saved_alone(tmp_path):
    model, pixels = keras.Sequential([keras.Input((4, 4, 3)), PixelAffine(name="scaling")]), _pixels(2, 4, 4, 3)
    model.get_layer("scaling").offset.assign([1.0, 2.0, 3.0])
    np.testing.assert_allclose(model(pixels), pixels / 127.5 + np.array([1, 2, 3]), rtol=1e-6)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(zoo.load(tmp_path / "model.keras")(pixels), model(pixels))


def test_in_layers_of_keras_alone_it_is_a_rescaling():
    model, pixels = _changed(shortcut="B"), _pixels(2, 8, 8, 3)
    copy = plain(model)
    scaling = copy.get_layer("scaling")
    assert type(scaling) is keras.layers.Rescaling and list(scaling.offset) == [-1.0, 0.5, 2.0]
    expected = keras.ops.convert_to_numpy(model(pixels))
    np.testing.assert_allclose(copy(pixels), expected, atol=1e-4 * np.abs(expected).max())


def test_its_numbers_are_exported(tmp_path):
    """Each file is compared with the model in a process without the zoo. The models' contract has SavedModels."""
    x = keras.Input((6, 6, 3))
    y = keras.layers.GlobalAveragePooling2D()(PixelAffine(1 / 58, [-2.1, -2.0, -1.8], name="scaling")(x))
    model = keras.Model(x, keras.layers.Dense(3)(y))
    model.get_layer("scaling").scale.assign([0.01, 0.02, 0.03])
    done = savedmodel.export_all(model, tmp_path, formats=("litert", "onnx"), batch=_pixels(4, 6, 6, 3))
    assert list(done) == ["litert", "onnx"]


@pytest.mark.parametrize("value", ["1", True, None, [], [1.0, "2"], float("nan"), [float("inf")]])
@pytest.mark.parametrize("name", ["scale", "offset"])
def test_refusals(name, value):
    with pytest.raises(zoo.ZooError, match=f"{name} must be a finite number, or a list of one for each channel"):
        PixelAffine(**{name: value})


def test_a_list_must_have_a_number_for_each_channel():
    with pytest.raises(zoo.ZooError, match="offset must be a number or a list of 1, one for each channel"):
        PixelAffine(offset=MEAN)(_pixels(1, 4, 4, 1))
