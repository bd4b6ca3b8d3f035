"""Arguments that many functions take: a dtype, a shape, an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.errors import OptionError, did_you_mean
from learnrate.nd.operator_errors import operand_error

__all__ = ["DTYPES", "Shape", "dtype_of", "one_axis", "rank", "shape_tuple"]

DTYPES = ("float16", "float32", "float64", "uint8", "int8", "int32", "int64", "bool")


def dtype_of(dtype: Any) -> np.dtype[Any]:
    """A dtype by its name or type.

    Raises
    ------
    OptionError
        If it is not one that arrays can have.
    """
    try:
        found: np.dtype[Any] | None = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found.name not in DTYPES:
        raise OptionError(
            f"dtype must be one of {', '.join(DTYPES)}. Got {dtype!r} instead."
            + (did_you_mean(dtype, DTYPES) if isinstance(dtype, str) else "")
        )
    return found


Shape = tuple[int, ...]


def shape_tuple(shape: Any) -> Shape:
    """A shape given as an int or a sequence of ints.

    Raises
    ------
    OptionError
        If it holds anything but integers.
    """
    try:
        return (int(shape.__index__()),) if hasattr(shape, "__index__") else _ints(shape)
    except (AttributeError, TypeError):
        raise OptionError(
            f"A shape must be an int or a tuple of ints. Got {shape!r} instead."
        ) from None


def _ints(values: Any) -> Shape:
    return tuple([int(value.__index__()) for value in values])


def one_axis(name: str, axis: Any, ndim: int) -> int:
    """``axis`` counted from 0.

    Raises
    ------
    OptionError
        If the array has no such axis.
    """
    if not isinstance(axis, int) or not -ndim <= axis < ndim:
        raise OptionError(
            f"{name} must be given an axis from {-ndim} to {ndim - 1} of an array with {ndim} "
            f"{'axis' if ndim == 1 else 'axes'}. Got {axis!r} instead."
        )
    return axis % ndim


def rank(name: str, data: Any) -> int:
    """Number of axes of what must be an NDArray.

    Raises
    ------
    InputError
        If it is something else.
    """
    if not hasattr(data, "_node"):
        raise operand_error(name, data)
    return int(data._data.ndim)
