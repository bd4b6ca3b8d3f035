"""Reshaping, transposing, joining. Apart from the method ``x.reshape``, which shares memory, all copy."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from learnrate.autograd import Operator
from learnrate.errors import InputError, OptionError
from learnrate.nd.apply import apply, unary
from learnrate.nd.base import A
from learnrate.nd.functions.arguments import Shape, into, one_axis, rank, shape_tuple
from learnrate.nd.operator_errors import dtype_error
from learnrate.nd.operators.shaping import (
    BROADCAST_TO,
    CONCAT,
    REPEAT,
    RESHAPE,
    RESHAPE_COPY,
    STACK,
    TILE,
    TRANSPOSE,
)

__all__ = [
    "broadcast_like",
    "broadcast_to",
    "concat",
    "concatenate",
    "expand_dims",
    "flatten",
    "repeat",
    "reshape",
    "reshape_like",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "transpose",
]


def _target_shape(data: A, shape: Any) -> Shape:
    """The shape asked for, checked."""
    target: Shape = shape if type(shape) is tuple else shape_tuple(shape)
    if not target or min(target) < 1:
        target = _filled_in(data, shape_tuple(shape))
    if math.prod(target) != data._data.size:
        raise _reshape_error(data, target)
    return target


def _filled_in(data: A, target: Shape) -> Shape:
    """The shape with 0 replaced by the length that ``data`` has there, and −1 by what is left."""
    if any(size < -1 for size in target) or target.count(-1) > 1:
        raise OptionError(
            "reshape must be given lengths ≥ 1, 0 (keep this axis's length) and at most one −1 "
            f"(what is left). Got {target} instead."
        )
    if not target or 0 in target[data.ndim :]:
        raise _reshape_error(data, target)
    target = tuple([size or data.shape[i] for i, size in enumerate(target)])
    known = abs(math.prod(target))
    return tuple([data.size // max(known, 1) if size == -1 else size for size in target])


def _reshape_error(data: A, target: Shape) -> InputError:
    return InputError(
        f"reshape must be given a shape of {data.size} elements for an array of shape {data.shape}. "
        f"Got {target} instead; (-1,) would fit."
    )


def share_reshaped(data: A, shape: Any, *more: int) -> A:
    """Return an array of another shape that shares the memory.

    ``x.reshape((2, 3))`` and ``x.reshape(2, 3)`` are the same. A length of 0 keeps the length of that
    axis, −1 takes what is left.
    """
    return unary(RESHAPE, data, _target_shape(data, (shape, *more) if more else shape))


def reshape(data: A, shape: Any, out: A | None = None) -> A:
    """Return a copy of another shape, in which 0 keeps the length of that axis and −1 takes what is left."""
    rank("reshape", data)
    return into(out, unary(RESHAPE_COPY, data, _target_shape(data, shape)))


def reshape_like(lhs: A, rhs: A) -> A:
    """Return a copy of ``lhs`` with the shape of ``rhs``."""
    return reshape(lhs, rhs.shape)


def expand_dims(data: A, axis: int) -> A:
    """Return a copy with a new axis of length 1."""
    at = one_axis("expand_dims", axis, rank("expand_dims", data) + 1)
    return reshape(data, (*data.shape[:at], 1, *data.shape[at:]))


def squeeze(data: A, axis: Any = None) -> A:
    """Return a copy without axes of length 1, or without those named, which must have it."""
    ndim = rank("squeeze", data)
    if axis is None:
        axes = [i for i, size in enumerate(data.shape) if size == 1]
    else:
        named = axis if isinstance(axis, tuple | list) else (axis,)
        axes = [one_axis("squeeze", i, ndim) for i in named]
        if any(data.shape[i] != 1 for i in axes):
            raise InputError(
                f"squeeze must be given axes of length 1. Got {axis!r} of shape {data.shape} instead."
            )
    return reshape(data, tuple([n for i, n in enumerate(data.shape) if i not in axes]) or (1,))


def flatten(data: A) -> A:
    """Return a copy of shape (first length, everything else)."""
    return reshape(data, (0, -1))


def transpose(data: A, axes: Any = None) -> A:
    """Return a copy with its axes in the order ``axes``, reversed by default."""
    every = range(rank("transpose", data))
    order = shape_tuple(axes) if axes else tuple(every[::-1])
    if sorted(order) != list(every):
        raise OptionError(
            f"transpose must be given each of the axes 0 … {len(every) - 1} once. Got {order} instead."
        )
    return unary(TRANSPOSE, data, order)


def transposed(data: A) -> A:
    """The transpose, a copy; a vector is returned itself."""
    return transpose(data) if data.ndim > 1 else data


def swapaxes(data: A, dim1: int = 0, dim2: int = 0) -> A:
    """Return a copy with two axes exchanged."""
    ndim = rank("swapaxes", data)
    order = list(range(ndim))
    i, j = (one_axis("swapaxes", axis, ndim) for axis in (dim1, dim2))
    order[i], order[j] = j, i
    return transpose(data, order)


def broadcast_to(data: A, shape: Any) -> A:
    """Return a copy stretched to ``shape``; a length of 0 keeps that axis."""
    target = shape_tuple(shape)
    ndim = rank("broadcast_to", data)
    if len(target) == ndim:
        target = tuple([size or old for size, old in zip(target, data.shape, strict=True)])
    lengths = (1,) * (len(target) - ndim) + data.shape
    if len(lengths) != len(target) or any(
        old not in (1, new) for old, new in zip(lengths, target, strict=True)
    ):
        raise InputError(
            "broadcast_to must be given a shape that differs only where the array has length 1. "
            f"Got {target} for {data.shape} instead."
        )
    return unary(BROADCAST_TO, data, target)


def broadcast_like(lhs: A, rhs: A) -> A:
    """Return a copy of ``lhs`` stretched to the shape of ``rhs``."""
    return broadcast_to(lhs, rhs.shape)


def tile(data: A, reps: Any) -> A:
    """Return ``data`` repeated as a whole along each axis, as often as ``reps``, an int or a tuple of ints, says."""
    counts = shape_tuple(reps)
    return unary(TILE, data, (1,) * (rank("tile", data) - len(counts)) + counts)


def repeat(data: A, repeats: int, axis: int | None = None) -> A:
    """Return each element ``repeats`` times in a row, along ``axis`` or, without one, flattened."""
    at = None if axis is None else one_axis("repeat", axis, rank("repeat", data))
    return unary(REPEAT, data, repeats, at)


def _join(operator: Operator, arrays: tuple[A, ...], axis: int, new_axes: int) -> A:
    if not arrays or not all(hasattr(array, "_node") for array in arrays):
        raise InputError(
            f"{operator.name} must be given NDArrays, one after another. "
            f"Got {', '.join(type(array).__name__ for array in arrays) or 'nothing'} instead; "
            f"nd.{operator.name}(*arrays) unpacks a list."
        )
    for array in arrays[1:]:
        if array._data.dtype != arrays[0]._data.dtype:
            raise dtype_error(operator, arrays[0]._data, array._data)
    return apply(operator, arrays, one_axis(operator.name, axis, arrays[0].ndim + new_axes))


def concat(*data: A, dim: int = 1, out: A | None = None) -> A:
    """Join arrays along the axis ``dim``, 1 by default; their other lengths must be equal."""
    return into(out, _join(CONCAT, data, dim, 0))


def concatenate(arrays: Iterable[A], axis: int = 0) -> A:
    """Join a list of arrays along ``axis``, 0 by default; their other lengths must be equal."""
    return concat(*arrays, dim=axis)


def stack(*data: A, axis: int = 0, out: A | None = None) -> A:
    """Join arrays of one shape along a new axis."""
    return into(out, _join(STACK, data, axis, 1))
