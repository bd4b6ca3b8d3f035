"""Softmax and its logarithm, beside their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.autograd import Operator

__all__ = ["LOG_SOFTMAX", "SOFTMAX"]


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
