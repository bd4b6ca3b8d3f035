"""The mean-square limit for Gaussian features, from the eigenvalues alone.

For features that are jointly normal with mean zero, ``E[x (xᵀΣx) xᵀ] = 2HΣH + tr(HΣ) H``, so the recursion
of the diagonal of the second moment is closed. With minibatches drawn from the population (``p = 1/B``)::

    S(η) = Σ_k (ηλ_k / B) / (2 − η(1 + 1/B) λ_k)

The mean-square limit is the rate at which S reaches 1. For a real data set it is an estimate: the column of ones is
not a Gaussian feature, n is finite, and tails are rarely so light. The exact numbers are in
`learnrate.theory.mean_square`.

Source: Bordelon and Pehlevan, arXiv 2106.02713; for B = 1 Slock, *On the convergence behavior of the LMS
and the normalized LMS algorithms* (1993).
"""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.quantity import Kind, Quantity

__all__ = ["gaussian_limit", "gaussian_noise_gain"]

_BISECTIONS = 100


def gaussian_noise_gain(eigenvalues: Float[Array, " r"], batch_size: int, lr: float) -> float:
    """``S(η)``; infinite where ``η ≥ 2 / ((1 + 1/B) λmax)``."""
    denominator = 2 - lr * (1 + 1 / batch_size) * eigenvalues
    if denominator.min() <= 0:
        return float("inf")
    return float(np.sum(lr * eigenvalues / batch_size / denominator))


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
