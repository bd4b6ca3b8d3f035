"""Sums, means, extremes and norms over axes. Each is also a method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from learnrate.errors import OptionError
from learnrate.nd.apply import unary
from learnrate.nd.base import A
from learnrate.nd.functions.arguments import into, one_axis, rank
from learnrate.nd.functions.shaping import share_reshaped
from learnrate.nd.operators.reductions import ARG_REDUCTIONS, NORM, REDUCTIONS

__all__ = ["argmax", "argmin", "max", "mean", "min", "norm", "prod", "sum"]


def _axes(name: str, data: A, axis: Any, exclude: bool) -> tuple[int, ...]:
    """The axes to reduce: all of them for None and (); with ``exclude`` those not named."""
    ndim = rank(name, data)
    every = tuple(range(ndim))
    if axis is None or axis == () or axis == []:
        return every
    named = axis if isinstance(axis, tuple | list) else (axis,)
    axes = tuple(sorted({one_axis(name, i, ndim) for i in named}))
    return tuple([i for i in every if i not in axes]) if exclude else axes


class _Reduction(Protocol):
    def __call__(
        self,
        data: A,
        axis: Any = None,
        keepdims: bool = False,
        exclude: bool = False,
        out: A | None = None,
    ) -> A: ...

    def __get__(self, array: A, kind: Any = None) -> Callable[..., A]: ...  # as a method


def _reduction(name: str, what: str, more: str = "") -> _Reduction:
    """The function that reduces by the operator ``name``."""

    def function(
        data: A,
        axis: Any = None,
        keepdims: bool = False,
        exclude: bool = False,
        out: A | None = None,
    ) -> A:
        axes = _axes(name, data, axis, exclude)
        return into(out, unary(REDUCTIONS[name], data, axes, keepdims))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{what} ``axis``, an int or a tuple of ints; all axes by default.

    With ``keepdims`` the reduced axes stay, with length 1. With ``exclude`` all axes but those named are reduced. If no axis
    is left, the result has shape (1,).{more}
    """
    return function


_TIES = " In a tie, each of the equal elements gets the whole gradient."
sum = _reduction("sum", "Sum over")
mean = _reduction("mean", "Mean over")
max = _reduction("max", "Largest element along", _TIES)
min = _reduction("min", "Smallest element along", _TIES)
prod = _reduction("prod", "Product over", " The gradient of an element that is 0 is NaN.")


def norm(
    data: A,
    ord: int = 2,
    axis: Any = None,
    keepdims: bool = False,
    out: A | None = None,
) -> A:
    """``√Σx²`` (``ord=2``) or ``Σ|x|`` (``ord=1``) over ``axis``, an int or a tuple of ints; all axes by default."""
    if ord not in (1, 2):
        raise OptionError(f"norm must be given ord 1 or 2. Got {ord!r} instead.")
    return into(out, unary(NORM, data, _axes("norm", data, axis, False), keepdims, ord))


def _arg_reduce(name: str, data: A, axis: Any, keepdims: bool) -> A:
    ndim = rank(name, data)
    if axis is None:
        data, axis, ndim = share_reshaped(data, (-1,)), 0, 1
    return unary(ARG_REDUCTIONS[name], data, one_axis(name, axis, ndim), keepdims)


def argmax(data: A, axis: int | None = None, keepdims: bool = False) -> A:
    """Index of the first largest element along ``axis``, in the dtype of ``data``; of all elements, flattened, by default."""
    return _arg_reduce("argmax", data, axis, keepdims)


def argmin(data: A, axis: int | None = None, keepdims: bool = False) -> A:
    """Index of the first smallest element along ``axis``, in the dtype of ``data``; of all elements, flattened, by default."""
    return _arg_reduce("argmin", data, axis, keepdims)
