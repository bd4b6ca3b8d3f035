"""Matrix products and softmax, beside their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.autograd import Operator
from learnrate.errors import InputError

__all__ = ["DOT", "LOG_SOFTMAX", "SOFTMAX"]


def _dot(x: Any, y: Any) -> Any:
    """Sum over the last axis of ``x`` and the first of ``y``; two vectors give shape (1,)."""
    try:
        if x.ndim <= 2 and y.ndim <= 2:
            out = np.dot(x, y)
            return out if out.ndim else out.reshape(1)
        return np.tensordot(x, y, axes=1)
    except ValueError as error:
        inner = x.shape[-1]
        raise InputError(
            "dot must be given arrays where the last axis of the first is as long as the first axis "
            f"of the second. Got shapes {x.shape} and {y.shape} instead; "
            f"a second shape ({inner},) or ({inner}, k) would fit."
        ) from error


def _matrix(x: Any, rows: int) -> Any:
    return x.reshape(rows, x.size // rows)


def _dot_left(g: Any, out: Any, x: Any, y: Any) -> Any:
    """``g · yᵀ``, with the axes of ``y`` after its first taken as one."""
    if y.ndim == 2 and g.ndim == 2:
        return np.dot(g, y.T)
    rows = x.size // x.shape[-1]
    return np.dot(_matrix(g, rows), _matrix(y, y.shape[0]).T).reshape(x.shape)


def _dot_right(g: Any, out: Any, x: Any, y: Any) -> Any:
    """``xᵀ · g``, with the axes of ``x`` before its last taken as one."""
    if x.ndim == 2 and g.ndim == 2:
        return np.dot(x.T, g)
    rows = x.size // x.shape[-1]
    return np.dot(_matrix(x, rows).T, _matrix(g, rows)).reshape(y.shape)


DOT = Operator("dot", _dot, _dot_left, _dot_right)


def _softmax(x: Any, axis: int) -> Any:
    """``e^{x_i} / Σ_j e^{x_j}``, with the largest x subtracted first so that nothing overflows."""
    exps = np.exp(x - x.max(axis, keepdims=True))
    return exps / exps.sum(axis, keepdims=True)


def _softmax_gradient(g: Any, out: Any, x: Any, axis: int) -> Any:
    return out * (g - (g * out).sum(axis, keepdims=True))


def _log_softmax(x: Any, axis: int) -> Any:
    """``x_i − log Σ_j e^{x_j}``."""
    shifted = x - x.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def _log_softmax_gradient(g: Any, out: Any, x: Any, axis: int) -> Any:
    return g - np.exp(out) * g.sum(axis, keepdims=True)


SOFTMAX = Operator("softmax", _softmax, _softmax_gradient)
LOG_SOFTMAX = Operator("log_softmax", _log_softmax, _log_softmax_gradient)
