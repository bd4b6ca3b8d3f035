"""Products of matrices and vectors, beside their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.autograd import Operator
from learnrate.errors import InputError

__all__ = ["DOT"]


def _dot(x: Any, y: Any) -> Any:
    """Sum over the last axis of ``x`` and the first of ``y``; two vectors give shape (1,)."""
    if x.shape[-1] != y.shape[0]:
        raise InputError(
            f"dot must be given a last axis and a first axis of one length. Got shapes {x.shape} and "
            f"{y.shape} instead; a second shape ({x.shape[-1]}, …) would fit."
        )
    if x.ndim <= 2 and y.ndim <= 2:
        out = np.dot(x, y)
        return out if out.ndim else out.reshape(1)
    return np.tensordot(x, y, axes=1)


def _dot_left(g: Any, out: Any, x: Any, y: Any) -> Any:
    """``∂/∂x``: ``g · yᵀ``."""
    if x.ndim == 1 and y.ndim == 1:
        return g * y
    return np.dot(g.reshape(-1, y.size // y.shape[0]), y.reshape(y.shape[0], -1).T).reshape(x.shape)


def _dot_right(g: Any, out: Any, x: Any, y: Any) -> Any:
    """``∂/∂y``: ``xᵀ · g``."""
    if x.ndim == 1 and y.ndim == 1:
        return g * x
    rows = x.reshape(-1, x.shape[-1])
    return np.dot(rows.T, g.reshape(rows.shape[0], -1)).reshape(y.shape)


DOT = Operator("dot", _dot, _dot_left, _dot_right)
