"""Pairs of small and large images, their scores against definitions, and what is drawn of them."""

import json

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo import recipe, score_tables
from zoo import resolution_scores as scores
from zoo.data import paired, super_resolution
from zoo.data.super_resolution import enlarge, shrink
from zoo.pictures import resolution

RANDOM = np.random.default_rng(0)


def smooth(count, height, width, channels=3):
    """Images without pixels that differ much from their neighbours."""
    coarse = RANDOM.integers(0, 256, (count, 5, 5, channels), dtype=np.uint8)
    resized = [
        [np.asarray(Image.fromarray(image[..., c]).resize((width, height), 3)) for c in range(channels)]
        for image in coarse
    ]
    return np.moveaxis(np.array(resized), 1, -1)


@pytest.fixture(scope="module")
def data():
    return super_resolution("digits", 32, factor=2, seed=0)


def written(folder, images):
    for name, image in images.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(path)
    return str(folder)


def test_pairs_are_an_image_and_its_half(data):
    plain = zoo.data.images("digits", 32, seed=0)
    for part, stream in data.parts.items():
        low, high = stream.arrays
        np.testing.assert_array_equal(high, plain.parts[part].arrays[0])
        assert low.shape == (len(high), 4, 4, 1) and low.dtype == high.dtype == np.uint8
        expected = np.asarray(Image.fromarray(high[7, ..., 0]).resize((4, 4), Image.Resampling.BICUBIC))
        np.testing.assert_array_equal(low[7, ..., 0], expected)
    assert data.labels is None and data.statistics == {"source": "digits", "factor": 2}


def test_tensors_and_arrays_have_the_same_bytes_and_pairs_move_together():
    mix = paired.flips(horizontal=True, vertical=True, turns=True)
    stream = super_resolution("digits", 64, factor=2, mix=mix, seed=3).train
    x, y = stream.batch(2, 1)
    for ours, theirs in zip((x, y), next(iter(stream.open(2, 1))), strict=True):
        np.testing.assert_array_equal(ours, theirs.numpy())
    # Pillow rounds and cuts off after each of its two passes, and the first is always along the rows.
    halves = np.array([shrink(image, 2) for image in y]).astype(int)
    assert np.abs(halves - x).mean() < 1
    turned = np.array([shrink(image[::-1, ::-1], 2) for image in y]).astype(int)
    assert np.abs(turned - x).mean() > 10


def test_interpolation():
    image = smooth(1, 12, 8)[0]
    assert enlarge(image, 3).shape == (36, 24, 3)
    np.testing.assert_array_equal(enlarge(image, 3, "nearest"), image.repeat(3, 0).repeat(3, 1))
    grey = np.full((2, 3, 1), 77, np.uint8)
    np.testing.assert_array_equal(enlarge(grey, 4), np.full((8, 12, 1), 77))
    assert np.abs(shrink(enlarge(image, 4), 4).astype(int) - image).mean() < 12


def test_a_folder_of_files_of_any_sizes(tmp_path):
    images = {f"{k}.png": smooth(1, 40 + k, 50 - k)[0] for k in range(9)} | {"more/9.jpg": smooth(1, 33, 35)[0]}
    images |= {".hidden.png": smooth(1, 8, 8)[0]}
    data = super_resolution(written(tmp_path, images), 4, factor=4, patch=16, validation=0.2, seed=1)
    assert {part: stream.arrays[0].shape[1:] for part, stream in data.parts.items()} == dict.fromkeys(
        ("train", "validation", "test"), (4, 4, 3)
    )
    # Held-out files are cut side by side, and whole files are held out.
    contents = {part: {patch.tobytes() for patch in stream.arrays[1]} for part, stream in data.parts.items()}
    assert not (contents["train"] & contents["test"]) and not (contents["train"] & contents["validation"])
    sides = [image.shape[:2] for name, image in images.items() if name != ".hidden.png"]
    counts = sorted((height // 16) * (width // 16) for height, width in sides)
    assert data.test.size in {a + b for a in counts for b in counts}


def test_patches_are_aligned(tmp_path):
    image = smooth(1, 43, 50)[0]
    for part in ("train", "validation", "test"):
        written(tmp_path / part, {"0.png": image})
    data = super_resolution(str(tmp_path), 4, factor=4, patch=16, seed=1)
    small = shrink(image[:40, :48], 4)
    low, high = data.train.arrays
    places = [(top, left) for top in range(0, 25, 8) for left in range(0, 33, 8)]
    assert len(low) == len(places) and data.test.size == 2 * 3
    for (top, left), x, y in zip(places, low, high, strict=True):
        np.testing.assert_array_equal(y, image[top : top + 16, left : left + 16])
        np.testing.assert_array_equal(x, small[top // 4 : top // 4 + 4, left // 4 : left // 4 + 4])
    few = super_resolution(str(tmp_path), 4, factor=4, patch=16, examples=5, channels=1, seed=1)
    assert few.train.size == 5 and few.train.input_shape == (4, 4, 1) and few.test.size == 6


def test_photographs_come_with_the_libraries():
    data = super_resolution("photographs", 8, factor=4, seed=0)
    assert data.train.input_shape == (24, 24, 3) and data.train.arrays[1].shape[1:] == (96, 96, 3)
    assert (data.train.size, data.validation.size, data.test.size) == (698, 24, 36)
    for stream in data.parts.values():
        x, y = (array.astype(float).mean((1, 2, 3)) for array in stream.arrays)
        assert np.abs(x - y).max() < 2


def test_what_data_cannot_be(tmp_path):
    for wrong, said in (
        (dict(factor=1), "factor must be an integer >= 2"),
        (dict(patch=10, factor=4), "patch must be a multiple of factor=4, such as 12"),
        (dict(source="photograph"), "no set named 'photograph'. Did you mean 'photographs'"),
        (dict(source="/nowhere"), "there is no folder /nowhere"),
        (dict(source="photographs", channels=1), "the photographs are in colour"),
        (dict(factor=16), "image 0 of digits has 8 x 8 pixels, too few for a patch of 16"),
    ):
        with pytest.raises(zoo.ZooError, match=said):
            super_resolution(**{"source": "digits", **wrong})
    with pytest.raises(zoo.ZooError, match="has no .png or .jpg or .jpeg file"):
        super_resolution(str(tmp_path))
    written(tmp_path, {"small.png": smooth(1, 12, 90)[0]})
    with pytest.raises(zoo.ZooError, match="1 images are too few to hold 20% of them back"):
        super_resolution(str(tmp_path))
    for part in ("train", "test"):
        written(tmp_path / part, {"small.png": smooth(1, 12, 90)[0]})
    with pytest.raises(zoo.ZooError, match="train/small.png has 12 x 90 pixels, too few for a patch of 96"):
        super_resolution(str(tmp_path), validation=0.0)
    (tmp_path / "train" / "small.png").write_bytes(b"no image")
    with pytest.raises(zoo.ZooError, match="small.png cannot be read as an image"):
        super_resolution(str(tmp_path), validation=0.0)


def test_luminance_and_psnr():
    colours = np.array([[[[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]]]])
    # The ends of the range, red and blue of BT.601.
    np.testing.assert_allclose(scores.luminance(colours)[0, 0], [235, 16, 81.481, 40.966], atol=1e-3)
    true, found = (RANDOM.integers(0, 256, (3, 20, 24, 3)) for _ in range(2))
    error = (scores.luminance(true) - scores.luminance(found))[:, 4:-4, 4:-4]
    expected = 20 * np.log10(255 / np.sqrt(np.square(error).mean((1, 2))))
    np.testing.assert_allclose(scores.psnr(true, found), expected)
    whole = np.square(scores.luminance(true) - scores.luminance(found)).mean((1, 2))
    np.testing.assert_allclose(scores.psnr(true, found, border=0), 10 * np.log10(255**2 / whole))
    assert scores.border_of(19, 40) == 4 and scores.border_of(18, 40) == 0


def test_ssim_is_that_of_the_paper():
    """Equation 13, with local means, variances and covariance under the Gaussian window, in loops."""
    true = smooth(1, 21, 22, 1)
    found = np.clip(true + RANDOM.normal(0, 12, true.shape), 0, 255).astype("uint8")
    grid = np.arange(-5, 6)
    window = np.exp(-(grid[:, None] ** 2 + grid**2) / (2 * 1.5**2))
    window /= window.sum()
    values = []
    for row in range(4 + 5, 21 - 4 - 5):
        for column in range(4 + 5, 22 - 4 - 5):
            x, y = (image[0, row - 5 : row + 6, column - 5 : column + 6, 0].astype(float) for image in (true, found))
            mean_x, mean_y = (window * x).sum(), (window * y).sum()
            var_x, var_y = (window * x**2).sum() - mean_x**2, (window * y**2).sum() - mean_y**2
            both = (window * x * y).sum() - mean_x * mean_y
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            similarity = (2 * mean_x * mean_y + c1) * (2 * both + c2)
            values.append(similarity / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)))
    assert scores.ssim(true, found)[0] == pytest.approx(np.mean(values), rel=1e-6)
    assert scores.ssim(true[:, :10], found[:, :10]) is None


def test_measures_and_table(data, tmp_path):
    model = zoo.build("srresnet", input_shape=(None, None, 1), factor=2, filters=4, blocks=0)
    found = scores.measure(model, data, "validation")
    low, high = data.validation.arrays
    for name in ("bicubic", "nearest"):
        expected = scores.psnr(high, np.stack([enlarge(image, 2, name) for image in low])).mean()
        assert found[f"{name}_psnr"] == pytest.approx(expected)
        assert found[f"{name}_frechet_distance"] > 0
    made = np.clip(np.round(np.asarray(model(low))), 0, 255)
    assert found["psnr"] == pytest.approx(scores.psnr(high, made).mean())
    assert "ssim" not in found and len(found) == 6 and list(found)[:2] == ["psnr", "frechet_distance"]
    rows = scores.table({"SRResNet": model}, data, "validation")
    assert [row.name for row in rows] == ["nearest", "bicubic", "SRResNet"]
    assert rows[2].psnr == found["psnr"] and rows[2].frechet_distance == found["frechet_distance"]
    assert score_tables.read(score_tables.write(rows, tmp_path / "resolution.csv"), scores.Row) == rows
    assert "Frechet distance" in scores.text(rows) and "SSIM" not in scores.text(rows)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    for path in ("other.csv", "absent.csv"):
        with pytest.raises(zoo.ZooError, match="is no table of scores"):
            score_tables.read(tmp_path / path, scores.Row)


def test_of_originals_the_scores_are_the_best(data):
    """What could not be better, of images that a judge takes, and of some that none does."""

    class Oracle:
        """Gives the original of each small image."""

        def __call__(self, images, training):
            return np.stack([originals[image.tobytes()] for image in np.asarray(images)])

    # Of small images that are equal one is enough.
    _, kept = np.unique(data.test.arrays[0].reshape(data.test.size, -1), axis=0, return_index=True)
    stream = data.test.replaced([array[kept] for array in data.test.arrays])
    originals = {x.tobytes(): y for x, y in zip(*stream.arrays, strict=True)}
    whole = zoo.Data(stream, test=stream, statistics=data.statistics)
    found = scores.measure(Oracle(), whole, "test")
    assert found["psnr"] == 100 and found["frechet_distance"] == pytest.approx(0, abs=1e-3)
    unknown = zoo.Data(stream, test=stream, statistics={"source": "mine", "factor": 2})
    assert set(scores.measure(Oracle(), unknown, "test")) == {"psnr", "bicubic_psnr", "nearest_psnr"}


def test_columns():
    true = smooth(2, 24, 32)
    found = {"nearest": true // 2, "bicubic": true, "SRResNet": np.clip(true.astype(int) + 9, 0, 255)}
    figure = resolution.columns(found, true, 4)
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == ["low-res (nearest)", "bicubic", "SRResNet", "original"]
    assert under(figure.axes[1]) == "100.0 dB, 1.000" and under(figure.axes[3]) == ""
    shown = scores.psnr(true, found["SRResNet"])
    assert under(figure.axes[6]).startswith(f"{shown[1]:.1f} dB, 0.")
    assert "From 6 x 8 pixels to 24 x 32" in figure.get_suptitle()
    np.testing.assert_allclose(np.asarray(figure.axes[7].images[0].get_array()), true[1] / 255, atol=1e-6)
    small = resolution.columns({"nearest": true[:, :8, :8, :1]}, true[:, :8, :8, :1], 2)
    assert " dB" in under(small.axes[0]) and "," not in under(small.axes[0])


def under(axis):
    """What is written below an image."""
    return "".join(text.get_text() for text in axis.texts)


def test_a_run_that_began_with_another_is_drawn_beside_it(data, tmp_path, monkeypatch):
    small = dict(input_shape=(None, None, 1), factor=2, filters=4, blocks=0)
    networks = {
        "first": zoo.build("srresnet", **small),
        "second": zoo.build("srgan", patch=8, discriminator_filters=4, dense=4, **small),
        "other": zoo.build("srresnet", **small),
    }
    of_data = {"first": "a", "second": "a", "other": "b"}
    init = {"second": str(tmp_path / "first")}
    for name, network in networks.items():
        (tmp_path / name).mkdir()
        network.save(tmp_path / name / "model.keras")
        record = {"hyper": {"init": init.get(name, "")}, "data": of_data[name]}
        (tmp_path / name / "recipe.json").write_text(json.dumps(record))
    monkeypatch.setattr(resolution.preparation, "rebuild", lambda run: zoo.Recipe(None, data, 1))
    second = [({}, [tmp_path / "unfinished", tmp_path / "second"])]
    paths = resolution.of_runs(second, tmp_path)
    assert [path.name for path in paths] == ["resolution.png", "resolution.csv"]
    assert all(path.stat().st_size > 100 for path in paths)
    rows = score_tables.read(paths[1], scores.Row)
    assert rows == scores.table({"SRResNet": networks["first"], "SRGAN": networks["second"]}, data)
    study = [({"seed": k}, [tmp_path / name]) for k, name in enumerate(("first", "second", "other"))]
    names = [row.name for row in score_tables.read(resolution.of_runs(study, tmp_path)[1], scores.Row)]
    assert names == ["nearest", "bicubic", "SRResNet, seed 0", "SRResNet", "SRGAN, seed 1"]
    assert resolution.of_runs([({}, [tmp_path / "unfinished"])], tmp_path) == []


def test_a_start_that_is_not_there():
    with pytest.raises(zoo.ZooError, match="there is no file or folder absent"):
        recipe.find("srgan_digits").module.recipe(init="absent")
