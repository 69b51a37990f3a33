"""Mixup and CutMix: exact mixtures of pixels and labels, shares from the Beta distribution."""

import dataclasses

import keras
import numpy as np
import pytest
from scipy.special import betainc

import zoo
from zoo.data import Stream, bootstrap, check_fits, cutmix, from_arrays, images, mixup, repeated, table
from zoo.errors import ZooError
from zoo.losses import SmoothedCrossentropy


def _data(size=60, batch_size=7, shape=(8, 6, 3), seed=2, **named):
    """Every example is a class of its own, so that a mixed label says who was mixed, and how much of each."""
    x = np.random.default_rng(0).integers(0, 256, (size, *shape), np.uint8)
    y = np.arange(size)
    return from_arrays((x, y), batch_size, validation=(x[:9], y[:9]), test=(x[:9], y[:9]), seed=seed, **named)


def _batches(stream, epoch=0):
    return [stream.batch(epoch, step) for step in range(stream.steps)]


def _same(one, other):
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left, right)
        assert np.asarray(left).dtype == np.asarray(right).dtype


@pytest.mark.parametrize("alpha", [0.2, 1.0, 8])
def test_pixels_and_labels_are_mixed_by_one_share(alpha):
    data = _data()
    mixed = mixup(data, alpha).train
    x, own = data.train.batch(3, 1)
    changed, rows = mixed.batch(3, 1)
    partner = np.roll(own, -1)
    share = rows[np.arange(7), own]
    assert rows.dtype == np.float32 and (rows.sum(1) == 1).all()
    np.testing.assert_array_equal(rows[np.arange(7), partner], 1 - share)
    part = (share * 256).astype(int)[:, None, None, None]
    np.testing.assert_array_equal(part.ravel() / 256, share)
    exact = (x.astype(int) * part + np.roll(x, -1, 0).astype(int) * (256 - part) + 128) // 256
    np.testing.assert_array_equal(changed, exact)
    assert changed.dtype == np.uint8


@pytest.mark.parametrize("alpha", [0.1, 0.2, 1.0, 4])
def test_shares_have_the_moments_of_the_beta_distribution(alpha):
    size = 20_000
    x, y = np.zeros((size, 1, 1, 1), np.uint8), np.arange(size) % 2
    data = from_arrays((x, y), size, validation=0, test=(x[:2], y[:2]), seed=0)
    plain = dataclasses.replace(data, train=Stream((x, y), size, 0, shuffle=False))
    share = mixup(plain, alpha).train.batch(0, 0)[1][np.arange(size), y].astype(float)
    variance = 1 / (4 * (2 * alpha + 1))
    fourth = 3 / (16 * (2 * alpha + 1) * (2 * alpha + 3))
    assert abs(share.mean() - 0.5) < 4 * np.sqrt(variance / size)
    assert abs(share.var() - variance) < 4 * np.sqrt((fourth - variance**2) / size)
    for end in (0.1, 0.3, 0.8):
        there = betainc(alpha, alpha, (round(end * 256) + 0.5) / 256)
        assert abs((share <= end + 0.5 / 256).mean() - there) < 4 * np.sqrt(there * (1 - there) / size)


def test_a_rectangle_of_the_next_image_and_its_area_in_the_label():
    data = _data(size=400, batch_size=400)
    x, own = data.train.batch(0, 0)
    changed, rows = cutmix(data).train.batch(0, 0)
    other = np.roll(x, -1, 0)
    replaced = (changed != x).any(-1)
    np.testing.assert_array_equal(np.where(replaced[..., None], other, x), changed)
    height, width = x.shape[1:3]
    whole = 0
    for hole, image, label, partner in zip(replaced, rows, own, np.roll(own, -1), strict=True):
        area = round(float(image[partner]) * height * width)
        assert image[label] == np.float32(1 - area / (height * width)) and image.sum() == pytest.approx(1, abs=1e-6)
        ys, xs = np.nonzero(hole)
        down, across = (np.ptp(ys) + 1, np.ptp(xs) + 1) if len(ys) else (0, 0)
        # Two images may have a pixel in common: the hole that is seen may have holes itself.
        assert area == down * across and area - len(ys) <= 2
        if len(ys) and ys.min() > 0 and xs.min() > 0 and ys.max() < height - 1 and xs.max() < width - 1:
            # What no border cuts has the proportions of the image, but for the rounding of both sides.
            whole += 1
            assert abs(down / height - across / width) <= 0.5 / height + 0.5 / width
    assert whole > 20


def test_the_area_of_cutmix_is_that_of_the_paper():
    """The mean of what is left, against the paper's recipe: a uniform share, a uniform centre, a box cut at the border.

    With sides s = sqrt(1 - share) and a uniform centre, an axis covers s - s**2 / 4 of its length on average, and the
    share being uniform, the mean of (s - s**2 / 4)**2 is 1/2 - 1/5 + 1/48.
    """
    size = 4000
    x, y = np.zeros((size, 32, 32, 1), np.uint8), np.arange(size) % 2
    data = from_arrays((x, y), size, validation=0, test=(x[:2], y[:2]), seed=0)
    plain = dataclasses.replace(data, train=Stream((x, y), size, 0, shuffle=False))
    covered = 1 - cutmix(plain).train.batch(0, 0)[1][np.arange(size), y].astype(float)
    assert covered.mean() == pytest.approx(1 / 2 - 1 / 5 + 1 / 48, abs=4 * covered.std() / np.sqrt(size) + 0.003)


@pytest.mark.parametrize("mix", [mixup, cutmix, lambda data: cutmix(mixup(data, 1.0))], ids=["mixup", "cutmix", "both"])
def test_tensors_give_the_bytes_of_arrays_from_any_step_on(mix):
    train = mix(_data(augment=zoo.data.shift(1))).train
    whole = [element for epoch in (0, 1) for element in _batches(train, epoch)]
    opened = train.open(0, 2).take(len(whole) - 2).as_numpy_iterator()
    for element, expected in zip(opened, whole[2:], strict=True):
        _same(element, expected)
    assert all(rows.sum(1) == pytest.approx(1, abs=1e-6) for _, rows in whole)


def test_a_share_depends_on_seed_epoch_and_example_alone():
    def shares(batch_size, seed=2, epoch=1):
        data = _data(batch_size=batch_size, seed=seed)
        found = {}
        for (_, rows), (_, own) in zip(
            _batches(mixup(data, 1.0).train, epoch), _batches(data.train, epoch), strict=True
        ):
            found.update(zip(own.tolist(), rows[np.arange(len(own)), own].tolist(), strict=True))
        return np.array([found[k] for k in range(60)])

    np.testing.assert_array_equal(shares(7), shares(30))
    for other in (shares(7, seed=3), shares(7, epoch=2)):
        assert (shares(7) != other).mean() > 0.9


def test_an_example_alone_in_its_batch_stays():
    data = _data(size=8, batch_size=7)
    for mix in (mixup, cutmix):
        (x, own), (changed, rows) = data.train.batch(0, 1), mix(data).train.batch(0, 1)
        np.testing.assert_array_equal(changed, x)
        assert rows.tolist() == np.eye(8)[own].tolist()


def test_validation_and_test_are_not_mixed_and_the_arrays_keep_their_labels():
    data = _data()
    mixed = cutmix(mixup(data))
    for stream in (mixed.validation, mixed.test, mixed.train):
        x, rows = (np.concatenate(parts) for parts in zip(*stream.once().as_numpy_iterator(), strict=True))
        np.testing.assert_array_equal(x, stream.arrays[0])
        np.testing.assert_array_equal(rows, np.eye(60, dtype="float32")[stream.arrays[1]])
        assert stream.element_spec == (((None, 8, 6, 3), "uint8"), ((None, 60), "float32"))
    assert mixed.train.fingerprint == data.train.fingerprint
    joined = mixed.train.joined(mixed.validation)
    assert joined.size == 69 and joined.batch(0, 0)[1].shape == (7, 60)


def test_features_of_tables_are_mixed_as_floats():
    data = table("wine", batch_size=16, seed=0)
    mixed = mixup(data, 1.0).train
    (x, own), (changed, rows) = data.train.batch(0, 0), mixed.batch(0, 0)
    differ = own != np.roll(own, -1)
    share = rows[np.arange(16), own]
    expected = share[:, None] * x + (1 - share[:, None]) * np.roll(x, -1, 0)
    np.testing.assert_allclose(changed[differ], expected[differ], rtol=1e-5)
    assert changed.dtype == np.float32 and 0 < share[differ].min() < 1
    _same(next(iter(mixed.open())), (changed, rows))


def test_named_outputs_come_after_it():
    data = repeated(mixup(_data()), ("logits", "aux"))
    x, y = data.train.batch(0, 0)
    expected, rows = mixup(_data()).train.batch(0, 0)
    np.testing.assert_array_equal(x, expected)
    assert set(y) == {"logits", "aux"}
    for each in y.values():
        np.testing.assert_array_equal(each, rows)


RECIPE = """
import keras
import zoo
from zoo.data import images, mixup
from zoo.losses import SmoothedCrossentropy

def recipe(epochs=2, alpha=0.4):
    data = mixup(images("digits", 64), alpha)
    model = zoo.build("mlp", input_shape=(8, 8, 1), num_classes=10, hidden=(16,))
    model.compile("adam", SmoothedCrossentropy(label_smoothing=0.1), metrics=["accuracy"])
    return zoo.Recipe(model, data, epochs, objective=("val_accuracy", "max"))
"""


def test_a_recipe_trains_evaluates_and_draws_with_it(own_folder):
    (own_folder / "mixed.py").write_text(RECIPE)
    result = zoo.train("mixed.py", export=False, verbose=0, folder="run")
    test = images("digits", 64, seed=0).test
    predicted = result.model.predict(test.arrays[0], verbose=0).argmax(1)
    assert result.metrics["test_accuracy"] == pytest.approx((predicted == test.arrays[1]).mean(), abs=1e-6)
    assert (result.folder / "confusion.png").is_file() and result.metrics["val_accuracy"] > 0.2
    assert zoo.evaluate("run") == {key: value for key, value in result.metrics.items() if key[:4] in ("val_", "test")}


@pytest.mark.parametrize("named", [False, True])
def test_a_loss_for_the_other_kind_of_labels_is_refused(named):
    sparse, dense = keras.losses.SparseCategoricalCrossentropy(from_logits=True), "categorical_crossentropy"
    data = images("digits", 32, seed=0)
    pixels = keras.Input((8, 8, 1))
    logits = keras.layers.Dense(10)(keras.layers.Flatten()(pixels))
    model = keras.Model(pixels, {"logits": logits, "aux": logits} if named else logits)
    integers, rows = data, mixup(data)
    if named:
        integers, rows = (repeated(each, ("logits", "aux")) for each in (integers, rows))

    def compiled(loss):
        model.compile("sgd", {"logits": loss, "aux": loss} if named else loss)
        return model

    with pytest.raises(ZooError, match=r"rows of probabilities, of the shape \(None, 10\), .*keras.losses.Categorical"):
        check_fits(rows, compiled(sparse))
    with pytest.raises(ZooError, match="integer labels, of the shape .*keras.losses.SparseCategorical"):
        check_fits(integers, compiled(dense))
    for fitting, loss in (
        (rows, dense),
        (integers, sparse),
        (rows, SmoothedCrossentropy()),
        (integers, "mse"),
    ):
        check_fits(fitting, compiled(loss))


@pytest.mark.parametrize("mix", [mixup, cutmix])
@pytest.mark.parametrize("alpha", [0, -1.0, float("inf"), "0.2"])
def test_alpha_must_be_positive(mix, alpha):
    with pytest.raises(ZooError, match="alpha must be a positive number"):
        mix(_data(), alpha)


def test_data_that_cannot_be_mixed_is_refused():
    text = from_arrays((np.zeros((20, 5), "int32"), np.arange(20) % 2), 4, seed=0)
    for mix, data, message in (
        (mixup, repeated(_data(), ["logits"]), "mixing takes elements.*Name several outputs afterwards"),
        (mixup, bootstrap(_data(), 2), "mixing takes elements"),
        (mixup, table("diabetes", seed=0), "needs the labels of classes"),
        (mixup, text, "uint8 images or float features. Received x of type int32"),
        (cutmix, table("wine", seed=0), "data must be uint8 images"),
    ):
        with pytest.raises(ZooError, match=message):
            mix(data)
