"""Gradient descent on all examples: the limit of the learning rate, and the best rate."""

from __future__ import annotations

from learnrate.theory.quantity import Kind, Quantity
from learnrate.theory.spectrum import Spectrum

__all__ = ["best_full_batch_rate", "full_batch_limit"]


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
