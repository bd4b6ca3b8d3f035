"""Shape: each operator beside its gradient. All results are contiguous; only reshape shares memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.autograd import Operator
from learnrate.nd.operators.rules import fit

__all__ = [
    "ADD_N",
    "BROADCAST_TO",
    "CONCAT",
    "REPEAT",
    "RESHAPE",
    "RESHAPE_COPY",
    "STACK",
    "TILE",
    "TRANSPOSE",
]

RESHAPE = Operator(
    "reshape",
    lambda x, shape: x.reshape(shape),
    lambda g, out, x, shape: g.reshape(x.shape),
)
RESHAPE_COPY = Operator(
    "reshape",
    lambda x, shape: x.reshape(shape).copy(),
    lambda g, out, x, shape: g.reshape(x.shape),
)
TRANSPOSE = Operator(
    "transpose",
    lambda x, axes: x.transpose(axes).copy(),
    lambda g, out, x, axes: g.transpose(np.argsort(axes)),
)
BROADCAST_TO = Operator(
    "broadcast_to",
    lambda x, shape: np.broadcast_to(x, shape).copy(),
    lambda g, out, x, shape: fit(g, x),
)


def _concat(*values: Any) -> Any:
    return np.concatenate(values[:-1], axis=values[-1])


def _concat_gradient(i: int, g: Any, out: Any, *values: Any) -> Any:
    """The part of ``g`` that came from input ``i``."""
    arrays, axis = values[:-1], values[-1]
    start = sum([array.shape[axis] for array in arrays[:i]])
    return g[(slice(None),) * axis + (slice(start, start + arrays[i].shape[axis]),)]


def _stack(*values: Any) -> Any:
    return np.stack(values[:-1], axis=values[-1])


def _stack_gradient(i: int, g: Any, out: Any, *values: Any) -> Any:
    return g[(slice(None),) * values[-1] + (i,)]


CONCAT = Operator("concat", _concat, every=_concat_gradient)
STACK = Operator("stack", _stack, every=_stack_gradient)
ADD_N = Operator(
    "add_n",
    lambda *arrays: np.add.reduce(arrays),
    every=lambda i, g, out, *arrays: g,
)


def _tile_gradient(g: Any, out: Any, x: Any, reps: tuple[int, ...]) -> Any:
    """The sum of all copies: each axis of ``out`` is cut into (copy, element)."""
    lengths = (1,) * (len(reps) - x.ndim) + x.shape
    cut = [part for rep, length in zip(reps, lengths, strict=True) for part in (rep, length)]
    return g.reshape(cut).sum(tuple(range(0, len(cut), 2))).reshape(x.shape)


TILE = Operator("tile", lambda x, reps: np.tile(x, reps), _tile_gradient)


def _repeat_gradient(g: Any, out: Any, x: Any, repeats: int, axis: int | None) -> Any:
    if axis is None:
        return g.reshape(-1, repeats).sum(1).reshape(x.shape)
    before, after = x.shape[: axis + 1], x.shape[axis + 1 :]
    return g.reshape(*before, repeats, *after).sum(axis + 1)


REPEAT = Operator("repeat", lambda x, repeats, axis: np.repeat(x, repeats, axis), _repeat_gradient)
