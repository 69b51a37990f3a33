"""Several devices of one machine: the same losses as on one, for each kind of training, or a reason why not."""

import os
import subprocess
import sys

import pytest

import zoo
from zoo import strategy

RECIPE = """
import keras
import numpy as np

import zoo
from callbacks import SAM, EarlyStopping, Freeze, GradientStatistics, Schedule, linear
from zoo.data import Stream
from zoo.optimizers import Lookahead
from zoo.recipe import Data, Recipe


def recipe(kind="dense", epochs=3, batch_size=8, examples=37, extra="none"):
    random = np.random.default_rng(0)
    x = random.normal(size=(examples + 20, 6)).astype("float32")
    y = (x.sum(1) > 0).astype("int32")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    inputs = keras.Input((6,))
    hidden = keras.layers.Dense(8, "tanh", kernel_regularizer="l2", name="first")(inputs)
    if kind == "normalized":
        hidden = keras.layers.BatchNormalization()(hidden)
    model = keras.Model(inputs, keras.layers.Dense(2, name="second")(hidden))
    if kind == "ignoring":
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)
    if kind == "summing":
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    optimizer = keras.optimizers.SGD(0.3, momentum=0.9, global_clipnorm=0.3)
    optimizer = Lookahead(optimizer, k=2) if kind == "lookahead" else optimizer
    model.compile(optimizer, loss, metrics=["accuracy"])
    train, held = (Stream((x[part], y[part]), batch_size) for part in (slice(examples), slice(examples, None)))
    callbacks = [Schedule("learning_rate", linear(0.3, 0.0))]
    if extra == "sam":
        callbacks.append(SAM())
    if extra == "watched":
        callbacks += [GradientStatistics(x[:4], y[:4]), Freeze("first", end=1)]
        callbacks += [EarlyStopping(every=2, data=held.once, patience=50)]
    if kind == "gan":
        image = (4, 4, 1)
        model = zoo.build("gan", image_shape=image, latent=3, hidden=(8,), units=(8,), dropout=0.0, ema=0.5)
        optimizers = [keras.optimizers.SGD(0.05) for _ in range(2)]
        model.compile(*optimizers, instance_noise=0.1, gradient_penalty=1.0, r1=0.1)
        pixels = random.integers(0, 256, (examples + 20, *image), dtype="uint8")
        train, held = (Stream((pixels[part], y[part]), batch_size) for part in (slice(examples), slice(examples, None)))
        return Recipe(model, Data(train, held, held), epochs, (), ("val_loss", "min"))
    if kind == "language":
        data = zoo.data.text("words.txt", 5, batch_size, "consecutive", validation=0.2, test=0.2)
        model = zoo.build("simple_rnn", vocabulary=data.statistics["vocabulary"], carry=batch_size, units=4)
        model.compile(keras.optimizers.SGD(0.3, global_clipnorm=0.5), loss, metrics=["accuracy"])
        return Recipe(model, data, epochs)
    return Recipe(model, Data(train, held, held), epochs, tuple(callbacks))
"""


CODE = """
import sys
from pathlib import Path
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
import zoo
from zoo import mirrored, recorder, runs, state, strategy

assert len(mirrored.devices()) == 2
quiet = dict(verbose=0, pictures=False, export=False)


def same(name, export=False, precision="float32", rel=1e-5, **hyper):
    found = {}
    for how in ("none", "mirrored"):
        folder = f"{name}-{how}"
        options = {**quiet, "export": export and how == "mirrored", "precision": precision, "steps_per_execution": 1}
        result = zoo.train("tiny.py", folder=folder, strategy=how, **options, **hyper)
        rows = [{k: v for k, v in row.items() if k != "seconds" and "norm" not in k} for row in runs.history(folder)]
        found[how] = rows, {k: v for k, v in result.metrics.items() if k.startswith(("val_", "test_"))}, result.model
    for one, other in zip(*([*rows, scores] for rows, scores, _ in found.values()), strict=True):
        assert sorted(one) == sorted(other), (one, other)
        for key in one:
            np.testing.assert_allclose(other[key], one[key], rtol=rel, atol=rel, err_msg=f"{name} {key}")
    return found["mirrored"][2]


def refused(said, **options):
    before = sorted(Path().iterdir())
    for tried in (lambda: zoo.train(options.pop("name", "tiny.py"), strategy="mirrored", **{**quiet, **options}),):
        try:
            tried()
        except zoo.ZooError as error:
            assert said in str(error), error
        else:
            raise AssertionError(said)
    assert sorted(Path().iterdir()) == before


# 37 examples in batches of 8: the last has 5, 2 and 3 of them; the norm of the whole gradient is clipped.
model = same("dense", extra="watched", export=True)
assert np.asarray(zoo.load("dense-mirrored").predict(np.ones((3, 6), "float32"), verbose=0)).shape == (3, 2)
for variable in state.variables(model):
    one, other = mirrored._strategy(mirrored.devices()).experimental_local_results(variable.value)
    np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=variable.path)
same("odd", kind="lookahead", batch_size=7, epochs=1)
refused("two players", kind="gan")
same("language", kind="language", epochs=2)
same("half", precision="mixed_float16", epochs=1, rel=5e-3)

told = []
print_ = lambda *words: told.append(" ".join(map(str, words)))
import builtins
builtins.print, kept = print_, builtins.print
try:
    options = {**quiet, "verbose": 2, "kind": "normalized", "epochs": 1}
    zoo.train("tiny.py", folder="normalized", strategy="mirrored", **options)
finally:
    builtins.print = kept
assert any("mirrored (2 devices share each batch; batch normalisation: by each" in line for line in told), told
assert any("epochs of 5 steps" in line and "an epoch" in line for line in told), told
assert zoo.evaluate("normalized").keys() >= {"val_loss", "test_loss"}


class Stop(Exception):
    pass


def stop(self, epoch, logs=None):
    ended(self, epoch, logs)
    if epoch == 1:
        raise Stop


ended = recorder.Recorder.on_epoch_end
recorder.Recorder.on_epoch_end, recorder.SHARE = stop, 1e9
try:
    zoo.train("tiny.py", folder="stopped", strategy="mirrored", extra="watched", **quiet)
except Stop:
    recorder.Recorder.on_epoch_end = ended
again = zoo.resume("stopped", verbose=0)
assert strategy.of(again.model).devices == 2
for one, other in zip(again.model.get_weights(), model.get_weights(), strict=True):
    np.testing.assert_array_equal(one, other)

refused("trains on one device", extra="sam")
refused("leaves symbols or pixels out", kind="ignoring")
refused("reduction='sum'", kind="summing")
refused("at least 2", batch_size=1)
refused("the last batch of the train data has 1 of its 37 examples", batch_size=12)
refused("a batch size of 11 would do", batch_size=12)
refused("XLA compiles a step for one device", jit_compile=True)
refused("what works: 1", steps_per_execution=5)
refused("an agent acts and learns in turn", name="q_learning_corridor")
kept("done")
"""


def test_two_devices(own_folder):
    (own_folder / "tiny.py").write_text(RECIPE)
    (own_folder / "words.txt").write_text("the cat sat on the mat and the rat ate the oat " * 8)
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning:zoo", "-c", CODE],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        cwd=own_folder,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.splitlines()[-1] == "done"


def test_one_device(own_folder, capsys):
    result = zoo.train("mlp_digits", strategy="mirrored", epochs=1, export=False, pictures=False, verbose=2)
    assert "strategy: mirrored (there is one device: nothing to share)" in capsys.readouterr().out
    assert zoo.runs.read(result.folder)["execution"]["strategy"] == "mirrored"
    assert strategy.of(result.model).devices == 1


def test_an_unknown_strategy():
    with pytest.raises(zoo.ZooError, match="strategy must be one of 'none', 'mirrored'"):
        zoo.train("mlp_digits", strategy="mirored")
