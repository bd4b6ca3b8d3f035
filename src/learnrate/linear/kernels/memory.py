"""Arrays for the kernels: always of one type, so that kernels are compiled once, and aligned with cache lines."""

from __future__ import annotations

import math

import numpy as np

from learnrate._shapes import Array

__all__ = ["aligned_zeros", "indices", "read_only"]

_LINE = 64  # bytes


def aligned_zeros(shape: tuple[int, ...], dtype: np.dtype[np.floating]) -> Array:
    """Zeros that begin at a cache line. A vector that lies across two lines takes twice as long to read."""
    size = math.prod(shape) * dtype.itemsize
    room = np.zeros(size + _LINE, dtype=np.uint8)
    first = -room.__array_interface__["data"][0] % _LINE
    return room[first : first + size].view(dtype).reshape(shape)


def read_only(array: Array) -> Array:
    """A contiguous, read-only view of an array, or of a copy if the array is not contiguous.

    Kernels are compiled for this type only, whether the caller's array is read-only or not.
    """
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def indices(order: Array) -> Array:
    """Row numbers as int32, or as int64 if there are 2³¹ or more: the types that kernels are compiled for."""
    return order.astype(np.int32 if order.size < 2**31 else np.int64, copy=False)
