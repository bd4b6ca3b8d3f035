"""Functions of one array, element by element. Each is also a method: ``nd.exp(x)`` is ``x.exp()``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from learnrate.nd.apply import apply, unary
from learnrate.nd.base import A
from learnrate.nd.functions.arguments import dtype_of, into
from learnrate.nd.operators.elementwise import CAST, CLIP, COPY, ELEMENTWISE, STOP_GRADIENT

__all__ = [
    "BlockGrad",
    "abs",
    "astype",
    "cast",
    "ceil",
    "clip",
    "copy",
    "cos",
    "exp",
    "expm1",
    "floor",
    "identity",
    "log",
    "log1p",
    "log2",
    "log10",
    "logical_not",
    "negative",
    "ones_like",
    "reciprocal",
    "relu",
    "round",
    "rsqrt",
    "sigmoid",
    "sign",
    "sin",
    "softrelu",
    "softsign",
    "sqrt",
    "square",
    "stop_gradient",
    "tan",
    "tanh",
    "zeros_like",
]


class _Function(Protocol):
    def __call__(self, data: A, out: A | None = None) -> A: ...

    def __get__(self, array: A, kind: Any = None) -> Callable[..., A]: ...  # as a method


def _function(name: str, formula: str) -> _Function:
    """A function ``f(data, out=None)`` that applies the operator of that name."""
    operator = ELEMENTWISE[name]

    def function(data: A, out: A | None = None) -> A:
        return into(out, unary(operator, data))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"``{formula}`` of each element."
    return function


abs = _function("abs", "|x|")
ceil = _function("ceil", "⌈x⌉")
cos = _function("cos", "cos x")
exp = _function("exp", "eˣ")
expm1 = _function("expm1", "eˣ − 1")
floor = _function("floor", "⌊x⌋")
log = _function("log", "ln x")
log10 = _function("log10", "log₁₀ x")
log1p = _function("log1p", "ln(1 + x)")
log2 = _function("log2", "log₂ x")
logical_not = _function("logical_not", "1 where x = 0, else 0")
negative = _function("negative", "−x")
ones_like = _function("ones_like", "1")
reciprocal = _function("reciprocal", "1 / x")
relu = _function("relu", "max(x, 0)")
round = _function("round", "x to the nearest integer, halves away from zero,")
rsqrt = _function("rsqrt", "1 / √x")
sigmoid = _function("sigmoid", "1 / (1 + e⁻ˣ)")
sign = _function("sign", "−1, 0 or 1, the sign of x,")
sin = _function("sin", "sin x")
softrelu = _function("softrelu", "ln(1 + eˣ)")
softsign = _function("softsign", "x / (1 + |x|)")
sqrt = _function("sqrt", "√x")
square = _function("square", "x²")
tan = _function("tan", "tan x")
tanh = _function("tanh", "tanh x")
zeros_like = _function("zeros_like", "0")


def clip(data: A, a_min: float, a_max: float, out: A | None = None) -> A:
    """``min(max(x, a_min), a_max)`` of each element."""
    return into(out, unary(CLIP, data, a_min, a_max))


def astype(data: A, dtype: Any, copy: bool = True) -> A:
    """``data`` with another dtype; with ``copy=False`` itself if it has that dtype already."""
    target = dtype_of(dtype)
    if not copy and data._data.dtype == target:
        return data
    return apply(CAST, (data,), target, dtype=target)


def cast(data: A, dtype: Any) -> A:
    """Return a copy of ``data`` with another dtype."""
    return astype(data, dtype)


def copy(data: A) -> A:
    """Return a copy; gradients flow through it."""
    return unary(COPY, data)


def identity(data: A) -> A:
    """Return a copy; gradients flow through it."""
    return copy(data)


def stop_gradient(data: A) -> A:
    """Return a copy that gradients do not flow through."""
    return unary(STOP_GRADIENT, data)


BlockGrad = stop_gradient
