"""Files of arrays: what both formats hold, and that nothing damaged or hostile is taken for weights."""

import hashlib
import io
import json
import os
import sys
import types
import zipfile

import numpy as np
import pytest

import zoo
from zoo.weights import state_files
from zoo.weights.state_files import read

VALUES = np.array([[1, 0, 3], [0, 5, 6]])


def _file(header, data=b"", length=None):
    """The bytes of a .safetensors file, whatever its header says."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def _part(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def _safetensors(path, arrays):
    """A whole file of float32 arrays."""
    header, at = {}, 0
    for name, array in arrays.items():
        header[name] = _part("F32", array.shape, (at, at + array.nbytes))
        at += array.nbytes
    path.write_bytes(_file(header, b"".join(array.tobytes() for array in arrays.values())))


def _member(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _zip(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [
        ("F64", VALUES.astype("<f8")),
        ("F32", VALUES.astype("<f4")),
        ("F16", VALUES.astype("<f2")),
        ("BF16", (VALUES.astype("<f4").view("<u4") >> 16).astype("<u2")),
        ("I64", VALUES.astype("<i8")),
        ("I32", VALUES.astype("<i4")),
        ("I16", VALUES.astype("<i2")),
        ("I8", VALUES.astype("<i1")),
        ("U8", VALUES.astype("<u1")),
        ("BOOL", (VALUES > 0).astype("<u1")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_type_of_safetensors(own_folder, dtype, stored):
    path = own_folder / "state.safetensors"
    path.write_bytes(_file({"fc.weight": _part(dtype, (2, 3), (0, stored.nbytes))}, stored.tobytes()))
    found = read(path)["fc.weight"]
    assert found.dtype == np.float32 and found.flags.writeable
    np.testing.assert_array_equal(found, VALUES > 0 if dtype == "BOOL" else VALUES)


def test_bfloat16_is_the_upper_half_of_float32(own_folder):
    bits = np.array([0x3F80, 0xC020, 0x0001, 0x7F80, 0xFFC0], "<u2")
    (own_folder / "state.safetensors").write_bytes(_file({"x": _part("BF16", (5,), (0, 10))}, bits.tobytes()))
    found = read("state.safetensors")["x"]
    np.testing.assert_array_equal(found, np.array([1, -2.5, 2.0**-133, np.inf, np.nan], np.float32))


@pytest.mark.parametrize("dtype", "f2 f4 f8 >f4 i1 i2 i4 i8 u1 b1".split())
def test_every_type_of_npz(own_folder, dtype):
    stored = VALUES.astype(dtype)
    np.savez_compressed("state.npz", **{"fc.weight": stored, "turned": stored.T})
    found = read("state.npz")
    assert list(found) == ["fc.weight", "turned"]
    assert all(each.dtype == np.float32 for each in found.values())
    np.testing.assert_array_equal(found["fc.weight"], stored)
    np.testing.assert_array_equal(found["turned"], stored.T)


def test_the_header_may_have_another_order_metadata_padding_and_empty_arrays(own_folder):
    header = {
        "__metadata__": {"format": "pt"},
        "last": _part("F32", (1,), (8, 12)),
        "none": _part("F32", (0, 4), (8, 8)),
        "first": _part("I64", (), (0, 8)),
    }
    data = np.array(7, "<i8").tobytes() + np.array(2.5, "<f4").tobytes()
    (own_folder / "state.safetensors").write_bytes(_file(json.dumps(header).encode() + b"   ", data))
    found = read("state.safetensors")
    assert list(found) == ["first", "none", "last"]
    assert (found["first"].shape, float(found["first"])) == ((), 7)
    assert (found["none"].shape, found["last"].tolist()) == ((0, 4), [2.5])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "another format"),
        (b"\x80\x02}q\x00", "another format"),
        (_file({}, length=2**40), "header would have 1099511627776 bytes, the file has"),
        (_file(b"{" + b"[" * 50_000), "not JSON"),
        (_file(b"\xff\xfe"), "not JSON"),
        (_file(b'{"x": 1' + b"0" * 5000 + b"}"), "not JSON"),
        (_file(b"[]"), "not a JSON object"),
        (_file(b'{"x": 1, "x": 2}'), "'x' stands twice"),
        (_file(b'{"x": {"dtype": "F32", "dtype": "F64"}}'), "'dtype' stands twice"),
        (_file({"x": 3}), "does not give 'x' a dtype, a shape and data_offsets"),
        (_file({"x": {**_part(), "path": "/etc/passwd"}}, bytes(8)), "does not give 'x'"),
        (_file({"x": _part("F8_E4M3")}, bytes(8)), "type 'F8_E4M3', which is none of F64, F32"),
        (_file({"x": {**_part(), "dtype": ["F32"]}}, bytes(8)), "type \\['F32'\\]"),
        (_file({"x": _part(shape=(-2,))}, bytes(8)), "shape \\[-2\\]"),
        (_file({"x": _part(shape=(2.0,))}, bytes(8)), "shape \\[2.0\\]"),
        (_file({"x": _part(shape=(True, 2))}, bytes(8)), "shape \\[True, 2\\]"),
        (_file({"x": _part(shape=(1,) * 33, offsets=(0, 4))}, bytes(4)), "shape"),
        (_file({"x": _part(offsets=(0, 8, 8))}, bytes(8)), "data_offsets"),
        (_file({"x": _part(offsets=(-8, 0))}, bytes(8)), "data_offsets"),
        (_file({"x": _part(offsets=(8, 0))}, bytes(8)), "needs 8 bytes"),
        (_file({"x": _part(shape=(10**9, 10**9))}, bytes(8)), "needs 4000000000000000000 bytes, not those of"),
        (_file({"x": _part(shape=(3,))}, bytes(8)), "needs 12 bytes"),
        (_file({"x": _part(), "y": _part(offsets=(4, 12))}, bytes(12)), "'y' begins at byte 4"),
        (_file({"x": _part(), "y": _part(offsets=(0, 8))}, bytes(8)), "begins at byte 0, where the array before"),
        (_file({"x": _part(), "y": _part(offsets=(12, 20))}, bytes(20)), "'y' begins at byte 12"),
        (_file({"x": _part(offsets=(4, 12))}, bytes(12)), "'x' begins at byte 4"),
        (_file({"x": _part()}, bytes(7)), "have 8 bytes, and 7 stand behind"),
        (_file({"x": _part()}, bytes(9)), "have 8 bytes, and 9 stand behind"),
        (_file({"x": _part("F64", (1,))}, np.array(1e300).tobytes()), "'x' has numbers that are too large for float32"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_safetensors(own_folder, content, message):
    (own_folder / "state.safetensors").write_bytes(content)
    with pytest.raises(zoo.ZooError, match=f"state.safetensors cannot be read: .*{message}"):
        read("state.safetensors")


def test_a_header_of_more_than_the_formats_limit(own_folder, monkeypatch):
    monkeypatch.setattr(state_files, "HEADER", 10)
    (own_folder / "state.safetensors").write_bytes(_file({"x": _part()}, bytes(8)))
    with pytest.raises(zoo.ZooError, match="more than the format's 10"):
        read("state.safetensors")


class _Code:
    def __reduce__(self):
        return os.mkdir, ("executed",)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("x.npy", _member(np.array([_Code()], object)))], "allow_pickle=False"),
        ([("archive/data.pkl", b"\x80\x02")], "'archive/data.pkl', which is no array: a PyTorch file"),
        ([("x.npy", _member(np.zeros(2) + 1j))], "'x' has the type complex128, which is none of f2, f4"),
        ([("x.npy", _member(np.array(["a"])))], "'x' has the type <U1"),
        ([("x.npy", _member(np.zeros(2, [("a", "f4")])))], "'x' has the type"),
        ([("x.npy", _member(np.zeros(2)) + b"more")], "'x' has more bytes than its shape \\(2,\\)"),
        ([("x.npy", _member(np.zeros(2))[:-1])], "not a whole .npz file"),
        ([("x.npy", _member(np.zeros(2)).replace(b"(2,)", b"(9,)"))], "not a whole .npz file"),
        ([("x.npy", _member(np.zeros(2)).replace(b"<f8", b"<q8"))], "not a whole .npz file"),
        ([("x.npy", b"")], "not a whole .npz file"),
        ([("x.npy", _member(np.array([1.0, -1e39])))], "'x' has numbers that are too large for float32"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_npz(own_folder, members, message):
    _zip("state.npz", members)
    with pytest.raises(zoo.ZooError, match=f"state.npz cannot be read: .*{message}"):
        read("state.npz")
    assert not (own_folder / "executed").exists()


def test_a_name_twice_in_an_npz(own_folder):
    with pytest.warns(UserWarning, match="Duplicate name"):
        _zip("state.npz", [("x.npy", _member(np.zeros(2))), ("x.npy", _member(np.ones(2)))])
    with pytest.raises(zoo.ZooError, match="'x' twice"):
        read("state.npz")


def test_an_npz_that_would_fill_the_memory(own_folder):
    _zip("state.npz", [(f"{number}.npy", _member(np.zeros(2**17))) for number in range(3)], zipfile.ZIP_DEFLATED)
    assert (own_folder / "state.npz").stat().st_size < 2**14
    with pytest.raises(zoo.ZooError, match="would become 3146112: weights do not shrink"):
        read("state.npz")


@pytest.mark.parametrize("kind", ["safetensors", "npz"])
def test_no_part_of_a_file_is_a_file(own_folder, kind):
    """Whatever is cut off at the end or overwritten: an error that names the file, or the same numbers."""
    draw = np.random.default_rng(0)
    arrays = {"a": draw.normal(size=(3, 4)).astype("f4"), "b": draw.normal(size=5).astype("f4")}
    path = own_folder / f"state.{kind}"
    if kind == "npz":
        np.savez_compressed(path, **arrays)
    else:
        _safetensors(path, arrays)
    whole = path.read_bytes()
    read(path)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(zoo.ZooError, match=f"state.{kind} cannot be read"):
            read(path)
    for _ in range(300):
        damaged = bytearray(whole)
        # Behind a safetensors header any bytes are numbers; an .npz file has checksums.
        end = len(whole) if kind == "npz" else 8 + int.from_bytes(whole[:8], "little")
        damaged[draw.integers(end)] = draw.integers(256)
        path.write_bytes(damaged)
        try:
            found = read(path)
        except zoo.ZooError as error:
            assert str(path) in str(error)
            continue
        if kind == "npz" and set(found) == set(arrays):
            for name, array in arrays.items():
                np.testing.assert_array_equal(found[name], array)


def test_the_sha256_is_verified_before_the_file_is_opened(own_folder):
    np.savez("state.npz", x=VALUES)
    digest = hashlib.sha256((own_folder / "state.npz").read_bytes()).hexdigest()
    np.testing.assert_array_equal(read("state.npz", sha256=digest.upper())["x"], VALUES)
    (own_folder / "state.npz").write_bytes(b"nothing that opens")
    with pytest.raises(zoo.ZooError, match=f"SHA-256 is [0-9a-f]{{64}}, not {digest}"):
        read("state.npz", sha256=digest)
    for wrong in (digest[:-1], 7, "g" * 64):
        with pytest.raises(zoo.ZooError, match="sha256 must be 64 hexadecimal digits"):
            read("state.npz", sha256=wrong)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".PTH"])
def test_a_pickle_is_refused_with_the_lines_that_convert_it(own_folder, monkeypatch, suffix):
    with pytest.raises(zoo.ZooError, match="is a pickle: opening it runs whatever code it holds") as refused:
        read(f"weights/resnet18{suffix}")
    first, second = (line.strip() for line in str(refused.value).splitlines()[1:3])

    class Tensor:
        def float(self):
            return self

        def numpy(self):
            return VALUES

    def load(path, map_location, weights_only):
        assert (path, map_location, weights_only) == (f"resnet18{suffix}", "cpu", True)
        return {"fc.weight": Tensor()}

    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(load=load))
    exec(f"{first}\n{second}", {})
    np.testing.assert_array_equal(read("resnet18.npz")["fc.weight"], VALUES)


def test_what_is_no_file_of_arrays(own_folder):
    np.savez("resnet18.npz", x=VALUES)
    with pytest.raises(zoo.ZooError, match="there is no file resnet81.npz. Did you mean 'resnet18.npz'"):
        read("resnet81.npz")
    with pytest.raises(zoo.ZooError, match="there is no file nowhere/resnet18.npz.$"):
        read("nowhere/resnet18.npz")
    (own_folder / "folder.npz").mkdir()
    with pytest.raises(zoo.ZooError, match="folder.npz cannot be read: Is a directory"):
        read("folder.npz")
    with pytest.raises(zoo.ZooError, match="from .safetensors and .npz files. Received: model.keras"):
        read("model.keras")
    with pytest.raises(zoo.ZooError, match="path must be the path of a .safetensors or .npz file"):
        read(7)
