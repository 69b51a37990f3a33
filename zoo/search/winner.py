"""The winner of a search as a recipe file of its own: the recipe's source, its defaults replaced."""

import ast
from pathlib import Path

from zoo import sources
from zoo.checkpoint import write_atomically


def write(path, source, hyper, words):
    """Writes a recipe whose defaults are the given hyper-parameters.

    Args:
        path: the file to write.
        source: the file of the recipe that was searched.
        hyper: a dict from argument to value, for any of the recipe's arguments.
        words: the docstring of the file, in lines that say where it is from.
    """
    text = Path(source).read_text(encoding="utf-8")
    write_atomically(path, _documented(_with_defaults(text, sources.function(source, "recipe"), hyper), words))


def _with_defaults(text, function, hyper):
    arguments = function.args
    positional = zip(reversed(arguments.args), reversed(arguments.defaults), strict=False)
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    defaults = [(argument.arg, node) for argument, node in (*positional, *named) if node is not None]
    lines = text.encode().splitlines(keepends=True)
    # From the last to the first, so that the places of the others stay.
    for name, node in sorted(defaults, key=lambda pair: (pair[1].lineno, pair[1].col_offset), reverse=True):
        if name not in hyper:
            continue
        first, last = node.lineno - 1, node.end_lineno - 1
        before, after = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
        lines[first : last + 1] = [before + repr(hyper[name]).encode() + after]
    return b"".join(lines).decode()


def _documented(text, words):
    """The text with another docstring, or with one where it had none."""
    body = ast.parse(text).body
    docstring = '"""' + "\n".join(words).replace("\\", "\\\\").replace('"""', "'''") + '\n"""\n'
    if ast.get_docstring(ast.parse(text)) is None:
        return docstring + "\n" + text
    lines = text.splitlines(keepends=True)
    return docstring + "".join(lines[body[0].end_lineno :])
