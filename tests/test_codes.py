"""Codes in numbers: against closed forms, against PCA as a network, and where parts are tiny or a class is missing."""

import csv

import keras
import numpy as np
import pytest

import zoo
from zoo import ZooError, codes, representations, score_tables
from zoo.data import from_arrays, reconstruction

SHAPE = (4, 3, 1)


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


def linear(encoder, decoder, shift):
    """An autoencoder of a user's own, in plain layers: `decoder.T @ (encoder.T @ (pixels - shift)) + shift`."""
    size, code = encoder.shape
    inputs, latent = keras.Input(SHAPE), keras.Input((code,))
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    first, last = keras.layers.Dense(code), keras.layers.Dense(size)
    parts = [
        keras.Model(inputs, first(x), name="encoder"),
        keras.Model(latent, keras.layers.Reshape(SHAPE)(last(latent)), name="decoder"),
    ]
    first.set_weights([encoder, -shift @ encoder])
    last.set_weights([decoder, shift])
    image = keras.Input(SHAPE)
    model = keras.Model(image, parts[1](parts[0](image)))
    model.encoder, model.decoder = parts
    return model


def pictures(count, classes=4, seed=0):
    """Images whose pixels depend on each other and on the class."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    basis = np.random.default_rng(9).normal(size=(classes + 3, 12))
    values = 120 + 25 * basis[labels] + 12 * random.normal(size=(count, 3)) @ basis[classes:]
    return (values + random.normal(size=values.shape)).clip(0, 255).astype("uint8").reshape(-1, *SHAPE), labels


def data(noise=None, left_out=None, train=120, validation=40, test=60):
    made = from_arrays(
        pictures(train), 16, validation=pictures(validation, seed=1), test=pictures(test, seed=2), labels=tuple("abcd")
    )
    return reconstruction(made, noise=noise, left_out=left_out)


def pca_network(images, components):
    pixels = images.reshape(len(images), -1) / 255
    _, _, directions = np.linalg.svd(pixels - pixels.mean(0), full_matrices=False)
    kept = directions[:components]
    return linear(kept.T, kept, pixels.mean(0))


def darker(images, draws):
    return images - np.minimum(images, 51)


def test_a_network_that_is_pca_has_pcas_row():
    made = data()
    coded = codes.Coded(pca_network(made.train.arrays[0], 4), made)
    network, linear, pixels = codes.table(coded)
    assert (network.name, linear.name, pixels.name) == ("network", "PCA", "pixels")
    np.testing.assert_allclose(network[1:8], linear[1:8], rtol=1e-4)
    assert network.numbers == 4 and pixels.numbers == 12
    assert pixels.squared_error is pixels.psnr is network.anomaly_auc is None
    # Against numpy: the error that the first four directions leave.
    train, test = (part.arrays[0].reshape(part.size, -1) / 255 for part in (made.train, made.test))
    _, _, directions = np.linalg.svd(train - train.mean(0))
    left = ((test - train.mean(0)) @ directions[4:].T) ** 2
    assert linear.squared_error == pytest.approx(left.sum(1).mean(), rel=1e-4)
    assert linear.squared_error_sd == pytest.approx(left.sum(1).std(ddof=1), rel=1e-4)
    assert linear.psnr == pytest.approx((-10 * np.log10(left.sum(1) / 12)).mean(), rel=1e-4)
    # The classes are apart, and four directions of the three between their means and the three others tell that.
    assert pixels.knn_accuracy == 1 and network.knn_accuracy > 0.9 and pixels.few_label_accuracy > 0.9


def test_errors_of_more_images_than_a_batch():
    images = np.full((representations.BATCH + 3, 2, 3, 1), 255, "uint8")
    wrong = np.ones(images.shape, "float32")
    wrong[-1] = 0.5
    assert codes.squared_error(images, wrong).tolist() == [0] * (representations.BATCH + 2) + [1.5]
    assert codes.psnr(images, wrong)[-2:].tolist() == [100, pytest.approx(20 * np.log10(2), rel=1e-5)]


def test_codes_come_in_batches_and_a_variational_encoder_gives_its_mean():
    model = zoo.build("vae", input_shape=SHAPE, hidden=(5,), code=2)
    images, _ = pictures(7)
    found = codes.encode(model, images, batch=3)
    posterior = keras.Model(model.encoder.input, model.encoder.get_layer("posterior").output)
    np.testing.assert_allclose(found, np.asarray(posterior(images))[:, :2], rtol=1e-6)
    assert found.dtype == "float32" and (codes.encode(model, images) == found).all()
    decoded = codes.decode(model, found.astype("float64"), batch=2)
    np.testing.assert_allclose(decoded, np.asarray(model.decoder(found)), rtol=1e-5)


@pytest.mark.parametrize("count", [8, 60])
def test_pca_is_exact_by_both_ways_and_has_no_more_components_than_there_are(count):
    images, _ = pictures(count)
    pixels = images.reshape(count, -1) / 255
    variances = np.linalg.svd(pixels - pixels.mean(0), compute_uv=False) ** 2
    fitted = codes.pca(images, 3)
    errors = codes.squared_error(images, codes.reconstruct(fitted, images))
    assert errors.sum() == pytest.approx(variances[3:].sum(), rel=1e-3)
    assert codes.pca(images, 500).n_components_ == min(count, 12)
    with pytest.raises(ZooError, match="components must be an integer >= 1. Received: components=0"):
        codes.pca(images, 0)


def test_denoising_gives_the_network_noise_and_encodes_clean_images():
    made = data(noise=darker)
    model = pca_network(made.train.arrays[0], 12)
    coded = codes.Coded(model, made)
    rows = {row.name: row for row in codes.table(coded)}
    clean = made.test.arrays[2]
    assert coded.noisy and (coded.images == clean).all() and (coded.given == made.test.arrays[0]).all()
    np.testing.assert_allclose(coded.codes, np.asarray(model.encoder(clean)), atol=1e-5)
    np.testing.assert_allclose(coded.validation_codes, np.asarray(model.encoder(made.validation.arrays[2])), atol=1e-5)
    lost = np.minimum(clean, 51).reshape(len(clean), -1) / 255
    assert rows["noisy input"].squared_error == pytest.approx((lost**2).sum(1).mean(), rel=1e-5)
    assert rows["noisy input"].psnr == pytest.approx((-10 * np.log10((lost**2).mean(1))).mean(), rel=1e-5)
    assert rows["noisy input"].knn_accuracy is None and rows["noisy input"].numbers == 12
    # With all twelve directions, nothing of the noise is taken away.
    assert rows["network"].psnr == pytest.approx(rows["noisy input"].psnr, rel=1e-4)
    assert rows["PCA"].psnr == pytest.approx(rows["noisy input"].psnr, rel=1e-4)
    assert rows["network"].knn_accuracy == rows["pixels"].knn_accuracy


def test_neighbours_vote_and_of_many_training_codes_some_are_asked(monkeypatch):
    train, labels = np.array([[0.0], [1], [2], [10], [11], [12], [13]]), np.array([0, 0, 1, 1, 1, 1, 1])
    asked = np.array([[0.4], [11.0]])
    # The five nearest of 0.4 are 0, 1, 2, 10, 11: three of them are of class 1.
    assert codes.knn_accuracy(train, labels, asked, np.array([0, 1])) == 0.5
    monkeypatch.setattr(representations, "NEIGHBOURS", 1)
    assert codes.knn_accuracy(train, labels, asked, np.array([0, 1])) == 1
    monkeypatch.setattr(representations, "NEIGHBOURS_AMONG", 2)
    kept = representations._some(labels, 2)
    assert sorted(labels[kept]) == [0, 1] and codes.knn_accuracy(train, labels, train[kept], labels[kept]) == 1


def test_few_labels_are_drawn_equally_of_each_class():
    labels = np.array([0] * 50 + [2] * 3 + [5] * 200)
    drawn = representations._labelled(labels, 30, seed=1)
    assert np.unique(labels[drawn], return_counts=True)[1].tolist() == [10, 3, 10]
    assert len(set(drawn)) == 23 and set(drawn) != set(representations._labelled(labels, 30, seed=2))
    assert len(representations._labelled(labels, 1, seed=1)) == 3


def test_few_label_accuracy_does_not_depend_on_the_scale_of_codes():
    random = np.random.default_rng(0)
    labels = np.arange(90) % 3
    train = random.normal(size=(90, 5)) + np.eye(3, 5)[labels]
    one = codes.few_label_accuracies(train, labels, train, labels, count=9, draws=4)
    other = codes.few_label_accuracies(1000 * train + 7, labels, 1000 * train + 7, labels, count=9, draws=4)
    assert one.shape == (4,) and one.std() > 0
    np.testing.assert_allclose(one, other, atol=0.02)
    dead = codes.few_label_accuracies(np.zeros((90, 5)), labels, np.zeros((90, 5)), labels, draws=1)
    assert dead == pytest.approx(1 / 3)


def test_a_left_out_class_is_told_by_its_error_and_is_not_classified():
    made = data(left_out="d")
    model = pca_network(made.train.arrays[0], 5)  # directions of three classes: the fourth is far from them
    coded = codes.Coded(model, made)
    assert coded.left_out == 3 and (coded.train_labels != 3).all()
    curves = codes.anomaly(coded)
    errors = codes.squared_error(coded.images, coded.reconstructions)
    odd = coded.labels == 3
    # The area is the share of pairs that are in order.
    pairs = (errors[odd][:, None] > errors[~odd]).mean()
    assert curves["network"].auc == pytest.approx(pairs) and curves["network"].auc > 0.99
    assert curves["PCA"].auc == pytest.approx(curves["network"].auc, abs=1e-3)
    assert curves["network"].false_positives[[0, -1]].tolist() == [0, 1]
    rows = codes.table(coded)
    assert [row.anomaly_auc is None for row in rows] == [False, False, True]
    # A code that says nothing: of three equal classes the classifier has one right, and is not asked for the fourth.
    assert coded.classified(codes.few_label_accuracies, np.zeros((90, 2)), np.zeros((60, 2)))[0] == pytest.approx(1 / 3)


def test_nothing_left_out_or_nothing_else_has_no_curve():
    assert codes.anomaly(codes.Coded(zoo.build("autoencoder", input_shape=SHAPE, hidden=(), code=2), data())) == {}
    made = data(left_out="d", test=60)
    coded = codes.Coded(zoo.build("autoencoder", input_shape=SHAPE, hidden=(), code=2), made)
    for odd in (False, True):
        coded.labels = np.full(60, 3 if odd else 0)
        assert codes.anomaly(coded) == {}
    assert coded.knn == coded.few_labels == {}  # all that is looked at is of the class that was left out


def test_the_table_as_text_and_as_a_file(tmp_path):
    rows = codes.table(codes.Coded(zoo.build("autoencoder", input_shape=SHAPE, hidden=(), code=2), data(test=6)))
    lines = codes.text(rows).splitlines()
    assert lines[0].split() == ["numbers", "squared", "error", "psnr", "k-NN", "100", "labels"]
    assert [line.split()[:2] for line in lines[1:]] == [["network", "2"], ["PCA", "2"], ["pixels", "12"]]
    path = score_tables.write(rows, tmp_path / "codes.csv")
    with open(path, newline="") as file:
        first, *others = csv.DictReader(file)
    assert float(first["squared_error"]) == rows[0].squared_error and first["anomaly_auc"] == ""
    assert [row["name"] for row in others] == ["PCA", "pixels"]
    assert score_tables.read(path, codes.Row) == rows
    path.write_text("name,other\n1,2\n")
    for wrong in (path, tmp_path / "none.csv"):
        with pytest.raises(ZooError, match="is no table of scores"):
            score_tables.read(wrong, codes.Row)


def test_tiny_parts_have_a_table():
    made = from_arrays(pictures(9), 16, validation=0, test=pictures(1), labels=tuple("abcd"))
    coded = codes.Coded(zoo.build("autoencoder", input_shape=SHAPE, hidden=(), code=30), reconstruction(made))
    network, linear, _ = codes.table(coded)
    assert (network.numbers, linear.numbers) == (30, 9)
    assert network.squared_error_sd == 0 and coded.validation_codes is None


def test_what_has_no_codes_is_refused():
    with pytest.raises(ZooError, match="codes are what an autoencoder makes. 'lenet' is a model for classification"):
        codes.Coded(zoo.build("lenet"), data())
    model = zoo.build("autoencoder", input_shape=SHAPE, hidden=(), code=2)
    with pytest.raises(ZooError, match="the data have neither"):
        codes.Coded(model, zoo.Data(data().train, statistics={"classes": tuple("abcd")}))
