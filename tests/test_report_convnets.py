"""The pictures of convolutional networks: which layers they show, Grad-CAM against its formula, what stands in them."""

import keras
import numpy as np
import pytest

import zoo
from zoo import ZooError
from zoo.pictures import convnets, feature_maps

LABELS = ("cat", "dog", "ship")
TINY = {
    "lenet": dict(num_classes=3, input_shape=(12, 12, 1)),
    "lenet5": dict(num_classes=3, input_shape=(8, 8, 1), upsample=3),
    "alexnet_small": dict(num_classes=3, input_shape=(32, 32, 3), width=1 / 8, dense=8),
    "vgg11_small": dict(num_classes=3, input_shape=(32, 32, 3), width=1 / 16),
    "googlenet_small": dict(num_classes=3, input_shape=(16, 16, 3), width=1 / 8, aux=True),
    "resnet20": dict(num_classes=3, input_shape=(16, 16, 3), blocks=1),
}


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


def _images(model, count=4):
    return np.random.default_rng(0).integers(0, 256, (count, *model.input_shape[1:]), dtype=np.uint8)


def _shake(model):
    """Weights and statistics as after some training: no bias is 0, no normalisation is the identity."""
    random = np.random.default_rng(1)
    for weight in model.weights:
        if weight.dtype == "float32":
            weight.assign(weight + 0.1 * random.uniform(0, 1, weight.shape))
    return model


def _averaging():
    inputs = keras.Input((6, 5, 2))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="tanh", name="conv")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(3, name="dense")(x))


def test_behind_global_average_pooling_and_one_dense_layer_grad_cam_is_the_class_activation_map():
    model = _shake(_averaging())
    images = _images(model) / 255
    maps = keras.ops.convert_to_numpy(keras.Model(model.input, model.get_layer("conv").output)(images))
    weights = model.get_layer("dense").get_weights()[0]
    classes = np.array([0, 1, 2, 1])
    expected = np.stack([one @ weights[:, c] for one, c in zip(maps, classes, strict=True)]) / (6 * 5)
    assert (expected < 0).any() and (expected > 0).any()
    heat = feature_maps.grad_cam(model, images, classes, "conv")
    np.testing.assert_allclose(heat, np.maximum(expected, 0), atol=1e-6)


@pytest.mark.parametrize("name", TINY)
def test_grad_cam_is_the_papers_formula_with_the_gradients_of_inference(name):
    import tensorflow as tf

    model = _shake(zoo.build(name, **TINY[name]))
    images, layer = _images(model, 2), feature_maps.last_maps(model)
    before = model.get_weights()
    logits = model.output["logits"] if isinstance(model.output, dict) else model.output
    both = keras.Model(model.inputs[0], [layer.output, logits])
    with tf.GradientTape() as tape:
        maps, answers = both(images.astype("float32"), training=False)
        largest = tf.reduce_sum(tf.reduce_max(answers, -1))
    gradient = tape.gradient(largest, maps).numpy()
    expected = np.maximum(np.einsum("nc,nhwc->nhw", gradient.mean((1, 2)), maps.numpy()), 0)
    heat = feature_maps.grad_cam(model, images)
    np.testing.assert_allclose(heat, expected, rtol=1e-4, atol=1e-4 * np.abs(gradient).mean())
    # Nothing of the model is touched.
    assert "call" not in vars(layer)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_grad_cam_in_half_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = zoo.build("lenet", **TINY["lenet"])
    finally:
        keras.config.set_dtype_policy("float32")
    heat = feature_maps.grad_cam(model, _images(model))
    assert heat.dtype == "float32" and np.isfinite(heat).all()
    assert {maps.dtype.name for maps in feature_maps.activations(model, _images(model)[0]).values()} == {"float32"}


def test_grad_cam_refuses():
    model = zoo.build("lenet", **TINY["lenet"])
    images = _images(model)
    with pytest.raises(ZooError, match="layer must be one of conv1, pool1, conv2, pool2. Received: layer='dense1'"):
        feature_maps.grad_cam(model, images, layer="dense1")
    for wrong in ([0, 1, 2, 3], [0, 1], [0.0, 1.0, 2.0, 1.0]):
        with pytest.raises(ZooError, match="classes must be 4 integers, each 0..2"):
            feature_maps.grad_cam(model, images, wrong)
    flat = zoo.build("mlp", input_shape=(8, 8, 1), num_classes=3, hidden=(4,))
    with pytest.raises(ZooError, match="no convolution"):
        feature_maps.grad_cam(flat, _images(flat))


@pytest.mark.parametrize(
    "name, more, expected, last",
    [
        ("lenet", {}, {"conv1": 12, "pool1": 6, "conv2": 2}, "conv1"),
        ("lenet5", {}, {"c1": 28, "s2": 14, "c3": 10, "s4": 5}, "c3"),
        ("vgg11_small", {}, {f"block{i}_conv{1 + (i > 2)}_relu": 64 >> i for i in range(1, 6)}, "block4_conv2_relu"),
        (
            "googlenet_small",
            {},
            {"inception_3b": 16, "inception_4e": 8, "inception_5b": 4},
            "inception_5b",
        ),
        (
            "resnet20",
            {},
            {"stage1_block1_relu": 16, "stage2_block1_relu": 8, "stage3_block1_relu": 4},
            "stage3_block1_relu",
        ),
        # Before the weights, the first activation of a stage is still of the size before it, beside the shortcut.
        (
            "resnet20",
            dict(preactivation=True),
            {"stage2_block1_0_relu": 16, "stage3_block1_0_relu": 8, "last_relu": 4},
            "last_relu",
        ),
    ],
)
def test_the_last_activation_at_each_size_is_shown(name, more, expected, last):
    model = zoo.build(name, **TINY[name], **more)
    found = feature_maps.activations(model, _images(model)[0])
    assert {key: maps.shape[0] for key, maps in found.items()} == expected
    assert feature_maps.last_maps(model).name == last
    assert feature_maps.grad_cam(model, _images(model)).shape == (4, expected[last], expected[last])


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("mlp", dict(input_shape=(8, 8, 1), hidden=(4,))),
        ("ensemble", dict(members=("lenet",) * 2, arguments=dict(input_shape=(12, 12, 1)))),
    ],
)
def test_what_has_no_convolution_of_its_own_has_no_pictures(name, arguments, tmp_path):
    model = zoo.build(name, **arguments)
    images = _images(model)
    assert feature_maps.maps_of(model) == feature_maps.stages(model) == []
    assert feature_maps.last_maps(model) is None
    assert convnets.draw(tmp_path, model, images, np.zeros(4, int), np.eye(10)[:4], list("0123456789")) == []
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name, right, expected",
    [
        ("resnet20", False, ["filters", "features", "gradcam", "confused"]),  # colour
        ("lenet", True, ["filters", "features", "gradcam"]),  # grey
    ],
)
def test_draw_makes_the_pictures_that_apply(name, right, expected, tmp_path):
    model = zoo.build(name, **TINY[name])
    images, true = _images(model, 6), np.arange(6) % 3
    probabilities = np.eye(3)[true if right else np.minimum(true, 1)]
    drawn = convnets.draw(tmp_path, model, images, true, probabilities, LABELS)
    assert [path.stem for path in drawn] == expected
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)


def test_there_is_no_picture_of_filters_that_have_no_shape(tmp_path):
    inputs = keras.Input((6, 6, 3))
    x = keras.layers.Conv2D(4, 1, name="conv")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(x)))
    drawn = convnets.draw(tmp_path, model, _images(model), np.zeros(4, int), np.eye(3)[[0] * 4], LABELS)
    assert [path.stem for path in drawn] == ["features", "gradcam"]


def _shown(figure):
    return [np.ma.filled(axis.images[0].get_array(), np.nan) for axis in figure.axes if axis.images]


def test_filters_stand_side_by_side_each_on_its_own_scale_with_grey_for_zero():
    kernel = np.zeros((24, 24, 1, 3), "float32")
    kernel[..., 0, 0] = -0.2
    kernel[0, 0, 0, 1] = 8
    figure = convnets.filters(kernel, "conv1")
    (whole,) = _shown(figure)
    assert (whole[:24, :24] == 0).all()
    assert whole[0, 26] == 1 and whole[5, 30] == 0.5
    assert (whole[:24, 52:76] == 0.5).all()  # a dead filter
    assert np.isnan(whole[:, 24:26]).all() and np.isnan(whole[:, 78:]).all()
    assert figure.axes[0].get_title().startswith("conv1: all 3 filters of 24 x 24\n")
    many = convnets.filters(np.ones((7, 7, 3, 96)), "conv1").axes[0]
    assert "the first 64 of 96 filters of 7 x 7, in colour" in many.get_title()
    assert many.images[0].get_array().shape[-1] == 3


def test_features_are_the_strongest_channels_first():
    maps = np.zeros((24, 24, 20), "float32")
    maps[3, 4] = np.arange(20) * np.where(np.arange(20) % 2, 1, -1)  # strength is magnitude
    figure = convnets.features(np.zeros((8, 8, 1), "uint8"), {"conv1": maps})
    _, whole = _shown(figure)
    assert whole[3, 4::26].tolist() == [sign * value for value, sign in zip(range(19, 3, -1), [1, -1] * 8, strict=True)]
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        "image: 8 x 8",
        "conv1: 24 x 24, the 16 strongest of 20 channels",
    ]


def test_grad_cams_lie_over_their_images_each_on_its_own_scale():
    from matplotlib import colormaps

    heat = np.zeros((2, 2, 2), "float32")
    heat[0, 0, 0] = 1e-3
    images = np.full((2, 32, 32, 1), 255, "uint8")
    figure = convnets.grad_cams(images, heat, np.array([1, 0]), np.eye(3)[[1, 2]], LABELS, "conv")
    first, second = _shown(figure)
    hot, cold = (0.5 + 0.5 * np.array(colormaps["jet"](value)[:3]) for value in (1.0, 0.0))
    assert (first[:64, :64] == 1).all()
    np.testing.assert_allclose(first[0, 68], hot, atol=1e-6)
    np.testing.assert_allclose(first[-1, -1], cold, atol=1e-6)
    np.testing.assert_allclose(second[:, 68:], np.broadcast_to(cold, (64, 64, 3)), atol=1e-6)
    assert [axis.get_title() for axis in figure.axes] == ["says dog, 100%\ntrue: dog", "says ship, 100%\ntrue: cat"]


def test_right_images_of_many_classes_and_the_most_certain_mistakes_are_chosen():
    true = np.array([2, 2, 0, 1, 1, 0])
    probabilities = np.full((6, 3), 0.0)
    for index, (said, share) in enumerate([(2, 0.9), (2, 1.0), (1, 0.6), (1, 0.7), (0, 0.8), (0, 0.5)]):
        probabilities[index] = (1 - share) / 2
        probabilities[index, said] = share
    assert convnets.chosen(true, probabilities).tolist() == [0, 3, 5, 4, 2]


def test_confused_pairs_are_counted_and_shown():
    true = np.array([0] * 5 + [1] * 2 + [2])
    predicted = np.array([1, 1, 1, 0, 2, 0, 1, 2])
    # One each of two classes of 5 and of 2: the larger share comes first.
    assert convnets.pairs(true, predicted, 3) == [(0, 1, 3), (1, 0, 1), (0, 2, 1)]
    probabilities = np.eye(3)[predicted] * np.array([0.5, 0.9, 0.7, 1, 1, 1, 1, 1])[:, None]
    images = np.stack([np.full((24, 24, 1), index, "uint8") for index in range(8)])
    figure = convnets.confused(images, true, probabilities, LABELS)
    rows = _shown(figure)
    np.testing.assert_allclose(rows[0][0, ::26] * 255, [1, 2, 0], atol=1e-4)  # the most certain first
    assert rows[1].shape == rows[0].shape and np.isnan(rows[1][0, 26])
    assert figure.axes[0].get_title(loc="left") == "cat → dog: 3 of 5 (60.0%)"
