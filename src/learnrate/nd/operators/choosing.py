"""Choosing elements by index or condition: each operator beside its gradient.

A gradient goes back to where its element came from; an element taken twice gets both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.autograd import Operator
from learnrate.nd.operators.rules import fit, through, zero_gradient

__all__ = ["GATHER", "ONE_HOT", "PICK", "SLICE", "TAKE", "WHERE"]


def _slice(x: Any, key: Any) -> Any:
    """``x[key]`` for integers, slices, None and ``...``: shared memory if that is contiguous."""
    out = x[key]
    if not out.shape:
        return x[(*key, None)] if type(key) is tuple else x[key, None]
    return out if out.flags.c_contiguous else out.copy()


def _unslice(g: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """``g`` in the places of ``x[key]``, 0 elsewhere."""
    whole = np.zeros(shape, g.dtype)
    part = whole[key]
    whole[key] = g.reshape(part.shape)
    return whole


SLICE = Operator("slice", _slice, lambda g, out, x, key: through(_UNSLICE, g, key, x.shape))
_UNSLICE: Operator = Operator(
    "unslice", _unslice, lambda g, out, x, key, shape: through(SLICE, g, key).reshape(x.shape)
)


def _gather(x: Any, key: Any) -> Any:
    """``x[key]`` for integer arrays, with or without slices: a copy."""
    out = np.ascontiguousarray(x[key])
    return out if out.shape else out.reshape(1)


def _ungather(g: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """``g`` added up in the places of ``x[key]``, 0 elsewhere."""
    whole = np.zeros(shape, g.dtype)
    np.add.at(whole, key, g)
    return whole


GATHER = Operator("gather", _gather, lambda g, out, x, key: through(_UNGATHER, g, key, x.shape))
_UNGATHER: Operator = Operator(
    "ungather", _ungather, lambda g, out, x, key, shape: through(GATHER, g, key).reshape(x.shape)
)


INTEGER = np.dtype(np.intp)  # indices are cut to integers, as MXNet does with floats


def _within(indices: Any, length: int, mode: str) -> Any:
    """Indices brought into ``0 … length − 1``: clipped to it, or wrapped around."""
    indices = indices.astype(INTEGER)
    return indices % length if mode == "wrap" else indices.clip(0, length - 1)


def _take(x: Any, indices: Any, axis: int, mode: str) -> Any:
    return x.take(indices.astype(INTEGER), axis, None, mode)


def _take_gradient(g: Any, out: Any, x: Any, indices: Any, axis: int, mode: str) -> Any:
    key = (slice(None),) * axis + (_within(indices, x.shape[axis], mode),)
    return through(_UNGATHER, g, key, x.shape)


TAKE = Operator("take", _take, _take_gradient)


def _pick(x: Any, indices: Any, axis: int, keepdims: bool, mode: str) -> Any:
    """``x[i, indices[i]]`` for every i (with ``axis`` the second one)."""
    out = np.take_along_axis(x, _pick_key(x, indices, axis, mode), axis)
    return out if keepdims else out.reshape(_without(x.shape, axis))


def _unpick(
    g: Any, indices: Any, axis: int, keepdims: bool, mode: str, shape: tuple[int, ...]
) -> Any:
    """``g`` in the places that `_pick` takes, 0 elsewhere."""
    whole = np.zeros(shape, g.dtype)
    key = _pick_key(whole, indices, axis, mode)
    np.put_along_axis(whole, key, g.reshape(key.shape), axis)
    return whole


def _pick_key(x: Any, indices: Any, axis: int, mode: str) -> Any:
    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    return _within(indices, x.shape[axis], mode).reshape(shape)


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :]) or (1,)


PICK = Operator(
    "pick",
    _pick,
    lambda g, out, x, indices, axis, keepdims, mode: through(
        _UNPICK, g, indices, axis, keepdims, mode, x.shape
    ),
)
_UNPICK: Operator = Operator(
    "unpick",
    _unpick,
    lambda g, out, x, indices, axis, keepdims, mode, shape: through(
        PICK, g, indices, axis, keepdims, mode
    ),
)

WHERE = Operator(
    "where",
    lambda x, y, condition: np.where(condition, x, y),
    lambda g, out, x, y, condition: fit(np.where(condition, g, 0), x),
    lambda g, out, x, y, condition: fit(np.where(condition, 0, g), y),
)


def _one_hot(indices: Any, depth: int, on: float, off: float, dtype: Any) -> Any:
    """A row for each index: ``on`` at the index, ``off`` elsewhere and where the index is out of range."""
    hit = indices.astype(INTEGER)[..., None] == np.arange(depth)
    return np.where(hit, on, off).astype(dtype)


ONE_HOT = Operator("one_hot", _one_hot, zero_gradient)
