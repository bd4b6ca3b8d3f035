"""Predicted losses for several rates at once, with what they are worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.quantity import Kind

__all__ = ["Prediction", "finite_or_infinite"]


@dataclass(frozen=True, eq=False)
class Prediction:
    """Losses, averaged over minibatch orders, one row per rate.

    Attributes
    ----------
    lrs : array, shape (K,)
        Learning rates.
    losses : array, shape (K,) or (K, epochs + 1)
        Floors, or curves before training and after each epoch. Infinity where the average diverges.
    kind : Kind
        What the losses are worth.
    note : str
        How they were found.
    doubt : array, shape of the losses, optional
        About how far an estimate may be off, as a part of it; None where that is not known, or nothing is estimated.
    """

    lrs: Float[Array, " K"]
    losses: Float[Array, "*shape"]
    kind: Kind
    note: str
    doubt: Float[Array, "*shape"] | None = None


def finite_or_infinite(losses: Float[Array, ...]) -> Float[Array, ...]:
    """Overflow shows as infinity or NaN, also further on where infinities met: one infinity for all."""
    return np.where(np.isfinite(losses), np.maximum(losses, 0.0), np.inf)
