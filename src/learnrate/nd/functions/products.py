"""Matrix products and softmax."""

from __future__ import annotations

from typing import TYPE_CHECKING

from learnrate.nd.apply import binary, unary
from learnrate.nd.functions.arguments import one_axis, rank
from learnrate.nd.functions.results import into
from learnrate.nd.operator_errors import operand_error
from learnrate.nd.operators.products import DOT
from learnrate.nd.operators.softmax import LOG_SOFTMAX, SOFTMAX

if TYPE_CHECKING:
    from learnrate.nd.ndarray import NDArray

__all__ = ["dot", "log_softmax", "softmax"]

_dot = binary(DOT)


def dot(
    lhs: NDArray,
    rhs: NDArray,
    transpose_a: bool = False,
    transpose_b: bool = False,
    out: NDArray | None = None,
) -> NDArray:
    """Sum of products over the last axis of ``lhs`` and the first of ``rhs``.

    The matrix product of two matrices; of two vectors their inner product, with shape (1,).
    """
    if type(lhs) is not type(rhs) or not hasattr(lhs, "_node"):
        raise operand_error("dot", rhs if hasattr(lhs, "_node") else lhs)
    if transpose_a:
        lhs = lhs.T
    if transpose_b:
        rhs = rhs.T
    result: NDArray = _dot(lhs, rhs)
    return result if out is None else into(out, result)


def softmax(data: NDArray, axis: int = -1) -> NDArray:
    """``e^{x_i} / Σ_j e^{x_j}`` along ``axis``."""
    return unary(SOFTMAX, data, one_axis("softmax", axis, rank("softmax", data)))


def log_softmax(data: NDArray, axis: int = -1) -> NDArray:
    """``x_i − log Σ_j e^{x_j}`` along ``axis``."""
    return unary(LOG_SOFTMAX, data, one_axis("log_softmax", axis, rank("log_softmax", data)))
