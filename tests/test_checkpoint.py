"""Checkpoints: what goes in comes out, and a damaged file is named and passed over."""

import numpy as np
import pytest

from zoo import checkpoint

STATE = {
    "weights": [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(3, np.uint32)],
    "best": float("inf"),
    "names": ("a", "b"),
    "nested": {"wait": 2, 7: None, "seen": [True, "text"]},
    "scalar": np.float32(0.5),
}


def test_what_goes_in_comes_out(tmp_path):
    checkpoint.save(tmp_path, 3, STATE)
    found = checkpoint.newest(tmp_path)
    for mine, theirs in zip(STATE["weights"], found["weights"], strict=True):
        np.testing.assert_array_equal(mine, theirs)
        assert mine.dtype == theirs.dtype
    assert found["best"] == float("inf")
    assert found["names"] == ("a", "b")
    assert found["nested"] == STATE["nested"]
    assert found["scalar"] == 0.5


def test_only_the_newest_two_are_kept(tmp_path):
    for epoch in (1, 2, 10):
        checkpoint.save(tmp_path, epoch, {"epoch": epoch})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-000002.ckpt", "epoch-000010.ckpt"]
    assert checkpoint.newest(tmp_path) == {"epoch": 10}


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "foreign"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(tmp_path, damage):
    checkpoint.save(tmp_path, 1, {"epoch": 1, "weights": np.zeros(100)})
    path = checkpoint.save(tmp_path, 2, {"epoch": 2, "weights": np.ones(100)})
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flip":
        content[len(content) // 2] ^= 1
    elif damage == "empty":
        content = b""
    else:
        content = b"PK\x03\x04 something else"
    path.write_bytes(content)
    said = []
    assert checkpoint.newest(tmp_path, said.append)["epoch"] == 1
    assert len(said) == 1 and str(path) in said[0]


def test_no_checkpoint(tmp_path):
    assert checkpoint.newest(tmp_path / "absent") is None


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    checkpoint.write_atomically(path, "old")
    monkeypatch.setattr(checkpoint.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(OSError):
        checkpoint.write_atomically(path, "new")
    assert path.read_text() == "old"


def test_objects_are_neither_written_nor_read(tmp_path):
    with pytest.raises(ValueError, match="[Oo]bject"):
        checkpoint.save(tmp_path, 1, {"objects": np.array([{"a": 1}], dtype=object)})
    assert not list(tmp_path.glob("*.ckpt"))
