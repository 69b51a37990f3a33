"""The accuracies that recipes claim in the first line of their docstrings, read without importing them."""

import ast
import re
from typing import NamedTuple

from zoo import sources

# zoo train lenet_mnist     # 99.38 % ± 0.01 of the test images (n=3), 45 s on 2 cores
CLAIM = r"zoo train {name} +# (\d+\.\d+) %(?: ± (\d+\.\d+))? of the test images"


class Claim(NamedTuple):
    """What a recipe claims.

    Args:
        recipe: its name.
        data: the set of images that it trains on and is tested on.
        accuracy: percent of the test images.
        deviation: over seeds, in percent; None of a single run.
    """

    recipe: str
    data: str
    accuracy: float
    deviation: float | None


def claim(name):
    """The accuracy that a recipe claims for its defaults.

    Args:
        name: a recipe's name.

    Returns:
        A `Claim`; None where it claims none, or trains on a part of the set alone.

    Example:
        >>> claim("lenet_mnist")
        Claim(recipe='lenet_mnist', data='mnist', accuracy=99.38, deviation=0.01)
        >>> claim("gan_mnist") is None
        True
    """
    tree = sources.tree(sources.path_of(name))
    found = re.search(CLAIM.format(name=name), ast.get_docstring(tree) or "")
    data = _data(tree)
    if not found or data is None:
        return None
    accuracy, deviation = found.groups()
    return Claim(name, data, float(accuracy), None if deviation is None else float(deviation))


def _data(tree):
    """The set that the file's call of `images` names, whole."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "images" and node.args:
            whole = not {"examples", "classes"} & {keyword.arg for keyword in node.keywords}
            if whole and isinstance(node.args[0], ast.Constant):
                return node.args[0].value
    return None
