"""Arithmetic and comparison with broadcasting, each operator beside its gradients.

``g`` is the gradient that reached the result ``out``. `fit` sums a gradient over the axes along which
its input was broadcast. ``y`` may be a number, and so may ``x`` where the operator does not commute.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from learnrate.autograd import Operator
from learnrate.nd.operators.rules import fit, zero_gradient

__all__ = [
    "ADD",
    "COMPARISONS",
    "DIVIDE",
    "MAXIMUM",
    "MINIMUM",
    "MODULO",
    "MULTIPLY",
    "POWER",
    "SUBTRACT",
]

ADD = Operator(
    "add",
    operator.add,
    lambda g, out, x, y: fit(g, x),
    lambda g, out, x, y: fit(g, y),
)
SUBTRACT = Operator(
    "subtract",
    operator.sub,
    lambda g, out, x, y: fit(g, x),
    lambda g, out, x, y: fit(-g, y),
)
MULTIPLY = Operator(
    "multiply",
    operator.mul,
    lambda g, out, x, y: fit(g * y, x),
    lambda g, out, x, y: fit(g * x, y),
)
DIVIDE = Operator(
    "divide",
    operator.truediv,
    lambda g, out, x, y: fit(g / y, x),
    lambda g, out, x, y: fit(-g * out / y, y),
)


def _power(x: Any, y: Any) -> Any:
    try:
        return x**y
    except ValueError:  # NumPy has no negative powers of integers
        return np.power(x, y, dtype=np.float64)


def _log(x: Any) -> Any:
    """``log x``; of a number a Python number, which takes the dtype of the arrays beside it."""
    return float(np.log(x)) if isinstance(x, int | float) else np.log(x)


def _power_left(g: Any, out: Any, x: Any, y: Any) -> Any:
    """``g y x^{y−1}``. For y = 2, as in squared losses, that is ``g (x + x)``, which needs no power.

    For y = 1, as in second derivatives of squares, it is g, also at x = 0.
    """
    if type(y) is int and 1 <= y <= 2:
        return fit(g * (x + x) if y == 2 else g, x)
    return fit(g * (y * x ** (y - 1)), x)


POWER = Operator(
    "power",
    _power,
    _power_left,
    lambda g, out, x, y: fit(g * (out * _log(x)), y),
)


def _modulo(x: Any, y: Any) -> Any:
    """The remainder with the sign of ``y``; 0 for ``y = 0``, as MXNet has it."""
    return np.where(y == 0, 0, np.remainder(x, y))


MODULO = Operator(
    "modulo",
    _modulo,
    lambda g, out, x, y: fit(g, x),
    lambda g, out, x, y: fit(-g * np.floor(x / y), y),
)

# Where both are equal the gradient goes to x alone.
MAXIMUM = Operator(
    "maximum",
    np.maximum,
    lambda g, out, x, y: fit(g * (x >= y), x),
    lambda g, out, x, y: fit(g * (x < y), y),
)
MINIMUM = Operator(
    "minimum",
    np.minimum,
    lambda g, out, x, y: fit(g * (x <= y), x),
    lambda g, out, x, y: fit(g * (x > y), y),
)


COMPARISONS = {
    name: Operator(
        name,
        forward,
        lambda g, out, x, y: zero_gradient(g, out, x),
        lambda g, out, x, y: zero_gradient(g, out, y),
    )
    for name, forward in {
        "equal": operator.eq,
        "not_equal": operator.ne,
        "greater": operator.gt,
        "greater_equal": operator.ge,
        "lesser": operator.lt,
        "lesser_equal": operator.le,
    }.items()
}
