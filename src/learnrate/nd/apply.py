"""Applying an operator to arrays: compute quietly, keep the dtype, record when asked to.

Every operation of `learnrate.nd` comes through here, so that the rules that hold for all of them are
written once:

- a number takes the array's dtype, and arrays of different dtypes do not mix;
- the result has the dtype of the operands (so a comparison of float32 arrays is float32, and a quotient of
  int32 arrays is cut to int32);
- NumPy's floating-point warnings stay off: overflow is how divergence looks, not an accident;
- while recording, a result of an array that has a node gets a node of its own.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from learnrate.autograd import Node, Operator
from learnrate.autograd.scopes import state
from learnrate.errors import InputError
from learnrate.nd.complaints import (
    dtype_error,
    number_error,
    operand_error,
    value_error,
)

if TYPE_CHECKING:
    from learnrate.nd.ndarray import NDArray

    Method = Callable[..., NDArray]

__all__ = ["apply", "binary", "binary_reversed", "quiet", "unary"]

new = object.__new__  # an array without the call of its __init__: a third of the cost


class _Quiet(threading.local):
    """``quiet.call(f, *args)`` calls ``f`` with NumPy's floating-point warnings off.

    The setting lives in a context of this thread that nothing else runs in. Entering it costs a tenth
    of what ``np.errstate`` does, which matters for arrays of ten numbers. A context cannot be entered
    twice, so ``call`` is for NumPy alone; ``load``, for reading what a user gave, and ``sweep``, for
    sweeping backward, have contexts of their own, inside of which arrays can be computed with.
    """

    def __init__(self) -> None:
        self.call = self._quiet_context().run
        self.load = self._quiet_context().run
        self.sweep = self._quiet_context().run

    @staticmethod
    def _quiet_context() -> contextvars.Context:
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        return context


quiet = _Quiet()


def binary(op: Operator) -> Method:
    """The method ``x op y`` with broadcasting, of an array and an array or a number."""
    forward = op.forward

    def method(self: NDArray, other: Any) -> NDArray:
        x, x_node = self._data, self._node
        y, y_node = other, None
        kind = type(other)
        if kind is type(self):
            y, y_node = other._data, other._node
            if x.dtype is not y.dtype and x.dtype != y.dtype:
                raise dtype_error(op, x, y)
        elif kind is not float and kind is not int:
            y = _number(op, other, x)
        try:
            data = quiet.call(forward, x, y)
        except InputError:
            raise
        except (ValueError, TypeError, OverflowError) as error:
            raise value_error(op, error, x, y) from error
        if data.dtype is not x.dtype:
            data = _settle(op, x, y, x.dtype) if kind is float else _cast(data, x.dtype)
        out: NDArray = new(type(self))
        out._data = data
        out._node = None
        if (x_node is not None or y_node is not None) and state.recording:
            out._node = Node(op, (x_node, y_node), (x, y), data)
        return out

    return method


def binary_reversed(op: Operator) -> Method:
    """The method ``x op y`` of an array ``y`` and a number ``x`` on its left."""
    forward = op.forward

    def method(self: NDArray, other: Any) -> NDArray:
        y, node = self._data, self._node
        x = other
        kind = type(other)
        if kind is not float and kind is not int:
            x = _number(op, other, y)
        try:
            data = quiet.call(forward, x, y)
        except (ValueError, TypeError, OverflowError) as error:
            raise value_error(op, error, x, y) from error
        if data.dtype is not y.dtype:
            data = _settle(op, x, y, y.dtype) if kind is float else _cast(data, y.dtype)
        out: NDArray = new(type(self))
        out._data = data
        out._node = None
        if node is not None and state.recording:
            out._node = Node(op, (None, node), (x, y), data)
        return out

    return method


def _number(op: Operator, value: Any, array: Any) -> int | float:
    """``value`` as a Python number, cut to an integer beside an array of integers."""
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, int | float):
        raise operand_error(op.name, value, array)
    try:
        return float(value) if array.dtype.kind == "f" else int(value)
    except (ValueError, OverflowError) as error:
        raise number_error(op, value, array) from error


def _settle(op: Operator, x: Any, y: Any, dtype: np.dtype[Any]) -> Any:
    """The value in ``dtype`` where a float stands beside an array; beside integers it is cut to one."""
    left, right = (_number(op, v, w) if type(v) is float else v for v, w in ((x, y), (y, x)))
    return _cast(quiet.call(op.forward, left, right), dtype)


def _cast(data: Any, dtype: np.dtype[Any]) -> Any:
    return quiet.call(data.astype, dtype)


def unary(op: Operator, array: NDArray, *attributes: Any) -> NDArray:
    """``op(array, *attributes)``, with the dtype of the array."""
    try:
        x, node = array._data, array._node
    except AttributeError:
        raise operand_error(op.name, array) from None
    try:
        data = quiet.call(op.forward, x, *attributes)
    except InputError:
        raise
    except (IndexError, ValueError, TypeError) as error:
        raise value_error(op, error, x, *attributes) from error
    if data.dtype is not x.dtype:
        data = _cast(data, x.dtype)
    out: NDArray = new(type(array))
    out._data = data
    out._node = None
    if node is not None and state.recording:
        out._node = Node(op, (node,), (x, *attributes), data)
    return out


def apply(
    op: Operator, inputs: tuple[NDArray, ...], *attributes: Any, dtype: Any = None
) -> NDArray:
    """``op(*inputs, *attributes)``, with the dtype of the first input unless another is given."""
    for array in inputs:
        if not hasattr(array, "_node"):
            raise operand_error(op.name, array)
    values = (*[array._data for array in inputs], *attributes)
    parents = tuple([array._node for array in inputs])
    try:
        data = quiet.call(op.forward, *values)
    except InputError:
        raise
    except (ValueError, TypeError) as error:
        raise value_error(op, error, *values) from error
    dtype = dtype or values[0].dtype
    if data.dtype is not dtype:
        data = _cast(data, dtype)
    cls = inputs[0].__class__
    if state.recording and any(parents):
        return cls(data, Node(op, parents, values, data))
    return cls(data)
