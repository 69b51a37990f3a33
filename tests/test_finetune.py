"""Fine-tuning: what stands still and when, what a network's own weights are worth, and on which images."""

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import zoo
from callbacks import EarlyStopping, Freeze
from recipes import finetune
from zoo.seeding import seed_everything

# A network for images of 12 x 12, trained on the digits 0 to 4.
SOURCE = '''
import keras

import zoo
from callbacks import Schedule, cosine, warmup
from zoo.data import images


def recipe(data="", epochs=20):
    """ResNet-8 on half of the classes.

    Args:
        data: folder.
        epochs: epochs.
    """
    model = zoo.build("resnet20", blocks=1, num_classes=5, input_shape=(12, 12, 1))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    schedule = Schedule("learning_rate", warmup(0.05, cosine(0.01)))
    found = images(data, 64, classes=tuple("01234"), validation=0)
    return zoo.Recipe(model, found, epochs, [schedule], objective=("loss", "min"))
'''


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The 1 797 handwritten digits of 8 x 8, each somewhere on an image of 12 x 12, as a folder of class folders."""
    root = tmp_path_factory.mktemp("digits")
    rng = np.random.default_rng(0)
    found = load_digits()
    for index, (image, label) in enumerate(zip(found.images, found.target, strict=True)):
        row, column = rng.integers(0, 5, 2)
        pixels = np.zeros((12, 12), "uint8")
        pixels[row : row + 8, column : column + 8] = np.round(image * (255 / 16))
        (root / str(label)).mkdir(exist_ok=True)
        Image.fromarray(pixels).save(root / str(label) / f"{index}.png")
    return str(root)


@pytest.fixture(scope="module")
def source(digits, tmp_path_factory):
    """The folder of a run on the digits 0 to 4."""
    folder = tmp_path_factory.mktemp("source")
    (folder / "half.py").write_text(SOURCE)
    run = folder / "run"
    result = zoo.train(folder / "half.py", data=digits, folder=run, export=False, pictures=False, verbose=0)
    assert result.metrics["test_accuracy"] > 0.95
    return str(run)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """The file of a network whose batch normalisation has statistics that no new one has."""
    model = zoo.build("resnet20", blocks=1, num_classes=5, input_shape=(8, 8, 1))
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, each.shape) for each in layer.get_weights()])
    path = tmp_path_factory.mktemp("untrained") / "model.keras"
    model.save(path)
    return str(path)


def fit(built, callbacks=(), **options):
    """Fits a recipe as the trainer does, without its run folder."""
    steps = built.data.train.steps
    built.model.steps_per_execution = steps
    return built.model.fit(
        built.data.train.open(),
        epochs=built.epochs,
        steps_per_epoch=steps,
        callbacks=[*built.callbacks, *callbacks],
        shuffle=False,
        verbose=0,
        **options,
    ).history


def test_half_of_the_digits_help_with_the_other_half(source, digits):
    """50 images of the digits 5 to 9: the same network, images and steps, with the weights of 0 to 4 and with new ones.

    Of the test images, 66.7 % ± 5.8 against 42.6 % ± 4.9 (n=10).
    """

    def accuracies(**options):
        found = []
        for seed in range(3):
            seed_everything(seed)
            built = finetune.recipe(
                data=digits,
                weights=source,
                classes=tuple("56789"),
                examples=50,
                batch_size=10,
                validation=0,
                epochs=12,
                learning_rate=0.01,
                **options,
            )
            assert built.data.train.size == 50 and built.data.labels == tuple("56789")
            fit(built)
            x, y = built.data.test.arrays
            found.append((np.argmax(built.model(x, training=False), axis=-1) == y).mean())
        return found

    tuned, scratch = accuracies(body_rate=0.003), accuracies(scratch=True)
    assert np.mean(tuned) > 0.55 and np.mean(tuned) > np.mean(scratch) + 0.12, (tuned, scratch)


class Watch(keras.callbacks.Callback):
    """Which layers moved in each epoch, and with how many of their weights."""

    def __init__(self):
        super().__init__()
        self.moved = []

    def on_epoch_begin(self, epoch, logs=None):
        self.before = {layer.name: layer.get_weights() for layer in self.model.layers}

    def on_epoch_end(self, epoch, logs=None):
        after = {layer.name: layer.get_weights() for layer in self.model.layers}
        self.moved.append(
            {
                name
                for name, weights in after.items()
                if any((a != b).any() for a, b in zip(weights, self.before[name], strict=True))
            }
        )


def few(weights, **options):
    return finetune.recipe(weights=weights, batch_size=10, examples=20, classes=("3", "5"), validation=0, **options)


def test_first_the_head_then_the_body_and_never_the_normalisation(untrained):
    built = few(untrained, epochs=4, head=0.5, learning_rate=0.1, body_rate=0.01)
    convolutions = {layer.name for layer in built.model.layers if layer.name.endswith("_conv")}
    assert built.data.train.steps == 2 and len(convolutions) == 7
    watch = Watch()
    rates = fit(built, [watch])["learning_rate"]
    assert watch.moved == [{"output"}] * 2 + [{"output"} | convolutions] * 2
    # Of 4 steps each, after the last step of an epoch: a cosine from 0.1, and one from 0.01 behind a fifth of warm-up.
    begins = [1 / 4, 3 / 4, 1 / 4, 3 / 4]
    wanted = [0.05 * (1 + np.cos(np.pi * begin)) for begin in begins[:2]]
    wanted += [0.005 * (1 + np.cos(np.pi * (begin - 0.2) / 0.8)) for begin in begins[2:]]
    np.testing.assert_allclose(rates, wanted, rtol=1e-4)


def test_frozen_normalisation_works_by_its_statistics(untrained):
    losses = {}
    for frozen in (True, False):
        seed_everything(0)
        built = finetune.recipe(
            weights=untrained, epochs=1, head=0, examples=32, validation=0, freeze_normalization=frozen
        )
        built.model.run_eagerly = True
        before = built.model.evaluate(*built.data.train.arrays, batch_size=32, verbose=0)[0]
        losses[frozen] = before, fit(built)["loss"][0]
    np.testing.assert_allclose(*losses[True], rtol=1e-5)
    assert abs(np.subtract(*losses[False])) > 0.01


def test_the_layers_that_train(untrained):
    built = few(untrained, epochs=1, head=0, train=("stage3*", "stem_conv"), freeze_normalization=False)
    watch = Watch()
    fit(built, [watch])
    parts = ("1_conv", "1_norm", "2_conv", "2_norm")
    assert watch.moved == [{"output", "stem_conv", *(f"stage3_block1_{part}" for part in parts)}]
    with pytest.raises(zoo.ZooError, match=r"is named 'stage4\*'.* There are: stem_conv, stem_norm, stage1_block1_1_"):
        few(untrained, train=("stage4*",))


def frozen(built):
    return [(len(each.names), each.begin, each.end) for each in built.callbacks if isinstance(each, Freeze)]


def test_the_phases_of_an_epoch_and_of_many(untrained):
    for epochs, head, phase in ((10, 0.3, 3), (2, 0.9, 1), (2, 0.1, 1), (10, 0.01, 1), (10, 0.99, 9)):
        assert frozen(few(untrained, epochs=epochs, head=head)) == [(7, 0, None), (14, 0, phase)]
    assert frozen(few(untrained, epochs=5, head=0)) == [(7, 0, None)]
    assert frozen(few(untrained, epochs=5, head=0, freeze_normalization=False)) == []
    for epochs, head in ((1, 0.3), (5, 1), (5, 1.0)):
        assert frozen(few(untrained, epochs=epochs, head=head)) == [(14, 0, None)]


def test_from_scratch_everything_trains_from_new_weights(untrained):
    tuned, scratch = few(untrained), few(untrained, scratch=True)
    assert frozen(scratch) == []
    old, kept, new = (
        each.get_layer("stem_norm").get_weights() for each in (zoo.load(untrained), tuned.model, scratch.model)
    )
    for a, b in zip(old, kept, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(new[2], np.zeros(16))
    assert float(scratch.model.optimizer.learning_rate) == pytest.approx(0.003)


def test_images_are_brought_to_what_the_network_takes(untrained, tmp_path):
    assert few(untrained).data.train.input_shape == (8, 8, 1)
    larger = few(untrained, size=12)
    assert larger.data.train.input_shape == (12, 12, 1) and larger.model.input_shape == (None, 12, 12, 1)
    assert larger.data.labels == ("3", "5") and larger.model.output_shape == (None, 2)
    zoo.build("lenet", input_shape=(12, 12, 3), num_classes=10).save("colour.keras")
    built = finetune.recipe(weights="colour.keras")
    x = built.data.train.arrays[0]
    assert x.shape[1:] == (12, 12, 3) and (x[..., 0] == x[..., 2]).all() and built.model.output_shape == (None, 10)
    # There are as many classes as before, but they need not be the same ones: the head is new all the same.
    assert not np.isin(built.model.layers[-1].kernel, zoo.load("colour.keras").layers[-1].kernel).any()
    with pytest.raises(zoo.ZooError, match="'dense1' has a kernel .*Bring the images to its own size"):
        finetune.recipe(weights="colour.keras", size=16)


def test_early_stopping_begins_with_the_last_epoch_of_the_head(untrained):
    def stop(**options):
        built = finetune.recipe(weights=untrained, epochs=10, **options)
        assert built.objective == ("val_accuracy", "max")
        (found,) = [each for each in built.callbacks if isinstance(each, EarlyStopping)]
        return found.start_from_epoch, found.patience

    assert stop(head=0.4, patience=7) == (3, 7)
    assert stop(head=0)[0] == stop(head=1)[0] == stop(scratch=True)[0] == 0
    assert few(untrained).objective == ("accuracy", "max")


def test_a_run_of_it(untrained):
    options = dict(epochs=2, batch_size=256, export=False, pictures=False, verbose=0)
    result = zoo.train("finetune", weights=untrained, folder="run", **options)
    assert result.metrics["epochs"] == 2 and zoo.load("run").output_shape == (None, 10)
    assert zoo.evaluate("run")["test_accuracy"] == result.metrics["test_accuracy"]
    # The result is a source again.
    again = zoo.build("resnet20", weights="run", blocks=1)
    for a, b in zip(again.weights, result.model.weights, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(head=1.5), "head must be a share, 0 to 1. Received: head=1.5"),
        (dict(epochs=0), "epochs must be a whole number >= 1"),
        (
            dict(model="resnet20"),
            "model must be none: .*model.keras brings its own network. Received: model='resnet20'",
        ),
        (dict(weights=None), "weights must be a run folder, a .keras file or a name. Received: weights=None"),
        (dict(weights="runs/resnet20_digits/7"), "there is no file or folder runs/resnet20_digits/7"),
        (dict(weights="imagenett", model="vgg16"), "'vgg16' has no weights named 'imagenett'. Did you mean 'imagenet'"),
        (dict(weights="table.keras"), r"weights must be of a network for images; mlp takes \(3,\)"),
        (dict(classes=("3", "x")), "'digits' has no class 'x'"),
    ],
)
def test_what_cannot_be_done_is_told(untrained, options, message):
    if options.get("weights") == "table.keras":
        zoo.build("mlp", input_shape=(3,), num_classes=2, hidden=()).save("table.keras")
    with pytest.raises(zoo.ZooError, match=message):
        finetune.recipe(**{"weights": untrained, **options})
