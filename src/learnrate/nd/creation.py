"""Creating arrays: float32 unless another dtype is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.errors import InputError, OptionError
from learnrate.nd.apply import quiet
from learnrate.nd.context import check_context
from learnrate.nd.functions.arguments import dtype_of, shape_tuple
from learnrate.nd.ndarray import NDArray

__all__ = ["arange", "array", "empty", "eye", "full", "linspace", "ones", "zeros"]

FLOAT32 = np.dtype(np.float32)


def array(source_array: Any, ctx: Any = None, dtype: Any = None) -> NDArray:
    """Create an array from a copy of a list, a NumPy array or an NDArray.

    Without ``dtype`` the result is float32, except that an NDArray keeps its dtype.

    Raises
    ------
    InputError
        If ``source_array`` does not hold numbers, or its rows have different lengths.
    """
    if ctx is not None:
        check_context(ctx)
    target = FLOAT32 if dtype is None else dtype_of(dtype)
    if type(source_array) is NDArray:
        if dtype is not None and target != source_array._data.dtype:
            return source_array.astype(target)
        return source_array.copy()
    try:
        data = quiet.load(_as_numpy, source_array, target)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(
            f"array must be given numbers in rows of one length, which {target} can hold. "
            f"Got a {type(source_array).__name__} instead: {error}."
        ) from error
    return NDArray(data if data.shape else data.reshape(1))


def _as_numpy(source: Any, dtype: np.dtype[Any]) -> Any:
    """A new contiguous array. Numbers that do not fit an integer dtype wrap around, as in MXNet."""
    if dtype.kind == "f":
        return np.array(source, dtype, order="C")
    return np.array(source, order="C").astype(dtype)


def _dtype(ctx: Any, dtype: Any) -> np.dtype[Any]:
    check_context(ctx)
    return FLOAT32 if dtype is None else dtype_of(dtype)


def zeros(shape: Any, ctx: Any = None, dtype: Any = None) -> NDArray:
    """Create an array of zeros."""
    return NDArray(np.zeros(_shape(shape), _dtype(ctx, dtype)))


def ones(shape: Any, ctx: Any = None, dtype: Any = None) -> NDArray:
    """Create an array of ones."""
    return NDArray(np.ones(_shape(shape), _dtype(ctx, dtype)))


def empty(shape: Any, ctx: Any = None, dtype: Any = None) -> NDArray:
    """Create an array to be filled later; it holds zeros."""
    return zeros(shape, ctx, dtype)


def full(shape: Any, val: Any, ctx: Any = None, dtype: Any = None) -> NDArray:
    """Create an array filled with one number."""
    filled = zeros(shape, ctx, dtype)
    filled[:] = val
    return filled


def _shape(shape: Any) -> tuple[int, ...]:
    lengths = shape_tuple(shape)
    if not lengths or min(lengths) < 0:
        raise OptionError(
            f"A shape must have at least one axis, with lengths ≥ 0. Got {shape!r} instead."
        )
    return lengths


def arange(
    start: float,
    stop: float | None = None,
    step: float = 1.0,
    repeat: int = 1,
    ctx: Any = None,
    dtype: Any = None,
) -> NDArray:
    """Numbers from ``start`` up to but not including ``stop``, with distance ``step``, each ``repeat`` times.

    ``arange(stop)`` starts at 0.

    Raises
    ------
    OptionError
        If no number lies between.
    """
    if stop is None:
        start, stop = 0, start
    if step == 0 or (stop - start) * step <= 0:
        raise OptionError(
            f"arange must be given a stop that steps from the start lead to. "
            f"Got start {start}, stop {stop} and step {step} instead."
        )
    numbers = np.repeat(np.arange(start, stop, step, dtype=np.float64), repeat)
    return NDArray(numbers.astype(_dtype(ctx, dtype)))


def linspace(
    start: float, stop: float, num: int, endpoint: bool = True, ctx: Any = None, dtype: Any = None
) -> NDArray:
    """``num`` evenly spaced numbers from ``start`` to ``stop``."""
    return NDArray(np.linspace(start, stop, num, endpoint).astype(_dtype(ctx, dtype)))


def eye(N: int, M: int = 0, k: int = 0, ctx: Any = None, dtype: Any = None) -> NDArray:
    """A matrix of N rows and M columns (N if M is 0) with ones on the k-th diagonal."""
    return NDArray(np.eye(N, M or N, k, _dtype(ctx, dtype)))
