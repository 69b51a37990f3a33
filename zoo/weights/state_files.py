"""Files of named arrays: `.safetensors` and `.npz`, read without ever running code that the file brings.

The safetensors format: eight bytes, the length of a JSON header; the header, which gives each array's type, shape and
place; the arrays' bytes, little-endian, one behind the other. https://github.com/huggingface/safetensors
"""

import hashlib
import json
import math
import os
import re
import zipfile
from pathlib import Path

import numpy as np

from zoo.errors import ZooError, require, suggest

# safetensors' names of the types that are read. NumPy has no bfloat16: its bits are the upper half of a float32's.
TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "<i1",
    "U8": "<u1",
    "BOOL": "<u1",
}
KINDS = "f2 f4 f8 i1 i2 i4 i8 u1 b1".split()  # the same types in NumPy's words
HEADER = 100 * 10**6  # bytes; the format's own limit
EXPANSION = 100  # weights hardly shrink in a zip file: what grows more than this was made to fill the memory
PICKLES = (".pt", ".pth", ".bin", ".pkl", ".ckpt")


class _Damaged(Exception):
    """What is wrong with a file, as the end of the sentence "FILE cannot be read: ..."."""


def read(path, sha256=None):
    """Reads a file of named arrays, such as a PyTorch state dict.

    Nothing in the file is executed. A file that says one thing and holds another is refused as a whole: sizes that do
    not fit shapes, arrays that overlap or leave gaps, a name that stands twice, an end that is missing.

    Args:
        path: a `.safetensors` file (F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL) or an `.npz` file of the same
            types.
        sha256: None, or the 64 hexadecimal digits that the file's SHA-256 must be; checked before the file is opened
            as anything.

    Returns:
        A dict from name to float32 array, in the file's order. Integers above 2^24 are rounded.

    Raises:
        ZooError: no such file, another kind of file, another SHA-256, a damaged file, or a number that is too large for
            float32. A pickle (`.pt`, `.pth`, `.bin`) is refused with the lines that convert it.

    Example:
        >>> np.savez("state.npz", **{"fc.weight": np.eye(2, dtype="float16")})
        >>> read("state.npz")
        {'fc.weight': array([[1., 0.], [0., 1.]], dtype=float32)}
    """
    require(isinstance(path, str | os.PathLike), "path", path, "the path of a .safetensors or .npz file")
    path = Path(path)
    kind = path.suffix.lower()
    if kind in PICKLES:
        raise ZooError(_why_no_pickle(path))
    if kind not in (".safetensors", ".npz"):
        raise ZooError(f"arrays are read from .safetensors and .npz files. Received: {path}")
    if sha256 is not None:
        fits = isinstance(sha256, str) and re.fullmatch("[0-9a-fA-F]{64}", sha256)
        require(fits, "sha256", sha256, "64 hexadecimal digits")
    try:
        with open(path, "rb") as file:
            _verify(file, path, sha256)
            return (_safetensors if kind == ".safetensors" else _npz)(file)
    except FileNotFoundError:
        there = [each.name for each in path.parent.glob("*") if each.suffix.lower() in (".safetensors", ".npz")]
        raise ZooError(f"there is no file {path}.{suggest(path.name, there)}") from None
    except _Damaged as damage:
        raise ZooError(f"{path} cannot be read: {damage}") from None
    except OSError as error:
        raise ZooError(f"{path} cannot be read: {error.strerror or error}") from error
    except MemoryError:
        raise ZooError(f"{path} cannot be read: its arrays do not fit into the memory") from None


def _why_no_pickle(path):
    return (
        f"{path} is a pickle: opening it runs whatever code it holds, so the zoo does not. On a machine with PyTorch, "
        "two lines make a file of plain numbers of its state dict:\n"
        "    import numpy, torch\n"
        f"    numpy.savez({path.stem + '.npz'!r}, **{{name: value.float().numpy() for name, value in "
        f"torch.load({path.name!r}, map_location='cpu', weights_only=True).items()}})\n"
        "or, with the package safetensors:\n"
        "    import safetensors.torch, torch\n"
        f"    safetensors.torch.save_file(torch.load({path.name!r}, map_location='cpu', weights_only=True), "
        f"{path.stem + '.safetensors'!r})"
    )


def _verify(file, path, sha256):
    if sha256 is None:
        return
    found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256.lower():
        raise ZooError(
            f"{path} is not the file that is expected: its SHA-256 is {found}, not {sha256.lower()}. It is damaged, "
            "or another version"
        )
    file.seek(0)


def _float32(name, array):
    with np.errstate(over="ignore"):
        converted = array.astype(np.float32, copy=False)
    if array.dtype.kind == "f" and array.dtype.itemsize == 8 and np.isinf(converted).sum() > np.isinf(array).sum():
        raise _Damaged(f"{name!r} has numbers that are too large for float32")
    return converted


# .safetensors


def _safetensors(file):
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > size - 8:
        raise _Damaged(f"its header would have {length} bytes, the file has {size}: it is truncated, or another format")
    if length > HEADER:
        raise _Damaged(f"its header has {length} bytes, more than the format's {HEADER}")
    parts = _parts(_header(file.read(length)), size - 8 - length)
    return {name: _float32(name, _array(file, *part)) for name, part in parts.items()}


def _header(text):
    def unique(pairs):
        found = {}
        for name, value in pairs:
            if name in found:
                raise _Damaged(f"{name!r} stands twice in its header")
            found[name] = value
        return found

    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise _Damaged(f"its header is not JSON ({error})") from None
    if not isinstance(header, dict):
        raise _Damaged("its header is not a JSON object")
    header.pop("__metadata__", None)
    return header


def _parts(header, size):
    """Name -> (type, shape) in the order of the bytes, of which none may be left over or belong to two arrays."""
    found = []
    for name, part in header.items():
        if not isinstance(part, dict) or set(part) != {"dtype", "shape", "data_offsets"}:
            raise _Damaged(f"its header does not give {name!r} a dtype, a shape and data_offsets")
        dtype, shape, offsets = part["dtype"], part["shape"], part["data_offsets"]
        if not isinstance(dtype, str) or dtype not in TYPES:
            raise _Damaged(f"{name!r} has the type {dtype!r}, which is none of {', '.join(TYPES)}")
        if not _sizes(shape) or len(shape) > 32:
            raise _Damaged(f"{name!r} has the shape {shape!r}")
        if not _sizes(offsets) or len(offsets) != 2:
            raise _Damaged(f"{name!r} has the data_offsets {offsets!r}")
        needed = math.prod(shape) * np.dtype(TYPES[dtype]).itemsize
        if offsets[1] - offsets[0] != needed:
            raise _Damaged(f"{name!r} of shape {shape} and type {dtype} needs {needed} bytes, not those of {offsets}")
        found.append((*offsets, name, dtype, shape))
    end = 0
    for start, stop, name, _, _ in sorted(found, key=lambda each: each[:2]):
        if start != end:
            raise _Damaged(f"{name!r} begins at byte {start}, where the array before it ends at {end}")
        end = stop
    if end != size:
        raise _Damaged(f"its arrays have {end} bytes, and {size} stand behind the header: it is truncated, or damaged")
    return {name: (dtype, shape) for _, _, name, dtype, shape in sorted(found, key=lambda each: each[:2])}


def _sizes(values):
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)


def _array(file, dtype, shape):
    count = math.prod(shape)
    array = np.fromfile(file, TYPES[dtype], count)
    if array.size != count:
        raise _Damaged("it became shorter while it was read")
    if dtype == "BF16":
        array = (array.astype(np.uint32) << 16).view(np.float32)
    elif dtype == "BOOL":
        array = array != 0
    return array.reshape(shape)


# .npz


def _npz(file):
    try:
        return _members(file)
    except (_Damaged, OSError, MemoryError):
        raise
    except Exception as error:
        # zipfile, zlib and NumPy's header parser raise a dozen kinds of errors on damaged files.
        raise _Damaged(f"it is not a whole .npz file ({error})") from error


def _members(file):
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    found = {}
    with zipfile.ZipFile(file) as archive:
        total = sum(member.file_size for member in archive.infolist())
        if total > EXPANSION * size + 2**20:
            raise _Damaged(f"its {size} bytes would become {total}: weights do not shrink like that")
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name == member.filename:
                raise _Damaged(f"it holds {name!r}, which is no array: a PyTorch file under another name?")
            if name in found:
                raise _Damaged(f"it holds {name!r} twice")
            with archive.open(member) as part:
                array = np.lib.format.read_array(part, allow_pickle=False)
                # The last read also makes zipfile compare its checksum.
                if part.read(1):
                    raise _Damaged(f"{name!r} has more bytes than its shape {array.shape}")
            if array.dtype.str[1:] not in KINDS:
                raise _Damaged(f"{name!r} has the type {array.dtype}, which is none of {', '.join(KINDS)}")
            found[name] = _float32(name, array)
    return found
