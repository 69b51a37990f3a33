"""The perceptual loss: against features taken by hand, inside training, and through a file without its network."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.perceptual import PerceptualLoss
from zoo.surgery import features

LAYER = "stage1_block1_relu"
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32, 3)).astype("float32")


@pytest.fixture(scope="module")
def loss():
    return PerceptualLoss("resnet20", "cifar10", LAYER, scale=0.5, pixels=2.0)


def test_it_is_the_squared_error_of_features_and_pixels(loss):
    seen = features(zoo.build("resnet20", weights="cifar10"), LAYER)
    true, found = IMAGES
    maps = [np.asarray(seen(images, training=False)[LAYER]) for images in (true, found)]
    expected = 0.25 * np.square(maps[0] - maps[1]).mean((1, 2, 3))
    expected += 2 * np.square((true - found) / 127.5).mean((1, 2, 3))
    assert float(loss(true, found)) == pytest.approx(expected.mean(), rel=1e-4)
    np.testing.assert_allclose(loss.call(true, found), expected, rtol=1e-4)
    assert float(loss(true, true)) == 0
    assert float(loss(true.astype("uint8"), found)) == pytest.approx(expected.mean(), rel=1e-4)


def test_other_sizes_and_grey_images(loss):
    grey = IMAGES[:, :, :12, :20, :1]
    colour = np.repeat(grey, 3, axis=-1)
    assert float(loss(*grey)) == pytest.approx(float(loss(*colour)), rel=1e-5) and float(loss(*grey)) > 0
    with pytest.raises(zoo.ZooError, match="resnet20 sees 3 channels. Received images of 2"):
        loss(*IMAGES[..., :2])
    far = PerceptualLoss("lenet", "digits", "conv2")
    with pytest.raises(zoo.ZooError, match="nothing is left at the layer 'conv2' of lenet"):
        far(*IMAGES[:, :, :1, :1, :1])


def test_gradients_reach_the_images(loss):
    found = tf.constant(IMAGES[1])
    with tf.GradientTape() as tape:
        tape.watch(found)
        value = loss(IMAGES[0], found)
    assert np.abs(tape.gradient(value, found)).max() > 0


def test_building_it_disturbs_nothing():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        state = random.getstate()
        half = PerceptualLoss("resnet20", "cifar10", LAYER)
        assert random.getstate() == state and keras.config.dtype_policy().name == "mixed_bfloat16"
        full = float(half(*IMAGES))
    finally:
        keras.config.set_dtype_policy("float32")
    assert full == pytest.approx(float(PerceptualLoss("resnet20", "cifar10", LAYER)(*IMAGES)), rel=1e-6)


def test_it_trains_and_a_file_does_without_the_network(loss, tmp_path, monkeypatch):
    inputs = keras.Input((32, 32, 3))
    model = keras.Model(inputs, keras.layers.Dense(3, kernel_initializer="identity")(inputs))
    model.compile(keras.optimizers.Adam(0.01), loss)
    losses = model.fit(IMAGES[0], 255 - IMAGES[0], batch_size=3, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    assert (tmp_path / "model.keras").stat().st_size < 100_000  # the network has 1 MB of weights
    expected = model.evaluate(*IMAGES, verbose=0)
    with monkeypatch.context() as without:
        without.setattr("zoo.perceptual._any_size", lambda *_: pytest.fail("the network was built"))
        again = zoo.load(tmp_path / "model.keras")
        np.testing.assert_array_equal(again(IMAGES[0]), model(IMAGES[0]))
    # Built while the step of the evaluation is traced; and training left the first one's network as it was.
    assert again.evaluate(*IMAGES, verbose=0) == pytest.approx(expected, rel=1e-6)
    config = again.loss.get_config()
    assert {key: config[key] for key in ("network", "weights", "layer", "scale", "pixels")} == dict(
        network="resnet20", weights="cifar10", layer=LAYER, scale=0.5, pixels=2.0
    )


def test_a_run_or_a_file_gives_the_weights(tmp_path):
    model = zoo.build("lenet", input_shape=(12, 12, 1), num_classes=3)
    model.save(tmp_path / "lenet.keras")
    loss = PerceptualLoss("lenet", str(tmp_path / "lenet.keras"), "conv1")
    grey = IMAGES[:, :, :12, :12, :1]
    maps = [np.asarray(features(model, "conv1")(images)["conv1"]) for images in grey]
    assert float(loss(*grey)) == pytest.approx(np.square(maps[0] - maps[1]).mean(), rel=1e-4)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (dict(network="resnet2"), "there is no model named 'resnet2'"),
        (dict(weights="imagenet"), "no weights named 'imagenet'"),
        (dict(layer="stage1_block1_rely"), "has no layer 'stage1_block1_rely'. Did you mean 'stage1_block1_relu'"),
        (dict(network="lenet", weights="digits", layer="dense1"), "images are compared by the maps of a layer"),
        (dict(scale=0), "scale must be a number > 0"),
        (dict(scale=True), "scale must be a number > 0"),
        (dict(pixels=-1.0), "pixels must be a number >= 0"),
    ],
)
def test_what_cannot_be(wrong, said):
    with pytest.raises(zoo.ZooError, match=said):
        PerceptualLoss(**wrong)
