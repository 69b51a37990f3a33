"""Runs exported files where the zoo is not: a script, started by `zoo._fresh`, that must never import zoo.

    python -P _check_exports.py savedmodel litert

It imports the runtimes of the formats that it is told first, and only then waits for its work on standard input: one
line of JSON, `[{"format": ..., "path": ..., "requests": [[SIGNATURE, "x.npz"], ...], "answers": "y.npz"}, ...]`. So the
seconds that importing TensorFlow takes pass while the other process still writes the files. `x.npz` has an array for
each input of the signature, under its name. The signature is run on the whole arrays, and on the first element of each
alone; an array without axes goes with both, and where all are such, or there is none, it is run once. The answers of
request number i go to `y.npz` under the names `i.all.OUTPUT` and `i.one.OUTPUT`. Only a SavedModel has several
signatures.
"""

import json
import sys

import numpy as np


def savedmodel():
    import tensorflow as tf

    def load(path):
        signatures = tf.saved_model.load(path).signatures

        def serve(signature, inputs):
            answers = signatures[signature](**{name: tf.constant(x) for name, x in inputs.items()})
            return {key: plain(value.numpy()) for key, value in answers.items()}

        return serve

    def plain(array):  # TensorFlow's strings are Python objects to NumPy, which only pickle could store.
        return np.array([item.decode() for item in array]) if array.dtype == object else array

    return load


def litert():
    from ai_edge_litert.interpreter import Interpreter

    def load(path):
        serve = Interpreter(path).get_signature_runner()
        return lambda _, inputs: serve(**inputs)

    return load


def onnx():
    import onnxruntime

    def load(path):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return lambda _, inputs: dict(zip(names, session.run(names, inputs), strict=True))

    return load


RUNTIMES = {"savedmodel": savedmodel, "litert": litert, "onnx": onnx}

if __name__ == "__main__":
    loaders = {name: RUNTIMES[name]() for name in sys.argv[1:]}
    line = sys.stdin.readline()
    if line:  # An empty line means that the export failed before there was anything to look at.
        for job in json.loads(line):
            serve, answers = loaders[job["format"]](job["path"]), {}
            for number, (signature, file) in enumerate(job["requests"]):
                with np.load(file) as stored:
                    parts = {"all": dict(stored)}
                if any(x.ndim for x in parts["all"].values()):
                    parts["one"] = {name: x[:1] if x.ndim else x for name, x in parts["all"].items()}
                for part, inputs in parts.items():
                    answers |= {f"{number}.{part}.{key}": value for key, value in serve(signature, inputs).items()}
            np.savez(job["answers"], **answers)
        assert "zoo" not in sys.modules, "the check ran with zoo imported: it proves nothing"
