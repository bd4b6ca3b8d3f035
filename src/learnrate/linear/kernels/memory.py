"""Arrays as the kernels take them: always of one kind, so that they compile once, and where vectors lie well."""

from __future__ import annotations

import math

import numpy as np

from learnrate._shapes import Array

__all__ = ["aligned_zeros", "indices", "read_only"]

_LINE = 64  # bytes


def aligned_zeros(shape: tuple[int, ...], dtype: np.dtype[np.floating]) -> Array:
    """Zeros that begin at a cache line, since a vector that lies across two takes twice as long to read."""
    size = math.prod(shape) * dtype.itemsize
    room = np.zeros(size + _LINE, dtype=np.uint8)
    first = -room.__array_interface__["data"][0] % _LINE
    return room[first : first + size].view(dtype).reshape(shape)


def read_only(array: Array) -> Array:
    """A view that cannot be written, of rows that lie one after another.

    Always of one kind, whether the caller's arrays may be written or not.
    """
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def indices(order: Array) -> Array:
    """Row numbers in the type that suffices, which kernels were compiled for."""
    return order.astype(np.int32 if order.size < 2**31 else np.int64, copy=False)
