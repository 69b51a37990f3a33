"""Contenders that stay: a process that is built, compiled and warm waits for its turns, as many as there are rounds.

Nothing but the standard library is imported, so that a contender can run in an environment without Keras. In a worker:

    begin()
    after = Turns(images=128, packages=["torch"])
    while True:
        step()
        if not after():
            break
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import rounds

# Compilation and first allocations: steps, and seconds, that are over before a worker says that it is ready.
WARM_STEPS, WARM_SECONDS = 3, 1.0

_answers = None


def begin():
    """Keeps standard output for answers: what libraries print goes where errors go."""
    global _answers
    _answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)


def answer(content):
    """Sends a dict to the `Worker`."""
    print(json.dumps(content), file=_answers, flush=True)


class Turns:
    """What a worker calls after every step: it measures when it is its turn, and waits otherwise.

    Args:
        images: images a step.
        packages: names of the packages whose versions matter.
    """

    def __init__(self, images, packages):
        self.images = images
        self.packages = packages
        self.began = time.perf_counter()
        self.steps = 0
        self.meter = None
        self.seconds = None

    def __call__(self, steps=1):
        """Takes the number of steps since the last call; returns whether more are wanted."""
        now = time.perf_counter()
        self.steps += steps
        if self.seconds is None:
            if self.steps < WARM_STEPS or now - self.began < WARM_SECONDS:
                return True
            answer({"ready": True})
            return self._wait()
        if self.meter is None:  # the step behind the pause, which finds cold caches
            self.meter = rounds.Meter().__enter__()
            self.began, self.steps = time.perf_counter(), 0
            return True
        if now - self.began < self.seconds:
            return True
        self.meter.__exit__()
        answer(rounds.result([self.images * self.steps / (now - self.began)], self.meter, self.packages))
        return self._wait()

    def _wait(self):
        self.meter = None
        line = sys.stdin.readline()
        self.seconds = float(line or 0)
        return bool(line)


class Worker:
    """A contender's process, seen from outside.

    Args:
        command: list of strings.

    Raises:
        rounds.Failed: it ended before it was ready.
    """

    def __init__(self, command):
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        try:
            self.first = self._answer()
        except BaseException:
            self.end()
            raise

    def measure(self, seconds):
        """One turn: a dict as `rounds.result` makes it."""
        print(seconds, file=self._process.stdin, flush=True)
        return self._answer()

    def end(self):
        """Ends the process, whatever it does."""
        self._process.kill()
        self._process.wait()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            self._errors.seek(0)
            lines = self._errors.read().strip().splitlines()
            raise rounds.Failed(lines[-1] if lines else f"exit status {status}")
        return json.loads(line)


def take_turns(commands, arguments):
    """Starts contenders, lets them take turns, and ends them.

    Args:
        commands: a dict from a contender's name to its command, a list of strings.
        arguments: with the numbers `seconds` (a turn), `rounds` and `patience`.

    Returns:
        What `rounds.take_turns` returns. A contender that does not start is named and left out.
    """
    started = {}
    try:
        # As many at once as there are cores: most of a start is one thread's work.
        with ThreadPoolExecutor(rounds.cores()) as pool:
            futures = {name: pool.submit(Worker, command) for name, command in commands.items()}
        for name, future in futures.items():
            if error := future.exception():
                print(f"{name} is left out: {error}")
            else:
                started[name] = future.result()
        turn = {name: lambda worker=worker: worker.measure(arguments.seconds) for name, worker in started.items()}
        return rounds.take_turns(turn, arguments.rounds, arguments.patience)
    finally:
        for worker in started.values():
            worker.end()
