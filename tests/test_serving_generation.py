"""Exports of what makes images: of codes, of classes and codes, and of other images."""

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import zoo
from zoo import ZooError
from zoo.adversarial import noise
from zoo.pixel_affine import Pixels
from zoo.savedmodel import export_all
from zoo.serving import formats, serving

# TensorFlow's variables predate an argument of NumPy 2; Keras meets that whenever it saves.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

layers = keras.layers
RANDOM = np.random.default_rng(0)
LABELS = ("zero", "one", "größer als")
TINY = dict(num_classes=3, image_shape=(8, 8, 1), latent=5, width=4, embedding=3)


@pytest.fixture(scope="module", autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


def conditional(**more):
    """A `cgan` with contrast: as it starts, all of its pixels are grey."""
    model = zoo.build("cgan", **TINY, **more)
    for weight in model.generator.trainable_weights:
        if weight.name in ("kernel", "embeddings"):
            weight.assign(25 * weight)
    return model


def translating(sides, strides=1):
    """Twice as large, and some of its pixels are beyond 0..255."""
    pixels = x = keras.Input((*sides, 3), name="pixels")
    x = layers.Conv2D(4, 3, strides, padding="same", activation="relu")(layers.Rescaling(1 / 127.5, -1)(x))
    x = layers.Conv2DTranspose(3, 4, 2 * strides, padding="same", name="up")(x)
    x = layers.Add()([x, layers.UpSampling2D(2)(layers.Rescaling(1 / 80, -1.6)(pixels))])
    return keras.Model(pixels, Pixels(name="colours")(x), name="translating")


@pytest.fixture(scope="module")
def generating(tmp_path_factory):
    model, folder = conditional(), tmp_path_factory.mktemp("generating") / "run"
    real = np.zeros((4, 8, 8, 1), "uint8")  # what a run has to check with is no input of such a model
    return model, folder, export_all(model, folder, LABELS, ("savedmodel", "litert", "onnx", "keras"), batch=real)


@pytest.fixture(scope="module")
def signatures(generating):
    _, folder, _ = generating
    return tf.saved_model.load(str(folder / "savedmodel")).signatures


def codes(count):
    return RANDOM.standard_normal((count, 5), dtype=np.float32), np.arange(count, dtype="int32") % 3


def pixels(values):
    return np.clip(np.round(values), 0, 255)


@pytest.mark.parametrize("label", [0, 2])
def test_sample_gives_the_images_of_the_model(generating, signatures, label):
    model, _, _ = generating
    images = signatures["sample"](label=tf.constant(label), n=tf.constant(6), seed=tf.constant(7))["image"].numpy()
    assert images.dtype == np.uint8 and images.shape == (6, 8, 8, 1) and images.std() > 30
    assert np.abs(images - np.float32(model.sample(6, seed=7, label=label))).max() <= 1
    other = signatures["sample"](label=tf.constant(label), n=tf.constant(6), seed=tf.constant(8))["image"].numpy()
    assert np.abs(images - np.float32(other)).max() > 30


@pytest.mark.parametrize("count", [1, 4])
def test_codes_and_classes_to_images(generating, signatures, count):
    model, folder, _ = generating
    z, label = codes(count)
    expected = pixels(model([z, label]))
    assert expected.std() > 30
    assert np.abs(signatures["serving_default"](z=z, label=label)["image"].numpy() - np.float32(expected)).max() <= 1
    runner = Interpreter(str(folder / "model.tflite")).get_signature_runner()
    image = runner(z=z, label=label)["image"]
    assert image.dtype == np.uint8 and np.abs(image - np.float32(expected)).max() <= 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(label=0, n=0), "n must be 1 or more"),
        (dict(label=0, n=-3), "n must be 1 or more"),
        (dict(label=3, n=1), "label must be a class, 0 to 2"),
        (dict(label=-1, n=1), "label must be a class, 0 to 2"),
    ],
)
def test_what_sample_refuses(signatures, given, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        signatures["sample"](seed=tf.constant(0), **{key: tf.constant(value) for key, value in given.items()})


def test_every_format_was_checked(generating, signatures):
    _, folder, done = generating
    assert sorted(signatures) == ["labels", "sample", "serving_default"]
    assert [name.decode() for name in signatures["labels"]()["labels"].numpy()] == list(LABELS)
    assert (folder / "labels.txt").read_text(encoding="utf-8").splitlines() == list(LABELS)
    for format in ("savedmodel", "litert", "onnx"):
        assert done[format].inputs == {"z": "float32 (n, 5)", "label": "int32 (n,)"}
        assert done[format].outputs == {"image": "uint8 (n, 8, 8, 1)"} and done[format].difference <= 1
    proto = onnx.load(folder / "model.onnx")
    first = {each.name: each.type.tensor_type.shape.dim[0].dim_param for each in proto.graph.input}
    assert first == {"z": "batch", "label": "batch"}


def test_the_discriminator_stays_at_home(generating):
    model, folder, _ = generating
    stored = tf.train.list_variables(str(folder / "savedmodel" / "variables" / "variables"))
    shapes = sorted(tuple(shape) for name, shape in stored if name.startswith("read/"))
    assert shapes == sorted(tuple(weight.shape) for weight in model.generator.weights)


@pytest.mark.parametrize("format", ["savedmodel", "litert", "onnx", "keras"])
def test_the_lines_of_usage_run_and_leave_pictures(generating, own_folder, format):
    model, _, done = generating
    exec(compile(done[format].usage, "usage", "exec"), {})
    found = sorted(path.name for path in own_folder.iterdir())
    assert found == sorted(f"{i}.png" for i in range(16) if format == "savedmodel")
    if found:
        third = tf.io.decode_png((own_folder / "3.png").read_bytes()).numpy()
        assert np.abs(third - np.float32(model.sample(16, seed=0, label=0)[3])).max() <= 1


def test_vectors_come_out_as_they_are(tmp_path):
    model = zoo.build("gan", image_shape=(2,), latent=3, hidden=(16,), units=(8,), pieces=2)
    # The classes and columns of the training data are none of what the model takes.
    results = export_all(model, tmp_path / "run", "abc", ("savedmodel", "keras"), features=("x", "y"))
    done = results["savedmodel"]
    assert done.inputs == {"z": "float32 (n, 3)"} and done.outputs == {"vector": "float32 (n, 2)"}
    signatures = tf.saved_model.load(str(tmp_path / "run" / "savedmodel")).signatures
    assert sorted(signatures) == ["sample", "serving_default"]
    found = signatures["sample"](n=tf.constant(5), seed=tf.constant(2))["vector"]
    np.testing.assert_allclose(found, model.sample(5, seed=2), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found, model(noise(5, 3, 2)), rtol=1e-5, atol=1e-6)
    for each in results.values():
        exec(compile(each.usage, "usage", "exec"), {})


def answers(served, requests, format="savedmodel"):
    """What a fresh process would bring, without one."""
    functions, found = served.functions(served.graph, format), {}
    for number, (signature, inputs) in enumerate(requests):
        function, specs = functions[signature]
        for part in ("all", "one") if any(np.ndim(x) for x in inputs.values()) else ("all",):
            asked = [inputs[spec.name] for spec in specs]
            asked = [tf.constant(x[:1] if part == "one" and np.ndim(x) else x) for x in asked]
            got = {key: value.numpy() for key, value in function(*asked).items()}
            if signature == "labels":
                got = {key: np.array([name.decode() for name in value]) for key, value in got.items()}
            found.update({f"{number}.{part}.{key}": value for key, value in got.items()})
    return found


@pytest.fixture(scope="module")
def asked():
    served = serving(conditional(), LABELS, None, ("savedmodel",))
    requests = served.requests(served.example(), "savedmodel")
    return served, requests, answers(served, requests)


def test_equal_answers_pass(asked):
    served, requests, found = asked
    assert served.compare("savedmodel", requests, found) <= 1
    assert sorted(found) == ["0.all.image", "0.one.image", "1.all.image", "2.all.labels"]


@pytest.mark.parametrize("key", ["0.all.image", "0.one.image", "1.all.image"])
def test_other_images_are_noticed(asked, key):
    served, requests, found = asked
    wrong = found[key].copy()
    wrong[0, 0, 0, 0] += 5 if wrong[0, 0, 0, 0] < 128 else -5
    with pytest.raises(ZooError, match="does not answer like the model: image differ by"):
        served.compare("savedmodel", requests, {**found, key: wrong})


def test_other_names_are_noticed(asked):
    served, requests, found = asked
    with pytest.raises(ZooError, match="names other classes"):
        served.compare("savedmodel", requests, {**found, "2.all.labels": np.array(["a", "b", "c"])})


def test_broken_weights_are_noticed(asked):
    _, requests, found = asked
    model = conditional()
    kernel = model.generator.get_layer("project").kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    with pytest.raises(ZooError, match="the model itself answers with NaN"):
        serving(model, LABELS, None, ()).compare("savedmodel", requests, found)


def test_half_precision_has_a_twin_that_is_written():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = conditional()
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile("adam")  # the state of training is none of the graph's
    served = serving(model, None, None, ("litert",))
    z, label = codes(4)
    assert {layer.compute_dtype for layer in served.float32._flatten_layers()} <= {"float32", "int32"}
    difference = np.abs(np.asarray(served.float32([z, label])) - np.asarray(model([z, label]), dtype="float32"))
    assert 0 < difference.max() < 13
    requests = served.requests(served.example(), "savedmodel")
    assert served.compare("savedmodel", requests, answers(served, requests)) <= 13


def test_an_image_of_any_size_is_translated(tmp_path):
    model = translating((None, None))
    batch = RANDOM.integers(0, 256, (3, 100, 90, 3), dtype=np.uint8)
    done = export_all(model, tmp_path / "run", "0123456789", batch=batch)
    assert list(done) == ["savedmodel"]
    assert done["savedmodel"].inputs == {"image": "uint8 (n, any, any, 3)"}
    assert done["savedmodel"].outputs == {"translation": "uint8 (n, any, any, 3)"}
    serve = tf.saved_model.load(str(tmp_path / "run" / "savedmodel")).signatures["serving_default"]
    for shape in ((1, 7, 5, 3), (2, 16, 20, 3)):
        x = RANDOM.integers(0, 256, shape, dtype=np.uint8)
        raw, got = np.asarray(model(x)), serve(image=tf.constant(x))["translation"].numpy()
        assert raw.min() < -20 and raw.max() > 275 and got.shape == (shape[0], 2 * shape[1], 2 * shape[2], 3)
        assert got.dtype == np.uint8 and np.abs(got - pixels(raw)).max() <= 1
    exec(compile(done["savedmodel"].usage, "usage", "exec"), {})
    picture = tf.io.decode_png(tf.io.read_file("translation.png")).numpy()
    assert np.abs(picture - pixels(model(np.zeros((1, 256, 256, 3)))[0])).max() <= 1


def test_numeric_formats_have_one_size(tmp_path):
    model = translating((6, 8))
    done = export_all(model, tmp_path / "run", formats=("litert", "onnx"))
    x = RANDOM.integers(0, 256, (5, 6, 8, 3), dtype=np.uint8)
    got = Interpreter(str(done["litert"].path)).get_signature_runner()(image=x)["translation"]
    assert got.shape == (5, 12, 16, 3) and np.abs(got - pixels(model(x))).max() <= 1
    assert done["onnx"].outputs == {"translation": "uint8 (n, 12, 16, 3)"}
    for each in done.values():
        exec(compile(each.usage, "usage", "exec"), {})


def test_what_a_translation_is_checked_with():
    free, fixed = (serving(translating(sides), None, None, ()) for sides in ((None, None), (6, 8)))
    batch = np.zeros((9, 100, 90, 3), "uint8")
    assert free.checked(batch).shape == (2, 64, 64, 3) and free.example().shape == (2, 48, 40, 3)
    sizes = [inputs["image"].shape for _, inputs in free.requests(free.checked(batch), "savedmodel")]
    assert sizes == [(2, 64, 64, 3), (2, 61, 59, 3)]
    assert fixed.checked(batch[:, :6, :8]).shape == (2, 6, 8, 3)
    assert len(fixed.requests(fixed.example(), "savedmodel")) == 1
    with pytest.raises(ZooError, match="batch must be raw input"):
        fixed.checked(batch)


def test_what_a_run_leaves():
    assert formats(conditional()) == formats(translating((6, 8))) == ("savedmodel", "litert")
    assert formats(translating((None, None))) == ("savedmodel",)


def impostor():
    z = keras.Input((5,), name="z")
    model = keras.Model(z, layers.Reshape((2, 2, 3))(layers.Dense(12)(z)), name="impostor")
    model.discriminator = None
    return model


@pytest.mark.parametrize(
    ("model", "labels", "format", "message"),
    [
        (conditional, "ab", "savedmodel", "the model makes 3 classes, labels must name each. Received: 2 labels"),
        (impostor, None, "savedmodel", "as a zoo.adversarial.Adversarial with the input z.*Received: impostor"),
        (lambda: translating((None, None)), None, "onnx", "onnx files have one size of image, and the model takes any"),
        (lambda: translating((None, None), 2), None, "savedmodel", "does not take an image of 13 x 11 pixels"),
    ],
)
def test_what_cannot_be_served(tmp_path, model, labels, format, message):
    with pytest.raises(ZooError, match=message):
        export_all(model(), tmp_path / "run", labels, (format,))
    assert not list(tmp_path.iterdir())
