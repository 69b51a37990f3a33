"""Keeps the log lines of native libraries off the terminal.

TensorFlow, its converter and LiteRT write progress to file descriptor 2 from C++, where neither `logging` nor
`contextlib.redirect_stderr` can stop it, and part of it ignores `TF_CPP_MIN_LOG_LEVEL`.
"""

import contextlib
import os
import sys
import tempfile


@contextlib.contextmanager
def native_logs_hidden():
    """Hides what is written to file descriptor 2 while the block runs; shows it after all when the block raises.

    It hides everything that the process writes there, so keep the block to the one noisy call.

    Example:
        >>> import os
        >>> with native_logs_hidden():
        ...     _ = os.write(2, b"chatter")
    """
    sys.stderr.flush()
    try:
        terminal = os.dup(2)
    except OSError:  # A process without standard error has nothing to hide.
        yield
        return
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            yield
        except BaseException:
            hidden.seek(0)
            os.write(terminal, hidden.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
