"""The pictures of networks that generate: which are drawn, what stands in them, and the film of their growth."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo import samples
from zoo.data import Stream
from zoo.pictures import generation, sample_sheets

X = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
LABELS = ("anna", "bert", "carl")


@pytest.fixture(autouse=True)
def fresh():
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)


def gan(shape=(8, 8, 1)):
    return zoo.build("gan", image_shape=shape, latent=3, hidden=(6,), units=(4,), pieces=2)


def cgan():
    return zoo.build("cgan", num_classes=3, image_shape=(8, 8, 1), latent=3, width=2, embedding=2)


def data(x=X, **parts):
    y = np.arange(len(x)) % 3
    return zoo.Data(Stream((x, y), 8), labels=LABELS, **parts)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps({"recipe": "/home/me/mine.py", "seed": 3}))
    return tmp_path


def grown(folder, sheets):
    (folder / "samples").mkdir()
    for epoch, sheet in sheets.items():
        (folder / "samples" / f"epoch-{epoch:04d}.png").write_bytes(sample_sheets.png(sheet))


def shown(figure):
    """The mosaics in a figure, with 1 where they are white."""
    return [np.ma.filled(axis.images[0].get_array(), 1.0) for axis in figure.axes if axis.images]


@pytest.mark.parametrize(
    "model, given, expected",
    [
        (gan, data, ["samples", "interpolation", "neighbours"]),
        (cgan, lambda: data(test=data().train), ["samples", "interpolation", "neighbours", "classes"]),
        (lambda: gan((2,)), lambda: data(np.float32(X[:, 0, :2, 0])), ["samples"]),
    ],
)
def test_draw_makes_the_pictures_that_apply(model, given, expected, folder):
    grown(folder, {1: X[0, ..., 0], 2: X[1, ..., 0]})
    *pictures, film = generation.draw(folder, model(), given())
    assert [path.name for path in pictures] == [f"{name}.png" for name in expected]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    assert film == folder / "growth.gif" and film.read_bytes().startswith(b"GIF89a")


def test_titles_name_the_recipe_and_the_classes(folder, monkeypatch):
    said = {}
    monkeypatch.setattr(generation, "save", lambda figure, path: said.update({path.stem: figure}) or path)
    model = cgan()
    assert [path.name for path in generation.draw(folder, model, data())][-1] == "classes.png"
    assert said["samples"].axes[0].get_title() == "mine, seed 3: a class in each row"
    (axis,) = said["classes"].axes
    assert [label.get_text() for label in axis.get_yticklabels()] == list(LABELS)
    assert "held-out" not in said["neighbours"].get_suptitle()
    # The picture is the last file of the training, enlarged.
    (mosaic,) = shown(said["samples"])
    images, across = samples.fixed(model)
    assert across == 8 and len(images) == 24
    np.testing.assert_allclose(mosaic[1:24:3, 1:24:3], images[0, ..., 0] / 255)


def test_rows_of_walks_and_classes():
    images = np.zeros((2, 3, 24, 24, 1), "uint8")
    images[1, 2] = 255
    for figure in (generation.interpolation(images), generation.classes(images, ["a", "b"])):
        (mosaic,) = shown(figure)
        assert mosaic.shape == (2 * 26 - 2, 3 * 26 - 2)
        assert (mosaic[26:, 52:] == 1).all() and (mosaic[:24, 52:] == 0).all() and (mosaic[26:, :24] == 0).all()


def test_a_copy_of_a_training_image_stands_first_at_distance_zero(folder, monkeypatch):
    model, said = gan(), {}
    made = np.random.default_rng(1).integers(0, 256, (64, 8, 8, 1), dtype=np.uint8)
    made[5] = X[17]
    made[9] = X[30]
    made[9, 0, 0] ^= 64
    monkeypatch.setattr(model, "sample", lambda n, seed=0: made[:n])
    monkeypatch.setattr(generation, "save", lambda figure, path: said.update({path.stem: figure}) or path)
    held_out = Stream((X[17:20] // 2, np.zeros(3, int)), 2)
    generation.draw(folder, model, data(validation=held_out))
    figure = said["neighbours"]
    titles = [axis.get_title() for axis in figure.axes]
    assert len(titles) == 16 and titles[:2] == ["0", "64"] and list(map(int, titles)) == sorted(map(int, titles))
    first = shown(figure)[0]
    np.testing.assert_allclose(first[:24:3, :24:3], X[17, ..., 0] / 255)
    np.testing.assert_array_equal(first[:24, :24], first[:24, 26:])
    distances = [np.sqrt(((X.astype(float) - image) ** 2).sum((1, 2, 3)).min()) for image in held_out.arrays[0]]
    assert f"of held-out images {np.median(distances):.0f}" in figure.get_suptitle()


def test_points_have_the_scale_of_the_real_ones():
    real = np.array([[0.0, 0.0], [2.0, 4.0]])
    (axis,) = generation.points(real, np.array([[99.0, 1.0], [1.0, 1.0], [0.5, 3.0]]), "mine").axes
    assert axis.get_xlim() == pytest.approx((-0.3, 2.3), abs=1e-4)
    assert axis.get_ylim() == pytest.approx((-0.6, 4.6), abs=1e-4)
    assert [line.get_label() for line in axis.lines] == ["real (2)", "generated (3)"]
    assert axis.lines[1].get_xydata().tolist() == [[99.0, 1.0], [1.0, 1.0], [0.5, 3.0]]
    (axis,) = generation.points(None, np.array([[1.0], [1.0]]), "alike").axes
    assert axis.get_ylabel() == "density" and sum(bar.get_height() > 0 for bar in axis.patches) == 1


def test_the_film_shows_each_epoch_under_its_number(tmp_path):
    first, last = np.zeros((60, 90), np.uint8), np.full((60, 90, 3), (200, 40, 40), np.uint8)
    grown(tmp_path, {1: first, 7: first, 30: last})
    path = sample_sheets.film(samples.written(tmp_path / "samples"), tmp_path / "growth.gif")
    with Image.open(path) as film:
        assert (film.n_frames, film.size) == (3, (6 * 90, 6 * 60 + sample_sheets.BAND))
        frames = []
        for index in range(3):
            film.seek(index)
            frames.append(np.asarray(film.convert("RGB")).astype(int))
    bands, bodies = ([frame[rows] for frame in frames] for rows in (slice(24), slice(24, None)))
    assert all((band == 255).any() and (band < 100).any() for band in bands)
    assert (bands[0] != bands[1]).any() and (bands[1] != bands[2]).any()
    np.testing.assert_array_equal(bodies[0], bodies[1])
    assert np.abs(bodies[2] - [200, 40, 40]).max() < 8


def test_large_sheets_are_reduced_in_the_film(tmp_path):
    grown(tmp_path, {epoch: np.zeros((500, 1541), np.uint8) for epoch in (1, 2)})
    with Image.open(sample_sheets.film(samples.written(tmp_path / "samples"), tmp_path / "growth.gif")) as film:
        assert film.size == (514, 167 + sample_sheets.BAND)


def test_a_long_training_has_a_film_of_some_seconds(tmp_path):
    grown(tmp_path, {epoch: np.full((20, 20), epoch, np.uint8) for epoch in range(1, 101)})
    with Image.open(sample_sheets.film(samples.written(tmp_path / "samples"), tmp_path / "growth.gif")) as film:
        assert film.n_frames == sample_sheets.FRAMES
        times = []
        for index in range(film.n_frames):
            film.seek(index)
            times.append(film.info["duration"])
    assert 4000 < sum(times[:-1]) < 6000 and times[-1] == 1500
