"""Exports of autoencoders and segmentation networks: their signatures, free image sizes, and what is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import ZooError
from zoo.savedmodel import export_all
from zoo.tiling import segment

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

RANDOM = np.random.default_rng(0)
UNET = dict(input_shape=(16, 16, 1), width=2, depth=2, batch_normalization=True)


@pytest.fixture(scope="module", autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="module")
def codes(tmp_path_factory):
    model = zoo.build("autoencoder", input_shape=(6, 5, 1), hidden=(7,), code=3)
    folder = tmp_path_factory.mktemp("codes") / "run"
    return model, folder, export_all(model, folder, formats=("savedmodel", "litert", "onnx", "keras"))


def test_an_autoencoder_serves_encodes_and_decodes(codes):
    model, folder, _ = codes
    signatures = tf.saved_model.load(str(folder / "savedmodel")).signatures
    assert sorted(signatures) == ["decode", "encode", "serve", "serving_default"]
    x = RANDOM.integers(0, 256, (5, 6, 5, 1), dtype=np.uint8)
    image = np.asarray(model(x))
    for name in ("serve", "serving_default"):
        answer = signatures[name](image=tf.constant(x))
        assert sorted(answer) == ["reconstruction", "squared_error"]
        assert np.abs(answer["reconstruction"].numpy() - np.round(255 * image)).max() <= 1
        expected = np.square(image - x / 255).sum((1, 2, 3))
        np.testing.assert_allclose(answer["squared_error"], expected, rtol=1e-5)
    code = signatures["encode"](image=tf.constant(x))["code"]
    np.testing.assert_allclose(code, model.encoder(x), rtol=1e-5, atol=1e-6)
    again = signatures["decode"](code=code)["image"].numpy()
    assert again.dtype == np.uint8 and np.abs(again - np.round(255 * image)).max() <= 1


def test_every_format_of_an_autoencoder_was_checked(codes):
    _, folder, done = codes
    assert sorted(done) == ["keras", "litert", "onnx", "savedmodel"]
    assert 0 < done["savedmodel"].difference < 1e-4
    assert done["litert"].outputs == {"reconstruction": "uint8 (n, 6, 5, 1)", "squared_error": "float32 (n,)"}
    exec(compile(done["savedmodel"].usage, "usage", "exec"), {})


def test_an_answer_that_differs_is_noticed(monkeypatch, tmp_path):
    from zoo.serving.codes import Codes

    model = zoo.build("autoencoder", input_shape=(6, 5, 1), hidden=(7,), code=3)
    original = Codes.expected

    def shifted(self, signature, array, format):
        wanted = original(self, signature, array, format)
        return {k: (v + 0.1, t) for k, (v, t) in wanted.items()} if signature == "encode" else wanted

    monkeypatch.setattr(Codes, "expected", shifted)
    with pytest.raises(ZooError, match="does not answer like the model: code differ by 0.1"):
        zoo.export(model, tmp_path / "served")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("classes", [1, 3])
def test_a_mask_for_images_of_any_size(classes, tmp_path):
    model = zoo.build("unet_same", num_classes=classes, **UNET)
    labels = ("outside", "inside") if classes == 1 else ("a", "b", "größer als")
    done = zoo.export(model, tmp_path / "served", labels)
    signatures = tf.saved_model.load(str(tmp_path / "served")).signatures
    for shape in ((1, 16, 16, 1), (2, 37, 21, 1)):
        x = RANDOM.integers(0, 256, shape, dtype=np.uint8)
        answer = {key: value.numpy() for key, value in signatures["serving_default"](image=tf.constant(x)).items()}
        expected = segment(model, x)
        np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
        best = expected[..., 0] >= 0.5 if classes == 1 else expected.argmax(-1)
        assert (answer["mask"] == best).mean() > 0.999 and answer["mask"].dtype == np.uint8
    assert [name.decode() for name in signatures["labels"]()["labels"].numpy()] == list(labels)
    exec(compile(done.usage, "usage", "exec"), {})


def test_the_unpadded_network_answers_for_the_whole_image(tmp_path):
    model = zoo.build("unet", input_shape=(44, 44, 1), width=2, depth=2)
    zoo.export(model, tmp_path / "served")
    serve = tf.saved_model.load(str(tmp_path / "served")).signatures["serving_default"]
    x = RANDOM.integers(0, 256, (1, 30, 25, 1), dtype=np.uint8)
    assert serve(image=tf.constant(x))["mask"].shape == (1, 30, 25)


def test_numeric_formats_take_the_networks_own_size(tmp_path):
    model = zoo.build("unet_same", **UNET)
    done = zoo.export(model, tmp_path / "model.tflite", format="litert")
    assert done.inputs == {"image": "uint8 (n, 16, 16, 1)"}
    assert done.outputs == {"probabilities": "float32 (n, height, width, 2)"}
    exec(compile(done.usage, "usage", "exec"), {})
    free = zoo.build("unet_same", **{**UNET, "input_shape": (None, None, 1)})
    with pytest.raises(ZooError, match="litert files have one size of image, and the model takes any"):
        zoo.export(free, tmp_path / "free.tflite", format="litert")


def test_a_keras_file_of_a_network_for_windows(tmp_path):
    model = zoo.build("unet_same", **UNET)
    batch = RANDOM.integers(0, 256, (2, 40, 50, 1), dtype=np.uint8)
    done = zoo.export(model, tmp_path / "model.keras", format="keras", batch=batch)
    assert done.difference == 0


def test_labels_name_each_class(tmp_path):
    model = zoo.build("unet_same", num_classes=1, **UNET)
    with pytest.raises(ZooError, match="the model tells 2 classes apart, labels must name each. Received: 3 labels"):
        zoo.export(model, tmp_path / "served", ("a", "b", "c"))


def test_a_run_of_an_autoencoder_is_written_in_layers_of_keras():
    from zoo.plain import plain

    model = zoo.build("autoencoder", input_shape=(6, 5, 1), hidden=(7,), code=3)
    copy = plain(model)
    x = RANDOM.integers(0, 256, (5, 6, 5, 1), dtype=np.uint8)
    np.testing.assert_allclose(copy(x), model(x), atol=1e-6)
    assert type(copy).__module__.startswith("keras.") and [layer.name for layer in copy.layers][1:] == [
        "encoder",
        "decoder",
    ]


def test_a_savedmodel_for_any_size_beside_a_file_for_one(tmp_path):
    model = zoo.build("unet_same", **UNET)
    batch = RANDOM.integers(0, 256, (2, 40, 50, 1), dtype=np.uint8)
    done = export_all(model, tmp_path / "run", formats=("savedmodel", "litert"), batch=batch)
    assert done["savedmodel"].inputs == {"image": "uint8 (n, any, any, 1)"}
    assert done["litert"].inputs == {"image": "uint8 (n, 16, 16, 1)"} and "(1, 16, 16, 1)" in done["litert"].usage
    serve = tf.saved_model.load(str(tmp_path / "run" / "savedmodel")).signatures["serving_default"]
    assert serve(image=tf.zeros((1, 21, 9, 1), tf.uint8))["mask"].shape == (1, 21, 9)
