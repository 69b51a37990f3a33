"""Checkpoints that survive a power cut: written aside, synced, renamed, and hashed.

A checkpoint is one file: a line with the format, a line with the SHA-256 of the rest, then a NumPy `.npz` of arrays
with one JSON document among them. Nothing in it is executed when it is read.
"""

import contextlib
import hashlib
import io
import json
import os
from pathlib import Path

import numpy as np

FORMAT = b"zoo checkpoint 1\n"
KEPT = 2


def write_atomically(path, content):
    """Writes a file so that a reader, at any moment and after a power cut, sees the old content or the new one.

    Args:
        path: where; its folder exists.
        content: `bytes` or `str` (written as UTF-8).
    """
    path = Path(path)
    aside = path.with_name(f".{path.name}.{os.getpid()}.writing")
    with open(aside, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
    with contextlib.suppress(OSError):  # not every file system lets a folder be synced
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def save(folder, epoch, state):
    """Saves the state at the end of an epoch and removes all but the newest `KEPT` checkpoints.

    Args:
        folder: the run's `checkpoints` folder; made if it is missing.
        epoch: number of epochs that are complete.
        state: nested dicts, lists and tuples of plain values and NumPy arrays.

    Returns:
        The checkpoint's path.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {}
    document = json.dumps(_pack(state, arrays))
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, document=np.frombuffer(document.encode(), np.uint8), **arrays)
    payload = buffer.getvalue()
    path = folder / f"epoch-{epoch:06d}.ckpt"
    write_atomically(path, FORMAT + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload)
    for old in _newest_first(folder)[KEPT:]:
        old.unlink(missing_ok=True)
    return path


def load(path):
    """Reads one checkpoint.

    Returns:
        The state that `save` was given.

    Raises:
        OSError, ValueError: the file cannot be read, or is not what was written.
    """
    content = Path(path).read_bytes()
    if not content.startswith(FORMAT):
        raise ValueError("it does not begin like a checkpoint")
    digest, _, payload = content[len(FORMAT) :].partition(b"\n")
    if hashlib.sha256(payload).hexdigest().encode() != digest:
        raise ValueError("its content does not match its hash")
    with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
        return _unpack(json.loads(arrays["document"].tobytes()), arrays)


def newest(folder, tell=print):
    """The newest checkpoint that is whole.

    Args:
        folder: the run's `checkpoints` folder.
        tell: called with one line for each damaged checkpoint that is passed over.

    Returns:
        The state, or None when there is no whole checkpoint.
    """
    return _newest(folder, tell)[1]


def newest_path(folder):
    """The path of the newest checkpoint that is whole, or None."""
    return _newest(folder, lambda _: None)[0]


def _newest(folder, tell):
    for path in _newest_first(folder):
        try:
            return path, load(path)
        except (OSError, ValueError) as error:
            tell(f"The checkpoint {path} is damaged ({error}); the one before it is used.")
    return None, None


def _newest_first(folder):
    return sorted(Path(folder).glob("epoch-*.ckpt"), reverse=True)


def _pack(value, arrays):
    """Replaces arrays by references, and what JSON has no word for (tuples, NumPy scalars) by what it has."""
    if isinstance(value, np.ndarray):
        key = f"array{len(arrays)}"
        arrays[key] = value
        return {"array": key}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return {"tuple": [_pack(item, arrays) for item in value]}
    if isinstance(value, list):
        return [_pack(item, arrays) for item in value]
    if isinstance(value, dict):
        return {"dict": [[_pack(key, arrays), _pack(item, arrays)] for key, item in value.items()]}
    return value


def _unpack(value, arrays):
    if isinstance(value, list):
        return [_unpack(item, arrays) for item in value]
    if isinstance(value, dict):
        (kind, content), *_ = value.items()
        if kind == "array":
            return arrays[content]
        if kind == "tuple":
            return tuple(_unpack(item, arrays) for item in content)
        return {_unpack(key, arrays): _unpack(item, arrays) for key, item in content}
    return value
