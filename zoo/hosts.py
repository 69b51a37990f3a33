"""Several machines train one model: JAX joins their processes, and each works on its part of every batch.

One process a machine, started with the same command and its own number, from 0 on. Host 0 alone writes the run folder;
the others read their recipe and their data for themselves, and need no shared disk. All leave when one is lost: what
was trained up to the last checkpoint is kept, and `zoo resume`, started on all of them again, goes on from there.
"""

import atexit
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from zoo import checkpoint
from zoo.errors import ZooError, require

# Seconds that a host waits for the others to come; after which one that gives no sign is lost; and that those who have
# taken all steps wait for host 0, which evaluates and saves.
COME, SILENT, LEAVE = 300, 20, 7200
# The exit status of a host that ended because another did: sysexits' "temporary failure", which asks to try again.
LOST = 75
# How a command is told that it runs on behalf of another, which says the last word: where it is to note its folder, and
# the file descriptor that is open for as long as the other one lives.
NOTE, ALIVE = "ZOO_HOSTS_NOTE", "ZOO_HOSTS_ALIVE"
# Numbers of this host, as job schedulers give them to each process.
NUMBERS = ("ZOO_HOST", "JOB_COMPLETION_INDEX", "SLURM_PROCID")
# Files of a run folder that a host needs to go on with it.
FILES = ("recipe.json", "recipe.py", "metrics.json")
# What of a run's record must be the same on all hosts.
AGREED = ("hyper", "seed", "epochs", "steps", "execution", "retrain", "data", "versions")

_group = {"count": 1, "host": 0, "connected": False}


class HostLost(ZooError):
    """Another host ended, or cannot be reached."""

    status = LOST


def joined():
    """Whether this process trains together with others."""
    return _group["count"] > 1


def connected():
    """Whether the others still know of this process: from `join` to `leave`."""
    return _group["connected"]


def first():
    """Whether this is host 0, which writes; the only one there is, is."""
    return _group["host"] == 0


def read(hosts=None, host=None, environment=os.environ):
    """Which hosts there are and which of them this is, from arguments or else from the environment.

    Args:
        hosts: "address:port,address:port,...", or a list of such, host 0 first: the others find it there. "slurm" takes
            all of it from the Slurm step that the process runs in. None reads `ZOO_HOSTS`.
        host: the number of this host, from 0. None reads `ZOO_HOST`, `JOB_COMPLETION_INDEX` (an indexed job of
            Kubernetes) or `SLURM_PROCID`.
        environment: a dict.

    Returns:
        A pair: a tuple of addresses, or "slurm", or None where there are none; and the number, or None.

    Raises:
        ZooError: an address without a port, a number that is not one of theirs, or none.

    Example:
        >>> read("a:1234,b:1234", 1, {})
        (('a:1234', 'b:1234'), 1)
        >>> read("a:1234,b:1234", None, {"JOB_COMPLETION_INDEX": "0"})
        (('a:1234', 'b:1234'), 0)
    """
    hosts = hosts or environment.get("ZOO_HOSTS") or None
    if hosts is None:
        if host is not None:
            raise ZooError(f"host is one of several, and hosts are not given. Received: host={host!r}")
        return None, None
    if hosts == "slurm":
        missing = [name for name in ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_STEP_NODELIST") if name not in environment]
        if missing:
            raise ZooError(f"hosts='slurm' is for a step that srun started; there is no {', '.join(missing)} here")
        return hosts, None
    addresses = tuple(hosts.split(",") if isinstance(hosts, str) else hosts)
    named = all(isinstance(each, str) and re.fullmatch(r"[^\s,]+:\d{1,5}", each) for each in addresses)
    require(named, "hosts", hosts, "address:port of each host, such as 10.0.0.1:1234,10.0.0.2:1234, or 'slurm'")
    if len(set(addresses)) < len(addresses):
        raise ZooError(f"each host has an address and port of its own. Received: hosts={hosts!r}")
    if host is None:
        host = next((environment[name] for name in NUMBERS if name in environment), None)
        if host is None:
            raise ZooError(f"say which of the {len(addresses)} hosts this is: host=0 (--host 0) for {addresses[0]}")
    whole = (isinstance(host, int) and not isinstance(host, bool)) or (isinstance(host, str) and host.isdigit())
    fits = whole and 0 <= int(host) < len(addresses)
    require(fits, "host", host, f"a number from 0 to {len(addresses) - 1}, of the {len(addresses)} hosts")
    return addresses, int(host)


def join(hosts=None, host=None):
    """Joins this process with those of the other hosts; does nothing where no hosts are given.

    Args:
        hosts, host: see `read`.

    Raises:
        ZooError: as `read`; another backend than JAX, or a process that has computed already.
    """
    addresses, number = read(hosts, host)
    if addresses is None or joined():
        return
    import keras

    if keras.backend.backend() != "jax":
        raise ZooError(
            f"several hosts train together on the JAX backend: set KERAS_BACKEND=jax (and install jax). Received: "
            f"KERAS_BACKEND={keras.backend.backend()}"
        )
    if len(addresses) == 1:
        return
    import jax

    known = {} if addresses == "slurm" else dict(coordinator_address=addresses[0], process_id=number)
    known |= {} if addresses == "slurm" else dict(num_processes=len(addresses))
    try:
        jax.distributed.initialize(
            **known,
            cluster_detection_method="slurm" if addresses == "slurm" else "deactivate",
            initialization_timeout=COME,
            heartbeat_timeout_seconds=SILENT,
            shutdown_timeout_seconds=LEAVE,
        )
    except RuntimeError as error:
        if "before any JAX" in str(error):
            raise ZooError(
                "hosts are joined before anything is computed, and this process has computed already: begin with "
                "zoo.train(..., hosts=...) in a new one"
            ) from None
        raise HostLost(f"the hosts did not come together: {_first_line(error)}") from None
    _group.update(count=jax.process_count(), host=jax.process_index(), connected=True)
    atexit.register(_fall_out)


def part():
    """From here on this process computes for itself; the others still know of it, and it of them."""
    _group["count"] = 1


def leave():
    """Ends what was joined, when all hosts are here; from then on this process is the only one it knows of."""
    part()
    if connected():
        import jax

        with failures_told():
            jax.distributed.shutdown()
        _group.update(host=0, connected=False)


def own_folder(folder):
    """The run folder of this host: on host 0 what it was given, elsewhere a temporary one that goes with the process.

    Args:
        folder: a `pathlib.Path`.

    Returns:
        A `pathlib.Path`.
    """
    if not joined():
        return folder
    note = os.environ.get(NOTE)
    name = shared(str(folder).encode())
    if note:
        Path(note).write_bytes(name)
    if first():
        return folder
    home = tempfile.mkdtemp(prefix="zoo-host-", dir=Path(note).parent if note else None)
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return Path(home) / "run"


def copied(folder):
    """Gives the other hosts what they need to go on with the run that is in host 0's folder.

    Args:
        folder: the run folder of this host, see `own_folder`.
    """
    if not joined():
        return
    names = [name for name in FILES if (folder / name).is_file()] if first() else []
    found = checkpoint.newest_path(folder / "checkpoints") if first() else None
    names += [f"checkpoints/{found.name}"] if found else []
    for name in json.loads(shared(json.dumps(names).encode())):
        content = shared((folder / name).read_bytes() if first() else b"")
        if not first():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def shared(content):
    """Host 0's bytes, on all hosts.

    Args:
        content: bytes; those of the others are not looked at.
    """
    import numpy as np
    from jax.experimental import multihost_utils

    size = int(multihost_utils.broadcast_one_to_all(np.int32(len(content))))
    own = np.frombuffer(content, np.uint8) if first() else np.zeros(size, np.uint8)
    return bytes(np.asarray(multihost_utils.broadcast_one_to_all(own))) if size else b""


def agree(record, source):
    """Checks that all hosts are about to train the same.

    Args:
        record: what `recipe.json` is to hold.
        source: text of the recipe's file.

    Raises:
        ZooError: on all hosts, if one has other arguments, data or versions than host 0; it says which.
    """
    if not joined():
        return
    import numpy as np
    from jax.experimental import multihost_utils

    own = {key: record[key] for key in AGREED} | {"recipe": source}
    own = json.loads(json.dumps(own))
    theirs = json.loads(shared(json.dumps(own).encode()))
    differ = [key for key in own if own[key] != theirs[key]]
    alike = multihost_utils.process_allgather(np.int32(not differ)).ravel()
    if alike.all():
        return
    which = ", ".join(str(number) for number, fits in enumerate(alike) if not fits)
    here = f" (host {_group['host']} differs in: {', '.join(differ)})" if differ else ""
    raise ZooError(f"all hosts must train the same, and host 0 is about to train another run than host {which}{here}")


@contextlib.contextmanager
def failures_told():
    """Says in one line that another host was lost, where JAX raises what its transport found."""
    try:
        yield
    except ZooError:
        raise
    except Exception as error:
        if connected() and re.search("gloo|nccl|coordination|heartbeat|connection|barrier", str(error), re.IGNORECASE):
            raise HostLost(f"another host was lost: {_first_line(error)}") from None
        raise


def supervised(arguments, addresses, number):
    """Runs a command of several hosts in a process of its own, and says how to go on if that ends before its time.

    JAX ends a process whose peers are gone from C++, and leaves Python no last word.

    Args:
        arguments: those of the command line.
        addresses, number: see `read`.

    Returns:
        The exit status: the command's own, or `LOST`.
    """
    with tempfile.TemporaryDirectory(prefix="zoo-hosts-") as home:
        note = Path(home) / "folder"
        alive, living = os.pipe()
        environment = {**os.environ, NOTE: str(note), ALIVE: str(alive)}
        command = [sys.executable, "-m", "zoo.cli", *arguments]
        child = subprocess.Popen(command, env=environment, pass_fds=(alive,))
        os.close(alive)
        # Ctrl-C reaches both; the child knows what to do.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        stopping = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        try:
            status = child.wait()
        finally:
            os.close(living)
            signal.signal(signal.SIGINT, before)
            signal.signal(signal.SIGTERM, stopping)
        if status in (0, 2, 130):
            return status
        folder = note.read_text(encoding="utf-8") if note.is_file() else None
    hosts = addresses if addresses == "slurm" else f"{','.join(addresses)} --host {number}"
    how = f"zoo resume {folder} --hosts {hosts}" if folder else f"zoo {' '.join(arguments)}"
    print(
        f"zoo: the run on several hosts has ended before its time: this host failed, or another one, and then all "
        f"stop. The last checkpoint is kept. To continue, start all hosts again; here: {how}",
        file=sys.stderr,
        flush=True,
    )
    return LOST


def supervises():
    """Whether this process has another one that says the last word; if so, it ends when that one does."""
    if NOTE not in os.environ:
        return False
    pipe = int(os.environ.pop(ALIVE))

    def wait():
        os.read(pipe, 1)
        os._exit(LOST)

    threading.Thread(target=wait, daemon=True).start()
    return True


def end(status):
    """Ends the process at once if it failed before it left: JAX would wait for the others first."""
    if status and connected():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _fall_out():
    end(LOST)


def _first_line(error):
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return re.sub(r"(.+?: )\1+", r"\1", line)[:300]
