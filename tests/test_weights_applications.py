"""Keras' ImageNet weights in the zoo's layers: the same answers from raw pixels, and what is refused.

Nothing is downloaded. Keras' networks get random weights, none of which is where a new network has it.
"""

import urllib.error

import keras
import numpy as np
import pytest
from keras.src.utils import file_utils

import zoo
from zoo.weights import applications, put, values

SMALL = dict(input_shape=(8, 8, 3), blocks=1)
# Height and width; odd ones too, since the two networks pad in different layers.
SIDES = {"vgg16": (32, 32), "vgg19": (40, 33), "resnet50": (64, 49), "resnet101": (33, 47), "resnet152": (32, 32)}
MORE = {"vgg16": {}, "resnet50": dict(blocks=[3, 4, 6, 3])}  # a list is as good as the tuple that the weights fix
# Large biases would drown the pixels behind VGG's many layers.
BOUNDS = {"moving_variance": (0.5, 1.5), "bias": (-0.1, 0.1)}


@pytest.fixture(autouse=True)
def fresh_names():
    keras.utils.clear_session(free_memory=False)


def _random(source):
    draw = np.random.default_rng(0)
    for layer in source.layers:
        for variable in layer.weights:
            if len(variable.shape) == 1:
                variable.assign(draw.uniform(*BOUNDS.get(variable.name, (-1.0, 1.0)), variable.shape))
    return source


@pytest.fixture
def published(monkeypatch):
    """Lets Keras' functions give networks with random weights for "imagenet"; returns those that were given."""
    given = []

    def fake(name, function):
        def give(weights, include_top, input_shape):
            assert weights == "imagenet" and input_shape == (None if include_top else (32, 32, 3))
            keras.utils.set_random_seed(1)
            options = dict(include_top=include_top, input_shape=(*SIDES[name], 3), classifier_activation=None)
            given.append(_random(function(weights=None, **options)))
            return given[-1]

        monkeypatch.setattr(keras.applications, function.__name__, give)

    # The zoo's kernels start at 0, which is quicker than at random, and shows any that is not set.
    monkeypatch.setattr(keras.initializers.HeNormal, "__call__", lambda _, shape, dtype: keras.ops.zeros(shape, dtype))
    for name, function in applications.FUNCTIONS.items():
        fake(name, getattr(keras.applications, function))
    return given


def _answers(model, pixels):
    return keras.ops.convert_to_numpy(model(pixels))


def _pixels(side):
    return np.random.default_rng(2).integers(0, 256, (2, *side, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", SIDES)
def test_raw_pixels_give_what_keras_gives_for_preprocessed_ones(name, published, monkeypatch):
    # At 32 x 32 the first dense layer has 512 inputs instead of 25 088: 400 MB less.
    monkeypatch.setattr(applications, "FLAT", 512)
    more = MORE.get(name, dict(include_top=False))
    model = zoo.build(name, weights="imagenet", input_shape=(*SIDES[name], 3), **more)
    (source,) = published
    assert model.name == name
    prepared = keras.applications.vgg16.preprocess_input(_pixels(SIDES[name]).astype("float32"))
    expected, found = _answers(source, prepared), _answers(model, _pixels(SIDES[name]))
    assert found.shape == expected.shape and np.ptp(expected, axis=0).max() > 0.01 * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    # A step of one pixel value is seen, so that the mean colour is.
    assert np.abs(_answers(model, _pixels(SIDES[name]) // 2) - expected).max() > 1e-3 * np.abs(expected).max()


def test_keras_preprocessing_is_the_same_for_all_of_them():
    pixels = _pixels((4, 4)).astype("float32")
    expected = pixels[..., ::-1] - np.array(applications.MEAN[::-1], "float32")
    for module in (keras.applications.vgg16, keras.applications.vgg19, keras.applications.resnet):
        np.testing.assert_array_equal(module.preprocess_input(pixels.copy()), expected)


def test_other_classes_keep_the_trunk_and_get_a_new_head(published):
    model = zoo.build("vgg16", weights="imagenet", num_classes=5, dense=0, input_shape=(32, 64, 3))
    (source,) = published
    kernel = source.get_layer("block5_conv3").kernel.numpy()
    np.testing.assert_array_equal(model.get_layer("block5_conv3").kernel, kernel)
    assert model.get_layer("output").kernel.shape == (512, 5) and (model.get_layer("output").bias.numpy() == 0).all()


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("resnet50", dict(epsilon=1e-5), "trained with epsilon=1.001e-05 .*Received: epsilon=1e-05. Leave epsilon out"),
        ("resnet101", dict(strides_in="3x3"), "trained with strides_in='1x1'"),
        ("resnet152", dict(blocks=[3, 8, 36, 4]), r"trained with blocks=\(3, 8, 36, 3\)"),
        ("resnet50", dict(shortcut="A"), "trained with shortcut='B'"),
        ("resnet50", dict(stem="small"), "trained with stem='imagenet'"),
        ("vgg16", dict(width=0.5), "trained with width=1.0"),
        ("vgg19", dict(batch_normalization=True), "trained with batch_normalization=False"),
        ("vgg16", dict(configuration="E"), "trained with configuration='D'"),
        (
            "vgg16",
            dict(input_shape=(64, 96, 3)),
            r"shape \(25088, 4096\), and \(3072, 4096\) in vgg16 as built. input_shape=.224, 2",
        ),
        ("vgg16", dict(input_shape=(32, 32, 3), dense=8, num_classes=3), r"and \(512, 8\) in vgg16 as built"),
        ("vgg16", dict(input_shape=(32, 32, 3), dense=0), r"\(512, 1000\) .* or dense=0 with other classes"),
        ("vgg16", dict(input_shape=(32, 32, 1), include_top=False), "are for images of 3 channels"),
        ("vgg16", dict(colour="red"), "has no argument 'colour'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_fetched(name, arguments, message, published):
    with pytest.raises(zoo.ZooError, match=message):
        zoo.build(name, weights="imagenet", **arguments)
    assert not published


@pytest.mark.parametrize(
    ("name", "weights", "message"),
    [
        (
            "vgg16",
            "imagnet",
            "no weights named 'imagnet'. Did you mean 'imagenet'[?] vgg16 takes 'imagenet'; weights are",
        ),
        ("resnet18", "imagenet", "'resnet18' has no weights named 'imagenet'. There are none by name for resnet18"),
        ("lenet", "runs/lenet/7", "there is no file or folder runs/lenet/7"),
        ("lenet", "lenet.txt", "lenet.txt is neither a run folder nor a .keras, .safetensors or .npz file"),
        ("lenet", "", "weights must be a name, or the path of a run folder"),
        ("lenet", 5, "weights must be a name, or the path of a run folder"),
        ("lenett", "imagenet", "no model named 'lenett'"),
    ],
)
def test_unknown_weights_are_answered_with_what_the_model_takes(name, weights, message, own_folder):
    (own_folder / "lenet.txt").write_text("")
    with pytest.raises(zoo.ZooError, match=message):
        zoo.build(name, weights=weights)


@pytest.mark.parametrize("lost", ["connection", "wrong file", "cached wrong file"])
def test_a_download_that_fails_is_answered_with_what_works(lost, own_folder, monkeypatch, capsys):
    def retrieve(origin, target, *_):
        if lost != "wrong file":
            raise urllib.error.URLError("no route to host")
        with open(target, "wb") as file:
            file.write(b"not the weights")

    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(own_folder))
    monkeypatch.setattr(file_utils, "urlretrieve", retrieve)
    if lost == "cached wrong file":
        (own_folder / "models").mkdir()
        (own_folder / "models" / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5").write_bytes(b"not the weights")
    why = "file hash does not match" if lost == "wrong file" else "no route to host"
    with pytest.raises(zoo.ZooError, match=f"vgg16 could not be fetched whole.*{why}.*put that file into ~/.keras"):
        applications._fetched("vgg16", include_top=False)


def _changed(found, **changes):
    return {path: array for path, array in {**found, **changes}.items() if array is not None}


def test_nothing_is_set_unless_everything_fits():
    model, other = (zoo.build("resnet20", num_classes=3, **SMALL) for _ in range(2))
    found, before = values(other), values(model)
    assert (found["stem_conv/kernel"] != before["stem_conv/kernel"]).any()
    last = "stage3_block1_2_norm/gamma"
    for changes, message in (
        (
            {last: found[last][:5]},
            r"gamma of the layer stage3_block1_2_norm has shape \(64,\) in resnet20 .* \(5,\) in it",
        ),
        ({last: None}, "it have no gamma for the layer stage3_block1_2_norm"),
        ({"stage4_conv/kernel": found[last]}, "it have a layer stage4_conv, which resnet20 as built has not"),
        ({"output/kernel": found["output/kernel"][:5]}, "kernel of the layer output has shape"),
    ):
        with pytest.raises(zoo.ZooError, match=message):
            put(model, _changed(found, **changes), "it")
        assert all((array == before[path]).all() for path, array in values(model).items())
    with pytest.raises(zoo.ZooError, match="in it. blocks=1 would fit$"):
        put(model, _changed(found, **{last: found[last][:5]}), "it", "blocks=1 would fit")
    put(model, found, "it")
    assert all((array == found[path]).all() for path, array in values(model).items())


def test_heads_are_taken_left_out_or_born_anew():
    found = values(zoo.build("resnet20", num_classes=3, **SMALL))
    features = zoo.build("resnet20", include_top=False, **SMALL)
    put(features, found, "it")
    assert (values(features)["stem_conv/kernel"] == found["stem_conv/kernel"]).all()
    for weights, classes in ((found, 4), (values(features), 3)):
        model = zoo.build("resnet20", num_classes=classes, **SMALL)
        before = values(model)["output/kernel"]
        put(model, weights, "it")
        assert (values(model)["output/kernel"] == before).all()
        assert (values(model)["stem_conv/kernel"] == found["stem_conv/kernel"]).all()
