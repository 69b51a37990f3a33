"""What every registered model must do. A new row in the catalogue is tested here without a line more."""

import json

import keras
import numpy as np
import pytest

import zoo
from zoo.catalogue import ENTRIES
from zoo.losses import Value
from zoo.reconstruction import SquaredError
from zoo.registry import builder
from zoo.tiling import segment

NAMES = [entry.name for entry in ENTRIES]
BY_NAME = {entry.name: entry for entry in ENTRIES}
# One model for each function: variants of one function differ by a table only.
FULL = list({(entry.family, entry.function): entry.name for entry in reversed(ENTRIES)}.values())
# Variants that are the same small model are trained once.
DISTINCT = list({repr((e.family, e.function, {**e.preset, **e.tiny})): e.name for e in reversed(ENTRIES)}.values())
CLASSIFIERS = [name for name in FULL if BY_NAME[name].task == "classification"]
# What a model of each task is trained on here: a loss, and metrics.
LEARNING = {
    "classification": lambda: (keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"]),
    "optimization": lambda: (Value(), []),
    "autoencoding": lambda: (SquaredError(), []),
    "segmentation": lambda: (keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"]),
}


@pytest.fixture(autouse=True)
def fresh_names():
    keras.utils.clear_session(free_memory=False)  # garbage collection would cost up to a second a test
    keras.utils.set_random_seed(0)


def tiny(name, **more):
    return zoo.build(name, **{**BY_NAME[name].tiny, **more})


def raw(model, count=12):
    return np.random.default_rng(0).integers(0, 256, (count, *model.input_shape[1:]), dtype=np.uint8)


def logits(outputs):
    return outputs["logits"] if isinstance(outputs, dict) else outputs


def classes(model):
    return logits(model.output).shape[-1]


def targets(model, count=12):
    """Classes in turn; where a model has several outputs, each has its own."""
    if BY_NAME[model.name].task == "autoencoding":
        return raw(model, count) / np.float32(255)
    if BY_NAME[model.name].task == "segmentation":
        return np.random.default_rng(0).integers(0, classes(model), (count, *model.output_shape[1:3]))
    outputs = model.output if isinstance(model.output, dict) else {"logits": model.output}
    found = {name: np.arange(count) % output.shape[-1] for name, output in outputs.items()}
    return found if isinstance(model.output, dict) else found["logits"]


def compiled(model, rate=0.01, **options):
    loss, metrics = LEARNING[BY_NAME[model.name].task]()
    if isinstance(model.output, dict):
        loss, metrics = dict.fromkeys(model.output, loss), {"logits": metrics}
    model.compile(keras.optimizers.Adam(rate), loss, metrics=metrics, **options)
    return model


@pytest.mark.parametrize("name", NAMES)
def test_parameters_at_the_defaults(name):
    # Nothing is allocated: the counts of the largest are those of gigabytes.
    with keras.StatelessScope(initialize_variables=False):
        model = zoo.build(name)
    assert model.name == name
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == BY_NAME[name].parameters


@pytest.mark.parametrize("name", DISTINCT)
def test_raw_pixels_in_finite_logits_out_and_one_step(name):
    model = compiled(tiny(name), run_eagerly=True)
    images = raw(model)
    outputs = np.asarray(logits(model(images)))
    assert outputs.shape == (len(images), *logits(model.output).shape[1:])
    assert np.isfinite(outputs).all()
    np.testing.assert_array_equal(outputs, np.asarray(logits(model(images.astype("float32")))))
    before = [w.numpy() for w in model.trainable_weights]
    assert np.isfinite(model.train_on_batch(images, targets(model))).all()
    assert any((a != b.numpy()).any() for a, b in zip(before, model.trainable_weights, strict=True))


@pytest.mark.parametrize("name", FULL)
def test_every_trainable_variable_gets_a_gradient(name):
    import tensorflow as tf

    model = compiled(tiny(name))
    with tf.GradientTape() as tape:
        loss = model.compute_loss(raw(model), targets(model), model(raw(model), training=True))
    gradients = tape.gradient(loss, [w.value for w in model.trainable_weights])
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert gradient is not None and np.abs(gradient).max() > 0, weight.path


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_one_batch_can_be_overfitted(name):
    model = compiled(tiny(name))
    images, labels = raw(model), targets(model)
    for _ in range(20):
        model.fit(images, labels, batch_size=len(images), epochs=20, verbose=0, shuffle=False)
        scores = model.evaluate(images, labels, verbose=0, return_dict=True)
        accuracy = scores["logits_accuracy" if isinstance(model.output, dict) else "accuracy"]
        if accuracy == 1:
            break
    assert accuracy == 1


@pytest.mark.parametrize("name", [name for name in FULL if name not in CLASSIFIERS])
def test_training_lowers_the_loss(name):
    model = compiled(tiny(name))
    losses = model.fit(raw(model), targets(model), batch_size=12, epochs=20, verbose=0, shuffle=False).history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", FULL)
def test_keras_file_round_trip_is_equal_to_the_bit(name, tmp_path):
    model = tiny(name)
    images = raw(model)
    before = np.asarray(logits(model(images)))
    model.save(tmp_path / "model.keras")
    again = zoo.load(tmp_path / "model.keras")
    assert again.name == name
    np.testing.assert_array_equal(before, np.asarray(logits(again(images))))


@pytest.mark.parametrize("name", FULL)
def test_saved_model_gives_the_same_answers(name, tmp_path):
    import tensorflow as tf

    model = tiny(name)
    images = raw(model)
    zoo.export(model, tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served"))
    # Served images are raw bytes, served features are floats.
    answers = served.signatures["serving_default"](tf.constant(images if images.ndim == 4 else np.float32(images)))
    task = BY_NAME[name].task
    if task == "autoencoding":
        rounded = np.round(255 * np.asarray(model(images)))
        assert np.abs(np.float32(answers["reconstruction"]) - rounded).max() <= 1
        code = served.signatures["encode"](tf.constant(images))["code"]
        np.testing.assert_allclose(code, model.encoder(images), rtol=1e-4, atol=1e-5)
        again = served.signatures["decode"](code)["image"]
        assert np.abs(np.float32(again) - rounded).max() <= 1
        return
    if task == "segmentation":
        np.testing.assert_allclose(answers["probabilities"], segment(model, images), atol=1e-4)
        return
    if name not in CLASSIFIERS:
        np.testing.assert_allclose(answers["value"], logits(model(images))[:, 0], rtol=1e-5)
        return
    expected = np.asarray(keras.ops.softmax(logits(model(images))))
    np.testing.assert_allclose(answers["probabilities"], expected, atol=1e-5)
    assert [label.decode() for label in answers["label"].numpy()] == [str(i) for i in expected.argmax(1)]


@pytest.mark.parametrize("name", FULL)
def test_config_is_plain(name):
    model = tiny(name)
    json.dumps(model.get_config())
    again = type(model).from_config(model.get_config())
    assert [tuple(w.shape) for w in again.weights] == [tuple(w.shape) for w in model.weights]


@pytest.mark.parametrize("name", FULL)
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(name, policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = compiled(tiny(name), run_eagerly=True)  # a graph for one step costs more than the step
    finally:
        keras.config.set_dtype_policy("float32")
    images = raw(model)
    assert keras.backend.standardize_dtype(logits(model.output).dtype) == "float32"
    assert np.isfinite(model.train_on_batch(images, targets(model))).all()
    assert np.isfinite(np.asarray(logits(model(images)))).all()


@pytest.mark.parametrize("name", FULL)
def test_bad_arguments(name):
    with pytest.raises(zoo.ArgumentError, match="has no argument 'colour'"):
        zoo.build(name, colour="red")
    known = builder(name).__code__.co_varnames[: builder(name).__code__.co_argcount]
    for argument, wrong in (("num_classes", 0), ("num_classes", "ten"), ("input_shape", (28, 28)), ("input_shape", ())):
        if argument in known:
            with pytest.raises(zoo.ZooError, match=argument):
                zoo.build(name, **{argument: wrong})


@pytest.mark.parametrize("name", FULL)
def test_docstring_says_what_it_is(name):
    text = builder(name).__doc__
    for part in ("Args:", "Returns:", "Raises:", "Example:"):
        assert part in text, part
