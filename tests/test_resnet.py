"""Residual networks: the papers' counts, where they halve images, shortcuts, and what every option does."""

import keras
import numpy as np
import pytest

import zoo

CIFAR = {"resnet20": 269_722, "resnet32": 464_154, "resnet44": 658_586, "resnet56": 853_018, "resnet110": 1_727_962}


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def shapes(model, suffix):
    return [layer.output.shape[1:] for layer in model.layers if layer.name.endswith(suffix)]


def test_the_counts_follow_from_the_papers_formula():
    """Convolutions without biases, a scale and a shift for each channel, and the last layer."""
    for name, count in CIFAR.items():
        n = (int(name.removeprefix("resnet")) - 2) // 6
        total = 3 * 3 * 3 * 16 + 2 * 16
        for before, width in ((16, 16), (16, 32), (32, 64)):
            total += 9 * (before * width + (2 * n - 1) * width * width) + 2 * n * 2 * width
        assert total + 64 * 10 + 10 == count == zoo.describe(name)["parameters"]


def test_the_layers_of_the_cifar_network():
    model = zoo.build("resnet20")
    assert len([layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)]) == 20
    assert shapes(model, "_add") == [(32, 32, 16)] * 3 + [(16, 16, 32)] * 3 + [(8, 8, 64)] * 3


def test_the_layers_of_the_imagenet_network():
    """Table 1 of the paper: the sizes of conv1 to conv5."""
    model = zoo.build("resnet50")
    assert model.get_layer("stem_conv").output.shape[1:] == (112, 112, 64)
    stages = [(56, 56, 256)] * 3 + [(28, 28, 512)] * 4 + [(14, 14, 1024)] * 6 + [(7, 7, 2048)] * 3
    assert shapes(model, "_add") == stages
    strides = {layer.name: layer.strides[0] for layer in model.layers if isinstance(layer, keras.layers.Conv2D)}
    assert strides["stage2_block1_1_conv"] == 1 and strides["stage2_block1_2_conv"] == 2
    other = zoo.build("resnet50", strides_in="1x1")
    assert trainable(other) == trainable(model)
    strides = {layer.name: layer.strides[0] for layer in other.layers if isinstance(layer, keras.layers.Conv2D)}
    assert strides["stage2_block1_1_conv"] == 2 and strides["stage2_block1_2_conv"] == 1


@pytest.mark.parametrize("shortcut, more", [("A", 0), ("B", 16 * 32 + 32 * 64 + 2 * 96), ("C", None)])
def test_shortcuts(shortcut, more):
    """B adds a 1 x 1 convolution and its normalisation where channels grow, C at every block."""
    if more is None:
        more = sum(
            before * width + 2 * (width * width) + 3 * 2 * width for before, width in ((16, 16), (16, 32), (32, 64))
        )
    assert trainable(zoo.build("resnet20", shortcut=shortcut)) == CIFAR["resnet20"] + more


def test_the_parameter_free_shortcut_keeps_every_second_pixel():
    model = zoo.build("resnet20")
    layer = model.get_layer("stage2_block1_short")
    x = np.arange(2 * 4 * 4 * 16, dtype="float32").reshape(2, 4, 4, 16)
    out = keras.ops.convert_to_numpy(layer(x))
    np.testing.assert_array_equal(out[..., :16], x[:, ::2, ::2])
    assert out.shape == (2, 2, 2, 32) and (out[..., 16:] == 0).all()


def test_with_zero_gamma_each_block_starts_as_the_identity():
    keras.utils.set_random_seed(0)
    model = zoo.build("resnet20", zero_gamma=True)
    stem = keras.Model(model.input, model.get_layer("stem_relu").output)
    end = keras.Model(model.input, model.get_layer("stage1_block3_relu").output)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3))
    np.testing.assert_array_equal(stem(images), end(images))


@pytest.mark.parametrize("name", ["resnet20", "resnet18"])
def test_preactivation_blocks_end_in_a_sum(name):
    """He et al. 2016, figure 4 (e): nothing stands on the path from block to block but additions."""
    arguments = dict(preactivation=True, num_classes=10, input_shape=(32, 32, 3))
    model = zoo.build(name, **arguments, **({} if name == "resnet20" else {"stem": "small"}))
    add = model.get_layer("stage1_block2_add")
    before = model.get_layer("stage1_block1_add").output
    assert any(tensor is before for tensor in add.input)
    assert model.get_layer("last_relu").output.shape[-1] == (64 if name == "resnet20" else 512)
    if name == "resnet20":
        # One normalisation moves from behind the stem to the end; its width changes with it.
        assert trainable(model) == CIFAR["resnet20"] - 2 * 16 + 2 * 64 + preactivation_change()


def preactivation_change():
    """Normalisations stand before the convolutions: where channels grow, the first has the narrower width."""
    return 2 * (16 - 32) + 2 * (32 - 64)


def test_features():
    images = np.zeros((2, 32, 32, 3))
    assert zoo.build("resnet20", include_top=False)(images).shape == (2, 8, 8, 64)
    for pooling in ("avg", "max"):
        assert zoo.build("resnet20", include_top=False, pooling=pooling)(images).shape == (2, 64)
    assert zoo.build("resnet18", include_top=False, input_shape=(64, 96, 1)).output_shape == (None, 2, 3, 512)


@pytest.mark.parametrize(
    "name, arguments, what",
    [
        ("resnet20", dict(shortcut="D"), "shortcut must be one of 'A', 'B', 'C'"),
        ("resnet20", dict(pooling="avg"), "pooling must be None with include_top=True"),
        ("resnet20", dict(input_shape=(4, 4, 3)), "at least 8 x 8"),
        ("resnet20", dict(preactivation=True, zero_gamma=True), "zero_gamma must be False with pre-activation"),
        ("resnet20", dict(blocks=0), "blocks must be an integer >= 1"),
        ("resnet18", dict(stem="large"), "stem must be one of 'imagenet', 'small'"),
        ("resnet18", dict(blocks=(2, 2, 2)), "blocks must be a list of four"),
        ("resnet18", dict(input_shape=(28, 28, 1)), "at least 32 x 32"),
    ],
)
def test_what_is_impossible_is_said(name, arguments, what):
    with pytest.raises(zoo.ZooError, match=what):
        zoo.build(name, **arguments)


@pytest.mark.parametrize("arguments", [{}, {"preactivation": True}, {"shortcut": "C"}, {"zero_gamma": True}], ids=str)
def test_it_learns(arguments):
    keras.utils.set_random_seed(0)
    model = zoo.build("resnet20", blocks=1, num_classes=2, input_shape=(8, 8, 1), **arguments)
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    x = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1))
    y = (x[:, :4].mean((1, 2, 3)) > x[:, 4:].mean((1, 2, 3))).astype("int32")
    history = model.fit(x, y, batch_size=16, epochs=25, verbose=0)
    assert history.history["accuracy"][-1] > 0.95
