"""Sums, means, extremes and norms over axes. Each is also a method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from learnrate.errors import OptionError
from learnrate.nd.apply import unary
from learnrate.nd.functions.arguments import one_axis, rank
from learnrate.nd.functions.results import into
from learnrate.nd.operators.reductions import ARG_REDUCTIONS, NORM, REDUCTIONS

if TYPE_CHECKING:
    from learnrate.nd.ndarray import NDArray

__all__ = ["argmax", "argmin", "max", "mean", "min", "norm", "prod", "sum"]


def _axes(name: str, data: NDArray, axis: Any, exclude: bool) -> tuple[int, ...]:
    """The axes to reduce: all of them for None and (); with ``exclude`` those not named."""
    ndim = rank(name, data)
    every = tuple(range(ndim))
    if axis is None or axis == () or axis == []:
        return every
    named = axis if isinstance(axis, tuple | list) else (axis,)
    axes = tuple(sorted({one_axis(name, i, ndim) for i in named}))
    return tuple([i for i in every if i not in axes]) if exclude else axes


def _reduce(
    name: str, data: NDArray, axis: Any, keepdims: bool, exclude: bool, out: NDArray | None
) -> NDArray:
    axes = _axes(name, data, axis, exclude)
    return into(out, unary(REDUCTIONS[name], data, axes, keepdims))


def sum(
    data: NDArray,
    axis: Any = None,
    keepdims: bool = False,
    exclude: bool = False,
    out: NDArray | None = None,
) -> NDArray:
    """Sum over ``axis`` (an int or a tuple; all axes by default).

    With ``keepdims`` the reduced axes stay with length 1; with ``exclude`` the axes *not* named are
    reduced. Without axes left the result has shape (1,).
    """
    return _reduce("sum", data, axis, keepdims, exclude, out)


def mean(
    data: NDArray,
    axis: Any = None,
    keepdims: bool = False,
    exclude: bool = False,
    out: NDArray | None = None,
) -> NDArray:
    """Mean over ``axis``; arguments as for `sum`."""
    return _reduce("mean", data, axis, keepdims, exclude, out)


def max(
    data: NDArray,
    axis: Any = None,
    keepdims: bool = False,
    exclude: bool = False,
    out: NDArray | None = None,
) -> NDArray:
    """Largest element along ``axis``; arguments as for `sum`. The gradient goes to every tie."""
    return _reduce("max", data, axis, keepdims, exclude, out)


def min(
    data: NDArray,
    axis: Any = None,
    keepdims: bool = False,
    exclude: bool = False,
    out: NDArray | None = None,
) -> NDArray:
    """Smallest element along ``axis``; arguments as for `sum`. The gradient goes to every tie."""
    return _reduce("min", data, axis, keepdims, exclude, out)


def prod(
    data: NDArray,
    axis: Any = None,
    keepdims: bool = False,
    exclude: bool = False,
    out: NDArray | None = None,
) -> NDArray:
    """Product along ``axis``; arguments as for `sum`. Where an element is 0 its gradient is nan."""
    return _reduce("prod", data, axis, keepdims, exclude, out)


def norm(
    data: NDArray,
    ord: int = 2,
    axis: Any = None,
    keepdims: bool = False,
    out: NDArray | None = None,
) -> NDArray:
    """``√Σx²`` (``ord=2``) or ``Σ|x|`` (``ord=1``) over ``axis``, over all elements by default."""
    if ord not in (1, 2):
        raise OptionError(f"norm must be given ord 1 or 2. Got {ord!r} instead.")
    return into(out, unary(NORM, data, _axes("norm", data, axis, False), keepdims, ord))


def _arg_reduce(name: str, data: NDArray, axis: Any, keepdims: bool) -> NDArray:
    ndim = rank(name, data)
    if axis is None:
        data, axis, ndim = data.reshape((-1,)), 0, 1
    return unary(ARG_REDUCTIONS[name], data, one_axis(name, axis, ndim), keepdims)


def argmax(data: NDArray, axis: int | None = None, keepdims: bool = False) -> NDArray:
    """Index of the first largest element along ``axis``, in the dtype of ``data``."""
    return _arg_reduce("argmax", data, axis, keepdims)


def argmin(data: NDArray, axis: int | None = None, keepdims: bool = False) -> NDArray:
    """Index of the first smallest element along ``axis``, in the dtype of ``data``."""
    return _arg_reduce("argmin", data, axis, keepdims)
