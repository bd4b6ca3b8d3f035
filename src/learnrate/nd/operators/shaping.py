"""Shape and choice of elements: each operator beside its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.autograd import Operator

__all__ = ["RESHAPE", "SLICE", "TAKE", "TRANSPOSE"]


def _put_back(g: Any, x: Any, key: Any) -> Any:
    """Zeros like ``x`` with ``g`` at ``key``."""
    whole = np.zeros(x.shape, x.dtype)
    whole[key] = g
    return whole


def _slice(x: Any, key: Any) -> Any:
    out = x[key]
    return out if out.ndim else out.reshape(1)


def _take(x: Any, rows: Any) -> Any:
    return x.take(rows, 0, None, "clip")


def _take_gradient(g: Any, out: Any, x: Any, rows: Any) -> Any:
    whole = np.zeros(x.shape, x.dtype)
    np.add.at(whole, rows.clip(0, x.shape[0] - 1), g)
    return whole


RESHAPE = Operator(
    "reshape", lambda x, shape: x.reshape(shape), lambda g, out, x, shape: g.reshape(x.shape)
)
SLICE = Operator("slice", _slice, lambda g, out, x, key: _put_back(g.reshape(x[key].shape), x, key))
TAKE = Operator("take", _take, _take_gradient)
TRANSPOSE = Operator("transpose", lambda x: x.T.copy(), lambda g, out, x: g.T)
