"""Command-line flags from a recipe's signature: one a hyper-parameter, typed by its default.

The signature is read from the source, not imported, so that `zoo train NAME --help` answers at once.
"""

import argparse
import ast

from zoo import sources
from zoo.errors import ZooError

RESERVED = {
    "name",
    "seed",
    "folder",
    "overwrite",
    "export",
    "pictures",
    "precision",
    "steps_per_execution",
    "jit_compile",
    "verbose",
    "retrain",
    "until",
    "test",
    "strategy",
    "hosts",
    "host",
    "find_lr",
    "trials",
    "tuner",
    "parallel",
    "budget",
    "limit",
    "keep",
    "stop",
    "resume",
}


def signature(path):
    """Hyper-parameters of a recipe file.

    Args:
        path: the recipe's file.

    Returns:
        A dict from name to a triple: default, annotation as text or None, meaning.

    Raises:
        ZooError: the file has no `recipe` function, or a default is not a literal, or a name is a flag already.
    """
    node = sources.function(path, "recipe")
    if node is None:
        raise ZooError(f"{path} defines no function `recipe(**hyper)` that returns a zoo.Recipe")
    arguments = [*node.args.args, *node.args.kwonlyargs]
    defaults = [*node.args.defaults, *node.args.kw_defaults]
    if len(defaults) != len(arguments) or None in defaults:
        raise ZooError(f"every argument of a recipe has a default, which is its flag's: see recipe() in {path}")
    meanings = sources.argument_help(ast.get_docstring(node))
    found = {}
    for argument, default in zip(arguments, defaults, strict=True):
        if argument.arg in RESERVED:
            raise ZooError(f"{argument.arg!r} is a flag of `zoo train` itself; rename it in {path}")
        try:
            value = ast.literal_eval(default)
        except ValueError:
            raise ZooError(
                f"the default of {argument.arg!r} in {path} must be a plain value. Received: {ast.unparse(default)}"
            ) from None
        # A quoted annotation is the same text without its quotes.
        annotation = ast.unparse(argument.annotation).strip("'\"") if argument.annotation else None
        found[argument.arg] = value, annotation, meanings.get(argument.arg, "")
    return found


def add(parser, path):
    """Adds a recipe's flags to an `argparse` parser."""
    group = parser.add_argument_group("hyper-parameters of the recipe")
    for name, (default, annotation, meaning) in signature(path).items():
        flag = "--" + name.replace("_", "-")
        text = f"{meaning} (default: {default!r})".strip().replace("%", "%%")
        if isinstance(default, bool):
            group.add_argument(
                flag, dest=name, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=text
            )
        else:
            convert = converter(default, annotation)
            group.add_argument(
                flag, dest=name, type=convert, default=argparse.SUPPRESS, help=text, metavar=convert.__name__.upper()
            )


def converter(default, annotation=None):
    """The function that turns a flag's text into a value of the kind of its default.

    Example:
        >>> converter((256, 128))("300,100")
        (300, 100)
    """
    kind = {"int": int, "float": float, "str": str}.get((annotation or "").replace(" | None", ""), type(default))
    if kind in (tuple, list):
        item = type(default[0]) if default else str

        def values(text):
            return tuple(item(part) for part in text.split(",") if part)

        return values
    if kind not in (int, float, str):
        return _guess
    if default is None or "None" in (annotation or ""):

        def optional(text):
            return None if text.lower() == "none" else kind(text)

        optional.__name__ = kind.__name__
        return optional
    return kind


def _guess(text):
    """A plain value where neither default nor annotation tells the kind: a literal, or the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


_guess.__name__ = "value"
