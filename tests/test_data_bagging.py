"""Bootstrap resamples as weights, and the check where data meets a model."""

import keras
import numpy as np
import pytest

from zoo.data import bootstrap, check_fits, from_arrays, images, shift, table
from zoo.errors import ZooError


def _model(shape=(8, 8, 1), classes=10, members=2):
    inputs = keras.Input(shape)
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    outputs = {f"member_{k}": keras.layers.Dense(classes)(x) for k in range(members)}
    mean = keras.layers.Average()(list(outputs.values())) if members > 1 else outputs["member_0"]
    return keras.Model(inputs, {"logits": mean, **outputs}, name="bag")


def test_weights_count_a_resample_of_the_same_size():
    data = images("digits", 32, seed=0)
    bag = bootstrap(data, 3, seed=0)
    _, _, weights = bag.train.arrays
    assert weights.shape == (1293, 4) and (weights[:, 0] == 1).all()
    np.testing.assert_array_equal(weights[:, 1:].sum(axis=0), 1293)
    # An example is left out with probability 1/e; four standard errors.
    left_out = (weights[:, 1:] == 0).mean(axis=0)
    assert np.abs(left_out - np.exp(-1)).max() < 4 * np.sqrt(0.1 / 1293)
    assert np.abs(np.corrcoef(weights[:, 1:].T) - np.eye(3)).max() < 4 / np.sqrt(1293)


def test_the_resample_of_a_member_is_a_function_of_seed_and_member():
    data = images("digits", 32, seed=0)
    two, three, other = (bootstrap(data, n, seed=s).train.arrays[2] for n, s in [(2, 0), (3, 0), (2, 1)])
    np.testing.assert_array_equal(two, three[:, :3])
    assert (two[:, 1] != other[:, 1]).any()


def test_elements_name_the_outputs():
    bag = bootstrap(images("digits", 32, augment=shift(1), seed=0), 2, seed=0)
    x, y, weights = bag.train.batch(0, 0)
    assert list(y) == list(weights) == ["logits", "member_0", "member_1"]
    np.testing.assert_array_equal(y["member_1"], y["logits"])
    assert bag.train.augment and x.shape == (32, 8, 8, 1)
    for part in (bag.validation, bag.test):
        assert len(part.element_spec) == 2 and list(part.element_spec[1]) == list(y)
    assert bag.labels == tuple("0123456789")


def test_keras_trains_the_members_on_it_and_reports_the_mean():
    bag = bootstrap(images("digits", 32, seed=0), 2, seed=0)
    model = _model()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), {"member_0": loss, "member_1": loss}, metrics={"logits": ["accuracy"]})
    history = model.fit(
        bag.train.open(),
        steps_per_epoch=bag.train.steps,
        epochs=3,
        validation_data=bag.validation.once(),
        shuffle=False,
        verbose=0,
    ).history
    assert history["val_logits_accuracy"][-1] > 0.85
    assert model.evaluate(bag.test.once(), return_dict=True, verbose=0)["logits_accuracy"] > 0.85
    assert (model.layers[-3].get_weights()[0] != model.layers[-2].get_weights()[0]).any()


def test_a_member_learns_only_from_its_resample():
    x = np.repeat(np.uint8([0, 255]), 50).reshape(100, 1, 1, 1)
    bag = bootstrap(from_arrays((x, np.arange(100) % 2), 100, validation=0, seed=0), 2, seed=0)
    model = _model((1, 1, 1), 2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", {"member_0": loss, "member_1": loss})
    inputs, targets, weights = bag.train.batch(0, 0)
    logits = {name: np.asarray(value) for name, value in model(inputs.astype("float32")).items()}
    found = model.evaluate(inputs, targets, 80, sample_weight=weights, return_dict=True, verbose=0)
    for name in ("member_0", "member_1"):
        one = np.log(np.exp(logits[name]).sum(axis=1)) - logits[name][np.arange(80), targets[name]]
        assert found[f"{name}_loss"] == pytest.approx((one * weights[name]).mean(), rel=1e-4)


@pytest.mark.parametrize("members", [0, 1.5])
def test_a_bad_number_of_members_is_refused(members):
    with pytest.raises(ZooError, match="members must be a whole number >= 1"):
        bootstrap(images("digits", 32), members)


def test_weighted_data_are_not_resampled_again():
    with pytest.raises(ZooError, match="without weights of its own"):
        bootstrap(bootstrap(images("digits", 32), 1), 1)


def test_what_fits_passes():
    digits = images("digits", 32)
    check_fits(digits, _model())
    check_fits(
        digits,
        keras.Sequential([keras.Input((None, None, 1)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)]),
    )
    check_fits(table("diabetes"), keras.Sequential([keras.Input((10,)), keras.layers.Dense(1)]))


@pytest.mark.parametrize(
    "data, message",
    [
        (
            lambda: images("digits", 32, size=28),
            "'bag' takes images of 8 x 8 x 1, and the data's are 28 x 28 x 1.*--size 8$",
        ),
        (lambda: images("digits", 32, channels=3), r"8 x 8 x 3. Build .*input_shape=\(8, 8, 3\).*--channels 1$"),
        (lambda: images("digits", 32, size=9, channels=3), "--size 8 --channels 1$"),
        (lambda: table("wine"), r"the data's are feature vectors of length 13. Build .*input_shape=\(13,\)$"),
        (
            lambda: from_arrays((np.zeros((40, 8, 8, 1), "uint8"), np.arange(40) % 3), 4),
            r"10 logits, and the data has 3 classes \(0, 1, 2\). Build it with num_classes=3",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_both_shapes(data, message):
    with pytest.raises(ZooError, match=message):
        check_fits(data(), _model())
