"""Applying an operator to arrays: compute quietly, keep the dtype, record when asked to.

Every operation of `learnrate.nd` comes through here, so that the rules that hold for all of them are
written once:

- a scalar takes the array's dtype, and arrays of different dtypes do not mix;
- the result has the dtype of the operands (so a comparison of float32 arrays is float32, and a quotient of
  int32 arrays is truncated to int32);
- NumPy's floating-point warnings stay off: overflow is how divergence looks, not an accident;
- while recording, a result of an array that has a node gets a node of its own.
"""

from __future__ import annotations

import contextvars
import numbers
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from learnrate.autograd import Node, Operator
from learnrate.autograd.scopes import state
from learnrate.errors import InputError

if TYPE_CHECKING:
    from learnrate.nd.ndarray import NDArray

__all__ = ["apply", "binary", "binary_left_scalar", "quiet", "scalar"]


class _Quiet(threading.local):
    """``quiet.call(f, *args)`` calls ``f`` with NumPy's floating-point warnings off.

    The setting lives in a context of this thread that nothing else runs in. Entering it costs a tenth
    of what ``np.errstate`` does, which matters for arrays of ten numbers.
    """

    def __init__(self) -> None:
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        self.call = context.run


quiet = _Quiet()


def scalar(value: Any) -> int | float | None:
    """``value`` as a Python number, which takes an array's dtype; None if it is not a number."""
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, numbers.Real) else None  # type: ignore[return-value]


def binary(op: Operator, left: NDArray, right: Any) -> NDArray:
    """``op(left, right)`` with broadcasting, for an array or a number on the right."""
    x = left._data
    y: Any
    right_node = None
    if type(right) is type(left):
        y = right._data
        right_node = right._node
        if x.dtype is not y.dtype and x.dtype != y.dtype:
            _raise_dtypes(op, left, right)
    elif type(right) is int or type(right) is float:
        y = right
    else:
        y = scalar(right)
        if y is None:
            _raise_operand(op, left, right)
    try:
        data = quiet.call(op.forward, x, y)
    except ValueError as error:
        raise _shape_error(op, x, y) from error
    if data.dtype is not x.dtype:
        data = data.astype(x.dtype)
    left_node = left._node
    if state.recording and (left_node is not None or right_node is not None):
        return left.__class__(data, Node(op, (left_node, right_node), (x, y), data))
    return left.__class__(data)


def binary_left_scalar(op: Operator, left: Any, right: NDArray) -> NDArray:
    """``op(left, right)`` for a number on the left."""
    x = scalar(left)
    if x is None:
        _raise_operand(op, right, left)
    y = right._data
    data = quiet.call(op.forward, x, y)
    if data.dtype is not y.dtype:
        data = data.astype(y.dtype)
    if state.recording and right._node is not None:
        return right.__class__(data, Node(op, (None, right._node), (x, y), data))
    return right.__class__(data)


def apply(op: Operator, inputs: tuple[NDArray, ...], *attributes: Any) -> NDArray:
    """``op(*inputs, *attributes)``; the operator sees to dtype and shape itself."""
    values = (*[array._data for array in inputs], *attributes)
    first = inputs[0]
    try:
        data = quiet.call(op.forward, *values)
    except InputError:
        raise
    except (ValueError, IndexError) as error:
        raise _shape_error(op, *values) from error
    if state.recording:
        parents = tuple([array._node for array in inputs])
        if any(parents):
            return first.__class__(data, Node(op, parents, values, data))
    return first.__class__(data)


def _shape_error(op: Operator, *values: Any) -> InputError:
    shapes = " and ".join(str(value.shape) for value in values if isinstance(value, np.ndarray))
    return InputError(f"{op.name} must be given shapes that fit together. Got {shapes} instead.")


def _raise_dtypes(op: Operator, left: NDArray, right: NDArray) -> NoReturn:
    raise InputError(
        f"{op.name} must be given arrays of one dtype. Got {left.dtype.__name__} and "
        f"{right.dtype.__name__} instead; convert one with .astype({left.dtype.__name__!r})."
    )


def _raise_operand(op: Operator, array: NDArray, other: Any) -> NoReturn:
    raise InputError(
        f"{op.name} must be given an NDArray or a number beside an NDArray of shape {array.shape}. "
        f"Got {type(other).__name__} instead; make it one with nd.array(...)."
    )
