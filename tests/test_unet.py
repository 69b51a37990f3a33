"""U-Net: the paper's figure 1, counts and sizes layer by layer; the padded form; what is refused."""

import math

import keras
import numpy as np
import pytest

import zoo
from zoo.bilinear_upsampling import BilinearUpSampling2D


@pytest.fixture(autouse=True)
def fresh():
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


def _sketch(name, **arguments):
    """The model without the memory of its weights."""
    with keras.StatelessScope(initialize_variables=False):
        return zoo.build(name, **arguments)


def _size(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


def _of_type(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


# Figure 1 from left to right: kind, side of the kernel, channels in and out, side of the map that comes out.
FIGURE_1 = [
    ("conv", 3, 1, 64, 570),
    ("conv", 3, 64, 64, 568),
    ("pool", 2, 64, 64, 284),
    ("conv", 3, 64, 128, 282),
    ("conv", 3, 128, 128, 280),
    ("pool", 2, 128, 128, 140),
    ("conv", 3, 128, 256, 138),
    ("conv", 3, 256, 256, 136),
    ("pool", 2, 256, 256, 68),
    ("conv", 3, 256, 512, 66),
    ("conv", 3, 512, 512, 64),
    ("pool", 2, 512, 512, 32),
    ("conv", 3, 512, 1024, 30),
    ("conv", 3, 1024, 1024, 28),
    ("up", 2, 1024, 512, 56),
    ("conv", 3, 1024, 512, 54),
    ("conv", 3, 512, 512, 52),
    ("up", 2, 512, 256, 104),
    ("conv", 3, 512, 256, 102),
    ("conv", 3, 256, 256, 100),
    ("up", 2, 256, 128, 200),
    ("conv", 3, 256, 128, 198),
    ("conv", 3, 128, 128, 196),
    ("up", 2, 128, 64, 392),
    ("conv", 3, 128, 64, 390),
    ("conv", 3, 64, 64, 388),
    ("conv", 1, 64, 2, 388),
]


def test_figure_1_layer_by_layer():
    model = _sketch("unet")
    kinds = {keras.layers.Conv2D: "conv", keras.layers.MaxPooling2D: "pool", keras.layers.Conv2DTranspose: "up"}
    layers = [layer for layer in model.layers if type(layer) in kinds]
    for layer, (kind, size, before, channels, side) in zip(layers, FIGURE_1, strict=True):
        assert kinds[type(layer)] == kind, layer.name
        assert layer.output.shape == (None, side, side, channels), layer.name
        parameters = 0 if kind == "pool" else size * size * before * channels + channels
        assert _size(layer.trainable_weights) == parameters, layer.name
    counts = [s * s * before * after + after for kind, s, before, after, _ in FIGURE_1 if kind != "pool"]
    assert sum(counts) == _size(model.trainable_weights) == 31_030_658


def test_skips_are_the_middle_of_the_way_down():
    model = _sketch("unet")
    for level, (before, side, channels) in enumerate(
        ((568, 392, 64), (280, 200, 128), (136, 104, 256), (64, 56, 512)), 1
    ):
        crop = model.get_layer(f"up{level}_crop")
        assert crop.input.shape[1:] == (before, before, channels)
        assert crop.output.shape[1:] == (side, side, channels)
        assert set(sum(crop.cropping, ())) == {(before - side) // 2}
        down, up = model.get_layer(f"up{level}_concat").input
        assert down is crop.output and up is model.get_layer(f"up{level}_conv").output


def test_the_end_of_the_contracting_path_drops_half():
    model = _sketch("unet")
    dropped = {layer.name: layer for layer in _of_type(model, keras.layers.Dropout)}
    assert list(dropped) == ["down4_dropout", "bottom_dropout"]
    assert {layer.rate for layer in dropped.values()} == {0.5}
    # What is dropped is dropped from the skip, too.
    assert model.get_layer("up4_crop").input is dropped["down4_dropout"].output
    assert not _of_type(_sketch("unet_same"), keras.layers.Dropout)


def test_weights_start_as_section_3_says():
    model = zoo.build("unet", input_shape=(44, 44, 3), width=48, depth=2)
    incoming = {"down2_2_conv": 9 * 96, "bottom_2_conv": 9 * 192, "up2_conv": 192, "up1_1_conv": 9 * 96, "up1_conv": 96}
    for name, nodes in incoming.items():
        kernel, bias = model.get_layer(name).get_weights()
        assert kernel.std() == pytest.approx(math.sqrt(2 / nodes), rel=0.02), name
        assert abs(kernel).max() > 2.5 * kernel.std()  # a Gaussian whose tails were not cut off
        assert not bias.any()


@pytest.mark.parametrize(("depth", "least"), [(1, 18), (2, 44), (3, 92), (4, 188)])
def test_the_smallest_images(depth, least):
    for side in (least, least + 2**depth):
        model = _sketch("unet", input_shape=(side, least, 1), width=1, depth=depth)
        lost = 12 * 2**depth - 8
        assert model.output_shape == (None, side - lost, least - lost, 2)
    with pytest.raises(zoo.ZooError, match=f"{least} or more.*Instead of {least - 2**depth}, {least} would do"):
        zoo.build("unet", input_shape=(least, least - 2**depth, 1), depth=depth)


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("unet", (512, 512, 1), "multiples of 16 plus 12.*Instead of 512, 508 or 524 would do"),
        ("unet", (572, 571, 1), "Instead of 571, 556 or 572 would do"),
        ("unet_same", (250, 256, 1), "multiples of 16, and 16 or more.*Instead of 250, 240 or 256 would do"),
        ("unet_same", (7, 16, 1), "Instead of 7, 16 would do"),
        ("unet_same", (None, 16, 1), "input_shape"),
        ("unet_same", (None, None, 0), "channels of input_shape must be an integer >= 1"),
        ("unet", (None, None, 1), "input_shape"),
    ],
)
def test_sizes_that_do_not_fit(name, shape, said):
    with pytest.raises(zoo.ZooError, match=said):
        zoo.build(name, input_shape=shape)


@pytest.mark.parametrize(
    "wrong",
    [
        dict(width=0),
        dict(depth=0),
        dict(dropout=1.0),
        dict(upsampling="cubic"),
        dict(batch_normalization=1),
        dict(residual="yes"),
        dict(momentum=1.0),
        dict(epsilon=-1),
    ],
)
def test_values_that_are_refused(wrong):
    with pytest.raises(zoo.ZooError, match=next(iter(wrong))):
        zoo.build("unet_same", **wrong)


def test_the_padded_form_keeps_every_size():
    model = _sketch("unet_same", num_classes=5, input_shape=(64, 96, 3), width=8)
    assert model.output_shape == (None, 64, 96, 5)
    for layer in _of_type(model, keras.layers.Concatenate):
        down, up = layer.input
        assert down.shape == up.shape
    assert model.get_layer("bottom_2_conv").output.shape == (None, 4, 6, 128)
    assert not _of_type(model, keras.layers.Cropping2D)


def test_batch_normalisation_takes_the_place_of_the_bias():
    model = _sketch("unet_same", width=2, depth=2, batch_normalization=True, residual=True)
    norms = _of_type(model, zoo.normalization.BatchNormalization)
    assert len(norms) == 15  # two convolutions and a shortcut in each of five stages
    for layer in _of_type(model, keras.layers.Conv2D):
        assert layer.use_bias == (layer.name == "output"), layer.name


def test_a_stage_with_a_shortcut():
    model = zoo.build("unet_same", input_shape=(4, 4, 1), width=3, depth=1, residual=True)
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 1)).astype("float32")

    def layer(name, value):
        return model.get_layer(f"down1_{name}")(value)

    first = layer("1_relu", layer("1_conv", x))
    expected = np.maximum(layer("2_conv", first) + layer("short_conv", x), 0)
    stage = keras.Model(model.get_layer("scaling").output, model.get_layer("down1_2_relu").output)
    np.testing.assert_allclose(stage(x), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("upsampling", "kinds"),
    [
        ("transposed", (keras.layers.Conv2DTranspose,)),
        ("bilinear", (BilinearUpSampling2D, keras.layers.Conv2D)),
        ("nearest", (keras.layers.UpSampling2D, keras.layers.Conv2D)),
    ],
)
def test_upsampling(upsampling, kinds):
    model = _sketch("unet_same", width=2, depth=2, upsampling=upsampling)
    _, up = model.get_layer("up1_concat").input
    before = model.get_layer("up2_2_relu").output
    for kind in reversed(kinds):
        operation = up._keras_history.operation
        assert type(operation) is kind
        up = operation.input
    assert up is before


def test_bilinear_doubling_of_unknown_size_is_that_of_keras():
    import tensorflow as tf

    ours, theirs = BilinearUpSampling2D(), keras.layers.UpSampling2D(2, interpolation="bilinear")
    free = tf.function(ours, input_signature=[tf.TensorSpec((None, None, None, 3))], autograph=False)
    for height, width in ((5, 4), (1, 3), (1, 1)):
        x = np.random.default_rng(0).normal(size=(2, height, width, 3)).astype("float32")
        np.testing.assert_allclose(free(x), theirs(x), atol=1e-6)
        np.testing.assert_array_equal(ours(x), theirs(x))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(ours), safe_mode=True)
    assert type(again) is BilinearUpSampling2D
    with pytest.raises(zoo.ZooError, match="interpolation must be 'bilinear'"):
        BilinearUpSampling2D(interpolation="nearest")
