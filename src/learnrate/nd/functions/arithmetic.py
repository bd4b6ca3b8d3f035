"""Functions of two arrays, or of an array and a number, with broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from learnrate.autograd import Operator
from learnrate.errors import InputError
from learnrate.nd.apply import apply, binary, binary_reversed
from learnrate.nd.base import A
from learnrate.nd.functions.arguments import into
from learnrate.nd.operators import arithmetic as op
from learnrate.nd.operators.shaping import ADD_N

__all__ = [
    "add",
    "add_n",
    "broadcast_add",
    "broadcast_div",
    "broadcast_equal",
    "broadcast_greater",
    "broadcast_greater_equal",
    "broadcast_lesser",
    "broadcast_lesser_equal",
    "broadcast_maximum",
    "broadcast_minimum",
    "broadcast_minus",
    "broadcast_mod",
    "broadcast_mul",
    "broadcast_not_equal",
    "broadcast_plus",
    "broadcast_power",
    "broadcast_sub",
    "divide",
    "elemwise_add",
    "elemwise_div",
    "elemwise_mul",
    "elemwise_sub",
    "equal",
    "greater",
    "greater_equal",
    "lesser",
    "lesser_equal",
    "maximum",
    "minimum",
    "modulo",
    "multiply",
    "not_equal",
    "power",
    "subtract",
    "true_divide",
]

Function = Callable[..., Any]


def _function(operator: Operator, formula: str, *, symmetric: bool = False) -> Function:
    """A function ``f(lhs, rhs, out=None)`` of arrays or numbers."""
    method = binary(operator)
    # Beside a number, both ends of a tie belong to the array, whichever side it is on.
    reversed_method = method if symmetric else binary_reversed(operator)

    def function(lhs: Any, rhs: Any, out: A | None = None) -> Any:
        if hasattr(lhs, "_node"):
            return into(out, method(lhs, rhs))
        if hasattr(rhs, "_node"):
            return into(out, reversed_method(rhs, lhs))
        number = operator.forward(lhs, rhs)
        return number.item() if isinstance(number, np.generic) else +number

    function.__name__ = function.__qualname__ = operator.name
    function.__doc__ = f"``{formula}``, with broadcasting, of two arrays or an array and a number."
    return function


add = broadcast_add = broadcast_plus = _function(op.ADD, "lhs + rhs")
subtract = broadcast_sub = broadcast_minus = _function(op.SUBTRACT, "lhs − rhs")
multiply = broadcast_mul = _function(op.MULTIPLY, "lhs · rhs")
divide = true_divide = broadcast_div = _function(op.DIVIDE, "lhs / rhs")
modulo = broadcast_mod = _function(op.MODULO, "lhs mod rhs")
power = broadcast_power = _function(op.POWER, "lhs ** rhs")
maximum = broadcast_maximum = _function(op.MAXIMUM, "max(lhs, rhs)", symmetric=True)
minimum = broadcast_minimum = _function(op.MINIMUM, "min(lhs, rhs)", symmetric=True)

equal = broadcast_equal = _function(op.COMPARISONS["equal"], "lhs == rhs")
not_equal = broadcast_not_equal = _function(op.COMPARISONS["not_equal"], "lhs != rhs")
greater = broadcast_greater = _function(op.COMPARISONS["greater"], "lhs > rhs")
greater_equal = broadcast_greater_equal = _function(op.COMPARISONS["greater_equal"], "lhs >= rhs")
lesser = broadcast_lesser = _function(op.COMPARISONS["lesser"], "lhs < rhs")
lesser_equal = broadcast_lesser_equal = _function(op.COMPARISONS["lesser_equal"], "lhs <= rhs")


def _same_shape(operator: Operator, formula: str) -> Function:
    """A function ``f(lhs, rhs, out=None)`` of arrays of one shape."""
    method = binary(operator)

    def function(lhs: A, rhs: A, out: A | None = None) -> A:
        if getattr(lhs, "shape", None) != getattr(rhs, "shape", None):
            raise InputError(
                f"elemwise {operator.name} must be given arrays of one shape. Got "
                f"{_shape_of(lhs)} and {_shape_of(rhs)} instead; nd.{operator.name} broadcasts."
            )
        return into(out, method(lhs, rhs))

    function.__doc__ = f"``{formula}`` of two arrays of one shape."
    return function


def _shape_of(value: Any) -> str:
    return str(value.shape) if hasattr(value, "shape") else type(value).__name__


elemwise_add = _same_shape(op.ADD, "lhs + rhs")
elemwise_sub = _same_shape(op.SUBTRACT, "lhs − rhs")
elemwise_mul = _same_shape(op.MULTIPLY, "lhs · rhs")
elemwise_div = _same_shape(op.DIVIDE, "lhs / rhs")


def add_n(*args: A, out: A | None = None) -> A:
    """Sum of arrays of one shape."""
    return into(out, apply(ADD_N, args))
