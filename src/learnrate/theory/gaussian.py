"""The shortcut for Gaussian features: limit and floor from the eigenvalues alone.

For features that are jointly normal with mean zero, ``E[x (xᵀΣx) xᵀ] = 2HΣH + tr(HΣ) H``, so the diagonal
of the second moment closes on itself. With minibatches drawn from the population (``p = 1/B``)::

    S(η) = Σ_k (ηλ_k / B) / (2 − η(1 + 1/B) λ_k)

The mean-square limit is where S reaches 1. It is an estimate for any real data set: a column of ones is
no Gaussian feature, n is finite, and tails are rarely so light. The exact numbers are in
`learnrate.theory.mean_square` and `learnrate.theory.expected_curve`.

Source: Bordelon and Pehlevan, arXiv 2106.02713; for B = 1 Slock, *On the convergence behavior of the LMS
and the normalized LMS algorithms* (1993).
"""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.quantity import Kind, Quantity

__all__ = ["gaussian_floor", "gaussian_limit", "gaussian_noise_gain"]

_BISECTIONS = 100


def gaussian_noise_gain(eigenvalues: Float[Array, " r"], batch_size: int, lr: float) -> float:
    """``S(η)``; infinite where ``η ≥ 2 / ((1 + 1/B) λmax)``."""
    room = 2 - lr * (1 + 1 / batch_size) * eigenvalues
    if room.min() <= 0:
        return float("inf")
    return float(np.sum(lr * eigenvalues / batch_size / room))


def gaussian_limit(eigenvalues: Float[Array, " r"], batch_size: int) -> Quantity:
    """The η where ``S(η) = 1``, by bisection: S grows with η.

    For d equal eigenvalues λ that is ``2B / (λ(B + d + 1))``.
    """
    low, high = 0.0, 2 / ((1 + 1 / batch_size) * float(eigenvalues.max()))
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        if gaussian_noise_gain(eigenvalues, batch_size, middle) < 1:
            low = middle
        else:
            high = middle
    return Quantity(low, Kind.ESTIMATE, note="as if the features were Gaussian with mean zero")


def gaussian_floor(
    eigenvalues: Float[Array, " r"], batch_size: int, lr: float, loss_at_optimum: float
) -> Quantity:
    """``L* / (1 − S(η))``: where the average loss settles; infinite beyond the limit."""
    gain = gaussian_noise_gain(eigenvalues, batch_size, lr)
    floor = loss_at_optimum / (1 - gain) if gain < 1 else float("inf")
    return Quantity(floor, Kind.ESTIMATE, note="as if the features were Gaussian with mean zero")
