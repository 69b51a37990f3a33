"""`zoo generate`: what it writes, what it says, and what it refuses without leaving anything."""

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo import ZooError, cli, codes, densities, generating, loading, runs
from zoo.pictures import generation, sample_sheets
from zoo.pixel_affine import Pixels

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


def adversarial(home, model, labels):
    """A run folder with an untrained model: what `generate` reads of it."""
    runs.create(home, {"recipe": "mine", "seed": 0, "model": model.name, "labels": labels}, "")
    model.save(home / "model.keras")
    return home


@pytest.fixture(scope="module")
def dcgan(tmp_path_factory):
    model = zoo.build("dcgan", image_shape=(8, 8, 3), latent=3, width=2)
    return adversarial(tmp_path_factory.mktemp("generating") / "dcgan", model, ["a", "b"])


@pytest.fixture(scope="module")
def cgan(tmp_path_factory):
    model = zoo.build("cgan", num_classes=3, image_shape=(8, 8, 1), latent=3, width=2, embedding=2)
    # So that what the class does can be seen.
    layer = model.generator.get_layer("class")
    layer.set_weights([200 * np.eye(3, 2, dtype="float32")])
    return adversarial(tmp_path_factory.mktemp("generating") / "cgan", model, ["2", "shoe", "shirt"])


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


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


def test_a_model_of_images_to_images_is_for_another_command(run, monkeypatch):
    inputs = keras.Input((8, 8, 1), name="pixels")
    model = keras.Model(inputs, Pixels(name="made")(inputs))
    monkeypatch.setattr(loading, "load", lambda folder: model)
    with pytest.raises(ZooError, match="images of images, not of noise.* zoo predict .*run IMAGE.png"):
        generating.generate(run, to="there.png")


def test_noise_becomes_a_sheet_of_pixels(dcgan, capsys):
    path = generating.generate(dcgan, n=5, seed=2)
    assert path == dcgan / "generated.png"
    assert capsys.readouterr().out == "5 examples of dcgan, seed 2\n"
    sheet = read(path)
    # Three in a row, each pixel 12 pixels wide, as are the white lines between images.
    images = zoo.load(dcgan).sample(5, seed=2)
    assert sheet.shape == (12 * 17, 12 * 26, 3)
    np.testing.assert_array_equal(sheet[5:96:12, 108 + 5 : 108 + 96 : 12], images[1])
    np.testing.assert_array_equal(sheet[108:, :96], images[3].repeat(12, 0).repeat(12, 1))
    assert (sheet[108:, 216:] == 255).all()
    assert path.read_bytes() == generating.generate(dcgan, 5, seed=2, to="again.png").read_bytes()
    assert path.read_bytes() != generating.generate(dcgan, 5, seed=3, to="other.png").read_bytes()


@pytest.mark.parametrize(
    "label, number, said",
    [("shoe", 1, "1 (shoe)"), ("1", 1, "1 (shoe)"), (1, 1, "1 (shoe)"), ("2", 0, "0 (2)"), (2, 2, "2 (shirt)")],
)
def test_a_class_is_chosen_by_name_or_number(cgan, label, number, said, capsys):
    path = generating.generate(cgan, n=4, label=label, to="four.png", overwrite=True)
    expected = sample_sheets.sheet(zoo.load(cgan).sample(4, label=number), 2, 12)
    np.testing.assert_array_equal(read(path), expected)
    assert capsys.readouterr().out == f"4 examples of cgan, seed 0, all of class {said}\n"


def test_without_a_label_each_class_has_a_column(cgan, capsys):
    images = zoo.load(cgan).sample(7)
    assert len(np.unique(images[:3], axis=0)) == 3
    path = generating.generate(cgan, n=7, to="seven.png")
    np.testing.assert_array_equal(read(path), sample_sheets.sheet(images, 3, 12))
    assert capsys.readouterr().out == "7 examples of cgan, seed 0, of its 3 classes in turn\n"


@pytest.mark.parametrize(
    "folder, arguments, words",
    [
        ("dcgan", dict(label=1), "'dcgan' was not trained with classes.* Received: label=1. .*'cgan'"),
        (
            "dcgan",
            dict(density="kde"),
            "density is of no use.* for generation.* Received: density='kde'.* takes: label",
        ),
        ("cgan", dict(components=3), "components is of no use"),
        ("cgan", dict(label="shoo"), "0 to 2. Received: label='shoo'. Did you mean 'shoe'.* The names: 2, shoe, shirt"),
        ("cgan", dict(label=3), "0 to 2. Received: label=3"),
        ("cgan", dict(label="-1"), "Received: label='-1'"),
        ("cgan", dict(label=True), "Received: label=True"),
        ("run", dict(label="3"), "label is of no use.* for autoencoding.* takes: density, components"),
    ],
)
def test_options_of_no_use_and_unknown_classes_are_refused(folder, arguments, words, request, own_folder):
    with pytest.raises(ZooError, match=words):
        generating.generate(request.getfixturevalue(folder), to="there.png", **arguments)
    assert not list(own_folder.iterdir())


def test_classes_without_names_have_numbers(cgan):
    model = zoo.load(cgan)
    assert generating.class_of("2", model, None) == generating.class_of(np.int64(2), model, None) == 2
    with pytest.raises(ZooError, match="Received: label='shoe'.$"):
        generating.class_of("shoe", model, None)


def test_vectors_are_drawn(tmp_path, monkeypatch):
    model = zoo.build("gan", image_shape=(2,), latent=3, hidden=(4,), units=(4,))
    seen = []
    points = generation.points
    monkeypatch.setattr(generation, "points", lambda *given: seen.extend(given) or points(*given))
    path = generating.generate(adversarial(tmp_path / "run", model, None), n=9, seed=1, verbose=0)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert seen[0] is None and seen[2] == "9 examples of gan, seed 1"
    np.testing.assert_array_equal(seen[1], model.sample(9, seed=1))


def test_through_the_real_command(run, capsys):
    assert cli.main(["generate", str(run), "-n", "3", "--components", "2", "--to", "three.png"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "three.png"
    assert cli.main(["generate", str(run), "--density", "kdee"]) == 2
    assert "Did you mean 'kde'" in capsys.readouterr().err


def test_a_class_through_the_real_command(cgan, capsys):
    assert cli.main(["generate", str(cgan), "-n", "2", "--label", "shirt", "--seed", "1", "--to", "two.png"]) == 0
    assert capsys.readouterr().out.splitlines() == ["2 examples of cgan, seed 1, all of class 2 (shirt)", "two.png"]
    assert cli.main(["generate", str(cgan), "--density", "gmm"]) == 2
    assert "density is of no use" in capsys.readouterr().err


# --- models of language --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    keras.utils.set_random_seed(0)
    model = zoo.build("gru", vocabulary="\n abcde漢", units=8)
    return adversarial(tmp_path_factory.mktemp("generating") / "language", model, None)


def test_text_is_printed_as_it_is_written(language, monkeypatch, capsys):
    text = zoo.write(language, "ab ", length=150, temperature=0.8, top_k=3, seed=1)
    shown = []
    monkeypatch.setattr(generating, "_show", shown.append)
    options = ["--length", "150", "--temperature", "0.8", "--top-k", "3", "--seed", "1"]
    assert cli.main(["generate", str(language), "--prompt", "ab ", *options]) == 0
    assert shown == ["ab ", text[:64], text[64:128], text[128:], "\n"] and capsys.readouterr().out == ""


def test_several_prompts_are_printed_one_after_another(language, capsys):
    assert cli.main(["generate", str(language), "--prompt", "a", "--prompt", "bé", "--length", "5"]) == 0
    first, second = zoo.write(language, ["a", "bé"], length=5)
    said = capsys.readouterr()
    assert said.out == f"a{first}\n\nbé{second}\n" and said.err.count("has never seen 'é'") == 2


def test_a_text_goes_into_a_file(language, capsys):
    assert cli.main(["generate", str(language), "--to", "new/text.txt", "--length", "7"]) == 0
    assert capsys.readouterr().out.strip() == "new/text.txt"
    with open("new/text.txt", encoding="utf-8") as file:
        assert file.read() == zoo.write(language, length=7) + "\n"
    with pytest.raises(ZooError, match="there already"):
        generating.generate(language, to="new/text.txt")
    assert generating.generate(language, prompt="c", length=7, to="new/text.txt", overwrite=True).is_file()
    assert generating.generate(language, length=7, verbose=0) is None and capsys.readouterr().out == ""


def test_a_terminal_that_cannot_show_a_character_shows_another(monkeypatch):
    import io

    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", terminal)
    generating._show("a漢")
    assert terminal.buffer.getvalue() == b"a?"


@pytest.mark.parametrize(
    "folder, arguments, words",
    [
        (
            "language",
            dict(n=3),
            "n is of no use.* for language: leave it out.* takes: prompt, length, temperature, top_k",
        ),
        ("language", dict(label="1"), "label is of no use"),
        ("language", dict(length=0), "length must be an integer from 1"),
        ("language", dict(temperature=-1.0), "temperature must be"),
        ("dcgan", dict(prompt="a"), "prompt is of no use.* for generation.* takes: label, n"),
        ("dcgan", dict(temperature=0.0), "temperature is of no use"),
        ("run", dict(top_k=0), "top_k is of no use.* for autoencoding"),
    ],
)
def test_options_of_texts_are_none_of_images(folder, arguments, words, request, own_folder):
    with pytest.raises(ZooError, match=words):
        generating.generate(request.getfixturevalue(folder), to="there.png", **arguments)
    assert not list(own_folder.iterdir())
