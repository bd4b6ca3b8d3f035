"""Functions of one array, element by element: each beside its derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.autograd import Operator
from learnrate.nd.operators.rules import through, zero_gradient

__all__ = ["CAST", "CLIP", "COPY", "ELEMENTWISE", "STOP_GRADIENT"]

_LN2, _LN10 = float(np.log(2)), float(np.log(10))


def _sigmoid(x: Any) -> Any:
    """``1 / (1 + e⁻ˣ)``; where ``e⁻ˣ`` overflows the result is 0, as it should be."""
    return 1 / (1 + np.exp(-x))


SIGMOID = Operator("sigmoid", _sigmoid, lambda g, out, x: g * out * (1 - out))


def _round(x: Any) -> Any:
    """``x`` rounded to the nearest integer, halves away from zero."""
    return np.copysign(np.floor(np.abs(x) + 0.5), x)


ELEMENTWISE = {
    operator.name: operator
    for operator in [
        Operator("abs", np.abs, lambda g, out, x: g * np.sign(x)),
        Operator("ceil", np.ceil, zero_gradient),
        Operator("cos", np.cos, lambda g, out, x: -g * np.sin(x)),
        Operator("exp", np.exp, lambda g, out, x: g * out),
        Operator("expm1", np.expm1, lambda g, out, x: g * (out + 1)),
        Operator("floor", np.floor, zero_gradient),
        Operator("log", np.log, lambda g, out, x: g / x),
        Operator("log10", np.log10, lambda g, out, x: g / (x * _LN10)),
        Operator("log1p", np.log1p, lambda g, out, x: g / (1 + x)),
        Operator("log2", np.log2, lambda g, out, x: g / (x * _LN2)),
        Operator("logical_not", lambda x: x == 0, zero_gradient),
        Operator("negative", np.negative, lambda g, out, x: -g),
        Operator("ones_like", np.ones_like, zero_gradient),
        Operator("reciprocal", lambda x: 1 / x, lambda g, out, x: -g * out * out),
        Operator("relu", lambda x: np.maximum(x, 0), lambda g, out, x: g * (x > 0)),
        Operator("round", _round, zero_gradient),
        Operator("rsqrt", lambda x: 1 / np.sqrt(x), lambda g, out, x: -g * out / (2 * x)),
        SIGMOID,
        Operator("sign", np.sign, zero_gradient),
        Operator("sin", np.sin, lambda g, out, x: g * np.cos(x)),
        Operator(
            "softrelu", lambda x: np.logaddexp(0, x), lambda g, out, x: g * through(SIGMOID, x)
        ),
        Operator(
            "softsign", lambda x: x / (1 + np.abs(x)), lambda g, out, x: g / (1 + np.abs(x)) ** 2
        ),
        Operator("sqrt", np.sqrt, lambda g, out, x: g / (2 * out)),
        Operator("square", np.square, lambda g, out, x: g * (2 * x)),
        Operator("tan", np.tan, lambda g, out, x: g * (1 + out * out)),
        Operator("tanh", np.tanh, lambda g, out, x: g * (1 - out * out)),
        Operator("zeros_like", np.zeros_like, zero_gradient),
    ]
}

CLIP = Operator(
    "clip",
    lambda x, low, high: np.minimum(np.maximum(x, low), high),
    lambda g, out, x, low, high: g * ((x >= low) & (x <= high)),
)
CAST = Operator(
    "astype",
    lambda x, dtype: x.astype(dtype),
    lambda g, out, x, dtype: g.astype(x.dtype),
)
COPY = Operator("copy", np.copy, lambda g, out, x: g)
STOP_GRADIENT = Operator("stop_gradient", np.copy, zero_gradient)
