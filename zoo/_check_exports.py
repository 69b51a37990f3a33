"""Runs exported files where the zoo is not: a script, started by `zoo._fresh`, that must never import zoo.

    python -P _check_exports.py savedmodel litert

It imports the runtimes of the formats that it is told first, and only then waits for its work on standard input: one
line of JSON, `{"batch": "x.npy", "jobs": [{"format": ..., "path": ..., "answers": "y.npz"}]}`. So the seconds that
importing TensorFlow takes pass while the other process still writes the files. Each file is run on the whole batch and
on its first element alone; the answers go to `y.npz` under the names `all.OUTPUT` and `one.OUTPUT`.
"""

import json
import sys

import numpy as np


def savedmodel():
    import tensorflow as tf

    def load(path):
        serve = tf.saved_model.load(path).signatures["serving_default"]
        (name,) = serve.structured_input_signature[1]
        return lambda x: {key: plain(value.numpy()) for key, value in serve(**{name: tf.constant(x)}).items()}

    def plain(array):  # TensorFlow's strings are Python objects to NumPy, which only pickle could store.
        return np.array([item.decode() for item in array]) if array.dtype == object else array

    return load


def litert():
    from ai_edge_litert.interpreter import Interpreter

    def load(path):
        serve = Interpreter(path).get_signature_runner()
        (name,) = serve.get_input_details()
        return lambda x: serve(**{name: x})

    return load


def onnx():
    import onnxruntime

    def load(path):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        (source,) = session.get_inputs()
        return lambda x: dict(zip(names, session.run(names, {source.name: x}), strict=True))

    return load


RUNTIMES = {"savedmodel": savedmodel, "litert": litert, "onnx": onnx}

if __name__ == "__main__":
    loaders = {name: RUNTIMES[name]() for name in sys.argv[1:]}
    line = sys.stdin.readline()
    if line:  # An empty line means that the export failed before there was anything to look at.
        work = json.loads(line)
        batch = np.load(work["batch"])
        for job in work["jobs"]:
            serve = loaders[job["format"]](job["path"])
            answers = {f"all.{key}": value for key, value in serve(batch).items()}
            answers |= {f"one.{key}": value for key, value in serve(batch[:1]).items()}
            np.savez(job["answers"], **answers)
        assert "zoo" not in sys.modules, "the check ran with zoo imported: it proves nothing"
