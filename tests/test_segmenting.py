"""`zoo predict` of a segmentation run: a mask for each image, and nothing written when something is wrong."""

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo import ZooError, cli, segmenting


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masks") / "run"
    zoo.train(
        "masks", epochs=1, width=2, depth=2, window=32, batch_size=64, folder=folder, pictures=False, export=False
    )
    return folder


def picture(path, size=(37, 50)):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)).save(path)
    return str(path)


def test_a_mask_for_each_image_of_any_size(run, own_folder, capsys):
    files = [picture("one.png"), picture("two.png", (64, 20))]
    assert cli.main(["predict", str(run), *files, "--to", "found"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == ["found/one.png", "found/two.png"] and "%" in said[0]
    model = zoo.load(run)
    from zoo.tiling import segment

    for file in files:
        image = np.asarray(Image.open(file))
        with Image.open(own_folder / "found" / file) as mask:
            assert mask.mode == "P" and mask.size == image.shape[::-1]
            expected = segment(model, image[None, ..., None])[0].argmax(-1)
            np.testing.assert_array_equal(np.asarray(mask), expected)


def test_by_default_they_are_in_the_run(run, own_folder):
    ((path, shares),) = segmenting.masks(run, [picture("three.png")])
    assert path == run / "masks" / "three.png" and path.is_file()
    assert abs(sum(shares.values()) - 1) < 1e-9 and set(shares) <= {"background", *"0123456789"}


def test_what_cannot_be_leaves_nothing(run, own_folder):
    (own_folder / "other").mkdir()
    first, second = picture("same.png"), picture(own_folder / "other" / "same.png")
    with pytest.raises(ZooError, match="two images would have the mask same.png"):
        segmenting.masks(run, [first, second], "found")
    (own_folder / "broken.png").write_text("no image")
    with pytest.raises(ZooError, match="broken.png cannot be read as an image"):
        segmenting.masks(run, [first, "broken.png"], "found")
    assert not (own_folder / "found").exists()


def test_masks_are_for_segmentation_alone(run, own_folder, capsys):
    zoo.train("autoencoder_digits", epochs=1, folder="codes", verbose=0, pictures=False)
    assert segmenting.segments(run) and not segmenting.segments("codes") and not segmenting.segments("nowhere")
    file = picture("image.png", (8, 8))
    assert cli.main(["predict", "codes", file, "--to", "found"]) == 2
    assert "--to is for segmentation runs" in capsys.readouterr().err
    # What an autoencoder says of an image is how badly it fits.
    assert cli.main(["predict", "codes", file]) == 0
    name, error = capsys.readouterr().out.split()
    image = np.asarray(Image.open(file))[None, ..., None]
    expected = np.square(np.asarray(zoo.load("codes")(image)) - image / 255).sum()
    assert name == file and float(error) == pytest.approx(expected, rel=1e-4)
