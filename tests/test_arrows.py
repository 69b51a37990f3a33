"""Imports go one way: keras <- callbacks <- zoo <- recipes <- tests; and `import zoo` is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {"callbacks": {"zoo", "recipes", "tests"}, "zoo": {"recipes", "tests"}, "recipes": {"tests"}}
# TensorFlow is imported where a pipeline, an export, a check of the machine or a missing kernel needs it, nowhere else.
TENSORFLOW = {"zoo/data", "zoo/serving", "zoo/savedmodel.py", "zoo/_check_exports.py", "zoo/multiply_adds.py"}
TENSORFLOW |= {"zoo/normalization.py", "zoo/adversarial.py", "zoo/adversarial_steps.py", "zoo/lstm_tensorflow.py"}
TENSORFLOW |= {
    f"zoo/{name}.py"
    for name in ("mirrored", "q_learner", "q_steps", "acting", "in_graph", "online", "online_steps", "online_gymnasium")
}


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", FORBIDDEN)
def test_arrows(package):
    files = list((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        wrong = set(_imports(path)) & FORBIDDEN[package]
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


def test_tensorflow_stays_in_its_places():
    for package in ("zoo", "callbacks", "recipes"):
        for path in (ROOT / package).rglob("*.py"):
            place = path.relative_to(ROOT)
            if str(place) in TENSORFLOW or str(place.parent) in TENSORFLOW:
                continue
            assert "tensorflow" not in set(_imports(path)), f"{place} imports tensorflow"


@pytest.mark.parametrize(
    "arguments", [[], ["--help"], ["list"], ["show", "lenet5"], ["train", "lenet5_digits", "--help"]]
)
def test_light_commands_import_neither_keras_nor_tensorflow(arguments):
    code = (
        "import sys, zoo, zoo.cli\n"
        "try:\n    zoo.cli.main(sys.argv[1:]) if sys.argv[1:] else None\nexcept SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
