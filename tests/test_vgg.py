"""VGG: the paper's table, counts and shapes layer by layer; the compact forms; what is refused."""

import keras
import numpy as np
import pytest

import zoo

DENSE = 25_088 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
CHANNELS = {"vgg11": 2752, "vgg13": 2944, "vgg16": 4224, "vgg19": 5504}  # of all convolutions together


@pytest.fixture(autouse=True)
def fresh():
    # Also forgets the sketches' weights, which would otherwise be made when the next scope ends.
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


def _pixels(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "layers", "parameters"),
    [
        ("vgg11", 11, 132_863_336),
        ("vgg13", 13, 133_047_848),
        ("vgg16", 16, 138_357_544),
        ("vgg19", 19, 143_667_240),
    ],
)
def test_the_papers_depth_and_parameters(name, layers, parameters):
    """Table 1 names the columns by their layers with weights; table 2 counts 133, 133, 138 and 144 million."""
    model = _sketch(name)
    assert sum(bool(layer.trainable_weights) for layer in model.layers) == layers
    assert _size(model.trainable_weights) == parameters
    assert sum(layer.filters for layer in _of_type(model, keras.layers.Conv2D)) == CHANNELS[name]


def test_vgg16_layer_by_layer():
    model = _sketch("vgg16")
    assert [_size(layer.weights) for layer in model.layers if layer.trainable_weights] == [
        *(1_792, 36_928),
        *(73_856, 147_584),
        *(295_168, 590_080, 590_080),
        *(1_180_160, 2_359_808, 2_359_808),
        *(2_359_808, 2_359_808, 2_359_808),
        *(102_764_544, 16_781_312, 4_097_000),
    ]
    pools = [model.get_layer(f"block{block}_pool").output.shape[1:] for block in (1, 2, 3, 4, 5)]
    assert pools == [(112, 112, 64), (56, 56, 128), (28, 28, 256), (14, 14, 512), (7, 7, 512)]


@pytest.mark.parametrize("name", CHANNELS)
def test_every_convolution_is_three_by_three_and_keeps_the_size(name):
    for layer in _of_type(_sketch(name), keras.layers.Conv2D):
        assert (layer.kernel_size, layer.strides) == ((3, 3), (1, 1))
        assert layer.output.shape[1:3] == layer.input.shape[1:3]


def test_the_end_drops_half_of_each_hidden_layer():
    layers = [layer.name for layer in _sketch("vgg11").layers]
    assert layers[-8:] == ["flatten", "fc1", "fc1_relu", "fc1_dropout", "fc2", "fc2_relu", "fc2_dropout", "output"]
    assert [layer.rate for layer in _of_type(_sketch("vgg11"), keras.layers.Dropout)] == [0.5, 0.5]
    assert not _of_type(_sketch("vgg11", dropout=0.0), keras.layers.Dropout)


@pytest.mark.parametrize("name", CHANNELS)
def test_batch_normalisation_takes_the_place_of_biases(name):
    plain, normalized = _sketch(name), _sketch(f"{name}_bn")
    assert _size(normalized.trainable_weights) == _size(plain.trainable_weights) + CHANNELS[name]
    # The moving statistics, and the scale and offset of three colours.
    assert _size(normalized.non_trainable_weights) == 2 * CHANNELS[name] + 6
    after = {"conv": "norm", "norm": "relu"}
    convolutional = [layer.name for layer in normalized.layers if "conv" in layer.name]
    kinds = [name.rpartition("_")[2].rstrip("0123456789") for name in convolutional]
    assert kinds == ["conv", "norm", "relu"] * (len(kinds) // 3) and set(after) < set(kinds)


@pytest.mark.parametrize("name", CHANNELS)
def test_compact_forms_have_the_convolutions_and_one_dense_layer(name):
    small, large = _sketch(f"{name}_small"), _sketch(f"{name}_bn")
    assert small.output_shape == (None, 10)
    assert small.get_layer("block5_pool").output.shape[1:] == (1, 1, 512)
    assert _size(small.trainable_weights) == _size(large.trainable_weights) - DENSE + 512 * 10 + 10


def test_compact_forms_average_larger_images():
    small = _sketch("vgg11_small")
    larger = _sketch("vgg11_small", input_shape=(64, 96, 3))
    assert larger.get_layer("block5_pool").output.shape[1:] == (2, 3, 512)
    assert _size(larger.weights) == _size(small.weights)


def test_the_first_dense_layer_fits_the_image():
    model = _sketch("vgg11", input_shape=(64, 100, 3), dense=8)
    assert model.get_layer("fc1").kernel.shape == (2 * 3 * 512, 8)


def test_pictures_differ_past_nineteen_layers_at_the_start():
    """The paper's Gaussian of standard deviation 0.01 would leave about 1e-9 of the difference."""
    model = zoo.build("vgg19", input_shape=(32, 32, 3), dense=64, num_classes=10)
    pictures = _pixels(16, 4, 4, 3).repeat(8, axis=1).repeat(8, axis=2)
    logits = keras.ops.convert_to_numpy(model(pictures))
    assert 0.05 < logits.std(axis=0).mean() < 2
    assert np.abs(logits).max() < 5


@pytest.mark.parametrize("name", ["vgg19", "vgg19_bn", "vgg19_small"])
def test_every_weight_gets_a_gradient(name):
    import tensorflow as tf

    options = {} if name.endswith("small") else dict(dense=16, dropout=0.0)
    model = zoo.build(name, input_shape=(32, 32, 3), num_classes=3, **options)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(_pixels(4, 32, 32, 3), training=True) ** 2)
    weights = model.trainable_weights
    for weight, gradient in zip(weights, tape.gradient(loss, [each.value for each in weights]), strict=True):
        assert np.abs(gradient).max() > 0, weight.path


def test_width_multiplies_channels():
    model = _sketch("vgg11", width=0.25)
    assert [layer.filters for layer in _of_type(model, keras.layers.Conv2D)] == [16, 32, 64, 64, 128, 128, 128, 128]
    assert _of_type(_sketch("vgg11", width=1e-3), keras.layers.Conv2D)[0].filters == 1


def test_without_the_top():
    maps = _sketch("vgg16", include_top=False, input_shape=(96, 64, 3))
    assert maps.output_shape == (None, 3, 2, 512)
    assert maps.layers[-1].name == "block5_pool"
    for name, pooling in (("vgg16", "avg"), ("vgg16_small", "max")):
        assert _sketch(name, include_top=False, pooling=pooling).output_shape == (None, 512)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(configuration="C"), "configuration must be one of 'A', 'B', 'D', 'E'"),
        (dict(input_shape=(31, 224, 3)), "at least 32 x 32 pixels"),
        (dict(width=0), "width must be a number > 0"),
        (dict(dense=-1), "dense must be an integer >= 0"),
        (dict(dense=0, dropout=1.0), "dropout must be a number >= 0 and < 1"),
        (dict(batch_normalization=1), "batch_normalization must be True or False"),
        (dict(pooling="max"), "pooling must be None with include_top=True"),
        (dict(dense=0, pooling="max"), "pooling must be None with include_top=True"),
        (dict(include_top=None), "include_top must be True or False"),
        (dict(momentum=1.0), "momentum must be"),
        (dict(epsilon=-1), "epsilon must be"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_refusals(wrong, message):
    with pytest.raises(zoo.ZooError, match=message):
        zoo.build("vgg11", **{"input_shape": (32, 32, 3), "dense": 4, **wrong})
