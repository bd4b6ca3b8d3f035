"""Losses for numbers: squared, Huber and Poisson."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.errors import DataError
from learnrate.training.losses.base import Loss

__all__ = ["Huber", "Poisson", "Squared"]


@dataclass(frozen=True)
class Squared(Loss):
    """``φ = ½ (z − y)²``, ``φ' = z − y``, ``φ'' = 1``."""

    name: ClassVar[str] = "squared"
    quadratic: ClassVar[bool] = True
    curvature: ClassVar[float | None] = 1.0
    score: ClassVar[str] = "R²"

    @property
    def quantity(self) -> str:
        """The name of the mean loss, with the formula."""
        return "loss, mean of ½(ŷ − y)²"

    def value(self, z: Float[Array, "rows C K"], t: Array) -> Float[Array, "rows K"]:
        """``½ (z − y)²``"""
        r = (z - t)[:, 0]
        return np.asarray(r * r / 2)

    def derivative(self, z: Float[Array, "rows C K"], t: Array) -> Float[Array, "rows C K"]:
        """``z − y``"""
        return np.subtract(z, t, out=z)

    def second_derivative(self, z: Float[Array, "rows C"], y: Array) -> Float[Array, "rows C C"]:
        """1"""
        return np.ones((len(z), 1, 1))


_EFFICIENT_DELTA = 1.345
"""δ in standard deviations of normal errors, for which the estimated mean is 95 % as efficient as with squared loss (Huber, 1981)."""
_MAD_TO_SD = 1.4826
"""The standard deviation of a normal variable in units of its median absolute deviation."""


@dataclass(frozen=True)
class Huber(Loss):
    """``φ = ½ r²`` where ``|r| ≤ δ``, else ``δ (|r| − ½ δ)``, with ``r = z − y``; ``φ' = r`` cut to ``±δ``.

    Attributes
    ----------
    delta : float
        δ, in the units of y. `of` sets it to 1.345 times the spread of the labels, which is 1.4826 times the median
        of ``|y − median y|``, or their standard deviation where that is 0.

    Source: Huber (1964), "Robust estimation of a location parameter".
    """

    delta: float = 1.0

    name: ClassVar[str] = "huber"
    bounded: ClassVar[bool] = True
    curvature: ClassVar[float | None] = 1.0
    score: ClassVar[str] = "R²"

    @classmethod
    def of(cls, y: Array, classes: int) -> Self:
        """Make the loss with δ from the spread of the labels, to three digits."""
        y = y.astype(np.float64)
        spread = _MAD_TO_SD * float(np.median(np.abs(y - np.median(y)))) or float(y.std()) or 1.0
        return cls(float(f"{_EFFICIENT_DELTA * spread:.3g}"))

    @property
    def quantity(self) -> str:
        """The name of the mean loss, with δ."""
        return f"mean Huber loss, δ = {self.delta:g}"

    def value(self, z: Float[Array, "rows C K"], t: Array) -> Float[Array, "rows K"]:
        """``½ c² + δ (|r| − c)`` with ``c = min(|r|, δ)``"""
        r = np.abs((z - t)[:, 0])
        inside = np.minimum(r, self.delta)
        return np.asarray(inside * inside / 2 + self.delta * (r - inside))

    def derivative(self, z: Float[Array, "rows C K"], t: Array) -> Float[Array, "rows C K"]:
        """``r`` cut to ``±δ``"""
        np.subtract(z, t, out=z)
        np.clip(z, -self.delta, self.delta, out=z)
        return z

    def second_derivative(self, z: Float[Array, "rows C"], y: Array) -> Float[Array, "rows C C"]:
        """1 where ``|r| ≤ δ``, else 0."""
        inside: Array = np.abs(z - y[:, None]) <= self.delta
        return inside[:, :, None].astype(np.float64)

    def fit(self, z: Float[Array, "rows C K"], t: Array) -> dict[str, Float[Array, " K"]]:
        """``Σ r²``, for R²."""
        r = (z - t)[:, 0]
        return {"squared_error": np.einsum("nk,nk->k", r, r, dtype=np.float64)}


@dataclass(frozen=True)
class Poisson(Loss):
    """``φ = e^z − y z + y log y − y``: half the deviance of counts ``y ≥ 0`` whose mean is ``e^z``; ``φ' = e^z − y``.

    The last two terms do not depend on z; with them a perfect fit has the loss 0. Source: McCullagh and Nelder,
    *Generalized Linear Models* (1989), section 2.3.
    """

    name: ClassVar[str] = "poisson"
    score: ClassVar[str] = "D²"

    @property
    def quantity(self) -> str:
        """The name of the mean loss."""
        return "half the mean Poisson deviance"

    @classmethod
    def of(cls, y: Array, classes: int) -> Self:
        """Make the loss; raises DataError if a label is negative, or if all are 0."""
        if y.min() < 0:
            row = int(np.argmin(y))
            raise DataError(
                f"For the loss poisson the target must hold counts, 0 or more. Got {y[row]:g} among the "
                "training examples; use squared or huber for numbers that can be negative."
            )
        if not y.any():
            raise DataError("For the loss poisson some count must be above 0. Got 0 everywhere.")
        return cls()

    def value(self, z: Float[Array, "rows C K"], t: Array) -> Float[Array, "rows K"]:
        """``e^z − y z + y log y − y``"""
        y = t[:, 0]
        constant = y * np.log(np.where(y > 0, y, 1)) - y
        return np.asarray(np.maximum(np.exp(z[:, 0]) - y * z[:, 0] + constant, 0))

    def derivative(self, z: Float[Array, "rows C K"], t: Array) -> Float[Array, "rows C K"]:
        """``e^z − y``"""
        np.exp(z, out=z)
        return np.subtract(z, t, out=z)

    def second_derivative(self, z: Float[Array, "rows C"], y: Array) -> Float[Array, "rows C C"]:
        """``e^z``"""
        return np.exp(z)[:, :, None]

    def at_best(self, y: Array) -> float:
        """``mean(y log(y / ȳ))``"""
        y = y.astype(np.float64)
        return float(np.mean(y * np.log(np.where(y > 0, y, 1) / y.mean())))
