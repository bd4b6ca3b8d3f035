"""Fourth moments along single eigenvectors, without the pairs of them: r × r numbers.

They are what the diagonal of the second moment is followed with (`learnrate.theory.shuffled` and, for wide
examples, `learnrate.theory.second_moments`), and where the search for the mean-square limit starts.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.rotated import Rotated

__all__ = ["Directions"]


class Directions:
    """Means over some examples, or all of them; computed when one is asked for.

    Parameters
    ----------
    along : Rotated
        ``z_i`` and ``ε_i``.
    data_hessian, data_slope : arrays, shapes (r, r) and (r,)
        G and ḡ, over all examples.
    """

    def __init__(
        self, along: Rotated, data_hessian: Float[Array, "r r"], data_slope: Float[Array, " r"]
    ) -> None:
        self.rows = along.rows
        self._along = along
        self._G = data_hessian
        self._slope = data_slope

    @cached_property
    def _means(self) -> tuple[Float[Array, "r r"], Float[Array, "r r"], Float[Array, " r"]]:
        """All of them, from one pass."""
        spread, tow = np.zeros_like(self._G), np.zeros_like(self._G)
        noise, n = np.zeros_like(self._slope), self.rows
        for Z, residuals in self._along.blocks(residuals=True):
            assert residuals is not None
            pull = residuals[:, None] * Z
            Z *= Z
            spread += Z.T @ Z
            tow += pull.T @ Z
            noise += residuals**2 @ Z
        return spread / n - self._G**2, tow / n - self._G * self._slope, noise / n - self._slope**2

    @property
    def spread(self) -> Float[Array, "r r"]:
        """``κ_ab = mean z_a² z_b² − G_ab²``: C of `learnrate.theory.fourth_moment` on diagonals."""
        return self._means[0]

    @property
    def tow(self) -> Float[Array, "r r"]:
        """``M_ab = mean ε z_a z_b² − G_ab ḡ_b``: how residuals and features hang together."""
        return self._means[1]

    @property
    def noise(self) -> Float[Array, " r"]:
        """``V_a = mean ε² z_a² − ḡ_a²``: the variance of one example's pull at the optimum."""
        return self._means[2]
