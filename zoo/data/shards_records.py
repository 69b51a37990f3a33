"""`Records`: where each image of a set lies on the disk."""

import functools
import hashlib

import numpy as np

# What is known of an image: its file and which of the file's records it is; its bytes' place, length and CRC-32; its
# class; its height, width and channels; and whether the bytes are the pixels themselves.
RECORD = np.dtype(
    [
        ("shard", "i4"),
        ("place", "i4"),
        ("offset", "i8"),
        ("length", "i4"),
        ("crc", "u4"),
        ("label", "i4"),
        ("height", "i4"),
        ("width", "i4"),
        ("channels", "u1"),
        ("raw", "?"),
    ]
)


class Records:
    """Images on the disk.

    Args:
        paths: the files.
        table: array of `RECORD`, in the order of the files and of the records in them.
    """

    def __init__(self, paths, table):
        self.paths = list(paths)
        self.table = table

    def __len__(self):
        return len(self.table)

    def only(self, rows):
        """Some of the records, given by ascending positions or a mask."""
        return Records(self.paths, self.table[rows])

    def joined(self, other):
        """These records and, after them, others."""
        theirs = other.table.copy()
        theirs["shard"] += len(self.paths)
        return Records(self.paths + other.paths, np.concatenate([self.table, theirs]))

    @property
    def nbytes(self):
        return self.table.nbytes

    @functools.cached_property
    def digest(self):
        """SHA-256 of the images' checksums, lengths and classes, and of how they are spread over files: bytes."""
        digest = hashlib.sha256()
        for column in ("crc", "length", "label", "shard", "place"):
            digest.update(np.ascontiguousarray(self.table[column]).data)
        return digest.digest()

    def named(self, row):
        """Where a record is, in words."""
        return named(self.paths[self.table["shard"][row]], self.table["place"][row], self.table["offset"][row])


def named(path, place, offset):
    """Where an image is, in words: what begins a file is the file, for behind the beginning of a record it is not."""
    return f"record {place} of {path}" if offset else str(path)
