"""Fourth moments along single eigenvectors, without the pairs of them: r × r numbers.

They are what the diagonal of the second moment is followed with (`learnrate.theory.shuffled` and, for wide
examples, `learnrate.theory.second_moments`), and where the search for the mean-square limit starts.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["Directions"]

_CHUNK = 2048  # rows at a time, so that they stay in the processor's cache


class Directions:
    """Means over some examples, or all of them; each is computed when asked for.

    Parameters
    ----------
    Z : array, shape (rows, r)
        ``z_i``, one row per example.
    residuals : array, shape (rows,)
        ``ε_i``.
    data_hessian, data_slope : arrays, shapes (r, r) and (r,)
        G and ḡ, over all examples.
    """

    def __init__(
        self,
        Z: Float[Array, "rows r"],
        residuals: Float[Array, " rows"],
        data_hessian: Float[Array, "r r"],
        data_slope: Float[Array, " r"],
    ) -> None:
        self.rows = len(Z)
        self._Z = Z
        self._residuals = residuals
        self._G = data_hessian
        self._slope = data_slope

    @cached_property
    def spread(self) -> Float[Array, "r r"]:
        """``κ_ab = mean z_a² z_b² − G_ab²``: C of `learnrate.theory.fourth_moment` on diagonals."""
        total = np.zeros_like(self._G)
        for at in range(0, self.rows, _CHUNK):
            squares = self._Z[at : at + _CHUNK] ** 2
            total += squares.T @ squares
        mean: Array = total / self.rows - self._G**2
        return mean

    @cached_property
    def tow(self) -> Float[Array, "r r"]:
        """``M_ab = mean ε z_a z_b² − G_ab ḡ_b``: how residuals and features hang together."""
        total = np.zeros_like(self._G)
        for at in range(0, self.rows, _CHUNK):
            Z = self._Z[at : at + _CHUNK]
            total += (self._residuals[at : at + _CHUNK, None] * Z).T @ Z**2
        mean: Array = total / self.rows - self._G * self._slope
        return mean

    @cached_property
    def noise(self) -> Float[Array, " r"]:
        """``V_a = mean ε² z_a² − ḡ_a²``: the variance of one example's pull at the optimum."""
        total = np.zeros_like(self._slope)
        for at in range(0, self.rows, _CHUNK):
            total += self._residuals[at : at + _CHUNK] ** 2 @ self._Z[at : at + _CHUNK] ** 2
        mean: Array = total / self.rows - self._slope**2
        return mean
