"""Numbers and predicted losses that say how accurate they are: exact, a bound, an estimate, or not available."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["Kind", "Prediction", "Quantity", "finite_or_infinite", "rounded_down"]


def rounded_down(value: float, digits: int) -> str:
    """A positive number rounded down to so many digits, so that a rate set to what is printed is within the limit."""
    if not (math.isfinite(value) and value > 0):
        return f"{value:.{digits}g}"
    exact = Decimal(value)
    unit = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    if exact - exact.quantize(unit, ROUND_FLOOR) > unit * Decimal("0.999999999"):
        return f"{value:.{digits}g}"  # a rounding error below a round number
    return f"{float(exact.quantize(unit, ROUND_FLOOR)):.{digits}g}"


class Kind(enum.StrEnum):
    """How accurate a number is."""

    EXACT = "exact"
    """Exact for the given examples, up to rounding or the tolerance that the note names."""
    BOUND = "bound"
    """Certainly on the safe side of the true number; how far from it is not known."""
    ESTIMATE = "estimate"
    """Near the true number; the standard error says how near, if it is known."""
    UNAVAILABLE = "not available"
    """No number is given; the note says why."""


@dataclass(frozen=True)
class Quantity:
    """One number with its accuracy.

    Attributes
    ----------
    value : float or None
        The number; None if `kind` is `Kind.UNAVAILABLE`, and only then.
    kind : Kind
        How accurate the number is.
    standard_error : float or None
        The standard error of an estimate, in the unit of the value, if it is known.
    note : str
        How the number was computed, or why there is none: a phrase that can follow a colon.
    """

    value: float | None
    kind: Kind
    standard_error: float | None = None
    note: str = ""

    @classmethod
    def unavailable(cls, why: str) -> Quantity:
        """A quantity without a number; ``why`` becomes its note."""
        return cls(None, Kind.UNAVAILABLE, note=why)

    def __str__(self) -> str:
        if self.value is None:
            return f"not available ({self.note})"
        error = "" if self.standard_error is None else f" ± {self.standard_error:.2g}"
        return f"{rounded_down(self.value, 4)}{error} ({self.kind})"


@dataclass(frozen=True, eq=False)
class Prediction:
    """Losses, averaged over minibatch orders, one row per rate.

    Attributes
    ----------
    lrs : array, shape (K,)
        Learning rates.
    losses : array, shape (K,) or (K, epochs + 1)
        Floors, or curves: the loss before training and after each epoch. Infinity where the mean loss diverges.
    kind : Kind
        Whether the losses are exact, a bound or an estimate.
    note : str
        How they were computed.
    doubt : array, shape of the losses, optional
        Estimate of the relative error; None where it is not known or nothing is estimated.
    """

    lrs: Float[Array, " K"]
    losses: Float[Array, "*shape"]
    kind: Kind
    note: str
    doubt: Float[Array, "*shape"] | None = None


def finite_or_infinite(losses: Float[Array, ...]) -> Float[Array, ...]:
    """Replace everything that is not finite, which overflow has caused, by infinity, and negative losses by 0."""
    return np.where(np.isfinite(losses), np.maximum(losses, 0.0), np.inf)
