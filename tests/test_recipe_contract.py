"""What every recipe must do. A new file in `recipes/` is tested here without a line more."""

import ast
import json
import re

import keras_tuner
import numpy as np
import pytest
from conftest import prepared
from PIL import Image

import zoo
from zoo import cli, flags, recipe, runs, sources
from zoo.data import Episodes, Stream, TextStream
from zoo.data import tfds as sets
from zoo.data import tfds_masks as masks

NAMES = list(sources.recipes())
# What, beside smaller batches, keeps large networks from taking minutes here.
SMALLER = {
    "adding": dict(length=10),
    "alexnet_fashion_mnist": dict(size=65),
    "googlenet_cifar10": dict(width=0.25),
    "bilstm_imdb": dict(units=4, embedding=4, length=20),
    "gru_shakespeare": dict(units=4, length=8),
    "lstm_digits_rows": dict(units=4),
    "lstm_pydoc": dict(units=4, length=8, characters=20_000),
    "lstm_shakespeare": dict(units=4, length=8),
    "lstm_text": dict(units=4, length=8, characters=20_000),
    "masks": dict(width=2),
    "pix2pix_digits": dict(width=2),
    "pix2pix_isbi_em": dict(window=32, levels=5, patch=16, repeats=1, width=2),
    "seq2seq_dates": dict(units=4, embedding=4, examples=40),
    "seq2seq_numbers": dict(units=4, embedding=4, examples=40),
    "series": dict(units=4),
    "simple_rnn_pydoc": dict(units=4, length=8, characters=20_000),
    "simple_rnn_shakespeare": dict(units=4, length=8),
    "simple_rnn_text": dict(units=4, length=8, characters=20_000),
    "srgan_cifar10": dict(filters=4, blocks=1, discriminator_filters=4, dense=8),
    "srresnet_cifar10": dict(filters=4, blocks=1),
    "unet_digits_canvas": dict(examples=40, width=2),
    "unet_isbi_em": dict(window=32, repeats=1, width=2),
    "unet_pets": dict(size=32, width=2),
}
# Recipes that search less than three things, and how many.
FEW = {"optimizers_surface": 2}  # an optimizer and its rate: there are no data and no network
# One of each family, with what keeps its data small.
EXTREMES = {
    "mlp_digits": {},
    "lenet_digits": {},
    "resnet20_digits": {},
    "autoencoder_digits": {},
    "unet_digits_canvas": dict(examples=40),
    "dcgan_digits": {},
    "gan_ring": {},
    "pix2pix_digits": {},
    "srgan_digits": {},
    "lstm_pydoc": {},
    "seq2seq_dates": dict(examples=200),
    "table": {},
    "optimizers_digits": {},
    "dqn_cartpole": {},
    "q_learning_corridor": {},
}
# The same for agents: what of it a recipe has. Compiled by XLA, each would take seconds more.
AGENTS = dict(steps=2, rounds=2, count=2, train_every=8, gradient_steps=1, memory=400, warmup=80, hidden=(8,))
EMBEDDED = ("", "digits", "digits_canvas", "digits_rows", "pydoc", "text", "dates", "numbers")
# Sets of tensorflow-datasets by what recipes call them.
SETS = {"imdb": "imdb_reviews", "shakespeare": "tiny_shakespeare"}
CLAIM = re.compile(r"zoo train \w+.*#.*(±|\(n=\d+\)).*\b(s|min|h)\b|not measured: needs ")


@pytest.fixture
def small_data(request, monkeypatch, tmp_path):
    """Every source gives two batches; a set that is not prepared is tensorflow-datasets' own mock."""
    original = Stream.__init__

    def small(self, arrays, batch_size, *more, **named):
        original(self, [array[: 2 * batch_size] for array in arrays], batch_size, *more, **named)

    read = TextStream.__init__

    def short(self, raw, targets, length, batch_size, *more, **named):
        two = 3 * length * batch_size  # and room for the offset at which an epoch begins
        read(self, raw[:two], targets[:two], length, batch_size, *more, **named)

    if acts(request.getfixturevalue("name")):
        seeds = Episodes.__init__
        monkeypatch.setattr(Episodes, "__init__", lambda self, env, given: seeds(self, env, given[:2]))
        yield
        return
    monkeypatch.setattr(Stream, "__init__", small)
    monkeypatch.setattr(TextStream, "__init__", short)
    _, _, needed = request.getfixturevalue("name").removeprefix("simple_").partition("_")
    needed = SETS.get(needed, needed)
    if needed == "isbi_em":
        micrographs(tmp_path / "isbi_em")
    if request.getfixturevalue("name") == "series":
        rows = "".join(f"{k % 24},{np.sin(k / 4):.4f}\n" for k in range(200))
        (tmp_path / "series.csv").write_text(f"hour,target\n{rows}")
    if needed in (*EMBEDDED, "isbi_em") or prepared(needed):
        yield
        return
    import tensorflow_datasets as tfds

    for loader in (sets, masks):
        loader._load.cache_clear()
    with tfds.testing.mock_data(num_examples=400, as_dataset_fn=pets if needed == "pets" else None):
        yield
    for loader in (sets, masks):
        loader._load.cache_clear()


def acts(name):
    """Whether a recipe is an agent's, which makes its own data."""
    return "env" in recipe.find(name).defaults


def micrographs(folder, count=30, size=48):
    """Slices of cells, drawn: each is a row of squares with membranes between them."""
    random = np.random.default_rng(0)
    mask = np.where((np.arange(size) % 16 < 2)[:, None] | (np.arange(size) % 16 < 2), 0, 255).astype("uint8")
    for kind in ("image", "label"):
        (folder / kind).mkdir(parents=True)
    for k in range(count):
        slice_ = np.clip(mask / 2 + random.normal(60, 20, mask.shape), 0, 255).astype("uint8")
        Image.fromarray(slice_).save(folder / "image" / f"{k:02}.png")
        Image.fromarray(mask).save(folder / "label" / f"{k:02}.png")


def pets(builder, split, **options):
    """Pictures with masks of the set's own values: what is bright is a pet. A mock's are of any value."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    images = random.integers(0, 256, (40, 24, 32, 3), dtype=np.uint8)
    trimaps = 1 + images[..., :1] // 86
    return tf.data.Dataset.from_tensor_slices({"image": images, "segmentation_mask": trimaps})


@pytest.mark.parametrize("name", NAMES)
def test_docstring_has_the_command_and_a_measured_claim(name):
    text = ast.get_docstring(ast.parse(sources.recipes()[name].read_text()))
    assert f"zoo train {name}" in text
    assert CLAIM.search(text), "a measured claim with deviation, seeds and time, or 'not measured: needs ...'"


@pytest.mark.parametrize("name", NAMES)
def test_signature_is_of_plain_values_and_each_is_explained(name):
    known = flags.signature(sources.recipes()[name])
    assert known
    for argument, (default, _, meaning) in known.items():
        json.dumps(default)
        assert meaning, f"{argument} is not explained in the Args section"
    assert {argument: default for argument, (default, *_) in known.items()} == recipe.find(name).defaults


def proposals(name, choose=lambda hp: hp.default):
    """What a recipe's `search` proposes where each hyper-parameter is what `choose` makes of it, and the space."""
    module = recipe.find(name).module
    space = keras_tuner.HyperParameters()
    module.search(space)
    chosen = space.copy()
    chosen.values = {hp.name: choose(hp) for hp in space.space}
    return module.search(chosen), space.space


def lowest(hp):
    """The least value of a number, the first one of a list."""
    return hp.min_value if hasattr(hp, "min_value") else next(iter(hp.values))


def highest(hp):
    """The greatest value of a number, the last one of a list."""
    return hp.max_value if hasattr(hp, "max_value") else list(hp.values)[-1]


@pytest.mark.parametrize("name", NAMES)
def test_search_begins_with_the_defaults(name):
    defaults = recipe.find(name).defaults
    proposed, _ = proposals(name)
    assert len(proposed) >= FEW.get(name, 3)
    for key, value in proposed.items():
        # None stands for a value that follows from the other arguments, and which the search names.
        default = value if defaults[key] is None else defaults[key]
        assert (value, type(value)) == (default, type(default)), key


@pytest.mark.parametrize("name", NAMES)
def test_search_is_of_finite_ranges_around_the_defaults(name):
    _, space = proposals(name)
    assert len({hp.name for hp in space}) == len(space)
    for hp in space:
        if not hasattr(hp, "min_value"):
            values = list(hp.values)
            assert hp.default in values and len(set(values)) == len(values) > 1, hp.name
            continue
        assert np.isfinite([hp.min_value, hp.max_value]).all() and hp.min_value < hp.max_value, hp.name
        assert hp.min_value <= hp.default <= hp.max_value, hp.name
        # keras-tuner counts steps by dividing: it loses the last of 0.1, and a value that no number of them reaches.
        assert hp.step is None or (hp.default - hp.min_value) % hp.step == 0 == hp.step % 1, hp.name


@pytest.mark.parametrize("name", NAMES)
def test_search_stays_within_the_types_of_the_signature(name):
    defaults = recipe.find(name).defaults
    for choose in (lowest, highest, *(lambda hp, seed=seed: hp.random_sample(seed) for seed in range(3))):
        proposed, _ = proposals(name, choose)
        json.dumps(proposed)
        for key, value in proposed.items():
            assert defaults[key] is None or type(value) is type(defaults[key]), key


@pytest.mark.parametrize("choose", [lowest, highest])
@pytest.mark.parametrize("name", EXTREMES)
def test_extremes_of_the_search_build(name, choose):
    proposed, _ = proposals(name, choose)
    built = recipe.find(name).module.recipe(**{**proposed, **EXTREMES[name]})
    assert built.model.built and built.model.optimizer is not None


@pytest.mark.parametrize("name", NAMES)
def test_two_batches_of_training(name, monkeypatch, small_data):
    """In one process for all: one epoch of two batches, then evaluation and pictures."""
    defaults = recipe.find(name).defaults
    small = {"batch_size": min(16, default)} if (default := defaults.get("batch_size")) else {}
    if acts(name):
        small |= {key: value for key, value in AGENTS.items() if key in defaults} | {"jit_compile": False}
        named = re.sub(r"[?&]max_episode_steps=\d+", "", defaults["env"])
        small["env"] = f"{named}{'&' if '?' in named else '?'}max_episode_steps=25"
    result = zoo.train(name, epochs=1, export=False, verbose=0, **small, **SMALLER.get(name, {}))
    assert np.isfinite([row["loss"] for row in runs.history(result.folder)]).all()
    assert np.isfinite(list(result.metrics.values())).all()
    assert (result.folder / "curves.png").is_file()
    keys = {key for key in result.metrics if key.startswith("test_")}
    assert keys, "no test metrics"


@pytest.mark.parametrize("name", ["lenet_digits", "table"])
def test_through_the_real_command(name, own_folder, capsys):
    assert cli.main(["train", name, "--epochs", "1", "--folder", "run"]) == 0
    said = capsys.readouterr().out
    assert "savedmodel" in said.splitlines()[-1] or "serve" in said
    assert (own_folder / "run" / "savedmodel" / "saved_model.pb").is_file()
    assert cli.main(["evaluate", "run"]) == 0
    assert "test_loss" in capsys.readouterr().out
    assert cli.main(["runs", "."]) == 0
    assert "test_loss" in capsys.readouterr().out
    assert cli.main(["report", "run"]) == 0
