"""A hash of the examples, to tell whether two results are of the same examples."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from learnrate._shapes import Array

__all__ = ["Fingerprint", "fingerprint"]


def fingerprint(*arrays: Array | None) -> str:
    """The first 16 hexadecimal digits of SHA-256 over the types, shapes and values of arrays, in order.

    The same numbers give the same fingerprint on every machine, whatever its byte order. None, for examples that are
    not there, has a hash of its own.
    """
    digest = Fingerprint()
    for array in arrays:
        digest.add(array)
    return digest.hexdigest()


class Fingerprint:
    """Computes the hash of `fingerprint` from arrays that are read in chunks."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, array: Array | None) -> None:
        """Add a whole array."""
        if array is None:
            self._digest.update(b"none;")
            return
        portable = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        self.begin(portable.dtype, portable.shape)
        self._digest.update(portable.data)

    def begin(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        """Begin an array whose bytes are added with `more`, in C order and little-endian."""
        self._digest.update(f"{dtype.newbyteorder('<').str}{shape};".encode())

    def more(self, content: bytes) -> None:
        """Add the next bytes of the array."""
        self._digest.update(content)

    def hexdigest(self) -> str:
        """The fingerprint."""
        return self._digest.hexdigest()[:16]
