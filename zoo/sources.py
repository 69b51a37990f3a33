"""What the source files say without being imported: recipes there are, what they train, signatures, claims.

`zoo list`, `zoo show` and `zoo train NAME --help` answer from here, at once, where importing a recipe would import
TensorFlow.
"""

import ast
import functools
import importlib.util
from pathlib import Path

from zoo.errors import ZooError, suggest
from zoo.registry import list_models


def _folder(package):
    return Path(importlib.util.find_spec(package).submodule_search_locations[0])


@functools.cache
def recipes():
    """The recipes that come with the zoo: a dict from name to path, sorted by name."""
    return {path.stem: path for path in sorted(_folder("recipes").glob("*.py")) if not path.stem.startswith("_")}


@functools.cache
def families():
    """The families of models that come with the zoo: names of the modules of `zoo.models`."""
    return tuple(path.stem for path in (_folder("zoo") / "models").glob("*.py") if not path.stem.startswith("_"))


def path_of(name):
    """The file of a recipe.

    Args:
        name: a name of `recipes()`, or the path of a file that ends in `.py`.

    Returns:
        A `pathlib.Path`.

    Raises:
        ZooError: there is none; close names are offered.
    """
    name = str(name)
    if name.endswith(".py"):
        if not Path(name).is_file():
            raise ZooError(f"there is no recipe file {name}")
        return Path(name)
    known = recipes()
    if name not in known:
        hint = " That is a model; a recipe trains it." if name in list_models() else ""
        raise ZooError(
            f"there is no recipe named {name!r}.{hint}{suggest(name, known)} `zoo list --recipes` shows all; a recipe "
            "of your own is given by its path: my_recipe.py"
        )
    return known[name]


def tree(path):
    """The syntax tree of a Python file."""
    return ast.parse(Path(path).read_text(encoding="utf-8"))


def claim(name):
    """First line of a recipe's docstring."""
    return (ast.get_docstring(tree(recipes()[name])) or "").partition("\n")[0]


def function(path, name):
    """The `ast.FunctionDef` of a function at the top of a file, or None."""
    found = [node for node in tree(path).body if isinstance(node, ast.FunctionDef) and node.name == name]
    return found[0] if found else None


def signature(entry):
    """The arguments of a model's function as text, its preset filled in: `num_classes=10, activation='relu'`."""
    node = function(_folder("zoo") / "models" / f"{entry.family}.py", entry.function)
    if node is None:
        return ""
    arguments = node.args.args + node.args.kwonlyargs
    defaults = [*node.args.defaults, *node.args.kw_defaults]
    defaults = [None] * (len(arguments) - len(defaults)) + defaults
    parts = []
    for argument, default in zip(arguments, defaults, strict=True):
        if argument.arg in entry.preset:
            parts.append(f"{argument.arg}={entry.preset[argument.arg]!r}")
        elif default is None:
            parts.append(argument.arg)
        else:
            parts.append(f"{argument.arg}={ast.unparse(default)}")
    return ", ".join(parts)


def models_of(name):
    """Names of the models that a recipe builds: the literals of its `zoo.build` calls and of its `model` argument."""
    found = set()
    for node in ast.walk(tree(recipes()[name])):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("zoo.build", "zoo.build_for") and node.args:
            found |= {leaf.value for leaf in ast.walk(node.args[0]) if isinstance(leaf, ast.Constant)}
    recipe = function(recipes()[name], "recipe")
    for argument, default in zip(reversed(recipe.args.args), reversed(recipe.args.defaults), strict=False):
        if argument.arg in ("model", "members"):
            found |= {leaf.value for leaf in ast.walk(default) if isinstance(leaf, ast.Constant)}
    return sorted(name for name in found if isinstance(name, str))


def recipes_of(model):
    """Names of the recipes that train a model, sorted."""
    return [name for name in recipes() if model in models_of(name)]


def argument_help(docstring):
    """The `Args:` section of a docstring as a dict from argument to its description."""
    lines = (docstring or "").expandtabs().splitlines()
    starts = [i for i, line in enumerate(lines) if line.strip() == "Args:"]
    if not starts:
        return {}
    base = len(lines[starts[0]]) - len(lines[starts[0]].lstrip())
    found, current, depth = {}, None, None
    for line in lines[starts[0] + 1 :]:
        indent = len(line) - len(line.lstrip())
        if line.strip() and indent <= base:
            break
        if not line.strip():
            continue
        depth = indent if depth is None else depth
        if indent == depth and ":" in line:
            current, _, text = line.strip().partition(":")
            found[current] = text.strip()
        elif current:
            found[current] += " " + line.strip()
    return found
