"""The largest models are built for real, in a process whose memory is measured."""

import json

import pytest

from zoo.catalogue import ENTRIES

pytest.importorskip("resource", reason="peak memory is not measured on Windows")

GIB = 2**30
# More than the weights may take: code, graphs of Python objects, what the allocator rounds up.
SLACK = 0.25 * GIB
BUILD = """
import json, resource, sys
import keras, zoo
from pathlib import Path

def peak():
    # What Linux tells of a child by `getrusage` begins at the size of its parent, which may be a large one.
    status = Path("/proc/self/status")
    if status.is_file():
        return 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return (1 if sys.platform == "darwin" else 1024) * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

zoo.build("mlp")
before = peak()
models = [zoo.build(name) for name in sys.argv[1:]]
sizes = [4 * int(keras.ops.size(weight)) for model in models for weight in model.weights]
print(json.dumps({
    "parameters": [sum(int(keras.ops.size(w)) for w in model.trainable_weights) for model in models],
    "grown": peak() - before, "sum": sum(sizes), "largest": max(sizes),
}))
"""


def test_the_largest_models_take_little_more_than_their_weights(pythons):
    most = max(ENTRIES, key=lambda entry: entry.parameters)
    deepest = next(entry for entry in ENTRIES if entry.name == "resnet152")
    status, said = pythons.run(BUILD, most.name, deepest.name)
    assert status == 0, said
    found = json.loads(said.splitlines()[-1])
    assert found["parameters"] == [most.parameters, deepest.parameters]
    # While a weight is drawn there are three of it: the noise, the noise times its deviation, and the variable.
    assert found["sum"] < found["grown"] < found["sum"] + 2 * found["largest"] + SLACK
