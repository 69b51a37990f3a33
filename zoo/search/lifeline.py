"""A process that ends when the one that started it does, however that ended."""

import os
import subprocess
import sys
import threading


def start(module, *arguments, **options):
    """Starts `python -m module arguments`, which must call `hold` at its beginning.

    Args:
        module: a module with a main part.
        *arguments: strings.
        **options: further arguments of `subprocess.Popen`.

    Returns:
        A `subprocess.Popen`.
    """
    return subprocess.Popen([sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, **options)


def hold():
    """Ends this process when its standard input does: the pipe closes with the process at its other end, even one
    that was killed. A trial without its search would go on writing into a folder that a resumed search uses too.
    """

    def wait():
        os.read(sys.stdin.fileno(), 1)  # not sys.stdin.read(): its lock would be in the way of the interpreter's end
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
