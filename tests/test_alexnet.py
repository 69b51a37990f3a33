"""AlexNet: the papers' counts and shapes layer by layer, its first weights, what goes in, and what is refused."""

import keras
import numpy as np
import pytest

import zoo
from zoo.catalogue import ENTRIES

FORMS = [entry for entry in ENTRIES if entry.family == "alexnet"]


@pytest.fixture(autouse=True)
def fresh():
    # Also forgets the sketches' weights, which would otherwise be made when the next scope ends.
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


def _sketch(name, **arguments):
    """The model without the memory of its weights."""
    with keras.StatelessScope(initialize_variables=False):
        return zoo.build(name, **arguments)


def _counts(model):
    return {
        layer.name: sum(int(np.prod(weight.shape)) for weight in layer.weights)
        for layer in model.layers
        if layer.trainable_weights
    }


def _shapes(model, *names):
    return [tuple(model.get_layer(name).output.shape[1:]) for name in names]


def _pixels(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_two_towers_have_the_papers_parameters_layer_by_layer():
    """Section 3.5: kernels of 11x11x3, 5x5x48, 3x3x256, 3x3x192, 3x3x192; 4096 units in each dense layer."""
    counts = _counts(_sketch("alexnet"))
    assert counts == {
        "conv1": 96 * 11 * 11 * 3 + 96,
        "conv2": 256 * 5 * 5 * 48 + 256,
        "conv3": 384 * 3 * 3 * 256 + 384,
        "conv4": 384 * 3 * 3 * 192 + 384,
        "conv5": 256 * 3 * 3 * 192 + 256,
        "fc1": 6 * 6 * 256 * 4096 + 4096,
        "fc2": 4096 * 4096 + 4096,
        "output": 4096 * 1000 + 1000,
    }
    assert sum(counts.values()) == 60_965_224


def test_two_towers_have_the_papers_shapes():
    model = _sketch("alexnet")
    names = "conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5", "fc1", "fc2", "output"
    assert _shapes(model, *names) == [
        (55, 55, 96),
        (27, 27, 96),
        (27, 27, 256),
        (13, 13, 256),
        (13, 13, 384),
        (13, 13, 384),
        (13, 13, 256),
        (6, 6, 256),
        (4096,),
        (4096,),
        (1000,),
    ]


def test_two_towers_have_the_papers_order():
    """Section 3.3: response normalisation "after applying the ReLU nonlinearity"; 3.5: pooling follows it."""
    layers = [layer.name for layer in _sketch("alexnet").layers]
    first, second = layers.index("conv1"), layers.index("conv2")
    assert layers[first : first + 4] == ["conv1", "conv1_relu", "conv1_response", "pool1"]
    assert layers[second : second + 4] == ["conv2", "conv2_relu", "conv2_response", "pool2"]
    assert sum("response" in name for name in layers) == 2
    assert layers[-7:] == ["fc1", "fc1_relu", "fc1_dropout", "fc2", "fc2_relu", "fc2_dropout", "output"]


def test_the_towers_meet_in_the_third_convolution_only():
    model = _sketch("alexnet")
    assert [model.get_layer(f"conv{number}").groups for number in (1, 2, 3, 4, 5)] == [1, 2, 1, 2, 2]
    single = _sketch("alexnet_single")
    assert {single.get_layer(f"conv{number}").groups for number in (1, 2, 3, 4, 5)} == {1}


def test_single_tower_has_torchvisions_parameters_layer_by_layer():
    counts = _counts(_sketch("alexnet_single"))
    assert list(counts.values()) == [23_296, 307_392, 663_936, 884_992, 590_080, 37_752_832, 16_781_312, 4_097_000]
    assert sum(counts.values()) == 61_100_840


def test_single_tower_averages_larger_images_to_six_by_six():
    model = _sketch("alexnet_single", input_shape=(224, 288, 3))
    assert _shapes(model, "pool5", "average") == [(6, 8, 256), (6, 6, 256)]
    assert _counts(model) == _counts(_sketch("alexnet_single"))
    for size, features in ((224, 6 * 6 * 256), (63, 256)):
        model = _sketch("alexnet_single", input_shape=(size, size, 3))
        assert "average" not in [layer.name for layer in model.layers]
        assert _shapes(model, "flatten") == [(features,)]


def test_fashion_form_has_the_courses_shapes_and_parameters():
    model = _sketch("alexnet_fashion")
    names = "conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5", "flatten", "output"
    assert [shape[0] for shape in _shapes(model, *names)] == [54, 26, 26, 12, 12, 12, 12, 5, 6400, 10]
    assert list(_counts(model).values()) == [
        11_712,
        614_656,
        885_120,
        1_327_488,
        884_992,
        26_218_496,
        16_781_312,
        40_970,
    ]


def test_fashion_form_takes_the_data_sets_own_pixels():
    resized = _sketch("alexnet_fashion", input_shape=(28, 28, 1), resize=224)
    assert resized.input_shape == (None, 28, 28, 1)
    assert _counts(resized) == _counts(_sketch("alexnet_fashion"))


def test_resizing_is_the_bilinear_one_before_everything_else():
    small = dict(num_classes=3, dense=4)
    inside = zoo.build("alexnet_fashion", input_shape=(28, 20, 1), resize=65, **small)
    outside = zoo.build("alexnet_fashion", input_shape=(65, 65, 1), **small)
    outside.set_weights(inside.get_weights())
    pixels = _pixels(2, 28, 20, 1)
    enlarged = keras.ops.image.resize(pixels.astype("float32"), (65, 65), interpolation="bilinear")
    np.testing.assert_allclose(inside(pixels), outside(enlarged), rtol=1e-4, atol=1e-5)


def test_small_form_is_one_of_the_papers_towers():
    model = _sketch("alexnet_small", batch_normalization=False)
    assert _shapes(model, "conv1", "pool1", "conv2", "pool2", "conv5", "pool5") == [
        (32, 32, 48),
        (15, 15, 48),
        (15, 15, 128),
        (7, 7, 128),
        (7, 7, 128),
        (3, 3, 128),
    ]
    towers = [model.get_layer(f"conv{number}").filters * 2 for number in (1, 2, 3, 4, 5)]
    assert towers == [_sketch("alexnet").get_layer(f"conv{number}").filters for number in (1, 2, 3, 4, 5)]


def test_batch_normalisation_takes_the_place_of_biases_and_response_normalisation():
    plain, normalized = _sketch("alexnet"), _sketch("alexnet", batch_normalization=True)
    channels = 96 + 256 + 384 + 384 + 256
    assert sum(_counts(normalized).values()) == sum(_counts(plain).values()) + (4 - 1) * channels
    assert not any("response" in layer.name for layer in normalized.layers)


def test_the_papers_first_weights():
    """Section 5: Gaussian with standard deviation 0.01; biases 1 in conv2, conv4, conv5 and the hidden dense layers."""
    model = zoo.build("alexnet", input_shape=(64, 64, 3), dense=64, initializer="paper")
    biases = {}
    for layer in model.layers:
        if layer.trainable_weights:
            kernel, bias = layer.get_weights()
            assert kernel.std() == pytest.approx(0.01, rel=0.02) and abs(kernel.mean()) < 2e-4
            assert np.abs(kernel).max() > 0.03  # not cut off at two deviations
            biases[layer.name] = set(bias)
    ones = {"conv2", "conv4", "conv5", "fc1", "fc2"}
    assert biases == {name: {1.0} if name in ones else {0.0} for name in biases}


@pytest.mark.parametrize(("initializer", "bounds"), [("paper", (-127.5, 127.5)), ("he", (-1.0, 1.0))])
def test_first_weights_decide_the_scale_of_pixels(initializer, bounds):
    model = zoo.build("alexnet", input_shape=(64, 64, 3), dense=4, initializer=initializer)
    pixels = np.zeros((1, 64, 64, 3), "uint8")
    pixels[0, 0, 0] = 255
    scaled = keras.ops.convert_to_numpy(keras.Model(model.inputs[0], model.get_layer("scaling").output)(pixels))
    assert (scaled.min(), scaled.max()) == pytest.approx(bounds)


def test_pictures_differ_past_all_layers_at_the_start():
    model = zoo.build("alexnet", input_shape=(64, 64, 3), dense=64, num_classes=10)
    pictures = _pixels(16, 4, 4, 3).repeat(16, axis=1).repeat(16, axis=2)
    logits = keras.ops.convert_to_numpy(model(pictures))
    assert 0.05 < logits.std(axis=0).mean() < 2
    assert np.abs(logits).max() < 5


@pytest.mark.parametrize("entry", FORMS, ids=lambda entry: entry.name)
def test_every_weight_of_every_form_gets_a_gradient(entry):
    import tensorflow as tf

    model = zoo.build(entry.name, **{**entry.tiny, "dropout": 0.0})
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(_pixels(4, *model.input_shape[1:]), training=True) ** 2)
    weights = model.trainable_weights
    for weight, gradient in zip(weights, tape.gradient(loss, [each.value for each in weights]), strict=True):
        assert np.abs(gradient).max() > 0, weight.path


def test_width_multiplies_channels_and_keeps_them_even_in_two_towers():
    model = _sketch("alexnet", width=1 / 5)
    assert [model.get_layer(f"conv{number}").filters for number in (1, 2, 3, 4, 5)] == [20, 52, 76, 76, 52]


def test_without_the_top():
    maps = _sketch("alexnet", include_top=False)
    assert maps.output_shape == (None, 6, 6, 256)
    assert "fc1" not in [layer.name for layer in maps.layers]
    for pooling in ("avg", "max"):
        assert _sketch("alexnet_single", include_top=False, pooling=pooling).output_shape == (None, 256)


def test_dropout_of_zero_leaves_no_layer():
    assert not any("dropout" in layer.name for layer in _sketch("alexnet", dropout=0).layers)
    rates = [layer.rate for layer in _sketch("alexnet").layers if "dropout" in layer.name]
    assert rates == [0.5, 0.5]


@pytest.mark.parametrize(
    ("form", "least"),
    [("two_towers", 64), ("single", 63), ("fashion", 65), ("small", 15)],
    ids=lambda value: str(value),
)
def test_the_smallest_images(form, least):
    """Exactly so large that one pixel is left behind the last pooling, as the docstring says."""
    enough = _sketch("alexnet", form=form, input_shape=(least, least + 1, 3), include_top=False)
    assert enough.output_shape[1:3] == (1, 1)
    for wrong in (dict(input_shape=(least - 1, 300, 3)), dict(input_shape=(300, 300, 3), resize=least - 1)):
        with pytest.raises(zoo.ZooError, match=f"at least {least} x {least} pixels"):
            zoo.build("alexnet", form=form, **wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(form="three_towers"), "form must be one of .* Did you mean 'two_towers'"),
        (dict(initializer="normal"), "initializer must be one of 'paper', 'he'"),
        (dict(width=0), "width must be a number > 0"),
        (dict(dense=0), "dense must be an integer >= 1"),
        (dict(dropout=1), "dropout must be a number >= 0 and < 1"),
        (dict(batch_normalization="yes"), "batch_normalization must be True or False"),
        (dict(resize=224.0), "resize must be an integer >= 1"),
        (dict(pooling="avg"), "pooling must be None with include_top=True"),
        (dict(include_top=False, pooling="mean"), "pooling must be None, 'avg' or 'max'"),
        (dict(include_top="no"), "include_top must be True or False"),
        (dict(momentum=1.0), "momentum must be"),
        (dict(epsilon=-1), "epsilon must be"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_refusals(wrong, message):
    with pytest.raises(zoo.ZooError, match=message):
        zoo.build("alexnet", **{"input_shape": (64, 64, 3), "dense": 4, **wrong})
