"""The mean squared loss of each lane over all examples, in the coordinates of `learnrate.linear.anchor`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from learnrate._shapes import Array, Bool, Float
from learnrate.data.order import MinibatchOrders
from learnrate.linear.anchor import Anchor, fits
from learnrate.linear.evaluation import means
from learnrate.linear.parameters import joined
from learnrate.linear.problem import LinearProblem

__all__ = [
    "TOLERANCE",
    "Quadratic",
    "Trust",
    "measure_again",
    "quadratic_fits",
    "residuals",
    "row_blocks",
    "squared_errors",
    "sum_of_products",
]

TOLERANCE = {"float64": 1e-9, "float32": 1e-4}
"""The largest relative error of a loss."""

_BLOCK = 1 << 17  # numbers in one block of scratch: 1 MiB of float64, which a level-2 cache holds


def row_blocks(n: int, width: int) -> Iterator[slice]:
    """Yield blocks of ``n`` rows of ``width`` numbers that fit into a level-2 cache."""
    rows = max(1, _BLOCK // width)
    for first in range(0, n, rows):
        yield slice(first, min(first + rows, n))


def residuals(X: Float[Array, "n d"], y: Float[Array, " n"], anchor: Anchor) -> Float[Array, " n"]:
    """``r`` of examples, computed in float64."""
    r = np.empty(len(y), dtype=X.dtype)
    bias = anchor.beta - float(anchor.shift @ anchor.w)
    for rows in row_blocks(*X.shape):
        r[rows] = y[rows] - X[rows] @ anchor.w - bias
    return r


class Trust(NamedTuple):
    """Bounds on the rounding error of losses, from the size ``S = Σ_i |u_i| √Q_ii`` of the terms of a prediction error.

    Q has rounding errors of ``c ε √(Q_ii Q_jj)``, so a loss ``L`` that is computed from it has an error of at most
    ``½ c ε S²``. Residuals were rounded at the size ``R = Σ_i |w_ref,i| √Q_ii`` of the fitted values, and errors that
    are computed row by row at the size S; these rounding errors are practically independent of the prediction errors. The
    allowed error is a relative 1e-9 (1e-4 in float32) of L, or of ``small``, 10⁻¹² times the loss at the start, if that is
    larger::

        doubt · S² + ½ (unit R)² ≤ max(L, small)        ½ unit² (S + R)² ≤ max(L, small)        L > 0

    Attributes
    ----------
    doubt, least, small : float
        ``½ c ε / allowed``, with ε half the distance from 1 to the next number; ``½ (unit R)²``, or 0 if that is
        below ``small``.
    unit, fitted : float
        ``ε / allowed`` and R.
    """

    doubt: float
    least: float
    small: float
    unit: float
    fitted: float

    @classmethod
    def of(cls, anchor: Anchor, dtype: np.dtype[np.floating], terms: int) -> Trust:
        """The bounds for sums of ``terms`` numbers of this type, whose rounding is a random walk: ``c = 4 + √terms``."""
        unit = (
            2.0**-24 / TOLERANCE["float32"]
            if dtype.itemsize == 4
            else 2.0**-53 / TOLERANCE["float64"]
        )
        fitted = float(anchor.sizes[:-2].dot(np.abs(anchor.w)))
        least, small = 0.5 * (unit * fitted) * (unit * fitted), 1e-12 * anchor.start
        doubt = (4 + math.sqrt(terms)) * unit / 2
        return cls(doubt, least if least > small else 0.0, small, unit, fitted)

    def doubts_sums(
        self, loss: Float[Array, " K"], S: Float[Array, " K"]
    ) -> Bool[Array, " K"] | None:
        """Which losses that were computed from Q may be wrong; None if none may."""
        bound = self.doubt * (S * S) + self.least
        if (bound <= loss).all() and bound.all():
            return None
        believed: Array = (bound <= np.maximum(loss, self.small)) & (loss > 0)
        return ~believed

    def doubts_rows(self, loss: Float[Array, " K"], S: Float[Array, " K"]) -> Bool[Array, " K"]:
        """Which losses that were computed row by row, in the type of X, may be wrong."""
        bound: Array = 0.5 * (self.unit * (S + self.fitted)) ** 2
        return ~(bound <= np.maximum(loss, self.small))


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The loss of all n examples as a quadratic form: ``L(δ) = ½ uᵀ Q u`` with ``u = (δ_w, δ_β, −1)``.

    Attributes
    ----------
    Q : float64 array, shape (d + 2, d + 2)
        ``(1/n) Σ (z, 1, r)(z, 1, r)ᵀ``
    """

    Q: Float[Array, "d2 d2"]

    @cached_property
    def _half(self) -> Float[Array, "d2 d2"]:
        """``½ Q`` for ``(δ_w, δ_β, 1)``."""
        half = 0.5 * self.Q
        half[-1, :-1] *= -1
        half[:-1, -1] *= -1
        return half

    @cached_property
    def sizes(self) -> Float[Array, " d2"]:
        """``√Q_ii``"""
        return np.sqrt(self.Q.diagonal())

    def losses(
        self, v: Float[Array, "d2 K"], trust: Trust
    ) -> tuple[Float[Array, " K"], Bool[Array, " K"] | None]:
        """Mean loss of every lane ``v = (δ_w, δ_β, 1)``, and which of them may be wrong; None if none may."""
        loss: Float[Array, " K"] = np.einsum("ik,ik->k", v, self._half @ v)
        return loss, trust.doubts_sums(loss, self.sizes @ np.abs(v))


def quadratic_fits(Q: Float[Array, "d2 d2"], anchor: Anchor) -> bool:
    """Whether the anchor is good enough, by Q: ``r`` is not much larger than ``y − β_ref = r + z·w_ref``."""
    if fits(float(Q[-1, -1]), anchor.sizes[-1] ** 2) or not np.isfinite(Q).all():
        return (
            True  # as on the rows that were looked at; and nothing serves where the sums overflow
        )
    at = np.append(anchor.w, [0.0, 1.0])
    return fits(float(Q[-1, -1]), float(at @ Q @ at))


def measure_again(
    problem: LinearProblem,
    orders: MinibatchOrders,
    W: Float[Array, "K d"],
    b: Float[Array, " K"],
    loss: Float[Array, " K"],
    doubtful: Bool[Array, " K"],
) -> None:
    """Compute losses that may be wrong again from the rows, in place, unless the lane has diverged."""
    doubtful = doubtful & np.isfinite(W).all(axis=1) & np.isfinite(b)
    if doubtful.any():
        theta = joined(W[doubtful], b[doubtful], np.float64)
        loss[doubtful] = means(problem.loss, problem.in_turn(orders), theta)["loss"]


def sum_of_products(
    X: Float[Array, "n d"], y: Float[Array, " n"], anchor: Anchor
) -> tuple[Float[Array, "d2 d2"], Float[Array, " n"]]:
    """``Σ (z, 1, r)(z, 1, r)ᵀ`` over examples, the n-fold Q of `Quadratic`; and ``r``.

    Relative to the anchor all numbers have about the same size, so a block is summed in the type of X. The sum over
    blocks is in float64.
    """
    n, d = X.shape
    w, shift = (v.astype(X.dtype) for v in (anchor.w, anchor.shift))
    r = np.empty(n, dtype=X.dtype)
    Q = np.zeros((d + 2, d + 2))
    blocks = list(row_blocks(n, d + 2))
    room = np.ones((blocks[0].stop, d + 2), dtype=X.dtype)
    for rows in blocks:
        Z = room[: rows.stop - rows.start]
        np.subtract(X[rows], shift, out=Z[:, :d])
        np.subtract(y[rows], X.dtype.type(anchor.beta), out=Z[:, d + 1])
        Z[:, d + 1] -= Z[:, :d] @ w
        r[rows] = Z[:, d + 1]
        Q += Z.T @ Z
    return Q, r


def squared_errors(
    X: Float[Array, "n d"], r: Float[Array, " n"], anchor: Anchor, delta: Float[Array, "D K"]
) -> Float[Array, " K"]:
    """Sum of ``(z·δ_w + δ_β − r)²``, in blocks; in float64 for lanes that overflow the type of X."""
    total = np.zeros(delta.shape[1])
    shift = anchor.shift.astype(delta.dtype)
    for rows in row_blocks(len(r), sum(delta.shape)):
        error = (X[rows] - shift) @ delta[:-1]
        error += delta[-1]
        error -= r[rows, None]
        total += np.einsum("nk,nk->k", error, error)
    large = ~(total < np.sqrt(np.finfo(delta.dtype).max)) & np.isfinite(delta).all(axis=0)
    if delta.dtype != np.float64 and large.any():
        total[large] = squared_errors(X, r, anchor, delta[:, large].astype(np.float64))
    return total
