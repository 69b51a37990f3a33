"""Tests of callbacks, optimizers and layers once more, on the JAX backend, all in one process that has it."""

import os
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Which tests of a file, as `pytest -k` takes them, and how many that are.
CHOSEN = {
    "test_freeze": ("moves or gathered", 2),
    "test_gradient_statistics": ("perceptron or jax_fit", 4),
    "test_lr_finder": ("(bit_for_bit and 0 and False) or own_loss", 2),
    "test_optimizers_custom": ("book or paper or execution or accumulated or saved", 8),
    "test_pixel_affine": ("its_own_numbers or saved_alone", 2),
    "test_sam": ("(adam and 4) or mask or frozen or overflows", 5),
    "test_surface": ("test_values or history_holds", 9),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What was said, and the tests that passed, as pairs of a file and a name."""
    report = tmp_path_factory.mktemp("jax") / "report.xml"
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    which = " or ".join(f"({file} and ({names}))" for file, (names, _) in CHOSEN.items())
    options = ["-n", "0", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", "-k", which]
    command = [sys.executable, "-m", "pytest", *options, *(str(HERE / f"{file}.py") for file in CHOSEN)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, cwd=HERE.parent)
    cases = xml.parse(report).iter("testcase") if report.is_file() else ()
    passed = [case.get("classname").rpartition(".")[2] for case in cases if not len(case)]
    return done, passed


@pytest.mark.parametrize("file", CHOSEN)
def test_the_same_on_jax(run, file):
    done, passed = run
    assert passed.count(file) == CHOSEN[file][1], done.stdout[-6000:] + done.stderr[-2000:]


def test_nothing_else_went_wrong(run):
    done, passed = run
    assert done.returncode == 0 and len(passed) == sum(count for _, count in CHOSEN.values()), done.stdout[-6000:]
