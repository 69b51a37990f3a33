"""The process that has no zoo, in which an export is run before it is called a success."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from zoo.errors import ZooError

SCRIPT = Path(__file__).with_name("_check_exports.py")
TIMEOUT = 600


@contextlib.contextmanager
def process(runtimes):
    """Starts the check process at once, so that it imports its runtimes while the files are still being written.

    Args:
        runtimes: names of the formats it will run: `savedmodel`, `litert`, `onnx`.

    Yields:
        A function `run(folder, files)` of a scratch folder and a dict from format to a path and its requests, a list of
        a signature's name and a dict of an array for each of its inputs, which returns a dict from format to the
        answers of its file: for request number i the arrays `i.all.OUTPUT`, and `i.one.OUTPUT` where an input has axes.
        It raises a `ZooError` when the process fails.
    """
    # No GPU there: the training process owns the GPU's memory, and an export is compared on the CPU.
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    child = subprocess.Popen(
        [sys.executable, "-P", str(SCRIPT), *runtimes],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        text=True,
        errors="replace",
    )

    def run(folder, files):
        answers = {name: folder / f"{name}.npz" for name in files}
        jobs = []
        for name, (path, requests) in files.items():
            asked = []
            for number, (signature, inputs) in enumerate(requests):
                asked.append((signature, str(folder / f"{name}.{number}.npz")))
                np.savez(asked[-1][1], **inputs)
            jobs.append({"format": name, "path": str(path), "requests": asked, "answers": str(answers[name])})
        try:
            output, _ = child.communicate(json.dumps(jobs) + "\n", timeout=TIMEOUT)
        except subprocess.TimeoutExpired as error:
            raise ZooError(f"the export was not checked within {TIMEOUT} s in a fresh process") from error
        if child.returncode != 0:
            raise ZooError(
                "the export was written but does not run in a fresh process without zoo. It said:\n"
                + "\n".join(output.splitlines()[-15:])
            )
        found = {}
        for name, path in answers.items():
            with np.load(path) as stored:
                found[name] = dict(stored)
        return found

    try:
        yield run
    finally:
        child.kill()
        child.communicate()
