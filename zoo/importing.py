"""How the command line imports Keras: with a sign of life, quietly, and without what hardly any training needs."""

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys

from zoo.quiet import native_logs_hidden

# Scikit-learn's interface imports scikit-learn and SciPy, the galleries of images import pyplot: together a third of
# the time that Keras takes. Keras has each of them under several names.
LATE = {f"{home}.wrappers" for home in ("keras", "keras._tf_keras.keras")}
LATE |= {f"{home}.visualization" for home in ("keras", "keras._tf_keras.keras", "keras.src")}


def import_keras():
    """Imports Keras and its backend, and finds the devices, which takes seconds.

    A terminal shows a line meanwhile. `keras.wrappers` and `keras.visualization` are imported when something of theirs
    is first used.

    Raises:
        ModuleNotFoundError: there is no backend.
    """
    with _shown("importing Keras and its backend ..."), native_logs_hidden(), imported_late(LATE):
        import keras

        keras.distribution.list_devices()


@contextlib.contextmanager
def imported_late(names):
    """Modules of these names that are imported while the block runs begin to run when an attribute is first asked for.

    Args:
        names: full names of modules. One that is imported already stays as it is.
    """
    finder = _Late(frozenset(names))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Late(importlib.abc.MetaPathFinder):
    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        if name not in self.names:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextlib.contextmanager
def _shown(line):
    """A line on the terminal, if standard error is one, that is gone when the block ends."""
    if not (sys.stderr and sys.stderr.isatty()):
        yield
        return
    print(line, end="\r", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        print(" " * len(line), end="\r", file=sys.stderr, flush=True)
