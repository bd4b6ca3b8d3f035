"""Sums and means: each operator beside its gradient. There are no 0-d results: they have shape (1,)."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.autograd import Operator

__all__ = ["MEAN", "SUM"]


def _sum(x: Any, axis: Any, keepdims: bool) -> Any:
    return x.sum(axis=axis, keepdims=keepdims, dtype=x.dtype).reshape(
        _reduced_shape(x, axis, keepdims)
    )


def _mean(x: Any, axis: Any, keepdims: bool) -> Any:
    return x.mean(axis=axis, keepdims=keepdims, dtype=x.dtype).reshape(
        _reduced_shape(x, axis, keepdims)
    )


def _reduced_shape(x: Any, axis: Any, keepdims: bool) -> tuple[int, ...]:
    kept = _kept_shape(x, axis)
    if keepdims:
        return kept
    axes = _axes(x, axis)
    return tuple([size for i, size in enumerate(kept) if i not in axes]) or (1,)


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple([i % x.ndim for i in axes])


def _kept_shape(x: Any, axis: Any) -> tuple[int, ...]:
    """The shape of the result with ``keepdims=True``."""
    axes = _axes(x, axis)
    return tuple([1 if i in axes else size for i, size in enumerate(x.shape)])


def _spread(g: Any, x: Any, axis: Any) -> Any:
    """``g`` copied along the axes that were reduced."""
    return np.broadcast_to(g.reshape(_kept_shape(x, axis)), x.shape)


SUM = Operator("sum", _sum, lambda g, out, x, axis, keepdims: _spread(g, x, axis))
MEAN = Operator(
    "mean",
    _mean,
    lambda g, out, x, axis, keepdims: _spread(g * (out.size / x.size), x, axis),
)
