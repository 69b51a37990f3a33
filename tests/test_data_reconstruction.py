"""Data of autoencoders: noise by its definition, the same bytes in both backends, a digit left out."""

import numpy as np
import pytest

from zoo import ZooError
from zoo.data import Stream, images, noise, reconstruction, shift

KINDS = [("gaussian", 0.2), ("masking", 0.25), ("salt_and_pepper", 0.3)]


def grey(count=400, level=128):
    return Stream((np.full((count, 10, 10, 1), level, np.uint8), np.zeros(count, int)), 100, seed=1)


@pytest.mark.parametrize(("kind", "amount"), KINDS)
def test_noise_is_of_its_kind(kind, amount):
    stream = grey()
    x = Stream(stream.arrays, 400, seed=1, augment=noise(kind, amount)).batch(0, 0)[0].astype("float64")
    if kind == "gaussian":
        assert abs(x.mean() - 128) < 1 and abs(x.std() / 255 - amount) < 0.01
        # Normal, not merely of that deviation: the share within one deviation.
        assert abs((np.abs(x - 128) <= 255 * amount).mean() - 0.683) < 0.01
    elif kind == "masking":
        assert abs((x == 0).mean() - amount) < 0.01 and set(np.unique(x)) == {0, 128}
    else:
        assert abs((x == 0).mean() - amount / 2) < 0.01 and abs((x == 255).mean() - amount / 2) < 0.01
        assert set(np.unique(x)) == {0, 128, 255}


@pytest.mark.parametrize(("kind", "amount"), KINDS)
def test_tensors_and_arrays_have_the_same_bytes(kind, amount):
    data = reconstruction(images("digits", 32, seed=3, augment=shift(1)), noise=noise(kind, amount))
    for part, epoch, step in ((data.train, 2, 1), (data.train, 0, 0)):
        for ours, theirs in zip(part.batch(epoch, step), next(iter(part.open(epoch, step))), strict=True):
            np.testing.assert_array_equal(ours, theirs.numpy())


def test_the_target_is_the_clean_and_augmented_image():
    plain = images("digits", 32, seed=3, augment=shift(1))
    x, y = reconstruction(plain).train.batch(1, 2)
    np.testing.assert_array_equal(x, plain.train.batch(1, 2)[0])
    np.testing.assert_array_equal(y, x / np.float32(255))
    assert x.dtype == np.uint8 and y.dtype == np.float32
    noisy, clean = reconstruction(plain, noise=noise("masking", 0.5)).train.batch(1, 2)
    np.testing.assert_array_equal(clean, y)
    assert (noisy != x).any() and set(np.unique(noisy[noisy != x])) == {0}


def test_validation_and_test_have_the_same_noise_always():
    data = reconstruction(images("digits", 32, seed=3), noise=noise("gaussian", 0.2))
    first, again = (np.concatenate([x for x, _ in data.test.once()]) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    clean = np.concatenate([y for _, y in data.test.once()])
    assert 0.05 < np.abs(first / 255 - clean).mean() < 0.2
    assert [array.shape for array in data.test.arrays] == [(360, 8, 8, 1), (360,), (360, 8, 8, 1)]


def test_a_digit_is_left_out_of_all_but_the_test():
    data = reconstruction(images("digits", 32, seed=3), left_out=7)
    assert data.statistics["left_out"] == "7" and len(data.statistics["classes"]) == 10
    assert 7 not in data.train.arrays[1] and 7 not in data.validation.arrays[1] and 7 in data.test.arrays[1]
    assert data.labels is None


def test_what_cannot_be():
    data = images("digits", 32, seed=3)
    with pytest.raises(ZooError, match="no class 'seven' to leave out"):
        reconstruction(data, left_out="seven")
    with pytest.raises(ZooError, match="kind must be one of"):
        noise("pink", 0.1)
    for kind, amount in (("masking", 1.5), ("gaussian", 0), ("salt_and_pepper", "much")):
        with pytest.raises(ZooError, match="amount must be"):
            noise(kind, amount)
    large = Stream((np.zeros((1, 300, 300, 1), "uint8"), [0]), 1, seed=0, augment=noise("masking", 0.1))
    with pytest.raises(ZooError, match="at most 65536 values"):
        large.batch(0, 0)
    table = Stream((np.zeros((4, 3)), np.zeros(4)), 2, seed=0)
    import zoo

    with pytest.raises(ZooError, match="an autoencoder's data are images"):
        reconstruction(zoo.Data(table))
