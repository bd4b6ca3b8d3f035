"""The fourth-moment operator: what the variation between minibatches adds to the second moment of the error.

A symmetric matrix Σ is written as the vector ``vech(Σ)`` of its entries ``a ≤ b``, off-diagonal ones
times √2, so that norms and inner products equal those of the matrices, and symmetric operators stay
symmetric. The Hessian of example i is ``h_i = z_i z_iᵀ``, their mean is G, and the operator is::

    C(Σ) = (1/n) Σ_i h_i Σ h_i − G Σ G = (1/n) Σ_i (z_iᵀ Σ z_i) z_i z_iᵀ − G Σ G

Source: Mulayoff and Michaeli, arXiv 2306.07850.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.theory.examples import Rotated

__all__ = ["PairMoments", "Pairs", "apply_fourth_moment", "pair_covariance", "pair_moments"]

_MAX_ROWS = 1024  # in a block, which …
_PRODUCTS = 250_000  # … has at most this many products, to stay in the processor's cache
_ENTRIES = 1_000_000  # of the matrix that are filled at a time


@dataclass(frozen=True, eq=False)
class Pairs:
    """Which entries ``(a, b)`` of a symmetric matrix are kept, ordered by a, then b, with their weights (1 or √2)."""

    first: Int[Array, " P"]
    second: Int[Array, " P"]
    weight: Float[Array, " P"]

    @classmethod
    def every(cls, r: int) -> Pairs:
        """All ``r(r + 1)/2`` entries."""
        a, b = np.triu_indices(r)
        return cls(a, b, np.where(a == b, 1.0, np.sqrt(2.0)))

    @classmethod
    def diagonal(cls, r: int) -> Pairs:
        """Only the entries ``(a, a)``, for wide examples, which have too many pairs."""
        a = np.arange(r)
        return cls(a, a, np.ones(r))

    def of(self, matrix: Float[Array, "r r"]) -> Float[Array, " P"]:
        """``vech`` of a symmetric matrix."""
        return self.weight * matrix[self.first, self.second]

    def conjugation(self, G: Float[Array, "r r"]) -> Float[Array, "P P"]:
        """The matrix of ``Σ ↦ G Σ G`` for a symmetric G."""
        a, b = self.first, self.second
        once = G[np.ix_(a, a)] * G[np.ix_(b, b)] + G[np.ix_(a, b)] * G[np.ix_(b, a)]
        matrix: Array = 0.5 * np.outer(self.weight, self.weight) * once
        return matrix


def pair_covariance(pairs: Pairs, along: Rotated, G: Float[Array, "r r"]) -> Float[Array, "P P"]:
    """The matrix of the operator C on all pairs, from the examples of ``along``, shape (P, P).

    It is symmetric, and positive semidefinite where G is the mean of ``z zᵀ`` over the same examples.
    """
    return pair_moments(pairs, along).fourth - pairs.conjugation(G)


@dataclass(frozen=True, eq=False)
class PairMoments:
    """Means over the examples, with ``φ = vech(z zᵀ)``.

    Attributes
    ----------
    fourth : array, shape (P, P)
        ``φ φᵀ``.
    third : array, shape (P, r)
        ``ε φ zᵀ``; 0 if residuals were not requested.
    """

    fourth: Float[Array, "P P"]
    third: Float[Array, "P r"]


def pair_moments(pairs: Pairs, along: Rotated, *, residuals: bool = False) -> PairMoments:
    """Third and fourth moments of all pairs of directions, from the examples of ``along``.

    ``z_a z_b z_c z_d`` does not depend on the order of its factors, so only ``a ≤ b ≤ c ≤ d`` are summed:
    ``n r⁴/24`` multiplications, a third of the number for ``φ φᵀ``.
    """
    r = int(pairs.first[-1]) + 1
    # With pairs (a, b) ordered by b, then a, those with b ≤ c are the first `ends[c]`.
    ends = [(c + 1) * (c + 2) // 2 for c in range(r)]
    most = min(_MAX_ROWS, max(1, _PRODUCTS // ends[-1]))
    held = np.empty((ends[-1], min(most, along.rows)))
    sums = [np.zeros((end, r - c)) for c, end in enumerate(ends)]
    third = np.zeros((ends[-1], r))
    for Z, eps in along.blocks(most=most, residuals=residuals):
        z = np.ascontiguousarray(Z.T)
        products = held[:, : len(Z)]
        for c in range(r):
            np.multiply(z[c], z[: c + 1], out=products[ends[c] - c - 1 : ends[c]])
            sums[c] += products[: ends[c]] @ (z[c] * z[c:]).T
        if eps is not None:
            third += products @ (eps * z).T
    n, weight = along.rows, pairs.weight
    fourth = np.outer(weight, weight / n)
    _multiply_by_moments(pairs, np.concatenate([part.ravel() for part in sums]), fourth)
    order = _by_second(pairs.first, pairs.second)
    return PairMoments(fourth, third[order] * (weight / n)[:, None])


def _by_second(a: Int[Array, "..."], b: Int[Array, "..."]) -> Int[Array, "..."]:
    """Position of the pair ``a ≤ b`` in the order by b, then a."""
    position: Array = b * (b + 1) // 2 + a
    return position


def _multiply_by_moments(
    pairs: Pairs, sums: Float[Array, " moments"], matrix: Float[Array, "P P"]
) -> None:
    """Multiply each entry of the matrix of pairs by the sum for its four directions, sorted ``a ≤ b ≤ c ≤ d``.

    ``sums`` holds, for each c, a matrix with the pairs ``a ≤ b ≤ c`` as rows and the ``d ≥ c`` as columns, flattened.
    """
    first, second = pairs.first, pairs.second
    r, P = int(first[-1]) + 1, first.size
    c = np.arange(r)
    offsets = np.append(0, np.cumsum((c + 1) * (c + 2) // 2 * (r - c)))
    for at in range(0, P, max(1, _ENTRIES // P)):
        rows = slice(at, at + max(1, _ENTRIES // P))
        a, b = first[rows, None], second[rows, None]
        inner, outer = np.maximum(a, first), np.minimum(b, second)
        low, high = np.minimum(inner, outer), np.maximum(inner, outer)
        place = _by_second(np.minimum(a, first), low) * (r - high)
        place += offsets[high] + np.maximum(b, second) - high
        matrix[rows] *= sums[place]


def apply_fourth_moment(
    S: Float[Array, "r r"], blocks: Iterable[Float[Array, "rows r"]], *, length: float | None = None
) -> Float[Array, "r r"]:
    """``(1/n) Σ_i (z_iᵀ S z_i) z_i z_iᵀ``, the first term of C, in ``2 n r²`` multiplications, without pairs.

    With ``length``, the examples are divided by it, S by its largest entry, and the products are computed in float32:
    half the time, about six digits.
    """
    size = 1.0
    dtype: type[np.floating] = np.float64 if length is None else np.float32
    if length is not None:
        size = float(np.abs(S).max()) or 1.0
    S = (S / size).astype(dtype)
    ones = np.ones(len(S), dtype)
    moment, held, n = np.zeros(S.shape), np.empty((0, 0), dtype), 0
    for block in blocks:
        rows = block if length is None else (block / length).astype(dtype)
        if rows.shape != held.shape:
            held = np.empty_like(rows)
        np.matmul(rows, S, out=held)
        held *= rows
        np.multiply((held @ ones)[:, None], rows, out=held)
        moment += rows.T @ held
        n += len(rows)
    scaled: Array = moment * (size * (length or 1.0) ** 4 / n)
    return scaled
