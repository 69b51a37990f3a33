"""The pictures of autoencoders: what stands in them, which are drawn, and that tiny or lame runs have theirs."""

import keras
import numpy as np
import pytest

import zoo
from zoo import codes, densities
from zoo.data import from_arrays, reconstruction
from zoo.pictures import code_uses
from zoo.pictures import codes as pictures
from zoo.pictures import densities as density_pictures

SHAPE = (6, 5, 1)


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


def autoencoder(code, shape=SHAPE):
    return zoo.build("autoencoder", input_shape=shape, hidden=(), code=code)


def images(count, classes=3, seed=0, shape=SHAPE):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, *shape), dtype=np.uint8), np.arange(count) % classes


def data(count=48, noise=None, left_out=None, shape=SHAPE, classes=3, **parts):
    parts = {"validation": images(12, classes, 1, shape), "test": images(12, classes, 2, shape), **parts}
    made = from_arrays(images(count, classes, 0, shape), 16, labels=[f"class {k}" for k in range(10)], **parts)
    return reconstruction(made, noise=noise, left_out=left_out)


def invert(images, draws):
    return 255 - images


def shown(figure):
    return [np.ma.filled(axis.images[0].get_array(), np.nan) for axis in figure.axes if axis.images]


ALWAYS = ["codes", "reconstructions", "codes", "walk", "density", "samples", "few_labels"]


@pytest.mark.parametrize(
    "code, arguments, expected",
    [
        (4, {}, ALWAYS),
        (2, {}, [*ALWAYS[:4], "plane", *ALWAYS[4:]]),
        (1, {}, [name for index, name in enumerate(ALWAYS) if index != 2]),
        (40, dict(left_out="class 1"), [*ALWAYS, "anomaly"]),
        (3, dict(noise=invert, shape=(4, 4, 3)), ALWAYS),
        (3, dict(count=5, validation=0, test=images(1)), [name for name in ALWAYS if name != "walk"]),
    ],
)
def test_draw_makes_the_pictures_that_apply(code, arguments, expected, tmp_path):
    made = data(**arguments)
    drawn = pictures.draw(tmp_path, autoencoder(code, made.train.input_shape), made)
    assert [path.stem for path in drawn] == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in drawn)
    assert drawn[0].read_text().startswith("name,numbers,squared_error")
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn[1:])


def test_an_encoder_that_tells_nothing_apart_has_no_density(tmp_path):
    model = autoencoder(2)
    model.encoder.set_weights([0 * weight for weight in model.encoder.get_weights()])
    drawn = pictures.draw(tmp_path, model, data())
    assert [path.stem for path in drawn] == ["codes", "reconstructions", "walk", "plane", "few_labels"]


def test_the_first_of_each_class_are_shown():
    assert pictures.chosen(np.array([2, 2, 0, 7, 0, 0]), 5).tolist() == [2, 0, 3, 4, 1]
    assert pictures.chosen(np.array([1, 1]), 9).tolist() == [0, 1]


def test_reconstructions_stand_under_their_images_with_the_errors_of_all():
    made, model = data(), autoencoder(3)
    coded = codes.Coded(model, made)
    rows = codes.table(coded)
    (first, original), (second, network), (third, linear) = pictures._compared(coded, rows)
    order = pictures.chosen(coded.labels, 10)
    np.testing.assert_allclose(original, made.test.arrays[0][order] / 255, atol=1e-6)
    np.testing.assert_allclose(network, np.asarray(model(made.test.arrays[0][order])), atol=1e-5)
    assert "mean ± sd of 12" in first and second.startswith(f"network, 3 numbers: squared error {rows[0][2]:.2f} ± ")
    assert (
        third.startswith("PCA, 3 numbers") and third.endswith(f"{rows[1].psnr:.1f} dB") and linear.shape == (10, *SHAPE)
    )
    figure = pictures.reconstructions([("one", original), ("other", network)])
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["one", "other"]
    np.testing.assert_allclose(shown(figure)[1][0, 0], network[0, 0, 0, 0])


def test_noisy_images_stand_first_and_clean_ones_last():
    coded = codes.Coded(autoencoder(3), data(noise=invert))
    rows = pictures._compared(coded, codes.table(coded))
    assert [title.partition(":")[0] for title, _ in rows] == [
        "noisy",
        "network, 3 numbers",
        "PCA, 3 numbers",
        "clean images",
    ]
    np.testing.assert_allclose(rows[0][1], 1 - rows[3][1], atol=1e-6)


def test_a_walk_is_a_straight_line_between_codes_of_two_classes():
    model, made = autoencoder(3), data()
    coded = codes.Coded(model, made)
    walked, across = pictures._walked(coded, pictures.chosen(coded.labels, 5))
    x, y = made.test.arrays
    assert walked.shape == (2 * across, *SHAPE) and across == pictures.STEPS + 2
    # The images 0 and 1 are the first of the classes 0 and 1; the fifth image has no partner.
    np.testing.assert_allclose(walked[[0, across - 1]], x[:2] / 255, atol=1e-6)
    middle = np.asarray(model.decoder(coded.codes[:2].mean(0, keepdims=True)))[0]
    np.testing.assert_allclose(walked[across // 2], middle, atol=1e-5)
    np.testing.assert_allclose(walked[[1, across - 2]], np.asarray(model(x[:2])), atol=1e-5)
    (whole,) = shown(pictures.walk(walked, across))
    height, width = 5 * 6, 5 * 5  # each pixel is enlarged to five
    assert np.isnan(whole[:, width : width + 3]).all() and whole.shape[0] == 2 * height + 2
    np.testing.assert_allclose(whole[0, [0, -1]], [walked[0, 0, 0, 0], walked[across - 1, 0, -1, 0]])


def test_the_plane_has_small_codes_at_the_left_and_at_the_bottom():
    model = autoencoder(2)
    coded = codes.Coded(model, data())
    grid, first, second = pictures._decoded_plane(coded)
    assert (np.diff(first) > 0).all() and (np.diff(second) < 0).all()
    np.testing.assert_allclose([first[0], second[0]], np.diag(np.quantile(coded.train_codes, [0.02, 0.98], axis=0)))
    corner = np.asarray(model.decoder(np.array([[first[-1], second[0]]])))[0]
    np.testing.assert_allclose(grid[pictures.GRID - 1], corner, atol=1e-5)
    figure = pictures.plane(grid, first, second)
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()][0] == f"{first[0]:.3g}"


def test_codes_of_two_numbers_are_drawn_as_they_are_and_longer_ones_by_their_principal_components():
    made = data()
    coded = codes.Coded(autoencoder(2), made)
    (title, points, names), (other, linear, _) = pictures._planes(coded)
    assert points is coded.codes and names == ("code 1", "code 2")
    assert title == f"network: k-NN accuracy {coded.knn['network']:.1%}" and other.startswith("PCA: k-NN accuracy")
    np.testing.assert_array_equal(linear, coded.pca_codes)
    longer = codes.Coded(autoencoder(5), made)
    (title, points, names), (other, linear, _) = pictures._planes(longer)
    centred = longer.train_codes - longer.train_codes.mean(0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    expected = (longer.codes - longer.train_codes.mean(0)) @ directions[:2].T
    np.testing.assert_allclose(np.abs(points), np.abs(expected), rtol=1e-3, atol=1e-4)
    assert names[0] == "principal component 1 of the codes" and "in all 5 numbers" in title and "in this plane" in other
    assert linear.shape == (12, 2)


def test_points_have_the_colour_of_their_class_and_of_many_some_are_drawn(monkeypatch):
    monkeypatch.setattr(pictures, "POINTS", 6)
    points = np.stack([np.arange(12.0), np.arange(12.0)], axis=1)
    figure = pictures.scatter([("a", points, ("x", "y"))], np.arange(12) // 6 * 2, ("one", "two", "three"))
    lines = figure.axes[0].lines
    assert [line.get_xdata().tolist() for line in lines] == [[0, 2, 4], [6, 8, 10]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["one", "three"]
    assert lines[0].get_color() != lines[1].get_color()
    many = pictures.scatter([("a", points, ("x", "y"))], np.arange(12), [str(k) for k in range(30)])
    assert not many.legends


def test_bars_and_curves_show_what_they_are_given():
    bars = code_uses.few_labels({"network": [0.7, 0.8], "PCA": [0.6, 0.6], "pixels": [0.5, 0.5]}, 100)
    assert [patch.get_height() for patch in bars.axes[0].patches] == pytest.approx([75, 60, 50])
    assert [text.get_text() for text in bars.axes[0].texts][0] == "75.0 ± 7.1"
    roc = codes.Roc(np.array([0, 0.5, 1]), np.array([0, 1, 1]), 0.75)
    curves = code_uses.anomaly({"network": roc, "PCA": roc}, "8").axes[0]
    assert curves.lines[0].get_ydata().tolist() == [0, 1, 1]
    assert curves.get_legend().get_texts()[0].get_text() == "network: area 0.750"
    random = np.random.default_rng(0)
    points = np.concatenate([random.normal(-5, 1, (90, 2)), random.normal(5, 1, (90, 2))])
    mixture, kernels = (densities.fit(points, kind) for kind in densities.KINDS)
    axis = density_pictures.likelihoods(mixture, kernels).axes[0]
    training, held_out, chosen, line = axis.lines
    assert held_out.get_ydata().tolist() == [each.held_out for each in mixture.tried]
    assert training.get_ydata().tolist() == [each.training for each in mixture.tried]
    assert chosen.get_xdata()[0] == mixture.chosen.setting == 2
    assert line.get_ydata()[0] == kernels.chosen.held_out


def test_samples_stand_side_by_side():
    tiles = np.linspace(0, 1, 5, dtype="float32")[:, None, None, None] * np.ones((1, 24, 24, 1), "float32")
    left, right = shown(density_pictures.samples([("a", tiles), ("b", tiles[::-1])]))
    assert (
        left[0, ::26].tolist() == [0, 0.25, 0.5] and left[26, [0, 26]].tolist() == [0.75, 1] and np.isnan(left[26, 60])
    )
    assert right[0, 0] == 1
