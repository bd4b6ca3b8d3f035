"""Matrix products and softmax."""

from __future__ import annotations

from learnrate.nd.apply import binary, unary
from learnrate.nd.base import A
from learnrate.nd.functions.arguments import into, one_axis, rank
from learnrate.nd.functions.shaping import transposed
from learnrate.nd.operator_errors import operand_error
from learnrate.nd.operators.products import DOT, LOG_SOFTMAX, SOFTMAX

__all__ = ["dot", "log_softmax", "softmax"]

_dot = binary(DOT)


def dot(
    lhs: A,
    rhs: A,
    transpose_a: bool = False,
    transpose_b: bool = False,
    out: A | None = None,
) -> A:
    """Sum of products over the last axis of ``lhs`` and the first axis of ``rhs``, which must have the same length.

    Of two matrices this is the matrix product; of two vectors the inner product, with shape (1,). ``transpose_a`` and
    ``transpose_b`` transpose ``lhs`` and ``rhs`` first.
    """
    if type(lhs) is not type(rhs) or not hasattr(lhs, "_node"):
        raise operand_error("dot", rhs if hasattr(lhs, "_node") else lhs)
    if transpose_a:
        lhs = transposed(lhs)
    if transpose_b:
        rhs = transposed(rhs)
    return into(out, _dot(lhs, rhs))


def softmax(data: A, axis: int = -1) -> A:
    """``e^{x_i} / Σ_j e^{x_j}`` along ``axis``, the last one by default; no exponential overflows."""
    return unary(SOFTMAX, data, one_axis("softmax", axis, rank("softmax", data)))


def log_softmax(data: A, axis: int = -1) -> A:
    """``x_i − log Σ_j e^{x_j}`` along ``axis``, the last one by default; no exponential overflows."""
    return unary(LOG_SOFTMAX, data, one_axis("log_softmax", axis, rank("log_softmax", data)))
