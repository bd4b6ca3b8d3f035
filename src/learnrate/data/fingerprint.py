"""A name for the examples themselves, to tell whether two results rest on the same ones."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from learnrate._shapes import Array

__all__ = ["Fingerprint", "fingerprint"]


def fingerprint(*arrays: Array | None) -> str:
    """The first 16 hexadecimal digits of SHA-256 over types, shapes and values, in order.

    The same numbers give the same fingerprint on every machine, whatever its byte order. None, for
    examples that are not there, counts as an empty place.
    """
    digest = Fingerprint()
    for array in arrays:
        digest.add(array)
    return digest.hexdigest()


class Fingerprint:
    """The same, of arrays that come in pieces."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, array: Array | None) -> None:
        """Take in a whole array."""
        if array is None:
            self._digest.update(b"none;")
            return
        portable = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        self.begin(portable.dtype, portable.shape)
        self._digest.update(portable.data)

    def begin(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        """Begin an array whose bytes follow by `more`, in C order, the lowest of a number first."""
        self._digest.update(f"{dtype.newbyteorder('<').str}{shape};".encode())

    def more(self, content: bytes) -> None:
        """Go on with it."""
        self._digest.update(content)

    def hexdigest(self) -> str:
        """The fingerprint."""
        return self._digest.hexdigest()[:16]
