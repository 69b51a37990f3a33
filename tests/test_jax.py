"""The supervised models build, train, evaluate and predict on the JAX backend too, in a process of their own."""

import os
import subprocess
import sys

CODE = """
import numpy as np
import keras
import zoo
from zoo import runs

assert keras.backend.backend() == "jax"
for name in ("lenet5_digits", "lenet_digits", "mlp_digits", "perceptron_digits", "ensemble_digits", "table"):
    result = zoo.train(name, epochs=2, folder=f"run-{name}", verbose=0)
    losses = [row["loss"] for row in runs.history(result.folder)]
    assert losses[1] < losses[0], (name, losses)
    again = zoo.load(result.folder)
    shape = (3, *again.input_shape[1:])
    outputs = again.predict(np.full(shape, 100, "uint8"), verbose=0)
    outputs = outputs["logits"] if isinstance(outputs, dict) else outputs
    assert np.isfinite(outputs).all(), name
    scores = zoo.evaluate(result.folder)
    assert all(abs(scores[key] - result.metrics[key]) < 1e-6 for key in scores), name
print("done")
"""


def test_the_supervised_models_on_jax(own_folder):
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, timeout=400, cwd=own_folder
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.splitlines()[-1] == "done"
