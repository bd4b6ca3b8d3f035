"""How a minibatch scatters a second moment: the fourth-moment operator, on pairs of directions.

A symmetric matrix Σ is written as the vector ``vech(Σ)`` of its entries ``a ≤ b``, off-diagonal ones
times √2, so that lengths and inner products stay those of the matrices and symmetric operators stay
symmetric. The step matrix of example i is ``h_i = z_i z_iᵀ`` with mean G; the operator is::

    C(Σ) = (1/n) Σ_i h_i Σ h_i − G Σ G = (1/n) Σ_i (z_iᵀ Σ z_i) z_i z_iᵀ − G Σ G

Source: Mulayoff and Michaeli, arXiv 2306.07850.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float, Int

__all__ = ["Pairs", "apply_fourth_moment", "pair_covariance"]

_CHUNK = 4096  # rows at a time, so that memory stays small


@dataclass(frozen=True, eq=False)
class Pairs:
    """The entries ``(a, b)`` of a symmetric matrix that are kept, and their weights (1 or √2)."""

    first: Int[Array, " P"]
    second: Int[Array, " P"]
    weight: Float[Array, " P"]

    @classmethod
    def every(cls, r: int) -> Pairs:
        """All ``r(r + 1)/2`` entries: nothing is lost."""
        a, b = np.triu_indices(r)
        return cls(a, b, np.where(a == b, 1.0, np.sqrt(2.0)))

    @classmethod
    def diagonal(cls, r: int) -> Pairs:
        """Only the entries ``(a, a)``: for wide examples, where all pairs are too many."""
        a = np.arange(r)
        return cls(a, a, np.ones(r))

    def of(self, matrix: Float[Array, "r r"]) -> Float[Array, " P"]:
        """``vech`` of a symmetric matrix."""
        return self.weight * matrix[self.first, self.second]

    def products(self, Z: Float[Array, "n r"]) -> Float[Array, "n P"]:
        """``vech(z_i z_iᵀ)``, one row per example."""
        return Z[:, self.first] * Z[:, self.second] * self.weight

    def conjugation(self, G: Float[Array, "r r"]) -> Float[Array, "P P"]:
        """The matrix of ``Σ ↦ G Σ G`` for a symmetric G."""
        a, b = self.first, self.second
        once = G[np.ix_(a, a)] * G[np.ix_(b, b)] + G[np.ix_(a, b)] * G[np.ix_(b, a)]
        matrix: Array = 0.5 * np.outer(self.weight, self.weight) * once
        return matrix


def pair_covariance(
    pairs: Pairs, Z: Float[Array, "n r"], G: Float[Array, "r r"]
) -> Float[Array, "P P"]:
    """The matrix of C on the kept pairs, over the examples in Z. Costs ``n P²``.

    Symmetric, and positive semidefinite where G is the mean of ``z zᵀ`` over the same examples.
    """
    moment = np.zeros((pairs.first.size, pairs.first.size))
    for at in range(0, len(Z), _CHUNK):
        phi = pairs.products(Z[at : at + _CHUNK])
        moment += phi.T @ phi
    return moment / len(Z) - pairs.conjugation(G)


def apply_fourth_moment(S: Float[Array, "r r"], Z: Float[Array, "n r"]) -> Float[Array, "r r"]:
    """``(1/n) Σ_i (z_iᵀ S z_i) z_i z_iᵀ``, the first term of C. Costs ``n r²``; forms no pairs."""
    c = np.einsum("ij,ij->i", Z @ S, Z)
    moment: Array = Z.T @ (c[:, None] * Z) / len(Z)
    return moment
