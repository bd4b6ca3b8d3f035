"""The functions of `nd`, by MXNet's names."""

from __future__ import annotations

from learnrate.nd.apply import apply
from learnrate.nd.ndarray import NDArray
from learnrate.nd.operators.products import DOT

__all__ = ["dot"]


def dot(lhs: NDArray, rhs: NDArray) -> NDArray:
    """Matrix product: the sum over the last axis of ``lhs`` and the first of ``rhs``."""
    return apply(DOT, (lhs, rhs))
