"""Limits in closed form, from the eigenvalues alone: on all examples, and on minibatches of Gaussian features.

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
from learnrate.theory.spectrum import Spectrum

__all__ = ["best_full_batch_rate", "full_batch_limit", "gaussian_limit", "gaussian_noise_gain"]


def full_batch_limit(spectrum: Spectrum, *, momentum: float = 0.0) -> Quantity:
    """``2(1 + μ) / λmax``: above it gradient descent on all examples diverges.

    Along the eigenvector of λ the error obeys ``δ' = (1 − ηλ) δ``, and with heavy-ball momentum
    ``δ'' = (1 + μ − ηλ) δ' − μ δ``; the roots leave the unit circle at ``ηλ = 2(1 + μ)``.
    λ includes weight decay. Exact for ``0 ≤ μ < 1``.

    Source: Polyak, *Some methods of speeding up the convergence of iteration methods* (1964).
    """
    return Quantity(2 * (1 + momentum) / spectrum.largest, Kind.EXACT, note="2(1 + μ)/λmax")


def best_full_batch_rate(spectrum: Spectrum, *, momentum: float = 0.0) -> Quantity:
    """``2 / (λmin + λmax)``: the rate at which the slowest direction shrinks fastest, by (κ−1)/(κ+1) per step.

    Exact, without momentum; κ = λmax/λmin, over the eigenvalues that are not zero.

    Source: Nesterov, *Introductory Lectures on Convex Optimization*, theorem 2.1.15.
    """
    if momentum:
        return Quantity.unavailable("with momentum the best rate depends on μ as well")
    return Quantity(2 / (spectrum.smallest + spectrum.largest), Kind.EXACT, note="2/(λmin + λmax)")


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
