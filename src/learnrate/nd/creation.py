"""Making arrays: float32 unless another dtype is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.nd.ndarray import NDArray

__all__ = ["arange", "array", "ones", "zeros"]

_DEFAULT = np.dtype(np.float32)


def array(source_array: Any, ctx: Any = None, dtype: Any = None) -> NDArray:
    """An array holding a copy of a list, a NumPy array or an NDArray.

    The dtype is float32, except that an NDArray's is kept.
    """
    if isinstance(source_array, NDArray):
        source_array = source_array._data
        dtype = dtype or source_array.dtype
    data = np.array(source_array, dtype=dtype or _DEFAULT)
    return NDArray(data if data.ndim else data.reshape(1))


def zeros(shape: Any, ctx: Any = None, dtype: Any = None) -> NDArray:
    """An array of zeros."""
    return NDArray(np.zeros(shape, dtype or _DEFAULT))


def ones(shape: Any, ctx: Any = None, dtype: Any = None) -> NDArray:
    """An array of ones."""
    return NDArray(np.ones(shape, dtype or _DEFAULT))


def arange(
    start: float, stop: float | None = None, step: float = 1.0, ctx: Any = None, dtype: Any = None
) -> NDArray:
    """Numbers from ``start`` to before ``stop`` in steps of ``step``; with one argument from 0."""
    if stop is None:
        start, stop = 0, start
    return NDArray(np.arange(start, stop, step).astype(dtype or _DEFAULT))
