"""Weights that the zoo brings along: packed from a run, checked before they are opened, put into a model to the bit."""

import hashlib
import json

import keras
import numpy as np
import pytest

import zoo
from zoo import cli, registry
from zoo.plain import plain
from zoo.weights import build, packing, shipped, state_files, values

RECIPE = '''
import keras
import zoo
from zoo.data import images


def recipe(epochs=1, blocks=1):
    """A tiny network.

    Args:
        epochs: passes.
        blocks: blocks in each stage.
    """
    model = zoo.build("resnet20", blocks=blocks, input_shape=(8, 8, 1), shortcut="B")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=["accuracy"], run_eagerly=True)
    return zoo.Recipe(model, images("digits", 512), epochs)
'''
MADE = dict(blocks=1, input_shape=(8, 8, 1), shortcut="B")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shipped")
    (folder / "resnet20_tiny.py").write_text(RECIPE)
    return zoo.train(folder / "resnet20_tiny.py", folder=folder / "run", export=False, pictures=False, verbose=0).folder


@pytest.fixture
def files(own_folder, monkeypatch):
    """The folder of shipped files, and the table, of this test's own."""
    monkeypatch.setattr(shipped, "FOLDER", own_folder / "files")
    monkeypatch.setattr(shipped, "SHIPPED", {})
    return own_folder / "files"


def _add(line):
    """What the author of the table does with the line."""
    rows = eval("{" + line + "}", {"Shipped": shipped.Shipped})
    shipped.SHIPPED.update(rows)
    ((key, row),) = rows.items()
    return key, row


@pytest.fixture
def row(run, files):
    return _add(packing.pack(run, **MADE))[1]


def test_a_run_is_packed_and_built_again_to_the_bit(run, files):
    key, row = _add(packing.pack(run, **MADE))
    assert key == ("resnet20", "tiny")
    assert row.arguments == MADE and row.labels == tuple("0123456789")
    assert "zoo.train(" in row.recipe and "epochs=1" in row.recipe and "test_accuracy 0." in row.number
    content = (files / row.file).read_bytes()
    assert hashlib.sha256(content).hexdigest() == row.sha256

    trained, model = zoo.load(run), zoo.build("resnet20", weights="tiny")
    assert model.name == "resnet20" and model.get_layer("stage2_block1_short_conv")
    assert len(model.weights) == len(trained.weights)
    for mine, theirs in zip(model.weights, trained.weights, strict=True):
        assert mine.path == theirs.path
        np.testing.assert_array_equal(mine, theirs)


def test_the_same_weights_make_the_same_bytes(run, row, files, monkeypatch):
    before = (files / row.file).read_bytes()
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    packing.pack(run, **MADE)
    assert (files / row.file).read_bytes() == before
    with np.load(files / row.file, allow_pickle=False) as arrays:
        assert {array.dtype for array in arrays.values()} == {np.dtype("float32")}
        assert list(arrays) == sorted(values(zoo.load(run)))


def test_a_run_whose_scaling_is_in_its_configuration_is_packed_too(run, row, files, own_folder):
    """As in runs from before the scaling was made of variables, of which Keras' own layers are an example."""
    for name in ("recipe.json", "metrics.json"):
        (own_folder / name).write_bytes((run / name).read_bytes())
    old = plain(zoo.load(run))
    assert type(old.get_layer("scaling")) is keras.layers.Rescaling
    old.save(own_folder / "model.keras")
    assert _add(packing.pack(own_folder, **MADE))[1].sha256 == row.sha256


def test_another_file_is_refused_before_it_is_opened(row, files, monkeypatch):
    path = files / row.file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    monkeypatch.setattr(state_files, "_npz", lambda *_: pytest.fail("opened"))
    with pytest.raises(
        zoo.ZooError, match=f"{row.file} is not the file that is expected: its SHA-256 is .*{row.sha256}"
    ):
        zoo.build("resnet20", weights="tiny")
    path.unlink()
    with pytest.raises(zoo.ZooError, match=f"there is no file .*{row.file}"):
        zoo.build("resnet20", weights="tiny")


def test_arguments_that_change_the_answers_are_refused_and_others_taken(row):
    for wrong in (dict(epsilon=1e-3), dict(shortcut="A"), dict(blocks=2)):
        ((key, value),) = wrong.items()
        with pytest.raises(zoo.ZooError, match=f"weights='tiny' were trained with {key}=.*Received: {key}={value!r}"):
            zoo.build("resnet20", weights="tiny", **wrong)
    full = values(zoo.build("resnet20", weights="tiny", momentum=0.5, zero_gamma=True))
    other = values(zoo.build("resnet20", weights="tiny", num_classes=4))
    assert other.pop("output/kernel").shape == (64, 4) and other.pop("output/bias").shape == (4,)
    features = values(zoo.build("resnet20", weights="tiny", include_top=False, pooling="avg", input_shape=[16, 12, 1]))
    assert set(full) - set(features) == {"output/kernel", "output/bias"} and set(features) == set(other)
    for path, array in features.items():
        np.testing.assert_array_equal(array, full[path])
        np.testing.assert_array_equal(array, other[path])
    with pytest.raises(zoo.ZooError, match=r"scaling has shape \(3,\) .* \(1,\) .* input_shape=\(8, 8, 1\) would fit"):
        zoo.build("resnet20", weights="tiny", input_shape=(8, 8, 3))


def test_names_of_weights_belong_to_a_model(row):
    with pytest.raises(zoo.ZooError, match="'resnet20' has no weights named 'tinny'. Did you mean 'tiny'"):
        zoo.build("resnet20", weights="tinny")
    with pytest.raises(zoo.ZooError, match="'resnet32' has no weights named 'tiny'. There are none by name"):
        zoo.build("resnet32", weights="tiny")


@pytest.mark.parametrize("wrong", [{}, dict(shortcut="A"), dict(epsilon=0.5), dict(num_classes=11)])
def test_arguments_that_make_another_network_are_not_packed(wrong, run, files):
    with pytest.raises(zoo.ZooError, match="resnet20"):
        packing.pack(run, **(wrong and {**MADE, **wrong}))
    assert not files.exists()


def test_only_finished_runs_are_packed(run, files, own_folder):
    (own_folder / "recipe.json").write_text(json.dumps({"recipe": "resnet20_tiny"}))
    with pytest.raises(zoo.ZooError, match="a finished run: it has no metrics.json"):
        packing.pack(own_folder)
    with pytest.raises(zoo.ZooError, match="not a run folder"):
        packing.pack(own_folder / "files")


def test_what_is_shipped_fits_its_model():
    for (name, weights), row in shipped.SHIPPED.items():
        entry = registry.entry(name)
        model = build(entry, registry.builder(name), {}, weights)
        assert model.output_shape[-1] == len(row.labels)
        assert (shipped.FOLDER / row.file).stat().st_size < 4e6
    files = list(shipped.FOLDER.glob("*"))
    assert {path.name for path in files} == {row.file for row in shipped.SHIPPED.values()}
    assert sum(path.stat().st_size for path in files) < 25e6


def test_what_is_shipped_is_listed_with_its_number_recipe_and_hash(capsys):
    for name in {name for name, _ in shipped.SHIPPED}:
        assert cli.main(["show", name]) == 0
        said = capsys.readouterr().out
        for (model, weights), row in shipped.SHIPPED.items():
            if model == name:
                assert f"weights {weights}: {row.number}\n" in said and f"trained by {row.recipe}\n" in said
                assert f"SHA-256 {row.sha256}\n" in said and f"zoo.build({name!r}, weights={weights!r}" in said
    assert registry.describe("lenet5")["shipped"] == {}
