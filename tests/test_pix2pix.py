"""pix2pix: the paper's layers and counts, what one logit of the discriminator sees, and what is refused."""

import keras
import numpy as np
import pytest

import zoo
from zoo.models.pix2pix import DEPTHS


@pytest.fixture(autouse=True)
def fresh():
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="module")
def paper():
    """The network at its defaults, without the memory of its weights."""
    with keras.StatelessScope(initialize_variables=False):
        return zoo.build("pix2pix")


def _small(**arguments):
    return zoo.build(
        "pix2pix", **{**dict(input_shape=(32, 32, 1), channels=1, width=2, levels=3, patch=16), **arguments}
    )


def _size(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


# Appendix 6.1: kind, channels in and out, side of the map that comes out, whether it is normalised.
GENERATOR = [
    ("conv", 3, 64, 128, False),
    ("conv", 64, 128, 64, True),
    ("conv", 128, 256, 32, True),
    ("conv", 256, 512, 16, True),
    ("conv", 512, 512, 8, True),
    ("conv", 512, 512, 4, True),
    ("conv", 512, 512, 2, True),
    ("conv", 512, 512, 1, False),
    ("up", 512, 512, 2, True),
    ("up", 1024, 512, 4, True),
    ("up", 1024, 512, 8, True),
    ("up", 1024, 512, 16, True),
    ("up", 1024, 256, 32, True),
    ("up", 512, 128, 64, True),
    ("up", 256, 64, 128, True),
    ("up", 128, 3, 256, False),
]
DISCRIMINATOR = [
    ("conv", 6, 64, 128, False),
    ("conv", 64, 128, 64, True),
    ("conv", 128, 256, 32, True),
    ("conv", 256, 512, 31, True),
    ("conv", 512, 1, 30, False),
]
KINDS = {keras.layers.Conv2D: "conv", keras.layers.Conv2DTranspose: "up"}


def _count(table):
    """Kernels of 4 x 4; a bias for each map that is not normalised, else a factor and an offset."""
    return sum(16 * before * after + after * (2 if normal else 1) for _, before, after, _, normal in table)


@pytest.mark.parametrize("network, table", [("generator", GENERATOR), ("discriminator", DISCRIMINATOR)])
def test_the_paper_layer_by_layer(paper, network, table):
    network = getattr(paper, network)
    layers = [layer for layer in network.layers if type(layer) in KINDS]
    normalised = {
        layer.input._keras_history.operation.name
        for layer in network.layers
        if isinstance(layer, keras.layers.GroupNormalization)
    }
    for layer, (kind, before, after, side, normal) in zip(layers, table, strict=True):
        assert KINDS[type(layer)] == kind and layer.kernel_size == (4, 4), layer.name
        assert layer.output.shape == (None, side, side, after), layer.name
        assert _size(layer.trainable_weights) == 16 * before * after + (0 if normal else after), layer.name
        assert (layer.name in normalised) == normal, layer.name
    assert _size(network.trainable_weights) == _count(table)


def test_the_counts_of_the_paper(paper):
    assert _count(GENERATOR) == _size(paper.trainable_weights) == 54_414_531
    assert _count(DISCRIMINATOR) == 2_768_705
    assert [each.name for each in paper.discriminator.inputs] == ["image", "pixels"]


@pytest.mark.parametrize("patch, parameters, side", [(1, 9_025, 256), (16, 139_585, 126), (286, 11_159_361, 6)])
def test_the_other_discriminators(patch, parameters, side):
    with keras.StatelessScope(initialize_variables=False):
        model = zoo.build("pix2pix", patch=patch)
    assert _size(model.discriminator.trainable_weights) == parameters
    assert model.discriminator.output_shape == (None, side, side, 1)


def test_the_decoder_drops_in_three_stages_and_has_the_encoders_maps_beside_its_own(paper):
    generator = paper.generator
    dropped = {layer.name: layer.rate for layer in generator.layers if isinstance(layer, keras.layers.Dropout)}
    assert dropped == {"up7_dropout": 0.5, "up6_dropout": 0.5, "up5_dropout": 0.5}
    for level in range(1, 8):
        up, down = generator.get_layer(f"up{level}_concat").input
        assert up is generator.get_layer(f"up{level}_relu").output
        assert down is generator.get_layer(f"down{level}_relu").output
    slopes = {layer.negative_slope for layer in generator.layers if isinstance(layer, keras.layers.LeakyReLU)}
    assert len(slopes) == 1 and float(slopes.pop()) == pytest.approx(0.2)


@pytest.mark.parametrize("patch", DEPTHS)
def test_what_one_logit_sees(patch):
    """Moving statistics keep the other pixels out, which instance normalisation lets in through means."""
    import tensorflow as tf

    side = {1: 8, 16: 32, 70: 96, 286: 352}[patch]
    levels = 3 if side < 96 else 5
    model = _small(input_shape=(side, side, 1), width=1, levels=levels, patch=patch, normalization="batch")
    discriminator = model.discriminator
    # Every weight counts: none can cancel another one.
    discriminator.set_weights(
        [
            np.abs(weight) + 0.01 * ("kernel" in v.path)
            for v, weight in zip(discriminator.weights, discriminator.get_weights(), strict=True)
        ]
    )
    both = [tf.fill((1, side, side, 1), 200.0), tf.fill((1, side, side, 1), 200.0)]
    with tf.GradientTape() as tape:
        tape.watch(both)
        logits = discriminator(both, training=False)
        one = logits[0, logits.shape[1] // 2, logits.shape[2] // 2, 0]
    for gradient in tape.gradient(one, both):
        rows, columns = np.nonzero(gradient.numpy()[0, ..., 0])
        assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (patch, patch)


def test_weights_start_at_002():
    model = _small(width=16)
    for network in (model.generator, model.discriminator):
        for layer in network.layers:
            if type(layer) in KINDS and layer.kernel.shape[-1] > 1 and np.prod(layer.kernel.shape) > 4000:
                kernel = np.asarray(layer.kernel)
                assert kernel.std() == pytest.approx(0.02, rel=0.05), layer.name
                assert abs(kernel).max() > 2.5 * 0.02  # a Gaussian whose tails were not cut off


def test_an_image_has_one_translation_and_dropout_draws_others():
    model = _small(dropout=0.5)
    # Larger weights, so that what is dropped is seen in the output.
    model.set_weights([20 * weight if weight.ndim == 4 else weight for weight in model.get_weights()])
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 1), np.uint8)
    once, again = (np.asarray(model(image)) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    drawn, other = (np.asarray(model(image, training=True)) for _ in range(2))
    assert abs(drawn - other).max() > 1
    without = _small(dropout=0.0)
    without.set_weights(model.get_weights())
    np.testing.assert_allclose(np.asarray(without(image, training=True)), once, atol=1e-3)


def test_instance_normalisation_is_batch_normalisation_of_one_image():
    one, other = _small(dropout=0.0), _small(dropout=0.0, normalization="batch")
    for mine, theirs in zip(other.trainable_weights, one.trainable_weights, strict=True):
        mine.assign(theirs)
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 1), np.uint8)
    np.testing.assert_allclose(np.asarray(one(image)), np.asarray(other(image, training=True)), atol=0.01)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            dict(input_shape=(100, 256, 3), levels=8),
            r"multiples of 2\*\*levels = 256.*Instead of 100, 256 would do; so would levels=2",
        ),
        (dict(input_shape=(300, 256, 3), levels=8), "Instead of 300, 256 or 512 would do; so would levels=2"),
        (dict(input_shape=(33, 32, 3)), "Instead of 33, 32 or 40 would do$"),
        (
            dict(input_shape=(16, 16, 1), patch=70),
            "patch must be 1 or 16 for images of 16 x 16 pixels. Received: patch=70",
        ),
        (dict(input_shape=(64, 96, 1), patch=286), "patch must be 1 or 16 or 70"),
        (dict(patch=71), "patch must be one of 1, 16, 70, 286"),
        (dict(levels=1), "levels must be an integer >= 2"),
        (dict(width=0), "width"),
        (dict(channels=0), "channels"),
        (dict(dropout=1.0), "dropout"),
        (dict(normalization="layer"), "normalization must be one of 'instance', 'batch'"),
        (dict(input_shape=(None, None, 1)), "input_shape"),
    ],
)
def test_what_is_refused(arguments, said):
    with pytest.raises(zoo.ZooError, match=said):
        _small(**arguments)


def test_a_small_one_learns_to_turn_grey_values_around():
    """The content loss falls, and the discriminator is trained with it."""
    x = np.random.default_rng(0).integers(0, 2, (32, 4, 4, 1), np.uint8).repeat(4, 1).repeat(4, 2) * 255
    model = _small(input_shape=(16, 16, 1), width=4, levels=2, dropout=0.0)
    model.compile(
        keras.optimizers.Adam(0.005, beta_1=0.5), content=keras.losses.MeanAbsoluteError(), content_weight=100 / 127.5
    )
    before = [weight.copy() for weight in model.discriminator.get_weights()]
    model.fit(x, 255 - x, batch_size=8, epochs=25, verbose=0)
    assert np.abs(np.asarray(model(x)) - (255 - x)).mean() < 15  # a grey image is 127.5 off
    assert any((one != two).any() for one, two in zip(before, model.discriminator.get_weights(), strict=True))
