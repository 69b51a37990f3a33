"""`zoo generate`: what it writes, what it says, and what it refuses without leaving anything."""

import numpy as np
import pytest

import zoo
from zoo import ZooError, cli, codes, densities, generating, loading

MINE = '''
import keras

import zoo
from zoo.data import images, reconstruction
from zoo.reconstruction import SquaredError


def recipe(epochs=1):
    """Mine.

    Args:
        epochs: passes.
    """
    model = zoo.build("autoencoder", input_shape=(8, 8, 1), hidden=(), code=4)
    model.compile(keras.optimizers.Adam(0.01), SquaredError())
    return zoo.Recipe(model, reconstruction(images("digits", 64)), epochs)
'''


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    home = tmp_path_factory.mktemp("generating")
    (home / "mine.py").write_text(MINE)
    return zoo.train(home / "mine.py", folder=home / "run", export=False, pictures=False, verbose=0).folder


def test_it_draws_from_the_codes_of_the_training_images_and_decodes(run, monkeypatch, capsys):
    from zoo.pictures import densities as pictures

    seen = []
    samples = pictures.samples
    monkeypatch.setattr(pictures, "samples", lambda panes: seen.extend(panes) or samples(panes))
    path = generating.generate(run, n=5, components=3, seed=2, to="new/five.png")
    assert str(path) == "new/five.png" and path.read_bytes().startswith(b"\x89PNG")
    ((title, images),) = seen
    model, data = zoo.load(run), zoo.preparation.rebuild(run).data
    coded = codes.Coded(model, data)
    fitted = densities.fit(coded.train_codes, "gmm", 3, held_out=coded.validation_codes, seed=2)
    np.testing.assert_array_equal(images, codes.decode(model, fitted.sample(5, 2)))
    assert capsys.readouterr().out == f"{fitted}\n" and "components: 3" in title


@pytest.mark.parametrize("density", densities.KINDS)
def test_a_seed_is_a_picture(run, density, tmp_path, capsys):
    def content(seed, name):
        return generating.generate(run, 4, density, seed=seed, to=tmp_path / name, verbose=0).read_bytes()

    assert content(1, "a.png") == content(1, "b.png") != content(2, "c.png")
    assert capsys.readouterr().out == ""


def test_a_picture_is_replaced_only_when_asked(run):
    path = generating.generate(run, 2, components=1)
    assert path == run / "generated.png"
    before = path.read_bytes()
    with pytest.raises(ZooError, match="there already"):
        generating.generate(run, 3, components=1)
    assert path.read_bytes() == before
    generating.generate(run, 3, components=1, overwrite=True)
    assert path.read_bytes() != before


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(n=0), "n must be an integer from 1 to 1024. Received: n=0"),
        (dict(n=1025), "from 1 to 1024"),
        (dict(density="gnm"), "Did you mean 'gmm'"),
        (dict(components=5000), "components must be None or an integer from 1 to 1"),
        (dict(density="kde", components=3), "components belong to density='gmm'"),
        (dict(seed=-3), "seed must be"),
        (dict(to="here.jpg"), "to must be the path of a .png file"),
        (dict(run="nowhere"), "nowhere is not a run folder"),
    ],
)
def test_bad_arguments_are_refused_and_leave_nothing(run, arguments, words, own_folder):
    with pytest.raises(ZooError, match=words):
        generating.generate(**{"run": run, "to": "there.png", **arguments})
    assert not list(own_folder.iterdir())


def test_a_model_that_generates_nothing_is_refused(run, monkeypatch):
    monkeypatch.setattr(loading, "load", lambda folder: zoo.build("perceptron"))
    with pytest.raises(ZooError, match="is of a model for classification, which generates nothing.*autoencoding"):
        generating.generate(run, to="there.png")


def test_through_the_real_command(run, capsys):
    assert cli.main(["generate", str(run), "-n", "3", "--components", "2", "--to", "three.png"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "three.png"
    assert cli.main(["generate", str(run), "--density", "kdee"]) == 2
    assert "Did you mean 'kde'" in capsys.readouterr().err
