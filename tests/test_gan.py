"""The networks of noise: their layers against the papers, and modes that are found."""

import keras
import numpy as np
import pytest

import zoo
from zoo.data.ring import modes_found, ring
from zoo.generative_layers import SpectralNormalization
from zoo.normalization import BatchNormalization


@pytest.fixture(autouse=True)
def fresh():
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


def maps(network, kind):
    """Shapes behind the layers of a kind."""
    return [tuple(layer.output.shape[1:]) for layer in network.layers if isinstance(layer, kind)]


@pytest.mark.parametrize(
    "side, channels, up, down",
    [
        (64, 3, [8, 16, 32, 64], [(32, 128), (16, 256), (8, 512), (4, 1024)]),
        (32, 3, [8, 16, 32], [(16, 128), (8, 256), (4, 512)]),
        (28, 1, [8, 14, 28], [(14, 128), (7, 256), (4, 512)]),
        (8, 1, [8], [(4, 128)]),
    ],
)
def test_dcgan_doubles_and_halves_as_figure_1_does(side, channels, up, down):
    with keras.StatelessScope(initialize_variables=False):
        model = zoo.build("dcgan", image_shape=(side, side, channels))
    wide = [*(width for _, width in reversed(down[:-1])), channels]
    assert maps(model.generator, keras.layers.Conv2DTranspose) == [(s, s, c) for s, c in zip(up, wide, strict=True)]
    assert maps(model.discriminator, keras.layers.Conv2D) == [(s, s, c) for s, c in down]
    assert model.generator.get_layer("maps").output.shape[1:] == (4, 4, down[-1][1])
    assert model.output_shape == (None, side, side, channels)


def test_the_guidelines_of_section_3():
    model = zoo.build("dcgan", image_shape=(32, 32, 3), width=4)
    generator, discriminator = model.generator, model.discriminator
    kinds = [type(layer) for network in (generator, discriminator) for layer in network.layers]
    assert not any("Pooling" in kind.__name__ or "UpSampling" in kind.__name__ for kind in kinds)
    # Dense are only the projection of the code and the logit.
    assert kinds.count(keras.layers.Dense) == 2
    assert len(maps(generator, BatchNormalization)) == 3 and len(maps(discriminator, BatchNormalization)) == 2
    names = [layer.name for layer in discriminator.layers if isinstance(layer, BatchNormalization)]
    assert "down1_norm" not in names
    assert len(maps(generator, keras.layers.ReLU)) == 3
    assert generator.get_layer("image").activation is keras.activations.tanh
    slopes = [layer.negative_slope for layer in discriminator.layers if isinstance(layer, keras.layers.LeakyReLU)]
    assert slopes == pytest.approx([0.2] * 3)


def test_odd_sides_lose_a_pixel_again():
    model = zoo.build("dcgan", image_shape=(9, 13, 1), width=4)
    assert model.output_shape == (None, 9, 13, 1)
    assert maps(model.discriminator, keras.layers.Conv2D) == [(5, 7, 4), (3, 4, 8)]


@pytest.mark.parametrize(
    "normalization, kind",
    [("layer", keras.layers.GroupNormalization), ("spectral", SpectralNormalization), ("none", None)],
)
def test_normalisations_of_the_discriminator(normalization, kind):
    model = zoo.build("dcgan", image_shape=(16, 16, 1), width=4, normalization=normalization)
    kinds = [type(layer) for layer in model.discriminator.layers]
    assert BatchNormalization not in kinds and (kind is None or kind in kinds)
    # One image's logit does not depend on the others, which is what a penalty for each needs.
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 1)).astype("float32")
    training = kind is not SpectralNormalization  # which takes a step of its iteration in each call
    alone = model.discriminator(images[:1], training=training)
    np.testing.assert_allclose(model.discriminator(images, training=training)[:1], alone, atol=1e-4)


def test_maxout_units_are_the_largest_of_their_pieces():
    model = zoo.build("gan", image_shape=(3,), latent=2, hidden=(4,), units=(5,), pieces=3, dropout=0.0)
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    kernel, bias, last, shift = model.discriminator.get_weights()
    pieces = (x @ kernel + bias).reshape(6, 5, 3)
    np.testing.assert_allclose(model.discriminator(x), pieces.max(2) @ last + shift, rtol=1e-4, atol=1e-5)


def test_cgan_looks_at_the_label_on_both_sides():
    model = zoo.build("cgan", num_classes=3, image_shape=(8, 8, 1), latent=4, width=4)
    z, image = keras.random.normal((1, 4)), keras.random.uniform((1, 8, 8, 1), 0, 255)
    one, two = (keras.ops.full((1,), k, "int32") for k in (1, 2))
    assert (np.asarray(model([z, one])) != np.asarray(model([z, two]))).any()
    judged = [np.asarray(model.discriminator([image, label])) for label in (one, two)]
    assert judged[0] != judged[1]


@pytest.mark.parametrize("wrong", [
    ("gan", dict(hidden=())), ("gan", dict(pieces=0)), ("gan", dict(spectral=1)), ("gan", dict(dropout=1)),
    ("dcgan", dict(image_shape=(4, 4, 1))), ("dcgan", dict(normalization="group")), ("dcgan", dict(kernel=1)),
    ("cgan", dict(num_classes=1)), ("cgan", dict(embedding=0)), ("cgan", dict(latent=0)), ("dcgan", dict(ema=1.0)),
])  # fmt: skip
def test_refused(wrong):
    name, arguments = wrong
    with pytest.raises(zoo.ZooError, match=next(iter(arguments))):
        zoo.build(name, **arguments)


def test_all_eight_modes_of_the_ring_are_found():
    data = ring(256, seed=0)
    network = dict(image_shape=(2,), latent=16, hidden=(128, 128), units=(128, 128), pieces=2, dropout=0.0)
    model = zoo.build("gan", ema=0.99, **network)
    model.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), r1=0.1, steps_per_execution=32)
    model.fit(data.train.open(), steps_per_epoch=data.train.steps, epochs=50, verbose=0, shuffle=False)
    found, near = modes_found(model.sample(2000), data.statistics["centres"], data.statistics["deviation"])
    assert found == 8
    assert near > 0.5


def test_counting_modes():
    data = ring(64, examples=800, seed=0)
    points, centres = data.train.arrays[0], data.statistics["centres"]
    found, near = modes_found(points, centres, 0.05)
    # 1 - exp(-9 / 2) of a Gaussian of two dimensions is within three deviations.
    assert found == 8 and near == pytest.approx(1 - np.exp(-4.5), abs=0.015)
    assert modes_found(points[data.train.arrays[1] < 3], centres, 0.05)[0] == 3
    assert modes_found(np.zeros((5, 2)), centres, 0.05) == (0, 0.0)
    for wrong in (dict(modes=1), dict(radius=0), dict(deviation=-1), dict(examples=3)):
        with pytest.raises(zoo.ZooError, match=next(iter(wrong))):
            ring(8, **wrong)
