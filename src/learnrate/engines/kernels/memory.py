"""Arrays as the kernels take them: always of one kind, so that they compile once."""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array

__all__ = ["indices", "read_only"]


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
