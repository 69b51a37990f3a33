"""`zoo predict` of a run from images to images: a PNG for each image, and nothing written when something is wrong."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from recipes import pix2pix_isbi_em
from zoo import ZooError, cli, runs, translating
from zoo.data.translation import translation
from zoo.pixel_affine import Pixels
from zoo.segmentation_scores import foreground_error
from zoo.tiling import segment


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("translations") / "run"
    zoo.train("pix2pix_digits", epochs=1, batch_size=256, width=2, levels=3, folder=folder, export=False, verbose=0)
    return folder


def _picture(path, size=(32, 32)):
    pixels = np.random.default_rng(size[0]).integers(0, 256, size, dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return str(path)


def test_the_recipe_leaves_pictures_and_measures(run):
    assert (run / "translations.png").is_file() and (run / "growth.gif").is_file()
    metrics = runs.metrics(run)
    # Rounded to whole pixels, the error is that of the content loss.
    assert metrics["test_mean_absolute_error"] == pytest.approx(metrics["test_content"], abs=0.5)
    real, floor = translation(seed=0).test.arrays[1], translation(seed=0).train.arrays[1].mean(0).round()
    assert metrics["test_mean_image_error"] == pytest.approx(np.abs(real - floor).mean(), rel=1e-5)
    assert 0 <= metrics["test_same_class"] <= 1


def test_a_picture_for_each_file(run, own_folder, capsys):
    files = [_picture("one.png"), _picture("two.png", (32, 32, 3))]
    assert cli.main(["predict", str(run), *files, "--to", "found"]) == 0
    assert capsys.readouterr().out.splitlines() == ["found/one.png", "found/two.png"]
    model = zoo.load(run)
    for file in files:
        with Image.open(file) as image:
            grey = np.asarray(image.convert("L"))
        with Image.open(own_folder / "found" / file) as found:
            assert found.mode == "L"
            expected = np.asarray(model(grey[None, ..., None]))[0, ..., 0]
            np.testing.assert_array_equal(np.asarray(found), np.round(expected).astype("uint8"))


def test_by_default_they_are_in_the_run(run, own_folder):
    (path,) = translating.images(run, [_picture("three.png")])
    assert path == run / "translations" / "three.png" and path.is_file()


def test_what_cannot_be_leaves_nothing(run, own_folder):
    (own_folder / "other").mkdir()
    first, second = _picture("same.png"), _picture(own_folder / "other" / "same.png")
    (own_folder / "broken.png").write_text("no image")
    large = _picture("large.png", (40, 33))
    with pytest.raises(ZooError, match="two images would become same.png"):
        translating.images(run, [first, second], "found")
    with pytest.raises(ZooError, match="broken.png cannot be read as an image"):
        translating.images(run, [first, "broken.png"], "found")
    with pytest.raises(ZooError, match=r"large.png is 40 x 33 \(height x width\), and the model of .* takes 32 x 32"):
        translating.images(run, [first, large], "found")
    assert not (own_folder / "found").exists()
    before = (own_folder / "same.png").read_bytes()
    with pytest.raises(ZooError, match="same.png would be replaced by what is made of it"):
        translating.images(run, [first], own_folder)
    assert (own_folder / "same.png").read_bytes() == before


def test_translations_are_of_such_runs_alone(run, own_folder, capsys):
    zoo.train("perceptron_digits", epochs=1, folder="classes", verbose=0, pictures=False, export=False)
    assert translating.translates(run) and not translating.translates("classes")
    assert not translating.translates("nowhere")
    assert cli.main(["predict", "classes", _picture("image.png"), "--to", "found"]) == 2
    assert "--to is for segmentation" in capsys.readouterr().err


def test_a_part_of_the_data_beside_what_is_made_of_it():
    x = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), np.uint8)
    stream = translation((x, 255 - x), 3, test=range(10), seed=0).test
    model = zoo.build("pix2pix", input_shape=(8, 8, 1), channels=1, width=2, levels=2, patch=1)
    for most in (None, 2, 3, 7, 50):
        inputs, outputs, targets = translating.held_out(model, stream, most)
        count = 10 if most is None else min(most, 10)
        np.testing.assert_array_equal(inputs, x[:count])
        np.testing.assert_array_equal(targets, 255 - x[:count])
        np.testing.assert_array_equal(outputs, np.round(np.asarray(model(x[:count]))).astype("uint8"))
    assert translating.mean_absolute_error(outputs, targets) == pytest.approx(
        float(keras.losses.MeanAbsoluteError()(outputs.astype("float32"), targets.astype("float32")))
    )


def _slices():
    """Labels and micrographs that are brighter in cells, and a network that gives its input back."""
    random = np.random.default_rng(0)
    labels = np.kron(random.integers(0, 2, (4, 8, 8)), np.ones((4, 4)))[..., None].astype("uint8") * 255
    micrographs = (labels // 4 + random.integers(0, 150, labels.shape)).astype("uint8")
    pixels = keras.Input((32, 32, 1), name="pixels")
    copying = keras.Model(pixels, Pixels(name="output")(keras.layers.Rescaling(1 / 127.5, -1)(pixels)))
    return labels, micrographs, copying


def test_generated_labels_are_scored_as_the_challenge_does():
    labels, micrographs, copying = _slices()
    for x, error in ((labels, 0.0), (micrographs, None)):
        data = translation((x, labels), 2, test=range(3), validation=0, seed=0)
        found = pix2pix_isbi_em.measure_labels(copying, data, "test")
        if error is None:
            error = foreground_error(labels[:3, ..., 0] // 255, x[:3, ..., 0] / 255)
            assert 0 < error < 0.5
        assert found["challenge_pixel_error"] == pytest.approx(error)
        assert found["mean_absolute_error"] == pytest.approx(np.abs(x[:3] - labels[:3].astype(float)).mean())


def test_generated_micrographs_are_judged_by_a_network_that_did_not_see_them(own_folder):
    labels, micrographs, copying = _slices()
    data = translation((labels, micrographs), 2, test=range(3), validation=0, seed=0)
    assert set(pix2pix_isbi_em.measure_images(copying, data, "test")) == {"mean_absolute_error"}
    judge = zoo.build("unet_same", input_shape=(32, 32, 1), width=2, depth=1)
    (own_folder / "run").mkdir()
    judge.save(own_folder / "run" / "model.keras")
    found = pix2pix_isbi_em.measure_images(copying, data, "test", judge="run")
    cells = labels[:3, ..., 0] // 255
    for name, windows in (("judged", labels[:3]), ("real", micrographs[:3])):
        expected = foreground_error(cells, segment(judge, windows)[..., 1])
        assert found[f"{name}_pixel_error"] == pytest.approx(expected), name
    differences = np.abs(micrographs[:3] - labels[:3].astype(float))
    assert found["mean_absolute_error"] == pytest.approx(differences.mean())


def test_the_recipe_of_slices_refuses_what_it_cannot_do(own_folder):
    (own_folder / "run").mkdir()
    (own_folder / "run" / "recipe.json").write_text(json.dumps({"model": "unet_same", "hyper": {"split": 2}}))
    other_split = "judge must be a finished run of unet_isbi_em with --split 1"
    wrong = [
        (dict(split=5), "split must be a block of six"),
        (dict(direction="forward"), "direction must be one of 'forth', 'back'"),
        (dict(judge="run", split=1), other_split),
        (dict(judge="run", direction="back"), "judge must be left out with direction='back'"),
        (dict(judge="nowhere"), "nowhere is not a run folder"),
        (dict(masks="here"), "the folder of images here does not exist"),
    ]
    for arguments, said in wrong:
        with pytest.raises(ZooError, match=said):
            pix2pix_isbi_em.recipe(**arguments)
    (own_folder / "run" / "metrics.json").write_text("{}")
    with pytest.raises(ZooError, match=other_split):
        pix2pix_isbi_em.recipe(judge="run", split=1)
