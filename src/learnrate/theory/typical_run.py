"""The limit of a typical run, and how many runs have diverged after some epochs.

The average loss can blow up while nearly every run converges: a mean is ruled by its largest members.
What one run does is told by the Lyapunov exponent Λ(η) of `learnrate.theory.growth`: it shrinks where
``Λ < 0`` and grows where ``Λ > 0``. The typical-run limit is where Λ crosses 0.
"""

from __future__ import annotations

import math

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.growth import Growth, measure_growth
from learnrate.theory.modes import Modes
from learnrate.theory.quantity import Kind, Quantity

__all__ = ["diverged_share", "typical_limit"]

_RATES = 12
_SPAN = 2.5  # the grid of rates reaches from its lower end to this multiple
_EXTENSIONS = 20


def typical_limit(
    modes: Modes,
    batch_size: int,
    *,
    near: float,
    shuffle: bool = False,
    momentum: float = 0.0,
    steps: int = 256,
    runs: int | None = None,
    seed: int = 0,
) -> Quantity:
    """The η where ``Λ(η)`` crosses zero: half of all long runs diverge there, below it few, above most.

    Measured on one grid of rates with common random numbers (on further ones where the crossing lies
    outside), and interpolated. The standard error is Λ's, divided by the slope ``dΛ/dη``.

    Parameters
    ----------
    near : float
        Where to look first: the mean-square limit. Independent batches never cross below it, for
        ``E log‖·‖ ≤ ½ log E‖·‖²`` (Jensen).
    modes, batch_size, shuffle, momentum, steps, runs, seed
        As for `learnrate.theory.growth.measure_growth`.

    Source: Furstenberg and Kesten, *Products of random matrices* (1960); for SGD Ziyin et al.,
    arXiv 2303.13093.
    """
    if batch_size == modes.n:
        limit = 2 * (1 + momentum) / modes.spectrum.largest
        return Quantity(limit, Kind.EXACT, note="all examples: every run is the same")
    low = near / 1.02
    for _ in range(_EXTENSIONS):
        growth = measure_growth(
            modes,
            batch_size,
            np.geomspace(low, low * _SPAN, _RATES),
            shuffle=shuffle,
            momentum=momentum,
            steps=steps,
            runs=runs,
            seed=seed,
        )
        grows = growth.mean > 2 * growth.standard_error
        if grows[0]:
            low /= 0.9 * _SPAN
        elif not grows.any():
            low *= 0.9 * _SPAN
        else:
            limit, error = _crossing(growth, int(np.argmax(grows)))
            note = "simulated runs that share their random numbers among all rates"
            return Quantity(limit, Kind.ESTIMATE, error, note)
    return Quantity.unavailable(
        "the growth of a run does not change sign over many decades of rates"
    )


def _crossing(growth: Growth, k: int) -> tuple[float, float]:
    """Root of Λ between the rates k−1 and k, and its standard error.

    A parabola through three points in log η; with a straight line where it has no root there.
    """
    while k > 1 and growth.mean[k - 1] > 0:  # growing already, but not significantly
        k -= 1
    x, value = np.log(growth.lrs), growth.mean
    below = min(value[k - 1], 0.0)
    slope = (value[k] - below) / (x[k] - x[k - 1])
    root = x[k - 1] - below / slope
    third = k + 1 if k + 1 < x.size else k - 2
    bend = ((value[third] - value[k]) / (x[third] - x[k]) - slope) / (x[third] - x[k - 1])
    if abs(bend) * (x[k] - x[k - 1]) < slope:
        for _ in range(20):  # Newton on below + (slope + bend (x − x_k)) (x − x_{k−1})
            f = below + (slope + bend * (root - x[k])) * (root - x[k - 1])
            root -= f / (slope + bend * (2 * root - x[k] - x[k - 1]))
        root = float(np.clip(root, x[k - 1], x[k]))
    limit = math.exp(root)
    return limit, limit * float(growth.standard_error[k - 1 : k + 1].max() / slope)


def diverged_share(
    growth: Growth, *, steps: int, start_loss: float, noise_loss: Float[Array, " K"]
) -> Float[Array, " K"]:
    """Estimated share of runs whose loss, after some steps, is above where it started.

    The log of a run's error wanders like Brownian motion with drift Λ and variance σ² per step, and label
    noise keeps it from falling below a level ``x = ½ log(start / noise loss)`` under the start: a
    reflecting wall. The probability to be above the start at step T is then::

        1 − Φ(−ΛT/σ√T) + e^{2Λx/τ²} Φ((−2x − ΛT)/τ√T)

    The last term counts short excursions from the wall, so it takes the variance τ² over short times
    (with independent minibatches τ = σ).

    Parameters
    ----------
    growth : Growth
        Λ, σ² and τ² for each rate.
    steps : int
        T.
    start_loss : float
        Loss at the start.
    noise_loss : array, shape (K,)
        Loss that label noise makes in one step from the optimum; 0 where labels fit exactly.

    Source: Harrison, *Brownian Motion and Stochastic Flow Systems* (1985), section 3.6.
    """
    if steps == 0 or start_loss <= 0:
        return np.zeros(growth.lrs.size)
    shares = []
    for drift, variance, local, noise in zip(
        growth.mean, growth.variance, growth.local_variance, noise_loss, strict=True
    ):
        if not variance > 0:  # every run is the same
            shares.append(float(drift > 0))
            continue
        x = 0.5 * math.log(max(start_loss / noise, 1.0)) if noise > 0 else math.inf
        scale = math.sqrt(2 * variance * steps)
        share = 0.5 * math.erfc(-drift * steps / scale)
        if x < math.inf:
            share += _reflected(drift, local, steps, x)
        shares.append(min(share, 1.0))
    return np.array(shares)


def _reflected(drift: float, variance: float, steps: int, x: float) -> float:
    """``e^{2Λx/σ²} Φ((−2x − ΛT)/σ√T)`` without overflow."""
    w = (2 * x + drift * steps) / math.sqrt(2 * variance * steps)
    if w < 0:  # then the drift is negative and so is the exponent
        return math.exp(2 * drift * x / variance) * 0.5 * math.erfc(w)
    # e^{w²} erfc(w), which stays of order one, times what is left of the exponent.
    scaled = math.exp(w * w) * math.erfc(w) if w < 20 else 1 / (w * math.sqrt(math.pi))
    rest = -(2 * x**2 / steps + 0.5 * drift**2 * steps) / variance
    return 0.5 * math.exp(rest) * scaled
