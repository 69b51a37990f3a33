"""Tiles without seams: their size changes nothing, for every form of the network; the same inside a SavedModel."""

import keras
import numpy as np
import pytest

import zoo
from zoo import tiling
from zoo._tile_geometry import geometry
from zoo.serving.tiles import tiled
from zoo.tiling import any_size, margin, mirrored, segment

FREE = (None, None, 1)
NETWORKS = {
    "transposed": ("unet_same", dict(input_shape=FREE, width=4, depth=2)),
    "bilinear": ("unet_same", dict(input_shape=FREE, width=4, depth=2, upsampling="bilinear")),
    "nearest": ("unet_same", dict(input_shape=FREE, width=4, depth=2, upsampling="nearest")),
    "residual": (
        "unet_same",
        dict(input_shape=FREE, width=4, depth=2, residual=True, batch_normalization=True, momentum=0.0),
    ),
    "deep": ("unet_same", dict(input_shape=(16, 16, 1), width=4, depth=4)),
    "rgb": ("unet_same", dict(input_shape=(None, None, 3), width=4, depth=2, num_classes=1)),
    "unpadded": ("unet", dict(input_shape=(108, 108, 1), width=4, depth=3, dropout=0.0)),
}
EVERY = pytest.mark.parametrize("name", NETWORKS)


@pytest.fixture(autouse=True)
def fresh():
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


def _network(name):
    """A network whose random logits are of a size at which a softmax shows how they differ."""
    build, arguments = NETWORKS[name]
    model = zoo.build(build, **arguments)
    # With momentum 0 the moving statistics of batch normalisation are those of this call.
    sample = _pixels(2, 108, 108, arguments["input_shape"][-1])[:, : 108 if build == "unet" else 96]
    sample = sample[:, :, : sample.shape[1]]
    logits = any_size(model)(sample) if None not in model.input_shape[1:] else model(sample, training=True)
    last = model.get_layer("output")
    kernel, bias = last.get_weights()
    last.set_weights([kernel / keras.ops.convert_to_numpy(keras.ops.std(logits)), bias])
    return model


def _pixels(*shape):
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


@EVERY
def test_the_size_of_tiles_changes_nothing(name, monkeypatch):
    model = _network(name)
    images = _pixels(2, 45, 75, model.input_shape[-1])
    whole = segment(model, images, tile=80)
    assert whole.shape == (2, 45, 75, model.output_shape[-1]) and whole.dtype == np.float32
    assert whole.std() > 0.02
    assert (whole[..., 0].min() > 0) and (whole[..., 0].max() < 1)
    for tile in (1, 32, None):
        if tile != 1 or name == "transposed":
            np.testing.assert_allclose(segment(model, images, tile), whole, atol=1e-5)
    if not name.startswith("un"):
        # One multiple less of image around the tiles, and seams show.
        sees = geometry(model)
        less = sees._replace(
            margin=sees.margin - sees.multiple, span=sees.span - 2 * sees.multiple, offset=sees.offset - sees.multiple
        )
        monkeypatch.setattr(tiling, "geometry", lambda model: less)
        assert np.abs(segment(model, images, 32) - whole).max() > 1e-5


@EVERY
def test_each_pixel_sees_the_mirrored_image(name):
    """One window by NumPy's own padding, and the network called on it."""
    model = _network(name)
    images = _pixels(1, 48, 64, model.input_shape[-1])  # whole tiles
    sees, around = geometry(model), margin(model)
    behind = sees.span - around
    padded = np.pad(images, ((0, 0), (around, behind), (around, behind), (0, 0)), "reflect")
    logits = np.asarray(any_size(model)(padded))[:, sees.offset :][:, :48, sees.offset :][:, :, :64]
    if logits.shape[-1] == 1:
        expected = 1 / (1 + np.exp(-logits))
    else:
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        expected = powers / powers.sum(-1, keepdims=True)
    np.testing.assert_allclose(segment(model, images, 16), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["deep", "unpadded"])
@pytest.mark.parametrize("sides", [(1, 1), (2, 5), (17, 3)])
def test_images_smaller_than_the_margin(name, sides):
    model = _network(name)
    images = _pixels(1, *sides, 1)
    assert min(sides) < margin(model)
    found = segment(model, images)
    assert found.shape == (1, *sides, 2)
    # The image and its mirror images, as often as they go into 60 pixels, make a larger image with the same beyond it.
    tall, wide = (1 + (60 // max(1, 2 * (side - 1))) * max(1, 2 * (side - 1)) for side in sides)
    large = images[:, mirrored(0, tall, sides[0])][:, :, mirrored(0, wide, sides[1])]
    np.testing.assert_allclose(found, segment(model, large)[:, : sides[0], : sides[1]], atol=1e-5)


def test_which_network_sees_which_windows(monkeypatch):
    seen, original = [], tiling._probabilities

    def watched(network, batch):
        seen.append((network, batch.shape))
        return original(network, batch)

    monkeypatch.setattr(tiling, "_probabilities", watched)
    own = zoo.build("unet", input_shape=(60, 60, 1), width=1, depth=2)  # 20 pixels out
    segment(own, _pixels(1, 33, 20, 1))
    assert seen == [(own, (2, 60, 60, 1))]  # as it is: no copy
    seen.clear()
    segment(own, _pixels(1, 33, 20, 1), tile=256)
    assert [shape for _, shape in seen] == [(1, 36 + 40, 20 + 40, 1)] and seen[0][0] is not own
    seen.clear()
    free = zoo.build("unet_same", input_shape=FREE, width=1, depth=2)
    segment(free, _pixels(9, 30, 300, 1))
    assert [shape for _, shape in seen] == [(10, 32 + 48, 256 + 48, 1), (8, 32 + 48, 256 + 48, 1)]
    assert all(network is free for network, _ in seen)


def test_margins():
    assert margin(zoo.build("unet", width=1)) == (572 - 388) // 2
    for depth, lost in ((1, 16), (2, 40), (3, 88)):
        model = zoo.build("unet", width=1, depth=depth, input_shape=(92, 92, 1))
        assert margin(model) == margin(any_size(model)) == lost // 2


@pytest.mark.parametrize("upsampling", ["transposed", "bilinear", "nearest"])
def test_the_margin_is_how_far_a_pixel_is_seen(upsampling):
    """The farthest pixels whose change reaches a block of the output, by trying all of them."""
    model = zoo.build("unet_same", input_shape=(80, 8, 1), width=8, depth=2, upsampling=upsampling, num_classes=1)
    base = np.repeat(_pixels(1, 80, 8, 1), 80, axis=0)
    changed = base.copy()
    changed[np.arange(80), np.arange(80)] ^= 128
    seen = (np.asarray(model(changed)) != np.asarray(model(base)))[:, 40:44].any(axis=(1, 2, 3))
    before, behind = 40 - np.flatnonzero(seen).min(), np.flatnonzero(seen).max() - 43
    assert margin(model) == -(-max(before, behind) // 4) * 4


def test_any_size_has_the_same_weights_and_policy():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = zoo.build("unet_same", input_shape=(8, 16, 2), width=2, depth=1, upsampling="bilinear")
    finally:
        keras.config.set_dtype_policy("float32")
    free = any_size(model)
    assert free.input_shape == (None, None, None, 2) and free.name == model.name and any_size(free) is free
    assert [layer.compute_dtype for layer in free.layers[1:]] == [layer.compute_dtype for layer in model.layers[1:]]
    images = _pixels(2, 8, 16, 2)
    np.testing.assert_array_equal(free(images), model(images))
    assert segment(model, images).dtype == np.float32


def test_mirrored():
    for size in (1, 2, 3, 7):
        expected = np.pad(np.arange(size), 20, "reflect") if size > 1 else np.zeros(41, int)
        np.testing.assert_array_equal(mirrored(-20, 40 + size, size), expected)


def test_what_cannot_be_segmented():
    model = zoo.build("unet_same", input_shape=(None, None, 1), width=1, depth=1)
    for images in (_pixels(1, 8, 8, 3), _pixels(8, 8, 1), _pixels(0, 8, 8, 1), np.full((1, 8, 8, 1), "a")):
        with pytest.raises(zoo.ZooError, match=r"images must be raw pixels \(n, height, width, 1\)"):
            segment(model, images)
    for tile in (0, 2.5, True):
        with pytest.raises(zoo.ZooError, match="tile must be an integer >= 1"):
            segment(model, _pixels(1, 8, 8, 1), tile)
    with pytest.raises(zoo.ZooError, match="the output of lenet must be one map"):
        margin(zoo.build("lenet"))
    x = keras.Input((8, 8, 1))
    for layer, said in (
        (keras.layers.Conv2D(1, 3, strides=2, name="odd"), "'odd', a Conv2D, cannot be tiled"),
        (keras.layers.Conv2D(1, (3, 5), name="odd"), r"kernel_size=\(3, 5\)"),
        (keras.layers.LayerNormalization(name="odd"), "'odd', a LayerNormalization"),
        (keras.layers.Cropping2D(((1, 2), (0, 0)), name="odd"), "'odd', a Cropping2D"),
    ):
        with pytest.raises(zoo.ZooError, match=said):
            margin(keras.Model(x, layer(x)))


@pytest.mark.parametrize("name", ["bilinear", "rgb", "unpadded"])
def test_the_same_inside_a_saved_model(name, tmp_path):
    import tensorflow as tf

    model = _network(name)
    network = any_size(model)
    channels = model.input_shape[-1]
    spec = [tf.TensorSpec((None, None, None, channels), tf.uint8)]
    module = tf.Module()
    module.serve = tf.function(tiled(network, tile=32), input_signature=spec, autograph=False)
    concrete = module.serve.get_concrete_function()
    module.read = list(concrete.graph.variables)
    assert concrete.output_shapes.as_list() == [None, None, None, model.output_shape[-1]]
    traces = module.serve.experimental_get_tracing_count()
    for sides in ((45, 75), (1, 1), (3, 40), (32, 64)):
        images = _pixels(2, *sides, channels)
        found = module.serve(tf.constant(images))
        np.testing.assert_allclose(found, segment(model, images), atol=1e-5)
    assert module.serve.experimental_get_tracing_count() == traces
    tf.saved_model.save(module, str(tmp_path / "served"), signatures=concrete)
    again = tf.saved_model.load(str(tmp_path / "served")).signatures["serving_default"]
    np.testing.assert_array_equal(next(iter(again(tf.constant(images)).values())), found)


def test_a_graph_needs_a_network_for_any_size():
    with pytest.raises(zoo.ZooError, match="network.input_shape must be free"):
        tiled(zoo.build("unet_same", input_shape=(8, 8, 1), width=1, depth=1))


def test_the_mean_over_the_symmetries_of_a_square_has_them():
    model = zoo.build("unet_same", input_shape=(16, 16, 1), width=2, depth=2)
    image = np.random.default_rng(0).integers(0, 256, (1, 21, 30, 1), dtype=np.uint8)
    found = segment(model, image, symmetries=True)
    assert found.shape == (1, 21, 30, 2)
    np.testing.assert_allclose(found.sum(-1), 1, rtol=1e-5)
    turned = segment(model, np.rot90(image, 1, (1, 2)), symmetries=True)
    np.testing.assert_allclose(np.rot90(turned, -1, (1, 2)), found, atol=1e-5)
    mirrored = segment(model, image[:, ::-1], symmetries=True)
    np.testing.assert_allclose(mirrored[:, ::-1], found, atol=1e-5)
    assert np.abs(segment(model, image) - found).max() > 1e-3
