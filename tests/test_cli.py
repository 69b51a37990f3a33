"""The command line: what it says, and that what a user can mend is one message without a traceback."""

import subprocess
import sys
import time

import pytest
from PIL import Image

from zoo import cli, flags, sources
from zoo.errors import ZooError

MINE = '''
import keras

import zoo
from zoo.data import images


def recipe(epochs=1, hidden=(16,), batch_norm=False):
    """Mine.

    Args:
        epochs: passes.
        hidden: widths.
        batch_norm: on or off.
    """
    model = zoo.build("mlp", input_shape=(8, 8, 1), hidden=hidden, batch_normalization=batch_norm)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return zoo.Recipe(model, images("digits", 64), epochs)
'''


def run(capsys, *arguments):
    status = cli.main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_list_and_show(capsys):
    status, said, _ = run(capsys, "list", "lenet*")
    assert status == 0 and [line.split()[0] for line in said.splitlines()] == ["lenet", "lenet5"]
    _, said, _ = run(capsys, "list", "--recipes", "*_digits")
    assert "lenet5_digits" in said
    _, said, _ = run(capsys, "show", "lenet5")
    assert "60,000" in said and "lenet5_mnist" in said and "1998" in said


def test_list_takes_under_half_a_second():
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "zoo.cli", "list"], check=True, capture_output=True)
        seconds.append(time.monotonic() - began)
    assert min(seconds) < 0.5


def test_help_of_a_recipe_shows_defaults_and_meanings(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "lenet_digits", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "--pooling STR max or average. (default: 'max')" in said
    assert "--learning-rate FLOAT" in said


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["show", "lenett"], "Did you mean 'lenet'"),
        (["train", "lenet_digit"], "Did you mean 'lenet_digits'"),
        (["resume", "nowhere"], "not a run folder"),
        (["predict", "nowhere", "x.png"], "nowhere"),
        (["compare", "mlp_digits", "--vary", "epochs"], "KEY=A,B,C"),
        (["compare", "mlp_digits", "--vary", "epoch=1,2"], "Did you mean 'epochs'"),
        (["export", "nowhere", "--format", "onx"], "Did you mean 'onnx'"),
        (["train", "mlp_digits", "--precision", "half"], "precision must be one of"),
        (["doctor", "images", "--model", "lenet"], "input_shape|upsample"),
    ],
)
def test_mistakes_are_one_message(capsys, arguments, words):
    import re

    status, _, said = run(capsys, *arguments)
    assert status == 2
    assert said.startswith("zoo: ") and re.search(words, said) and "Traceback" not in said


def test_doctor_tells_what_auto_resolved_to(capsys):
    status, said, _ = run(capsys, "doctor", "lenet_digits")
    assert status == 0
    for words in ("precision: ", "steps_per_execution: ", "jit_compile: ", "can be trained"):
        assert words in said


def test_a_recipe_of_ones_own_trains_by_its_path_and_predicts(capsys, own_folder):
    (own_folder / "mine.py").write_text(MINE)
    status, said, _ = run(capsys, "train", "mine.py", "--hidden", "8,8", "--batch-norm", "--folder", "run")
    assert status == 0 and "savedmodel" in said
    Image.new("L", (20, 20), 255).save("white.png")
    status, said, _ = run(capsys, "predict", "run", "white.png")
    assert status == 0 and said.split()[0] == "white.png" and 0 < float(said.split()[-1]) <= 1
    status, said, _ = run(capsys, "export", "run", "--format", "keras", "--to", "mine.keras")
    assert status == 0 and (own_folder / "mine.keras").is_file()


@pytest.mark.parametrize(
    "default, annotation, text, value",
    [
        (3, None, "4", 4),
        (0.1, None, "1e-3", 1e-3),
        ("relu", None, "tanh", "tanh"),
        ((64, 32), None, "10", (10,)),
        (None, "int | None", "7", 7),
        (None, "int | None", "none", None),
        (None, None, "0.5", 0.5),
        (None, None, "word", "word"),
    ],
)
def test_flags_have_the_kind_of_their_default(default, annotation, text, value):
    assert flags.converter(default, annotation)(text) == value


@pytest.mark.parametrize(
    "source, words",
    [
        ("def recipe(epochs): pass", "every argument of a recipe has a default"),
        ("def recipe(seed=1): pass", "'seed' is a flag of `zoo train` itself"),
        ("def recipe(rate=make()): pass", "must be a plain value. Received: make"),
        ("x = 1", "defines no function `recipe"),
    ],
)
def test_a_recipe_file_that_cannot_work_is_told_why(tmp_path, source, words):
    (tmp_path / "mine.py").write_text(source)
    with pytest.raises(ZooError, match=words.replace("(", r"\(")):
        flags.signature(tmp_path / "mine.py")


def test_a_quoted_annotation_is_read_like_another():
    _, annotation, _ = flags.signature(sources.recipes()["images"])["size"]
    assert annotation == "int | None" and flags.converter(None, annotation)("none") is None
