"""A number that says what it is worth: exact, a bound, an estimate with its error, or not available."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Kind", "Quantity"]


class Kind(enum.StrEnum):
    """What a number is worth."""

    EXACT = "exact"
    """True for the examples given, up to rounding (or to the tolerance that is named)."""
    BOUND = "bound"
    """Certainly on the safe side of the true number, by how much is not known."""
    ESTIMATE = "estimate"
    """Near the true number; the standard error says how near, where it is known."""
    UNAVAILABLE = "not available"
    """No number is given; the note says why."""


@dataclass(frozen=True)
class Quantity:
    """One number with its worth.

    Attributes
    ----------
    value : float or None
        The number; None exactly where `kind` is `Kind.UNAVAILABLE`.
    kind : Kind
        What the number is worth.
    standard_error : float or None
        Of an estimate, in the unit of the value, where it is known.
    note : str
        How the number was found, or why there is none: a phrase that can follow a colon.
    """

    value: float | None
    kind: Kind
    standard_error: float | None = None
    note: str = ""

    @classmethod
    def unavailable(cls, why: str) -> Quantity:
        """No number, and why."""
        return cls(None, Kind.UNAVAILABLE, note=why)

    def __str__(self) -> str:
        if self.value is None:
            return f"not available ({self.note})"
        error = "" if self.standard_error is None else f" ± {self.standard_error:.2g}"
        return f"{self.value:.4g}{error} ({self.kind})"
