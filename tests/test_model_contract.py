"""What every registered model must do. A new row in the catalogue is tested here without a line more."""

import json

import keras
import numpy as np
import pytest

import zoo
from zoo import savedmodel
from zoo.adversarial import Adversarial, noise
from zoo.catalogue import ENTRIES
from zoo.code_points import padded, shifted
from zoo.language_scores import nats
from zoo.losses import Value
from zoo.q_learner import QLearner
from zoo.reconstruction import SquaredError
from zoo.registry import builder
from zoo.serving import serving
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
    "language": lambda: (keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"]),
    "optimization": lambda: (Value(), []),
    "autoencoding": lambda: (SquaredError(), []),
    "segmentation": lambda: (keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"]),
    "transduction": lambda: (keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0), []),
    "translation": lambda: (keras.losses.MeanSquaredError(), []),
}


@pytest.fixture(autouse=True)
def fresh_names():
    keras.utils.clear_session(free_memory=False)  # garbage collection would cost up to a second a test
    keras.utils.set_random_seed(0)


def tiny(name, **more):
    return zoo.build(name, **{**BY_NAME[name].tiny, **more})


def raw(model, count=12):
    """What the model takes: pixels, codes (and classes), texts, or observations."""
    if BY_NAME[model.name].task == "language":
        return np.stack([model.symbols.encode("abcab"), model.symbols.encode("caxbc")] * (count // 2))
    if BY_NAME[model.name].task == "generation":
        z, label = noise(count, model.latent, 0), keras.ops.arange(count) % (model.classes or 1)
        return z if model.classes is None else [z, label]
    if BY_NAME[model.name].task == "transduction":
        source, target = padded(["ab", "cabc"] * (count // 2)), padded(["zx", "yyz"] * (count // 2))
        return {"source": source, "target": shifted(target)}
    if BY_NAME[model.name].task == "q_learning" and len(model.input_shape) < 4:
        if len(model.input_shape) == 1:
            return np.arange(count, dtype="int32") % BY_NAME[model.name].tiny["states"]
        return np.random.default_rng(0).integers(-9, 10, (count, *model.input_shape[1:])).astype("float32") / 8
    return images_of(model.input_shape, count)


def images_of(shape, count):
    # A side that is free is one that every network takes.
    return np.random.default_rng(0).integers(0, 256, (count, *(side or 8 for side in shape[1:])), dtype=np.uint8)


def examples(model, count=12):
    """What the model is trained on, and the targets."""
    if BY_NAME[model.name].task == "generation":
        return images_of(model.output_shape, count), np.arange(count) % (model.classes or 1)
    if BY_NAME[model.name].task == "q_learning":
        observation, action = raw(model, count), np.arange(count, dtype="int32") % model.actions
        happened = dict(action=action, reward=np.float32(action), next=observation[::-1])
        return observation, {**happened, "discount": np.float32(np.arange(count) % 2) / 2}
    return raw(model, count), targets(model, count)


def logits(outputs):
    return outputs["logits"] if isinstance(outputs, dict) else outputs


def classes(model):
    return logits(model.output).shape[-1]


def targets(model, count=12):
    """Classes in turn; where a model has several outputs, each has its own."""
    if BY_NAME[model.name].task == "autoencoding":
        return raw(model, count) / np.float32(255)
    if BY_NAME[model.name].task == "language":
        return model.symbols.indices(np.roll(raw(model, count), -1, axis=1))
    if BY_NAME[model.name].task == "transduction":
        return model.target_symbols.indices(padded(["zx", "yyz"] * (count // 2)))
    if BY_NAME[model.name].task == "translation":
        return images_of((None, *np.shape(model(raw(model, 1)))[1:]), count)
    if BY_NAME[model.name].task == "segmentation":
        return np.random.default_rng(0).integers(0, classes(model), (count, *model.output_shape[1:3]))
    outputs = model.output if isinstance(model.output, dict) else {"logits": model.output}
    found = {name: np.arange(count) % output.shape[-1] for name, output in outputs.items()}
    return found if isinstance(model.output, dict) else found["logits"]


def compiled(model, rate=0.01, **options):
    if isinstance(model, Adversarial):
        content = dict(content="mean_absolute_error", content_weight=0.1) if model.translates else {}
        model.compile(keras.optimizers.Adam(rate), **content, **options)
        return model
    if isinstance(model, QLearner):
        model.compile(keras.optimizers.Adam(rate), **options)
        return model
    loss, metrics = LEARNING[BY_NAME[model.name].task]()
    if isinstance(model.output, dict):
        loss, metrics = dict.fromkeys(model.output, loss), {"logits": metrics}
    model.compile(keras.optimizers.Adam(rate), loss, metrics=metrics, **options)
    return model


def ready(model, x, y):
    """Makes what optimizer, loss and metrics hold; when the first step makes it, Keras traces that step twice."""
    if not isinstance(model, Adversarial | QLearner):
        model.optimizer.build(model.trainable_variables)
        outputs = model(x)
        model.compute_loss(x, y, outputs)
        model.compute_metrics(x, y, outputs)
        model.reset_metrics()


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
    wanted = logits(model.output).shape
    assert outputs.shape[0] == 12 and len(outputs.shape) == len(wanted)
    assert all(one in (None, other) for one, other in zip(wanted, outputs.shape, strict=True))
    assert np.isfinite(outputs).all()
    if BY_NAME[name].task not in ("generation", "transduction"):
        np.testing.assert_array_equal(outputs, np.asarray(logits(model(images.astype("float32")))))
    before = [w.numpy() for w in model.trainable_weights]
    assert np.isfinite(model.train_on_batch(*examples(model))).all()
    assert any((a != b.numpy()).any() for a, b in zip(before, model.trainable_weights, strict=True))


@pytest.mark.parametrize("name", FULL)
def test_every_trainable_variable_gets_a_gradient(name):
    import tensorflow as tf

    model = compiled(tiny(name))
    if isinstance(model, Adversarial | QLearner):  # whose steps are their own: what Adam moves got a gradient
        content = dict(content=model.content) if isinstance(model, Adversarial) else {}
        model.compile(keras.optimizers.Adam(0.01), run_eagerly=True, **content)
        players = [model.learner, model.discriminator] if content else [model.network]
        weights = [weight for player in players for weight in player.trainable_weights]
        before = [weight.numpy() for weight in weights]
        model.train_on_batch(*examples(model))
        for weight, value in zip(weights, before, strict=True):
            assert (weight.numpy() != value).any(), weight.path
        return
    with tf.GradientTape() as tape:
        loss = model.compute_loss(raw(model), targets(model), model(raw(model), training=True))
    gradients = tape.gradient(loss, [w.value for w in model.trainable_weights])
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert gradient is not None and np.abs(tf.convert_to_tensor(gradient)).max() > 0, weight.path


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_one_batch_can_be_overfitted(name):
    model = compiled(tiny(name))
    images, labels = raw(model), targets(model)
    ready(model, images, labels)
    for _ in range(20):
        model.fit(images, labels, batch_size=len(images), epochs=20, verbose=0, shuffle=False)
        answers = np.asarray(logits(model(images, training=False))).argmax(-1)
        if right := (answers == logits(labels)).all():
            break
    assert right


# A game has no loss that falls: networks of noise have their toy in tests/test_gan.py.
@pytest.mark.parametrize("name", [n for n in FULL if n not in CLASSIFIERS and BY_NAME[n].task != "generation"])
def test_training_lowers_the_loss(name):
    model = compiled(tiny(name))
    ready(model, *examples(model))
    history = model.fit(*examples(model), batch_size=12, epochs=20, verbose=0, shuffle=False).history
    losses = history.get("content", history["loss"])
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

    model, task = tiny(name), BY_NAME[name].task
    if task in ("generation", "translation"):
        for weight in model.weights:  # as they start, most give one grey, which a wrong answer has as well
            if len(weight.shape) > 1:
                weight.assign(25 * weight)
    if task == "q_learning":  # what they have in common is exported once, in tests/test_serving_q_learning.py
        savedmodel._savedmodel(serving(model, None, None, ["savedmodel"]), tmp_path / "served")
    else:
        zoo.export(model, tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served"))
    if task == "generation":
        asked = {"n": 4, "seed": 3, **({} if model.classes is None else {"label": 1})}
        answers = served.signatures["sample"](**{key: tf.constant(value) for key, value in asked.items()})
        expected = model.sample(**asked)
        assert expected.std() > 30 and np.abs(np.float32(answers["image"]) - expected).max() <= 1
        return
    if task == "language":
        asked = dict(prompt=["ab", "c"], length=9, temperature=0.8, top_k=3, seed=5)
        answer = served.signatures["serving_default"](**{key: tf.constant(value) for key, value in asked.items()})
        assert [text.decode() for text in answer["text"].numpy()] == zoo.write(model, **asked)
        answer = served.signatures["perplexity"](text=tf.constant(["abcab", "caxbc"]))
        expected = [nats(model, text) for text in ("abcab", "caxbc")]
        np.testing.assert_allclose(answer["nats"], expected, rtol=1e-4)
        return
    if task == "transduction":
        texts = ["ab", "cabc", "?"]
        answer = served.signatures["serving_default"](source=tf.constant(texts))
        assert [text.decode() for text in answer["text"].numpy()] == model.transduce(texts)
        return
    if task == "q_learning":
        observation = raw(model)
        answers = served.signatures["serving_default"](observation=tf.constant(observation))
        expected = np.asarray(model(observation))
        np.testing.assert_allclose(answers["q_values"], expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(answers["action"], expected.argmax(1))
        return
    images = raw(model)
    # Served images are raw bytes, served features are floats.
    answers = served.signatures["serving_default"](tf.constant(images if images.ndim == 4 else np.float32(images)))
    if task == "translation":
        expected = np.clip(np.round(np.asarray(model(images))), 0, 255)
        assert expected.std() > 30 and np.abs(np.float32(answers["translation"]) - expected).max() <= 1
        return
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
    assert keras.backend.standardize_dtype(logits(model.output).dtype) == "float32"
    assert np.isfinite(model.train_on_batch(*examples(model))).all()
    assert np.isfinite(np.asarray(logits(model(raw(model))))).all()


@pytest.mark.parametrize("name", FULL)
def test_bad_arguments(name):
    with pytest.raises(zoo.ArgumentError, match="has no argument 'colour'"):
        zoo.build(name, colour="red")
    known = builder(name).__code__.co_varnames[: builder(name).__code__.co_argcount]
    shapes = ("input_shape", "image_shape", "observation_shape")
    shapes = [(argument, wrong) for argument in shapes for wrong in ((28,) * 4, ())]
    counts = [(argument, wrong) for argument in ("num_classes", "actions", "states") for wrong in (0, "ten")]
    for argument, wrong in (*counts, *shapes):
        if argument in known:
            with pytest.raises(zoo.ZooError, match=argument):
                zoo.build(name, **{argument: wrong})


@pytest.mark.parametrize("name", FULL)
def test_docstring_says_what_it_is(name):
    text = builder(name).__doc__
    for part in ("Args:", "Returns:", "Raises:", "Example:"):
        assert part in text, part
