"""The supervised models build, train, resume, evaluate and predict on the JAX backend, in a process of their own."""

import os
import subprocess
import sys

CODE = """
import numpy as np
import keras
import zoo
from zoo import recorder, runs

assert keras.backend.backend() == "jax"
small = {"unet_digits_canvas": dict(examples=64, width=2, depth=2, pictures=False)}
small["autoencoder_digits"] = dict(pictures=False)
small["lstm_text"] = dict(characters=20_000, units=8, length=16, pictures=False)
names = ("lenet5_digits", "lenet_digits", "mlp_digits", "perceptron_digits", "ensemble_digits", "table")
for name in (*names, *small):
    result = zoo.train(name, epochs=2, folder=f"run-{name}", verbose=0, **small.get(name, {}))
    losses = [row["loss"] for row in runs.history(result.folder)]
    assert losses[1] < losses[0], (name, losses)
    again = zoo.load(result.folder)
    shape = (3, *(side or 5 for side in again.input_shape[1:]))
    outputs = again.predict(np.full(shape, 100, "uint8"), verbose=0)
    outputs = outputs["logits"] if isinstance(outputs, dict) else outputs
    assert np.isfinite(outputs).all(), name
    scores = zoo.evaluate(result.folder)
    assert all(abs(scores[key] - result.metrics[key]) < 1e-6 for key in scores), name


class Stop(Exception):
    pass


def stop(self, epoch, logs=None):
    original(self, epoch, logs)
    raise Stop


original = recorder.Recorder.on_epoch_end
recorder.Recorder.on_epoch_end = stop
try:
    zoo.train("mlp_digits", epochs=2, folder="stopped", verbose=0)
except Stop:
    recorder.Recorder.on_epoch_end = original
zoo.resume("stopped", verbose=0)
for a, b in zip(zoo.load("stopped").get_weights(), zoo.load("run-mlp_digits").get_weights(), strict=True):
    np.testing.assert_array_equal(a, b)
for name in ("q_table", "q_linear", "dqn"):
    model = zoo.build(name)
    observation = np.zeros((2, *model.input_shape[1:]), model.inputs[0].dtype)
    assert model(observation).shape == (2, model.actions), name
print("done")
"""


def test_the_supervised_models_on_jax(own_folder):
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, timeout=600, cwd=own_folder
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.splitlines()[-1] == "done"
