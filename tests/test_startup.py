"""From the command to the first step: what is imported, traced and opened on the way, and how often."""

import json
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import tensorflow as tf

from zoo import importing
from zoo.data import Stream, digits

# `zoo train` up to its first step, with what it did until then as the last line of its output.
FIRST_STEP = """
import json, os, sys
import zoo.cli, zoo.importing

traced, opened, imported = [], [], zoo.importing.import_keras

def import_keras():
    imported()
    import keras
    from zoo.data import Stream

    def ended(*_):
        print(json.dumps([sorted(sys.modules), len(traced), len(opened)]), flush=True)
        os._exit(0)

    keras.callbacks.CallbackList.on_train_batch_begin = ended
    step, begun = keras.Model.train_step, Stream.open
    keras.Model.train_step = lambda *arguments: traced.append(1) or step(*arguments)
    Stream.open = lambda *arguments, **named: opened.append(1) or begun(*arguments, **named)

zoo.importing.import_keras = import_keras
sys.exit(zoo.cli.main(["train", "lenet5_digits", "--folder", "run"]))
"""
# What none of this needs. Keras itself imports the first two where nothing stops it.
HEAVY = {"sklearn", "matplotlib", "tensorflow_datasets", "keras_tuner", "gymnasium", "pandas", "skimage"}


def test_until_the_first_step_nothing_is_imported_in_vain_or_traced_twice():
    done = subprocess.run([sys.executable, "-c", FIRST_STEP], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    *said, last = done.stdout.splitlines()
    modules, traced, opened = json.loads(last)
    assert not HEAVY & set(modules)
    assert (traced, opened) == (1, 1)
    assert any("in all at most" in line for line in said), "the estimate is said before the first step"


def test_a_late_module_runs_when_it_is_first_asked(tmp_path, monkeypatch):
    (tmp_path / "late_one").mkdir()
    (tmp_path / "late_one" / "__init__.py").write_text("from late_one.part import value\nran = True\n")
    (tmp_path / "late_one" / "part.py").write_text("value = 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = list(sys.meta_path)
    with importing.imported_late({"late_one", "absent_one"}):
        import late_one

        assert "late_one.part" not in sys.modules
        assert find_spec("absent_one") is None
    assert sys.meta_path == before
    assert late_one.value == 3 and late_one.ran and "late_one.part" in sys.modules
    for name in ("late_one", "late_one.part"):
        monkeypatch.delitem(sys.modules, name)


def test_the_late_modules_are_keras_own():
    import keras

    for name in importing.LATE:
        assert name in sys.modules or find_spec(name), f"{name}: Keras has it no more, and it costs a second again"
    assert callable(keras.wrappers.SKLearnClassifier)


def test_the_line_on_a_terminal_is_gone_afterwards(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with importing._shown("importing"):
        assert capsys.readouterr().err == "importing\r"
    assert capsys.readouterr().err == " " * 9 + "\r"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    with importing._shown("importing"):
        pass
    assert capsys.readouterr().err == ""


def test_the_digits_are_those_that_scikit_learn_loads():
    from sklearn.datasets import load_digits

    found, (parts, labels) = load_digits(), digits.load()
    x, y = parts["train"]
    assert x.shape == (1797, 8, 8, 1) and x.dtype == np.uint8 and y.dtype == np.int32
    assert np.array_equal(x[..., 0], np.round(found.images * (255 / 16)).astype("uint8"))
    assert np.array_equal(y, found.target) and labels == tuple("0123456789")


def test_a_map_of_ones_own_may_have_a_condition_on_a_tensor():
    def signed(x, y):
        if tf.reduce_sum(x) > 2:  # AutoGraph makes a `tf.cond` of it
            y = -y
        return x, y

    def kept(*element):
        return element

    kept.__module__ = "zoo.data"  # as a function of the zoo's
    stream = Stream((np.arange(4.0), np.arange(4)), 2, shuffle=False)
    for each in (stream.mapped(signed), stream.mapped(signed).mapped(kept)):
        assert [y.numpy().tolist() for _, y in each.once()] == [[0, 1], [-2, -3]]
        assert [y.numpy().tolist() for _, y in each.open().take(2)] == [[0, 1], [-2, -3]]
