"""How a minibatch scatters a second moment: the fourth-moment operator, on pairs of directions.

A symmetric matrix Σ is written as the vector ``vech(Σ)`` of its entries ``a ≤ b``, off-diagonal ones
times √2, so that lengths and inner products stay those of the matrices and symmetric operators stay
symmetric. The step matrix of example i is ``h_i = z_i z_iᵀ`` with mean G; the operator is::

    C(Σ) = (1/n) Σ_i h_i Σ h_i − G Σ G = (1/n) Σ_i (z_iᵀ Σ z_i) z_i z_iᵀ − G Σ G

Source: Mulayoff and Michaeli, arXiv 2306.07850.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float, Int

__all__ = ["Pairs", "apply_fourth_moment", "pair_covariance", "pair_moments"]

_CHUNK = 2048  # rows at a time, so that they stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Pairs:
    """The entries ``(a, b)`` of a symmetric matrix that are kept, and their weights (1 or √2).

    Those with the same a stand together, b counting up.
    """

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
        out = np.empty((len(Z), self.first.size))
        starts = np.append(np.flatnonzero(np.diff(self.first, prepend=-1)), self.first.size)
        for at, end in itertools.pairwise(starts):  # one slice for each first direction
            a, b = self.first[at], self.second[at]
            np.multiply(Z[:, a : a + 1], Z[:, b : b + end - at], out=out[:, at:end])
        out *= self.weight
        return out

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
    return pair_moments(pairs, Z, Z[:, :0])[0] - pairs.conjugation(G)


def pair_moments(
    pairs: Pairs, Z: Float[Array, "n r"], other: Float[Array, "n k"]
) -> tuple[Float[Array, "P P"], Float[Array, "P k"]]:
    """Means over the examples of ``φ φᵀ`` and ``φ otherᵀ`` with ``φ = vech(z zᵀ)``."""
    P = pairs.first.size
    squares, mixed = np.zeros((P, P)), np.zeros((P, other.shape[1]))
    for at in range(0, len(Z), _CHUNK):
        phi = pairs.products(Z[at : at + _CHUNK])
        squares += phi.T @ phi
        mixed += phi.T @ other[at : at + _CHUNK]
    return squares / len(Z), mixed / len(Z)


def apply_fourth_moment(
    S: Float[Array, "r r"], Z: Float[Array, "n r"], *, single: bool = False
) -> Float[Array, "r r"]:
    """``(1/n) Σ_i (z_iᵀ S z_i) z_i z_iᵀ``, the first term of C. Costs ``2 n r²``; forms no pairs.

    ``single`` multiplies in float32, in half the time and to some six digits; examples and S are brought
    to size 1 for it.
    """
    size, length = 1.0, 1.0
    dtype: type[np.floating] = np.float64
    if single:
        size, length = (float(max(a.max(), -a.min())) or 1.0 for a in (S, Z))
        dtype = np.float32
    S = (S / size).astype(dtype)
    moment = np.zeros(S.shape)
    for at in range(0, len(Z), _CHUNK):
        rows = Z[at : at + _CHUNK]
        if single:
            rows = (rows / length).astype(dtype)
        c = np.einsum("ij,ij->i", rows @ S, rows)
        moment += rows.T @ (c[:, None] * rows)
    moment *= size * length**4 / len(Z)
    return moment
