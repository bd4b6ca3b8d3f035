"""Fourth moments along single eigenvectors, without the pairs of them: r × r numbers.

They are what the diagonal of the second moment is followed with (`learnrate.theory.shuffled` and, for wide
examples, `learnrate.theory.second_moments`), and where the search for the mean-square limit starts.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.coupling import LARGE, Coupling
from learnrate.theory.rotated import Rotated

__all__ = ["Directions"]

_LEAST = 1e-6  # of 1 − h
_STRONG = 24


class _Means(NamedTuple):
    """See the properties of `Directions`."""

    spread: Float[Array, "r r"]
    third: Float[Array, "r r"]
    noise: Float[Array, " r"]
    noise_left_out: Float[Array, " r"]
    strong: Float[Array, "rows r"]


class Directions:
    """Means over some examples, or all of them; computed when one is asked for.

    Parameters
    ----------
    along : Rotated
        ``z_i`` and ``ε_i``.
    data_hessian, data_slope : arrays, shapes (r, r) and (r,)
        G and ḡ, over all examples.
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
        """All of them, from one pass."""
        spread, third = np.zeros_like(self._G), np.zeros_like(self._G)
        noise, n = np.zeros_like(self._slope), self.rows
        unmet, drift = np.zeros_like(noise), np.zeros_like(noise)
        strong, strength = np.empty((0, len(noise))), np.empty(0)
        for Z, residuals in self._along.blocks(residuals=True):
            assert residuals is not None
            pull = residuals[:, None] * Z
            square = Z * Z
            leverage = square @ self._influence
            left_out = residuals / np.maximum(1 - leverage, _LEAST)
            drift += left_out @ Z
            unmet += left_out**2 @ square
            spread += square.T @ square
            third += pull.T @ square
            noise += residuals**2 @ square
            strength = np.append(strength, leverage)
            most = np.argsort(strength)[-_STRONG:]
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
        """``κ_ab = mean z_a² z_b² − G_ab²``: C of `learnrate.theory.fourth_moment` on diagonals."""
        return self._means.spread

    @cached_property
    def coupling(self) -> Coupling | None:
        """`spread` in a quick form, where it is large."""
        return Coupling.of(self.spread) if len(self._slope) >= LARGE else None

    @property
    def third(self) -> Float[Array, "r r"]:
        """``M_ab = mean ε z_a z_b² − G_ab ḡ_b``: how residuals and features hang together."""
        return self._means.third

    @property
    def noise(self) -> Float[Array, " r"]:
        """``V_a = mean ε² z_a² − ḡ_a²``: the variance of one example's pull at the optimum."""
        return self._means.noise

    @property
    def noise_left_out(self) -> Float[Array, " r"]:
        """The same with ``ε/(1 − h)``, the residual at the optimum of all other examples; h is the leverage.

        Source: Cook and Weisberg, *Residuals and Influence in Regression* (1982).
        """
        return self._means.noise_left_out

    @property
    def strong(self) -> Float[Array, "rows r"]:
        """``z`` of the rows of largest leverage."""
        return self._means.strong
