"""Several hosts: who is who; two processes train as one does; a lost one ends all, and the run goes on from there."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo import checkpoint, hosts, runs

RECIPE = '''
import os
import signal

import keras
import numpy as np

import zoo
from callbacks import Schedule, linear
from zoo.data import Stream
from zoo.pixel_affine import PixelAffine
from zoo.recipe import Data, Recipe


class Dies(keras.callbacks.Callback):
    """Ends one of the processes, as a power cut does, in the middle of the training."""

    def on_epoch_begin(self, epoch, logs=None):
        import jax

        if epoch == 2 and os.environ.get("DIES") == str(jax.process_index()):
            os.kill(os.getpid(), signal.SIGKILL)


def recipe(epochs=4, batch_size=8, examples=45):
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (examples + 30, 4, 4, 1), dtype="uint8")
    y = (x.mean((1, 2, 3)) > 127).astype("int32")
    image = keras.Input((4, 4, 1))
    hidden = keras.layers.Flatten()(keras.layers.BatchNormalization()(PixelAffine()(image)))
    hidden = keras.layers.Dropout(0.2)(keras.layers.Dense(8, "tanh")(hidden))
    model = keras.Model(image, keras.layers.Dense(2)(hidden))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9, clipnorm=1.0), loss, metrics=["accuracy"])
    train = Stream((x[:examples], y[:examples]), batch_size)
    held = Stream((x[examples:], y[examples:]), batch_size)
    return Recipe(model, Data(train, held, held), epochs, (Schedule("learning_rate", linear(0.1, 0.0)), Dies()))
'''

ALONE = """
import sys, keras, zoo
assert len(keras.distribution.list_devices()) == 2
for strategy in ("none", "mirrored"):
    zoo.train("tiny.py", folder=strategy, strategy=strategy, seed=1, verbose=0, pictures=False)
try:
    zoo.train("tiny.py", folder="small", strategy="mirrored", batch_size=1, verbose=0)
except zoo.ZooError as error:
    assert "at least 2" in str(error), error
else:
    raise AssertionError
"""


@pytest.mark.parametrize(
    ("hosts_", "host", "environment", "what"),
    [
        (None, None, {}, (None, None)),
        ("a:1,b:2", 1, {}, (("a:1", "b:2"), 1)),
        (["a:1", "b:2"], None, {"SLURM_PROCID": "1"}, (("a:1", "b:2"), 1)),
        (None, None, {"ZOO_HOSTS": "a:1,b:2", "ZOO_HOST": "0", "SLURM_PROCID": "1"}, (("a:1", "b:2"), 0)),
        ("slurm", None, dict(SLURM_PROCID="0", SLURM_NTASKS="2", SLURM_STEP_NODELIST="n[1-2]"), ("slurm", None)),
    ],
)
def test_who_is_who(hosts_, host, environment, what):
    assert hosts.read(hosts_, host, environment) == what


@pytest.mark.parametrize(
    ("hosts_", "host", "said"),
    [
        (None, 1, "hosts are not given"),
        ("a:1,b:2", None, "say which of the 2 hosts"),
        ("a:1,b:2", 2, "a number from 0 to 1"),
        ("a:1,b:2", -1, "a number from 0 to 1"),
        ("a,b:2", 0, "address:port of each host"),
        ("a:1,a:1", 0, "an address and port of its own"),
        ("slurm", None, "srun"),
    ],
)
def test_who_cannot_be(hosts_, host, said):
    with pytest.raises(zoo.ZooError, match=said):
        hosts.read(hosts_, host, {})


def test_the_backend(own_folder):
    with pytest.raises(zoo.ZooError, match="set KERAS_BACKEND=jax"):
        zoo.train("mlp_digits", hosts="localhost:1,localhost:2", host=0)
    assert not list(own_folder.iterdir())


def test_two_hosts(own_folder):
    (own_folder / "tiny.py").write_text(RECIPE)
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
    two_devices = {**environment, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    alone = subprocess.Popen([sys.executable, "-c", ALONE], env=two_devices, cwd=own_folder, **PIPED)

    began = _both(own_folder, {**environment, "DIES": "1"}, "train", "tiny.py", "--folder", "two", "--seed", "1")
    for number, (status, told) in enumerate(began):
        assert status == hosts.LOST, told
        assert "zoo resume two --hosts localhost:" in told and f"--host {number}" in told.splitlines()[-1], told
    kept = len(checkpoint.newest(own_folder / "two" / "checkpoints")["rows"])
    assert kept in (1, 2)

    ended = _both(own_folder, environment, "resume", "two")
    assert [status for status, _ in ended] == [0, 0], ended
    assert f"Resuming after epoch {kept} of 4" in ended[0][1] and "epoch" not in ended[1][1].lower()
    out, errors = alone.communicate(timeout=300)
    assert alone.returncode == 0, errors[-2000:]

    rows = {name: runs.history(own_folder / name) for name in ("none", "mirrored", "two")}
    for name in ("mirrored", "two"):
        assert len(rows[name]) == 4
        for row, other in zip(rows[name], rows["none"], strict=True):
            for key in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"):
                assert row[key] == pytest.approx(other[key], rel=1e-5, abs=1e-6), (name, key)
    models = [zoo.load(own_folder / name).get_weights() for name in ("none", "two")]
    for one, other in zip(*models, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    found = [json.loads((own_folder / name / "metrics.json").read_text()) for name in ("none", "two")]
    assert found[0]["test_loss"] == pytest.approx(found[1]["test_loss"], rel=1e-4)
    assert sorted(path.name for path in own_folder.iterdir()) == ["mirrored", "none", "tiny.py", "two"]


PIPED = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _both(folder, environment, *arguments):
    """Runs a command on two hosts, which have a folder each but for host 0's run. Returns status and texts of each."""
    addresses = ",".join(f"localhost:{port}" for port in _free_ports(2))
    started = []
    for number in range(2):
        home = folder if number == 0 else folder.parent / f"{folder.name}-other"
        Path(home).mkdir(exist_ok=True)
        if number:
            (home / "tiny.py").write_text((folder / "tiny.py").read_text())
        command = [sys.executable, "-m", "zoo.cli", *arguments, "--hosts", addresses, "--host", str(number)]
        started.append(subprocess.Popen(command, env=environment, cwd=home, **PIPED))
    texts = [process.communicate(timeout=200) for process in started]
    assert not (folder.parent / f"{folder.name}-other" / "two").exists()
    return [(process.returncode, out + errors) for process, (out, errors) in zip(started, texts, strict=True)]


def _free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for each in held:
        each.bind(("localhost", 0))
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports
