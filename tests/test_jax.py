"""The supervised models on the JAX backend, in a process of their own: without TensorFlow, and the same with it."""

import os
import subprocess
import sys

CODE = """
import sys
from importlib.machinery import PathFinder

MISSING = ("tensorflow", "tensorflow_datasets", "ai_edge_litert", "tensorboard")


class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in MISSING else super().find_spec(name, path, target)


place = sys.meta_path.index(PathFinder)
sys.meta_path[place] = Without

import contextlib
import io

import keras
import numpy as np
import zoo
from zoo import recorder, runs
from zoo.data import ops

assert keras.backend.backend() == "jax"
quiet = dict(verbose=0, pictures=False)
small = {"lenet5_digits": {}, "mlp_digits": dict(hidden=(16,), rotation=10.0), "table": {}}
small["ensemble_digits"] = dict(count=2, model="perceptron")
small["unet_digits_canvas"] = dict(examples=32, width=2, depth=1)
small["autoencoder_digits"] = {}
small["lstm_text"] = dict(characters=5_000, batch_size=16, units=8, length=16)
for name, arguments in small.items():
    result = zoo.train(name, epochs=2, folder=f"run-{name}", **arguments, **quiet)
    losses = [row["loss"] for row in runs.history(result.folder)]
    assert losses[1] < losses[0], (name, losses)
    again = zoo.load(result.folder)
    shape = (3, *(side or 5 for side in again.input_shape[1:]))
    outputs = again.predict(np.full(shape, 100, "uint8"), verbose=0)
    outputs = outputs["logits"] if isinstance(outputs, dict) else outputs
    assert np.isfinite(outputs).all(), name
    if name == "mlp_digits":
        scores = zoo.evaluate(result.folder)
        assert all(abs(scores[key] - result.metrics[key]) < 1e-6 for key in scores), name

told = io.StringIO()
with contextlib.redirect_stdout(told):
    try:
        zoo.train("mlp_digits", epochs=2, folder="stopped", until=1, **{**small["mlp_digits"], **quiet, "verbose": 2})
    except recorder.Interrupted:
        pass
assert "no files for TensorBoard" in told.getvalue(), told.getvalue()
zoo.resume("stopped", verbose=0)
run = zoo.load("run-mlp_digits")
for a, b in zip(zoo.load("stopped").get_weights(), run.get_weights(), strict=True):
    np.testing.assert_array_equal(a, b)

pixels = np.random.default_rng(0).integers(0, 256, (70, 8, 8, 1), "uint8")
predictor = zoo.Predictor("run-mlp_digits")
expected = keras.ops.softmax(run(pixels)).__array__()
np.testing.assert_allclose(predictor.outputs(pixels), expected, atol=1e-6)
assert [answer.label for answer in predictor(pixels)] == [str(k) for k in expected.argmax(1)]
features = np.zeros((2, 13), "float32")
assert zoo.Predictor("run-table").features[0] == "alcohol" and len(zoo.Predictor("run-table")(features)) == 2
for refused, words in (
    (lambda: zoo.predict("run-lstm_text", texts=["a"]), "which needs TensorFlow"),
    (lambda: zoo.data.images("oxford_iiit_pet"), "takes TensorFlow to download"),
    (lambda: zoo.data.segmentation("oxford_iiit_pet"), "needs TensorFlow"),
    (lambda: zoo.train("gan_digits", folder="none"), "adversarial networks train on Keras' TensorFlow"),
):
    try:
        refused()
    except zoo.ZooError as error:
        assert words in str(error), error
    else:
        raise AssertionError(words)
for name in ("q_table", "q_linear", "dqn"):
    model = zoo.build(name)
    observation = np.zeros((2, *model.input_shape[1:]), model.inputs[0].dtype)
    assert model(observation).shape == (2, model.actions), name
assert not any(name in sys.modules for name in MISSING)

# With TensorFlow there again, which gives the batches, all is the same to the bit.
sys.meta_path[place] = PathFinder
ops.has_tensorflow.cache_clear()
with_it = zoo.train("mlp_digits", epochs=2, folder="with", **small["mlp_digits"], **quiet)
assert "tensorflow" in sys.modules
for a, b in zip(with_it.model.get_weights(), run.get_weights(), strict=True):
    np.testing.assert_array_equal(a, b)
one, other = ([{**row, "seconds": 0} for row in runs.history(folder)] for folder in ("with", "run-mlp_digits"))
assert one == other
print("done")
"""


def test_the_supervised_models_on_jax_without_tensorflow_and_with_it(own_folder):
    # Compiling takes most of the time here, and what is compiled is small.
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    environment["XLA_FLAGS"] = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    environment["JAX_COMPILATION_CACHE_DIR"] = str(own_folder / "compiled")
    environment["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    environment["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
    environment["TFDS_DATA_DIR"] = str(own_folder / "sets")
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, timeout=600, cwd=own_folder
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.splitlines()[-1] == "done"
