"""The pictures that training leaves: which epochs have one, what stands in it, and that training does not notice."""

import io
import random
import types

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo import ZooError, samples
from zoo.adversarial import noise
from zoo.data import Stream
from zoo.pictures import sample_sheets
from zoo.pixel_affine import Pixels, rounded
from zoo.samples import Samples

TINY = dict(latent=3, hidden=(6,), units=(4,), pieces=2)
X = np.random.default_rng(0).integers(0, 256, (8, 4, 5, 1), dtype=np.uint8)


@pytest.fixture(autouse=True)
def fresh():
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


def gan(shape=(4, 5, 1), **more):
    return zoo.build("gan", image_shape=shape, **TINY, **more)


def cgan(classes=3):
    return zoo.build("cgan", num_classes=classes, image_shape=(8, 8, 1), latent=3, width=2, embedding=2)


def trained(model, callbacks, epochs=2, **more):
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    model.fit(X, batch_size=8, epochs=epochs, callbacks=callbacks, verbose=0, **more)
    return model


def ended(callback, model, epoch=1, logs=None, epochs=5):
    """Tells a callback of the end of an epoch."""
    callback.set_model(model)
    callback.set_params({"epochs": epochs})
    callback.on_train_begin()
    callback.on_epoch_end(epoch - 1, logs or {})


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_each_epoch_has_a_sheet_of_the_same_noise(tmp_path):
    folder = tmp_path / "new" / "samples"
    model = trained(gan(ema=0.9), [Samples(folder)])
    assert names(folder) == ["epoch-0001.png", "epoch-0002.png"]
    sheet = read(folder / "epoch-0002.png")
    assert sheet.shape == (8 * 5 - 1, 8 * 6 - 1)
    np.testing.assert_array_equal(sheet, sample_sheets.sheet(model.sample(64, seed=0), 8))
    np.testing.assert_array_equal(sheet[5:9, 12:17], model.sample(64, seed=0)[10, ..., 0])
    assert (sheet != read(folder / "epoch-0001.png")).any()


def test_training_does_not_notice(tmp_path):
    left = []
    for callbacks in ([], [Samples(tmp_path)]):
        keras.utils.set_random_seed(0)
        model = trained(gan(), callbacks)
        left.append([np.array(variable) for variable in (*model.variables, *model.discriminator.variables)])
        left[-1] += [random.random(), np.random.random()]
    for without, beside in zip(*left, strict=True):
        np.testing.assert_array_equal(without, beside)


def test_a_conditional_model_has_a_row_for_each_class(tmp_path):
    model = cgan()
    ended(Samples(tmp_path), model)
    of_classes = model.sample(24, seed=0, label=np.repeat([0, 1, 2], 8))
    np.testing.assert_array_equal(read(tmp_path / "epoch-0001.png"), sample_sheets.sheet(of_classes, 8))


def test_images_that_are_large_are_fewer():
    def shown(side, classes=None):
        asked = []
        model = types.SimpleNamespace(output_shape=(None, side, side, 3), classes=classes)
        model.sample = lambda n, seed, label=None: asked.append((n, label))
        return samples.fixed(model)[1], asked[0]

    assert shown(28) == (8, (64, None)) and shown(256) == (3, (9, None)) and shown(2000) == (1, (1, None))
    across, (count, labels) = shown(300, classes=100)
    assert (across, count) == (2, 2 * samples.CLASSES) and labels.tolist()[:5] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("epochs", [1, 2, 7, 99, 100, 101, 150, 1000, 1234])
def test_at_most_a_hundred_epochs_have_a_file(epochs):
    found = [epoch for epoch in range(1, epochs + 1) if samples.due(epoch, epochs)]
    assert len(found) == min(epochs, 100)
    assert (found[0], found[-1]) == (1, epochs)
    assert set(np.diff(found)) <= {epochs // 99, epochs // 99 + 1, 1, epochs // 100 + 1}


def test_the_last_epoch_of_a_training_that_stops_early_has_a_file(tmp_path):
    model = gan()
    for epoch in (1, 2, 3):
        model.stop_training = epoch == 3
        ended(Samples(tmp_path), model, epoch, epochs=1000)
    assert names(tmp_path) == ["epoch-0001.png", "epoch-0003.png"]


def test_a_resumed_training_replaces_its_epochs_alone(tmp_path):
    for epoch in (1, 2):
        (tmp_path / f"epoch-000{epoch}.png").write_text("old")
    trained(gan(), [Samples(tmp_path)], initial_epoch=1)
    assert (tmp_path / "epoch-0001.png").read_text() == "old"
    assert read(tmp_path / "epoch-0002.png").shape == (39, 47)
    assert names(tmp_path) == ["epoch-0001.png", "epoch-0002.png"]


@pytest.mark.parametrize("name", ["loss", "discriminator_loss", "val_loss"])
def test_nothing_is_written_of_a_broken_model(name, tmp_path):
    callback, model = Samples(tmp_path / "samples"), gan()
    ended(callback, model, logs={name: float("nan"), "d_real": 0.5})
    assert not names(tmp_path)
    ended(callback, model, logs={name: 1.0, "classes": float("nan")})
    assert names(tmp_path / "samples") == ["epoch-0001.png"]


def enlarging(factor):
    """A model that makes blocks of pixels, and so what is right where targets are blocks."""
    inputs = keras.Input((None, None, 1), name="pixels")
    x = keras.layers.Rescaling(1 / 127.5, -1)(keras.layers.UpSampling2D(factor)(inputs))
    return keras.Model(inputs, Pixels(name="made")(x))


@pytest.mark.parametrize("part", ["test", "validation", "train"])
def test_translations_stand_between_inputs_and_targets(part, tmp_path):
    blocks = X.repeat(2, 1).repeat(2, 2)
    other = Stream((255 - X, 255 - blocks), 3, seed=0)
    # A batch of one: the sheet is filled from several.
    parts = {"train": other, "validation": other} if part == "test" else {"train": other}
    data = zoo.Data(**{**parts, part: Stream((X, 255 - blocks), 1, seed=0, shuffle=False)})
    ended(Samples(tmp_path, data), enlarging(2), epoch=3)
    rows = [sample_sheets.sheet(images, 8) for images in (blocks, blocks, 255 - blocks)]
    line = np.full((1, rows[0].shape[1]), 255, np.uint8)
    expected = np.concatenate([rows[0], line, rows[1], line, rows[2]])
    np.testing.assert_array_equal(read(tmp_path / "epoch-0003.png"), expected)


def test_small_parts_and_large_images_make_a_short_sheet():
    data = zoo.Data(Stream((X, X), 2), test=Stream((X[:3], X[:3]), 2))
    assert [len(images) for images in samples.pairs(data)] == [3, 3]
    large = np.zeros((4, 2, 300, 1), "uint8")
    assert [len(images) for images in samples.pairs(zoo.Data(Stream((large, large), 2)))] == [2, 2]


@pytest.mark.parametrize("numbers", [1, 2])
def test_vectors_are_drawn_as_points(numbers, tmp_path):
    x = np.random.default_rng(0).normal(size=(40, numbers)).astype("float32")
    model, callback = gan((numbers,)), Samples(tmp_path, zoo.Data(Stream((x, np.zeros(40, "int32")), 8)))
    ended(callback, model, 1)
    model.generator.set_weights([3 * weight for weight in model.generator.get_weights()])
    ended(callback, model, 2)
    # Of one size, for the film.
    first, second = (read(tmp_path / name) for name in names(tmp_path))
    assert first.shape == second.shape and (first != second).any()


@pytest.mark.parametrize(
    "model, data, words",
    [
        (lambda: zoo.build("perceptron"), None, "for generation or translation. Received one for classification"),
        (lambda: enlarging(2), None, r"need data: Samples\(folder, data\)"),
    ],
)
def test_other_models_are_refused_when_training_begins(model, data, words, tmp_path):
    with pytest.raises(ZooError, match=words):
        ended(Samples(tmp_path, data), model())


def test_files_are_found_by_epoch(tmp_path):
    for name in ("epoch-10000.png", "epoch-9999.png", "epoch-0002.png", "epoch-x.png", ".epoch-0003.png.writing"):
        (tmp_path / name).touch()
    assert [epoch for epoch, _ in samples.written(tmp_path)] == [2, 9999, 10000]
    assert samples.written(tmp_path / "nowhere") == []


def test_slerp_goes_around_the_sphere():
    one, other = np.random.default_rng(0).normal(size=(2, 5, 100))
    np.testing.assert_allclose(samples.slerp(one, other, 0), one)
    np.testing.assert_allclose(samples.slerp(one, other, 1), other)
    units = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (one, other)]
    for share in (0.2, 0.5, 0.9):
        found = samples.slerp(*units, share)
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)
        # As far along the arc as was asked for.
        arc, whole = (np.arccos((units[0] * end).sum(1)) for end in (found, units[1]))
        np.testing.assert_allclose(arc, share * whole)
    np.testing.assert_allclose(samples.slerp(one, 3 * one, 0.5), 2 * one)
    assert np.isfinite(samples.slerp(one, -one, 0.5)).all()


def test_walks_and_classes_are_of_the_codes_they_say():
    model = cgan()
    walks = samples.between(model, seed=4)
    assert walks.shape == (samples.WALKS, samples.STEPS, 8, 8, 1) and walks.dtype == np.uint8
    codes = np.array(noise(2 * samples.WALKS, 3, 4))
    labels = np.arange(samples.WALKS) % 3
    for column, ends in ((0, codes[: samples.WALKS]), (-1, codes[samples.WALKS :])):
        made = rounded(model([ends, labels], training=False))
        assert np.abs(made.astype(int) - walks[:, column]).max() <= 1
    rows = samples.by_class(model, seed=4)
    assert rows.shape == (3, samples.CODES, 8, 8, 1)
    of_two = model([np.array(noise(samples.CODES, 3, 4)), np.full(samples.CODES, 2)], training=False)
    assert np.abs(rows[2].astype(int) - rounded(of_two)).max() <= 1
    assert samples.between(gan()).shape == (samples.WALKS, samples.STEPS, 4, 5, 1)


def test_a_sheet_is_pixels_as_they_are():
    images = np.arange(3 * 2 * 2 * 3, dtype=np.uint8).reshape(3, 2, 2, 3)
    sheet = sample_sheets.sheet(images, 2, factor=2)
    assert sheet.shape == (10, 10, 3)
    np.testing.assert_array_equal(sheet[:4:2, :4:2], images[0])
    np.testing.assert_array_equal(sheet[1:4:2, 7::2], images[1])
    assert (sheet[4:6] == 255).all() and (sheet[:, 4:6] == 255).all() and (sheet[6:, 6:] == 255).all()
    np.testing.assert_array_equal(read(io.BytesIO(sample_sheets.png(sheet))), sheet)


def test_grey_and_coloured_images_share_a_sheet():
    grey, colours = np.full((1, 2, 2, 1), 7, np.uint8), np.full((1, 4, 4, 3), 9, np.uint8)
    sheet = sample_sheets.rows(grey, colours.astype("float32") + 0.4, colours)
    assert sheet.shape == (14, 4, 3) and (sheet[:4] == 7).all() and (sheet[5:9] == 9).all()
    maps = np.stack([np.full((1, 4, 4), value) for value in (0, 2)], -1).astype("uint8")
    assert (sample_sheets.rows(maps, colours, colours)[:4] == 1).all()
