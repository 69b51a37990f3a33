"""SRResNet and SRGAN: the paper's layers and sizes, images of any size, and a start from trained weights."""

import keras
import numpy as np
import pytest

import zoo
from zoo.adversarial import Adversarial
from zoo.models.srgan import begin
from zoo.tasks import task_of

SMALL = dict(filters=4, blocks=1)
TINY = dict(patch=16, discriminator_filters=4, dense=8, **SMALL)


def parameters(model):
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_weights)


def convolution(size, given, made):
    return size**2 * given * made


def generator_parameters(filters, blocks, doublings, channels=3):
    """Counted by the figure: convolution, and two numbers a map for a normalisation, one for a PReLU."""
    count = convolution(9, channels, filters) + filters + filters
    count += blocks * (2 * (convolution(3, filters, filters) + 2 * filters) + filters)
    count += convolution(3, filters, filters) + 2 * filters
    count += doublings * (convolution(3, filters, 4 * filters) + 4 * filters + filters)
    return count + convolution(9, filters, channels) + channels


def discriminator_parameters(filters, stages, dense, side):
    count, given = 0, 3
    for stage in range(stages):
        made = filters * 2**stage
        count += convolution(3, given, made) + (2 * made if stage else made) + convolution(3, made, made) + 2 * made
        given = made
    return count + side**2 * given * dense + dense + dense + 1


def test_parameters():
    assert parameters(zoo.build("srresnet")) == generator_parameters(64, 16, 2) == 1_548_547
    model = zoo.build("srgan", **SMALL)
    assert parameters(model) == parameters(model.generator) == generator_parameters(4, 1, 2)
    assert parameters(model.discriminator) == discriminator_parameters(64, 4, 1024, 6) == 23_563_649
    assert model.discriminator.get_layer("stage4_conv2").output.shape == (None, 6, 6, 512)
    assert discriminator_parameters(64, 3, 1024, 4) == 5_342_593  # as the docstring says


@pytest.mark.parametrize(
    ("patch", "stages", "side"), [(96, 4, 6), (64, 4, 4), (32, 3, 4), (48, 3, 6), (52, 4, 4), (16, 2, 4), (8, 1, 4)]
)
def test_small_patches_are_halved_fewer_times(patch, stages, side):
    discriminator = zoo.build("srgan", **{**TINY, "patch": patch}).discriminator
    assert parameters(discriminator) == discriminator_parameters(4, stages, 8, side)
    assert discriminator.input_shape == (None, patch, patch, 3) and discriminator.output_shape == (None, 1)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_images_of_any_size_become_larger(factor):
    model = zoo.build("srresnet", factor=factor, input_shape=(None, None, 1), **SMALL)
    for height, width in ((1, 3), (6, 5)):
        images = np.random.default_rng(0).integers(0, 256, (2, height, width, 1), dtype=np.uint8)
        found = np.asarray(model(images))
        assert found.shape == (2, factor * height, factor * width, 1) and found.dtype == np.float32
        assert 0 <= found.min() < found.max() <= 255
    assert task_of(model) == "translation"
    assert zoo.build("srresnet", input_shape=(8, 6, 3), factor=factor, **SMALL).output_shape[1:3] == (
        8 * factor,
        6 * factor,
    )


def test_the_pair_learns_is_saved_and_takes_other_sizes_than_its_patch(tmp_path):
    model = zoo.build("srgan", ema=0.9, **TINY)
    assert isinstance(model, Adversarial) and model.translates and task_of(model) == "translation"
    random = np.random.default_rng(0)
    small, large = (random.integers(0, 256, (4, side, side, 3), dtype=np.uint8) for side in (4, 16))
    model.compile("adam", content=keras.losses.MeanSquaredError(), content_weight=1e-4, run_eagerly=True)
    before = [weights.copy() for weights in model.get_weights()]
    logs = model.fit(small, large, batch_size=2, verbose=0).history
    assert np.isfinite(list(logs.values())).all() and {"content", "discriminator_loss"} <= set(logs)
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "srgan.keras")
    again = zoo.load(tmp_path / "srgan.keras")
    images = random.integers(0, 256, (1, 7, 5, 3), dtype=np.uint8)
    assert model(images).shape == (1, 28, 20, 3)
    np.testing.assert_array_equal(model(images), again(images))


def test_a_generator_begins_with_trained_weights(tmp_path):
    start = zoo.build("srresnet", **SMALL)
    start.save(tmp_path / "srresnet.keras")
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
    model = zoo.build("srgan", ema=0.9, **TINY)
    assert (np.asarray(model(images)) != np.asarray(start(images))).any()
    begin(model, tmp_path / "srresnet.keras")
    for network in (model, model.learner):
        np.testing.assert_array_equal(network(images), start(images))
    before = model.get_weights()
    other = zoo.build("srgan", **{**TINY, "filters": 5})
    with pytest.raises(zoo.ZooError, match="does not fit srresnet as built: the layer 'first_conv'"):
        begin(other, tmp_path / "srresnet.keras")
    with pytest.raises(zoo.ZooError, match="there is no file or folder .*nothing"):
        begin(model, tmp_path / "nothing")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (dict(factor=3), "factor must be a power of two"),
        (dict(factor=1), "factor must be an integer >= 2"),
        (dict(filters=0), "filters must be"),
        (dict(blocks=-1), "blocks must be"),
        (dict(input_shape=(8, 8)), "input_shape must be"),
        (dict(input_shape=(8, 8.0, 3)), "input_shape must be"),
        (dict(input_shape=(None, None, None)), "input_shape must be"),
        (dict(patch=7), "patch must be an integer >= 8"),
        (dict(patch=98), "patch must be a multiple of factor=4: 100 would do"),
        (dict(patch=96, input_shape=(8, 8, 3)), "the generator gives .*32, 32, 3.*, and the discriminator takes .*96"),
        (dict(dense=0), "dense must be"),
        (dict(discriminator_filters=0), "discriminator_filters must be"),
        (dict(ema=1), "ema must be"),
    ],
)
def test_what_cannot_be(wrong, said):
    with pytest.raises(zoo.ZooError, match=said):
        zoo.build("srgan", **{**TINY, **wrong})
