"""Loss of trained lanes on held-out examples."""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.rows import Rows

__all__ = ["held_out_loss", "r_squared", "stored_loss"]

_BLOCK = 4_000_000
"""Predictions held at a time, so that many lanes on many examples need little memory."""


def held_out_loss(
    X: Float[Array, "m d"], y: Float[Array, " m"], W: Float[Array, "K d"], b: Float[Array, " K"]
) -> Float[Array, " K"]:
    """Mean of ``½(x·w + b − y)²`` over the m examples, for every lane; not finite once diverged."""
    loss = np.empty(len(b))
    lanes = max(1, _BLOCK // len(y))
    with np.errstate(all="ignore"):
        for first in range(0, len(b), lanes):
            block = slice(first, first + lanes)
            residual = X @ W[block].T.astype(X.dtype, copy=False) + (b[block] - y[:, None])
            loss[block] = np.einsum("mk,mk->k", residual, residual) / (2 * len(y))
    return loss


def stored_loss(
    rows: Rows, per_block: int, W: Float[Array, "K d"], b: Float[Array, " K"]
) -> Float[Array, " K"]:
    """The same over examples that are read in blocks."""
    total = np.zeros(len(b))
    for X, y in rows.blocks(per_block, range(-(-rows.n // per_block))):
        total += held_out_loss(X, y, W, b) * (len(y) / rows.n)
    return total


def r_squared(loss: Float[Array, "..."], variance: float) -> Float[Array, "..."]:
    """``R² = 1 − Σ(ŷ − y)² / Σ(y − ȳ)²`` from the mean of ``½(ŷ − y)²``; nan where y is constant."""
    with np.errstate(all="ignore"):
        return np.asarray(1 - 2 * loss / np.float64(variance))
