"""GoogLeNet against the paper's table 1: filters, sizes, operations, depth; its auxiliary classifiers; its variants."""

import keras
import numpy as np
import pytest

import zoo
from zoo import doctor, recipe

# Table 1: size of the module's output; filters of the columns "#1x1", "#3x3 reduce", "#3x3", "#5x5 reduce", "#5x5",
# "pool proj"; millions of operations.
TABLE_1 = {
    "3a": (28, 256, (64, 96, 128, 16, 32, 32), 128),
    "3b": (28, 480, (128, 128, 192, 32, 96, 64), 304),
    "4a": (14, 512, (192, 96, 208, 16, 48, 64), 73),
    "4b": (14, 512, (160, 112, 224, 24, 64, 64), 88),
    "4c": (14, 512, (128, 128, 256, 24, 64, 64), 100),
    "4d": (14, 528, (112, 144, 288, 32, 64, 64), 119),
    "4e": (14, 832, (256, 160, 320, 32, 128, 128), 170),
    "5a": (7, 832, (256, 160, 320, 32, 128, 128), None),  # printed: 54, which its filters do not make
    "5b": (7, 1024, (384, 192, 384, 48, 128, 128), 71),
}
CHANNELS = 64 + 64 + 192 + sum(sum(filters) for _, _, filters, _ in TABLE_1.values())  # of all convolutions together
COLUMNS = "1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj"


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


def _counts(model):
    """Weights of each part: a module's layers together, an auxiliary classifier's together, other layers alone."""
    counts = {}
    for layer in model.layers:
        words = layer.name.split("_")
        part = words[1] if words[0] == "inception" else words[0] if words[0].startswith("aux") else layer.name
        counts[part] = counts.get(part, 0) + _size(layer.trainable_weights)
    return {part: count for part, count in counts.items() if count}


def _module(inputs, filters, five=5):
    """Kernels of a module, by the table."""
    one, three_reduce, three, five_reduce, wide, projected = filters
    kernels = inputs * (one + three_reduce + five_reduce + projected)
    return kernels + 9 * three_reduce * three + five**2 * five_reduce * wide


def _modules(five=5):
    before, kernels = 192, {}
    for module, (_, channels, filters, _) in TABLE_1.items():
        kernels[module] = _module(before, filters, five)
        before = channels
    return kernels


def _shape(model, name):
    return tuple(model.get_layer(name).output.shape[1:])


def _pixels(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def _outputs(model, names, pixels):
    tensors = [model.get_layer(name).output for name in names]
    return [keras.ops.convert_to_numpy(each) for each in keras.Model(model.input, tensors)(pixels)]


def test_parameters_module_by_module():
    """Each filter of the table has a bias."""
    expected = {
        "conv1": 7 * 7 * 3 * 64 + 64,
        "conv2_reduce": 64 * 64 + 64,
        "conv2": 3 * 3 * 64 * 192 + 192,
        **{module: kernels + sum(TABLE_1[module][2]) for module, kernels in _modules().items()},
        "output": 1024 * 1000 + 1000,
    }
    assert sum(expected.values()) == 6_998_552
    assert _counts(_sketch("googlenet")) == expected
    dense = 4 * 4 * 128 * 1024 + 1024 + 1024 * 1000 + 1000
    expected |= {"aux1": 512 * 128 + 128 + dense, "aux2": 528 * 128 + 128 + dense}
    assert sum(expected.values()) == 13_378_280
    assert _counts(_sketch("googlenet", aux=True)) == expected


def test_sizes_of_the_table():
    model = _sketch("googlenet")
    assert _shape(model, "conv1") == (112, 112, 64)
    assert _shape(model, "pool1") == (56, 56, 64)
    assert _shape(model, "conv2") == (56, 56, 192)
    assert _shape(model, "pool2") == (28, 28, 192)
    for module, (size, channels, filters, _) in TABLE_1.items():
        assert _shape(model, f"inception_{module}") == (size, size, channels)
        layers = [model.get_layer(f"inception_{module}_{column}") for column in COLUMNS]
        assert tuple(layer.filters for layer in layers) == filters
        assert [layer.kernel_size[0] for layer in layers] == [1, 1, 3, 1, 5, 1]
    assert _shape(model, "pool3") == (14, 14, 480)
    assert _shape(model, "pool4") == (7, 7, 832)
    assert _shape(model, "average") == (1024,)
    assert model.get_layer("dropout").rate == 0.4


def test_operations_of_the_table():
    """Multiplications, one for each weight at each pixel, to the printed million."""
    model, found = _sketch("googlenet"), {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            words = layer.name.split("_")
            part = words[1] if words[0] == "inception" else words[0]
            found[part] = found.get(part, 0) + _size([layer.kernel]) * layer.output.shape[1] * layer.output.shape[2]
    printed = {"conv2": 360, **{module: row[3] for module, row in TABLE_1.items() if row[3]}}
    for part, millions in printed.items():
        assert found[part] / 1e6 == pytest.approx(millions, abs=1), part
    assert sum(found.values()) / 1e9 == pytest.approx(1.5, abs=0.1)  # section 3: 1.5 billion multiply-adds


def test_depth():
    """Section 5: 22 layers with parameters, 27 with pooling."""

    def longest(tensor, counted):
        layer, node, _ = tensor._keras_history
        if layer.name not in depths:
            before = [longest(each, counted) for each in layer._inbound_nodes[node].input_tensors]
            depths[layer.name] = max(before, default=0) + counted(layer)
        return depths[layer.name]

    model = _sketch("googlenet")
    depths = {}
    assert longest(model.output, lambda layer: bool(layer.trainable_weights)) == 22
    depths = {}
    assert longest(model.output, lambda layer: bool(layer.trainable_weights) or "Pooling" in type(layer).__name__) == 27


def test_a_module_looks_at_its_input_in_four_ways():
    model = zoo.build("googlenet", input_shape=(64, 64, 3), num_classes=3)
    before, after = _outputs(model, ("pool2", "inception_3a"), _pixels(2, 64, 64, 3))

    def convolution(x, column):
        kernel, bias = model.get_layer(f"inception_3a_{column}").get_weights()
        return keras.ops.relu(keras.ops.conv(x, kernel, padding="same") + bias)

    pooled = keras.ops.max_pool(before, 3, 1, "same")
    expected = [
        convolution(before, "1x1"),
        convolution(convolution(before, "3x3_reduce"), "3x3"),
        convolution(convolution(before, "5x5_reduce"), "5x5"),
        convolution(pooled, "pool_proj"),
    ]
    np.testing.assert_allclose(after, np.concatenate(expected, axis=-1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [64, 70])
@pytest.mark.parametrize("last_pool", ["3x3", "2x2"])
def test_pooling_counts_windows_upwards(size, last_pool):
    """A last window that is not whole counts, if it begins inside the map: maps here have even and odd sides."""
    model = zoo.build("googlenet", input_shape=(size, size, 3), num_classes=3, width=1 / 8, last_pool=last_pool)
    pools = ("conv1_relu", "pool1", 3), ("inception_4e", "pool4", int(last_pool[0]))
    for name, pool, window in pools:
        before, after = _outputs(model, (name, pool), _pixels(1, size, size, 3))
        side = before.shape[1]
        starts = range(0, 2 * (-(-(side - window) // 2) + 1), 2)
        expected = [[before[:, i : i + window, j : j + window].max((1, 2)) for j in starts] for i in starts]
        np.testing.assert_array_equal(after, np.moveaxis(expected, 2, 0))


def test_the_first_convolution_sees_three_zeros_on_every_side():
    model = zoo.build("googlenet", input_shape=(32, 32, 3), num_classes=3)
    scaled, found = _outputs(model, ("scaling", "conv1"), _pixels(1, 32, 32, 3))
    assert (scaled.min(), scaled.max()) == pytest.approx((-1, 1), abs=0.01)
    kernel, bias = model.get_layer("conv1").get_weights()
    padded = np.pad(scaled, ((0, 0), (3, 3), (3, 3), (0, 0)))
    for i, j in ((0, 0), (5, 9), (15, 15)):
        window = padded[0, 2 * i : 2 * i + 7, 2 * j : 2 * j + 7]
        np.testing.assert_allclose(found[0, i, j], np.tensordot(window, kernel, 3) + bias, rtol=1e-4, atol=1e-5)


def test_response_normalisation_stands_behind_pool1_and_before_pool2():
    """Figure 3. With batch normalisation there is none."""
    names = [layer.name for layer in _sketch("googlenet").layers]
    order = "pool1", "pool1_response", "conv2_reduce", "conv2_reduce_relu", "conv2", "conv2_relu", "conv2_response"
    start = names.index("pool1")
    assert names[start : start + 9] == [*order, "pool2_pad", "pool2"]
    for name in ("googlenet_bn", "googlenet_small"):
        assert not any("response" in layer.name for layer in _sketch(name).layers)


def test_batch_normalisation_takes_the_place_of_biases():
    plain, normalized = _sketch("googlenet"), _sketch("googlenet_bn")
    assert _size(normalized.trainable_weights) == _size(plain.trainable_weights) + CHANNELS == 7_005_832
    # The moving statistics, and the scale and offset of three colours.
    assert _size(normalized.non_trainable_weights) == 2 * CHANNELS + 6
    for layer in normalized.layers:
        if isinstance(layer, keras.layers.Conv2D):
            assert normalized.get_layer(f"{layer.name}_norm").input is layer.output
            assert normalized.get_layer(f"{layer.name}_relu").input is normalized.get_layer(f"{layer.name}_norm").output


def test_torchvisions_variant():
    variant = dict(five="3x3", last_pool="2x2", dropout=0.2, epsilon=1e-3)
    model = _sketch("googlenet_bn", **variant)
    stem = 7 * 7 * 3 * 64 + 64 * 64 + 9 * 64 * 192
    assert stem + sum(_modules(five=3).values()) + 2 * CHANNELS + 1024 * 1000 + 1000 == 6_624_904
    assert _size(model.trainable_weights) == 6_624_904
    assert _size(_sketch("googlenet_bn", aux=True, **variant).trainable_weights) == 13_004_888
    assert model.get_layer("pool4").pool_size == (2, 2) and model.get_layer("pool3").pool_size == (3, 3)
    assert _shape(model, "pool4") == (7, 7, 832)
    assert model.get_layer("inception_5b_5x5_norm").epsilon == 1e-3


def test_the_small_form_begins_with_one_convolution():
    model = _sketch("googlenet_small")
    assert model.output_shape == (None, 10)
    names = "conv1", "inception_3b", "pool3", "inception_4e", "pool4", "inception_5b"
    assert [_shape(model, name)[1:] for name in names] == [
        (32, 192),
        (32, 480),
        (16, 480),
        (16, 832),
        (8, 832),
        (8, 1024),
    ]
    channels = CHANNELS - 64 - 64
    expected = 9 * 3 * 192 + sum(_modules().values()) + 2 * channels + 1024 * 10 + 10
    assert _size(model.trainable_weights) == expected == 5_871_914


def test_auxiliary_classifiers():
    """Section 5: 5 x 5 windows three apart make 4x4x512 behind 4a and 4x4x528 behind 4d; 0.7 of 1024 are dropped."""
    model = _sketch("googlenet", aux=True)
    assert {key: output.shape for key, output in model.output.items()} == dict.fromkeys(
        ("logits", "aux1", "aux2"), (None, 1000)
    )
    for name, module, channels in (("aux1", "4a", 512), ("aux2", "4d", 528)):
        pool = model.get_layer(f"{name}_pool")
        assert pool.input is model.get_layer(f"inception_{module}").output
        assert (pool.pool_size, pool.strides) == ((5, 5), (3, 3))
        assert _shape(model, f"{name}_pool") == (4, 4, channels)
        assert _shape(model, f"{name}_conv") == (4, 4, 128)
        assert _shape(model, f"{name}_fc") == (1024,)
        assert model.get_layer(f"{name}_dropout").rate == 0.7


def test_the_main_output_is_the_same_with_and_without_auxiliary_classifiers():
    small = dict(width=1 / 8, input_shape=(16, 16, 1))
    keras.utils.set_random_seed(1)
    with_aux = zoo.build("googlenet_small", aux=True, **small)
    without = zoo.build("googlenet_small", **small)
    for layer in without.layers:
        layer.set_weights(with_aux.get_layer(layer.name).get_weights())
    pixels = _pixels(3, 16, 16, 1)
    np.testing.assert_allclose(with_aux(pixels)["logits"], without(pixels), rtol=1e-5, atol=1e-6)


def test_auxiliary_losses_reach_every_weight_before_them_and_none_behind():
    import tensorflow as tf

    model = zoo.build("googlenet", input_shape=(80, 80, 3), num_classes=3, width=1 / 4, aux=True, dropout=0.0)
    weights = model.trainable_weights
    with tf.GradientTape(persistent=True) as tape:
        outputs = model(_pixels(4, 80, 80, 3), training=True)
        sums = {name: tf.reduce_sum(output**2) for name, output in outputs.items()}
    reached = {}
    for name, loss in sums.items():
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        for weight, gradient in zip(weights, gradients, strict=True):
            assert gradient is None or np.abs(gradient).max() > 0, (name, weight.path)
        found = zip(weights, gradients, strict=True)
        reached[name] = {weight.path.partition("/")[0] for weight, gradient in found if gradient is not None}
    names = {weight.path.partition("/")[0] for weight in weights}
    modules = list(TABLE_1)

    def behind(module):
        parts = tuple(f"inception_{each}" for each in modules[modules.index(module) + 1 :])
        return {name for name in names if name.startswith((*parts, "output"))}

    own = {key: {name for name in names if name.startswith(key)} for key in ("aux1", "aux2")}
    assert reached["logits"] == names - own["aux1"] - own["aux2"]
    assert reached["aux1"] == names - own["aux2"] - behind("4a")
    assert reached["aux2"] == names - own["aux1"] - behind("4d")


def test_trained_as_published_by_the_recipe():
    """Three losses, the auxiliary ones with the weight 0.3; the metrics are the main output's."""
    built = recipe.find("googlenet_digits").module.recipe(size=10, width=1 / 16, batch_size=360)
    assert doctor.inspect(built) == []
    found = built.model.evaluate(built.data.test.once(), return_dict=True, verbose=0)
    assert set(found) == {"loss", "logits_loss", "aux1_loss", "aux2_loss", "logits_accuracy"}
    expected = found["logits_loss"] + 0.3 * (found["aux1_loss"] + found["aux2_loss"])
    assert found["loss"] == pytest.approx(expected, rel=1e-5)
    assert built.objective == ("val_logits_accuracy", "max")


def test_auxiliary_classifiers_are_gone_after_export(own_folder):
    import tensorflow as tf

    model = zoo.build("googlenet_small", aux=True, input_shape=(10, 10, 1), width=1 / 16)
    zoo.export(model, own_folder / "served")
    served = tf.saved_model.load(str(own_folder / "served"))
    without = zoo.build("googlenet_small", input_shape=(10, 10, 1), width=1 / 16, dropout=0.0)
    assert sorted(tuple(each.shape) for each in served.read) == sorted(tuple(each.shape) for each in without.weights)


def test_width_multiplies_all_channels():
    model = _sketch("googlenet", width=0.5, aux=True)
    assert _shape(model, "inception_5b") == (7, 7, 512)
    assert (_shape(model, "aux1_conv"), _shape(model, "aux1_fc")) == ((4, 4, 64), (512,))
    assert _sketch("googlenet_small", width=1e-3).get_layer("conv1").filters == 1


def test_without_the_top():
    assert _sketch("googlenet", include_top=False).output_shape == (None, 7, 7, 1024)
    for pooling in ("avg", "max"):
        assert _sketch("googlenet_small", include_top=False, pooling=pooling).output_shape == (None, 1024)
    assert not any(isinstance(layer, keras.layers.Dropout) for layer in _sketch("googlenet", dropout=0).layers)


@pytest.mark.parametrize(
    ("name", "aux", "least"),
    [("googlenet", False, 32), ("googlenet", True, 79), ("googlenet_small", False, 8), ("googlenet_small", True, 10)],
)
def test_the_smallest_images(name, aux, least):
    model = _sketch(name, aux=aux, input_shape=(least, least + 9, 1))
    if aux:
        assert _shape(model, "inception_4a")[0] == 5  # one window of the auxiliary classifiers
    with pytest.raises(zoo.ZooError, match=f"at least {least} x {least} pixels"):
        zoo.build(name, aux=aux, input_shape=(224, least - 1, 1))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(aux=1), "aux must be True or False"),
        (dict(aux=True, include_top=False), "aux must be False with include_top=False"),
        (dict(stem="large"), "stem must be one of 'imagenet', 'small'"),
        (dict(width=0), "width must be a number > 0"),
        (dict(five="7x7"), "five must be one of '5x5', '3x3'"),
        (dict(last_pool="5x5"), "last_pool must be one of '2x2', '3x3'"),
        (dict(dropout=1), "dropout must be a number >= 0 and < 1"),
        (dict(batch_normalization="yes"), "batch_normalization must be True or False"),
        (dict(pooling="avg"), "pooling must be None with include_top=True"),
        (dict(include_top=False, pooling="mean"), "pooling must be None, 'avg' or 'max'"),
        (dict(include_top="no"), "include_top must be True or False"),
        (dict(momentum=1.0), "momentum must be"),
        (dict(epsilon=-1), "epsilon must be"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_refusals(wrong, message):
    with pytest.raises(zoo.ZooError, match=message):
        zoo.build("googlenet", **{"input_shape": (96, 96, 3), "width": 1 / 16, **wrong})
