"""Applying an operator to arrays: compute without warnings, keep the dtype, record a node.

Every operation of `learnrate.nd` follows these rules:

- a number gets the dtype of the array, and arrays of different dtypes are an error;
- the result has the dtype of the operands (a comparison of float32 arrays is float32, and a quotient of int32 arrays is
  truncated to int32);
- NumPy's floating-point warnings are off, since overflow is normal where training diverges;
- while recording, the result gets a node if an operand has one.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from learnrate.autograd import Node, Operator
from learnrate.autograd.scopes import state
from learnrate.errors import InputError
from learnrate.nd.base import A
from learnrate.nd.operator_errors import (
    dtype_error,
    number_error,
    operand_error,
    value_error,
)

__all__ = ["apply", "binary", "binary_reversed", "quiet", "unary"]

new = object.__new__  # makes an array without calling __init__, at a third of the cost


class _Quiet(threading.local):
    """Calls functions with NumPy's floating-point warnings off: ``quiet.call(f, *args)``.

    The setting is kept in a context variable. Entering a context costs a tenth of ``np.errstate``, which matters for
    arrays of ten numbers. A context cannot be entered twice, so ``call`` is for functions of NumPy alone. ``load`` (for
    reading the user's values) and ``backward_pass`` have contexts of their own, inside which ``call`` can be used.
    """

    def __init__(self) -> None:
        self.call = self._quiet_context().run
        self.load = self._quiet_context().run
        self.backward_pass = self._quiet_context().run

    @staticmethod
    def _quiet_context() -> contextvars.Context:
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        return context


quiet = _Quiet()


def binary(op: Operator) -> Callable[[A, Any], A]:
    """Make the method ``x op y``, with broadcasting, of an array and an array or a number."""
    forward = op.forward

    def method(self: A, other: Any) -> A:
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
            data = _cast_operands(op, x, y, x.dtype) if kind is float else _cast(data, x.dtype)
        out: A = new(type(self))
        out._data = data
        out._node = None
        if (x_node is not None or y_node is not None) and state.recording:
            out._node = Node(op, (x_node, y_node), (x, y), data)
        return out

    return method


def binary_reversed(op: Operator) -> Callable[[A, Any], A]:
    """Make the method ``x op y`` of an array ``y`` and a number ``x`` on its left."""
    forward = op.forward

    def method(self: A, other: Any) -> A:
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
            data = _cast_operands(op, x, y, y.dtype) if kind is float else _cast(data, y.dtype)
        out: A = new(type(self))
        out._data = data
        out._node = None
        if node is not None and state.recording:
            out._node = Node(op, (None, node), (x, y), data)
        return out

    return method


def _number(op: Operator, value: Any, array: Any) -> int | float:
    """``value`` as a Python number, truncated to an integer if the array holds integers."""
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, int | float):
        raise operand_error(op.name, value, array)
    try:
        return float(value) if array.dtype.kind == "f" else int(value)
    except (ValueError, OverflowError) as error:
        raise number_error(op, value, array) from error


def _cast_operands(op: Operator, x: Any, y: Any, dtype: np.dtype[Any]) -> Any:
    """The result in ``dtype`` for an array and a float, which is truncated first if the array holds integers."""
    left, right = (_number(op, v, w) if type(v) is float else v for v, w in ((x, y), (y, x)))
    return _cast(quiet.call(op.forward, left, right), dtype)


def _cast(data: Any, dtype: np.dtype[Any]) -> Any:
    return quiet.call(data.astype, dtype)


def unary(op: Operator, array: A, *attributes: Any) -> A:
    """``op(array, *attributes)`` in the dtype of the array, recorded."""
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
    out: A = new(type(array))
    out._data = data
    out._node = None
    if node is not None and state.recording:
        out._node = Node(op, (node,), (x, *attributes), data)
    return out


def apply(op: Operator, inputs: tuple[A, ...], *attributes: Any, dtype: Any = None) -> A:
    """``op(*inputs, *attributes)`` in the dtype of the first input, or in ``dtype``, recorded."""
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
