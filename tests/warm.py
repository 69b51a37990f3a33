"""Python processes that start in a moment, because TensorFlow is imported in them already.

They are forked from a server, this file run as a script, which has imported TensorFlow and done nothing with it, so
that a fork copies no state of it; and it has no zoo. Where processes cannot be forked so, they are started like any
other.
"""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from types import SimpleNamespace


class Pythons:
    """Starts processes, one at a time. The server begins with the first of them, and ends with `close`."""

    def __init__(self):
        self._server = None

    def close(self):
        if self._server is not None:
            self._server.communicate()

    def start(self, code, *argv, input="", env=None):
        """Starts a process that runs some code on the TensorFlow backend.

        Args:
            code: what to run, as behind `python -c`.
            *argv: its arguments.
            input: the text of its standard input.
            env: its environment; by default this process's own.

        Returns:
            An object with `kill()`, `running()`, and `wait()`, which returns the status and all that was said. It must
            be waited for before the next process is started.
        """
        env = dict(os.environ if env is None else env)
        if sys.platform != "linux":
            return _Started(code, argv, input, env)
        if self._server is None:
            command = [sys.executable, "-P", __file__]
            pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self._server = subprocess.Popen(command, **pipes)
        return _Forked(self._server, code, argv, input, env)

    def run(self, code, *argv, **options):
        """Runs some code to its end and returns the status and all that was said."""
        return self.start(code, *argv, **options).wait()

    def instead_of_subprocess(self, script):
        """What stands for the module `subprocess` where it runs one script, `python -P SCRIPT ...`, and no other."""
        code = f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')"

        class Popen:
            def __init__(popen, command, **options):
                assert command[:3] == [sys.executable, "-P", str(script)]
                popen.argv, popen.env, popen.returncode = command[3:], options["env"], None

            def communicate(popen, line=None, timeout=None):
                if line is None:  # Killed before it had anything to do, or after it had done it.
                    return "", None
                popen.returncode, said = self.run(code, *popen.argv, input=line, env=popen.env)
                return said, None

            def kill(popen):
                pass

        same = {name: getattr(subprocess, name) for name in ("PIPE", "STDOUT", "TimeoutExpired")}
        return SimpleNamespace(Popen=Popen, **same)


class _Forked:
    def __init__(self, server, code, argv, input, env):
        file, self._said = tempfile.mkstemp()
        os.close(file)
        order = dict(code=code, argv=["-c", *argv], input=input, env=env, cwd=os.getcwd(), said=self._said)
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        self._answers = server.stdout
        self._number = int(self._answers.readline())

    def running(self):
        return Path(f"/proc/{self._number}").is_dir()

    def kill(self):
        with contextlib.suppress(ProcessLookupError):  # It may have ended.
            os.kill(self._number, signal.SIGKILL)

    def wait(self):
        status, said = int(self._answers.readline()), Path(self._said).read_text(errors="replace")
        os.remove(self._said)
        return status, said


class _Started:
    def __init__(self, code, argv, input, env):
        options = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
        self._input, self._process = input, subprocess.Popen([sys.executable, "-c", code, *argv], **options)
        self.running, self.kill = lambda: self._process.poll() is None, self._process.kill

    def wait(self):
        said, _ = self._process.communicate(self._input)
        return self._process.returncode, said


def _become(order):
    """In a process that was forked: runs the code as if Python had been started with it."""
    said = os.open(order["said"], os.O_WRONLY)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.stdin, sys.argv = io.StringIO(order["input"]), order["argv"]
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    status = 0
    try:
        exec(compile(order["code"], "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    import tensorflow  # noqa: F401

    for line in sys.stdin:
        number = os.fork()
        if not number:
            _become(json.loads(line))
        print(number, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), flush=True)
