"""The examples in docstrings run, and the README names what there is."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import keras
import numpy as np
import pytest

import callbacks
import zoo
import zoo.data
import zoo.models
from zoo import cli, registry, sources

ROOT = Path(__file__).parent.parent
MODULES = ["zoo", "callbacks"] + [
    module.name
    for package in (zoo, callbacks)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not module.name.endswith(("_check_exports", "__main__"))
]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run, for examples that need one."""
    folder = tmp_path_factory.mktemp("docs") / "run"
    return zoo.train("lenet_digits", folder=folder, epochs=1, pictures=False, verbose=0).folder


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name, folder, monkeypatch):
    module = importlib.import_module(name)
    # What an example registers is gone after it.
    monkeypatch.setattr(registry, "_entries", dict(registry._table()))
    names = {"zoo": zoo, "keras": keras, "np": np, "folder": str(folder), **vars(callbacks)}
    for example in doctest.DocTestFinder(exclude_empty=True).find(module, globs={**names, **vars(module)}):
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
        said = []
        runner.run(example, out=said.append)
        assert not runner.failures, "".join(said)


def test_the_readme_names_models_recipes_and_commands_that_exist():
    for line in re.findall(r"^\| `(\w+)` \|", README, re.M):
        assert line in zoo.list_models() or line in sources.recipes() or line in callbacks.__all__, line
    for command in re.findall(r"`zoo (\w+)", README):
        with pytest.raises(SystemExit) as stopped:
            cli.main([command, "--help"])
        assert stopped.value.code == 0, command


def test_the_recipe_in_the_readme_trains(tmp_path):
    (source,) = [block for block in re.findall(r"```python\n(.*?)```", README, re.S) if "def recipe(" in block]
    (tmp_path / "mine.py").write_text(source)
    assert cli.main(["train", "mine.py", "--pixels", "0", "--no-export", "--folder", "run"]) == 0
    assert zoo.evaluate("run")["test_accuracy"] > 0.9


def test_the_callbacks_in_the_readme_train_anybodys_model():
    (source,) = [block for block in re.findall(r"```python\n(.*?)```", README, re.S) if "schedulable" in block]
    names = {}
    exec(source, names)
    assert len(names["model"].history.history["momentum"]) == 5


def test_the_readme_shows_the_numbers_of_the_recipes():
    claims = {name: re.search(r"\d\d\.\d\d % ± \d\.\d\d", path.read_text()) for name, path in sources.recipes().items()}
    for name, claim in claims.items():
        if claim:
            assert re.search(rf"\| `{name}` \| {re.escape(claim[0])} ", README), name
