"""Synthetic examples of a linear model with known weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["NOTE_BIAS", "NOTE_WEIGHTS", "note_data", "synthetic_data"]

NOTE_WEIGHTS = (2.0, -3.4)
NOTE_BIAS = 4.2

_STREAM = 2  # of random numbers; 0 and 1 are those of learnrate.data.order


def synthetic_data(
    w: Sequence[float] | Float[Array, " d"],
    b: float,
    n: int,
    *,
    noise: float = 0.01,
    seed: int = 0,
) -> tuple[Float[Array, "n d"], Float[Array, " n"]]:
    """Draw ``n`` examples of ``y = X·w + b + ε`` with ``X ~ N(0, 1)`` and ``ε ~ N(0, noise²)``.

    Parameters
    ----------
    w : array-like, shape (d,)
        True weights.
    b : float
        True bias.
    n : int
        Number of examples.
    noise : float
        Standard deviation of the label noise.
    seed : int
        Seed of the random numbers, at least 0.

    Returns
    -------
    X : float64 array, shape (n, d)
    y : float64 array, shape (n,)

    Source: *Dive into Deep Learning* (《动手学深度学习》), section 3.2, "Generating the dataset".
    """
    weights = np.asarray(w, dtype=np.float64)
    rng = np.random.default_rng([seed, _STREAM])
    X = rng.standard_normal((n, weights.size))
    y = X @ weights + b + rng.normal(0.0, noise, n)
    return X, y


def note_data(
    n: int = 1000, *, noise: float = 0.01, seed: int = 0
) -> tuple[Float[Array, "n d"], Float[Array, " n"]]:
    """The examples of the book's linear regression: two features, true ``w = [2, −3.4]`` and ``b = 4.2``.

    Parameters
    ----------
    n : int
        Number of examples.
    noise : float
        Standard deviation of the label noise.
    seed : int
        Seed of the random numbers, at least 0.

    Returns
    -------
    X : float64 array, shape (n, 2)
    y : float64 array, shape (n,)

    Source: *Dive into Deep Learning* (《动手学深度学习》), section 3.2, "Generating the dataset".
    """
    return synthetic_data(NOTE_WEIGHTS, NOTE_BIAS, n, noise=noise, seed=seed)
