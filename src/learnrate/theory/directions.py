"""Fourth moments of the examples along single eigenvectors, not along pairs of them: r × r numbers.

With them the diagonal of the second moment is computed over many steps, by `learnrate.theory.shuffled` and, for wide
examples, by `learnrate.theory.second_moments`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.examples import Rotated

__all__ = ["LARGE", "Coupling", "Directions"]

LARGE = 64  # directions from which on it saves time
_EIGENVECTORS = 24
_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Coupling:
    """A large symmetric matrix approximated by low rank plus diagonal, which is quick to multiply by.

    ``κ ≈ Σ_q w_q v_q v_qᵀ + diag(κ1 − Σ_q w_q v_q (v_qᵀ1))``: the leading eigenvectors, and a diagonal that preserves the
    row sums. If all features have similar distributions, κ is nearly of rank one; for features that differ from the
    others (rare levels of a category) it is nearly diagonal. Loss curves computed with the approximation agreed with
    those of κ itself to 0.3 %.
    """

    values: Float[Array, " q"]
    vectors: Float[Array, "r q"]
    rest: Float[Array, " r"]

    @classmethod
    def of(cls, matrix: Float[Array, "r r"]) -> Coupling:
        """Approximate a symmetric matrix. The same matrix always gives the same result."""
        from scipy.sparse.linalg import ArpackError, eigsh

        ones = np.ones(len(matrix))
        try:
            values, vectors = eigsh(matrix, k=_EIGENVECTORS, v0=ones, tol=_TOLERANCE)
        except ArpackError:  # it did not converge, or the matrix is zero
            values, vectors = np.linalg.eigh(matrix)
            values, vectors = values[-_EIGENVECTORS:], vectors[:, -_EIGENVECTORS:]
        return cls(values, vectors, matrix @ ones - (vectors * values) @ (vectors.T @ ones))

    def times(self, X: Float[Array, "K r"]) -> Float[Array, "K r"]:
        """``X κ``, row by row."""
        product: Array = (X @ self.vectors) * self.values @ self.vectors.T
        product += X * self.rest
        return product

    def solve(
        self, scale: Float[Array, " r"], sides: Float[Array, "r sides"]
    ) -> Float[Array, "r sides"]:
        """``(I − κ diag(scale))⁻¹ sides``, by the Woodbury formula."""
        diagonal = (1 - self.rest * scale)[:, None]
        first, tall = sides / diagonal, self.vectors * self.values / diagonal
        across = self.vectors.T * scale
        small = np.eye(len(self.values)) - across @ tall
        solved: Array = first + tall @ np.linalg.solve(small, across @ first)
        return solved


_MIN_UNEXPLAINED = 1e-6  # lower bound on 1 − h, where h is a row's leverage
_STRONG_ROWS = 24


class _Means(NamedTuple):
    """Means over the examples; the properties of `Directions` with the same names say of what."""

    spread: Float[Array, "r r"]
    third: Float[Array, "r r"]
    noise: Float[Array, " r"]
    noise_left_out: Float[Array, " r"]
    strong: Float[Array, "rows r"]


class Directions:
    """Means over all or some of the examples, computed when the first of them is asked for.

    Parameters
    ----------
    along : Rotated
        The examples ``z_i`` and their residuals ``ε_i``.
    data_hessian, data_slope : arrays, shapes (r, r) and (r,)
        ``G = mean z zᵀ`` and ``ḡ = mean ε z``, over all examples.
    influence : array, shape (r,)
        ``1/(nλ)``: a row's leverage is the sum of ``z²/(nλ)``.
    """

    def __init__(
        self,
        along: Rotated,
        data_hessian: Float[Array, "r r"],
        data_slope: Float[Array, " r"],
        influence: Float[Array, " r"],
    ) -> None:
        self.rows = along.rows
        self._along = along
        self._G = data_hessian
        self._slope = data_slope
        self._influence = influence

    @cached_property
    def _means(self) -> _Means:
        """All means, from one pass over the examples."""
        spread, third = np.zeros_like(self._G), np.zeros_like(self._G)
        noise, n = np.zeros_like(self._slope), self.rows
        unmet, drift = np.zeros_like(noise), np.zeros_like(noise)
        strong, strength = np.empty((0, len(noise))), np.empty(0)
        for Z, residuals in self._along.blocks(residuals=True):
            assert residuals is not None
            pull = residuals[:, None] * Z
            square = Z * Z
            leverage = square @ self._influence
            left_out = residuals / np.maximum(1 - leverage, _MIN_UNEXPLAINED)
            drift += left_out @ Z
            unmet += left_out**2 @ square
            spread += square.T @ square
            third += pull.T @ square
            noise += residuals**2 @ square
            strength = np.append(strength, leverage)
            most = np.argsort(strength)[-_STRONG_ROWS:]
            strong, strength = np.vstack([strong, Z])[most], strength[most]
        return _Means(
            spread / n - self._G**2,
            third / n - self._G * self._slope,
            noise / n - self._slope**2,
            unmet / n - (drift / n) ** 2,
            strong,
        )

    @property
    def spread(self) -> Float[Array, "r r"]:
        """``κ_ab = mean z_a² z_b² − G_ab²``: the operator C of `learnrate.theory.fourth_moment`, on diagonal matrices."""
        return self._means.spread

    @cached_property
    def coupling(self) -> Coupling | None:
        """`spread` in a form that is quick to multiply by; None where it is small."""
        return Coupling.of(self.spread) if len(self._slope) >= LARGE else None

    @property
    def third(self) -> Float[Array, "r r"]:
        """``M_ab = mean ε z_a z_b² − G_ab ḡ_b``: how residuals depend on the features."""
        return self._means.third

    @property
    def noise(self) -> Float[Array, " r"]:
        """``V_a = mean ε² z_a² − ḡ_a²``: the variance of one example's gradient at the optimum."""
        return self._means.noise

    @property
    def noise_left_out(self) -> Float[Array, " r"]:
        """`noise` with ``ε/(1 − h)``, each row's residual at the optimum of all other rows; h is its leverage.

        Source: Cook and Weisberg, *Residuals and Influence in Regression* (1982).
        """
        return self._means.noise_left_out

    @property
    def strong(self) -> Float[Array, "rows r"]:
        """``z`` of the rows with the largest leverage."""
        return self._means.strong
