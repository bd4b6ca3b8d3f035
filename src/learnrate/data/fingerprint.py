"""A name for the examples themselves, to tell whether two results rest on the same ones."""

from __future__ import annotations

import hashlib

import numpy as np

from learnrate._shapes import Array

__all__ = ["fingerprint"]


def fingerprint(*arrays: Array | None) -> str:
    """The first 16 hexadecimal digits of SHA-256 over types, shapes and values, in order.

    The same numbers give the same fingerprint on every machine, whatever its byte order. None, for
    examples that are not there, counts as an empty place.
    """
    digest = hashlib.sha256()
    for array in arrays:
        if array is None:
            digest.update(b"none;")
            continue
        portable = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        digest.update(f"{portable.dtype.str}{portable.shape};".encode())
        digest.update(portable.data)
    return digest.hexdigest()[:16]
