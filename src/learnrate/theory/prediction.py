"""Predicted losses for several rates, and how accurate they are."""

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
