"""Reductions over axes, each operator beside its gradient.

``axes`` is a tuple of axes counted from 0. There are no 0-d results: they have shape (1,).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.autograd import Operator
from learnrate.nd.operators.rules import zero_gradient

__all__ = ["ARG_REDUCTIONS", "NORM", "REDUCTIONS"]

Axes = tuple[int, ...]


def _shape(x: Any, axes: Axes, keepdims: bool) -> Axes:
    """The shape of a result."""
    if keepdims:
        return tuple([1 if i in axes else size for i, size in enumerate(x.shape)])
    return tuple([size for i, size in enumerate(x.shape) if i not in axes]) or (1,)


def _spread(g: Any, x: Any, axes: Axes) -> Any:
    """``g`` with a length of 1 along the axes that were reduced, ready to broadcast to ``x``."""
    return g.reshape(_shape(x, axes, True))


def _sum(x: Any, axes: Axes, keepdims: bool) -> Any:
    return np.add.reduce(x, axes, x.dtype).reshape(_shape(x, axes, keepdims))


def _mean(x: Any, axes: Axes, keepdims: bool) -> Any:
    total = _sum(x, axes, keepdims)
    return total / (x.size / total.size)


def _sum_gradient(g: Any, out: Any, x: Any, axes: Axes, keepdims: bool) -> Any:
    return np.broadcast_to(_spread(g, x, axes), x.shape)


def _mean_gradient(g: Any, out: Any, x: Any, axes: Axes, keepdims: bool) -> Any:
    return np.broadcast_to(_spread(g, x, axes) / (x.size / out.size), x.shape)


def _extreme_gradient(g: Any, out: Any, x: Any, axes: Axes, keepdims: bool) -> Any:
    """``g`` at every element that is equal to the largest (smallest), 0 elsewhere."""
    return _spread(g, x, axes) * (x == _spread(out, x, axes))


REDUCTIONS = {
    "sum": Operator("sum", _sum, _sum_gradient),
    "mean": Operator("mean", _mean, _mean_gradient),
    "max": Operator(
        "max",
        lambda x, axes, keepdims: np.max(x, axes).reshape(_shape(x, axes, keepdims)),
        _extreme_gradient,
    ),
    "min": Operator(
        "min",
        lambda x, axes, keepdims: np.min(x, axes).reshape(_shape(x, axes, keepdims)),
        _extreme_gradient,
    ),
}


REDUCTIONS["prod"] = Operator(
    "prod",
    lambda x, axes, keepdims: np.multiply.reduce(x, axes, x.dtype).reshape(
        _shape(x, axes, keepdims)
    ),
    lambda g, out, x, axes, keepdims: _spread(g * out, x, axes) / x,
)


def _norm(x: Any, axes: Axes, keepdims: bool, order: int) -> Any:
    """``Σ|x|`` for order 1, ``√Σx²`` for order 2."""
    if order == 1:
        return _sum(np.abs(x), axes, keepdims)
    return np.sqrt(_sum(x * x, axes, keepdims))


def _norm_gradient(g: Any, out: Any, x: Any, axes: Axes, keepdims: bool, order: int) -> Any:
    if order == 1:
        return _spread(g, x, axes) * np.sign(x)
    return _spread(g, x, axes) * x / _spread(out, x, axes)


NORM = Operator("norm", _norm, _norm_gradient)

ARG_REDUCTIONS = {
    name: Operator(
        name,
        lambda x, axis, keepdims, find=find: (
            find(x, axis).astype(x.dtype).reshape(_shape(x, (axis,), keepdims))
        ),
        zero_gradient,
    )
    for name, find in {"argmax": np.argmax, "argmin": np.argmin}.items()
}
