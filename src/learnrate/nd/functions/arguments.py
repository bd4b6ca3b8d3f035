"""Arguments that many functions take: a dtype, a shape, an axis, and out, the array that a result is written to."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.autograd import Node
from learnrate.autograd.scopes import state
from learnrate.errors import AutogradError, InputError, OptionError, not_one_of
from learnrate.nd.base import A, Base
from learnrate.nd.operator_errors import dtype_error, operand_error
from learnrate.nd.operators.elementwise import COPY

__all__ = [
    "DTYPES",
    "Shape",
    "check_writable",
    "dtype_of",
    "into",
    "one_axis",
    "rank",
    "record_copy",
    "shape_tuple",
]

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
        raise not_one_of("dtype", dtype, DTYPES)
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


def into(out: A | None, result: A) -> A:
    """``result``, or ``out`` with the contents of ``result`` written to it."""
    if out is None:
        return result
    if not hasattr(out, "_node"):
        raise operand_error("out", out)
    if out._data.shape != result._data.shape:
        raise InputError(f"out must have shape {result.shape}. Got {out.shape} instead.")
    if out._data.dtype != result._data.dtype:
        raise dtype_error(COPY, result._data, out._data)
    check_writable(out)
    out._data[...] = result._data
    record_copy(result, out)
    return out


def check_writable(array: Base) -> None:
    """An array in the recorded graph is not written to while recording: its gradient needs the old values."""
    if state.recording and array._node is not None:
        raise AutogradError(
            "An array in the recorded graph must not be written to while recording (x[:] = …, x += …, "
            "out=x). Write to it outside of autograd.record(), or make a new array."
        )


def record_copy(source: Base, target: Base) -> None:
    """While recording, have the gradient of ``target``, just written, flow to ``source``."""
    if state.recording and source._node is not None:
        target._node = Node(COPY, (source._node,), (source._data,), target._data)
