"""Elements chosen by index or condition."""

from __future__ import annotations

from typing import Any

from learnrate.errors import InputError, OptionError
from learnrate.nd.apply import apply, unary
from learnrate.nd.base import A
from learnrate.nd.functions.arguments import dtype_of, into, one_axis, rank
from learnrate.nd.operator_errors import dtype_error, operand_error
from learnrate.nd.operators.choosing import ONE_HOT, PICK, TAKE, WHERE

__all__ = ["one_hot", "pick", "take", "where"]


def take(a: A, indices: A, axis: int = 0, mode: str = "clip", out: A | None = None) -> A:
    """Elements of ``a`` at ``indices`` along ``axis``, whose length is replaced by the shape of ``indices``.

    Indices are truncated to integers. Those out of range are clipped to it (``mode="clip"``), wrapped around
    (``"wrap"``) or raise InputError (``"raise"``).
    """
    if not hasattr(indices, "_node"):
        raise operand_error("take", indices)
    if axis:
        axis = one_axis("take", axis, rank("take", a))
    if mode != "clip":
        _check_mode("take", mode, ("clip", "wrap", "raise"))
    result = unary(TAKE, a, indices._data, axis, mode)
    return result if out is None else into(out, result)


def _check_mode(name: str, mode: str, modes: tuple[str, ...]) -> None:
    if mode not in modes:
        raise OptionError(
            f"{name} must be given a mode of {', '.join(modes)}. Got {mode!r} instead."
        )


def pick(
    data: A,
    index: A,
    axis: int = -1,
    keepdims: bool = False,
    mode: str = "clip",
    out: A | None = None,
) -> A:
    """From each row of ``data`` along ``axis`` the element at that row's index: ``data[i, index[i]]``.

    ``index`` and the result have the shape of ``data`` without ``axis``, or with length 1 along it, which the result has
    with ``keepdims``. Indices are truncated to integers; those out of range are clipped to it (``mode="clip"``) or wrapped
    around (``"wrap"``).
    """
    if not hasattr(index, "_node"):
        raise operand_error("pick", index)
    _check_mode("pick", mode, ("clip", "wrap"))
    at = one_axis("pick", axis, rank("pick", data))
    kept = (*data.shape[:at], 1, *data.shape[at + 1 :])
    rows = (*data.shape[:at], *data.shape[at + 1 :]) or (1,)
    if index.shape not in (rows, kept):
        raise InputError(
            f"pick must be given one index for each row of an array of shape {data.shape}. "
            f"Got indices of shape {index.shape} instead; {rows} would fit."
        )
    return into(out, unary(PICK, data, index._data, at, keepdims, mode))


def where(condition: A, x: A, y: A, out: A | None = None) -> A:
    """``x`` where ``condition`` is not 0, ``y`` elsewhere.

    The condition has the shape of ``x`` and ``y``, or is a vector with one element for each row.
    """
    for value in (condition, x, y):
        if not hasattr(value, "_node"):
            raise operand_error("where", value)
    if x._data.dtype != y._data.dtype:
        raise dtype_error(WHERE, x._data, y._data)
    flags = condition._data
    if x.shape != y.shape or flags.shape not in (x.shape, x.shape[:1]):
        raise InputError(
            "where must be given x and y of one shape, and a condition of that shape or a vector of "
            f"its rows. Got {flags.shape}, {x.shape} and {y.shape} instead."
        )
    if flags.shape != x.shape:
        flags = flags.reshape((-1,) + (1,) * (x.ndim - 1))
    return into(out, apply(WHERE, (x, y), flags))


def one_hot(
    indices: A,
    depth: int,
    on_value: float = 1.0,
    off_value: float = 0.0,
    dtype: Any = "float32",
) -> A:
    """A row of ``depth`` values for each index: ``on_value`` at the index, ``off_value`` elsewhere.

    The result has shape ``(*indices.shape, depth)``; the row of an index out of range is all ``off_value``.
    """
    target = dtype_of(dtype)
    return apply(ONE_HOT, (indices,), depth, on_value, off_value, target, dtype=target)
