"""Arithmetic with broadcasting: each operator beside its two gradients.

``g`` is the gradient that reached the result. `fit` sums a gradient over the axes along which its input
was broadcast.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from learnrate.autograd import Operator

__all__ = ["ADD", "DIVIDE", "MULTIPLY", "NEGATIVE", "POWER", "SUBTRACT", "fit"]


def fit(g: Any, x: Any) -> Any:
    """``g`` summed to the shape of ``x``: what broadcasting copied, its gradient adds up."""
    shape = x.shape
    if g.shape == shape:
        return g
    new_axes = g.ndim - len(shape)
    if new_axes:
        g = g.sum(axis=tuple(range(new_axes)))
    stretched = tuple([i for i, size in enumerate(shape) if size == 1 and g.shape[i] != 1])
    return g.sum(axis=stretched, keepdims=True) if stretched else g


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
POWER = Operator(
    "power",
    operator.pow,
    lambda g, out, x, y: fit(g * y * x ** (y - 1), x),
    lambda g, out, x, y: fit(g * out * np.log(x), y),
)
NEGATIVE = Operator("negative", operator.neg, lambda g, out, x: -g)
